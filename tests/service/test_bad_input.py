"""What stands in the way of a running session: a disk that fills up, clocks that are set.

It says so in a sentence, overwrites nothing, and goes on by itself when it can again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opdash.clock import SystemClock
from opdash.errors import LedgerError
from opdash.ledger.care import check
from opdash.ledger.records import PaymentRow, Scope
from opdash.ledger.states import State
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import LEDGER_FILE, Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.events import PaymentsChanged
from opdash.service.status import Phase
from opdash.settings import Settings, SettingsStore
from tests.disks import filled_up, small_disk
from tests.service.conftest import OpenDashboard, Watched, profile_of
from tests.service.test_session import has_received, until

if TYPE_CHECKING:
    from tests.conftest import StartSandbox

FullDisk = Callable[[Watched], Any]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with room for a small ledger."""
    with small_disk(tmp_path / "small", 8) as directory:
        yield directory


@contextmanager
def no_page_more(watched: Watched) -> Iterator[None]:
    """Let SQLite find no room for new pages, as on a full disk; for users who may mount nothing."""
    connection = watched.dashboard._recorder()._ledger._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


def announced(watched: Watched, payment: str) -> list[str | None]:
    return [
        change.announce
        for event in watched.events
        if isinstance(event, PaymentsChanged)
        for change in event.changes
        if change.payment.id == payment and change.announce
    ]


async def test_a_disk_that_fills_up_while_it_polls(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard, disk: Path
) -> None:
    sandbox = fresh_sandbox
    watched = open_dashboard(sandbox, data="small/data", poll_interval=0.2, poll_rate=100.0)
    payment = await watched.create(2500)
    watched.session.start()
    await until(lambda: watched.session.status.phase is Phase.LIVE)
    with filled_up(disk):
        before = watched.payment(payment)
        sandbox.pay(payment)
        await until(lambda: has_received(sandbox, payment, 2500))
        await until(lambda: watched.session.status.phase is Phase.FAILED)
        assert "the disk is full" in watched.session.status.problem
        assert "Free some space" in watched.session.status.advice
        known = watched.dashboard.reader.count(watched.wallet)
        await create_until_refused(watched)
        at_server = sandbox.state()["walletAddresses"][0]["payments"]
        intents = watched.dashboard.reader.unresolved_creations(watched.wallet)
        assert before.id == watched.payment(payment).id
    await until(lambda: watched.session.status.phase is Phase.LIVE)
    await until(lambda: announced(watched, payment))
    assert watched.payment(payment).state is State.PAID
    assert announced(watched, payment) == ["paid"]
    assert watched.dashboard.reader.count(watched.wallet) >= known
    assert sandbox.state()["walletAddresses"][0]["payments"] == at_server
    assert all(intent.payment_id is None for intent in intents)
    await watched.dashboard.stop()
    assert check(disk / "data" / LEDGER_FILE).ok


async def test_a_ledger_that_cannot_grow_while_its_list_is_read(
    start_sandbox: StartSandbox, open_dashboard: OpenDashboard
) -> None:
    sandbox = start_sandbox(payments=600)
    watched = open_dashboard(sandbox, page_size=20)
    await watched.session.poll_once()
    with no_page_more(watched):
        with pytest.raises(LedgerError, match="the disk is full"):
            await watched.session.read_all()
        known = watched.dashboard.reader.count(watched.wallet)
    await watched.session.read_all()
    reader = watched.dashboard.reader
    assert known < reader.count(watched.wallet) == 600
    assert reader.scan(watched.wallet, Scope.OWN).ended_at is not None


async def create_until_refused(watched: Watched) -> LedgerError:
    """Create payments until the ledger takes no more: what is left of a page may hold some."""
    for number in range(100):
        draft = PaymentDraft(amount=number + 1, description="x" * 3000)
        try:
            await watched.session.create_payment(draft)
        except LedgerError as error:
            return error
    raise AssertionError("the ledger took them all")


async def test_nothing_is_sent_that_was_not_written_down(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    with no_page_more(watched):
        error = await create_until_refused(watched)
        assert "the disk is full" in error.sentence
        sent = watched.asked("POST", "/incoming-payments")
        while "was created" in error.sentence:
            assert "Do not create it again" in error.advice
            sent = watched.asked("POST", "/incoming-payments")
            error = await create_until_refused(watched)
        assert watched.asked("POST", "/incoming-payments") == sent
    await watched.session.poll_once()
    rows = watched.dashboard.reader.window(watched.wallet, limit=1000)
    assert sum("opdashRequestId" in row.metadata_json for row in rows) == sent
    assert watched.dashboard.reader.unresolved_creations(watched.wallet) == ()


class SetClock(SystemClock):
    """A machine's clock that a person sets while opdash runs."""

    def __init__(self) -> None:
        self.set_by = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.set_by


@pytest.mark.parametrize("days", [3, -3])
async def test_a_machines_clock_that_is_set_while_it_runs(
    fresh_sandbox: SandboxProcess, tmp_path: Path, days: int
) -> None:
    """Nothing expires, comes to life or is read anew for it; polls and scans go on."""
    sandbox, clock = fresh_sandbox, SetClock()
    store = SettingsStore(tmp_path / "config.toml")
    store.load()
    profile = profile_of(sandbox, sandbox.main_wallet, poll_interval=0.2, poll_rate=100.0)
    store.save(Settings(profiles=(profile,)))
    dashboard = Dashboard(store, tmp_path / "data", clock, jitter=lambda: 0.5)
    watched = Watched(dashboard, [], [])
    try:
        session = watched.session
        short = await watched.create(100, expires_in=timedelta(hours=2))
        session.start()
        await until(lambda: session.status.phase is Phase.LIVE)
        await session.read_all()
        ended_at = dashboard.reader.scan(watched.wallet, Scope.OWN).ended_at
        known = dashboard.reader.count(watched.wallet)

        def states() -> dict[str, State]:
            rows: tuple[PaymentRow, ...] = dashboard.reader.window(watched.wallet, limit=10_000)
            return {row.id: row.state for row in rows}

        before = states()
        clock.set_by = timedelta(days=days)
        watched.events.clear()
        for _ in range(3):
            await session.poll_once()
        await asyncio.sleep(1.2)  # the next look at the clock
        assert states() == before
        assert before[short] is State.UNPAID
        assert dashboard.reader.count(watched.wallet) == known
        assert dashboard.reader.scan(watched.wallet, Scope.OWN).ended_at == ended_at
        truth = sandbox.state()["now"]
        assert abs(session.now() - datetime.fromisoformat(truth)) < timedelta(seconds=3)
        sandbox.pay(short)
        await until(lambda: has_received(sandbox, short, 100))
        await until(lambda: announced(watched, short))
        assert watched.payment(short).state is State.PAID
        steps = dashboard.reader.timeline(watched.wallet, short)
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        assert announced(watched, short) == ["paid"]
    finally:
        await dashboard.stop()


def test_the_disk_is_small(disk: Path) -> None:
    assert os.statvfs(disk).f_blocks * os.statvfs(disk).f_frsize == 8 * 1024 * 1024
