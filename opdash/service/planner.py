"""What to ask next: a pure function of what is known, the clock, what requests cost, a budget.

The head of the list is always asked, because that is where new payments appear. Payments that can
still change and are due are refreshed by the cheapest mixture of list pages and single gets; what
else such a page shows is refreshed for nothing. Where the budget is too small for all, the most
urgent come first, and those left over are more urgent the next time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from opdash.ledger.charting import Chart, Place
from opdash.ledger.records import Changeable
from opdash.service.costs import RequestCost
from opdash.service.covering import MAX_PAGE, Step, cheapest_cover

MIN_HEAD = 20
"""Rows of the list that every poll reads."""

_ALMOST = 0.9
"""From which part of its pace on a payment is due: polls are not on the dot."""

_CLOCK_MARGIN = timedelta(seconds=5)
"""How far the server's time may seem to go back before a look is taken for one of no known age."""

_NEAR_EXPIRY = timedelta(minutes=2)
_CALM = 120.0
"""Seconds without a change that make a payment's pace slower by one poll interval."""

_SLOWEST = 12.0
"""Poll intervals between two looks at a payment at which nothing has happened for long."""


class Due(NamedTuple):
    """A payment that should be refreshed.

    Attributes:
        id: Its URL.
        number: Its number in the ledger.
        behind: How long ago it was seen, as a multiple of its pace: the greater the more urgent.
    """

    id: str
    number: int
    behind: float


@dataclass(frozen=True, slots=True)
class Get:
    """One payment to ask for."""

    payment_id: str

    @property
    def shows(self) -> tuple[str, ...]:
        """The payments that it is to refresh."""
        return (self.payment_id,)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list to ask for.

    Attributes:
        rows: How many, 1 to 100.
        shows: The payments that it is to refresh, by their URLs.
        cursor: From where; None for the head of the list.
        backwards: Whether it lies above the cursor.
        is_made_up: Whether the cursor is a payment's last segment that the server never handed out.
    """

    rows: int
    shows: tuple[str, ...] = ()
    cursor: str | None = None
    backwards: bool = False
    is_made_up: bool = False


Request = Get | Page


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask, in this order.

    Attributes:
        requests: First the head of the list, where it is asked; then the most urgent.
        left_over: How many requests the budget had no room for.
    """

    requests: tuple[Request, ...] = ()
    left_over: int = 0

    @property
    def head_rows(self) -> int:
        """How many rows of the list's head are asked first; 0 if none are."""
        first = self.requests[0] if self.requests else None
        return first.rows if isinstance(first, Page) and first.cursor is None else 0

    def is_done_by(self, shown: Collection[str]) -> bool:
        """Return whether nothing is left to ask once the head has shown these payments."""
        shows = [name for request in self.requests for name in request.shows]
        return not self.left_over and all(name in shown for name in shows)


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a server is asked.

    Attributes:
        cost: What requests cost.
        per_second: How many requests a second it is asked in the long run; None for any number.
        limit: How many requests may be made now; None for any number.
        takes_ids: Whether it takes the last segment of any payment's URL as a cursor.
        longest: The most rows that it hands out in one page.
    """

    cost: RequestCost = field(default_factory=RequestCost)
    per_second: float | None = None
    limit: int | None = None
    takes_ids: bool = False
    longest: int = MAX_PAGE


def due_payments(
    changeable: Sequence[Changeable],
    *,
    now: datetime,
    interval: float,
    on_screen: Collection[str] = (),
    tried: Mapping[str, datetime] | None = None,
) -> tuple[Due, ...]:
    """Choose the payments that should be refreshed, the most urgent first.

    Each payment has a pace: one poll interval while it is on screen, near its expiry or just
    changed, and slower the longer nothing has happened. Urgency is how far behind its pace a
    payment is, so that none is forgotten when the budget is too small for all.

    Args:
        changeable: The payments that can still change.
        now: The server's present instant, UTC.
        interval: The poll interval in seconds.
        on_screen: Ids of the payments that a person sees.
        tried: When payments were last asked for in vain, by their ids; that counts as a look.
    """
    vain = tried or {}
    due: list[Due] = []
    for payment in changeable:
        seen_at = max(payment.last_seen_at, vain.get(payment.id, payment.last_seen_at))
        pace = _pace(payment, now, interval, payment.id in on_screen)
        behind = (now - seen_at).total_seconds() / pace
        if now - seen_at < -_CLOCK_MARGIN:
            behind = 1.0  # a clock was set: nobody knows how long ago that was
        if behind >= _ALMOST:
            due.append(Due(payment.id, payment.number, behind))
    due.sort(key=lambda one: (-one.behind, one.id))
    return tuple(due)


def plan_poll(
    due: Sequence[Due],
    chart: Chart,
    terms: Terms,
    *,
    head: int = MIN_HEAD,
    alone: Collection[str] = (),
) -> Plan:
    """Plan the requests of one poll.

    A plan costs the larger of its time and its requests ÷ budget; of all that refresh what is due,
    it is the cheapest. Of one that does not fit into the limit, what is most urgent is asked.

    Args:
        due: The payments to refresh, the most urgent first.
        chart: Where they stand in the list; those that it does not show are asked for one by one.
        terms: What requests cost, and how many there may be.
        head: So many rows of the list's head are read in any case; 0 for none.
        alone: Ids of payments that the list does not show where they should stand.
    """
    if terms.limit is not None:
        due = due[: max(terms.limit, 0) * MAX_PAGE]
    behind = {one.id: one.behind for one in due if one.id not in alone}
    shown = [place for place in chart.payments if place.name in behind]
    cursors = _cursors(chart, terms)
    cover = cheapest_cover(
        [place.position for place in shown],
        [cursor.position for cursor in cursors],
        terms.cost,
        head=min(head, terms.longest),
        per_second=terms.per_second,
        longest=terms.longest,
    )
    steps = iter(cover.steps)
    first = [_page(next(steps), shown, cursors, chart)] if head else []
    others = [_request(step, shown, cursors, chart) for step in steps]
    charted = {place.name for place in shown}
    others += [Get(one.id) for one in due if one.id not in charted]
    urgency = {one.id: one.behind for one in due}
    others.sort(key=lambda request: -max(urgency[name] for name in request.shows))
    room = len(others) if terms.limit is None else max(terms.limit - len(first), 0)
    return Plan((*first, *others[:room]), max(len(others) - room, 0))


def _cursors(chart: Chart, terms: Terms) -> list[Place]:
    """Return the cursors to begin pages at; one for each position, those handed out first."""
    known = {place.position: place for place in chart.neighbours} if terms.takes_ids else {}
    known |= {place.position: place for place in chart.cursors}
    return [known[position] for position in sorted(known)]


def _request(step: Step, shown: Sequence[Place], cursors: Sequence[Place], chart: Chart) -> Request:
    if not step.rows:
        return Get(shown[step.start].name)
    return _page(step, shown, cursors, chart)


def _page(step: Step, shown: Sequence[Place], cursors: Sequence[Place], chart: Chart) -> Page:
    names = tuple(place.name for place in shown[step.start : step.stop])
    if step.cursor < 0:
        return Page(step.rows, names)
    cursor = cursors[step.cursor]
    return Page(
        step.rows,
        names,
        cursor.name,
        step.backwards,
        is_made_up=cursor not in chart.cursors,
    )


def _pace(payment: Changeable, now: datetime, interval: float, on_screen: bool) -> float:
    if on_screen or _near(payment.expires_at, now):
        return interval
    quiet = max((now - payment.changed_at).total_seconds(), 0.0)
    return interval * (1.0 + min(quiet / _CALM, _SLOWEST - 1.0))


def _near(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and abs(instant - now) <= _NEAR_EXPIRY
