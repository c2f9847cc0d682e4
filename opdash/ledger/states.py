"""What state a payment is in: pure, total functions over integers and instants.

Open Payments has no state field. The state is derived from what was observed, as *life* (what the
server still does with the payment) times *coverage* (how much of what was asked has arrived).
A verdict also says at which instant it changes by itself, so that time alone can move a state
without anyone asking the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from opdash.openpayments.amounts import Asset

FINAL_AFTER: Final = timedelta(hours=24)
"""More than this past its expiry, a payment no longer changes."""

SETTLING_PATIENCE: Final = timedelta(minutes=10)
"""A payment that settles for longer than this needs a person's look."""

_TICK: Final = timedelta.resolution
"""“More than” begins one of these after the bound."""


class State(StrEnum):
    """What a person is told about an incoming payment; the value is the word to show."""

    UNPAID = "UNPAID"
    PARTIAL = "PARTIAL"
    SETTLING = "SETTLING"
    OPEN = "OPEN"
    RECEIVING = "RECEIVING"
    EXPIRING = "EXPIRING"
    PAID = "PAID"
    OVERPAID = "OVERPAID"
    RECEIVED = "RECEIVED"
    CLOSED_SHORT = "CLOSED SHORT"
    CLOSED_UNPAID = "CLOSED UNPAID"
    EXPIRED_PARTIAL = "EXPIRED PARTIAL"
    EXPIRED_UNPAID = "EXPIRED UNPAID"
    ANOMALY = "ANOMALY"
    UNAVAILABLE = "UNAVAILABLE"


class Life(StrEnum):
    """What the server still does with a payment."""

    OPEN = "open"
    EXPIRING = "expiring"
    CLOSED = "closed"
    EXPIRED = "expired"
    GONE = "gone"


class Coverage(StrEnum):
    """How much of what was asked has arrived."""

    NONE = "none"
    PART = "part"
    EXACT = "exact"
    OVER = "over"
    FREE_EMPTY = "free0"
    """Nothing was asked, and nothing has arrived."""
    FREE = "free+"
    """Nothing was asked, and something has arrived."""


GLYPHS: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.UNPAID: "○",
        State.PARTIAL: "◐",
        State.SETTLING: "◕",
        State.OPEN: "◇",
        State.RECEIVING: "◌",
        State.EXPIRING: "◔",
        State.PAID: "●",
        State.OVERPAID: "◉",
        State.RECEIVED: "◆",
        State.CLOSED_SHORT: "▼",
        State.CLOSED_UNPAID: "□",
        State.EXPIRED_PARTIAL: "▲",
        State.EXPIRED_UNPAID: "✕",
        State.ANOMALY: "!",
        State.UNAVAILABLE: "?",
    }
)
"""One sign of one cell for each state, shown beside the word, never instead of it."""

OPEN_STATES: Final = frozenset(
    {State.UNPAID, State.PARTIAL, State.SETTLING, State.OPEN, State.RECEIVING}
)
"""States in which a payment still takes money, or has taken it and waits to be completed."""

PAID_STATES: Final = frozenset({State.PAID, State.OVERPAID})
"""States whose first entry is announced as “paid”."""

_NEEDS_ACTION: Final = frozenset({State.CLOSED_SHORT, State.EXPIRED_PARTIAL, State.OVERPAID})

_OPEN_TABLE: Final = {
    Coverage.NONE: State.UNPAID,
    Coverage.PART: State.PARTIAL,
    Coverage.EXACT: State.SETTLING,
    Coverage.OVER: State.SETTLING,
    Coverage.FREE_EMPTY: State.OPEN,
    Coverage.FREE: State.RECEIVING,
}
_EXPIRING_TABLE: Final = {
    Coverage.NONE: State.EXPIRING,
    Coverage.PART: State.EXPIRING,
    Coverage.EXACT: State.SETTLING,
    Coverage.OVER: State.SETTLING,
    Coverage.FREE_EMPTY: State.EXPIRING,
    Coverage.FREE: State.EXPIRING,
}
_CLOSED_TABLE: Final = {
    Coverage.NONE: State.CLOSED_UNPAID,
    Coverage.PART: State.CLOSED_SHORT,
    Coverage.EXACT: State.PAID,
    Coverage.OVER: State.OVERPAID,
    Coverage.FREE_EMPTY: State.CLOSED_UNPAID,
    Coverage.FREE: State.RECEIVED,
}
_EXPIRED_TABLE: Final = {
    Coverage.NONE: State.EXPIRED_UNPAID,
    Coverage.PART: State.EXPIRED_PARTIAL,
    Coverage.EXACT: State.PAID,
    Coverage.OVER: State.OVERPAID,
    Coverage.FREE_EMPTY: State.EXPIRED_UNPAID,
    Coverage.FREE: State.RECEIVED,
}
_TABLE: Final = {
    Life.OPEN: _OPEN_TABLE,
    Life.EXPIRING: _EXPIRING_TABLE,
    Life.CLOSED: _CLOSED_TABLE,
    Life.EXPIRED: _EXPIRED_TABLE,
}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a state is derived from: the latest representation and three instants.

    Attributes:
        received: Minor units that have arrived.
        received_asset: What they are counted in.
        asked: Minor units asked for, or None.
        asked_asset: What was asked for is counted in; None when nothing was asked.
        completed: Whether the server closed the payment.
        expires_at: When it stops taking money, or None.
        gone_at: When it was found gone from the server, or None.
        reached_at: When received was first seen to be at least what was asked, or None.
        anomalous: Whether an anomaly was ever seen (sticky).
        settled_in: The state in which a person settled it, while nothing that this was about has
            changed; else None. See `opdash.ledger.notes.settled_in`.
    """

    received: int
    received_asset: Asset
    asked: int | None = None
    asked_asset: Asset | None = None
    completed: bool = False
    expires_at: datetime | None = None
    gone_at: datetime | None = None
    reached_at: datetime | None = None
    anomalous: bool = False
    settled_in: State | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What the facts mean at one instant.

    Attributes:
        state: The word to show.
        final: Whether the server is no longer asked about it, but for the slow scan.
        needs_action: Whether a person should look at it.
        not_completed_by_server: Expired and covered, and never completed by the server.
        no_longer_at_server: Found gone.
        next_change_at: The first instant at which one of the above changes by itself, or None.
    """

    state: State
    final: bool
    needs_action: bool
    not_completed_by_server: bool
    no_longer_at_server: bool
    next_change_at: datetime | None = None


def grace(poll_interval: float) -> timedelta:
    """Return how long past its expiry a payment waits for the server's last word.

    Args:
        poll_interval: The profile's poll interval in seconds.
    """
    return timedelta(seconds=max(30.0, 2 * poll_interval))


def derive(facts: Facts, now: datetime, grace: timedelta) -> Verdict:
    """Return what the facts mean at ``now``.

    Args:
        facts: The latest representation and what was observed about it.
        now: The server's time: the local clock plus the server's offset.
        grace: How long past expiry the server's last word is waited for.
    """
    verdict = _verdict(facts, now, grace)
    for instant in _turning_points(facts, grace):
        if instant > now:
            then = _verdict(facts, instant, grace)
            if then != verdict:
                return Verdict(
                    verdict.state,
                    verdict.final,
                    verdict.needs_action,
                    verdict.not_completed_by_server,
                    verdict.no_longer_at_server,
                    instant,
                )
    return verdict


def life(facts: Facts, now: datetime, grace: timedelta) -> Life:
    """Return what the server still does with the payment at ``now``."""
    return Life.GONE if facts.gone_at is not None else _life_at_server(facts, now, grace)


def coverage(facts: Facts) -> Coverage:
    """Return how much of what was asked has arrived; asking for 0 is asking for nothing."""
    if not facts.asked:
        return Coverage.FREE if facts.received else Coverage.FREE_EMPTY
    if facts.received > facts.asked:
        return Coverage.OVER
    if facts.received == facts.asked:
        return Coverage.EXACT
    return Coverage.PART if facts.received else Coverage.NONE


def _life_at_server(facts: Facts, now: datetime, grace: timedelta) -> Life:
    if facts.completed:
        return Life.CLOSED
    if facts.expires_at is None or now < facts.expires_at:
        return Life.OPEN
    return Life.EXPIRING if now - facts.expires_at < grace else Life.EXPIRED


def _verdict(facts: Facts, now: datetime, grace: timedelta) -> Verdict:
    gone = facts.gone_at is not None
    seen_life = _life_at_server(facts, now if facts.gone_at is None else facts.gone_at, grace)
    seen_final = _is_final(facts, seen_life, now if facts.gone_at is None else facts.gone_at)
    covered = coverage(facts)
    state = _state(facts, now, seen_life, seen_final, covered)
    not_completed = (
        (seen_final or not gone)
        and seen_life is Life.EXPIRED
        and covered in (Coverage.EXACT, Coverage.OVER)
        and state is not State.ANOMALY
    )
    return Verdict(
        state=state,
        final=gone or seen_final,
        needs_action=_needs_action(facts, state, now),
        not_completed_by_server=not_completed,
        no_longer_at_server=gone,
    )


def _state(
    facts: Facts, now: datetime, seen_life: Life, seen_final: bool, covered: Coverage
) -> State:
    if facts.asked_asset is not None and facts.asked_asset != facts.received_asset:
        return State.ANOMALY
    if facts.gone_at is None or seen_final:
        return _TABLE[seen_life][covered]
    if not facts.received and facts.expires_at is not None and now >= facts.expires_at:
        return State.EXPIRED_UNPAID
    return State.UNAVAILABLE


def _is_final(facts: Facts, seen_life: Life, now: datetime) -> bool:
    if seen_life is Life.EXPIRED and facts.expires_at is not None:
        return now - facts.expires_at > FINAL_AFTER
    return seen_life is Life.CLOSED


def _needs_action(facts: Facts, state: State, now: datetime) -> bool:
    # That the server has lost money which a person had settled is news all the same.
    if facts.settled_in is not None and (
        state is not State.UNAVAILABLE or facts.settled_in is State.UNAVAILABLE
    ):
        return False
    if facts.anomalous or facts.asked == 0 or state is State.ANOMALY or state in _NEEDS_ACTION:
        return True
    if state is State.UNAVAILABLE:
        return facts.received > 0
    return (
        state is State.SETTLING
        and facts.reached_at is not None
        and now - facts.reached_at > SETTLING_PATIENCE
    )


def _turning_points(facts: Facts, grace: timedelta) -> Iterator[datetime]:
    """Yield, in order, every instant at which time alone can change a verdict."""
    if facts.completed and facts.gone_at is None:
        return
    points: list[datetime] = []
    if facts.expires_at is not None:
        points.append(facts.expires_at)
        points += later(facts.expires_at, grace)
        points += later(facts.expires_at, FINAL_AFTER + _TICK)
    if facts.reached_at is not None:
        points += later(facts.reached_at, SETTLING_PATIENCE + _TICK)
    yield from sorted(points)


def later(instant: datetime, delay: timedelta) -> list[datetime]:
    """Return the instant that much later in a list, which is empty where the calendar ends."""
    try:
        return [instant + delay]
    except OverflowError:
        return []
