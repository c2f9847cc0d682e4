"""Statements: from the ledger to the text of a month."""

from __future__ import annotations

import gc
import tempfile
from datetime import UTC, timedelta
from functools import cache
from pathlib import Path
from time import process_time

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope
from opdash.statements.document import Form, in_form
from opdash.statements.periods import read_month
from opdash.statements.reading import Subject, read_statement
from opdash.statements.statement_document import statement_document
from tests.bench.figures import Bar, Figure
from tests.ledger.builders import ADDRESS, NOW, Book, payment

_FEW, _MANY = 10_000, 100_000
_PAGE = 1_000
_ROUNDS = 4


def _spend(path: Path, payments: int) -> float:
    """Return the CPU of a statement as the command makes it, with a reader of its own."""
    subject = Subject("Shop", ADDRESS, Scope.OWN)
    with LedgerReader.open(path) as reader:
        gc.collect()
        started = process_time()
        statement = read_statement(reader, [subject], read_month("2026-11", NOW, UTC), NOW)
        in_form(statement_document(statement), Form.TEXT)
        spent = process_time() - started
    assert sum(one.count for one in statement.wallets[0].states) == payments
    assert statement.wallets[0].assets[0].receipts == payments * 9 // 10
    return spent


@cache
def _seconds() -> tuple[float, float]:
    """Return the least CPU of 10,000 and of 100,000 payments of one month, measured in turns."""
    with tempfile.TemporaryDirectory(prefix="opdash-bench-") as directory:
        few = _written(Path(directory) / "few.sqlite3", _FEW)
        many = _written(Path(directory) / "many.sqlite3", _MANY)
        spent = [(_spend(few, _FEW), _spend(many, _MANY)) for _ in range(_ROUNDS)]
    return min(less for less, _ in spent), min(more for _, more in spent)


def _written(path: Path, payments: int) -> Path:
    book = Book(path)
    with book.ledger:
        for first in range(0, payments, _PAGE):
            page = [
                payment(
                    f"p{number:07}",
                    received=0 if number % 10 == 0 else 1_000 + (number % 31 == 0),
                    completed=number % 10 != 0,
                    created=NOW - timedelta(seconds=number * 15),
                    metadata={"externalRef": f"INV-{number % 60_000}"},
                )
                for number in range(first, first + _PAGE)
            ]
            book.record(*page)
    return path


FIGURES = (
    Figure(
        "statement_100k",
        "s of CPU, a month with 100,000 payments",
        Bar.AT_MOST,
        1.2,
        lambda: _seconds()[1],
    ),
    Figure(
        "statement_growth",
        "× the CPU of 10,000 payments",
        Bar.AT_MOST,
        13.0,
        lambda: _seconds()[1] / _seconds()[0],
    ),
)
