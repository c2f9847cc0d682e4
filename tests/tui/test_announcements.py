from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from opdash.service.events import Event, PaymentsChanged
from opdash.tui.announcements import is_news, sentences
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
