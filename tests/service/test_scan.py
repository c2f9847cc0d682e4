"""Reading the whole list, on the sandbox and on servers that lose their place in it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opdash.clock import Clock, SystemClock
from opdash.errors import OpdashError
from opdash.ledger.records import NEWEST_FIRST, Scope
from opdash.ledger.states import State
from opdash.openpayments.errors import LostCursorError, ProtocolError, TooManyRequestsError
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.service.events import CaughtUp, PaymentsChanged, StatusChanged
from opdash.service.servers import SCAN_RATE
from opdash.service.status import Activity, ScanProgress
from opdash.settings import Profile, Settings, SettingsStore
from tests.openpayments.rawserver import answer
from tests.service import test_session
from tests.service.conftest import OpenDashboard, Watched
from tests.service.lists import ListServer, list_server, page_of, profile_at

if TYPE_CHECKING:
    from opdash.openpayments.transport import Exchange
    from tests.conftest import StartSandbox

OpenAt = Callable[..., Awaitable[Watched]]


class QuickClock:
    """Time that passes only when somebody sleeps, in the order in which they wake."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._numbers = count()

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        heapq.heappush(self._sleepers, (self.seconds + seconds, next(self._numbers), awake))
        await awake.wait()

    async def run(self) -> None:
        """Wake one sleeper after the other, for ever."""
        while True:
            await asyncio.sleep(0.0005)
            if self._sleepers:
                at, _, awake = heapq.heappop(self._sleepers)
                self.seconds = max(self.seconds, at)
                awake.set()


@pytest.fixture
async def open_at(tmp_path: Path) -> AsyncIterator[OpenAt]:
    """Open a dashboard for one profile; ``data`` names its directory."""
    async with AsyncExitStack() as stack:

        async def start(
            profile: Profile, *, data: str = "data", clock: Clock | None = None
        ) -> Watched:
            store = SettingsStore(tmp_path / f"{data}.toml")
            store.load()
            store.save(Settings(profiles=(profile,)))
            exchanges: list[Exchange] = []
            dashboard = Dashboard(
                store,
                tmp_path / data,
                clock or SystemClock(),
                jitter=lambda: 0.5,
                observer=exchanges.append,
            )
            stack.push_async_callback(dashboard.stop)
            return Watched(dashboard, [], exchanges)

        yield start


@pytest.fixture
async def server() -> AsyncIterator[ListServer]:
    async with list_server([f"p{number:04}" for number in range(730)]) as running:
        yield running


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that takes seconds by itself, and longer on a busy machine."""
    await test_session.until(condition, tries=1200)


def scan_of(watched: Watched) -> ScanProgress:
    return watched.session.status.scan


def known(watched: Watched) -> list[str]:
    """The last segments of all known payments, as they are ordered."""
    rows = watched.dashboard.reader.window(watched.wallet, NEWEST_FIRST, 0, 10**6)
    return [row.id.rpartition("/")[2] for row in rows]


def gone(watched: Watched) -> set[str]:
    rows = watched.dashboard.reader.window(watched.wallet, NEWEST_FIRST, 0, 10**6)
    return {row.id.rpartition("/")[2] for row in rows if row.gone_at is not None}


class TestOnTheSandbox:
    async def test_the_whole_list_is_read_in_the_background(
        self, start_sandbox: StartSandbox, open_dashboard: OpenDashboard
    ) -> None:
        sandbox = start_sandbox(payments=1030)
        watched = open_dashboard(sandbox)
        watched.session.start()
        await until(lambda: scan_of(watched).ended_at)
        names = known(watched)
        other = open_dashboard(sandbox, data="other")
        await other.session.poll_once()
        while await other.session.load_older():
            pass
        assert names == known(other)
        assert len(names) == len(set(names)) > 1000
        assert watched.dashboard.reader.scan(watched.wallet, Scope.OWN).total == len(names)
        told = [e.status.scan for e in watched.events if isinstance(e, StatusChanged)]
        assert Activity.READING in {progress.activity for progress in told}
        assert told[-1].activity is Activity.NONE
        assert all(progress.left is None for progress in told)

    async def test_a_later_scan_finds_what_has_gone(
        self, fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
    ) -> None:
        watched = open_dashboard(fresh_sandbox)
        await watched.session.poll_once()
        short = [await watched.create(100, timedelta(minutes=5)) for _ in range(3)]
        long = await watched.create(100, timedelta(hours=30))
        first = await watched.session.read_all()
        assert (first.gone, gone(watched)) == (0, set())
        fresh_sandbox.advance(3600)
        second = await watched.session.read_all()
        assert second.gone == len(gone(watched)) >= 3
        rows = [watched.payment(payment) for payment in short]
        assert {row.state for row in rows} == {State.EXPIRED_UNPAID}
        assert watched.payment(long).gone_at is None
        announced = {
            change.payment.id
            for event in watched.events
            if isinstance(event, PaymentsChanged)
            for change in event.changes
            if change.payment.gone_at is not None
        }
        assert announced >= set(short)
        assert (await watched.session.read_all()).gone == 0

    async def test_two_at_one_ledger_read_it_once(
        self, start_sandbox: StartSandbox, open_dashboard: OpenDashboard
    ) -> None:
        sandbox = start_sandbox(payments=900)
        one, other = open_dashboard(sandbox), open_dashboard(sandbox)
        await one.session.poll_once()
        await other.session.poll_once()
        await asyncio.gather(one.session.read_all(), other.session.read_all())
        names = known(one)
        assert len(names) == len(set(names)) == one.dashboard.reader.count(one.wallet)
        await asyncio.gather(one.session.read_all(), other.session.read_all())
        assert known(other) == names
        assert gone(one) == set()

    async def test_what_came_while_away_is_told_once(
        self, start_sandbox: StartSandbox, open_dashboard: OpenDashboard
    ) -> None:
        sandbox = start_sandbox(payments=30)
        first = open_dashboard(sandbox, data="first")
        await first.session.poll_once()
        elsewhere = open_dashboard(sandbox, data="elsewhere")
        for _ in range(45):
            await elsewhere.create(100)
        await first.dashboard.stop()
        again = open_dashboard(sandbox, data="first")
        await again.session.poll_once()
        await again.session.poll_once()
        (told,) = [event for event in again.events if isinstance(event, CaughtUp)]
        assert (told.profile, told.payments) == (again.session.profile.name, 45)
        assert not [event for event in first.events if isinstance(event, CaughtUp)]
        assert again.dashboard.reader.walk_state(again.wallet, Scope.OWN).gaps == ()  # type: ignore[union-attr]


class TestBudget:
    async def test_a_scan_in_the_background_keeps_to_it(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        server.names = [f"p{number:04}" for number in range(4000)]
        clock = QuickClock()
        watched = await open_at(profile_at(server, tmp_path), clock=clock)
        sent: list[float] = []

        def note(cursor: str | None, size: int, page: dict[str, Any]) -> dict[str, Any]:
            if size == 100 and cursor is not None:
                sent.append(clock.monotonic())
            return page

        server.twist = note
        time = asyncio.create_task(clock.run())
        began = clock.monotonic()
        watched.session.start()
        await until(lambda: scan_of(watched).ended_at)
        time.cancel()
        assert len(sent) == 40
        assert sent[-1] - began >= (len(sent) - 1) / SCAN_RATE
        assert known(watched) == server.names

    async def test_a_server_that_wants_fewer_requests_gets_fewer(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        clock = QuickClock()
        watched = await open_at(profile_at(server, tmp_path), clock=clock)
        refused: list[float] = []

        def refuse(cursor: str | None, _: int, page: dict[str, Any]) -> dict[str, Any] | bytes:
            if cursor == "p0119" and len(refused) < 2:
                refused.append(clock.monotonic())
                return answer(b"", "429 Too Many Requests", Retry_After="30")
            return page

        await watched.session.poll_once()
        server.twist = refuse
        time = asyncio.create_task(clock.run())
        await watched.session.read_all()
        time.cancel()
        assert [later - earlier >= 29 for earlier, later in pairwise(refused)] == [True]
        assert known(watched) == server.names

    async def test_a_server_that_wants_none_is_left_in_peace(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        clock = QuickClock()
        watched = await open_at(profile_at(server, tmp_path), clock=clock)
        await watched.session.poll_once()
        for wait, asked in (("7200", 1), ("1", 6)):
            server.twist = lambda _, __, ___, wait=wait: answer(
                b"", "429 Too Many Requests", Retry_After=wait
            )
            before = len(server.asked)
            time = asyncio.create_task(clock.run())
            with pytest.raises(TooManyRequestsError):
                await watched.session.read_all()
            time.cancel()
            assert len(server.asked) - before == asked

    async def test_polls_and_actions_go_first(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path, poll_interval=1.0))
        held = asyncio.Event()
        session = watched.session
        session.start()
        await until(lambda: scan_of(watched).pages >= 1)
        waiting = asyncio.create_task(session._own(held.wait()))
        await until(lambda: session._way._taken)
        await asyncio.sleep(0.3)  # what is on its way ends
        asked = [one for one in server.asked if one[1] == 100]
        await asyncio.sleep(0.5)
        assert [one for one in server.asked if one[1] == 100] == asked
        held.set()
        await waiting
        await until(lambda: scan_of(watched).ended_at)
        assert known(watched) == server.names


class TestPausing:
    async def test_a_paused_scan_goes_on_where_it_stopped(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path), data="shared")
        watched.session.start()
        await until(lambda: scan_of(watched).pages >= 1)
        await watched.session.pause_scan(True)
        assert scan_of(watched).paused
        await until(lambda: scan_of(watched).activity is Activity.NONE)
        await watched.dashboard.stop()
        assert 20 < len(known_in(watched)) < 730
        again = await open_at(profile_at(server, tmp_path), data="shared")
        again.session.start()
        await until(lambda: scan_of(again).paused)
        asked = len(server.asked)
        await again.session.pause_scan(False)
        await until(lambda: scan_of(again).ended_at)
        assert known(again) == server.names
        assert None not in [cursor for cursor, size in server.asked[asked:] if size == 100]


def known_in(watched: Watched) -> list[str]:
    """What a closed dashboard's ledger knows."""
    from opdash.ledger.reader import LedgerReader

    with LedgerReader.open(watched.dashboard.reader.path) as reader:
        (wallet,) = reader.wallets()
        return [row.id for row in reader.window(wallet.address, NEWEST_FIRST, 0, 10**6)]


class TestBrokenOff:
    async def test_nothing_is_gone_before_the_end_was_seen(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path))
        await watched.session.poll_once()
        await watched.session.read_all()
        vanished = {"p0300", "p0301", "p0729"}
        server.names = [name for name in server.names if name not in vanished]
        server.twist = lambda cursor, _, page: (
            answer(b"", "503 Service Unavailable") if cursor == "p0701" else page
        )
        with pytest.raises(OpdashError):
            await watched.session.read_all()
        assert gone(watched) == set()
        server.twist = None
        progress = await watched.session.read_all()
        assert gone(watched) == vanished
        assert (progress.gone, progress.payments) == (3, 727)

    async def test_an_outage_breaks_it_off_and_it_goes_on(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path))
        await watched.session.poll_once()
        server.twist = lambda cursor, _, page: (
            answer(b"", "503 Service Unavailable") if cursor == "p0419" else page
        )
        with pytest.raises(OpdashError):
            await watched.session.read_all()
        server.twist, asked = None, len(server.asked)
        await watched.session.read_all()
        assert server.asked[asked][0] == "p0419"
        assert known(watched) == server.names

    async def test_payments_that_arrive_meanwhile_are_neither_lost_nor_gone(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path))
        await watched.session.poll_once()
        await watched.session.read_all()
        number = count()

        def arrive(_: str | None, __: int, page: dict[str, Any]) -> dict[str, Any]:
            server.names.insert(0, f"new{next(number)}")
            return page

        server.twist = arrive
        await watched.session.read_all()
        server.twist = None
        await watched.session.poll_once()
        assert gone(watched) == set()
        assert sorted(known(watched)) == sorted(server.names)


class TestLostPlaces:
    async def test_a_lost_cursor_begins_again_at_the_head(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path))
        await watched.session.poll_once()
        lost: list[str | None] = []

        def lose(cursor: str | None, _: int, page: dict[str, Any]) -> dict[str, Any]:
            if cursor == "p0219" and not lost:
                lost.append(cursor)
                return page_of([], end=None)
            return page

        server.twist = lose
        await watched.session.read_all()
        assert lost
        assert known(watched) == server.names
        assert gone(watched) == set()

    async def test_a_server_that_always_loses_it_proves_nothing(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path))
        await watched.session.poll_once()
        await watched.session.read_all()
        server.twist = lambda cursor, _, page: page if cursor is None else page_of([], end=None)
        with pytest.raises(LostCursorError):
            await watched.session.read_all()
        assert gone(watched) == set()

    async def test_a_list_that_leads_back_to_itself_ends_the_scan(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path))
        await watched.session.poll_once()
        await watched.session.read_all()
        server.twist = lambda _, size, page: (
            page if page["pagination"]["hasNextPage"] else server.page("p0099", size)
        )
        with pytest.raises(ProtocolError, match="leads back"):
            await watched.session.read_all()
        server.twist = None
        assert gone(watched) == set()
        assert (await watched.session.read_all()).payments == 730

    async def test_a_page_that_is_too_large_is_read_in_parts(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path))
        await watched.session.poll_once()
        await watched.session.read_all()

        def swell(_: str | None, size: int, page: dict[str, Any]) -> dict[str, Any]:
            if size > 30 and any("p0250" in one["id"] for one in page["result"]):
                return page | {"filler": "x" * (2 * 1024 * 1024)}
            return page

        server.twist = swell
        progress = await watched.session.read_all()
        assert (progress.payments, progress.gone) == (730, 0)
        assert {size for _, size in server.asked} >= {100, 50, 25}

    async def test_another_wallets_payments_prove_nothing(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path))
        await watched.session.poll_once()
        await watched.session.read_all()
        server.names = [f"x{number:04}" for number in range(150)]
        server.wallet_of = dict.fromkeys(server.names, f"{server.origin}/mallory")
        await watched.session.read_all()
        assert gone(watched) == set()
        assert watched.payment(f"{server.origin}/rs/incoming-payments/x0007").anomalies

    async def test_a_gap_whose_place_is_lost_is_left_to_a_scan(
        self, server: ListServer, open_at: OpenAt, tmp_path: Path
    ) -> None:
        watched = await open_at(profile_at(server, tmp_path))
        await watched.session.poll_once()
        await watched.session.read_all()
        server.names = [f"q{number:04}" for number in range(350)] + server.names
        server.twist = lambda cursor, _, page: page_of([], end=None) if cursor == "q0119" else page
        await watched.session.poll_once()
        reader, wallet = watched.dashboard.reader, watched.wallet
        walk = reader.walk_state(wallet, Scope.OWN)
        assert walk is not None
        assert (walk.gaps, walk.server_has_more) == ((), True)
        server.twist = None
        await watched.session.read_all()
        assert known(watched) == server.names
        day = datetime.now(UTC)
        assert reader.summary(wallet, day_start=day, now=day).complete


async def test_a_scan_is_due_a_day_after_the_last(
    server: ListServer, open_at: OpenAt, tmp_path: Path
) -> None:
    clock = QuickClock()
    watched = await open_at(profile_at(server, tmp_path, poll_interval=3600.0), clock=clock)
    time = asyncio.create_task(clock.run())
    watched.session.start()
    await until(lambda: scan_of(watched).ended_at)
    first, asked = scan_of(watched).ended_at, len(server.asked)
    server.names.remove("p0500")
    clock.seconds += 20 * 3600
    await until(lambda: clock.seconds > 21 * 3600)
    assert all(size != 100 or cursor is None for cursor, size in server.asked[asked:])
    assert gone(watched) == set()
    clock.seconds += 5 * 3600
    await until(lambda: scan_of(watched).ended_at != first)
    time.cancel()
    assert gone(watched) == {"p0500"}
    activities = [e.status.scan for e in watched.events if isinstance(e, StatusChanged)]
    checking = [progress for progress in activities if progress.activity is Activity.CHECKING]
    assert {progress.total for progress in checking} == {730}
    assert any(progress.left is not None for progress in checking)
