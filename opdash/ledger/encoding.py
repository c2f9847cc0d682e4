"""How amounts, instants and words are written into the database, so that SQLite orders them right.

An amount is text: two digits that count its digits, then the digits; ``1950`` is ``041950``. Such
texts sort as the numbers do over the whole uint64 range and beyond, where SQLite's own integers end
at 2^63−1. No amount is an empty text, which sorts before all others.

An instant is an integer of microseconds since 1970 in UTC; where there is none, `NEVER`, which
sorts after all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from opdash.ledger.records import Scope
from opdash.ledger.states import State

NEVER: Final = 2**63 - 1
"""Stands for an instant that will not come."""

IS_DUE: Final = f"next_change_at <= ? AND next_change_at < {NEVER}"
"""Matches payments whose state the clock has moved; an instant is to be handed in.

The second bound, written out, lets SQLite look among those that will ever move by themselves
instead of at all payments.
"""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_SECOND: Final = 1_000_000
_SORT_KEY_LENGTH: Final = 64

STATE_CODES: Final[Mapping[State, int]] = MappingProxyType(
    {
        State.UNPAID: 10,
        State.PARTIAL: 11,
        State.SETTLING: 12,
        State.OPEN: 13,
        State.RECEIVING: 14,
        State.EXPIRING: 20,
        State.PAID: 30,
        State.OVERPAID: 31,
        State.RECEIVED: 32,
        State.CLOSED_SHORT: 40,
        State.CLOSED_UNPAID: 41,
        State.EXPIRED_PARTIAL: 50,
        State.EXPIRED_UNPAID: 51,
        State.ANOMALY: 60,
        State.UNAVAILABLE: 61,
    }
)
"""A number for each state, in the order of a sorted column; gaps leave room. Never reused."""

STATES: Final[Mapping[int, State]] = MappingProxyType(
    {code: state for state, code in STATE_CODES.items()}
)
"""The state of each number."""

OPEN_CODES: Final = (10, 14)
"""The first and the last number of the states that are `OPEN_STATES`."""

SCOPE_CODES: Final[Mapping[Scope, int]] = MappingProxyType({Scope.OWN: 1, Scope.EVERYTHING: 2})
"""A number for each scope; the wider is the greater."""

SCOPES: Final[Mapping[int, Scope]] = MappingProxyType(
    {code: scope for scope, code in SCOPE_CODES.items()}
)
"""The scope of each number."""


def encode_amount(minor_units: int | None) -> str:
    """Write a number of minor units, at most 99 digits, so that texts sort as the numbers do."""
    if minor_units is None:
        return ""
    digits = str(minor_units)
    return f"{len(digits):02}{digits}"


def decode_amount(text: str) -> int | None:
    """Read what `encode_amount` wrote."""
    return int(text[2:]) if text else None


def encode_instant(instant: datetime | None) -> int:
    """Write an aware instant as microseconds since 1970, or `NEVER`."""
    if instant is None:
        return NEVER
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * _SECOND + since.microseconds


def decode_instant(microseconds: int) -> datetime:
    """Read an instant; what lies beyond the calendar becomes its first or last instant in UTC."""
    try:
        return _EPOCH + timedelta(0, microseconds // _SECOND, microseconds % _SECOND)
    except OverflowError:
        return _FIRST if microseconds < 0 else _LAST


def decode_optional_instant(microseconds: int | None) -> datetime | None:
    """Read an instant where `NEVER` or NULL stands for none."""
    if microseconds is None or microseconds == NEVER:
        return None
    return decode_instant(microseconds)


def text_sort_key(remote: str) -> str:
    """Return what a text is sorted by: its beginning, without regard to case."""
    return remote[:_SORT_KEY_LENGTH].strip().casefold()[:_SORT_KEY_LENGTH]


def split_id(payment_id: str) -> tuple[str, str]:
    """Part a payment's URL before its last segment; the two joined are the URL again."""
    cut = payment_id.rfind("/") + 1
    return payment_id[:cut], payment_id[cut:]
