"""What SQL finds is what the plain evaluator finds, whatever the ledger and the query."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.notes import Edit, Resolution
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, AssetTotals, PaymentRow, Sort, SortColumn
from opdash.ledger.search import index
from opdash.ledger.search.evaluating import matches
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.terms import All, Query
from opdash.ledger.search.values import Moment
from opdash.openpayments.amounts import Asset
from opdash.openpayments.resources import IncomingPayment
from tests.ledger import version_1
from tests.ledger.builders import ADDRESS, GRACE, NOW, OTHER, Book, names, payment, payment_id
from tests.ledger.search.queries import EDITS, LEDGERS, MOST, TREES

SORTS = st.builds(Sort, st.sampled_from(SortColumn), st.booleans())
USD, JPY = Asset("USD", 2), Asset("JPY", 0)


@contextmanager
def ledger() -> Iterator[tuple[Book, LedgerReader]]:
    with tempfile.TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            yield book, reader


def ask(line: str) -> Query:
    return read_query(line, Moment(NOW))


def check(reader: LedgerReader, tree: All, sort: Sort) -> None:
    """Hold everything that the reader says of a query to the plain evaluator."""
    query = Query("", tree)
    expected = [row for row in reader.window(ADDRESS, sort) if matches(tree, row)]
    assert reader.window(ADDRESS, sort, query=query) == tuple(expected)
    assert reader.count(ADDRESS, query) == len(expected)
    assert reader.window(ADDRESS, sort, 1, 2, query) == tuple(expected[1:3])
    for rank, row in enumerate(expected):
        assert reader.position(ADDRESS, sort, row.id, query) == rank
    assert sorted(reader.totals(ADDRESS, query), key=repr) == sorted(added(expected), key=repr)


def added(rows: Sequence[PaymentRow]) -> list[AssetTotals]:
    assets = {row.received_asset for row in rows}
    assets |= {row.asked_asset for row in rows if row.asked and row.asked_asset}
    return [
        AssetTotals(
            asset,
            sum(row.received_asset == asset for row in rows),
            sum(row.asked or 0 for row in rows if row.asked_asset == asset),
            sum(row.received for row in rows if row.received_asset == asset),
            sum(row.difference or 0 for row in rows if row.received_asset == asset),
        )
        for asset in assets
    ]


@given(LEDGERS, TREES, SORTS)
def test_sql_finds_what_the_evaluator_finds(
    payments: Sequence[IncomingPayment], tree: All, sort: Sort
) -> None:
    with ledger() as (book, reader):
        book.record(*payments)
        check(reader, tree, NEWEST_FIRST)
        check(reader, tree, sort)


@given(
    LEDGERS, st.lists(st.tuples(st.integers(0, 5), EDITS), max_size=4), TREES, SORTS, st.booleans()
)
def test_so_it_does_with_what_people_wrote(
    payments: Sequence[IncomingPayment],
    edits: Sequence[tuple[int, Edit]],
    tree: All,
    sort: Sort,
    indexed: bool,
) -> None:
    with pytest.MonkeyPatch.context() as patch, ledger() as (book, reader):
        patch.setattr(index, "has_trigrams", lambda: indexed)
        book.record(*payments)
        for number, edit in edits if payments else ():
            url = payments[number % len(payments)].id
            book.ledger.write_note(ADDRESS, url, edit, at=NOW, grace=GRACE)
        check(reader, tree, NEWEST_FIRST)
        check(reader, tree, sort)


@given(LEDGERS, TREES)
def test_so_it_does_without_an_index(payments: Sequence[IncomingPayment], tree: All) -> None:
    with pytest.MonkeyPatch.context() as patch, ledger() as (book, reader):
        patch.setattr(index, "has_trigrams", lambda: False)
        book.record(*payments)
        check(reader, tree, NEWEST_FIRST)
        patch.undo()
        check(reader, tree, NEWEST_FIRST)
        while book.ledger.index_texts(2):
            check(reader, tree, NEWEST_FIRST)
        check(reader, tree, NEWEST_FIRST)


@given(LEDGERS, LEDGERS, TREES)
def test_so_it_does_after_changes(
    before: Sequence[IncomingPayment], after: Sequence[IncomingPayment], tree: All
) -> None:
    with ledger() as (book, reader):
        book.record(*before)
        book.record(*after, at=NOW + timedelta(minutes=1))
        check(reader, tree, NEWEST_FIRST)
        assert is_sound(book)


def is_sound(book: Book) -> bool:
    """Return whether the index holds the texts of the payments as they are, and no others."""
    connection = book.ledger._connection
    indexed = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'words'").fetchone()
    if indexed is None:
        return not connection.execute("SELECT 1 FROM document").fetchall()
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    keys = connection.execute("SELECT payment_key FROM document ORDER BY 1").fetchall()
    wanted = connection.execute("SELECT payment_key FROM payment WHERE metadata <> ''").fetchall()
    return set(keys) <= set(wanted) and len(set(keys)) == len(keys)


def fill(book: Book) -> None:
    book.record(
        payment("2f1b", metadata={"externalRef": "INV-7", "description": "Desk lamp"}),
        payment("2f1c", received=MOST, metadata={"externalRef": "INV-77"}, expires=None),
        payment("9999", asked=MOST, received=MOST, metadata={"order": {"ids": ["A-1", 77]}}),
        payment("9998", asked=None, received=MOST),
        payment("yen", asked=5, code="JPY", scale=0, metadata={"description": "lamp 2f1b"}),
    )


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", ["2f1b", "2f1c", "9999", "9998", "yen"]),
        ("lamp", ["2f1b", "yen"]),
        ("la", ["2f1b", "yen"]),
        ("LAMP desk", ["2f1b"]),
        ('"desk lamp"', ["2f1b"]),
        ('"lamp desk"', []),
        ("-lamp", ["2f1c", "9999", "9998"]),
        ("2f1b", ["2f1b", "yen"]),
        ("id:2f1", ["2f1b", "2f1c"]),
        ("2f1", ["2f1b", "2f1c", "yen"]),
        ("99", ["9999", "9998"]),
        (payment_id("2f1b"), ["2f1b"]),
        ("ref:inv-7", ["2f1b", "2f1c"]),
        ("ref=inv-7", ["2f1b"]),
        ("ref:7", ["2f1b", "2f1c"]),
        ("77", ["2f1c", "9999"]),
        ("a-1", ["9999"]),
        ("has:metadata.order.ids", ["9999"]),
        ("metadata.order:77", ["9999"]),
        ("metadata.order.ids=a-1", ["9999"]),
        ("order", []),
        ("asset:jpy", ["yen"]),
        ("received>184467440737095516.14", ["2f1c", "9999", "9998"]),
        ("received>184467440737095516.15", []),
        ("received=184467440737095516.15", ["2f1c", "9999", "9998"]),
        ("amount=184467440737095516.15", ["9999"]),
        ("amount:5", ["yen"]),
        ("amount:10", ["2f1b", "2f1c"]),
        ("difference<0", ["2f1b", "yen"]),
        ("difference:0", ["9999"]),
        ("difference>184467440737095506.149", ["2f1c"]),
        ("-difference:0", ["2f1b", "2f1c", "9998", "yen"]),
        ("-has:expires", ["2f1c"]),
        ("-has:amount", ["9998"]),
        ("expires<3d", ["2f1b", "9999", "9998", "yen"]),
        ("state:unpaid lamp", ["2f1b", "yen"]),
    ],
)
def test_what_lines_find(book: Book, reader: LedgerReader, line: str, found: list[str]) -> None:
    fill(book)
    assert names(reader.window(ADDRESS, query=ask(line))) == found
    check(reader, ask(line).tree, NEWEST_FIRST)


def write(book: Book, name: str, edit: Edit) -> None:
    book.ledger.write_note(ADDRESS, payment_id(name), edit, at=NOW, grace=GRACE)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("lamp", ["2f1b", "9998", "yen"]),
        ("LAMP rang", ["9998"]),
        ("desk -rang", ["2f1b"]),
        ("vip", ["9999", "9998"]),
        ("-vip", ["2f1b", "2f1c", "yen"]),
        ("label:vip", ["9999", "9998"]),
        ("label:v", ["9999", "9998"]),
        ("label=v", []),
        ("label=VIP", ["9998"]),
        ("label:ip", []),
        ("label:claim,vip-7", ["2f1b", "9999"]),
        ("-label:vip", ["2f1b", "2f1c", "yen"]),
        ("note:rang", ["9998"]),
        ('note:"rang about"', ["9998"]),
        ('note="second line"', []),
        ("note:lamp label:vip", ["9998"]),
        ("resolution:refunded", ["9999"]),
        ("resolution:written", ["9998"]),
        ("resolution:refunded,none", ["2f1b", "2f1c", "9999", "yen"]),
        ("resolution:none", ["2f1b", "2f1c", "yen"]),
        ("-resolution:none", ["9999", "9998"]),
        ("has:note", ["9998"]),
        ("-has:note has:label", ["2f1b", "9999"]),
        ("has:label", ["2f1b", "9999", "9998"]),
        ("has:resolution", ["9999", "9998"]),
        ("label:vip asset:usd received>0 -resolution:refunded", ["9998"]),
    ],
)
def test_what_lines_find_of_what_people_wrote(
    book: Book, reader: LedgerReader, line: str, found: list[str]
) -> None:
    fill(book)
    write(book, "2f1b", Edit(add=("claim",)))
    write(book, "9999", Edit(add=("vip-7",), resolution=Resolution.REFUNDED))
    note = "Rosa rang about the lamp.\nSecond line"
    write(book, "9998", Edit(add=("Vip",), text=note, resolution=Resolution.WRITTEN_OFF))
    write(book, "2f1c", Edit(add=("old",), text="gone", resolution=Resolution.ACCEPTED))
    write(book, "2f1c", Edit(remove=("OLD",), text="", resolution=Resolution.NONE))
    assert names(reader.window(ADDRESS, query=ask(line))) == found
    check(reader, ask(line).tree, NEWEST_FIRST)


def test_labels_are_a_column_to_sort_by(book: Book, reader: LedgerReader) -> None:
    fill(book)
    write(book, "2f1b", Edit(add=("zoo",)))
    write(book, "yen", Edit(add=("Ape", "vip")))
    write(book, "9999", Edit(add=("bee",)))
    write(book, "9998", Edit(text="no label"))
    rising, falling = Sort(SortColumn.LABELS, False), Sort(SortColumn.LABELS)
    without = ["2f1c", "9998"]
    assert names(reader.window(ADDRESS, rising)) == [*without, "yen", "9999", "2f1b"]
    assert names(reader.window(ADDRESS, falling)) == ["2f1b", "9999", "yen", *without]
    assert reader.position(ADDRESS, falling, payment_id("yen")) == 2
    found = reader.window(ADDRESS, rising, query=ask("has:label"))
    assert names(found) == ["yen", "9999", "2f1b"]


def test_what_many_wrote_is_found_beside_the_index(book: Book, reader: LedgerReader) -> None:
    book.record(*(payment(f"p{number:03}") for number in range(320)))
    for number in range(320):
        write(book, f"p{number:03}", Edit(add=("rush",)))
    assert reader.count(ADDRESS, ask("rush")) == 320
    assert len(reader.window(ADDRESS, query=ask("rush"))) == 50
    assert names(reader.window(ADDRESS, query=ask("label:rush"))) == names(reader.window(ADDRESS))


def test_totals_are_exact_beyond_sixty_four_bits(book: Book, reader: LedgerReader) -> None:
    fill(book)
    assert reader.totals(ADDRESS) == (
        AssetTotals(USD, 4, 2000 + MOST, 3 * MOST, MOST - 2000),
        AssetTotals(JPY, 1, 5, 0, -5),
    )
    assert reader.totals("https://wallet.example/nobody", ask("lamp")) == ()


def test_other_wallet_addresses_are_left_out(book: Book, reader: LedgerReader) -> None:
    book.ledger.remember_wallet(OTHER, NOW)
    lamp = {"description": "lamp"}
    book.record(payment("ours", metadata=lamp))
    book.record(payment("theirs", wallet=OTHER.id, metadata=lamp), wallet_id=OTHER.id)
    assert names(reader.window(ADDRESS, query=ask("lamp"))) == ["ours"]
    assert names(reader.window(OTHER.id, query=ask("lamp"))) == ["theirs"]
    assert names(reader.window(OTHER.id, query=ask("-lamp"))) == []
    book.ledger.forget_wallet(OTHER.id)
    assert names(reader.window(ADDRESS, query=ask("lamp"))) == ["ours"]
    assert is_sound(book)
    connection = book.ledger._connection
    left = connection.execute("SELECT COUNT(*) FROM words WHERE words MATCH 'lam'").fetchone()
    assert left == (1,)


def test_the_newest_come_first_across_seconds_and_within_them(
    book: Book, reader: LedgerReader
) -> None:
    lamp = {"description": "lamp"}
    moments = [timedelta(0), timedelta(microseconds=-5), timedelta(seconds=-1), timedelta(days=-9)]
    rows = [
        payment(f"p{number}", metadata=lamp, created=NOW + moment)
        for number, moment in enumerate(moments)
    ]
    for one in (rows[2], rows[0], rows[3], rows[1]):
        book.record(one)
    ancient = payment("p4", metadata=lamp, created=NOW.replace(year=1066))
    future = payment("p-future", metadata=lamp, created=NOW.replace(year=9876))
    book.record(ancient, future)
    expected = ["p-future", "p0", "p1", "p2", "p3", "p4"]
    assert names(reader.window(ADDRESS, query=ask("lamp"))) == expected
    assert names(reader.window(ADDRESS, limit=2, query=ask("lamp"))) == expected[:2]


def test_a_ledger_of_version_1_is_searched_before_and_after_it_is_indexed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    version_1.load(path)
    book = Book(path)
    with book.ledger, LedgerReader.open(path) as reader:
        lamp = {"description": "lamp"}
        book.record(payment("new-lamp", metadata=lamp))
        query = ask("lamp")
        connection = book.ledger._connection
        connection.execute(
            "UPDATE payment SET description = 'Lamp', metadata = ? WHERE 1",
            ('{"description":"Lamp"}',),
        )
        connection.execute(
            "INSERT OR IGNORE INTO unindexed SELECT payment_key FROM payment "
            "WHERE segment <> 'new-lamp'"
        )
        before = reader.window(ADDRESS, query=query)
        assert len(before) == 5
        assert book.ledger.index_texts(3)
        assert not book.ledger.index_texts(3)
        assert connection.execute("SELECT COUNT(*) FROM unindexed").fetchone() == (0,)
        assert reader.window(ADDRESS, query=query) == before


def test_matches_outlive_what_follows(book: Book, reader: LedgerReader) -> None:
    fill(book)
    found = reader.matches(ADDRESS, ask("lamp"))
    book.record(payment("newer", metadata={"description": "lamp"}))
    assert names(reader.rows(found.keys)) == ["2f1b", "yen"]
    assert reader.count(ADDRESS, ask("lamp")) == 3
    key = reader.number(ADDRESS, payment_id("yen"))
    assert key is not None
    assert found.position(key) == 1
    assert found.position(10**9) is None
