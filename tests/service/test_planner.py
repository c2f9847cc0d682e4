"""What a poll asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.records import Changeable, Scope
from opdash.service.planner import MAX_PAGE, MIN_HEAD, choose_gets, head_size, requests_per_poll

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


def test_a_quiet_list_is_asked_for_its_smallest_head() -> None:
    assert head_size([]) == MIN_HEAD
    assert head_size([0, 5, 19]) == MIN_HEAD


def test_the_head_is_widened_for_payments_just_beyond_it() -> None:
    assert head_size([30]) == 31


def test_one_payment_far_out_is_cheaper_to_get_alone() -> None:
    assert head_size([99]) == MIN_HEAD


@given(st.lists(st.integers(0, 300), max_size=60))
def test_the_head_is_never_beyond_a_page(ranks: list[int]) -> None:
    assert MIN_HEAD <= head_size(ranks) <= MAX_PAGE


@given(st.lists(st.integers(0, 300), max_size=60, unique=True))
def test_no_other_head_size_is_cheaper(ranks: list[int]) -> None:
    def cost(size: int) -> float:
        return 6.1 + 0.16 * size + 5.0 * sum(size <= rank < MAX_PAGE for rank in ranks)

    best = min(cost(size) for size in range(MIN_HEAD, MAX_PAGE + 1))
    assert abs(cost(head_size(ranks)) - best) < 1e-9


def test_the_budget_counts_the_head() -> None:
    assert requests_per_poll(5.0) == 10
    assert requests_per_poll(0.2) == 2


def test_payments_on_screen_and_near_expiry_come_first() -> None:
    payments = [payment("old"), payment("seen"), payment("ending", expires=30)]
    chosen = choose_gets(payments, now=NOW, interval=5.0, budget=2, on_screen={"seen"})
    assert set(chosen) == {"seen", "ending"}


def test_what_was_just_refreshed_is_left_alone() -> None:
    assert choose_gets([payment("fresh", seen=0.1)], now=NOW, interval=5.0, budget=5) == ()


@given(st.integers(0, 20), st.integers(1, 40))
def test_the_budget_is_never_exceeded(budget: int, number: int) -> None:
    payments = [payment(str(index), seen=1000.0 + index) for index in range(number)]
    chosen = choose_gets(payments, now=NOW, interval=1.0, budget=budget)
    assert len(chosen) == min(budget, number)
    assert len(set(chosen)) == len(chosen)


def test_nothing_is_forgotten_when_the_budget_is_too_small() -> None:
    waiting = {str(index): 0.0 for index in range(10)}
    asked: set[str] = set()
    for _ in range(60):
        payments = [payment(name, seen=age + 5.0) for name, age in waiting.items()]
        chosen = choose_gets(payments, now=NOW, interval=5.0, budget=1)
        asked.update(chosen)
        waiting = {n: 0.0 if n in chosen else age + 5.0 for n, age in waiting.items()}
    assert asked == set(waiting)
