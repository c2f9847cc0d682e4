"""What the choice of columns and a table of chosen columns look like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opdash.table_view import TableView, read_columns, read_sort
from tests.tui.doubles import World, many_payments, shop_payments
from tests.tui.test_screen_snapshots import LARGE, SMALL, Compare, look


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments(), *many_payments(40))
    world.set_complete(False)
    yield world
    world.close()


def left(world: World, *columns: str, sort: str = "created descending") -> None:
    view = TableView(columns=read_columns(columns), sort=read_sort(sort))
    world.dashboard.settings = world.dashboard.settings.viewing("shop", view)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_columns(snap_compare: Compare, world: World, size: tuple[int, int], theme: str) -> None:
    assert look(snap_compare, world, "v", "down", "space", "J", "right", size=size, theme=theme)


def test_a_path_is_typed(snap_compare: Compare, world: World) -> None:
    assert look(snap_compare, world, "v", "m", *"order.id")


def test_columns_without_colour(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, world, "v")


@pytest.mark.parametrize("size", [SMALL, (160, 40)], ids=["small", "wide"])
def test_a_table_of_other_columns(
    snap_compare: Compare, world: World, size: tuple[int, int]
) -> None:
    columns = ("state", "received", "difference", "asset", "id:13", "metadata.externalRef")
    left(world, *columns, "changed", "first-seen", "scope", sort="difference ascending")
    assert look(snap_compare, world, size=size)
