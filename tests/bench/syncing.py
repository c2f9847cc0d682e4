"""Reading a whole list into the ledger: against a naive pipeline, and a client that discards.

All ways fetch the same pages, one after the other, on connections and tokens that are there
already. opdash reads them as ``opdash sync`` does: decoded, checked, derived, recorded with their
time lines, ready to be sorted and searched.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from opdash.clock import SystemClock
from opdash.openpayments.addresses import join, with_query
from opdash.openpayments.client import MAX_PAGE, OpenPaymentsClient
from opdash.openpayments.grants import Access
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.secrets import Secret
from opdash.openpayments.signatures import sign_request
from opdash.openpayments.transport import Exchange
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.settings import Profile, Settings, SettingsStore
from tests.bench.decoding import decode_with_json
from tests.bench.figures import Bar, Figure

_PAYMENTS = 5000
_ROUNDS = 5
_NAIVE_ROUNDS = 2
"""It takes three times as long as all else in a round, and need not be told to the percent."""


@dataclass(frozen=True, slots=True)
class _Requests:
    """Signs and fetches the pages after the first, as every client must.

    Attributes:
        key: The client's key.
        token: The access token.
        urls: Of the pages, in order.
    """

    key: ClientKey
    token: Secret
    urls: tuple[str, ...]

    async def fetch(
        self, client: httpx.AsyncClient, take: Callable[[bytes], object]
    ) -> list[float]:
        """Fetch all pages and hand on each body; return the seconds that each took."""
        marks = [perf_counter()]
        for url in self.urls:
            headers = sign_request(
                self.key,
                "GET",
                url,
                created=int(time.time()),
                authorization=f"GNAP {self.token.reveal()}",
            )
            answer = (await client.get(url, headers=headers)).raise_for_status()
            take(answer.content)
            marks.append(perf_counter())
        return _between(marks)


def _share_of_bare_rate(latency: int) -> float:
    bare, own, _ = _measure(latency, naive=False)
    return bare / own


def _times_faster() -> float:
    _, own, naive = _measure(0, naive=True)
    return naive / own


def _measure(latency: int, *, naive: bool) -> tuple[float, float, float]:
    """Return the best seconds of a client that discards, of opdash, and of the naive pipeline."""
    with SandboxProcess.start(payments=_PAYMENTS, latency=latency) as sandbox:
        return asyncio.run(_rounds(sandbox, naive=naive))


async def _rounds(sandbox: SandboxProcess, *, naive: bool) -> tuple[float, float, float]:
    requests = await _prepare(sandbox)
    bare: list[float] = []
    own: list[float] = []
    naively: list[float] = []
    for turn in range(_ROUNDS):
        async with httpx.AsyncClient() as client:
            await client.get(sandbox.main_wallet)
            bare = _better(bare, await requests.fetch(client, _discard))
            if naive and turn < _NAIVE_ROUNDS:
                naively = _better(naively, await _naive(client, requests))
        own = _better(own, await sync_once(sandbox))
    return sum(bare), sum(own), sum(naively)


def _between(marks: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(marks)]


def _better(best: list[float], seconds: list[float]) -> list[float]:
    """Keep each page's best time: what disturbed the others was not ours."""
    return [min(pair) for pair in zip(best or seconds, seconds, strict=True)]


async def _prepare(sandbox: SandboxProcess) -> _Requests:
    key = ClientKey.from_pem(sandbox.client.private_key.read_bytes(), sandbox.client.key_id)
    async with OpenPaymentsClient(
        key=key, client_wallet_address=sandbox.client.wallet_address, clock=SystemClock()
    ) as client:
        wallet = await client.wallet_address(sandbox.main_wallet)
        access = Access("incoming-payment", ("list",))
        grant = await client.request_grant(wallet.auth_server, [access])
        assert grant.token is not None
        token = grant.token.value
        cursors = [
            str(page.pagination.end_cursor)
            async for page in client.walk_incoming_payments(wallet, token)
            if page.pagination.has_next_page
        ]
    query = {"wallet-address": wallet.id, "first": str(MAX_PAGE)}
    base = join(wallet.resource_server, "incoming-payments")
    urls = tuple(with_query(base, query | {"cursor": cursor}) for cursor in cursors)
    return _Requests(key, token, urls)


def _discard(body: bytes) -> None:
    pass


async def _naive(client: httpx.AsyncClient, requests: _Requests) -> list[float]:
    """Time what one writes first: json, dataclasses, and a row at a time into one table."""
    with tempfile.TemporaryDirectory() as home:
        connection = sqlite3.connect(Path(home) / "naive.sqlite3")
        connection.execute(
            """CREATE TABLE payment (id TEXT PRIMARY KEY, wallet TEXT, completed INTEGER,
               received TEXT, asked TEXT, created_at TEXT, expires_at TEXT, metadata TEXT)"""
        )

        def take(body: bytes) -> None:
            for payment in decode_with_json(body).result:
                _insert(connection, payment)

        seconds = await requests.fetch(client, take)
        (known,) = connection.execute("SELECT COUNT(*) FROM payment").fetchone()
        connection.close()
    assert known == _PAYMENTS - MAX_PAGE
    return seconds


def _insert(connection: sqlite3.Connection, payment: Any) -> None:
    asked = payment.incoming_amount
    with connection:
        connection.execute(
            "INSERT OR REPLACE INTO payment VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                payment.id,
                payment.wallet_address,
                payment.completed,
                payment.received_amount.value,
                None if asked is None else asked.value,
                payment.created_at.isoformat(),
                None if payment.expires_at is None else payment.expires_at.isoformat(),
                json.dumps(payment.metadata),
            ),
        )


async def sync_once(sandbox: SandboxProcess, *, inspected: bool = False) -> list[float]:
    """Time a session that reads all pages after the first into a new ledger.

    Args:
        sandbox: Whose list.
        inspected: Whether its requests are kept for the inspector, as a screen does.

    Returns:
        The seconds between the ends of answers, and last those until everything was recorded.
    """
    marks: list[float] = []

    def note(_: Exchange) -> None:
        marks.append(perf_counter())

    with tempfile.TemporaryDirectory() as home:
        store = SettingsStore(Path(home) / "config.toml")
        store.load()
        store.save(Settings(profiles=(profile_of(sandbox),)))
        dashboard = Dashboard(store, Path(home), SystemClock(), observer=note, inspected=inspected)
        try:
            session = dashboard.session("bench")
            await session.poll_once()
            marks[:] = [perf_counter()]
            await session.read_all()
            marks.append(perf_counter())
            assert dashboard.reader.count(sandbox.main_wallet) == _PAYMENTS
        finally:
            await dashboard.stop()
    return _between(marks)


def profile_of(sandbox: SandboxProcess) -> Profile:
    """Return the profile of the sandbox's main wallet address, in the largest pages."""
    return Profile(
        "bench",
        sandbox.main_wallet,
        client_wallet_address=sandbox.client.wallet_address,
        key_id=sandbox.client.key_id,
        key_file=sandbox.client.private_key,
        page_size=MAX_PAGE,
    )


FIGURES = (
    Figure("sync_0ms", "× json, dataclasses, row by row", Bar.AT_LEAST, 3.0, _times_faster),
    Figure(
        "sync_20ms",
        "× the rate of a client that discards",
        Bar.AT_LEAST,
        0.94,
        partial(_share_of_bare_rate, 20),
    ),
    Figure(
        "sync_50ms",
        "× the rate of a client that discards",
        Bar.AT_LEAST,
        0.97,
        partial(_share_of_bare_rate, 50),
    ),
)
