"""Sales at the counter: which payments are the till's, what became of them, and watching one.

A sale is a creation whose metadata names the till as its source. Creations are in the ledger before
anything is sent, so a sale is found again whatever ended opdash in between; that a person has seen
the end of one is a remark in the payment's time line.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from opdash.clock import Clock
from opdash.errors import OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.receipts import day_starts
from opdash.ledger.records import UNRESOLVED, Creation, CreationStatus, PaymentRow, TimelineKind
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from opdash.openpayments.resources import WalletAddress
from opdash.service.drafts import PaymentDraft

SOURCE = "till"
"""What a till's payments carry as ``source`` in their metadata."""

SPANS = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 60))
"""How long a customer may have to pay."""

USUAL_SPAN = SPANS[1]
"""How long a customer has unless a person says otherwise."""

LOOK_EVERY = 1.5
"""Seconds between two looks at a payment that a customer stands there for."""

_LONGEST_PAUSE = 6.0
"""Seconds between two looks at the most while a server does not answer."""

_REMEMBERED = timedelta(hours=24)
"""How old a sale may be and still be shown again as the one under way."""

_NOT_CREATED = (CreationStatus.FAILED, CreationStatus.NOT_FOUND)

_SEEN = "At the till: "
"""What a remark begins with that says that a person has seen how a sale stood."""


def till_draft(amount: int, reference: str, expires_at: datetime) -> PaymentDraft:
    """Return what a till asks a server to create; the amount in minor units."""
    return PaymentDraft(
        amount=amount, reference=reference, expires_at=expires_at, metadata={"source": SOURCE}
    )


class Standing(Enum):
    """What a person at the counter has to know of a payment."""

    WAITING = "waiting"
    """Nothing has arrived yet."""
    PART = "part"
    """Some of it has."""
    ARRIVED = "arrived"
    """All of it has; the wallet has not closed the payment yet."""
    ENDING = "ending"
    """It has expired; the server's last word is waited for."""
    PAID = "paid"
    OVERPAID = "overpaid"
    SHORT = "short"
    """Closed with a part of it."""
    CLOSED = "closed"
    """Closed with nothing."""
    EXPIRED_PART = "expired with a part"
    EXPIRED = "expired"
    STRANGE = "strange"
    """The server told something that it must not, or no longer has the payment."""

    @property
    def is_over(self) -> bool:
        """Whether a person can go on to the next customer."""
        return self not in (Standing.WAITING, Standing.PART, Standing.ARRIVED, Standing.ENDING)


_STANDINGS = {
    State.UNPAID: Standing.WAITING,
    State.OPEN: Standing.WAITING,
    State.PARTIAL: Standing.PART,
    State.RECEIVING: Standing.PART,
    State.SETTLING: Standing.ARRIVED,
    State.EXPIRING: Standing.ENDING,
    State.PAID: Standing.PAID,
    State.RECEIVED: Standing.PAID,
    State.OVERPAID: Standing.OVERPAID,
    State.CLOSED_SHORT: Standing.SHORT,
    State.CLOSED_UNPAID: Standing.CLOSED,
    State.EXPIRED_PARTIAL: Standing.EXPIRED_PART,
    State.EXPIRED_UNPAID: Standing.EXPIRED,
}


def standing(row: PaymentRow) -> Standing:
    """Return how a sale stands; whatever is odd about its payment goes before all else.

    Time alone proves no end: while nobody has seen the payment since it expired, more may have
    arrived than is known.
    """
    if row.anomalies:
        return Standing.STRANGE
    stands = _STANDINGS.get(row.state, Standing.STRANGE)
    if stands in (Standing.EXPIRED, Standing.EXPIRED_PART) and not was_seen_expired(row):
        return Standing.ENDING
    return stands


def was_seen_expired(row: PaymentRow) -> bool:
    """Return whether the server has told of a payment since it expired."""
    return row.gone_at is not None or row.expires_at is None or row.last_seen_at >= row.expires_at


def missing(row: PaymentRow) -> int:
    """Return the minor units that have not arrived; 0 where the two cannot be compared."""
    return max(-(row.difference or 0), 0)


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale of a till.

    Attributes:
        creation: What was sent, and how that went.
        asked: Minor units asked for.
        asset: What they count.
        reference: As typed or scanned; empty for none.
        expires_at: Until when it can be paid (UTC), or None.
        payment: What is known of the payment, or None before it is known at all.
    """

    creation: Creation
    asked: int
    asset: Asset
    reference: str
    expires_at: datetime | None
    payment: PaymentRow | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows yet if the payment exists."""
        return self.creation.status in UNRESOLVED


@dataclass(frozen=True, slots=True)
class Takings:
    """What sales add up to in one asset, in its minor units.

    Attributes:
        asset: The asset.
        sales: How many.
        received: What has arrived.
    """

    asset: Asset
    sales: int
    received: int


def sale_of(creation: Creation, reader: LedgerReader, wallet: WalletAddress) -> Sale | None:
    """Return a creation as a sale with its payment; None if it is not one of the till's."""
    if f'"{SOURCE}"' not in creation.draft_json:
        return None
    sent = json.loads(creation.draft_json)
    metadata = sent.get("metadata", {})
    amount = sent.get("incomingAmount")
    if metadata.get("source") != SOURCE or amount is None:
        return None
    expires_at = sent.get("expiresAt")
    payment_id = creation.payment_id
    return Sale(
        creation=creation,
        asked=int(amount["value"]),
        asset=Asset(amount["assetCode"], amount["assetScale"]),
        reference=str(metadata.get("externalRef", "")),
        expires_at=None if expires_at is None else datetime.fromisoformat(expires_at),
        payment=None if payment_id is None else reader.payment(wallet.id, payment_id),
    )


def sales_today(reader: LedgerReader, wallet: WalletAddress, now: datetime) -> tuple[Sale, ...]:
    """Return the sales of this till since local midnight, newest first.

    What was not created, for certain, is left out.

    Args:
        reader: The ledger; what it did not set out to create is another till's.
        wallet: The wallet address that is paid.
        now: The server's present instant.
    """
    return _sales_since(reader, wallet, day_starts(now, 1)[0])


def takings(sales: Sequence[Sale]) -> tuple[Takings, ...]:
    """Return what arrived with sales, exactly, by asset in order of its code."""
    sums: dict[Asset, list[int]] = {}
    for sale in sales:
        row = sale.payment
        if row is not None:
            sums.setdefault(row.received_asset, []).append(row.received)
    return tuple(
        Takings(asset, len(received), sum(received))
        for asset, received in sorted(sums.items(), key=lambda item: (item[0].code, item[0].scale))
    )


def sale_under_way(reader: LedgerReader, wallet: WalletAddress, now: datetime) -> Sale | None:
    """Return the sale whose end nobody has seen, if the last one is such.

    Args:
        reader: The ledger.
        wallet: The wallet address that is paid.
        now: The server's present instant.
    """
    sales = _sales_since(reader, wallet, now - _REMEMBERED)
    if not sales:
        return None
    last = sales[0]
    if last.is_unknown:
        return last
    if last.payment is None or _was_seen(reader, last.payment):
        return None
    return last


def seen_remark(row: PaymentRow, deed: str = "") -> str:
    """Return the remark that a person has seen how a sale stood, or what they did about it."""
    return f"{_SEEN}{deed or row.state.value}"


def _was_seen(reader: LedgerReader, row: PaymentRow) -> bool:
    return any(
        step.kind is TimelineKind.NOTE and step.text.startswith(_SEEN)
        for step in reader.timeline(row.wallet, row.id)
    )


def _sales_since(reader: LedgerReader, wallet: WalletAddress, since: datetime) -> tuple[Sale, ...]:
    made = reader.creations_since(wallet.id, since)
    found = (sale_of(one, reader, wallet) for one in made if one.status not in _NOT_CREATED)
    return tuple(sale for sale in found if sale is not None)


class SaleWatch:
    """Looks at one payment again and again, because a customer stands there.

    Attributes:
        trouble: Why the last look failed, or None.
        looked_at: When the last look succeeded (the server's time), or None.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[PaymentRow | None]],
        patience: Callable[[], float],
        now: Callable[[], datetime],
        clock: Clock,
    ) -> None:
        """Begin nothing yet.

        Args:
            look: Fetches the payment anew.
            patience: Returns the seconds for which the server wants to be left alone.
            now: The server's present instant.
            clock: The one clock.
        """
        self._look = look
        self._patience = patience
        self._now = now
        self._clock = clock
        self.trouble: OpdashError | None = None
        self.looked_at: datetime | None = None

    async def run(self) -> None:
        """Look until the payment can no longer change, or until cancelled."""
        failures = 0
        while True:
            row = None
            try:
                row = await self._look()
            except OpdashError as error:
                self.trouble = error
                failures += 1
            else:
                self.trouble, self.looked_at, failures = None, self._now(), 0
            if row is not None and (row.final or standing(row) in _UNCHANGING):
                return
            pause = min(LOOK_EVERY * 2.0 ** min(failures, 4), _LONGEST_PAUSE)
            await self._clock.sleep(max(pause, self._patience()))


_UNCHANGING = frozenset(standing for standing in Standing if standing.is_over) - {Standing.STRANGE}
