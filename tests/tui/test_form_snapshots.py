"""What the forms, the details and the look-up look like; the clock stands and nothing is random."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from opdash.ledger.states import State
from opdash.settings import Profile
from opdash.tui.screens.add_wallet import AddWalletScreen
from opdash.tui.screens.complete import CompleteScreen
from opdash.tui.screens.create import CreateScreen
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.outgoing import OutgoingScreen
from opdash.tui.screens.passphrase import PassphraseScreen
from opdash.tui.screens.register_key import RegisterKeyScreen
from opdash.tui.screens.remove_wallet import RemoveWalletScreen
from opdash.tui.screens.replace_key import ReplaceKeyScreen
from opdash.tui.widgets import key_picker
from tests.tui.form_doubles import (
    OUTGOING_ID,
    PAYMENT_ID,
    WALLET,
    FakeDashboard,
    Stage,
    asked,
    outgoing,
    payment,
    settled,
    timeline,
    write,
)
from tests.tui.key_doubles import NEXT_KEY, standing

Compare: TypeAlias = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 40)
DARK, LIGHT = "opdash-dark", "opdash-light"
LOOKS = pytest.mark.parametrize(
    ("size", "theme"),
    [(SMALL, DARK), (LARGE, DARK), (SMALL, LIGHT)],
    ids=["small", "large", "light"],
)


@pytest.fixture
def dashboard(tmp_path: Path) -> FakeDashboard:
    dashboard = FakeDashboard(tmp_path)
    dashboard.reader.payments[PAYMENT_ID] = payment()
    dashboard.reader.steps = timeline()
    dashboard.outgoing = outgoing()
    return dashboard


def look(
    compare: Compare,
    dashboard: FakeDashboard,
    show: Callable[[], Screen[Any]],
    size: tuple[int, int],
    theme: str,
    act: Callable[[Pilot[None]], Any] | None = None,
) -> bool:
    """Compare a screen with how it looked, after what a person does on it."""
    app = Stage(dashboard, show)

    async def before(pilot: Pilot[None]) -> None:
        app.theme = theme
        await settled(pilot)
        if act is not None:
            await act(pilot)
        await settled(pilot)
        for typed in app.screen.query(Input):
            typed.cursor_blink = False
        await settled(pilot)

    return compare(app, terminal_size=size, run_before=before)


@LOOKS
def test_detail(
    snap_compare: Compare, dashboard: FakeDashboard, size: tuple[int, int], theme: str
) -> None:
    dashboard.reader.payments[PAYMENT_ID] = payment(
        state=State.CLOSED_SHORT,
        completed=True,
        final=True,
        needs_action=True,
        anomalies=("received-fell",),
    )
    assert look(
        snap_compare, dashboard, lambda: DetailScreen(dashboard.session_, PAYMENT_ID), size, theme
    )


async def fill_in(pilot: Pilot[None]) -> None:
    await write(pilot, "250.50")
    await pilot.press("tab")
    await write(pilot, "Two bags of coffee")
    await pilot.press("ctrl+n")
    await write(pilot, "orderId")
    await pilot.press("tab")
    await write(pilot, "=4711")


@LOOKS
def test_create(
    snap_compare: Compare, dashboard: FakeDashboard, size: tuple[int, int], theme: str
) -> None:
    assert look(
        snap_compare, dashboard, lambda: CreateScreen(dashboard.session_), size, theme, fill_in
    )


async def fill_in_wrongly(pilot: Pilot[None]) -> None:
    await write(pilot, "250.505")
    await pilot.press("ctrl+n")
    await write(pilot, "description")
    await pilot.press("ctrl+s")


def test_create_with_mistakes(snap_compare: Compare, dashboard: FakeDashboard) -> None:
    show = lambda: CreateScreen(dashboard.session_)  # noqa: E731
    assert look(snap_compare, dashboard, show, SMALL, DARK, fill_in_wrongly)


def test_create_without_colour(
    snap_compare: Compare, dashboard: FakeDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    show = lambda: CreateScreen(dashboard.session_)  # noqa: E731
    assert look(snap_compare, dashboard, show, SMALL, DARK, fill_in_wrongly)


@LOOKS
def test_complete_short(
    snap_compare: Compare, dashboard: FakeDashboard, size: tuple[int, int], theme: str
) -> None:
    show = lambda: CompleteScreen(dashboard.session_, payment())  # noqa: E731
    assert look(snap_compare, dashboard, show, size, theme, lambda pilot: write(pilot, "120.00"))


def test_complete_covered(snap_compare: Compare, dashboard: FakeDashboard) -> None:
    covered = payment(received=25000, difference=0, state=State.SETTLING)
    dashboard.reader.payments[PAYMENT_ID] = covered
    show = lambda: CompleteScreen(dashboard.session_, covered)  # noqa: E731
    assert look(snap_compare, dashboard, show, SMALL, DARK)


@LOOKS
def test_outgoing(
    snap_compare: Compare, dashboard: FakeDashboard, size: tuple[int, int], theme: str
) -> None:
    show = lambda: OutgoingScreen(dashboard.session_, OUTGOING_ID)  # noqa: E731
    assert look(snap_compare, dashboard, show, size, theme)


@LOOKS
def test_add_wallet(
    snap_compare: Compare,
    dashboard: FakeDashboard,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    theme: str,
) -> None:
    monkeypatch.setattr(key_picker, "PAUSE", 0.001)
    address = "https://ilp.example/ben"
    dashboard.probes[address] = msgspec.structs.replace(WALLET, id=address, public_name="Ben")

    async def type_address(pilot: Pilot[None]) -> None:
        await write(pilot, address)
        await asked(pilot)

    show = lambda: AddWalletScreen(dashboard.real)  # noqa: E731
    assert look(snap_compare, dashboard, show, size, theme, type_address)


BEN = Profile("ben", "https://ilp.example/ben", key_id="next-key", key_file=NEXT_KEY.file)


@LOOKS
def test_register_key(
    snap_compare: Compare, dashboard: FakeDashboard, size: tuple[int, int], theme: str
) -> None:
    assert look(snap_compare, dashboard, lambda: RegisterKeyScreen(BEN, NEXT_KEY), size, theme)


def test_a_wallet_that_is_ready(snap_compare: Compare, dashboard: FakeDashboard) -> None:
    dashboard.keys.found = standing()
    assert look(snap_compare, dashboard, lambda: RegisterKeyScreen(BEN, NEXT_KEY), SMALL, DARK)


@LOOKS
def test_replace_key(
    snap_compare: Compare, dashboard: FakeDashboard, size: tuple[int, int], theme: str
) -> None:
    async def make_the_next(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+y")

    show = lambda: ReplaceKeyScreen("shop")  # noqa: E731
    assert look(snap_compare, dashboard, show, size, theme, make_the_next)


def test_passphrase(snap_compare: Compare, dashboard: FakeDashboard) -> None:
    show = lambda: PassphraseScreen(NEXT_KEY.file, "")  # noqa: E731
    assert look(snap_compare, dashboard, show, SMALL, DARK)


def test_more_of_a_wallet(
    snap_compare: Compare, dashboard: FakeDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_picker, "PAUSE", 0.001)

    async def more(pilot: Pilot[None]) -> None:
        await pilot.press("f4")

    assert look(snap_compare, dashboard, lambda: AddWalletScreen(dashboard.real), LARGE, DARK, more)


def test_remove_wallet(snap_compare: Compare, dashboard: FakeDashboard) -> None:
    show = lambda: RemoveWalletScreen(dashboard.real, dashboard.profile)  # noqa: E731
    assert look(snap_compare, dashboard, show, SMALL, DARK)
