"""What to ask next: a pure function of what is known, the clock and a budget of requests.

A page of the list refreshes many neighbours with one request, a single get one payment. The head
of the list is always asked, because that is where new payments appear; it is widened as far as the
payments that can still change make worth its rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opdash.ledger.records import Changeable

MIN_HEAD = 20
"""Rows of the list that every poll reads."""

MAX_PAGE = 100
"""The most rows that servers hand out in one page."""

REQUESTS_PER_SECOND = 2.0
"""What polling may ask of one server; a person's own actions are not counted."""


@dataclass(frozen=True, slots=True)
class RequestCost:
    """What requests cost, in milliseconds of the server and the network.

    The defaults were measured on a real server on the same machine: a get takes 5.0 ms, a page
    6.1 ms and 0.16 ms more for each row.
    """

    get: float = 5.0
    page: float = 6.1
    row: float = 0.16


def head_size(ranks: Collection[int], cost: RequestCost | None = None) -> int:
    """Return how many rows of the list's head to ask for.

    Args:
        ranks: The places in the list, from 0, of the known payments that can still change.
        cost: What requests cost.

    Returns:
        The size from 20 to 100 for which the page and the single gets that it leaves are cheapest.
    """
    price = cost or RequestCost()
    reachable = sorted(rank for rank in ranks if rank < MAX_PAGE)

    def total(size: int) -> float:
        left = sum(1 for rank in reachable if rank >= size)
        return price.page + price.row * size + price.get * left

    candidates = [MIN_HEAD, *(rank + 1 for rank in reachable if rank >= MIN_HEAD)]
    return min(candidates, key=total)


def requests_per_poll(interval: float) -> int:
    """Return how many requests one poll may make, the head included."""
    return max(2, int(interval * REQUESTS_PER_SECOND))


def choose_gets(
    changeable: Sequence[Changeable],
    *,
    now: datetime,
    interval: float,
    budget: int,
    on_screen: Collection[str] = (),
) -> tuple[str, ...]:
    """Choose which payments to ask for one by one, the most urgent first.

    Each payment has a pace: one poll interval while it is on screen, near its expiry or just
    changed, and slower the longer nothing has happened. Urgency is how far behind its pace a
    payment is, so that none is forgotten when the budget is too small for all.

    Args:
        changeable: The payments that can still change and that the list did not just refresh.
        now: The server's present instant, UTC.
        interval: The poll interval in seconds.
        budget: How many requests may be made.
        on_screen: Ids of the payments that a person sees.

    Returns:
        Payment ids, at most ``budget`` of them; those refreshed within their pace are left out.
    """
    due: list[tuple[float, str]] = []
    for payment in changeable:
        pace = _pace(payment, now, interval, payment.id in on_screen)
        behind = (now - payment.last_seen_at).total_seconds() / pace
        if behind >= 0.9:
            due.append((-behind, payment.id))
    due.sort()
    return tuple(payment_id for _, payment_id in due[: max(budget, 0)])


def _pace(payment: Changeable, now: datetime, interval: float, on_screen: bool) -> float:
    if on_screen or _near(payment.expires_at, now, timedelta(minutes=2)):
        return interval
    quiet = max((now - payment.changed_at).total_seconds(), 0.0)
    return interval * (1.0 + min(quiet / 120.0, 11.0))


def _near(instant: datetime | None, now: datetime, reach: timedelta) -> bool:
    return instant is not None and abs(instant - now) <= reach
