"""What requests cost, as learnt from exchanges."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.service.costs import LearntCosts, RequestCost


def test_the_start_is_what_was_measured() -> None:
    cost = LearntCosts().cost
    assert (cost.of_get(), cost.of_page(0), cost.of_page(100)) == (5.0, 6.1, 22.1)


def test_the_first_answer_tells_the_latency_of_both_kinds() -> None:
    learnt = LearntCosts()
    learnt.saw_page(20, 0.0593)
    assert learnt.cost.of_get() == pytest.approx(55.0)
    assert learnt.cost.of_page(100) == pytest.approx(72.1)


def test_a_server_of_its_own_kind_is_learnt() -> None:
    learnt, chance = LearntCosts(), random.Random(1)
    for _ in range(40):
        rows = chance.randrange(1, 101)
        learnt.saw_page(rows, (30.0 + 12.0 + 0.5 * rows) / 1000)
        learnt.saw_get((30.0 + 2.0) / 1000)
    assert learnt.cost.of_get() == pytest.approx(32.0, abs=0.1)
    assert learnt.cost.of_page(10) == pytest.approx(47.0, abs=0.5)
    assert learnt.cost.of_page(90) == pytest.approx(87.0, abs=0.5)


def test_answers_that_were_held_up_move_nothing() -> None:
    learnt, chance = LearntCosts(), random.Random(2)
    for number in range(40):
        delay = 5000.0 if number % 4 == 0 else 0.0
        rows = chance.randrange(1, 101)
        learnt.saw_page(rows, (20.0 + 6.1 + 0.16 * rows + delay) / 1000)
        learnt.saw_get((25.0 + delay) / 1000)
    assert learnt.cost.of_get() == pytest.approx(25.0, abs=0.1)
    assert learnt.cost.of_page(50) == pytest.approx(34.1, rel=0.1)


def test_an_old_speed_is_forgotten() -> None:
    learnt = LearntCosts()
    for seconds in (1.0, 0.01):
        for _ in range(50):
            learnt.saw_get(seconds)
    assert learnt.cost.of_get() == pytest.approx(10.0)


@given(
    gets=st.lists(st.floats(0, 10), max_size=50),
    pages=st.lists(st.tuples(st.integers(0, 100), st.floats(0, 10)), max_size=50),
)
def test_no_exchange_makes_costs_that_cannot_be(
    gets: list[float], pages: list[tuple[int, float]]
) -> None:
    learnt = LearntCosts()
    for seconds in gets:
        learnt.saw_get(seconds)
    for rows, seconds in pages:
        learnt.saw_page(rows, seconds)
    cost: RequestCost = learnt.cost
    assert cost.of_get() >= 0
    assert cost.latency >= 0
    assert 0 <= cost.row <= 20
    assert cost.of_page(1) >= 0
