"""What a figure is, and how two ways of doing the same thing are timed against each other."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from time import perf_counter


class Bar(Enum):
    """On which side of its bar a figure should lie."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that the project promises.

    Attributes:
        name: What it is asked for by.
        unit: What the value counts, with the baseline it is relative to.
        side: Whether more or less is better.
        bar: The promised limit.
        measure: Measures it; takes seconds, and needs nothing prepared.
    """

    name: str
    unit: str
    side: Bar
    bar: float
    measure: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Result:
    """A figure, measured."""

    figure: Figure
    value: float

    @property
    def ok(self) -> bool:
        """Whether the promise holds."""
        if self.figure.side is Bar.AT_LEAST:
            return self.value >= self.figure.bar
        return self.value <= self.figure.bar

    def as_json(self) -> dict[str, object]:
        """The line of ``--json``."""
        return {
            "name": self.figure.name,
            "value": round(self.value, 3),
            "unit": self.figure.unit,
            "bar": self.figure.bar,
            "ok": self.ok,
        }


def best_seconds(
    *ways: Callable[[], object], rounds: int = 25, seconds: float = 0.04
) -> tuple[float, ...]:
    """Return the best time of one call for each way of doing something.

    The ways take turns in every round, so that a busy machine slows all of them; the best round
    is the one that was disturbed least.

    Args:
        ways: Are called without arguments.
        rounds: How often each way is timed.
        seconds: About how long one way is called in a round.
    """
    counts = [_calls_in(way, seconds) for way in ways]
    best = [float("inf")] * len(ways)
    for _ in range(rounds):
        for index, way in enumerate(ways):
            gc.collect()
            best[index] = min(best[index], _timed(way, counts[index]) / counts[index])
    return tuple(best)


def _calls_in(way: Callable[[], object], seconds: float) -> int:
    way()
    one = max(_timed(way, 3) / 3, 1e-7)
    return max(1, int(seconds / one))


def _timed(way: Callable[[], object], count: int) -> float:
    started = perf_counter()
    for _ in range(count):
        way()
    return perf_counter() - started
