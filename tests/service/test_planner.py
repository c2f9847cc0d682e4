"""What a poll asks for: urgency, limits, and that no plan is dearer than single gets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.charting import Chart, Place
from opdash.ledger.records import Changeable, Scope
from opdash.service.costs import RequestCost
from opdash.service.covering import MAX_PAGE
from opdash.service.planner import (
    MIN_HEAD,
    Due,
    Get,
    Page,
    Request,
    Terms,
    due_payments,
    plan_poll,
)
from tests.service.plan_costs import cost_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def payment(
    name: str, *, seen: float = 60.0, changed: float = 3600.0, expires: float | None = None
) -> Changeable:
    return Changeable(
        id=name,
        created_at=NOW - timedelta(days=1),
        expires_at=None if expires is None else NOW + timedelta(seconds=expires),
        changed_at=NOW - timedelta(seconds=changed),
        last_seen_at=NOW - timedelta(seconds=seen),
        scope=Scope.OWN,
    )


def chart_of(positions: Sequence[int], cursors: Sequence[int] = (), *, ids: bool = False) -> Chart:
    """A list of which payments ``p…`` are asked for, and some positions have cursors ``c…``."""
    return Chart(
        tuple(Place(position, f"p{position}") for position in positions),
        tuple(Place(position, f"c{position}") for position in cursors),
        tuple(Place(at - 1, f"i{at - 1}") for at in positions if at and ids),
    )


def due_of(positions: Sequence[int]) -> tuple[Due, ...]:
    """Payments due, the later in the list the less urgent."""
    return tuple(
        Due(f"p{position}", position, 100.0 - number) for number, position in enumerate(positions)
    )


def shown_by(request: Get | Page) -> set[int]:
    """The positions that a request shows if nothing has moved."""
    if isinstance(request, Get):
        return {int(request.payment_id[1:])}
    if request.cursor is None:
        return set(range(request.rows))
    at = int(request.cursor[1:])
    if request.backwards:
        return set(range(at - request.rows, at))
    return set(range(at + 1, at + 1 + request.rows))


def urgencies(requests: Sequence[Request], due: Sequence[Due]) -> list[float]:
    behind = {one.id: one.behind for one in due}
    return [max(behind[name] for name in request.shows) for request in requests]


POSITIONS = st.lists(st.integers(0, 900), max_size=60, unique=True).map(sorted)
COSTS = st.builds(
    RequestCost,
    get=st.floats(0.5, 50),
    page=st.floats(0.5, 50),
    row=st.floats(0.0, 2.0),
    latency=st.sampled_from([0.0, 20.0, 50.0, 300.0]),
)


class TestDue:
    def test_payments_on_screen_and_near_expiry_come_first(self) -> None:
        payments = [payment("old"), payment("seen"), payment("ending", expires=30)]
        due = due_payments(payments, now=NOW, interval=5.0, on_screen={"seen"})
        assert {one.id for one in due[:2]} == {"seen", "ending"}

    def test_what_just_changed_comes_before_what_was_long_quiet(self) -> None:
        payments = [payment("quiet"), payment("lively", changed=5.0)]
        due = due_payments(payments, now=NOW, interval=5.0)
        assert [one.id for one in due] == ["lively", "quiet"]

    def test_what_was_just_refreshed_is_left_alone(self) -> None:
        assert due_payments([payment("fresh", seen=0.1)], now=NOW, interval=5.0) == ()

    def test_what_was_asked_for_in_vain_waits_for_its_pace(self) -> None:
        tried = {"vain": NOW - timedelta(seconds=1)}
        assert due_payments([payment("vain")], now=NOW, interval=5.0, tried=tried) == ()

    def test_what_was_seen_at_a_time_to_come_is_due(self) -> None:
        payments = [payment("ahead", seen=-86_400.0), payment("just", seen=-0.5)]
        due = due_payments(payments, now=NOW, interval=5.0)
        assert [one.id for one in due] == ["ahead"]

    def test_a_quiet_payment_is_asked_for_twelve_times_more_rarely(self) -> None:
        payments = [payment("quiet", seen=50.0), payment("later", seen=60.0)]
        due = due_payments(payments, now=NOW, interval=5.0)
        assert [one.id for one in due] == ["later"]

    def test_nothing_is_forgotten_when_the_budget_is_too_small(self) -> None:
        waiting = {str(index): 0.0 for index in range(10)}
        asked: set[str] = set()
        for _ in range(60):
            payments = [payment(name, seen=age + 5.0) for name, age in waiting.items()]
            due = due_payments(payments, now=NOW, interval=5.0)
            plan = plan_poll(due, Chart(), Terms(limit=1), head=0)
            chosen = {name for request in plan.requests for name in request.shows}
            asked |= chosen
            waiting = {n: 0.0 if n in chosen else age + 5.0 for n, age in waiting.items()}
        assert asked == set(waiting)


class TestHead:
    def test_a_quiet_list_is_asked_for_its_smallest_head(self) -> None:
        assert plan_poll((), Chart(), Terms()).requests == (Page(MIN_HEAD),)
        plan = plan_poll(due_of([0, 5, 19]), chart_of([0, 5, 19]), Terms())
        assert plan.requests == (Page(MIN_HEAD, ("p0", "p5", "p19")),)

    def test_it_is_widened_for_payments_just_beyond_it(self) -> None:
        plan = plan_poll(due_of([30]), chart_of([30]), Terms())
        assert plan.requests == (Page(31, ("p30",)),)

    def test_one_payment_far_out_is_cheaper_to_get_alone(self) -> None:
        plan = plan_poll(due_of([99]), chart_of([99]), Terms())
        assert plan.requests == (Page(MIN_HEAD), Get("p99"))

    def test_with_few_requests_a_second_a_wide_head_is_cheaper(self) -> None:
        plan = plan_poll(due_of([99]), chart_of([99]), Terms(per_second=2.0))
        assert plan.requests == (Page(100, ("p99",)),)


class TestPages:
    def test_a_page_begins_at_a_recorded_cursor_and_ends_at_what_is_needed(self) -> None:
        positions = [310, 315, 320, 330]
        plan = plan_poll(due_of(positions), chart_of(positions, [299, 399]), Terms(), head=0)
        assert plan.requests == (Page(31, ("p310", "p315", "p320", "p330"), "c299"),)

    def test_a_page_backwards_ends_right_before_a_cursor(self) -> None:
        positions = [380, 385, 390, 395]
        plan = plan_poll(due_of(positions), chart_of(positions, [299, 399]), Terms(), head=0)
        assert plan.requests == (
            Page(19, ("p380", "p385", "p390", "p395"), "c399", backwards=True),
        )

    def test_any_payment_serves_as_a_cursor_once_the_server_takes_ids(self) -> None:
        positions = [310, 315, 320, 330]
        chart = chart_of(positions, ids=True)
        alone = plan_poll(due_of(positions), chart, Terms(), head=0)
        assert {type(request) for request in alone.requests} == {Get}
        plan = plan_poll(due_of(positions), chart, Terms(takes_ids=True), head=0)
        assert plan.requests == (
            Page(21, ("p310", "p315", "p320", "p330"), "i309", is_made_up=True),
        )

    def test_a_recorded_cursor_is_preferred_to_one_made_up_at_the_same_place(self) -> None:
        positions = [310, 315, 320, 330]
        chart = Chart(chart_of(positions).payments, (Place(309, "c309"),), (Place(309, "i309"),))
        plan = plan_poll(due_of(positions), chart, Terms(takes_ids=True), head=0)
        (page,) = plan.requests
        assert isinstance(page, Page)
        assert (page.cursor, page.is_made_up) == ("c309", False)

    def test_what_the_list_does_not_show_is_asked_for_alone(self) -> None:
        positions = [310, 315, 320, 330]
        chart = chart_of(positions, [299])
        plan = plan_poll(due_of(positions), chart, Terms(), head=0, alone=set(chart_names(chart)))
        assert set(plan.requests) == {Get(f"p{at}") for at in positions}


def chart_names(chart: Chart) -> list[str]:
    return [place.name for place in chart.payments]


@given(
    positions=POSITIONS,
    cursors=POSITIONS,
    ids=st.booleans(),
    cost=COSTS,
    rate=st.sampled_from([None, 0.5, 2.0, 30.0]),
    head=st.sampled_from([0, MIN_HEAD]),
    longest=st.sampled_from([20, 50, MAX_PAGE]),
)
def test_all_that_is_due_is_covered_by_pages_of_a_proper_size(
    positions: list[int],
    cursors: list[int],
    ids: bool,
    cost: RequestCost,
    rate: float | None,
    head: int,
    longest: int,
) -> None:
    due, chart = due_of(positions), chart_of(positions, cursors, ids=ids)
    plan = plan_poll(
        due, chart, Terms(cost, per_second=rate, takes_ids=ids, longest=longest), head=head
    )
    shown = [name for request in plan.requests for name in request.shows]
    assert sorted(shown) == sorted(one.id for one in due)
    for request in plan.requests:
        assert {int(name[1:]) for name in request.shows} <= shown_by(request)
        if isinstance(request, Page):
            assert 1 <= request.rows <= longest
    assert plan.left_over == 0


@given(positions=POSITIONS, cursors=POSITIONS, ids=st.booleans(), cost=COSTS)
def test_no_plan_is_dearer_than_the_head_and_single_gets(
    positions: list[int], cursors: list[int], ids: bool, cost: RequestCost
) -> None:
    due, chart = due_of(positions), chart_of(positions, cursors, ids=ids)
    plan = plan_poll(due, chart, Terms(cost, takes_ids=ids))
    beyond = sum(position >= MIN_HEAD for position in positions)
    assert cost_of(plan, cost) <= cost.of_page(MIN_HEAD) + beyond * cost.of_get() + 1e-6


@given(
    positions=POSITIONS,
    cursors=POSITIONS,
    cost=COSTS,
    limit=st.integers(1, 12),
    head=st.sampled_from([0, MIN_HEAD]),
)
def test_a_limit_is_kept_and_used_for_the_most_urgent(
    positions: list[int], cursors: list[int], cost: RequestCost, limit: int, head: int
) -> None:
    due, chart = due_of(positions), chart_of(positions, cursors)
    plan = plan_poll(due, chart, Terms(cost, per_second=2.0, limit=limit), head=head)
    assert len(plan.requests) <= limit
    shown = {name for request in plan.requests for name in request.shows}
    singles = limit - (1 if head else 0)
    # As many as single gets could show, and of all payments the same: the most urgent ones.
    assert {one.id for one in due[:singles]} <= shown
    if plan.left_over:
        assert len(plan.requests) == limit
        order = urgencies(plan.requests[1 if head else 0 :], due)
        assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("rate", [0.5, 2.0, 10.0])
def test_where_requests_are_dear_there_are_as_few_as_possible(rate: float) -> None:
    positions = [300, 395, 410, 490, 700]
    plan = plan_poll(
        due_of(positions), chart_of(positions, [299, 399, 499]), Terms(per_second=rate), head=0
    )
    assert len(plan.requests) == 3
