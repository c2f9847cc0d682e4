"""The loop that polls: several processes on one ledger, budgets, and a server in trouble."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opdash.ledger.records import NEWEST_FIRST
from opdash.openpayments.errors import TooManyRequestsError
from opdash.sandbox.process import SandboxProcess
from opdash.service.events import PaymentsChanged
from opdash.service.status import Phase
from tests.service.conftest import OpenDashboard, Watched
from tests.service.test_session import until

if TYPE_CHECKING:
    from tests.conftest import StartSandbox

_SECOND = timedelta(seconds=1)
HERE = Path(__file__).resolve().parents[2]

OTHER = """
import asyncio, sys
from pathlib import Path
from opdash.clock import SystemClock
from opdash.service.dashboard import Dashboard
from opdash.settings import SettingsStore

async def main():
    dashboard = Dashboard(SettingsStore(Path(sys.argv[1])), Path(sys.argv[2]), SystemClock())
    await dashboard.start()
    session, said = dashboard.session(dashboard.profiles[0].name), ""
    while True:
        status = session.status
        says = "reads along" if status.polled_elsewhere else status.phase.value
        if says != said:
            said = says
            print(says, flush=True)
        await asyncio.sleep(0.05)

asyncio.run(main())
"""


@contextmanager
def another_opdash(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run opdash in a process of its own on the same settings and ledger."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(home / "data.toml"), str(home / "data")],
        cwd=HERE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"the other process ended before it said {word!r}")


def knows(watched: Watched, payment_id: str) -> bool:
    rows = watched.dashboard.reader.window(watched.wallet, NEWEST_FIRST, 0, 50)
    return payment_id in {row.id for row in rows}


def told_of(watched: Watched, payment_id: str) -> bool:
    return any(
        change.payment.id == payment_id
        for event in watched.events
        if isinstance(event, PaymentsChanged)
        for change in event.changes
    )


class TestTwoProcesses:
    @pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
    async def test_one_polls_and_the_other_takes_over_when_it_ends(
        self,
        fresh_sandbox: SandboxProcess,
        open_dashboard: OpenDashboard,
        tmp_path: Path,
        end: signal.Signals,
    ) -> None:
        watched = open_dashboard(fresh_sandbox, poll_interval=0.5)
        elsewhere = open_dashboard(fresh_sandbox, data="elsewhere")
        with another_opdash(tmp_path) as process:
            await asyncio.to_thread(wait_for, process, "live")
            await watched.dashboard.start()
            await until(lambda: watched.session.status.polled_elsewhere)

            created = await elsewhere.create(700)
            await until(lambda: told_of(watched, created))
            assert watched.exchanges == []
            assert watched.session.status.phase is Phase.LIVE
            assert watched.session.status.last_ok_at is not None

            process.send_signal(end)
            await asyncio.to_thread(process.wait)
            await until(lambda: not watched.session.status.polled_elsewhere)
            later = await elsewhere.create(800)
            await until(lambda: told_of(watched, later))
            assert watched.asked("GET", "incoming-payments?") >= 1

    async def test_the_second_can_do_all_that_the_first_can(
        self, fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
    ) -> None:
        watched = open_dashboard(fresh_sandbox, poll_interval=0.5)
        session = watched.session
        with another_opdash(tmp_path) as process:
            await asyncio.to_thread(wait_for, process, "live")
            await watched.dashboard.start()
            await until(lambda: session.status.polled_elsewhere)

            created = await watched.create(900)
            assert knows(watched, created)
            row = await session.refresh_payment(created)
            assert row is not None
            lists = watched.asked("GET", "incoming-payments?")
            session.poll_soon()
            await until(lambda: watched.asked("GET", "incoming-payments?") > lists)
            await until(lambda: session.status.polled_elsewhere and not session.status.polling)
            fresh_sandbox.pay(created, 900)
            await until(lambda: watched.payment(created).received == 900)
            assert process.poll() is None

    async def test_what_the_second_creates_is_shown_by_the_first(
        self, fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
    ) -> None:
        first = open_dashboard(fresh_sandbox, poll_interval=300.0)
        second = open_dashboard(fresh_sandbox, poll_interval=300.0)
        first.session.start()
        await until(lambda: first.session.status.phase is Phase.LIVE)
        await until(lambda: first.session.status.scan.ended_at is not None)
        await asyncio.sleep(1.5)
        first.events.clear()
        created = await second.create(900)
        await until(lambda: any(isinstance(event, PaymentsChanged) for event in first.events))
        assert knows(first, created)

    async def test_one_that_cannot_poll_lets_the_other_try(
        self, fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
    ) -> None:
        broken = open_dashboard(fresh_sandbox, poll_interval=0.5, key_id="unknown-1")
        broken.session.start()
        await until(lambda: broken.session.status.phase is Phase.REFUSED)
        sound = open_dashboard(fresh_sandbox, poll_interval=0.5)
        sound.session.start()
        await until(lambda: sound.session.status.last_ok_at is not None)
        await until(lambda: not sound.session.status.polled_elsewhere)
        await until(lambda: broken.session.status.polled_elsewhere)
        assert broken.session.status.phase is Phase.LIVE

    async def test_whoever_stops_lets_another_poll_at_once(
        self, fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
    ) -> None:
        one, two = (open_dashboard(fresh_sandbox, poll_interval=0.5) for _ in range(2))
        one.session.start()
        await until(lambda: one.session.status.phase is Phase.LIVE)
        two.session.start()
        await until(lambda: two.session.status.polled_elsewhere)
        await one.session.stop()
        await until(lambda: not two.session.status.polled_elsewhere)
        await until(lambda: two.asked("GET", "incoming-payments?"))


class TestBudget:
    async def test_polls_that_come_too_fast_wait_for_the_budget(
        self, start_sandbox: StartSandbox, open_dashboard: OpenDashboard
    ) -> None:
        sandbox = start_sandbox(payments=5)
        watched = open_dashboard(sandbox, poll_interval=0.2, poll_rate=1.0)
        watched.session.start()
        await until(lambda: watched.session.status.phase is Phase.LIVE)
        await asyncio.sleep(6.0)
        lists = watched.asked("GET", "incoming-payments?")
        gets = watched.asked("GET", "/incoming-payments/")
        assert lists + gets <= 5 + 6 + 2
        assert lists >= 2

    async def test_a_person_is_not_held_back(
        self, start_sandbox: StartSandbox, open_dashboard: OpenDashboard
    ) -> None:
        sandbox = start_sandbox(payments=5)
        watched = open_dashboard(sandbox, poll_interval=0.2, poll_rate=0.1)
        session = watched.session
        session.start()
        await until(lambda: session.status.phase is Phase.LIVE)
        await until(lambda: session._poller.server.polling.wait_left() > 0)
        for _ in range(3):
            lists = watched.asked("GET", "incoming-payments?")
            session.poll_soon()
            await until(lambda lists=lists: watched.asked("GET", "incoming-payments?") > lists)  # type: ignore[misc]
        created = await watched.create(5)
        assert await session.refresh_payment(created)

    async def test_a_refused_wallet_makes_its_neighbours_wait(
        self,
        fresh_sandbox: SandboxProcess,
        open_dashboard: OpenDashboard,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        addresses = fresh_sandbox.wallet_addresses[:2]
        watched = open_dashboard(fresh_sandbox, *addresses, poll_interval=0.5)
        one, two = (
            watched.dashboard.session(profile.name) for profile in watched.dashboard.profiles
        )
        await two.poll_once()
        client = await one._connection.client()

        async def refuse(*_: Any, **__: Any) -> object:
            raise TooManyRequestsError("Fewer, please.", status=429, retry_after=600.0)

        monkeypatch.setattr(client, "list_incoming_payments", refuse)
        with pytest.raises(TooManyRequestsError):
            await one.poll_once()
        assert two._poller.server is one._poller.server
        watched.exchanges.clear()
        two.start()
        await until(lambda: two.status.next_poll_at is not None)
        await until(lambda: (two.status.next_poll_at or two.now()) - two.now() > 500 * _SECOND)
        lists = watched.asked("GET", "incoming-payments?")
        await asyncio.sleep(1.5)
        assert watched.asked("GET", "incoming-payments?") == lists
        assert two._poller.server.polling.per_second < 2.0
