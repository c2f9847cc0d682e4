"""Folding nine tenths of a million payments: how long windows take, what the loop feels of it."""

from __future__ import annotations

import asyncio
import random
from functools import cache
from time import perf_counter, process_time

from opdash.ledger.fold_index import FoldIndex
from opdash.ledger.folds import FoldRule
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from opdash.tui.folded_rows import FoldedRows
from opdash.tui.reading_thread import ReadingThread
from opdash.tui.widgets.row_window import PIECE, LedgerRows, RowSource
from tests.bench.figures import Bar, Figure
from tests.bench.million import ADDRESS, COUNT, NOW, million_ledger

_RULE = FoldRule("most", read_query("amount>100", Moment(NOW)).tree)
_TICK = 0.001
_WINDOWS = 300
_ROUNDS = 5


def _windows() -> float:
    """Return the CPU of windows over folded rows ÷ that of windows over a row a payment."""
    index, _ = _made()
    with LedgerReader.open(million_ledger()) as reader:
        folded: RowSource = FoldedRows(reader, ADDRESS, index)
        plain: RowSource = LedgerRows(reader, ADDRESS)
        assert folded.count(NEWEST_FIRST) < plain.count(NEWEST_FIRST) == COUNT
        spent: dict[RowSource, list[float]] = {folded: [], plain: []}
        for source in (folded, plain):
            _spend(source)  # what is read for the first time is not compared
        for _ in range(_ROUNDS):
            for source, seconds in spent.items():
                seconds.append(_spend(source))
        return min(spent[folded]) / min(spent[plain])


def _spend(source: RowSource) -> float:
    chance = random.Random(1)
    count = source.count(NEWEST_FIRST)
    started = process_time()
    for _ in range(_WINDOWS):
        source.window(NEWEST_FIRST, chance.randrange(count - PIECE), PIECE)
    return process_time() - started


def _stall() -> float:
    _, delays = _made()
    return delays[int(len(delays) * 0.999)] * 1000


@cache
def _made() -> tuple[FoldIndex, tuple[float, ...]]:
    """Return the index, and by how many seconds ticks of the loop were late while it was made."""
    return asyncio.run(_make())


async def _make() -> tuple[FoldIndex, tuple[float, ...]]:
    delays: list[float] = []
    thread = ReadingThread(million_ledger(), "bench-folds")
    ticking = asyncio.create_task(_tick(delays))
    try:
        index = await thread.read(
            thread.current, lambda reader: reader.fold(ADDRESS, (_RULE,), before=None)
        )
    finally:
        ticking.cancel()
        thread.close()
    assert index is not None
    assert index.payments == COUNT
    return index, tuple(sorted(delays))


async def _tick(delays: list[float]) -> None:
    while True:
        asked = perf_counter()
        await asyncio.sleep(_TICK)
        delays.append(perf_counter() - asked - _TICK)


FIGURES = (
    Figure(
        "fold_stall",
        "ms, 99.9th percentile of ticks while 1,000,000 payments are folded",
        Bar.AT_MOST,
        33.0,
        _stall,
    ),
    Figure(
        "fold_window",
        "× the CPU of a window of 1,000,000 rows that are not folded",
        Bar.AT_MOST,
        1.5,
        _windows,
    ),
)
