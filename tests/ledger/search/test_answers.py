"""What is found through columns, held to the plain evaluator and to plain sorting."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.encoding import SCOPE_CODES, STATE_CODES, text_sort_key
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, AssetTotals, PaymentRow, Sort, SortColumn
from opdash.ledger.search import ranks
from opdash.ledger.search.evaluating import matches
from opdash.ledger.search.folding import folded, values_at
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.terms import All, Query
from opdash.ledger.search.values import Moment
from opdash.openpayments.amounts import Asset
from opdash.openpayments.resources import IncomingPayment
from tests.ledger.builders import ADDRESS, NOW, Book, names, payment
from tests.ledger.search.queries import LEDGERS, MOST, TREES

EVERYTHING = 10_000


@pytest.fixture
def by_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even few payments be picked out of the order of all."""
    monkeypatch.setattr(ranks, "_FEW", 0)


@contextmanager
def ledger() -> Iterator[tuple[Book, LedgerReader]]:
    with tempfile.TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            yield book, reader


def ask(line: str) -> Query:
    return read_query(line, Moment(NOW))


def in_order(newest: Sequence[PaymentRow], sort: Sort) -> list[PaymentRow]:
    """Return rows, given newest first, as Python sorts them."""
    if sort.column is SortColumn.CREATED:
        return list(newest if sort.descending else reversed(newest))
    return sorted(newest, key=lambda row: key_of(row, sort), reverse=sort.descending)


def key_of(row: PaymentRow, sort: Sort) -> Any:  # noqa: C901 - one case for each column
    match sort.column:
        case SortColumn.STATE:
            return STATE_CODES[row.state]
        case SortColumn.ASKED:
            return -1 if row.asked is None else row.asked
        case SortColumn.RECEIVED:
            return row.received
        case SortColumn.REFERENCE:
            return text_sort_key(row.reference)
        case SortColumn.DESCRIPTION:
            return text_sort_key(row.description)
        case SortColumn.EXPIRES:
            return (row.expires_at is None, row.expires_at)
        case SortColumn.DIFFERENCE:
            return (row.difference is not None, row.difference or 0)
        case SortColumn.ASSET:
            return row.received_asset.code.lower()
        case SortColumn.CHANGED:
            return row.changed_at
        case SortColumn.FIRST_SEEN:
            return row.first_seen_at
        case SortColumn.SCOPE:
            return SCOPE_CODES[row.scope]
        case SortColumn.LABELS:
            return " ".join(row.note.names)
        case SortColumn.ID:
            return row.id.rpartition("/")[2]
        case SortColumn.METADATA:
            return folded(" ".join(values_at(row.metadata_json, sort.path) or ()))[:64].strip()
        case SortColumn.CREATED:
            raise AssertionError


SORTS = st.builds(Sort, st.sampled_from(SortColumn), st.booleans(), st.sampled_from(["a", "b"]))


def found(reader: LedgerReader, tree: All, sort: Sort) -> list[str]:
    return names(reader.rows(reader.matches(ADDRESS, Query("", tree), sort).keys))


@given(LEDGERS, LEDGERS, TREES, SORTS)
@pytest.mark.usefixtures("by_ranks")
def test_every_order_of_every_query(
    before: Sequence[IncomingPayment], after: Sequence[IncomingPayment], tree: All, sort: Sort
) -> None:
    with ledger() as (book, reader):
        book.record(*before)
        book.record(*after, at=NOW + timedelta(minutes=1))
        newest = reader.window(ADDRESS, limit=EVERYTHING)
        expected = [row for row in in_order(newest, sort) if matches(tree, row)]
        assert found(reader, tree, sort) == names(expected)
        assert reader.count(ADDRESS, Query("", tree)) == len(expected)


def many(book: Book, count: int = 700) -> None:
    """Record so many payments that they take several sheets, in two wallet addresses' turns."""
    codes = ("USD", "EUR", "usd", "JPY")
    for start in range(0, count, 100):
        book.record(
            *(
                payment(
                    f"p{number:03}",
                    asked=None if number % 7 == 0 else number % 5 * (MOST // 4),
                    received=number % 3 * (MOST // 2),
                    created=NOW - timedelta(seconds=number // 2),
                    expires=None if number % 2 else NOW + timedelta(days=number % 4),
                    metadata={"description": f"lamp {number % 10}", "orderId": number},
                    code=codes[number % len(codes)],
                )
                for number in range(start, start + 100)
            ),
            at=NOW + timedelta(seconds=start),
        )


LINES = (
    *("", "lamp", "-lamp", '"lamp 7"', "state:open", "amount>10", "received<5", "asset:usd"),
    *("has:metadata.orderId", "metadata.orderId:77", "since:100s", "difference<0", "desc:lamp"),
    *("-asset:usd amount>10", "p1", "id:p1", "-is:open", "has:expires", "nothing", "amount:0"),
)


@pytest.mark.usefixtures("by_ranks")
@pytest.mark.parametrize("column", SortColumn)
def test_orders_over_several_sheets(book: Book, reader: LedgerReader, column: SortColumn) -> None:
    many(book)
    newest = reader.window(ADDRESS, limit=EVERYTHING)
    assert len(newest) == 700
    for sort in (Sort(column, descending, "orderId") for descending in (True, False)):
        for line in LINES:
            tree = ask(line).tree
            expected = [row for row in in_order(newest, sort) if matches(tree, row)]
            assert found(reader, tree, sort) == names(expected), line


def test_counts_first_rows_and_totals_over_several_sheets(book: Book, reader: LedgerReader) -> None:
    many(book)
    newest = reader.window(ADDRESS, limit=EVERYTHING)
    for line in LINES:
        expected = [row for row in newest if matches(ask(line).tree, row)]
        assert reader.window(ADDRESS, limit=9, query=ask(line)) == tuple(expected[:9]), line
        assert reader.count(ADDRESS, ask(line)) == len(expected), line
        assert set(reader.totals(ADDRESS, ask(line))) == added(expected), line


def added(rows: Sequence[PaymentRow]) -> set[AssetTotals]:
    assets = {row.received_asset for row in rows}
    assets |= {row.asked_asset for row in rows if row.asked and row.asked_asset}
    return {
        AssetTotals(
            asset,
            sum(row.received_asset == asset for row in rows),
            sum(row.asked or 0 for row in rows if row.asked_asset == asset),
            sum(row.received for row in rows if row.received_asset == asset),
            sum(row.difference or 0 for row in rows if row.received_asset == asset),
        )
        for asset in assets
    }


@pytest.mark.usefixtures("by_ranks")
def test_many_assets_are_kept_apart(book: Book, reader: LedgerReader) -> None:
    codes = [f"{letter}{number}" for letter in "aAbB" for number in range(10)]
    book.record(
        *(
            payment(f"p{n}", asked=n, received=MOST, code=code, asked_code=codes[n // 2])
            for n, code in enumerate(codes)
        )
    )
    newest = reader.window(ADDRESS, limit=EVERYTHING)
    assert set(reader.totals(ADDRESS)) == added(newest)
    for descending in (True, False):
        sort = Sort(SortColumn.ASSET, descending)
        assert found(reader, All(), sort) == names(in_order(newest, sort))


@pytest.mark.usefixtures("by_ranks")
def test_urls_that_end_alike_stand_newest_first(book: Book, reader: LedgerReader) -> None:
    for number, base in enumerate(("a", "b", "c")):
        created = NOW - timedelta(seconds=number)
        for name in ("x", "y"):
            url = f"https://rs.example/{base}/{name}"
            book.record(payment(url=url, created=created, metadata={"description": base}))
    for descending, expected in ((True, "yyyxxx"), (False, "xxxyyy")):
        keys = reader.matches(ADDRESS, ask("-nothing"), Sort(SortColumn.ID, descending)).keys
        rows = reader.rows(keys)
        assert "".join(names(rows)) == expected
        assert "".join(row.description for row in rows) == "abcabc"


def test_totals_of_many_of_the_greatest_amounts_are_exact(book: Book, reader: LedgerReader) -> None:
    book.record(*(payment(f"p{n}", asked=MOST, received=MOST) for n in range(300)))
    book.record(*(payment(f"q{n}", asked=MOST, received=MOST - 1) for n in range(300)))
    usd = Asset("USD", 2)
    assert reader.totals(ADDRESS) == (AssetTotals(usd, 600, 600 * MOST, 600 * MOST - 300, -300),)
    most = f"received={MOST // 100}.{MOST % 100:02}"
    assert reader.totals(ADDRESS, ask(most)) == (AssetTotals(usd, 300, 300 * MOST, 300 * MOST, 0),)
    assert reader.totals(ADDRESS, ask("difference<0"))[0].difference == -300


def test_answers_follow_the_ledger(book: Book, reader: LedgerReader) -> None:
    lamp = {"description": "lamp"}
    book.record(payment("one", metadata=lamp))
    assert reader.count(ADDRESS, ask("lamp")) == 1
    book.record(payment("two", metadata=lamp, created=NOW - timedelta(1)))
    assert reader.count(ADDRESS, ask("lamp")) == 2
    reader.forget_answers()
    assert found(reader, ask("lamp").tree, NEWEST_FIRST) == ["one", "two"]
    book.record(payment("one", received=1000, completed=True, metadata={"description": "chair"}))
    assert found(reader, ask("lamp").tree, NEWEST_FIRST) == ["two"]
    assert found(reader, ask("state:paid,overpaid chair").tree, NEWEST_FIRST) == ["one"]


@pytest.mark.parametrize("common", [2_000])
def test_rare_rows_behind_many_that_a_word_finds(
    book: Book, reader: LedgerReader, common: int
) -> None:
    lamp = {"description": "lamp"}
    book.record(*(payment(f"p{n}", metadata=lamp, created=NOW) for n in range(common)))
    book.record(payment("rare", asked=7, metadata=lamp, created=NOW - timedelta(9)))
    assert names(reader.window(ADDRESS, limit=5, query=ask("lamp amount=0.07"))) == ["rare"]
