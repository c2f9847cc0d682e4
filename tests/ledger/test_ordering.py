"""Runs of a list are woven into one order; a sorted list of true ranks is the model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.ordering import GAP, Edge, Member, NoRoomError, weave


class Ties:
    """The payments of one instant: their ties by name."""

    def __init__(self, ties: dict[str, int] | None = None) -> None:
        self.ties = dict(ties or {})

    def above(self, tie: int) -> int | None:
        return min((taken for taken in self.ties.values() if taken > tie), default=None)

    def below(self, tie: int) -> int | None:
        return max((taken for taken in self.ties.values() if taken < tie), default=None)

    def top(self) -> int | None:
        return max(self.ties.values(), default=None)

    def bottom(self) -> int | None:
        return min(self.ties.values(), default=None)

    @property
    def order(self) -> str:
        return "".join(sorted(self.ties, key=lambda name: -self.ties[name]))

    def take(self, run: Sequence[str], edge: Edge = Edge.BOTTOM) -> dict[str, int]:
        members = [Member(name, self.ties.get(name)) for name in run]
        new = weave(members, self, edge)
        self.ties |= new
        assert len(set(self.ties.values())) == len(self.ties)
        return new


def known(order: str) -> Ties:
    return Ties({name: -number * GAP for number, name in enumerate(order)})


@pytest.mark.parametrize(
    ("before", "run", "edge", "after"),
    [
        ("", "abc", Edge.BOTTOM, "abc"),
        ("", "abc", Edge.TOP, "abc"),
        ("abc", "abc", Edge.TOP, "abc"),
        ("abc", "xy", Edge.TOP, "xyabc"),
        ("abc", "xy", Edge.BOTTOM, "abcxy"),
        ("abc", "axb", Edge.BOTTOM, "axbc"),
        ("abc", "cxy", Edge.TOP, "abcxy"),
        ("abc", "xya", Edge.BOTTOM, "xyabc"),
        ("abc", "xb", Edge.TOP, "axbc"),
        ("abc", "bx", Edge.BOTTOM, "abxc"),
        ("agc", "axc", Edge.BOTTOM, "axgc"),
        ("abc", "axbyc", Edge.BOTTOM, "axbyc"),
        ("abcd", "dabc", Edge.BOTTOM, "dabc"),
        ("abcd", "acbd", Edge.BOTTOM, "acbd"),
        ("abcd", "dcba", Edge.BOTTOM, "dcba"),
    ],
)
def test_a_run_is_woven_in(before: str, run: str, edge: Edge, after: str) -> None:
    ties = known(before)
    ties.take(run, edge)
    assert ties.order == after


def test_what_is_known_stays_where_it_is() -> None:
    ties = known("abc")
    assert set(ties.take("axbyc")) == {"x", "y"}
    assert ties.take("axbyc") == {}


def test_as_few_as_possible_move_on_a_contradiction() -> None:
    assert set(known("abcde").take("abdce")) <= {"c", "d"}
    assert len(known("abcde").take("eabcd")) == 1


def test_no_room_is_said_and_not_made() -> None:
    ties = Ties({"a": 1, "b": 0})
    with pytest.raises(NoRoomError):
        ties.take("axb")
    assert ties.order == "ab"


def test_there_is_room_for_many_in_one_place() -> None:
    ties = known("ab")
    for number in range(19):
        ties.take(["a", f"x{number}"])
    assert len(ties.ties) == 21


truth = st.integers(2, 30).flatmap(lambda size: st.permutations(range(size)))


@given(truth, st.data())
def test_runs_in_any_order_never_contradict_the_list(order: list[int], data: st.DataObject) -> None:
    """Whatever is known stands in the list's order after each run that touches what is known."""
    ties = Ties()
    rank = {str(number): place for place, number in enumerate(order)}
    listed = list(map(str, order))
    for _ in range(12):
        start = data.draw(st.integers(0, len(listed) - 1))
        run = listed[start : start + data.draw(st.integers(1, 8))]
        if start == 0:
            edge = Edge.TOP
        elif start + len(run) == len(listed):
            edge = Edge.BOTTOM
        elif ties.ties and not set(run) & set(ties.ties):
            continue
        else:
            edge = Edge.BOTTOM
        ties.take(run, edge)
        woven = sorted(ties.ties, key=lambda name: -ties.ties[name])
        assert [rank[name] for name in woven] == sorted(rank[name] for name in woven)


@given(truth, truth)
def test_the_last_word_is_the_runs(before: list[int], run: list[int]) -> None:
    ties = known("".join(chr(97 + n) for n in before))
    said = "".join(chr(97 + n) for n in run)
    ties.take(said)
    order = ties.order
    assert all(order.index(one) < order.index(other) for one, other in pairwise(said))
