"""What a frame of the table costs Textual, and that nothing of it is shown wrongly for that."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.filter import Monochrome
from textual.geometry import Region
from textual.strip import Strip

from opdash.table_view import read_columns
from opdash.tui.themes import DARK, LIGHT
from opdash.tui.widgets.row_strip import RowStrip
from opdash.tui.widgets.table_scrollbar import TableScrollBar
from tests.tui.doubles import World, make_payment, many_payments
from tests.tui.test_payment_table import TableApp


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*many_payments(200))
    yield world
    world.close()


def strips(app: TableApp) -> list[Strip]:
    return app.table.render_lines(app.table.size.region)


async def test_a_row_is_painted_once_wherever_it_stands(world: World) -> None:
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        before = strips(app)
        app.table.scroll_to(y=3, animate=False)
        await pilot.pause()
        after = strips(app)
        assert after[1:8] == before[4:11]
        assert all(one is other for one, other in zip(after[1:8], before[4:11], strict=True))


async def test_a_row_that_changed_is_painted_anew(world: World) -> None:
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        app.table.move(3)
        before = strips(app)
        world.record(make_payment(1001, asked=200, received=150, reference="INV-1001"))
        app.table.reload()
        await pilot.pause()
        changed = [
            number for number, strip in enumerate(strips(app)) if strip is not before[number]
        ]
        text = strips(app)[changed[0]].text
        assert "PARTIAL" in text
        assert len(changed) <= 2


async def test_strips_cover_the_view_with_and_without_a_scroll_bar(world: World) -> None:
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        assert {strip.cell_length for strip in strips(app)} == {79}
        await pilot.resize_terminal(80, 240)
        await pilot.pause()
        assert {strip.cell_length for strip in strips(app)} == {80}
        assert app.table.render_lines(Region(10, 1, 20, 1))[0].cell_length == 20


async def test_colours_follow_the_theme_and_filters_go_over_styles(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TableApp(world)
    app.register_theme(LIGHT)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        dark = strips(app)[1]
        app.theme = LIGHT.name
        await pilot.pause()
        light = strips(app)[1]
        assert light.text == dark.text
        assert [segment.style for segment in light] != [segment.style for segment in dark]
        app.theme = DARK.name
        await pilot.pause()
        grey = Monochrome()
        monkeypatch.setattr(app.table, "get_line_filters", lambda: [grey])
        expected = dark.apply_filter(grey, app.table.background_colors[1])
        assert list(strips(app)[1]) == list(expected)


async def test_other_columns_are_shown_at_once(world: World) -> None:
    app = TableApp(world)
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        places = app.table.set_columns(read_columns(["id:20", "difference", "scope", "state"]))
        assert [place.column.name for place in places] == ["id", "difference", "scope", "state"]
        head, first, *_ = app.lines()
        assert head.split() == ["Payment", "Difference", "Scope", "State"]
        assert first.split()[1:] == ["2f1b0c4e-8d4a-4a30-…", "−1.00", "own", "○", "UNPAID"]


def test_a_strip_goes_without_the_garbage_collector() -> None:
    class Watched(RowStrip):
        __slots__ = ("__weakref__",)

    gc.disable()
    try:
        strip = Watched([Segment("lamp", Style(bold=True))], 4)
        assert list(strip.divide([4, 5])) == [strip]
        assert [part.text for part in strip.divide([1, 4])] == ["l", "amp"]
        gone = weakref.ref(strip)
        del strip
        assert gone() is None
    finally:
        gc.enable()


class TestScrollBar:
    """The bar beside the table."""

    async def test_it_is_painted_when_its_thumb_moves(self, world: World) -> None:
        app = TableApp(world)
        async with app.run_test(size=(80, 12)) as pilot:
            await pilot.pause()
            bar = app.table.vertical_scrollbar
            assert isinstance(bar, TableScrollBar)
            positions = []
            for row in range(189):
                app.table.scroll_to(y=row, animate=False)
                positions.append(bar.position)
            thumb = 12 * 12 / 201
            eighths = [int(row * 8 * (12 - thumb) / (201 - 12)) for row in range(189)]
            assert 80 < len(set(positions)) <= len(set(eighths)) < 100
            assert positions == sorted(positions)
            assert all(abs(bar_at - row) < 3 for row, bar_at in enumerate(positions))

    async def test_without_anything_to_scroll_it_stands(self, world: World) -> None:
        assert TableScrollBar().validate_position(3) == 3
