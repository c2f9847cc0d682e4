"""The cheapest way to refresh some places of a list: pages from known cursors, and single gets.

A page forward begins right after its cursor, a page backward ends right before it, and both may
have any number of rows up to a hundred. Of all pages that show a place, those are worth a look that
begin at the nearest cursor above it and end at some place, or begin at it and end at some cursor
below: any other shows the same places with more rows. Going from the last place to the first, what
the places after each such page cost is known already. The ends that a page may have move upwards
with its start, so the best of them is the minimum of a window that slides, and the whole takes a
time that grows with the number of places only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from opdash.service.costs import RequestCost

MAX_PAGE = 100
"""The most rows that servers hand out in one page."""

_TRIES = 16
"""How often the price of a request is halved between free and beyond all others."""


class Step(NamedTuple):
    """One request of a cover.

    Attributes:
        start: The number of the first place that it refreshes.
        stop: The number after the last.
        rows: Rows of the page; 0 for a get.
        cursor: The number of its cursor; −1 for the head of the list.
        backwards: Whether the page lies above its cursor.
    """

    start: int
    stop: int
    rows: int = 0
    cursor: int = -1
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Cover:
    """Requests that together refresh all places.

    Attributes:
        steps: In the list's order.
        cost: What they cost together, in milliseconds.
    """

    steps: tuple[Step, ...]
    cost: float

    def lasts(self, per_second: float | None) -> float:
        """Return the milliseconds after which it is done, at so many requests a second."""
        waiting = 0.0 if per_second is None else len(self.steps) * 1000.0 / per_second
        return max(self.cost, waiting)


def cheapest_cover(
    places: Sequence[int],
    cursors: Sequence[int],
    cost: RequestCost,
    *,
    head: int = 0,
    per_second: float | None = None,
    longest: int = MAX_PAGE,
) -> Cover:
    """Return the requests that refresh all places soonest.

    Args:
        places: Positions in the list, rising; the newest payment's is 0.
        cursors: Positions of payments at which a cursor is known, rising.
        cost: What requests cost.
        head: So many rows of the list's head are read in any case; 0 for none.
        per_second: How many requests a second are allowed; None for any number.
        longest: The most rows of a page.
    """
    covers = _Covers(places, cursors, cost, longest)
    cheapest = covers.best(head, 0.0)
    if per_second is None or cheapest.lasts(per_second) <= cheapest.cost:
        return cheapest
    dear = 1e3 * (cheapest.cost + 1.0)
    fewest = covers.best(head, dear)
    best = min(cheapest, fewest, key=lambda cover: cover.lasts(per_second))
    if best.lasts(per_second) > best.cost:
        return best  # no cover has fewer requests
    low, high = 0.0, dear
    for _ in range(_TRIES):
        price = (low + high) / 2 if low else high / 2**10
        cover = covers.best(head, price)
        best = min(best, cover, key=lambda cover: cover.lasts(per_second))
        if cover.lasts(per_second) > cover.cost:
            low = price
        else:
            high = price
        if high - low < 1e-3:
            break
    return best


class _Covers:
    """Finds covers of the same places at several prices of a request."""

    def __init__(
        self, places: Sequence[int], cursors: Sequence[int], cost: RequestCost, longest: int
    ) -> None:
        self._longest = longest
        self._places = places
        self._cursors = cursors
        self._cost = cost
        # The nearest cursor above each place, and the first place below each cursor.
        self._above = [bisect_left(cursors, place) - 1 for place in places]
        self._below = [bisect_left(places, cursor) for cursor in cursors]

    def best(self, head: int, surcharge: float) -> Cover:
        """Return the cheapest cover if every request costs so much more."""
        left, chosen = self._choices(surcharge)
        steps: list[Step] = []
        if head:
            row = self._cost.row
            steps.append(min(self._heads(head), key=lambda one: row * one.rows + left[one.stop]))
        at = steps[0].stop if steps else 0
        while at < len(self._places):
            steps.append(chosen[at])
            at = chosen[at].stop
        return Cover(tuple(steps), sum(map(self._price, steps)))

    def _price(self, step: Step) -> float:
        return self._cost.of_page(step.rows) if step.rows else self._cost.of_get()

    def _heads(self, least: int) -> Iterator[Step]:
        stop = bisect_left(self._places, least)
        yield Step(0, stop, least)
        while stop < len(self._places) and self._places[stop] < self._longest:
            yield Step(0, stop + 1, self._places[stop] + 1)
            stop += 1

    def _choices(self, surcharge: float) -> tuple[list[float], list[Step]]:
        """Return what all places from each on cost, and the first request for them."""
        places, cursors, row = self._places, self._cursors, self._cost.row
        get = self._cost.of_get() + surcharge
        page = self._cost.of_page(0) + surcharge
        left = [0.0] * (len(places) + 1)
        chosen = [Step(0, 0)] * len(places)
        ends, turns = _Window(), _Window()
        cursor = len(cursors)
        for start in range(len(places) - 1, -1, -1):
            place, above = places[start], self._above[start]
            before = cursors[above] if above >= 0 else -self._longest - 1
            left[start], chosen[start] = get + left[start + 1], Step(start, start + 1)

            ends.add(place, row * place + left[start + 1], start + 1)
            ends.forget_beyond(before + self._longest)
            if place - before <= self._longest:
                least, stop = ends.least
                if page - row * before + least < left[start]:
                    left[start] = page - row * before + least
                    chosen[start] = Step(start, stop, places[stop - 1] - before, above)

            while cursor and cursors[cursor - 1] > place:
                cursor -= 1
                position = cursors[cursor]
                turns.add(position, row * position + left[self._below[cursor]], cursor)
            turns.forget_beyond(place + self._longest)
            if turns:
                least, turn = turns.least
                if page - row * place + least < left[start]:
                    left[start] = page - row * place + least
                    rows = cursors[turn] - place
                    chosen[start] = Step(start, self._below[turn], rows, turn, backwards=True)
        return left, chosen


class _Window:
    """The least of what was added, as far as it has not been left behind; positions only fall."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, float, int]] = deque()

    def __bool__(self) -> bool:
        return bool(self._kept)

    @property
    def least(self) -> tuple[float, int]:
        """The least value, and what it is the value of."""
        _, value, subject = self._kept[0]
        return value, subject

    def add(self, position: int, value: float, subject: int) -> None:
        """Take in a value at a position above all others."""
        kept = self._kept
        while kept and kept[-1][1] >= value:
            kept.pop()
        kept.append((position, value, subject))

    def forget_beyond(self, position: int) -> None:
        """Leave what is below a position behind."""
        while self._kept and self._kept[0][0] > position:
            self._kept.popleft()
