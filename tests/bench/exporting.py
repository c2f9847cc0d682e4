"""Exporting: a table of 100,000 payments against `csv.writer` on the same cells, and its memory."""

from __future__ import annotations

import csv
import gc
import tempfile
import tracemalloc
from functools import cache
from pathlib import Path
from time import process_time

from opdash.exports.destinations import FileDestination
from opdash.exports.exporting import export
from opdash.exports.records import ExportWallet, FormatName, Wanted
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope
from tests.bench.figures import Bar, Figure
from tests.bench.million import ADDRESS, NOW, million_ledger

_MANY, _FEW = 100_000, 10_000
_ROUNDS = 4


def _wanted(kind: FormatName) -> Wanted:
    return Wanted(format=kind, wallets=(ExportWallet("shop", ADDRESS, Scope.EVERYTHING),), now=NOW)


def _export(ledger: Path, target: Path, kind: FormatName) -> int:
    with LedgerReader.open(ledger) as reader:
        exported, _ = export(reader, _wanted(kind), FileDestination(target, overwrite=True))
    return exported.rows


def _seconds_of_export(ledger: Path, target: Path) -> float:
    gc.collect()
    started = process_time()
    rows = _export(ledger, target, FormatName.CSV)
    spent = process_time() - started
    assert rows == _MANY
    return spent


def _seconds_of_writer(source: Path, target: Path) -> float:
    with source.open(encoding="utf-8", newline="") as file:
        cells = list(csv.reader(file))
    gc.collect()
    started = process_time()
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(cells)
    spent = process_time() - started
    assert target.read_bytes() == source.read_bytes()
    return spent


def _speed() -> float:
    """Return how fast an export is, where `csv.writer` on the same cells is 1."""
    ledger = million_ledger(_MANY)
    with tempfile.TemporaryDirectory(prefix="opdash-bench-") as directory:
        ours, theirs = Path(directory) / "ours.csv", Path(directory) / "theirs.csv"
        spent = [
            (_seconds_of_export(ledger, ours), _seconds_of_writer(ours, theirs))
            for _ in range(_ROUNDS)
        ]
    return min(writer for _, writer in spent) / min(exporting for exporting, _ in spent)


@cache
def _peak(count: int, kind: FormatName) -> int:
    """Return the most memory that Python held while so many payments were exported, in bytes."""
    ledger = million_ledger(count)
    with tempfile.TemporaryDirectory(prefix="opdash-bench-") as directory:
        target = Path(directory) / "file"
        _export(million_ledger(_FEW), target, kind)  # modules are imported once
        gc.collect()
        tracemalloc.start()
        try:
            _export(ledger, target, kind)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def _growth() -> float:
    """Return how much more memory ten times as many rows take, of the kind that is worst."""
    kinds = (FormatName.CSV, FormatName.CAMT053)
    return max(_peak(_MANY, kind) / _peak(_FEW, kind) for kind in kinds)


FIGURES = (
    Figure("export_csv", "× csv.writer on the same 100,000 rows", Bar.AT_LEAST, 0.25, _speed),
    Figure(
        "export_memory",
        "× the peak of 10,000 rows at 100,000 (csv, camt.053)",
        Bar.AT_MOST,
        1.5,
        _growth,
    ),
)
"""What an export costs."""
