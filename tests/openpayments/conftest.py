"""What the protocol library's tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings

from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import WalletAddress
from opdash.openpayments.transport import Exchange
from tests.openpayments.rawserver import RawServer, running

settings.register_profile("opdash", deadline=None)
settings.load_profile("opdash")

KEY = ClientKey.generate("till-1")


class StillClock:
    """A clock that moves only when told to, and sleeps without waiting."""

    def __init__(self, now: datetime = datetime(2026, 11, 20, 4, 10, 4, tzinfo=UTC)) -> None:
        self.instant = now
        self.slept = 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.instant += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def key() -> ClientKey:
    return KEY


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    async with running() as server:
        yield server


@pytest.fixture
def wallet(raw: RawServer) -> WalletAddress:
    return WalletAddress(
        id=f"{raw.origin}/rosa",
        asset_code="EUR",
        asset_scale=2,
        auth_server=f"{raw.origin}/auth/tenant",
        resource_server=f"{raw.origin}/tenant",
    )


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
async def client(
    raw: RawServer, key: ClientKey, clock: StillClock, exchanges: list[Exchange]
) -> AsyncIterator[OpenPaymentsClient]:
    async with OpenPaymentsClient(
        key=key,
        client_wallet_address=f"{raw.origin}/till",
        clock=clock,
        observer=exchanges.append,
    ) as made:
        yield made
