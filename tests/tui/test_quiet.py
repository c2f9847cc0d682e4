"""A second in which nothing happens: what reads otherwise is painted, nothing is laid out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from textual.screen import Screen

from opdash.tui.app import OpdashApp
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.widgets.payment_detail import PaymentDetail
from opdash.tui.widgets.payment_table import PaymentTable
from tests.tui.doubles import World, make_payment
from tests.tui.form_doubles import settled


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(make_payment(1, ago=timedelta(seconds=20), expires_in=timedelta(days=4.5)))
    yield world
    world.close()


async def test_a_second_goes_by_without_a_layout(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        world.live()
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, PaymentsScreen)
        layouts: list[Screen[object]] = []
        lay_out = Screen._refresh_layout

        def note(self: Screen[object], *arguments: object, **named: object) -> None:
            layouts.append(self)
            lay_out(self, *arguments, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(Screen, "_refresh_layout", note)
        pane = screen.query_one(PaymentDetail)
        before = pane.text
        world.clock.instant += timedelta(seconds=2)
        screen._tick()
        await settled(pilot)
        assert pane.text != before
        assert layouts == []


async def test_the_table_is_not_painted_for_what_stands_beside_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        table = app.screen.query_one(PaymentTable)
        read: list[PaymentTable] = []
        rows = PaymentTable.lines_in_view

        def note(self: PaymentTable) -> tuple[object, ...]:
            read.append(self)
            return rows(self)

        monkeypatch.setattr(PaymentTable, "lines_in_view", note)
        app.screen.query_one(PaymentDetail).refresh()
        await settled(pilot)
        assert read == []
        table.refresh()
        await settled(pilot)
        assert read == [table]
