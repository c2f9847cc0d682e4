"""What the ledger puts into the books."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from opdash.books.ledger_side import BookWallet, LedgerSide, read_ledger, standing_decisions
from opdash.books.records import Link
from opdash.ledger.decisions import DecisionKind
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.saved import SavedSearch
from opdash.ledger.search.values import Moment
from tests.ledger.builders import ADDRESS, NOW, OTHER, Book, payment, payment_id

MOMENT = Moment(NOW, UTC)
SHOP = BookWallet("shop", ADDRESS, Scope.OWN)
YEN = BookWallet("yen", OTHER.id, Scope.OWN)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "ledger.sqlite3")
    with book.ledger:
        book.ledger.remember_wallet(OTHER, NOW)
        yield book


def side(book: Book, *searches: SavedSearch, query: str = "") -> LedgerSide:
    with LedgerReader.open(book.ledger.path) as reader:
        asked = read_query(query, MOMENT) if query else None
        return read_ledger(reader, (SHOP, YEN), searches, MOMENT, asked)


def names(urls: Iterator[str] | frozenset[str]) -> set[str]:
    return {url.rpartition("/")[2] for url in urls}


def test_all_payments_of_all_wallets_once(book: Book) -> None:
    many = [payment(f"p{n}", created=NOW - timedelta(minutes=n)) for n in range(2_100)]
    book.record(*many)
    book.record(payment("yen", code="JPY", scale=0), wallet_id=OTHER.id)
    book.record(payment("p7", wallet=OTHER.id), wallet_id=OTHER.id)

    found = side(book)

    assert len(found.payments) == 2_101
    assert [(one.known, one.looked_at) for one in found.known] == [(2_100, 2_100), (2, 1)]
    assert not found.is_complete


def test_only_what_is_asked_for(book: Book) -> None:
    book.record(payment("new"), payment("old", created=NOW - timedelta(days=9)))
    found = side(book, query="since:7d")
    assert names(one.id for one in found.payments) == {"new"}
    assert found.known[0].looked_at == 1


def test_saved_searches_name_what_pays_no_invoice(book: Book) -> None:
    book.record(
        payment("tip", metadata={"description": "a tip"}),
        payment("fan", metadata={"description": "from a fan"}),
        payment("lamp", metadata={"description": "a lamp"}),
    )
    tips = SavedSearch("Tips", "tip", not_invoice=True)
    fans = SavedSearch("Fans", "fan", "yen", not_invoice=True)
    lamps = SavedSearch("Lamps", "lamp")
    assert names(side(book, tips, fans, lamps).not_invoices) == {"tip"}


def test_decisions_that_stand(book: Book) -> None:
    for number in range(4):
        kind = DecisionKind.REJECTION if number > 1 else DecisionKind.LINK
        book.ledger.decide(ADDRESS, kind, f"R-{number}", payment_id("p"), at=NOW)
    book.ledger.undo_decision(ADDRESS, 1, at=NOW)
    book.ledger.undo_decision(ADDRESS, 4, at=NOW)

    found = side(book).decisions

    assert found.links == (Link("R-1", payment_id("p")),)
    assert found.rejected == {("R-2", payment_id("p"))}
    assert standing_decisions(()).links == ()


def test_a_wallet_of_which_nothing_is_known(tmp_path: Path) -> None:
    book = Book(tmp_path / "ledger.sqlite3")
    with book.ledger, LedgerReader.open(book.ledger.path) as reader:
        stranger = BookWallet("new", "https://wallet.example/new", Scope.OWN)
        found = read_ledger(reader, (stranger,), (), MOMENT)
    assert found.payments == ()
    assert (found.known[0].known, found.known[0].complete) == (0, False)
