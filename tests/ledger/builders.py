"""Answers of a server, made for tests of the ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from opdash.ledger.records import Change, PagePlace, Scope, Source
from opdash.ledger.store import Ledger
from opdash.openpayments.amounts import Amount
from opdash.openpayments.resources import IncomingPayment, Pagination, WalletAddress

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GRACE = timedelta(seconds=30)
SERVER = "https://rs.example/tenant"
ADDRESS = "https://wallet.example/rosa"
WALLET = WalletAddress(
    id=ADDRESS,
    asset_code="USD",
    asset_scale=2,
    auth_server="https://auth.example/tenant",
    resource_server=SERVER,
    public_name="Rosa's Shop",
)
OTHER = WalletAddress(
    id="https://wallet.example/yen",
    asset_code="JPY",
    asset_scale=0,
    auth_server="https://auth.example/tenant",
    resource_server=SERVER,
)


def payment_id(name: str) -> str:
    return f"{SERVER}/incoming-payments/{name}"


def payment(
    name: str = "p",
    *,
    asked: int | None = 1000,
    received: int = 0,
    completed: bool = False,
    created: datetime = NOW,
    expires: datetime | None = NOW + timedelta(days=2),
    metadata: Any = None,
    code: str = "USD",
    scale: int = 2,
    asked_code: str | None = None,
    wallet: str = ADDRESS,
    url: str | None = None,
    updated: datetime | None = None,
) -> IncomingPayment:
    """Return an incoming payment; ``metadata`` is an object or the JSON text of one."""
    text = metadata if isinstance(metadata, str) else json.dumps(metadata) if metadata else ""
    asks = None if asked is None else Amount(str(asked), asked_code or code, scale)
    return IncomingPayment(
        id=payment_id(name) if url is None else url,
        wallet_address=wallet,
        completed=completed,
        received_amount=Amount(str(received), code, scale),
        created_at=created,
        incoming_amount=asks,
        expires_at=expires,
        updated_at=updated,
        raw_metadata=msgspec.Raw(text.encode()),
    )


def page_place(
    *,
    cursor: str | None = None,
    start: str | None = None,
    end: str | None = None,
    more: bool = False,
    before: bool = False,
    backwards: bool = False,
) -> PagePlace:
    pagination = Pagination(
        start_cursor=start, end_cursor=end, has_next_page=more, has_previous_page=before
    )
    return PagePlace(pagination=pagination, cursor=cursor, backwards=backwards)


class Book:
    """A ledger that knows one wallet address, and the circumstances of most tests."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ledger = Ledger.open(path)
        self.ledger.remember_wallet(WALLET, NOW)

    def record(
        self,
        *payments: IncomingPayment,
        at: datetime = NOW,
        source: Source = Source.LIST,
        scope: Scope = Scope.OWN,
        page: PagePlace | None = None,
        ticket: int | None = None,
        wallet_id: str = ADDRESS,
    ) -> tuple[Change, ...]:
        return self.ledger.record(
            wallet_id,
            payments,
            at=at,
            source=source,
            scope=scope,
            grace=GRACE,
            page=page,
            ticket=ticket,
        )

    def mark_gone(
        self,
        name: str,
        *,
        at: datetime = NOW,
        scope: Scope = Scope.OWN,
        ticket: int | None = None,
    ) -> tuple[Change, ...]:
        return self.ledger.mark_gone(
            ADDRESS, payment_id(name), at=at, grace=GRACE, scope=scope, ticket=ticket
        )

    def advance(self, now: datetime) -> tuple[Change, ...]:
        return self.ledger.advance(now, GRACE, ADDRESS)


def names(rows: Sequence[Any]) -> list[str]:
    """Return the last segments of payments' URLs."""
    return [row.id.rpartition("/")[2] for row in rows]
