"""The filter: typed, kept, cleared, explained; what it finds, and what that adds up to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from opdash.ledger.records import AssetTotals
from opdash.ledger.search.saved import SavedSearch
from opdash.ledger.search.terms import Query
from opdash.openpayments.amounts import Asset
from opdash.tui.actions import Place
from opdash.tui.app import OpdashApp
from opdash.tui.screens.help import HelpScreen
from opdash.tui.screens.searches import SearchesScreen
from opdash.tui.searching import SearchThread
from opdash.tui.widgets.filter_input import FilterInput
from opdash.tui.widgets.filter_line import FilterLine, TotalsLines, totals_spans
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import Line, width_of
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.status_line import StatusLine
from tests.tui.doubles import World, make_payment, many_payments, shop_payments


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments(), *many_payments(60))
    world.live()
    yield world
    world.close()


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def type_filter(pilot: Pilot[None], text: str) -> None:
    if not pilot.app.screen.query_one(FilterLine).is_typed_into:
        await pilot.press("slash")
    field = pilot.app.screen.query_one(FilterInput)
    field.value = text
    await settle(pilot)


def table(app: OpdashApp) -> PaymentTable:
    return app.screen_stack[0].query_one(PaymentTable)


def references(app: OpdashApp) -> list[str]:
    return [row.reference for row in table(app).rows_in_view()]


def status(app: OpdashApp) -> str:
    return app.screen_stack[0].query_one(StatusLine).text


def totals(app: OpdashApp) -> str:
    lines = app.screen_stack[0].query("FilterLine > Line").results(Line)
    return "\n".join(line.text.strip() for line in lines if line.display)


def problem(app: OpdashApp) -> str:
    shown = app.screen_stack[0].query_one("#filter-problem", Static)
    return str(shown.content) if shown.display else ""


async def test_rows_follow_what_is_typed(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"inv-20")
        await settle(pilot)
        assert references(app) == [
            "INV-2026-0412",
            "INV-2026-0411",
            "INV-2026-0398",
            "INV-2026-0380",
            "INV-2026-0377",
            "INV-2025-0001",
        ]
        assert "6 of 70 known match" in status(app)
        assert "searching" not in status(app)
        assert totals(app) == (
            "USD 6 payments   asked 3,315.00   received 2,170.00   difference −1,145.00"
            "   of what is known so far"
        )
        await pilot.press(*"25")
        await settle(pilot)
        assert references(app) == ["INV-2025-0001"]
        assert totals(app).startswith("USD 1 payment   asked 1,000.00")
        await pilot.press(*["backspace"] * 8)
        await settle(pilot)
        assert table(app).row_count == 70
        assert totals(app) == ""
        assert "of 70 known" in status(app)


async def test_enter_keeps_the_filter_and_escape_ends_it(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "/ Filter" in app.screen.query_one(KeyLine).text
        await type_filter(pilot, "state:short,expired")
        assert app.screen.query_one(KeyLine).text.startswith(" ⏎ Keep  Esc Clear filter")
        await pilot.press("enter")
        assert table(app).has_focus
        await pilot.press("j")
        selected = table(app).selected
        assert selected is not None
        assert selected.reference == "INV-2026-0380"
        assert table(app).row_count == 3
        await pilot.press("escape")
        await settle(pilot)
        assert table(app).row_count == 70
        assert table(app).selected == selected
        assert not app.screen.query_one(FilterLine).display
        await pilot.press("slash")
        assert app.screen.query_one(FilterLine).text == ""
        await pilot.press("down")
        assert table(app).has_focus
        assert not app.screen.query_one(FilterLine).display


async def test_the_cursor_keeps_its_payment_where_it_matches(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j", "j", "j", "j")
        selected = table(app).selected
        assert selected is not None
        await type_filter(pilot, "inv")
        assert table(app).selected == selected
        await type_filter(pilot, "tip")
        assert table(app).selected != selected
        assert table(app).cursor == 0


async def test_the_cursor_keeps_its_payment_beyond_the_first_rows(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.record(*many_payments(200))
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("end", "up")
        selected = table(app).selected
        assert selected is not None
        await type_filter(pilot, "inv-1")
        assert table(app).row_count == 200
        assert table(app).selected == selected
        assert selected.id in [row.id for row in table(app).rows_in_view()]
        await pilot.press("enter", "home")
        assert table(app).cursor == 0
    world.close()


async def test_a_wrong_term_is_explained_and_leaves_the_rows(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await type_filter(pilot, "tip")
        await type_filter(pilot, "tip stat:paid")
        assert problem(app).startswith("“stat:” is not a term. Did you mean “state”?")
        assert references(app) == ["tip"]
        await type_filter(pilot, "tip state:rec")
        assert problem(app) == ""
        assert references(app) == ["tip"]


async def test_nothing_jumps_while_a_filter_is_typed(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash")
        await pilot.pause()
        height = table(app).size.height
        for text in ("i", "inv", "inv amount>", "inv amount>1", ""):
            await type_filter(pilot, text)
            assert table(app).size.height == height
        await type_filter(pilot, "inv")
        await pilot.press("enter")
        await pilot.pause()
        assert table(app).size.height == height + 1


async def test_totals_are_said_to_be_coming(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    app = OpdashApp(world.dashboard.real)
    go_on = asyncio.Event()
    add_up = SearchThread.totals

    async def slowly(self: SearchThread, request: int, query: Query) -> tuple[AssetTotals, ...]:
        await go_on.wait()
        return await add_up(self, request, query)

    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(SearchThread, "totals", slowly)
        await pilot.press("slash", *"inv-20")
        for _ in range(500):
            if "6 of 70 known match" in status(app):
                break
            await pilot.pause(0.01)
        assert totals(app) == "adding up…"
        go_on.set()
        await settle(pilot)
        assert totals(app).startswith("USD 6 payments")


async def test_nothing_that_matches_is_said(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await type_filter(pilot, "zz[b]zz")
        empty = app.screen.query_one("#empty", Static)
        assert empty.display
        assert "No payment that is known matches." in str(empty.content)
        assert "zz[b]zz" in str(empty.content)
        assert "none of 70 known" in status(app)
        await pilot.press("enter")
        assert app.screen.query_one(FilterLine).is_typed_into
        await pilot.press("escape")
        await settle(pilot)
        assert table(app).has_focus
        assert not empty.display


async def test_news_join_the_rows_that_match(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await type_filter(pilot, "ref:INV-20 is:open")
        await pilot.press("enter")
        assert references(app) == ["INV-2026-0412"]
        selected = table(app).selected
        new = make_payment(500, ago=timedelta(0), reference="INV-2026-0500")
        world.record(new, make_payment(501, ago=timedelta(0), reference="other"))
        await settle(pilot)
        assert references(app) == ["INV-2026-0500", "INV-2026-0412"]
        assert table(app).selected == selected
        assert "2 of 72 known match" in status(app)
        assert totals(app).startswith("USD 2 payments")


async def test_what_is_found_is_sorted_by_any_column(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await type_filter(pilot, "inv-20")
        await pilot.press("enter", "4")
        await settle(pilot)
        assert references(app) == sorted(references(app))
        assert "by Reference, A to Z" in status(app)
        await pilot.press("4")
        await settle(pilot)
        assert references(app) == sorted(references(app), reverse=True)
        await type_filter(pilot, "inv-2026")
        assert references(app)[0] == "INV-2026-0412"
        assert table(app).row_count == 5


async def test_the_end_of_what_matches_is_the_end(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await type_filter(pilot, "tip")
        await pilot.press("enter", "j", "right_square_bracket")
        await settle(pilot)
        told = [notice.message for notice in app._notifications]
        assert any("last payment that matches" in message for message in told)


async def test_saved_searches_tell_how_many_and_are_taken(world: World) -> None:
    own = SavedSearch("Tips", "tip", "shop"), SavedSearch("Theirs", "x", "other")
    dashboard = world.dashboard
    dashboard.settings = replace(dashboard.settings, searches=own)
    app = OpdashApp(dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f")
        await settle(pilot)
        assert isinstance(app.screen, SearchesScreen)
        options = app.screen.query_one(OptionList).options
        prompts = [" ".join(str(option.prompt).split()) for option in options]
        assert prompts == [
            "Needs action 3 is:action",
            "Open 63 is:open",
            "Today 4 created:today",
            "Paid 3 is:paid",
            "Expired 2 state:expired",
            "Tips 1 tip",
        ]
        await pilot.press("down", "down", "down", "down", "enter")
        await settle(pilot)
        assert references(app) == ["INV-2026-0398", "INV-2026-0380"]
        assert app.screen.query_one(FilterLine).text == "state:expired"
        assert table(app).has_focus
        await pilot.press("f")
        await settle(pilot)
        assert app.screen.query_one(OptionList).highlighted == 4
        await pilot.press("escape")
        assert table(app).row_count == 2


async def test_help_is_there_while_typing(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash", "f1")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape")
        assert app.screen.query_one(FilterLine).is_typed_into
        assert Place.FILTER.value == "Filter"


async def test_nothing_can_be_filtered_where_nothing_is_known(tmp_path: Path) -> None:
    world = World(tmp_path)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash", "f")
        assert not app.screen.query_one(FilterLine).display
    world.close()


def all_totals(app: OpdashApp) -> str:
    lines = app.screen_stack[0].query("TotalsLines > Line").results(Line)
    return "\n".join(" ".join(line.text.split()) for line in lines if line.display)


def shows_all_totals(app: OpdashApp) -> bool:
    return app.screen_stack[0].query_one(TotalsLines).display


async def test_what_all_payments_add_up_to_is_shown_when_wanted(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert not shows_all_totals(app)
        await pilot.press("equals_sign")
        await settle(pilot)
        assert shows_all_totals(app)
        assert all_totals(app) == (
            "USD 70 payments asked 5,265.00 received 2,227.00 "
            "difference where asked −3,055.00 of the 70 known"
        )
        world.record(make_payment(600, asked=None, received=100, received_asset=Asset("EUR", 1)))
        world.set_complete(True)
        await settle(pilot)
        await pilot.press("equals_sign", "equals_sign")
        await settle(pilot)
        assert all_totals(app).splitlines() == [
            (
                "USD 70 payments asked 5,265.00 received 2,227.00 "
                "difference where asked −3,055.00 all 71"
            ),
            "EUR 1 payment asked 0.0 received 10.0 difference where asked 0.0",
        ]
        await type_filter(pilot, "inv-20")
        assert not shows_all_totals(app)
        assert totals(app).startswith("USD 6 payments")
        await pilot.press("escape")
        await settle(pilot)
        assert shows_all_totals(app)
        await pilot.press("equals_sign")
        await settle(pilot)
        assert not shows_all_totals(app)


def test_totals_say_less_where_there_is_no_room() -> None:
    totals = [AssetTotals(Asset("USD", 2), 5000, 331_500_00, 217_000_00, -114_500_00)]

    def at(width: int) -> str:
        (line,) = totals_spans(totals, width, "of the 5,000 known")
        return "".join(span.text for span in line)

    assert at(120).endswith("difference −114,500.00   of the 5,000 known")
    assert at(90).endswith("received 217,000.00   difference −114,500.00")
    assert at(78) == (" USD 5,000 payments  ask 331,500.00  rec 217,000.00  diff −114,500.00")
    assert at(40).endswith("…")


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_totals_fit_three_lines(width: int, count: int) -> None:
    most = 3 * (2**64 - 1)
    totals = [AssetTotals(Asset(f"A{i}", i), 10**6, most, most, -most) for i in range(count)]
    lines = totals_spans(totals, width)
    assert len(lines) == min(count, 3)
    assert all(width_of(line) <= width for line in lines)
    if count == 5:
        assert "and 3 further assets" in "".join(span.text for span in lines[-1])
