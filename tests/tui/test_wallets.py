from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets import Static

from opdash.errors import LedgerError
from opdash.service.status import Phase
from opdash.settings import Profile, Settings
from opdash.tui.app import OpdashApp
from opdash.tui.screens.add_wallet import AddWalletScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.remove_wallet import RemoveWalletScreen
from opdash.tui.screens.wallets import WalletsScreen
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.wallet_list import WalletList
from tests.tui.doubles import NOW, FakeSession, World, make_payment, shop_payments


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two wallet addresses: Rosa's Shop, live, and one that has never answered."""
    world = World(tmp_path)
    world.record(*shop_payments())
    tips = FakeSession(Profile("tips", "https://other.example/tips"), world.clock, None)
    dashboard = world.dashboard
    dashboard.sessions.append(tips)
    dashboard.settings = Settings((*dashboard.settings.profiles, tips.profile))
    world.live()
    yield world
    world.close()


def lines(app: OpdashApp) -> list[str]:
    listed = app.screen.query_one(WalletList)
    return [listed.render_line(y).text.rstrip() for y in range(listed.size.height)]


async def test_two_wallets_begin_with_the_choice(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, WalletsScreen)
        first, second, _, third, fourth, *_ = lines(app)
        assert first.startswith("▌ Rosa's Shop  USD")
        assert first.endswith("● live · 3 s ago · next in 2 s")
        assert second.startswith("▌ ilp.example/rosa")
        assert second.endswith("open 3 · 210.00 due   received 2,227.00")
        assert third.startswith("  tips")
        assert third.split("  ")[-1].strip() == "○ not connected"
        assert fourth.endswith("nothing known yet")


async def test_one_wallet_or_a_default_begins_with_its_payments(world: World) -> None:
    world.dashboard.settings = replace(world.dashboard.settings, default_profile="SHOP")
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, PaymentsScreen)
        assert app.screen.session.profile.name == "shop"


async def test_enter_chooses_and_w_comes_back(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, PaymentsScreen)
        assert app.screen.session.profile.name == "tips"
        await pilot.press("w")
        await pilot.pause()
        assert app.screen.query_one(WalletList).selected == "tips"
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, PaymentsScreen)
        await pilot.press("w", "up", "enter")
        await pilot.pause()
        assert isinstance(app.screen, PaymentsScreen)
        assert app.screen.session.profile.name == "shop"
        assert len(app.screen_stack) == 2


async def test_the_mouse_selects_then_opens(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        await pilot.click(WalletList, offset=(10, 5))
        assert app.screen.query_one(WalletList).selected == "tips"
        await pilot.click(WalletList, offset=(10, 5))
        await pilot.pause()
        assert isinstance(app.screen, PaymentsScreen)


async def test_money_for_a_wallet_that_is_not_on_the_screen_names_it(world: World) -> None:
    world.record(make_payment(101, reference="INV-7"))
    paid = make_payment(101, reference="INV-7", received=1000, completed=True)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        world.record(paid)
        await pilot.pause()
        told = [notification.message for notification in app._notifications]
    assert told == ["● Paid to Rosa's Shop: 10.00 USD · INV-7"]


async def test_connection_and_figures_follow_what_happens(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        world.set_status(
            Phase.OFFLINE, problem="No answer.", next_poll_at=NOW + timedelta(seconds=8)
        )
        await pilot.pause()
        assert "▲ offline" in lines(app)[0]
        assert "next try in 8 s" in lines(app)[0]


async def test_without_wallets_it_says_what_to_do(world: World) -> None:
    world.dashboard.settings = Settings()
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        said = str(app.screen.query_one("#empty", Static).content)
        assert "Press a to add one." in said
        assert "opdash demo" in said
        await pilot.press("enter", "d", "down", "up", "home", "end", "pagedown")
        assert isinstance(app.screen, WalletsScreen)
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(app.screen, AddWalletScreen)


async def test_a_new_wallet_is_selected(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(app.screen, AddWalletScreen)
        app.screen.dismiss(world.dashboard.profiles[1])
        await pilot.pause()
        assert app.screen.query_one(WalletList).selected == "tips"


async def test_removing_the_wallet_on_the_screen_leads_to_the_choice(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.press("enter")
        await pilot.press("w", "d")
        await pilot.pause()
        assert isinstance(app.screen, RemoveWalletScreen)
        world.dashboard.settings = world.dashboard.settings.without("shop")
        app.screen.dismiss(True)
        await pilot.pause()
        assert isinstance(app.screen, WalletsScreen)
        assert len(app.screen_stack) == 1
        assert app.screen.query_one(WalletList).selected == "tips"


async def test_a_list_longer_than_the_screen_scrolls_with_the_cursor(world: World) -> None:
    more = [Profile(f"w{number}", f"https://w.example/{number}") for number in range(20)]
    world.dashboard.sessions += [FakeSession(profile, world.clock, None) for profile in more]
    world.dashboard.settings = Settings((*world.dashboard.profiles, *more))
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("end")
        await pilot.pause()
        assert any(line.startswith("▌ w19") for line in lines(app))
        await pilot.press("home")
        await pilot.pause()
        assert lines(app)[0].startswith("▌ Rosa's Shop")


async def test_a_ledger_that_cannot_be_read_is_a_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise LedgerError("The ledger cannot be read.")

    monkeypatch.setattr(type(world.reader), "wallets", fail)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        notices = app.screen.query_one(Notices)
        assert str(notices.content) == "▲ The ledger cannot be read."
