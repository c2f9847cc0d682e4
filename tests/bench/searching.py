"""Searching a million payments: how long the first window of what matches takes."""

from __future__ import annotations

from time import perf_counter

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from tests.bench.figures import Bar, Figure
from tests.bench.million import ADDRESS, COUNT, NOW, million_ledger

_ROWS = 64
_ROUNDS = 60
_MOMENT = Moment(NOW)

LINES = (
    *("lam", "lamp", "sub", "subscription", "coffee desk", "lamp chair table"),
    *("inv", "inv-2026-0", "INV-2026-0999", f"INV-2026-{COUNT - 7:07}", "ref=INV-2026-0000007"),
    *("c-0042", "C-9999 lamp", "desc:repair", "customer", "nowhere to be found", "2f1"),
    *('"blue repair"', "zzz", "donation table"),
)
"""What people type: words in many, few and no payments, at both ends of the list."""


def _first_window() -> float:
    """Return the 99th percentile of milliseconds, over all lines as often as each other."""
    path = million_ledger()
    with LedgerReader.open(path) as reader:
        milliseconds = sorted(_timed(reader, line) for _ in range(_ROUNDS) for line in LINES)
    return milliseconds[len(milliseconds) * 99 // 100]


def _timed(reader: LedgerReader, line: str) -> float:
    started = perf_counter()
    query = read_query(line, _MOMENT)
    reader.window(ADDRESS, NEWEST_FIRST, 0, _ROWS, query)
    return (perf_counter() - started) * 1000


FIGURES = (
    Figure(
        "search_first_window",
        "ms, p99, the first 64 rows that match of 1,000,000",
        Bar.AT_MOST,
        25.0,
        _first_window,
    ),
)
