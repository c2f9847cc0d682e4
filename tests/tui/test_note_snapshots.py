"""What people write on payments, as it looks; the clock stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from opdash.ledger.notes import Edit, Resolution
from opdash.tui.app import OpdashApp
from tests.tui.doubles import World, make_payment, payment_id, shop_payments

Compare: TypeAlias = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 40)
LOOKS = pytest.mark.parametrize(
    ("size", "theme"),
    [(SMALL, "dark"), (LARGE, "dark"), (SMALL, "light")],
    ids=["small", "large", "light"],
)
LETTER = "Rosa rang: the rest comes in cash.\nCall her on Monday, not before nine."


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.set_complete(True)
    world.write_note(payment_id(1), Edit(add=("vip", "garden")))
    resolution = Resolution.WRITTEN_OFF
    world.write_note(payment_id(5), Edit(add=("vip", "claim"), text=LETTER, resolution=resolution))
    world.write_note(payment_id(9), Edit(resolution=Resolution.ACCEPTED))
    world.clock.instant += timedelta(minutes=5)
    world.record(
        make_payment(
            9,
            asked=100_000,
            received=95_000,
            ago=timedelta(days=11),
            completed=True,
            reference="INV-2026-0377",
        )
    )
    world.live()
    yield world
    world.close()


def look(
    compare: Compare, world: World, *keys: str, size: tuple[int, int], theme: str = "dark"
) -> bool:
    """Compare the screen with how it looked, after keys were pressed."""
    world.dashboard.settings = replace(world.dashboard.settings, theme=theme)

    async def before(pilot: Pilot[Any]) -> None:
        world.live()
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        for typed in pilot.app.screen.query(Input):
            typed.cursor_blink = False
        for area in pilot.app.screen.query(TextArea):
            area.cursor_blink = False
        await pilot.pause()

    return compare(OpdashApp(world.dashboard.real), terminal_size=size, run_before=before)


@LOOKS
def test_signs_in_the_table(
    snap_compare: Compare, world: World, size: tuple[int, int], theme: str
) -> None:
    assert look(snap_compare, world, *["down"] * 4, size=size, theme=theme)


@LOOKS
def test_the_form(snap_compare: Compare, world: World, size: tuple[int, int], theme: str) -> None:
    assert look(snap_compare, world, *["down"] * 4, "N", size=size, theme=theme)


def test_the_form_of_one_that_changed_since(snap_compare: Compare, world: World) -> None:
    assert look(snap_compare, world, *["down"] * 8, "N", "escape", "N", size=SMALL)


def test_the_form_without_colour(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, world, *["down"] * 4, "N", "tab", "x", "escape", size=SMALL)


@LOOKS
def test_the_details(
    snap_compare: Compare, world: World, size: tuple[int, int], theme: str
) -> None:
    keys = (*["down"] * 8, "enter")
    assert look(snap_compare, world, *keys, size=size, theme=theme)
