"""Kill -9 at random points while opdash scans, polls and creates: nothing lost, nothing doubled.

One ledger lives through all rounds. In each, a process that was forked ready to work is killed a
random moment after its birth: while it opens the ledger, asks for a grant, records a page, creates
a payment. Money goes on arriving meanwhile. In the end a session reads on, and the ledger is held
against the server's own truth.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from opdash.clock import SystemClock
from opdash.errors import OpdashError
from opdash.ledger.care import check
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, CreationStatus, PaymentRow, Scope
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.grants import Access
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import IncomingPayment
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import LEDGER_FILE, Dashboard
from opdash.settings import Profile, Settings, SettingsStore
from tests.bench.figures import Bar, Figure
from tests.bench.victim import WALLET

_ROUNDS = 200
_PAYMENTS = 5000
_LONGEST = 0.3
"""Seconds from a process's birth to its death, at the most."""

_PAID_A_ROUND = 2
_PATIENCE = 120.0
"""Seconds that reading on may take in the end."""


@dataclass(slots=True)
class Toll:
    """What many rounds of killing came to.

    Attributes:
        kills: How many processes were killed at work.
        faults: All that is not as it must be, a sentence each.
        intents: The request ids that processes said they had written down.
        created: The payments that they said were created, by request id.
    """

    kills: int = 0
    faults: list[str] = field(default_factory=list)
    intents: list[str] = field(default_factory=list)
    created: dict[str, str] = field(default_factory=dict)


def kill_rounds(
    rounds: int = _ROUNDS, *, payments: int = _PAYMENTS, seed: int = 1, longest: float = _LONGEST
) -> Toll:
    """Kill so many processes at work on one ledger, and hold it against the server's truth."""
    draw, toll = random.Random(seed), Toll()
    with (
        tempfile.TemporaryDirectory() as home,
        SandboxProcess.start(payments=payments, latency=1) as sandbox,
    ):
        store = SettingsStore(Path(home) / "config.toml")
        store.load()
        store.save(Settings(profiles=(_profile(sandbox),)))
        with _breeder(Path(home)) as breeder:
            for number in range(rounds):
                order = "poll" if number % 2 else "scan"
                _kill_one(breeder, order, draw.uniform(0, longest), toll)
                _pay_some(sandbox, toll, draw)
                if number % 20 == 19:
                    _look_into(Path(home) / LEDGER_FILE, toll)
        sandbox.advance(5)  # money that is on its way arrives
        asyncio.run(asyncio.wait_for(_judge(sandbox, store, Path(home), toll), _PATIENCE))
    return toll


@contextmanager
def _breeder(home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.bench.victim", str(home / "config.toml"), str(home)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # with a fork that may still be at work


def _kill_one(breeder: subprocess.Popen[str], order: str, after: float, toll: Toll) -> None:
    assert breeder.stdin is not None
    assert breeder.stdout is not None
    breeder.stdin.write(f"{order}\n")
    breeder.stdin.flush()
    pid = int(breeder.stdout.readline().split()[1])
    time.sleep(after)
    # It cannot be another's number yet: its parent takes note of its end only after that.
    os.kill(pid, signal.SIGKILL)
    while (line := breeder.stdout.readline().split())[0] != "ended":
        if line[0] == "intent":
            toll.intents.append(line[1])
        elif line[0] == "created":
            toll.created[line[1]] = line[2]
    if int(line[1]) == -signal.SIGKILL:
        toll.kills += 1
    else:
        toll.faults.append("a process ended before it was killed")


def _pay_some(sandbox: SandboxProcess, toll: Toll, draw: random.Random) -> None:
    urls = sorted(toll.created.values())
    for url in draw.sample(urls, min(len(urls), _PAID_A_ROUND)):
        with suppress(OpdashError):  # it may have all that it takes
            sandbox.pay(url, draw.randrange(1, 40), packets=1)


def _look_into(path: Path, toll: Toll) -> None:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
    if found != [("ok",)]:
        toll.faults.append(f"the file is damaged: {found[0][0]}")


async def _judge(sandbox: SandboxProcess, store: SettingsStore, home: Path, toll: Toll) -> None:
    dashboard = Dashboard(store, home, SystemClock())
    try:
        session = dashboard.session(WALLET)
        await session.poll_once()
        for _ in range(2):  # what is left of a scan, and a whole one
            await session.read_all()
        await session.poll_once()
    finally:
        await dashboard.stop()
    health = check(home / LEDGER_FILE)
    toll.faults += [finding.text for finding in health.findings if not finding.ok]
    truth = await _truth(sandbox)
    with LedgerReader.open(home / LEDGER_FILE) as reader:
        compare(reader, sandbox.main_wallet, truth, toll)
        look_at_creations(reader, truth, toll)


def compare(reader: LedgerReader, wallet: str, truth: list[IncomingPayment], toll: Toll) -> None:
    """Hold what the ledger knows against the server's list."""
    rows = reader.window(wallet, NEWEST_FIRST, 0, 10**6)
    toll.faults += [f"twice in the ledger: {url}" for url in _doubles(row.id for row in rows)]
    known = {row.id: row for row in rows}
    for payment in truth:
        row = known.pop(payment.id, None)
        if row is None:
            toll.faults.append(f"lost: {payment.id}")
        elif _facts(row) != (payment.received_amount.minor_units, payment.completed, None):
            toll.faults.append(f"not as at the server: {payment.id}, {_facts(row)}")
        else:
            entries = reader.timeline(wallet, payment.id)
            if sum(entry.delta or 0 for entry in entries) != row.received:
                toll.faults.append(f"its steps do not add up: {payment.id}")
    toll.faults += [f"made up: {url}" for url in known]
    scan = reader.scan(wallet, Scope.OWN)
    if scan.ended_at is None or scan.began_at is not None or scan.total != len(truth):
        toll.faults.append(f"the scan has not ended whole: {scan}")


def look_at_creations(reader: LedgerReader, truth: list[IncomingPayment], toll: Toll) -> None:
    """Hold what was set out to be created against what there is."""
    at_server = [
        (intent, payment.id)
        for payment in truth
        for intent in toll.intents
        if "opdashRequestId" in payment.metadata_json and intent in payment.metadata_json
    ]
    toll.faults += [f"created twice: {one}" for one in _doubles(intent for intent, _ in at_server)]
    found = dict(at_server)
    for intent in toll.intents:
        creation = reader.creation(intent)
        if creation is None:
            toll.faults.append(f"an intent is lost: {intent}")
        elif intent in found and creation.payment_id != found[intent]:
            toll.faults.append(f"created, but not known to be: {creation}")
        elif intent not in found and creation.status is CreationStatus.CREATED:
            toll.faults.append(f"said to be created: {creation}")


def _facts(row: PaymentRow) -> tuple[int, bool, object]:
    return row.received, row.completed, row.gone_at


def _doubles(names: Iterator[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


async def _truth(sandbox: SandboxProcess) -> list[IncomingPayment]:
    """Return the list as a client of its own reads it."""
    key = ClientKey.from_pem(sandbox.client.private_key.read_bytes(), sandbox.client.key_id)
    async with OpenPaymentsClient(
        key=key, client_wallet_address=sandbox.client.wallet_address, clock=SystemClock()
    ) as client:
        wallet = await client.wallet_address(sandbox.main_wallet)
        grant = await client.request_grant(
            wallet.auth_server, [Access("incoming-payment", ("list",))]
        )
        assert grant.token is not None
        pages = client.walk_incoming_payments(wallet, grant.token.value)
        return [payment async for page in pages for payment in page.result]


def _profile(sandbox: SandboxProcess) -> Profile:
    return Profile(
        WALLET,
        sandbox.main_wallet,
        client_wallet_address=sandbox.client.wallet_address,
        key_id=sandbox.client.key_id,
        key_file=sandbox.client.private_key,
        poll_rate=100.0,
    )


def _faults() -> float:
    toll = kill_rounds()
    return len(toll.faults)


FIGURES = (
    Figure(
        "kill_rounds",
        f"payments lost or doubled and other faults in {_ROUNDS} kills",
        Bar.AT_MOST,
        0.0,
        _faults,
    ),
)
