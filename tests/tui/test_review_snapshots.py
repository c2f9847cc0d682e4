"""What the books look like; the clock stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from opdash.tui.app import OpdashApp
from opdash.tui.screens.invoices import open_books
from tests.tui.book_doubles import ROWS, confirmed, write_file
from tests.tui.doubles import World, make_payment, shop_payments

Compare: TypeAlias = Callable[..., bool]
SMALL, LARGE, WIDE = (80, 24), (120, 40), (180, 40)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.set_complete(True)
    yield world
    world.close()


def look(
    compare: Compare,
    world: World,
    *keys: str,
    size: tuple[int, int] = SMALL,
    theme: str = "dark",
    happening: Callable[[], None] = lambda: None,
    straight: bool = True,
) -> bool:
    """Compare the books with how they looked, after keys were pressed and something happened."""
    world.dashboard.settings = replace(world.dashboard.settings, theme=theme)
    path = write_file(world, *ROWS)

    async def before(pilot: Pilot[Any]) -> None:
        world.live()
        app = pilot.app
        assert isinstance(app, OpdashApp)
        await _settle(pilot)
        open_books(app, "shop", source=confirmed(world, path) if straight else None)
        await _settle(pilot)
        if not straight:
            typed = app.screen.query_one("#file Input", Input)
            typed.value = "~/books/invoices.csv"
        happening()
        await _settle(pilot)
        for key in keys:
            await pilot.press(key)
            await _settle(pilot)

    return compare(OpdashApp(world.dashboard.real), terminal_size=size, run_before=before)


async def _settle(pilot: Pilot[Any]) -> None:
    for _ in range(3):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


def _money_arrives(world: World) -> Callable[[], None]:
    paid = make_payment(3, asked=8000, received=8000, completed=True, reference="花瓶と本")
    return lambda: world.record(paid)


@pytest.mark.parametrize("theme", ["dark", "light"])
@SIZES
def test_review(snap_compare: Compare, world: World, size: tuple[int, int], theme: str) -> None:
    arrives = _money_arrives(world)
    assert look(snap_compare, world, "down", size=size, theme=theme, happening=arrives)


def test_review_without_colour(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, world, "space", size=LARGE)


def test_review_on_a_wide_screen(snap_compare: Compare, world: World) -> None:
    assert look(snap_compare, world, *["down"] * 7, size=WIDE)


@SIZES
def test_payments_by_class(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    assert look(snap_compare, world, "v", "right", "right", size=size)


@SIZES
def test_exceptions_filtered(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    assert look(snap_compare, world, "e", "slash", *"nord", size=size)


@SIZES
def test_one_invoice(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    assert look(snap_compare, world, *["down"] * 7, "enter", size=size)


@SIZES
def test_a_payment_is_chosen(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    assert look(snap_compare, world, "end", "l", *"usd", "down", size=size)


@SIZES
def test_a_split(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    assert look(snap_compare, world, *["down"] * 7, "S", size=size)


@SIZES
def test_columns(
    snap_compare: Compare, world: World, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = world.dashboard.data_dir / "home"
    (home / "books").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    rows = [*ROWS, "INV-2026-0502;20.11.2026;twelve;;"]
    text = write_file(world, *rows).read_text()
    (home / "books" / "invoices.csv").write_text(text)
    keys = ("enter", "down", "down")
    assert look(snap_compare, world, *keys, size=size, straight=False)
