"""What a customer may know of one payment, and nothing else.

There is no note, no label, no other payment and nothing of the ledger's own in a receipt: it can be
handed out as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from opdash.ledger.records import PaymentRow, TimelineEntry, TimelineKind
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset


class Known(StrEnum):
    """How well it is known when money arrived."""

    OBSERVED = "observed"
    """Then: it was seen to rise."""
    FIRST_LOOK = "first-look"
    """By then: it was there when the payment was first looked at."""
    LATEST = "latest"
    """By then: the look at which it was seen first has been lost."""


_KNOWN: Final = {
    TimelineKind.FIRST_SEEN: Known.FIRST_LOOK,
    TimelineKind.CREATED: Known.FIRST_LOOK,
    TimelineKind.NOTE: Known.LATEST,
}


class ReceiptStep(msgspec.Struct, frozen=True):
    """One arrival of money, or what was taken back.

    Attributes:
        at: When it was observed, UTC.
        delta: Minor units that arrived; negative where some were taken back.
        received: Minor units received after it.
        known: Whether it arrived then, or by then.
    """

    at: datetime
    delta: int
    received: int
    known: Known = Known.OBSERVED


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One incoming payment as its payer may see it.

    Attributes:
        merchant: The wallet address's public name, as sent; empty where it has none.
        wallet_address: The merchant's wallet address.
        payment_url: The payment's URL.
        reference: As sent; empty where there is none.
        description: As sent; empty where there is none.
        state: What state it is in now.
        asked: Minor units asked for, or None.
        asked_asset: What ``asked`` counts, or None.
        received: Minor units received.
        received_asset: What ``received`` counts.
        steps: What arrived when, oldest first.
        covered_at: When all that was asked had arrived, or None.
        covered: Whether it had arrived then, or by then.
        created_at: When the payment was created, UTC.
        expires_at: When it stops taking money, UTC, or None.
        as_of: When the server last said so, UTC.
    """

    merchant: str
    wallet_address: str
    payment_url: str
    reference: str
    description: str
    state: State
    asked: int | None
    asked_asset: Asset | None
    received: int
    received_asset: Asset
    steps: tuple[ReceiptStep, ...]
    covered_at: datetime | None
    created_at: datetime
    expires_at: datetime | None
    as_of: datetime
    covered: Known = Known.OBSERVED

    @property
    def missing(self) -> int:
        """Minor units that are still missing; 0 where nothing is, or nothing was asked."""
        if not self.asked or self.asked_asset != self.received_asset:
            return 0
        return max(self.asked - self.received, 0)

    @property
    def too_much(self) -> int:
        """Minor units above what was asked; 0 where nothing was asked."""
        if not self.asked or self.asked_asset != self.received_asset:
            return 0
        return max(self.received - self.asked, 0)


def make_receipt(
    row: PaymentRow,
    timeline: Sequence[TimelineEntry],
    merchant: str | None,
    *,
    now: datetime,
    grace: timedelta,
) -> Receipt:
    """Return the receipt of a payment.

    Args:
        row: The payment.
        timeline: Its time line, oldest first.
        merchant: Its wallet address's public name, as sent, or None.
        now: The server's time, by which the state is told.
        grace: How long past its expiry the server's last word is waited for.
    """
    from opdash.ledger.observing import rederive

    row = rederive(row, now, grace)
    steps = tuple(_steps(row, timeline))
    covered_at, covered = _covered(row, steps)
    return Receipt(
        merchant=merchant or "",
        wallet_address=row.wallet,
        payment_url=row.id,
        reference=row.reference,
        description=row.description,
        state=row.state,
        asked=row.asked or None,
        asked_asset=row.asked_asset if row.asked else None,
        received=row.received,
        received_asset=row.received_asset,
        steps=steps,
        covered_at=covered_at,
        covered=covered,
        created_at=row.created_at,
        expires_at=row.expires_at,
        as_of=row.last_seen_at,
    )


def _steps(row: PaymentRow, timeline: Sequence[TimelineEntry]) -> list[ReceiptStep]:
    steps = [
        ReceiptStep(
            entry.at, entry.delta, entry.received or 0, _KNOWN.get(entry.kind, Known.OBSERVED)
        )
        for entry in timeline
        if entry.delta
    ]
    # Where the asset changed, what came before is not known in the present one.
    return steps if sum(step.delta for step in steps) == row.received else []


def _covered(row: PaymentRow, steps: Sequence[ReceiptStep]) -> tuple[datetime | None, Known]:
    """Return since when there has been at least as much as was asked, without a break."""
    if not row.asked or row.asked_asset != row.received_asset or row.received < row.asked:
        return None, Known.OBSERVED
    since: ReceiptStep | None = None
    for step in steps:
        if step.received < row.asked:
            since = None
        elif since is None:
            since = step
    if since is None:
        return row.reached_at, Known.LATEST
    return since.at, since.known
