"""Columns to choose, and how the table was left: kept, and put back at the next start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Static

from opdash.errors import ConfigError
from opdash.ledger.records import NEWEST_FIRST, Sort, SortColumn
from opdash.table_view import STANDARD_CHOICE, TableView, read_columns, read_sort
from opdash.tui.app import OpdashApp
from opdash.tui.screens.columns import ColumnsScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.widgets.filter_line import FilterLine
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.status_line import StatusLine
from tests.tui.doubles import World, make_payment, payment_id, shop_payments


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    yield world
    world.close()


def left(world: World, **view: Any) -> None:
    """Let the table have been left so at the last start."""
    dashboard = world.dashboard
    dashboard.settings = dashboard.settings.viewing("shop", TableView(**view))


def shows(app: OpdashApp, kind: type[Screen[Any]]) -> bool:
    return isinstance(app.screen, kind)


def table(app: OpdashApp) -> PaymentTable:
    return app.screen_stack[0].query_one(PaymentTable)


def heading(app: OpdashApp) -> list[str]:
    shown = table(app)
    shown.render_lines(shown.size.region)
    return shown.render_line(0).text.replace("▼", " ").replace("▲", " ").split()


def names(app: OpdashApp) -> list[str]:
    return [str(choice) for choice in table(app).columns]


async def settled(pilot: Pilot[Any]) -> None:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


class TestDialog:
    """The list of columns."""

    async def test_columns_are_shown_at_once_and_kept(self, world: World) -> None:
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.press("v")
            await pilot.pause()
            assert shows(app, ColumnsScreen)
            assert app.screen.query_one(KeyLine).region.bottom <= 23
            await pilot.press("down", "space")
            assert heading(app)[:2] == ["State", "Received"]
            await pilot.press("down", "K", "right", "enter")
            await settled(pilot)
            assert shows(app, PaymentsScreen)
            assert names(app)[:2] == ["state", "received:10"]
        assert [str(one) for one in world.dashboard.views[-1].columns] == names_of(world)

    async def test_cancelling_leaves_all_as_it_was(self, world: World) -> None:
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            before = heading(app)
            await pilot.press("v")
            await pilot.pause()
            await pilot.press("down", "space", "J", "escape")
            await pilot.pause()
            assert heading(app) == before
            assert table(app).columns == STANDARD_CHOICE
        assert world.dashboard.views == []

    async def test_a_metadata_value_is_offered_and_can_be_typed(self, world: World) -> None:
        payment = make_payment(60, ago=timedelta(0))
        raw = {"orderId": "A-[b]7", "customer": {"name": "R\x1bosa"}}
        world.record(
            msgspec.structs.replace(payment, raw_metadata=msgspec.Raw(json.dumps(raw).encode()))
        )
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            await pilot.press("v")
            await pilot.pause()
            screen = app.screen
            assert isinstance(screen, ColumnsScreen)
            offered = [column.path for column in screen._draft.columns if column.path]
            assert {"orderId", "customer.name"} <= set(offered)
            await pilot.press("m")
            await pilot.press(*"metadata.customer.name", "enter")
            await pilot.pause()
            assert screen.highlighted.path == "customer.name"
            await pilot.press("m", *" ", "enter")
            assert "1 to 100" in str(screen.query_one("#problem", Static).content)
            await pilot.press("escape")
            assert shows(app, ColumnsScreen)
            await pilot.press("enter")
            await pilot.pause()
            assert names(app)[:2] == ["state", "metadata.customer.name"]
            shown = table(app)
            shown.render_lines(shown.size.region)
            assert "R␛osa" in shown.render_line(1).text

    async def test_reset_and_automatic_widths(self, world: World) -> None:
        left(world, columns=read_columns(["id:12", "state"]))
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            assert heading(app) == ["Payment", "State"]
            await pilot.press("v")
            await pilot.pause()
            await pilot.press("a")
            assert names(app) == ["id", "state"]
            await pilot.press("left")
            assert names(app)[0].startswith("id:")
            await pilot.press("r", "enter")
            await pilot.pause()
            assert table(app).columns == STANDARD_CHOICE

    async def test_the_last_column_stays(self, world: World) -> None:
        left(world, columns=read_columns(["state"]))
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.press("v")
            await pilot.pause()
            await pilot.press("space")
            assert "has to stay" in str(app.screen.query_one("#problem", Static).content)
            assert names(app) == ["state"]


def names_of(world: World) -> list[str]:
    return [str(choice) for choice in world.dashboard.settings.profile("shop").columns]


class TestOrder:
    """Columns that no index is kept for."""

    async def test_a_difference_can_be_sorted_by(self, world: World) -> None:
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(120, 24)) as pilot:
            await settled(pilot)
            await pilot.press("s", *["end"], *["up"] * 6, "enter")
            await settled(pilot)
            shown = table(app)
            assert shown.sort == Sort(SortColumn.DIFFERENCE, descending=False)
            rows = [row for row in shown.rows_in_view() if row.difference is not None]
            differences = [row.difference or 0 for row in rows]
            assert differences == sorted(differences)
            assert len(set(differences)) > 2
            assert shown.row_count == 10
            assert "by Difference, most missing first" in app.screen.query_one(StatusLine).text
            await pilot.press("6")
            await settled(pilot)
            assert shown.sort == NEWEST_FIRST
            assert shown.rows_in_view()[0].id == payment_id(1)

    async def test_it_is_kept_while_a_filter_comes_and_goes(self, world: World) -> None:
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            shown = table(app)
            shown.set_sort(Sort(SortColumn.ID, descending=True))
            await settled(pilot)
            assert [row.id for row in shown.rows_in_view()][:2] == [payment_id(10), payment_id(9)]
            await pilot.press("slash", *"is:completed", "enter")
            await settled(pilot)
            assert [row.id for row in shown.rows_in_view()][:2] == [payment_id(10), payment_id(9)]
            assert shown.row_count < 10
            await pilot.press("escape")
            await settled(pilot)
            assert [row.id for row in shown.rows_in_view()][:2] == [payment_id(10), payment_id(9)]
            assert shown.row_count == 10

    async def test_new_payments_are_put_into_it(self, world: World) -> None:
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            shown = table(app)
            shown.set_sort(Sort(SortColumn.ID, descending=True))
            await settled(pilot)
            shown.move(2)
            held = shown.selected
            world.record(make_payment(99))
            await settled(pilot)
            assert shown.rows_in_view()[0].id == payment_id(99)
            assert shown.selected == held


class TestKeeping:
    """How the table was left."""

    async def test_everything_is_put_back_at_the_next_start(self, world: World) -> None:
        columns = read_columns(["state", "received", "id:16"])
        sort = read_sort("received ascending")
        left(world, columns=columns, sort=sort, page_size=20, filter="is:completed")
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            shown = table(app)
            assert (shown.columns, shown.sort, shown.page_size) == (columns, sort, 20)
            assert app.screen.query_one(FilterLine).text == "is:completed"
            assert 0 < shown.row_count < 10
            assert all(row.completed for row in shown.rows_in_view())
            received = [row.received for row in shown.rows_in_view()]
            assert received == sorted(received)
            assert not isinstance(app.focused, Input)
        assert world.dashboard.views == []

    async def test_an_order_without_an_index_is_put_back_too(self, world: World) -> None:
        left(world, sort=read_sort("id descending"))
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            assert table(app).rows_in_view()[0].id == payment_id(10)
        assert world.dashboard.views == []

    async def test_what_changes_is_written_at_the_end_at_the_latest(self, world: World) -> None:
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.press("3", "z", "slash", *"tip", "enter")
            await settled(pilot)
        view = world.dashboard.views[-1]
        assert view.sort == Sort(SortColumn.RECEIVED, descending=True)
        assert (view.page_size, view.filter) == (100, "tip")

    async def test_it_is_written_once_nothing_changes_any_more(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("opdash.tui.screens.payments.WAIT", 0.01)
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.press("2", "2", "3")
            while not world.dashboard.views:
                await pilot.pause(0.01)
            await settled(pilot)
            assert world.dashboard.views[-1].sort.column is SortColumn.RECEIVED

    async def test_a_file_that_cannot_be_written_is_told_of_once(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("opdash.tui.screens.payments.WAIT", 0.01)
        world.dashboard.save_failure = ConfigError("The configuration cannot be written.", "Look.")
        app = OpdashApp(world.dashboard.real)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            for key in "23":
                await pilot.press(key)
                await pilot.pause(0.05)
                await settled(pilot)
            told = [one.message for one in app._notifications]
        assert told == ["The configuration cannot be written. Look."]
