"""What arrived per hour and day: the bars, the figures, and how one moves among them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from opdash.openpayments.amounts import Asset
from opdash.tui.app import OpdashApp
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.receipts import ReceiptsScreen
from opdash.tui.widgets.bar_chart import BarChart, axis_line, bar_lines, plan_bars
from opdash.tui.widgets.line import Line
from opdash.tui.widgets.sheet import SheetView
from tests.tui.doubles import NOW, USD, World, make_payment, many_payments

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(
        make_payment(1, received=500, ago=0.1 * HOUR),
        make_payment(2, received=700, ago=0.5 * HOUR),
        make_payment(3, received=2_000, ago=3 * HOUR),
        make_payment(4, received=40_000, ago=40 * HOUR),
        make_payment(5, received=10_000, ago=20 * DAY),
        make_payment(6, received=1, ago=80 * DAY),
        *many_payments(5),
    )
    world.live()
    yield world
    world.close()


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def figures(app: OpdashApp) -> list[str]:
    return [" ".join(line.split()) for line in app.screen.query_one(SheetView).text.splitlines()]


def choice(app: OpdashApp) -> str:
    return next(line.text for line in app.screen.query(Line) if "Receipts" in line.text)


async def test_hours_and_days_are_told_exactly(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("h")
        await settle(pilot)
        assert isinstance(app.screen, ReceiptsScreen)
        assert figures(app) == [
            "today 14:00–15:00 5.00 USD 1 payment",
            "most: today 11:00–12:00 20.00 USD 1 payment",
            "all 24 hours 32.00 USD 3 payments",
        ]
        await pilot.press("left")
        assert figures(app)[0] == "today 13:00–14:00 7.00 USD 1 payment"
        await pilot.press("left")
        assert figures(app)[0] == "today 12:00–13:00 0.00 USD 0 payments"
        await pilot.press("right", "right", "right")
        assert figures(app)[0].startswith("today 14:00")
        await pilot.press("2")
        await settle(pilot)
        assert figures(app)[1:] == [
            "most: 18 Nov 22:00–23:00 400.00 USD 1 payment",
            "all 48 hours 432.00 USD 4 payments",
        ]
        await pilot.press("3")
        await settle(pilot)
        assert figures(app) == [
            "today 32.00 USD 3 payments",
            "most: Wed 18 Nov 400.00 USD 1 payment",
            "all 30 days 532.00 USD 5 payments",
        ]
        await pilot.press("4")
        await settle(pilot)
        assert figures(app)[2] == "all 90 days 532.01 USD 6 payments"
        await pilot.press("home")
        assert figures(app)[0] == "Sun 23 Aug 0.00 USD 0 payments"
        await pilot.press("end")
        assert figures(app)[0] == "today 32.00 USD 3 payments"


async def test_the_stretch_is_chosen_in_turn(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("h")
        await settle(pilot)
        seen = []
        for _ in range(5):
            seen.append(choice(app).partition(" ●")[0][-8:])
            await pilot.press("space")
            await settle(pilot)
        assert seen == ["24 hours", "48 hours", " 30 days", " 90 days", "24 hours"]
        await pilot.press("h")
        assert isinstance(app.screen, PaymentsScreen)


async def test_news_are_added_and_the_choice_stays(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("h", "left")
        await settle(pilot)
        world.record(make_payment(7, received=100, ago=0.4 * HOUR))
        await settle(pilot)
        assert figures(app)[0] == "today 13:00–14:00 8.00 USD 2 payments"
        world.clock.instant = NOW + HOUR
        await pilot.pause(1.1)
        await settle(pilot)
        assert figures(app)[0] == "today 13:00–14:00 8.00 USD 2 payments"
        await pilot.press("end")
        assert figures(app)[0] == "today 15:00–16:00 0.00 USD 0 payments"


async def test_a_bar_can_be_clicked(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("h")
        await settle(pilot)
        await pilot.click(BarChart, offset=(1 + 20 * 3, 5))
        await settle(pilot)
        assert figures(app)[0] == "today 11:00–12:00 20.00 USD 1 payment"


async def test_each_asset_has_bars_of_its_own(world: World) -> None:
    for number in range(5):
        asset = Asset(f"A{number}", 0)
        world.record(make_payment(90 + number, received=7, received_asset=asset, ago=HOUR))
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 30)) as pilot:
        await settle(pilot)
        await pilot.press("h")
        await settle(pilot)
        shown = [chart for chart in app.screen.query(BarChart) if chart.display]
        assert len(shown) == 3
        assert shown[0].text.startswith(f" {USD.code}\n")
        assert figures(app)[:2] == [
            "today 14:00–15:00 5.00 USD 1 payment",
            "all 24 hours 32.00 USD 3 payments",
        ]
        assert figures(app)[-1] == "and 3 further assets"


async def test_where_nothing_is_known_there_is_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("h", "left")
        await settle(pilot)
        assert figures(app) == [
            "today 13:00–14:00 0.00 USD 0 payments",
            "all 24 hours 0.00 USD 0 payments",
        ]
    world.close()


# The bars


@given(st.lists(st.integers(0, 2**70), min_size=1, max_size=50), st.integers(1, 12))
def test_bars_rise_with_what_they_stand_for(values: list[int], height: int) -> None:
    lines = bar_lines(values, height)
    assert len(lines) == height
    levels = [
        sum(" ▁▂▃▄▅▆▇█".index(line[number]) for line in lines) for number in range(len(values))
    ]
    assert all((level == 0) == (value == 0) for level, value in zip(levels, values, strict=True))
    assert max(levels) == (8 * height if any(values) else 0)
    order = sorted(range(len(values)), key=values.__getitem__)
    assert [levels[number] for number in order] == sorted(levels)


@given(st.integers(1, 120), st.integers(1, 250), st.data())
def test_the_chosen_bar_is_in_view(count: int, width: int, data: st.DataObject) -> None:
    chosen = data.draw(st.integers(0, count - 1))
    plan = plan_bars(count, width, chosen)
    assert plan.first <= chosen < plan.first + plan.count <= count
    assert plan.width <= width
    for cell in range(plan.left(chosen), plan.left(chosen) + plan.bar):
        assert plan.at(cell) == chosen
    if count * plan.step <= width:
        assert plan.count == count


def test_labels_stand_clear_of_each_other() -> None:
    labels = (("one", 1), ("", 0), ("two", 2), ("", 0), ("", 0), ("", 0), ("six", 1), ("7", 0))
    plan = plan_bars(8, 8, 0)
    assert axis_line(labels, plan, 8) == "  two  7"
    assert axis_line(labels, plan, 10) == "  two six "
