from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.exports.csv_table import COLUMNS, SCHEMA
from opdash.exports.records import FormatName
from opdash.exports.texts import undefused, without_controls
from opdash.ledger.notes import Edit, Resolution
from opdash.ledger.reader import LedgerReader
from opdash.openpayments.amounts import format_minor
from tests.exports.builders import at, exported, record_texts, text_of, texts, told
from tests.ledger.builders import ADDRESS, GRACE, NOW, Book, payment, payment_id

CSV = FormatName.CSV


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_payment_is_a_row(book: Book, reader: LedgerReader) -> None:
    early = NOW - timedelta(hours=13, microseconds=-1500)  # 00:00 in Berlin is 23:00 in UTC
    book.record(told("a", 0, "INV-7", "Blue lamp", created=early), at=NOW)
    book.record(told("a", 300, "INV-7", "Blue lamp", created=early), at=at(1))

    text = text_of(reader, CSV)

    heading, row, end = text.split("\r\n")
    assert heading == ",".join(COLUMNS)
    assert row == (
        f"{SCHEMA},Rosa's shop,{ADDRESS},{payment_id('a')},2026-11-20,2026-11-19T23:00:00.0015Z,"
        "PARTIAL,10.00,USD,3.00,USD,-7.00,INV-7,Blue lamp,false,false,false,false,false,"
        "2026-11-22T12:00:00Z,,2026-11-20T12:01:00Z,2026-11-20T12:00:00Z,2026-11-20T12:01:00Z,,"
        'list,,,,,,,"{""externalRef"": ""INV-7"", ""description"": ""Blue lamp""}"'
    )
    assert end == ""


def test_the_first_columns_never_change() -> None:
    assert COLUMNS[:5] == ("schema", "wallet", "wallet_address", "payment_id", "date")
    assert COLUMNS[27:33] == (
        "resolution",
        "resolution_at",
        "resolution_outdated",
        "labels",
        "note",
        "metadata",
    )


def test_notes_are_told(book: Book, reader: LedgerReader) -> None:
    book.record(payment("a", received=300), payment("b"), at=NOW)
    edit = Edit(add=("vip", "claim-7"), text="=call\nback", resolution=Resolution.WRITTEN_OFF)
    book.ledger.write_note(ADDRESS, payment_id("a"), edit, at=NOW, grace=GRACE)

    told_of = {row["payment_id"]: row for row in rows_of(text_of(reader, CSV))}

    row = told_of[payment_id("a")]
    assert (row["resolution"], row["labels"]) == ("written-off", "vip claim-7")
    assert row["note"] == "'=call\nback"
    assert row["resolution_at"] == "2026-11-20T12:00:00Z"
    assert row["resolution_outdated"] == "false"
    assert told_of[payment_id("b")]["resolution_outdated"] == ""
    assert told_of[payment_id("b")]["note"] == ""


def test_odd_payments_are_told(book: Book, reader: LedgerReader) -> None:
    book.record(
        payment("free", asked=None, received=5, expires=None),
        payment("other", received=5, code="EUR", asked_code="USD"),
        payment("huge", asked=2**64 - 1, received=2**64 - 1, completed=True),
        payment("fine", asked=1, received=0, code="ETH", scale=18),
        payment("zero", asked=0, received=3),
        at=NOW,
    )
    book.mark_gone("free", at=at(1))

    found = {row["payment_id"].rpartition("/")[2]: row for row in rows_of(text_of(reader, CSV))}

    assert (found["free"]["asked"], found["free"]["asked_asset"]) == ("", "")
    assert found["free"]["difference"] == ""
    assert found["free"]["gone_at"] == "2026-11-20T12:01:00Z"
    assert found["free"]["no_longer_at_server"] == "true"
    assert found["free"]["expires_at"] == ""
    assert found["other"]["difference"] == ""
    assert found["other"]["anomalies"] == "assets-differ"
    assert found["huge"]["received"] == "184467440737095516.15"
    assert found["fine"]["asked"] == "0.000000000000000001"
    assert found["fine"]["difference"] == "-0.000000000000000001"
    assert found["zero"]["difference"] == ""


def test_instants_beyond_the_calendar_are_told(book: Book, reader: LedgerReader) -> None:
    from datetime import UTC, datetime

    last = datetime.max.replace(tzinfo=UTC)
    book.record(payment("a", expires=last), at=NOW)

    (row,) = rows_of(text_of(reader, CSV))

    assert row["expires_at"] == "9999-12-31T23:59:59.999999Z"


@settings(max_examples=40)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=20))
def test_texts_come_back_as_sent_but_for_controls(pairs: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            record_texts(book, pairs)
            rows = rows_of(text_of(reader, CSV))

    assert len(rows) == len(pairs)
    for row in rows:
        reference, description = pairs[int(row["payment_id"].rpartition("/p")[2])]
        assert undefused(row["reference"]) == without_controls(reference)
        assert undefused(row["description"]) == without_controls(description)
        assert all(
            cell.lstrip()[:1] not in tuple("=+@＝＋－＠") and not cell.startswith(("\t", "\r"))
            for cell in row.values()
        )


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**64 - 1),
            st.one_of(st.none(), st.integers(0, 2**64 - 1)),
            st.sampled_from([0, 1, 2, 9, 18, 255]),
        ),
        max_size=8,
    )
)
def test_numbers_are_exact(amounts: list[tuple[int, int | None, int]]) -> None:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            page = [
                payment(f"p{n}", received=received, asked=asked, scale=scale)
                for n, (received, asked, scale) in enumerate(amounts)
            ]
            book.record(*page, at=NOW)
            text, result, _ = exported(reader, CSV)

    for row in rows_of(text):
        received, asked, scale = amounts[int(row["payment_id"].rpartition("/p")[2])]
        assert row["received"] == format_minor(received, scale)
        assert row["asked"] == ("" if asked is None else format_minor(asked, scale))
        assert row["difference"] == (format_minor(received - asked, scale) if asked else "")
    assert result.rows == len(amounts)
