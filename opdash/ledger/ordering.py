"""The order of payments that share a printed instant, kept from the server's list.

A server orders its list by stamps finer than those it prints. Among payments whose printed
``createdAt`` is the same, only the list tells which comes first; a page of it is a *run*: what
stands next to each other in it stands next to each other at the server. A run is woven into what is
known by giving numbers (*ties*) to its members, the newer the greater, with gaps between them, so
that a later run can put payments in between without touching the others.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Final, Protocol

import msgspec

GAP: Final = 2**20
"""How far apart ties are where nothing is in the way."""


class Edge(Enum):
    """Where a run lies among the payments of its instant, where no known neighbour tells."""

    TOP = auto()
    """It begins with the newest of them."""
    BOTTOM = auto()
    """It ends with the oldest of them."""


class Member(msgspec.Struct, frozen=True):
    """One payment of a run.

    Attributes:
        id: Its URL.
        tie: Its number, where it has one that was read from a list; otherwise None.
    """

    id: str
    tie: int | None


class Neighbours(Protocol):
    """The ties that are taken at the run's instant."""

    def above(self, tie: int) -> int | None:
        """Return the smallest tie that is greater, or None."""

    def below(self, tie: int) -> int | None:
        """Return the greatest tie that is smaller, or None."""

    def top(self) -> int | None:
        """Return the greatest tie, or None."""

    def bottom(self) -> int | None:
        """Return the smallest tie, or None."""


class NoRoomError(Exception):
    """Two neighbours stand too close together: space them out anew, then weave again."""


def weave(run: Sequence[Member], taken: Neighbours, edge: Edge) -> dict[str, int]:
    """Return new ties for the members of a run that need one.

    What the run says is newer than what the ties say: where they contradict, as few members as
    possible move.

    Args:
        run: Newest first, no member twice.
        taken: The ties of all known payments of the same instant.
        edge: Where the run goes when none of its members has a place yet.

    Raises:
        NoRoomError: There is no number left in between.
    """
    fixed = _longest_descent(run)
    ties: dict[str, int] = {}
    for start, end in _stretches(len(run), fixed):
        upper, lower = _bounds(run, start, end, taken, edge)
        new_ties = _spread(upper, lower, end - start)
        ties.update(zip((member.id for member in run[start:end]), new_ties, strict=True))
    return ties


def _bounds(
    run: Sequence[Member], start: int, end: int, taken: Neighbours, edge: Edge
) -> tuple[int | None, int | None]:
    """Return the ties between which a stretch goes: right after its newer neighbour, if any."""
    newer = run[start - 1].tie if start else None
    if newer is not None:
        return newer, taken.below(newer)
    older = run[end].tie if end < len(run) else None
    if older is not None:
        return taken.above(older), older
    return (None, taken.top()) if edge is Edge.TOP else (taken.bottom(), None)


def _spread(upper: int | None, lower: int | None, count: int) -> list[int]:
    """Return that many ties between two, greatest first."""
    if upper is None:
        first = 0 if lower is None else lower + count * GAP
        return [first - number * GAP for number in range(count)]
    if lower is None:
        return [upper - number * GAP for number in range(1, count + 1)]
    step = (upper - lower) // (count + 1)
    if step == 0:
        raise NoRoomError
    return [upper - number * step for number in range(1, count + 1)]


def _stretches(length: int, fixed: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the bounds of the stretches of a run in which no member is fixed."""
    start = 0
    for index in [*sorted(fixed), length]:
        if start < index:
            yield start, index
        start = index + 1


def _longest_descent(run: Sequence[Member]) -> set[int]:
    """Return the indexes of a longest choice of members whose ties already fall along the run."""
    tails: list[int] = []
    last_index: list[int] = []
    came_from: dict[int, int] = {}
    for index, member in enumerate(run):
        if member.tie is None:
            continue
        length = bisect_left(tails, -member.tie)
        if length:
            came_from[index] = last_index[length - 1]
        tails[length : length + 1] = [-member.tie]
        last_index[length : length + 1] = [index]
    chosen: set[int] = set()
    index = last_index[-1] if last_index else -1
    while index >= 0:
        chosen.add(index)
        index = came_from.get(index, -1)
    return chosen
