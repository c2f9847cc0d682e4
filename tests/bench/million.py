"""A ledger of a million payments, recorded once for all figures that need one."""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from unittest.mock import patch

import msgspec

from opdash.ledger import database
from opdash.ledger.records import Scope, Source
from opdash.ledger.store import Ledger
from opdash.openpayments.amounts import Amount
from opdash.openpayments.resources import IncomingPayment, WalletAddress

COUNT = 1_000_000
"""How many payments it holds."""

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADDRESS = "https://ilp.example/rosa"

_SERVER = "https://rs.example"
_AT_ONCE = 5_000
_EVERY = timedelta(seconds=30)
_CACHE_KIB = 256 * 1024
_CHECKPOINT_PAGES = 100_000
WORDS = ("lamp", "chair", "table", "desk", "coffee", "blue", "repair", "subscription", "donation")
"""Four of these are each payment's description."""


@cache
def million_ledger(count: int = COUNT) -> Path:
    """Return the ledger's path; it is made by the first call and removed at the end."""
    directory = Path(tempfile.mkdtemp(prefix="opdash-bench-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    path = directory / "ledger.sqlite3"
    wallet = WalletAddress(
        id=ADDRESS,
        asset_code="USD",
        asset_scale=2,
        auth_server="https://auth.example",
        resource_server=_SERVER,
    )
    with _in_large_pieces(), Ledger.open(path) as ledger:
        ledger.remember_wallet(wallet, NOW)
        for first in range(0, count, _AT_ONCE):
            ledger.record(
                ADDRESS,
                list(_payments(first, min(first + _AT_ONCE, count))),
                at=NOW,
                source=Source.LIST,
                scope=Scope.EVERYTHING,
                grace=timedelta(seconds=30),
            )
    return path


@contextmanager
def _in_large_pieces() -> Iterator[None]:
    """Let SQLite hold more before it writes: how long making the ledger takes is no figure."""
    with (
        patch.object(database, "_CACHE_KIB", _CACHE_KIB),
        patch.object(database, "_CHECKPOINT_PAGES", _CHECKPOINT_PAGES),
    ):
        yield


def _payments(first: int, last: int) -> Iterator[IncomingPayment]:
    """Make payments, the newest first, half a minute apart; every fifth is paid."""
    chance = random.Random(first)
    for number in range(first, last):
        asked = chance.randrange(100, 100_000)
        paid = number % 5 == 0
        description = " ".join(chance.choices(WORDS, k=4))
        metadata = (
            f'{{"externalRef":"INV-2026-{number:07}","description":"{description}",'
            f'"customer":"C-{chance.randrange(10_000):04}"}}'
        )
        created = NOW - number * _EVERY
        yield IncomingPayment(
            id=f"{_SERVER}/incoming-payments/{chance.getrandbits(128):032x}",
            wallet_address=ADDRESS,
            completed=paid,
            received_amount=Amount(str(asked if paid else 0), "USD", 2),
            created_at=created,
            incoming_amount=Amount(str(asked), "USD", 2),
            expires_at=created + timedelta(days=30),
            raw_metadata=msgspec.Raw(metadata.encode()),
        )
