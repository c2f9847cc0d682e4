"""What a first row costs in requests, and what two hundred requests do to a token at its end.

Requests are counted where they arrive: by the sandbox, whoever sent them, whatever was answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from opdash.clock import SystemClock
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.drafts import IncomingPaymentDraft
from opdash.openpayments.grants import Access
from opdash.openpayments.resources import IncomingPaymentPage, WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.openpayments.transport import Exchange, Observer
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.service.events import Event, PaymentsChanged
from opdash.service.rights import Right
from opdash.settings import Profile, Settings, SettingsStore
from tests.bench.figures import Bar, Figure
from tests.sandbox.support import open_client

_STORM = 200
_LIFE = 600
"""Seconds that the sandbox's tokens live."""


def _to_first_row() -> float:
    with SandboxProcess.start() as sandbox, tempfile.TemporaryDirectory() as home:
        return float(asyncio.run(_first_row(sandbox, Path(home))))


def _with_token() -> float:
    with SandboxProcess.start() as sandbox, tempfile.TemporaryDirectory() as home:
        asyncio.run(_first_row(sandbox, Path(home)))
        asyncio.run(_create(sandbox))
        return float(asyncio.run(_first_row(sandbox, Path(home))))


async def _create(sandbox: SandboxProcess) -> None:
    """Create a payment that opdash's ledger does not know, as the same client elsewhere."""
    async with open_client(sandbox) as client:
        wallet = await client.wallet_address(sandbox.main_wallet)
        access = Access("incoming-payment", ("create",))
        grant = await client.request_grant(wallet.auth_server, [access])
        assert grant.token is not None
        await client.create_incoming_payment(wallet, grant.token.value, IncomingPaymentDraft())


async def _first_row(sandbox: SandboxProcess, home: Path) -> int:
    """Start opdash as the screen does; return the requests that arrived until a row was known."""
    before = await asyncio.to_thread(sandbox.requests)
    seen: asyncio.Queue[int] = asyncio.Queue()
    async with _dashboard(sandbox, home) as dashboard:

        def hear(event: Event) -> None:
            if isinstance(event, PaymentsChanged):
                seen.put_nowait(sandbox.requests())

        dashboard.events.subscribe(hear)
        await dashboard.start()
        return await seen.get() - before


def _storm() -> float:
    with SandboxProcess.start() as sandbox, tempfile.TemporaryDirectory() as home:
        return float(asyncio.run(_rotations_and_failures(sandbox, Path(home))))


async def _rotations_and_failures(sandbox: SandboxProcess, home: Path) -> int:
    rotations = 0

    def note(made: Exchange) -> None:
        nonlocal rotations
        rotations += made.method == "POST" and "/token/" in made.url

    async with _dashboard(sandbox, home, note) as dashboard:
        connection = dashboard.session("bench").connection
        await connection.authorised(Right.INCOMING, _list)
        await asyncio.to_thread(sandbox.advance, _LIFE + 1)
        before = await asyncio.to_thread(sandbox.requests)
        asked = (connection.authorised(Right.INCOMING, _list) for _ in range(_STORM))
        ended = await asyncio.gather(*asked, return_exceptions=True)
        arrived = await asyncio.to_thread(sandbox.requests) - before
    failures = sum(isinstance(one, BaseException) for one in ended)
    assert arrived <= 2 * _STORM + rotations, "every request is sent twice at the most"
    return rotations + failures


async def _list(
    client: OpenPaymentsClient, wallet: WalletAddress, token: Secret
) -> IncomingPaymentPage:
    return await client.list_incoming_payments(wallet, token, first=1)


@contextlib.asynccontextmanager
async def _dashboard(
    sandbox: SandboxProcess, home: Path, observer: Observer | None = None
) -> AsyncIterator[Dashboard]:
    store = SettingsStore(home / "config.toml")
    if not store.load().profiles:
        store.save(Settings(profiles=(_profile(sandbox),)))
    dashboard = Dashboard(store, home, SystemClock(), observer=observer)
    try:
        yield dashboard
    finally:
        await dashboard.stop()


def _profile(sandbox: SandboxProcess) -> Profile:
    return Profile(
        "bench",
        sandbox.main_wallet,
        client_wallet_address=sandbox.client.wallet_address,
        key_id=sandbox.client.key_id,
        key_file=sandbox.client.private_key,
    )


FIGURES = (
    Figure("requests_to_first_row", "requests, nothing cached", Bar.AT_MOST, 3.0, _to_first_row),
    Figure("requests_with_token", "requests, token kept", Bar.AT_MOST, 1.0, _with_token),
    Figure("rotation_storm", "rotations + failures of 200 requests", Bar.AT_MOST, 1.0, _storm),
)
