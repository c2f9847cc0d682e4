from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from opdash.notices import BELL
from opdash.service.events import Event, PaymentsChanged
from opdash.settings import NotifyWay
from opdash.tui.announcements import NEXT_WAY, WAY_WORDS, Ringer, is_news, sentences
from opdash.tui.app import OpdashApp
from tests.tui.doubles import GRACE, World, make_payment, payment_id


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


class Ear:
    """Hears what a person is told, and which rows are marked."""

    def __init__(self, world: World) -> None:
        self.sentences: list[str] = []
        self.marked: list[str] = []
        self._looked_at = world.clock.now() - timedelta(hours=3)
        world.dashboard.events.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        assert isinstance(event, PaymentsChanged)
        self.sentences += sentences(event.changes)
        self.marked += [
            change.payment.id for change in event.changes if is_news(change, self._looked_at)
        ]


def test_paid_and_received_are_told_once(world: World) -> None:
    ear = Ear(world)
    world.record(make_payment(1, asked=1999, reference="INV-7"))
    assert ear.sentences == []
    paid = make_payment(1, asked=1999, received=1999, completed=True, reference="INV-7")
    for _ in range(2):
        world.record(paid)
    assert ear.sentences == ["● Paid: 19.99 USD · INV-7"]


def test_too_much_is_told_as_such(world: World) -> None:
    ear = Ear(world)
    world.record(make_payment(1, asked=12550, reference="INV-7"))
    world.record(make_payment(1, asked=12550, received=13177, completed=True, reference="INV-7"))
    assert ear.sentences == ["◉ Overpaid: 131.77 of 125.50 USD · INV-7"]


def test_many_at_once_are_told_in_one_sentence(world: World) -> None:
    numbers = range(1, 6)
    world.record(*(make_payment(number) for number in numbers))
    ear = Ear(world)
    world.record(*(make_payment(number, received=1000, completed=True) for number in numbers))
    assert ear.sentences == ["5 payments came in."]


def test_the_history_that_a_first_connection_finds_is_no_news(world: World) -> None:
    ear = Ear(world)
    world.record(make_payment(1, received=1000, completed=True, ago=timedelta(days=2)))
    assert ear.sentences == []


def test_what_is_older_than_the_last_look_is_not_marked(world: World) -> None:
    ear = Ear(world)
    world.record(make_payment(1, ago=timedelta(hours=2)), make_payment(2, ago=timedelta(hours=4)))
    assert ear.marked == [payment_id(1)]
    world.record(make_payment(2, ago=timedelta(hours=4), received=1))
    assert ear.marked == [payment_id(1), payment_id(2)]


def test_time_alone_marks_nothing(world: World) -> None:
    ear = Ear(world)
    world.record(make_payment(1, expires_in=timedelta(minutes=1)))
    world.clock.instant += timedelta(minutes=5)
    world.announce(world.ledger.advance(world.clock.now(), GRACE, world.wallet.id))
    assert ear.marked == [payment_id(1)]


def test_a_hostile_reference_stays_one_harmless_line(world: World) -> None:
    ear = Ear(world)
    world.record(make_payment(1, reference="[/b]\x1b]52;c;x\x07\n"))
    world.record(make_payment(1, received=1000, reference="[/b]\x1b]52;c;x\x07\n", completed=True))
    assert ear.sentences == ["● Paid: 10.00 USD · [/b]␛]52;c;x␇␊"]


OSC_9 = "\x1b]9;opdash: ● Paid: 10.00 USD · INV-7\x1b\\"


class Ringing:
    """Two screens at one ledger, in a terminal that shows notifications."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("TMUX", "STY", "KITTY_WINDOW_ID", "DISPLAY", "WAYLAND_DISPLAY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("TERM_PROGRAM", "iTerm.app")
        self.world = world
        self.written: list[str] = []
        self.ringers = [Ringer(world.dashboard.real, self._write) for _ in range(2)]

    def _write(self, sequence: str) -> bool:
        self.written.append(sequence)
        return True

    async def pay(self, number: int, way: NotifyWay) -> list[str]:
        """Let a payment be paid, and return what is written to the terminal."""
        dashboard = self.world.dashboard
        dashboard.settings = replace(dashboard.settings, notify=way)
        self.written.clear()
        self.world.write(make_payment(number, reference="INV-7"))
        paid = make_payment(number, received=1000, completed=True, reference="INV-7")
        changes = self.world.write(paid)
        for ringer in self.ringers:
            await ringer.ring(self.world.wallet.id, changes, "")
        return list(self.written)


@pytest.fixture
def ringing(world: World, monkeypatch: pytest.MonkeyPatch) -> Ringing:
    return Ringing(world, monkeypatch)


async def test_each_way_is_taken_once_for_a_payment(ringing: Ringing) -> None:
    assert await ringing.pay(1, NotifyWay.BELL) == [BELL]
    assert await ringing.pay(2, NotifyWay.DESKTOP) == [OSC_9]
    assert await ringing.pay(3, NotifyWay.BOTH) == [OSC_9, BELL]
    assert await ringing.pay(4, NotifyWay.OFF) == []


async def test_who_is_told_nothing_leaves_it_to_others(ringing: Ringing) -> None:
    assert await ringing.pay(1, NotifyWay.OFF) == []
    assert ringing.world.dashboard.claimed == set()


async def test_time_and_growth_ring_for_nobody(ringing: Ringing) -> None:
    changes = ringing.world.write(make_payment(1, received=3))
    await ringing.ringers[0].ring(ringing.world.wallet.id, changes, "")
    assert ringing.written == []


async def test_a_key_goes_through_the_ways_and_keeps_them(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    told: list[str] = []
    app.tell = lambda sentence, *_, **__: told.append(sentence)  # type: ignore[method-assign]
    async with app.run_test() as pilot:
        ways = [world.dashboard.settings.notify]
        for _ in NotifyWay:
            await pilot.press("b")
            await pilot.pause()
            ways.append(world.dashboard.settings.notify)
    assert ways == [
        NotifyWay.BELL,
        NotifyWay.DESKTOP,
        NotifyWay.BOTH,
        NotifyWay.OFF,
        NotifyWay.BELL,
    ]
    assert told == [WAY_WORDS[way] for way in ways[1:]]
    assert set(NEXT_WAY) == set(WAY_WORDS) == set(NotifyWay)
