"""A ledger of Rosa's Shop, for statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from opdash.ledger.reader import LedgerReader
from tests.ledger.builders import Book

settings.register_profile("opdash", deadline=None)
settings.load_profile("opdash")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "data" / "ledger.sqlite3")
    with book.ledger:
        yield book


@pytest.fixture
def reader(book: Book) -> Iterator[LedgerReader]:
    with LedgerReader.open(book.path) as reader:
        yield reader
