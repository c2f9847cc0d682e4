"""What state an outgoing payment is in: pure functions over integers and instants.

Open Payments has no field for "done": a payment that is not failed may be under way, or sent as far
as can be known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import msgspec

from opdash.ledger.records import PaymentRow
from opdash.ledger.states import later
from opdash.openpayments.resources import OutgoingPayment


class OutgoingState(StrEnum):
    """What a person is told about an outgoing payment; the value is the word to show."""

    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    FAILED_PARTIAL = "FAILED PARTIAL"


OUTGOING_GLYPHS: Final[Mapping[OutgoingState, str]] = MappingProxyType(
    {
        OutgoingState.SENDING: "◐",
        OutgoingState.SENT: "●",
        OutgoingState.FAILED: "✕",
        OutgoingState.FAILED_PARTIAL: "▲",
    }
)
"""One sign of one cell for each state of an outgoing payment."""

MOVING_FOR: Final = timedelta(seconds=30)
"""An outgoing payment counts as moving for so long after its sent amount last changed."""

YOUNG_FOR: Final = timedelta(minutes=10)
"""An outgoing payment of which too little is known counts as under way for so long."""


SLOWEST: Final = timedelta(seconds=60)
"""The longest time between two looks at an outgoing payment that is followed."""

_PATIENCE: Final = 10


class SeenOutgoing(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows of an outgoing payment.

    Attributes:
        payment: As its server last sent it.
        wallet: The wallet address through which it was seen.
        first_seen_at: When it was first seen (the server's time).
        last_seen_at: When it was last seen.
        sent_changed_at: When its sent amount was last seen to change, or None.
    """

    payment: OutgoingPayment
    wallet: str
    first_seen_at: datetime
    last_seen_at: datetime
    sent_changed_at: datetime | None = None


class OutgoingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the state of an outgoing payment is derived from; there is no "done" field.

    Attributes:
        failed: Whether the server gave up.
        sent: Minor units sent so far.
        debit: Minor units that leave the account, fees included, in the asset of ``sent``.
        created_at: When the server created it.
        sent_changed_at: When ``sent`` was last seen to change, or None.
        receiver_settled: Whether its receiver is complete or covered; None when not known.
    """

    failed: bool
    sent: int
    debit: int
    created_at: datetime
    sent_changed_at: datetime | None = None
    receiver_settled: bool | None = None


class OutgoingVerdict(msgspec.Struct, frozen=True):
    """What the facts of an outgoing payment mean at one instant.

    Attributes:
        state: The word to show.
        certain: False where SENT is only as far as can be known.
        next_change_at: The first instant at which one of the above changes by itself, or None.
    """

    state: OutgoingState
    certain: bool = True
    next_change_at: datetime | None = None


def derive_outgoing(facts: OutgoingFacts, now: datetime) -> OutgoingVerdict:
    """Return what the facts of an outgoing payment mean at ``now`` (the server's time)."""
    if facts.failed:
        return OutgoingVerdict(OutgoingState.FAILED_PARTIAL if facts.sent else OutgoingState.FAILED)
    if not facts.sent:
        return OutgoingVerdict(OutgoingState.SENDING)
    known = facts.sent >= facts.debit or facts.receiver_settled is True
    quiet_at = [] if known else later(facts.created_at, YOUNG_FOR)
    if facts.sent_changed_at is not None and facts.sent < facts.debit:
        quiet_at += later(facts.sent_changed_at, MOVING_FOR)
    pending = [instant for instant in quiet_at if instant > now]
    if pending:
        return OutgoingVerdict(OutgoingState.SENDING, next_change_at=max(pending))
    return OutgoingVerdict(OutgoingState.SENT, certain=known)


def judge(
    payment: OutgoingPayment,
    now: datetime,
    *,
    sent_changed_at: datetime | None = None,
    receiver_settled: bool | None = None,
) -> OutgoingVerdict:
    """Return what an outgoing payment's representation means.

    Args:
        payment: As its server sent it.
        now: The server's present instant, UTC.
        sent_changed_at: When the sent amount was last seen to change, or None.
        receiver_settled: Whether its receiver is complete or covered; None when not known.
    """
    return derive_outgoing(
        OutgoingFacts(
            failed=payment.failed,
            sent=payment.sent_amount.minor_units,
            debit=payment.debit_amount.minor_units,
            created_at=payment.created_at,
            sent_changed_at=sent_changed_at,
            receiver_settled=receiver_settled,
        ),
        now,
    )


def look_again_after(
    payment: OutgoingPayment,
    now: datetime,
    interval: timedelta,
    *,
    sent_changed_at: datetime | None = None,
) -> timedelta:
    """Return how long to wait before looking at a payment under way again.

    One that has just moved is looked at as often as payments are polled, one that has stood for
    longer less and less often.

    Args:
        payment: As its server sent it.
        now: The server's present instant, UTC.
        interval: The time between two polls, as configured.
        sent_changed_at: When the sent amount was last seen to change, or None.
    """
    moved_at = max(sent_changed_at or payment.created_at, payment.created_at)
    quiet = max(now - moved_at, timedelta(0))
    return max(interval, min(quiet / _PATIENCE, SLOWEST))


def is_settled(receiver: PaymentRow, payment: OutgoingPayment) -> bool:
    """Return whether a receiver of one's own has what an outgoing payment was to bring.

    Args:
        receiver: The incoming payment that is paid.
        payment: The outgoing payment.

    Returns:
        Whether it is completed or covered; where no amount was asked for, whether as much has
        arrived as was to be received, and may be from this payment.
    """
    if receiver.completed:
        return True
    if receiver.asked:
        return receiver.difference is not None and receiver.difference >= 0
    due = payment.receive_amount
    if receiver.received_asset != due.asset or receiver.received < due.minor_units:
        return False
    return may_have_brought_all(payment)


def may_have_brought_all(payment: OutgoingPayment) -> bool:
    """Return whether enough was sent for all of it to have arrived.

    What somebody else paid to the same receiver is told apart by this alone; across assets it
    cannot be.
    """
    sent, due = payment.sent_amount, payment.receive_amount
    return sent.asset != due.asset or sent.minor_units >= due.minor_units


def effective_rate(receive: int, debit: int) -> Fraction | None:
    """Return what arrives per minor unit debited, exactly; None when nothing is debited."""
    return Fraction(receive, debit) if debit else None


def outgoing_cost(state: OutgoingState, debit: int, sent: int) -> int | None:
    """Return minor units that were debited and not sent; None until the payment has finished."""
    return None if state is OutgoingState.SENDING else debit - sent
