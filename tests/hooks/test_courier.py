"""A courier on a real ledger: at least once, in order, from where it stopped."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opdash.cli import shapes
from opdash.hooks.courier import Courier
from opdash.hooks.dead_letters import DeadLetter, DeadLetters
from opdash.hooks.deliveries import Postman
from opdash.hooks.registry import Hook, Place, Registry
from opdash.ledger.event_log import CursorError, EventLog, LoggedEvent
from tests.hooks.doubles import FakeTarget, QuickClock, refused, stopped, until
from tests.ledger.builders import NOW, Book, payment

HOOK = Hook("exec", ("/bin/cat", "--token", "hush"), ("shop",))


class Bench:
    """A ledger, a registry and couriers that come and go."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.book = Book(home / "ledger.sqlite3")
        self.book.record(at=NOW - timedelta(minutes=1))
        self.log = EventLog.open(self.book.path)
        self.registry = Registry(home)
        self.dead = DeadLetters(self.registry.directory)
        self.told: list[str] = []
        self.clock = QuickClock()

    def courier(self, target: FakeTarget, **changes: Any) -> Courier:
        options: dict[str, Any] = {"begin": 0, "is_anew": False, "compose": self.compose}
        return Courier(
            HOOK,
            target,
            log=self.log,
            registry=self.registry,
            dead=self.dead,
            postman=Postman(self.clock, lambda: 1.0, 1, self.told.append),
            clock=self.clock,
            tell=self.told.append,
            **{**options, **changes},
        )

    @staticmethod
    def compose(event: LoggedEvent) -> Mapping[str, Any] | None:
        return shapes.event(event, "shop")

    def cursors(self) -> list[str]:
        return [event.cursor for event in self.log.after(0)]

    async def until(self, target: FakeTarget, count: int, courier: Courier) -> None:
        """Let a courier work until its target was tried that often and its place is kept."""
        task = asyncio.create_task(courier.run())
        await until(lambda: len(target.tried) >= count or task.done())
        courier.end()
        await task


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    with bench.book.ledger, bench.log:
        yield bench


async def test_events_are_brought_in_order_and_once(bench: Bench) -> None:
    bench.book.record(payment("a"), payment("b"), at=NOW)
    first = FakeTarget()
    await bench.until(first, 2, bench.courier(first))
    bench.book.record(payment("a", received=5), at=NOW)
    second = FakeTarget()
    await bench.until(second, 1, bench.courier(second))

    assert first.taken + second.taken == bench.cursors()
    assert first.closed
    assert bench.dead.all() == ()


async def test_what_is_not_taken_becomes_a_dead_letter_and_the_next_is_brought(
    bench: Bench,
) -> None:
    bench.book.record(payment("a"), payment("b"), at=NOW)
    target = FakeTarget(refused("answered 500"), refused("answered 502"))
    await bench.until(target, 3, bench.courier(target))

    first, second = bench.cursors()
    assert target.taken == [second]
    (letter,) = bench.dead.all()
    assert (letter.event["cursor"], letter.attempts) == (first, 2)
    assert letter.reason == "answered 502"
    assert letter.hook == HOOK.key
    assert "hush" not in bench.dead.path.read_text()
    assert "given up after 2 attempts" in bench.told[-1]


async def test_one_that_is_killed_brings_the_same_event_again(bench: Bench) -> None:
    bench.book.record(payment("a"), payment("b"), at=NOW)

    class Killed(FakeTarget):
        async def deliver(self, letter: Any) -> None:
            await super().deliver(letter)
            if len(self.tried) == 2:
                raise KeyError  # taken, and nothing more was kept

    killed = Killed()
    with pytest.raises(KeyError):
        await bench.courier(killed).run()
    again = FakeTarget()
    await bench.until(again, 1, bench.courier(again))
    first, second = bench.cursors()
    assert (killed.taken, again.taken) == ([first, second], [second])


async def test_a_receiver_that_wants_no_more_keeps_its_place(bench: Bench) -> None:
    bench.book.record(payment("a"), payment("b"), at=NOW)
    target = FakeTarget(None, stopped())
    await bench.courier(target).run()

    place = bench.registry.place(HOOK.key)
    assert place is not None
    assert place.cursor == bench.cursors()[0]
    assert bench.dead.all() == ()
    assert "no more events" in bench.told[-1]


async def test_what_is_not_meant_for_it_is_passed_over(bench: Bench) -> None:
    bench.book.record(payment("a"), payment("b"), payment("c"), at=NOW)
    wanted = bench.cursors()[1]

    def compose(event: LoggedEvent) -> Mapping[str, Any] | None:
        return shapes.event(event, "shop") if event.cursor == wanted else None

    target = FakeTarget()
    await bench.until(target, 1, bench.courier(target, compose=compose))
    assert target.taken == [wanted]


async def test_where_it_begins(bench: Bench) -> None:
    bench.book.record(payment("a"), payment("b"), at=NOW)
    first, second = bench.cursors()
    begun = bench.log.number(first)
    for begin, is_anew, taken in [
        (begun, False, [second]),  # it has no place yet
        (0, False, []),  # it has one
        (0, True, [first, second]),  # it is told to begin anew
    ]:
        target = FakeTarget()
        courier = bench.courier(target, begin=begin, is_anew=is_anew)
        task = asyncio.create_task(courier.run())
        await until(lambda: len(bench.clock.slept) >= 3)
        bench.clock.slept.clear()
        courier.end()
        await task
        assert target.taken == taken


async def test_two_processes_deliver_once(bench: Bench) -> None:
    bench.book.record(payment("a"), at=NOW)
    one, other = FakeTarget(), FakeTarget()
    first, second = bench.courier(one), bench.courier(other)
    tasks = [asyncio.create_task(work.run()) for work in (first, second)]
    await until(lambda: one.taken and any("another opdash delivers" in said for said in bench.told))
    first.end()
    await tasks[0]
    bench.book.record(payment("b"), at=NOW)
    await until(lambda: other.taken)
    second.end()
    await tasks[1]
    assert one.taken + other.taken == bench.cursors()


async def test_a_place_in_another_ledger_is_refused(bench: Bench) -> None:
    bench.registry.save(Place(HOOK, "target", "0123456789-7-00000000"))
    with pytest.raises(CursorError, match=r"target: .* another ledger"):
        await bench.courier(FakeTarget()).run()


async def test_a_full_disk_is_waited_for_and_nothing_is_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.book.record(payment("a"), payment("b"), at=NOW)
    add, refusals = bench.dead.add, [1, 1, 1]

    def full(letter: DeadLetter) -> None:
        if refusals:
            refusals.pop()
            raise OSError(errno.ENOSPC, "No space left on device")
        add(letter)

    monkeypatch.setattr(bench.dead, "add", full)
    target = FakeTarget(refused(), refused())
    await bench.until(target, 3, bench.courier(target))
    assert [letter.event["cursor"] for letter in bench.dead.all()] == bench.cursors()[:1]
    assert target.taken == bench.cursors()[1:]
    assert "No space left" in "".join(bench.told)


def test_a_hook_is_what_it_runs_and_what_it_is_told_of(bench: Bench) -> None:
    others = [
        Hook("exec", ("/bin/cat",), ("shop",)),
        Hook("webhook", HOOK.words, ("shop",)),
        Hook("exec", HOOK.words, ("bar",)),
        Hook("exec", HOOK.words, ("shop",), ("paid",)),
        Hook("exec", HOOK.words, ("shop",), (), "lamp"),
    ]
    assert len({HOOK.key, *(one.key for one in others)}) == 6
    assert HOOK.key == Hook("exec", HOOK.words, ("shop",)).key
    for one in others:
        bench.registry.save(Place(one, "x", "c"))
    assert {place.hook for place in bench.registry.places()} == set(others)
    assert all(path.stat().st_mode & 0o077 == 0 for path in bench.registry.directory.iterdir())
