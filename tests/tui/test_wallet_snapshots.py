"""What all wallets and outgoing payments look like; the clock stands and nothing is random."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from textual.pilot import Pilot

from opdash.openpayments.amounts import Amount
from opdash.service.errors import NotListedError
from opdash.tui.app import OpdashApp
from tests.tui.doubles import NOW, payment_id
from tests.tui.wallet_doubles import Providers, sent_payment

Compare: TypeAlias = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 40)
DARK, LIGHT = "opdash-dark", "opdash-light"
LOOKS = pytest.mark.parametrize(
    ("size", "theme"),
    [(SMALL, DARK), (LARGE, DARK), (SMALL, LIGHT)],
    ids=["small", "large", "light"],
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Providers]:
    world = Providers(tmp_path)
    paid = Amount("2000", "USD", 2)
    world.shop.listed = [
        sent_payment(0, sent_amount=Amount("2100", "USD", 2)),
        sent_payment(9, receiver=payment_id(2), receive_amount=paid),
        sent_payment(30, failed=True, sent_amount=Amount("0", "USD", 2)),
        sent_payment(31, failed=True, sent_amount=Amount("100", "USD", 2)),
        sent_payment(3000, created_at=NOW - timedelta(days=2)),
    ]
    yield world
    world.close()


def look(
    compare: Compare,
    world: Providers,
    size: tuple[int, int],
    theme: str,
    *keys: str,
    last: str = "",
) -> bool:
    """Compare a screen with how it looked, after keys were pressed."""
    app = OpdashApp(world.dashboard.real)

    async def before(pilot: Pilot[None]) -> None:
        app.theme = theme
        for key in (*keys, last):
            await pilot.pause()
            if key:
                await pilot.press(key)
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        app.clear_notifications()
        await pilot.pause()

    return compare(app, terminal_size=size, run_before=before)


@LOOKS
def test_all_wallets(
    snap_compare: Compare, world: Providers, size: tuple[int, int], theme: str
) -> None:
    assert look(snap_compare, world, size, theme, "A", last="j")


def test_all_wallets_without_colour(
    snap_compare: Compare, world: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, world, SMALL, DARK, "A")


@LOOKS
def test_outgoing_payments(
    snap_compare: Compare, world: Providers, size: tuple[int, int], theme: str
) -> None:
    assert look(snap_compare, world, size, theme, "O", last="j")


def test_outgoing_payments_without_colour(
    snap_compare: Compare, world: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, world, SMALL, DARK, "O")


def test_outgoing_payments_that_a_server_does_not_list(
    snap_compare: Compare, world: Providers
) -> None:
    at = NOW - timedelta(hours=3)
    world.ledger.record_outgoing(world.wallet.id, world.shop.listed[1:3], at=at)
    world.shop.refusal = NotListedError(
        "This server does not list outgoing payments (405).",
        "Look one up by its URL; what was seen before stays here.",
    )
    assert look(snap_compare, world, SMALL, DARK, "O")


def test_an_incoming_payment_names_who_pays_it(snap_compare: Compare, world: Providers) -> None:
    paid = sent_payment(9, receiver=payment_id(2), receive_amount=Amount("2000", "USD", 2))
    world.ledger.record_outgoing(world.wallet.id, [paid], at=NOW - timedelta(minutes=8))
    assert look(snap_compare, world, SMALL, DARK, "j", last="enter")
