"""What the screen says of the reading of the whole list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from opdash.service.events import CaughtUp
from opdash.service.status import Activity, ScanProgress
from opdash.tui.app import OpdashApp
from opdash.tui.widgets.reading import brief_reading_words, caught_up_words, reading_words
from opdash.tui.widgets.status_line import StatusLine
from tests.tui.doubles import NOW, World, shop_payments

READING = ScanProgress(activity=Activity.READING, pages=124, payments=12_400)
CHECKING = ScanProgress(activity=Activity.CHECKING, payments=450, total=1000)


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (ScanProgress(payments=12_400), ""),
        (ScanProgress(problem="No."), "the list could not be read to its end yet"),
        (READING, "reading the list: 12,400 payments, 124 pages"),
        (replace(READING, rate=980), "reading the list: 12,400 payments, 124 pages, 980 a second"),
        (CHECKING, "checking the list: 45 %"),
        (replace(CHECKING, left=timedelta(minutes=2)), "checking the list: 45 %, 2 min left"),
        (replace(CHECKING, total=0), "checking the list"),
        (replace(CHECKING, paused=True), "reading paused"),
    ],
)
def test_progress_is_said_in_few_words(progress: ScanProgress, said: str) -> None:
    assert reading_words(progress) == said


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (ScanProgress(payments=12_400), ""),
        (ScanProgress(problem="No."), "not read to the end"),
        (READING, "reading 12,400"),
        (CHECKING, "checking 45 %"),
        (replace(CHECKING, total=0), "checking"),
        (replace(CHECKING, paused=True), "reading paused"),
    ],
)
def test_it_is_said_in_fewer_words_yet(progress: ScanProgress, said: str) -> None:
    assert brief_reading_words(progress) == said


@pytest.mark.parametrize("width", [80, 100, 120])
async def test_progress_is_on_the_screen_at_any_usual_width(world: World, width: int) -> None:
    world.record(*shop_payments())
    app = Told(world)
    async with app.run_test(size=(width, 24)) as pilot:
        world.set_status(scan=replace(READING, rate=980))
        await pilot.pause()
        assert "12,400" in status_line(app)
        world.set_status(scan=replace(READING, paused=True))
        await pilot.pause()
        assert "reading paused" in status_line(app)


def test_what_came_while_away_is_said() -> None:
    assert caught_up_words(45) == "Caught up: 45 payments while away."
    assert caught_up_words(1, "Rosa\x1b") == "Caught up with Rosa␛: 1 payment while away."


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    yield world
    world.close()


class Told(OpdashApp):
    """The app, which keeps what it told."""

    def __init__(self, world: World) -> None:
        super().__init__(world.dashboard.real)
        self.told: list[str] = []

    def tell(self, sentence: str, advice: str = "", **options: object) -> None:
        self.told.append(sentence)


def status_line(app: OpdashApp) -> str:
    return app.screen.query_one(StatusLine).text


async def test_a_reading_is_shown_paused_and_resumed(world: World) -> None:
    app = Told(world)
    async with app.run_test(size=(140, 30)) as pilot:
        await pilot.pause()
        assert "reading" not in status_line(app)
        world.set_status(scan=READING)
        await pilot.pause()
        assert "reading the list: 12,400 payments" in status_line(app)
        await pilot.press("p")
        await pilot.pause()
        assert "reading paused" in status_line(app)
        assert app.told[-1].endswith("is paused; p lets it go on.")
        await pilot.press("p")
        await pilot.pause()
        assert "reading the list" in status_line(app)
        assert not world.session.status.scan.paused


async def test_a_closed_gap_is_said_to_be_closed(world: World) -> None:
    app = Told(world)
    async with app.run_test(size=(140, 30)) as pilot:
        await pilot.pause()
        world.dashboard.events.publish(CaughtUp("shop", 45, NOW))
        await pilot.pause()
        assert app.told == ["Caught up: 45 payments while away."]
