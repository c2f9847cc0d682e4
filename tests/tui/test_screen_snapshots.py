"""What the payments, the wallets and the dialogs look like; the clock stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from opdash.ledger.search.saved import SavedSearch
from opdash.openpayments.amounts import MAX_VALUE, Asset
from opdash.openpayments.resources import IncomingPayment
from opdash.service.status import Phase
from opdash.settings import Profile, Settings
from opdash.tui.app import OpdashApp
from tests.tui.doubles import (
    NOW,
    USD,
    FakeSession,
    World,
    make_payment,
    many_payments,
    shop_payments,
)

Compare: TypeAlias = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 40)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments(), *many_payments(40))
    world.set_complete(False)
    yield world
    world.close()


def look(
    compare: Compare,
    world: World,
    *keys: str,
    size: tuple[int, int] = SMALL,
    theme: str = "dark",
    demo: bool = False,
    happening: Callable[[], None] = lambda: None,
) -> bool:
    """Compare the screen with how it looked, after keys were pressed and something happened."""
    settings = replace(world.dashboard.settings, theme=theme)
    world.dashboard.settings = settings

    async def before(pilot: Pilot[Any]) -> None:
        world.live()
        await pilot.pause()
        happening()
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()

    app = OpdashApp(world.dashboard.real, demo=demo)
    return compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_payments(snap_compare: Compare, world: World, size: tuple[int, int], theme: str) -> None:
    assert look(snap_compare, world, "down", size=size, theme=theme)


def test_payments_without_colour(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, world, "down")


def test_payments_of_the_demo_with_news(snap_compare: Compare, world: World) -> None:
    def arrive() -> None:
        world.record(
            make_payment(101, ago=timedelta(0), reference="INV-2026-0413"),
            make_payment(3, asked=8000, received=8000, completed=True, ago=timedelta(hours=2)),
        )

    assert look(snap_compare, world, "down", demo=True, happening=arrive)


def test_payments_sorted_on_the_second_page(snap_compare: Compare, world: World) -> None:
    world.session.profile = replace(world.session.profile, page_size=20)
    assert look(snap_compare, world, "2", "right_square_bracket")


def test_payments_offline(snap_compare: Compare, world: World) -> None:
    def go_offline() -> None:
        world.set_status(
            Phase.OFFLINE,
            last_ok_at=NOW - timedelta(minutes=3),
            next_poll_at=NOW + timedelta(seconds=8),
            problem="ilp.example did not answer within 10 seconds.",
            advice="opdash keeps trying; what you see is the last known state.",
        )

    assert look(snap_compare, world, happening=go_offline)


@pytest.mark.parametrize("scale", [0, 9, 18])
def test_amounts_of_other_scales(snap_compare: Compare, tmp_path: Path, scale: int) -> None:
    asset = Asset("TST", scale)
    world = World(tmp_path, asset=asset)
    odd = [
        make_payment(50, asked=MAX_VALUE, asset=asset, ago=timedelta(minutes=1)),
        make_payment(51, asked=1, received=1, asset=asset, ago=timedelta(minutes=2)),
        make_payment(
            52,
            asked=500,
            received=1250,
            asset=asset,
            received_asset=Asset("EUR", 2),
            ago=timedelta(0),
        ),
    ]
    world.record(*odd, *(shop_payments(asset)[:7]))
    assert look(snap_compare, world)
    world.close()


@pytest.mark.parametrize("phase", [Phase.CONNECTING, Phase.LIVE, Phase.OFFLINE])
def test_nothing_to_show(snap_compare: Compare, tmp_path: Path, phase: Phase) -> None:
    world = World(tmp_path, known=phase is Phase.LIVE)

    def stand() -> None:
        offline = phase is Phase.OFFLINE
        world.set_status(
            phase,
            problem="ilp.example did not answer within 10 seconds." if offline else "",
            advice="Check the network." if offline else "",
            next_poll_at=NOW + timedelta(seconds=8),
            last_ok_at=NOW if phase is Phase.LIVE else None,
        )

    assert look(snap_compare, world, happening=stand)
    world.close()


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_wallets(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    tips = FakeSession(Profile("tips", "https://other.example/tips"), world.clock, None)
    world.dashboard.sessions.append(tips)
    world.dashboard.settings = Settings((*world.dashboard.profiles, tips.profile))
    assert look(snap_compare, world, size=size)


def test_no_wallet_yet(snap_compare: Compare, world: World) -> None:
    world.dashboard.settings = Settings()
    assert look(snap_compare, world)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_help(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    assert look(snap_compare, world, "question_mark", size=size)


def test_sort(snap_compare: Compare, world: World) -> None:
    assert look(snap_compare, world, "s")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_filter(snap_compare: Compare, world: World, size: tuple[int, int], theme: str) -> None:
    assert look(snap_compare, world, "slash", *"inv-20 is:final", size=size, theme=theme)


def test_filter_without_colour(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, world, "slash", *"inv amount>10000", "left")


def test_filter_with_a_wrong_term(snap_compare: Compare, world: World) -> None:
    assert look(snap_compare, world, "slash", *"inv state:pid")


def test_filter_kept(snap_compare: Compare, world: World) -> None:
    assert look(snap_compare, world, "slash", *"inv", "enter", "down")


def test_saved_searches(snap_compare: Compare, world: World) -> None:
    assert look(snap_compare, world, "f")


def test_saved_searches_of_ones_own(snap_compare: Compare, world: World) -> None:
    own = SavedSearch("Tips", "ref:tip", "shop", fold=True), SavedSearch("Short", "state:short")
    world.dashboard.settings = replace(world.dashboard.settings, searches=own)
    assert look(snap_compare, world, "f", "end", "d")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_save_a_search(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    assert look(snap_compare, world, "slash", *"inv", "ctrl+s", *"today", size=size)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_receipts(snap_compare: Compare, world: World, size: tuple[int, int], theme: str) -> None:
    world.record(*_receipts())
    assert look(snap_compare, world, "h", "left", "left", "left", size=size, theme=theme)


def test_receipts_of_ninety_days_without_colour(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    world.record(*_receipts(), *_receipts(Asset("EUR", 2), first=7000))
    assert look(snap_compare, world, "h", "4", "home")


def _receipts(asset: Asset = USD, *, first: int = 6000) -> list[IncomingPayment]:
    """Return payments that received something, ever fewer the longer ago."""
    return [
        make_payment(
            first + number,
            asked=None,
            received=(number * 7919) % 9_000,
            ago=timedelta(minutes=number * number / 3),
            received_asset=asset,
        )
        for number in range(600)
    ]


def _fold_web(world: World) -> None:
    web = SavedSearch("Web monetization", "ref:web", fold=True)
    world.dashboard.settings = replace(world.dashboard.settings, searches=(web,))
    world.record(
        *(
            make_payment(
                8000 + number,
                asked=None,
                received=number % 7 + 1,
                ago=timedelta(minutes=17 * number),
                reference="web-monetization",
            )
            for number in range(300)
        )
    )


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_folded(snap_compare: Compare, world: World, size: tuple[int, int], theme: str) -> None:
    _fold_web(world)
    assert look(snap_compare, world, "home", "down", "up", size=size, theme=theme)


def test_unfolded_without_colour(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    _fold_web(world)
    assert look(snap_compare, world, *["down"] * 7, "space", "down")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_totals_of_all(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    assert look(snap_compare, world, "equals_sign", size=size)
