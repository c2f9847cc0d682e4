"""The cheapest cover: held against trying everything."""

from __future__ import annotations

from functools import cache
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.service.costs import RequestCost
from opdash.service.covering import MAX_PAGE, cheapest_cover


def tried_out(places: list[int], cursors: list[int], cost: RequestCost, head: int) -> float:
    """The least cost of all mixtures of all pages and gets there are."""
    pages: dict[frozenset[int], float] = {}
    for cursor in cursors:
        for rows in range(1, MAX_PAGE + 1):
            for side in (range(cursor + 1, cursor + 1 + rows), range(cursor - rows, cursor)):
                shown = frozenset(place for place in places if place in side)
                pages[shown] = min(pages.get(shown, inf), cost.of_page(rows))

    @cache
    def least(left: frozenset[int]) -> float:
        if not left:
            return 0.0
        first = min(left)
        best = cost.of_get() + least(left - {first})
        for shown, price in pages.items():
            if first in shown:
                best = min(best, price + least(left - shown))
        return best

    if not head:
        return least(frozenset(places))
    return min(
        cost.of_page(rows) + least(frozenset(place for place in places if place >= rows))
        for rows in range(head, MAX_PAGE + 1)
    )


@settings(max_examples=60, deadline=None)
@given(
    places=st.lists(st.integers(0, 260), max_size=7, unique=True).map(sorted),
    cursors=st.lists(st.integers(0, 300), max_size=6, unique=True).map(sorted),
    latency=st.sampled_from([0.0, 20.0, 50.0]),
    row=st.sampled_from([0.01, 0.16, 0.5]),
    head=st.sampled_from([0, 1, 20]),
)
def test_nothing_is_cheaper(
    places: list[int], cursors: list[int], latency: float, row: float, head: int
) -> None:
    cost = RequestCost(row=row, latency=latency)
    cover = cheapest_cover(places, cursors, cost, head=head)
    assert abs(cover.cost - tried_out(places, cursors, cost, head)) < 1e-6


@given(
    places=st.lists(st.integers(0, 2000), max_size=60, unique=True).map(sorted),
    cursors=st.lists(st.integers(0, 2000), max_size=30, unique=True).map(sorted),
    rate=st.floats(0.1, 200.0),
)
def test_a_budget_never_makes_it_later_than_cheapest_or_fewest(
    places: list[int], cursors: list[int], rate: float
) -> None:
    cost = RequestCost(latency=20.0)
    cover = cheapest_cover(places, cursors, cost, head=20, per_second=rate)
    free = cheapest_cover(places, cursors, cost, head=20)
    few = cheapest_cover(places, cursors, cost, head=20, per_second=0.001)
    assert cover.lasts(rate) <= min(free.lasts(rate), few.lasts(rate)) + 1e-6
    assert len(few.steps) <= len(cover.steps) <= len(free.steps)
    assert sum(step.stop - step.start for step in cover.steps) == len(places)
