"""Doing nothing: what the screen costs while it polls a server on which nothing happens.

The screen is the real one in a pseudo-terminal, over a ledger of 100,000 payments, and polls a
sandbox that holds the same, at the usual interval. Nobody pays there. Of the newest 64 payments
some are open, as everywhere; the older ones are over.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

import msgspec
from msgspec.structs import replace

from opdash.clock import SystemClock
from opdash.ledger.records import PagePlace, Scope, Source, WalkState
from opdash.ledger.store import Ledger
from opdash.openpayments.addresses import join
from opdash.openpayments.amounts import Amount
from opdash.openpayments.client import MAX_PAGE
from opdash.openpayments.resources import IncomingPayment, Pagination, WalletAddress
from opdash.sandbox.clock import DAY, to_datetime
from opdash.sandbox.database import open_database
from opdash.sandbox.payments import IncomingPayments, IncomingRow, PageRequest
from opdash.sandbox.process import SandboxProcess
from opdash.sandbox.wallets import CLIENT, MAIN
from opdash.service.dashboard import LEDGER_FILE, Dashboard
from opdash.settings import Settings, SettingsStore
from tests.bench.figures import Bar, Figure
from tests.bench.syncing import profile_of
from tests.bench.terminal import PYTHON, started

_PAYMENTS = 100_000
_OLD = 12 * DAY
"""Microseconds after which payments are over; the sandbox makes thousands of them older."""

_SETTLING = 4.0
_SECONDS = 20.0
_HERTZ = os.sysconf("SC_CLK_TCK")


def _percent_of_a_core() -> float:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        with SandboxProcess.start(payments=_PAYMENTS, data=home / "sandbox") as sandbox:
            command = set_up(sandbox, home)
            with started(command) as screen:
                screen.wait_for(b"live")
                screen.read_for(_SETTLING)
                begun, before = perf_counter(), _processor_seconds(screen.pid)
                screen.read_for(_SECONDS)
                used, seconds = _processor_seconds(screen.pid) - before, perf_counter() - begun
    return 100 * used / seconds


def _processor_seconds(pid: int) -> float:
    """Return what all threads of a process have used, in user mode and for it in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _HERTZ


def set_up(sandbox: SandboxProcess, home: Path) -> list[str]:
    """Set opdash up over a ledger that knows what a sandbox holds; return its command.

    The ledger is filled page by page, as a scan would have read the list.
    """
    config = home / "config.toml"
    profile = replace(profile_of(sandbox), page_size=50)
    SettingsStore(config).save(Settings(profiles=(profile,)))
    wallet, now = asyncio.run(_ask(config, home)), SystemClock().now()
    instant = round(now.timestamp() * 1_000_000)
    database = open_database(home / "sandbox")
    database.execute(
        "UPDATE incoming_payments SET completed = 1 WHERE created < ?", (instant - _OLD,)
    )
    listed = IncomingPayments(database)
    cursor: str | None = None
    more = True
    with Ledger.open(home / LEDGER_FILE) as ledger:
        while more:
            page = listed.page(MAIN, CLIENT, instant, PageRequest(MAX_PAGE, cursor))
            more = page.has_next
            first, last = page.rows[0].id, page.rows[-1].id
            ledger.record(
                wallet.id,
                [_payment(wallet, row) for row in page.rows],
                at=now,
                source=Source.LIST,
                scope=Scope.OWN,
                grace=timedelta(seconds=30),
                page=PagePlace(
                    pagination=Pagination(first, last, more, cursor is not None), cursor=cursor
                ),
            )
            cursor = last
        state = WalkState(cursor=cursor, server_has_more=False, updated_at=now)
        ledger.set_walk_state(wallet.id, Scope.OWN, state)
    return [PYTHON, "-m", "opdash", "--config", str(config), "--data-dir", str(home)]


async def _ask(config: Path, home: Path) -> WalletAddress:
    dashboard = Dashboard(SettingsStore(config), home, SystemClock())
    try:
        session = dashboard.session("bench")
        await session.poll_once()
        assert session.wallet is not None
        return session.wallet
    finally:
        await dashboard.stop()


def _payment(wallet: WalletAddress, row: IncomingRow) -> IncomingPayment:
    asset = wallet.asset
    return IncomingPayment(
        id=join(wallet.resource_server, f"incoming-payments/{row.id}"),
        wallet_address=wallet.id,
        completed=row.completed,
        received_amount=Amount(str(row.received), asset.code, asset.scale),
        created_at=_told(row.created),
        incoming_amount=None
        if row.asked is None
        else Amount(str(row.asked), asset.code, asset.scale),
        expires_at=_told(row.expires),
        raw_metadata=msgspec.Raw((row.metadata or "null").encode()),
    )


def _told(instant: int) -> datetime:
    """Return an instant as the server tells it, in milliseconds."""
    return to_datetime(instant // 1000 * 1000)


FIGURES = (
    Figure(
        "idle_cpu",
        "% of a core, polling, 100,000 payments known",
        Bar.AT_MOST,
        1.0,
        _percent_of_a_core,
    ),
)
