"""How cheap polls are: plans against an optimum and against single gets, quiet polls, memory.

The plans are those that a poll draws from a ledger of 5,000 payments, of which 200 can change,
read in pages of 100 as a scan reads them. The optimum is computed in another way, from the true
places and all cursors: row by row, with every page there is, and for a dozen payments by trying
every mixture.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import resource
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from math import inf
from pathlib import Path
from statistics import fmean

from opdash.clock import SystemClock
from opdash.ledger.charting import Chart, Place
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import PagePlace, Scope, Source
from opdash.ledger.store import Ledger
from opdash.openpayments.amounts import Amount
from opdash.openpayments.resources import IncomingPayment, Pagination, WalletAddress
from opdash.openpayments.transport import Exchange
from opdash.sandbox.process import SandboxProcess
from opdash.service.costs import RequestCost
from opdash.service.covering import MAX_PAGE
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.planner import (
    MIN_HEAD,
    Due,
    Page,
    Terms,
    due_payments,
    plan_poll,
)
from opdash.service.session import WalletSession
from opdash.settings import Profile, Settings, SettingsStore
from tests.bench.figures import Bar, Figure
from tests.service.plan_costs import cost_of

_KNOWN = 5_000
_OPEN = 200
_SEEDS = range(4)
_FEW = 12
_SMALL_LISTS = 12
_LATENCIES = (0.0, 20.0, 50.0)
_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_ADDRESS = "https://ilp.example/rosa"
_SERVER = "https://rs.example"
_POLLS = 720
_WARM_UP = 720
_TRACED = 360
_KEPT = 20
"""How many requests are kept for a person to look at: so few that all are, before memory is
looked at for the first time."""


# Lists and the plans that polls draw for them


def _scattered(seed: int) -> list[int]:
    return sorted(random.Random(seed).sample(range(_KNOWN), _OPEN))


def _clustered(seed: int) -> list[int]:
    """Twenty payments each among thirty that follow each other, ten times."""
    chance = random.Random(seed)
    starts = chance.sample(range(0, _KNOWN - 30, 30), _OPEN // 20)
    return sorted(start + at for start in starts for at in chance.sample(range(30), 20))


def _identifier(place: int) -> str:
    return f"{place:08x}-0000-4000-8000-000000000000"


def _payment(place: int, *, is_open: bool) -> IncomingPayment:
    created = _NOW - timedelta(minutes=place)
    return IncomingPayment(
        id=f"{_SERVER}/incoming-payments/{_identifier(place)}",
        wallet_address=_ADDRESS,
        completed=not is_open,
        received_amount=Amount("0" if is_open else "500", "USD", 2),
        created_at=created,
        incoming_amount=Amount("500", "USD", 2),
        expires_at=_NOW + timedelta(days=30),
    )


@cache
def _drawn_from(open_ones: tuple[int, ...]) -> tuple[tuple[Due, ...], Chart]:
    """Return what a poll knows of a list, an hour after a scan has read it."""
    wallet = WalletAddress(_ADDRESS, "USD", 2, "https://auth.example", _SERVER)
    still_open = set(open_ones)
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "ledger.sqlite3"
        with Ledger.open(path) as ledger, LedgerReader.open(path) as reader:
            ledger.remember_wallet(wallet, _NOW)
            for first in range(0, _KNOWN, MAX_PAGE):
                last = first + MAX_PAGE - 1
                ledger.record(
                    _ADDRESS,
                    [_payment(at, is_open=at in still_open) for at in range(first, last + 1)],
                    at=_NOW,
                    source=Source.LIST,
                    scope=Scope.OWN,
                    grace=timedelta(seconds=30),
                    page=PagePlace(
                        pagination=Pagination(
                            start_cursor=_identifier(first),
                            end_cursor=_identifier(last),
                            has_next_page=last + 1 < _KNOWN,
                        ),
                        cursor=_identifier(first - 1) if first else None,
                    ),
                )
            changeable = reader.changeable(_ADDRESS)
            due = due_payments(changeable, now=_NOW + timedelta(hours=1), interval=5.0)
            chart = reader.chart(_ADDRESS, Scope.OWN, [one.number for one in due])
    assert len(due) == len(open_ones)
    return due, chart


def _planned(open_ones: Sequence[int], latency: float, *, ids: bool) -> float:
    """Return what a poll's plan costs, checked to refresh all that is open."""
    due, chart = _drawn_from(tuple(open_ones))
    cost = RequestCost(latency=latency)
    return _checked_cost(due, chart, Terms(cost, takes_ids=ids), set(open_ones))


def _checked_cost(due: Sequence[Due], chart: Chart, terms: Terms, open_ones: set[int]) -> float:
    plan = plan_poll(due, chart, terms)
    shown: set[int] = set()
    for request in plan.requests:
        if not isinstance(request, Page):
            shown.add(_place(request.payment_id))
        elif request.cursor is None:
            shown.update(range(request.rows))
        elif request.backwards:
            shown.update(range(_place(request.cursor) - request.rows, _place(request.cursor)))
        else:
            shown.update(
                range(_place(request.cursor) + 1, _place(request.cursor) + 1 + request.rows)
            )
    assert shown >= open_ones
    return cost_of(plan, terms.cost)


def _place(name: str) -> int:
    return int(name.rpartition("/")[2][:8], 16)


# The optimum, computed in other ways


def _row_by_row(open_ones: Sequence[int], cursors: Sequence[int], cost: RequestCost) -> float:
    """Return the least cost of refreshing all, going down the list with every page there is."""
    is_open = set(open_ones)
    end = _KNOWN + MAX_PAGE
    least = [inf] * (end + 1)
    for rows in range(MIN_HEAD, MAX_PAGE + 1):
        least[rows] = cost.of_page(rows)
    stands = [False] * (end + 1)
    for cursor in cursors:
        stands[cursor] = True
    for row in range(MIN_HEAD, _KNOWN):
        here = least[row]
        if row not in is_open:
            least[row + 1] = min(least[row + 1], here)
            continue
        least[row + 1] = min(least[row + 1], here + cost.of_get())
        for cursor in range(max(row - MAX_PAGE, 0), row):
            if stands[cursor]:
                for stop in range(row + 1, cursor + MAX_PAGE + 2):
                    least[stop] = min(least[stop], here + cost.of_page(stop - cursor - 1))
        for cursor in range(row + 1, min(row + MAX_PAGE, _KNOWN - 1) + 1):
            if stands[cursor]:
                least[cursor] = min(least[cursor], here + cost.of_page(cursor - row))
    return min(least[_KNOWN:])


def _tried_out(open_ones: Sequence[int], cursors: Sequence[int], cost: RequestCost) -> float:
    """Return the least cost of refreshing a few payments, having tried every mixture."""
    pages: dict[int, float] = {}

    def offer(first: int, last: int) -> None:
        shown = sum(1 << bit for bit, place in enumerate(open_ones) if first <= place <= last)
        pages[shown] = min(pages.get(shown, inf), cost.of_page(last - first + 1))

    for cursor in cursors:
        for rows in range(1, MAX_PAGE + 1):
            offer(cursor + 1, cursor + rows)
            offer(cursor - rows, cursor - 1)
    for bit in range(len(open_ones)):
        pages[1 << bit] = min(pages.get(1 << bit, inf), cost.of_get())
    least = [inf] * (1 << len(open_ones))
    for rows in range(MIN_HEAD, MAX_PAGE + 1):
        shown = sum(1 << bit for bit, place in enumerate(open_ones) if place < rows)
        least[shown] = min(least[shown], cost.of_page(rows))
    for state, here in enumerate(least):
        if here < inf:
            for shown, price in pages.items():
                if shown & ~state:
                    least[state | shown] = min(least[state | shown], least[state] + price)
    return least[-1]


def _over_optimum() -> float:
    """Return the worst ratio of a plan's cost to the optimum."""
    worst = 0.0
    recorded = sorted({*range(0, _KNOWN, MAX_PAGE), *range(MAX_PAGE - 1, _KNOWN, MAX_PAGE)})
    for choose in (_scattered, _clustered):
        for seed in _SEEDS:
            places = choose(seed)
            for latency in _LATENCIES:
                cost = RequestCost(latency=latency)
                for ids, cursors in ((False, recorded), (True, list(range(_KNOWN)))):
                    optimum = _row_by_row(places, cursors, cost)
                    worst = max(worst, _planned(places, latency, ids=ids) / optimum)
    return max(worst, _over_exhaustive())


def _over_exhaustive() -> float:
    worst = 0.0
    for seed in range(_SMALL_LISTS):
        chance = random.Random(seed)
        span = (60, 200, 600)[seed % 3]
        places = sorted(chance.sample(range(span), _FEW))
        cursors = sorted(chance.sample(range(span + 20), 10))
        chart = Chart(
            tuple(Place(at, _identifier(at)) for at in places),
            tuple(Place(at, _identifier(at)) for at in cursors),
        )
        due = [Due(_identifier(at), at, 1.0) for at in places]
        for latency in _LATENCIES:
            cost = RequestCost(latency=latency)
            planned = _checked_cost(due, chart, Terms(cost), set(places))
            worst = max(worst, planned / _tried_out(places, cursors, cost))
    return worst


def _share_of_gets(choose: Callable[[int], list[int]], *, ids: bool) -> float:
    """Return a plan's cost as a share of the head's and single gets', over some lists."""
    cost = RequestCost(latency=50.0)
    shares = []
    for seed in _SEEDS:
        places = choose(seed)
        beyond = sum(place >= MIN_HEAD for place in places)
        gets = cost.of_page(MIN_HEAD) + beyond * cost.of_get()
        shares.append(_planned(places, 50.0, ids=ids) / gets)
    return fmean(shares)


# Polls over HTTP


def _quiet_poll() -> float:
    """Return the most requests of a poll when all that can change stands in the list's head."""
    with SandboxProcess.start(payments=400) as sandbox, tempfile.TemporaryDirectory() as home:
        return asyncio.run(_count_requests(sandbox, Path(home)))


async def _count_requests(sandbox: SandboxProcess, home: Path) -> float:
    made: list[Exchange] = []
    dashboard = _dashboard(sandbox, home, made)
    try:
        session = dashboard.session("bench")
        await session.poll_once()
        await session.read_all()
        sandbox.advance(40 * 86_400)
        for _ in range(3):
            await session.create_payment(PaymentDraft(amount=500))
        await session.poll_once()
        await session.read_all()
        await asyncio.sleep(2.0)  # a wallet address that was remembered is confirmed by then
        most = 0
        for _ in range(20):
            made.clear()
            await session.poll_once()
            most = max(most, len(made))
            await asyncio.sleep(0.05)
        return most
    finally:
        await dashboard.stop()


def _memory_growth() -> float:
    """Return what an hour's worth of polls adds to memory, measured in a process of its own.

    What the process holds is looked at first, then what Python holds: tracing takes memory itself.
    """
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench.planning"],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    measured = json.loads(told.stdout)
    return float(max(measured["heap"], measured["resident"]))


async def _poll_for_an_hour() -> None:
    """Poll as often as in an hour, and print what is held compared with after a warm-up."""
    with SandboxProcess.start(payments=300) as sandbox, tempfile.TemporaryDirectory() as home:
        dashboard = _dashboard(sandbox, Path(home), None)
        try:
            session = dashboard.session("bench")
            await session.poll_once()
            await session.read_all()
            changeable = dashboard.reader.changeable(sandbox.main_wallet)
            session.watch_on_screen(one.id for one in changeable)
            await _poll(session, _WARM_UP)
            resident = _resident()
            await _poll(session, _POLLS)
            grown = {"resident": _resident() / resident}
            tracemalloc.start()
            await _poll(session, _TRACED // 4)
            heap = _heap()
            await _poll(session, _TRACED)
            grown["heap"] = 1.0 + (_heap() - heap) * (_POLLS / _TRACED) / resident
        finally:
            await dashboard.stop()
    sys.stdout.write(json.dumps(grown))


async def _poll(session: WalletSession, times: int) -> None:
    for _ in range(times):
        await session.poll_once()


def _heap() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _resident() -> int:
    """Return the bytes of memory that the process holds, or held at the most."""
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        return int(statistics.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _dashboard(sandbox: SandboxProcess, home: Path, made: list[Exchange] | None) -> Dashboard:
    profile = Profile(
        "bench",
        sandbox.main_wallet,
        client_wallet_address=sandbox.client.wallet_address,
        key_id=sandbox.client.key_id,
        key_file=sandbox.client.private_key,
        poll_interval=0.2,
        poll_rate=1000.0,
        page_size=MAX_PAGE,
    )
    store = SettingsStore(home / "config.toml")
    store.load()
    store.save(Settings(profiles=(profile,), inspector_requests=_KEPT))
    observer = None if made is None else made.append
    return Dashboard(store, home, SystemClock(), observer=observer)


FIGURES = (
    Figure("plan_optimum", "× the optimum, worst list", Bar.AT_MOST, 1.02, _over_optimum),
    Figure(
        "plan_vs_gets",
        "× single gets: scattered, recorded cursors",
        Bar.AT_MOST,
        0.35,
        partial(_share_of_gets, _scattered, ids=False),
    ),
    Figure(
        "plan_vs_gets_ids",
        "× single gets: scattered, payments as cursors",
        Bar.AT_MOST,
        0.27,
        partial(_share_of_gets, _scattered, ids=True),
    ),
    Figure(
        "plan_vs_gets_close",
        "× single gets: in clusters, recorded cursors",
        Bar.AT_MOST,
        0.1,
        partial(_share_of_gets, _clustered, ids=False),
    ),
    Figure("quiet_poll", "requests, counted on the wire", Bar.AT_MOST, 1.0, _quiet_poll),
    Figure(
        "poll_memory",
        f"× after {_POLLS} more polls",
        Bar.AT_MOST,
        1.02,
        _memory_growth,
    ),
)

if __name__ == "__main__":
    asyncio.run(_poll_for_an_hour())
