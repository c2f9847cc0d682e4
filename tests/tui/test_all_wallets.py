"""All wallets at once, one of them offline; going from one to the next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.screen import Screen

from opdash.errors import LedgerError
from opdash.ledger.records import Scope
from opdash.service.status import Phase
from opdash.settings import Settings
from opdash.tui.app import OpdashApp
from opdash.tui.screens.all_wallets import AllWalletsScreen
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.wallets import WalletsScreen
from opdash.tui.widgets.line import Line
from opdash.tui.widgets.merged_list import MergedList
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.span_lines import SpanLines
from tests.tui.doubles import make_payment, payment_id
from tests.tui.wallet_doubles import OTHER_SERVER, Providers

_Shown = TypeVar("_Shown", bound=Screen[Any])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Providers]:
    world = Providers(tmp_path)
    yield world
    world.close()


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def table(app: OpdashApp) -> MergedList:
    return app.screen.query_one(MergedList)


def lines(app: OpdashApp) -> list[str]:
    shown = table(app)
    return [shown.render_line(y).text.rstrip() for y in range(shown.size.height)]


def figures(app: OpdashApp) -> str:
    return app.screen.query_one("#figures", SpanLines).text


def shown(app: OpdashApp, kind: type[_Shown]) -> _Shown:
    """Return the screen, which must be of that kind."""
    assert isinstance(app.screen, kind)
    return app.screen


async def opened(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.press("A")
    await settle(pilot)
    assert isinstance(pilot.app.screen, AllWalletsScreen)


async def test_payments_of_all_wallets_stand_in_one_list_newest_first(world: Providers) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        shown = [line for line in lines(app) if line]
        assert len(shown) == 11
        assert "Tips" in shown[0]
        assert "3.50 EUR" in shown[0]
        assert shown[0].startswith("▌")
        assert "Rosa's Shop" in shown[1]
        assert "250.00 USD    120.00 USD  INV-2026-0412" in shown[1]


async def test_totals_are_kept_apart_by_asset_and_every_wallet_says_how_it_stands(
    world: Providers,
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        rows = [line.split() for line in figures(app).splitlines()]
        assert rows[0] == [
            "asked",
            "received",
            "difference*",
            "payments",
            "open",
            "due",
        ]
        assert rows[1] == ["EUR", "0.00", "3.50", "0.00", "1", "0.00"]
        assert rows[2][:3] == ["USD", "3,435.00", "2,227.00"]
        assert rows[2][-1] == "210.00"
        told = figures(app)
        assert "Rosa's Shop  USD  ● live" in told
        assert "Tips         EUR  ▲ offline · as of 4 min ago" in told


async def test_what_happens_is_seen_at_once(world: Providers) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        world.tip(2, 1250, timedelta(seconds=1))
        world.stand(world.tips, Phase.LIVE)
        await settle(pilot)
        assert "12.50 EUR" in lines(app)[0]
        app.screen._tick()  # type: ignore[attr-defined]
        await settle(pilot)
        assert "16.00" in figures(app)
        assert "Tips         EUR  ● live" in figures(app) or "◍ stale" in figures(app)


async def test_the_cursor_keeps_its_payment_while_others_arrive_but_stays_at_the_top(
    world: Providers,
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await pilot.press("j", "down")
        row = table(app).selected
        assert row is not None
        world.tip(3, 100, timedelta(seconds=1))
        await settle(pilot)
        assert table(app).selected == row
        assert table(app).index == 3
        await pilot.press("g")
        world.tip(4, 200, timedelta(0))
        await settle(pilot)
        assert table(app).index == 0
        assert "2.00 EUR" in lines(app)[0]


async def test_the_keys_move_open_copy_and_lead_on(
    world: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("G")
        last = table(app).selected
        assert last is not None
        assert last.reference == "INV-2025-0001"
        await pilot.press("pageup", "home")
        await pilot.press("enter")
        await settle(pilot)
        detail = shown(app, DetailScreen)
        assert detail.pane.payment is not None
        assert detail.pane.payment.id == payment_id(1).replace(
            "https://rs.example/t1", OTHER_SERVER
        )
        await pilot.press("escape")
        await settle(pilot)
        copied: list[str] = []
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await pilot.press("y", "r")
        assert [url.startswith(OTHER_SERVER) for url in copied] == [True]
        assert [world.shop.polls_asked_for, world.tips.polls_asked_for] == [1, 1]
        await pilot.press("p")
        await settle(pilot)
        assert shown(app, PaymentsScreen).session.profile.name == "tips"
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("w")
        await settle(pilot)
        shown(app, WalletsScreen)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        shown(app, WalletsScreen)


async def test_the_mouse_selects_then_opens(world: Providers) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.click(MergedList, offset=(10, 2))
        assert table(app).index == 2
        await pilot.click(MergedList, offset=(10, 2))
        await settle(pilot)
        assert isinstance(app.screen, DetailScreen)


async def test_one_key_goes_to_the_next_wallet_also_while_one_is_offline(world: Providers) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        names = []
        for key in ("full_stop", "full_stop", "comma"):
            await pilot.press(key)
            await settle(pilot)
            assert isinstance(app.screen, PaymentsScreen)
            names.append(app.screen.session.profile.name)
        assert names == ["tips", "shop", "tips"]
        assert len(app.screen_stack) == 2


async def test_with_one_wallet_there_is_no_next_one(world: Providers) -> None:
    world.dashboard.settings = Settings((world.shop.profile,))
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("full_stop")
        await settle(pilot)
        told = [notification.message for notification in app._notifications]
        assert told == ["There is no other wallet. w, then a, adds one."]


@pytest.mark.parametrize(
    ("width", "words"),
    [(80, "newest first · own only"), (120, "newest first · unfiltered · own only")],
)
async def test_a_scope_that_all_wallets_have_is_told_once(
    world: Providers, width: int, words: str
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(width, 24)) as pilot:
        await opened(pilot)
        assert words in app.screen.query_one("#title", Line).text
        assert "own only" not in figures(app)


async def test_where_scopes_differ_each_wallet_says_its_own(world: Providers) -> None:
    wider = replace(world.tips.profile, scope=Scope.EVERYTHING)
    world.tips.profile = wider
    world.dashboard.settings = Settings((world.shop.profile, wider), default_profile="shop")
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "Rosa's Shop  USD  own only    ● live" in figures(app)
        assert "Tips         EUR  everything  ▲ offline" in figures(app)
        assert "own only" not in app.screen.query_one("#title", Line).text


async def test_a_wallet_that_never_answered_is_named_all_the_same(world: Providers) -> None:
    new = replace(world.tips.profile, name="new", wallet_address="https://new.example", label="")
    world.dashboard.sessions.append(type(world.tips)(new, world.clock, None, world=world))
    world.dashboard.settings = Settings((*world.dashboard.settings.profiles, new), "shop")
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "new               ○ not connected" in figures(app)


async def test_large_amounts_are_never_cut(world: Providers) -> None:
    world.record(make_payment(77, asked=2**64 - 1, received=2**63, ago=timedelta(0)))
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "184,467,440,737,095,516.15 USD" in lines(app)[0]
        assert "184,467,440,737,098,951.15" in figures(app)


async def test_more_than_fits_says_so(world: Providers) -> None:
    profiles = [world.shop.profile, world.tips.profile]
    for number in range(12):
        profile = replace(
            world.tips.profile, name=f"n{number}", wallet_address=f"https://n{number}.example"
        )
        profiles.append(profile)
        world.dashboard.sessions.append(type(world.tips)(profile, world.clock, None, world=world))
    world.dashboard.settings = Settings(tuple(profiles), "shop")
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert figures(app).splitlines()[-1].strip().startswith("and 9 more")
        assert "13 not live" in figures(app)
        assert table(app).size.height >= 8


async def test_a_ledger_that_cannot_be_read_is_a_sentence(
    world: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise LedgerError("The ledger cannot be read.", "Check the disk.")

    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        with monkeypatch.context() as patch:
            patch.setattr(world.reader, "count", broken)
            world.tip(5, 1)
            await settle(pilot)
            assert "cannot be read" in str(app.screen.query_one(Notices).content)
