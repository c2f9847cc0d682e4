"""Folding on the screen: lines for many payments, opened and closed, while others arrive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from opdash.ledger.folds import FoldRow
from opdash.ledger.records import PaymentRow
from opdash.ledger.search.saved import SavedSearch
from opdash.tui.app import OpdashApp
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.widgets.payment_detail import PaymentDetail
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.status_line import StatusLine
from tests.tui.doubles import NOW, World, make_payment

HOUR = timedelta(hours=1)
TIPS = SavedSearch("Tips", "ref:tip", fold=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(
        make_payment(1, ago=0.5 * HOUR, reference="INV-1"),
        make_payment(2, ago=1 * HOUR, reference="tip 2", received=250, asked=None),
        make_payment(3, ago=2 * HOUR, reference="INV-3"),
        make_payment(4, ago=3 * HOUR, reference="tip 4", received=100, asked=None),
        make_payment(5, ago=4 * HOUR, reference="tip 5", received=1, asked=None),
        make_payment(6, ago=20 * HOUR, reference="tip 6", received=7, asked=None),
        make_payment(7, ago=21 * HOUR, reference="INV-7"),
        make_payment(8, ago=22 * HOUR, reference="tip 8", received=8, asked=None),
        make_payment(9, ago=50 * HOUR, reference="tip 9", received=9, asked=None),
    )
    world.live()
    fold(world, TIPS)
    yield world
    world.close()


def fold(world: World, *searches: SavedSearch) -> None:
    world.dashboard.settings = replace(world.dashboard.settings, searches=searches)


async def settle(pilot: Pilot[None]) -> None:
    for _ in range(2):
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def table(app: OpdashApp) -> PaymentTable:
    return app.screen_stack[0].query_one(PaymentTable)


def status(app: OpdashApp) -> str:
    return app.screen_stack[0].query_one(StatusLine).text


def lines(app: OpdashApp) -> list[str]:
    return [
        row.reference
        if isinstance(row, PaymentRow)
        else f"{row.count} for {row.received} on {row.day:%d}"
        for row in table(app).lines_in_view()
    ]


def under_cursor(app: OpdashApp) -> str:
    return lines(app)[table(app).cursor - table(app).top]


def painted(app: OpdashApp) -> list[str]:
    shown = table(app)
    shown.render_lines(shown.region.reset_offset)
    return [
        " ".join(shown.render_line(y).text.split())
        for y in range(1, len(shown.lines_in_view()) + 1)
    ]


def told(app: OpdashApp) -> list[str]:
    return [notice.message for notice in app._notifications]


FOLDED = ["INV-1", "3 for 351 on 20", "INV-3", "2 for 15 on 19", "INV-7", "tip 9"]


async def test_payments_of_a_source_and_a_day_stand_in_one_line(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        assert lines(app) == FOLDED
        assert "1–6 of 6 for 9 known" in status(app)
        assert painted(app)[1].startswith("▸ 3 payments 3.51 tip")
        assert painted(app)[3].startswith("▸ 2 payments 0.15 tip")
        assert "19 Nov" in painted(app)[3]


async def test_space_opens_and_closes_the_line_under_the_cursor(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await pilot.press("down", "space")
        assert lines(app)[1:6] == ["3 for 351 on 20", "tip 2", "tip 4", "tip 5", "INV-3"]
        assert under_cursor(app) == "3 for 351 on 20"
        assert painted(app)[1].startswith("▌ ▾ 3 payments")
        assert painted(app)[2].startswith("┆")
        assert not painted(app)[5].startswith("┆")
        await pilot.press("down", "down")
        assert under_cursor(app) == "tip 4"
        await pilot.press("space")
        assert lines(app) == FOLDED
        assert under_cursor(app) == "3 for 351 on 20"
        await pilot.press("enter")
        assert lines(app)[2] == "tip 2"
        await pilot.press("down", "enter")
        assert isinstance(app.screen, DetailScreen)


async def test_all_lines_close_then_go_then_come_back(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await pilot.press("down", "space", "down", "down")
        assert under_cursor(app) == "tip 4"
        await pilot.press("a")
        assert lines(app) == FOLDED
        assert under_cursor(app) == "3 for 351 on 20"
        await pilot.press("a")
        assert len(lines(app)) == 9
        assert under_cursor(app) == "tip 2"
        assert "not folded" in status(app)
        await pilot.press("space")
        assert "a folds them" in told(app)[-1]
        await pilot.press("down", "down", "a")
        assert lines(app) == FOLDED
        assert under_cursor(app) == "3 for 351 on 20"
        assert "not folded" not in status(app)


async def test_what_was_folded_is_not_new(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 12)) as pilot:
        await settle(pilot)
        await pilot.press("end", "a")
        assert under_cursor(app) == "tip 9"
        assert "new above" not in status(app)
        await pilot.press("a", "a", "a")
        assert under_cursor(app) == "tip 9"
        assert "new above" not in status(app)


async def test_news_change_count_and_sum_but_not_what_is_under_the_cursor(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await pilot.press("down")
        world.clock.instant = NOW + HOUR
        world.record(make_payment(10, ago=-0.5 * HOUR, reference="tip 10", received=1000))
        await settle(pilot)
        assert lines(app)[:3] == ["INV-1", "4 for 1351 on 20", "INV-3"]
        assert under_cursor(app) == "4 for 1351 on 20"
        await pilot.press("up")
        world.record(make_payment(11, ago=-0.6 * HOUR, reference="tip 11", received=1))
        await settle(pilot)
        assert under_cursor(app) == "INV-1"
        assert table(app).cursor == 1
        await pilot.press("home")
        await settle(pilot)
        assert lines(app)[:3] == ["5 for 1352 on 20", "INV-1", "INV-3"]
        world.record(make_payment(12, ago=-0.7 * HOUR, reference="INV-12"))
        await settle(pilot)
        assert under_cursor(app) == "INV-12"
        assert table(app).following


async def test_a_line_whose_payments_changed_is_marked(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        world.clock.instant = NOW + HOUR
        world.record(make_payment(5, ago=4 * HOUR, reference="tip 5", received=500, asked=None))
        await settle(pilot)
        assert lines(app)[1] == "3 for 850 on 20"
        assert painted(app)[1].startswith("• ▸ 3 payments")
        await pilot.press("down")
        assert not painted(app)[1].startswith("▌•")


async def test_in_other_orders_and_under_a_filter_folding_rests(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        await pilot.press("3")
        await settle(pilot)
        assert len(lines(app)) == 9
        assert "folding rests" in status(app)
        await pilot.press("6")
        await settle(pilot)
        assert lines(app) == FOLDED
        await pilot.press("6")
        await settle(pilot)
        assert lines(app) == FOLDED[::-1]
        await pilot.press("slash", *"tip")
        await settle(pilot)
        assert len(lines(app)) == 6
        assert "folding rests" in status(app)
        await pilot.press("enter", "space")
        assert told(app)[-1] == "Folding rests while a filter is on."
        await pilot.press("escape")
        await settle(pilot)
        assert lines(app) == FOLDED[::-1]


async def test_a_search_is_set_to_fold_from_the_screen(world: World) -> None:
    fold(world, replace_fold(TIPS))
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        assert len(lines(app)) == 9
        await pilot.press("space")
        assert "No saved search folds" in told(app)[-1]
        await pilot.press("f", "end", "e")
        await settle(pilot)
        await pilot.press("tab", "tab", "right", "ctrl+s")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert isinstance(app.screen, PaymentsScreen)
        assert lines(app) == FOLDED
        await pilot.press("down", "f", "end", "d", "d")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert len(lines(app)) == 9
        assert under_cursor(app) == "tip 2"


def replace_fold(search: SavedSearch) -> SavedSearch:
    return SavedSearch(search.name, search.query, search.wallet)


async def test_what_stands_for_itself_does_not_fold(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await pilot.press("space")
        assert told(app)[-1].startswith("This payment stands for itself")
        await pilot.press("end", "space")
        assert told(app)[-1].startswith("This payment stands for itself")
        assert under_cursor(app) == "tip 9"


async def test_a_line_is_explained_beside_the_table(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(140, 30)) as pilot:
        await settle(pilot)
        await pilot.press("down")
        await settle(pilot)
        said = app.screen.query_one(PaymentDetail).text
        assert said.splitlines()[0] == "tip"
        assert "3.51 USD" in said
        assert "today 13:07" in said
        assert "today 10:07" in said
        await pilot.press("y", "c", "m")
        assert app.clipboard == ""
        await pilot.press("down")
        await settle(pilot)
        assert "INV-3" in app.screen.query_one(PaymentDetail).text


async def test_a_payment_is_opened_with_the_mouse_and_so_is_a_line(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await pilot.click(PaymentTable, offset=(5, 2))
        await pilot.click(PaymentTable, offset=(5, 2))
        await settle(pilot)
        assert lines(app)[2] == "tip 2"
        fold_row = table(app).lines_in_view()[1]
        assert isinstance(fold_row, FoldRow)
        assert fold_row.is_open


async def test_what_time_changes_is_read_again(world: World) -> None:
    fold(world, SavedSearch("Open tips", "ref:tip is:open", fold=True))
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        assert lines(app) == FOLDED
        world.clock.instant = NOW + timedelta(days=3)
        world.announce(
            world.ledger.advance(world.clock.now(), timedelta(seconds=30), world.wallet.id)
        )
        await settle(pilot)
        assert len(lines(app)) == 9
