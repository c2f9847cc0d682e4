"""The thread that writes: what queues up shares a commit, and nobody is answered before it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from opdash.clock import SystemClock
from opdash.errors import LedgerError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Creation, CreationStatus, Scope, Source
from opdash.ledger.store import Ledger
from opdash.openpayments.resources import IncomingPaymentPage
from opdash.service.recorder import Recorder
from tests.ledger.builders import ADDRESS, GRACE, NOW, WALLET, payment


@dataclass
class Desk:
    """A recorder, what its connection was told, and a reader beside it.

    Attributes:
        recorder: The real one.
        ledger: What it writes to.
        reader: Sees what is committed.
        statements: All that SQLite was given, in order.
    """

    recorder: Recorder
    ledger: Ledger
    reader: LedgerReader
    statements: list[str] = field(default_factory=list)

    @property
    def commits(self) -> int:
        return self.statements.count("COMMIT")

    def known(self) -> int:
        return self.reader.count(ADDRESS)

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Keep the thread busy for the body, so that writes queue up."""
        go_on = threading.Event()
        self.recorder._thread.submit(go_on.wait, 10)
        try:
            yield
        finally:
            go_on.set()

    async def together(self, *works: Callable[[Ledger], Any]) -> list[Any]:
        """Run works that have queued up; returns results and errors."""
        with self.held_up():
            tasks = [asyncio.create_task(self.recorder.write(work)) for work in works]
            for _ in range(3):
                await asyncio.sleep(0)
            assert len(self.recorder._waiting) == len(works)
            self.statements.clear()
        return await asyncio.gather(*tasks, return_exceptions=True)


class Still(SystemClock):
    """A clock by which nothing takes any time."""

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    path = tmp_path / "ledger.sqlite3"
    ledger = Ledger.open(path)
    ledger.remember_wallet(WALLET, NOW)
    recorder = Recorder(ledger, Still())
    with LedgerReader.open(path) as reader:
        desk = Desk(recorder, ledger, reader)
        ledger._connection.set_trace_callback(desk.statements.append)
        yield desk
    await recorder.close()


def see(*names: str, code: str = "USD") -> Callable[[Ledger], int]:
    """Record payments; gives the number of changes."""

    def work(ledger: Ledger) -> int:
        payments = [payment(name, received=1, code=code) for name in names]
        changes = ledger.record(
            ADDRESS, payments, at=NOW, source=Source.LIST, scope=Scope.OWN, grace=GRACE
        )
        return len(changes)

    return work


def intend(request_id: str) -> Callable[[Ledger], None]:
    creation = Creation(
        request_id=request_id,
        wallet=ADDRESS,
        draft_json="{}",
        status=CreationStatus.INTENDED,
        created_at=NOW,
        updated_at=NOW,
    )
    return lambda ledger: ledger.begin_creation(creation)


def fail(_: Ledger) -> None:
    raise ValueError("a fault of the work's own")


async def test_a_write_that_finds_nobody_waiting_is_committed_at_once(desk: Desk) -> None:
    assert await desk.recorder.write(see("a")) == 1
    assert desk.known() == 1
    assert desk.commits == 1


async def test_what_queued_up_shares_a_commit(desk: Desk) -> None:
    assert await desk.together(*(see(f"p{n}") for n in range(20))) == [1] * 20
    assert desk.commits == 1
    assert desk.known() == 20


async def test_nobody_is_answered_before_the_commit(desk: Desk) -> None:
    seen: list[int] = []

    async def note(work: Callable[[Ledger], Any]) -> None:
        await desk.recorder.write(work)
        seen.append(desk.known())

    with desk.held_up():
        tasks = [asyncio.create_task(note(see(f"p{n}"))) for n in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert seen == [5] * 5


async def test_a_group_ends_after_a_tenth_of_a_second(desk: Desk) -> None:
    class Hurried(SystemClock):
        seconds = 0.0

        def monotonic(self) -> float:
            self.seconds += 0.03
            return self.seconds

    desk.recorder._clock = Hurried()
    await desk.together(*(see(f"p{n}") for n in range(9)))
    assert desk.commits == 3
    assert desk.known() == 9


async def test_one_that_fails_takes_no_other_along(desk: Desk) -> None:
    def half_way(ledger: Ledger) -> None:
        see("x", code="NEW")(ledger)
        raise ValueError("half way")

    outcomes = await desk.together(see("a"), half_way, fail, see("b", code="NEWER"))
    assert [type(outcome) for outcome in outcomes] == [int, ValueError, ValueError, int]
    assert desk.commits == 1
    rows = desk.reader.window(ADDRESS)
    assert sorted(row.received_asset.code for row in rows) == ["NEWER", "USD"]


async def test_own_actions_are_on_the_disk_by_themselves(desk: Desk) -> None:
    outcomes = await desk.together(see("a"), intend("r-1"), see("b"), see("c"))
    assert outcomes == [1, None, 1, 1]
    own = desk.statements.index("PRAGMA synchronous = FULL")
    assert desk.statements[own - 1] == "COMMIT"
    assert "SAVEPOINT part" not in desk.statements[own:][: desk.statements[own:].index("COMMIT")]
    assert desk.reader.creation("r-1") is not None
    assert desk.known() == 3


async def test_a_long_work_makes_no_long_transaction(desk: Desk) -> None:
    await desk.recorder.write(see(*(f"p{n}" for n in range(1200))))
    await desk.recorder.write(_walk_an_empty_list)

    def end(ledger: Ledger) -> int:
        return len(ledger.end_scan(ADDRESS, Scope.OWN, at=NOW, grace=GRACE))

    assert await desk.together(see("a"), end, see("b")) == [1, 1200, 1]
    assert desk.commits >= 4


def _walk_an_empty_list(ledger: Ledger) -> None:
    scan, ticket = ledger.begin_scan(ADDRESS, Scope.OWN, NOW, anew=True)
    page = IncomingPaymentPage()
    ledger.record_scanned(ADDRESS, page, scan, at=NOW, scope=Scope.OWN, grace=GRACE, ticket=ticket)


async def test_a_group_that_cannot_be_committed_is_written_one_by_one(desk: Desk) -> None:
    """A disk that has room for some of it: each caller hears what became of its own."""
    connection = desk.ledger._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()

    def large(name: str) -> Callable[[Ledger], int]:
        return see(*(f"{name}{n}" for n in range(400)))

    connection.execute(f"PRAGMA max_page_count = {pages + 6}")
    outcomes = await desk.together(see("a"), large("x"), see("b"), large("y"), see("c"))
    assert [isinstance(outcome, LedgerError) for outcome in outcomes] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert desk.known() == 3
    connection.execute("PRAGMA max_page_count = 1000000")
    assert await desk.together(large("x"), large("y")) == [400, 400]


async def test_a_ledger_that_another_program_holds_refuses_all_at_once(desk: Desk) -> None:
    desk.ledger._connection.execute("PRAGMA busy_timeout = 1")
    other = Ledger.open(desk.ledger.path)
    with other, other.transactions.group():
        outcomes = await desk.together(see("a"), see("b"))
    assert [type(outcome) for outcome in outcomes] == [LedgerError, LedgerError]
    desk.ledger._connection.execute("PRAGMA busy_timeout = 5000")
    assert await desk.together(see("a"), see("b")) == [1, 1]


async def test_a_write_that_has_begun_is_finished(desk: Desk) -> None:
    begun, go_on, done = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def slow(_: Ledger) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(10)
        done.append(True)

    asking = asyncio.create_task(desk.recorder.write(slow))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    go_on.set()
    await desk.recorder.close()
    await desk.recorder.close()
    assert done == [True]
