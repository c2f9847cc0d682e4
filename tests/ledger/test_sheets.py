from __future__ import annotations

import sqlite3
import tempfile
from array import array
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.care import check, set_figures_right
from opdash.ledger.encoding import decode_amount
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope
from opdash.ledger.search.folding import outline_of, values_at
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from opdash.ledger.sheets import (
    ACTION,
    COLUMNS,
    COMPLETED,
    DESCRIPTION,
    FINAL,
    GONE,
    METADATA,
    ODD,
    REFERENCE,
    SHEETS_OF_A_WALLET,
    SLOTS,
    Contents,
    Outlines,
    begin_sheets_anew,
    count_sheets_amiss,
    read_gap,
    read_sheets,
    sheets_of_gap,
)
from opdash.openpayments.resources import IncomingPayment
from tests.ledger.builders import ADDRESS, GRACE, NOW, OTHER, Book, names, payment
from tests.ledger.search.queries import LEDGERS
from tests.ledger.search.queries import METADATA as OBJECTS

WALLETS = (1, 2)


def slots(connection: sqlite3.Connection) -> dict[tuple[int, int], dict[str, Any]]:
    """Return what the sheets say, by wallet address and payment."""
    outlines = Outlines(connection)
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for wallet_key in WALLETS:
        for row in read_sheets(connection, wallet_key, list(COLUMNS), texts=True):
            first = row[0] % SHEETS_OF_A_WALLET * SLOTS
            entries = row[-1].split(b"\0")
            assert len(entries) == SLOTS
            for slot in range(SLOTS):
                values = {
                    name: array(code, blob)[slot]
                    for (name, code), blob in zip(COLUMNS.items(), row[1:-1], strict=True)
                }
                if values["state"]:
                    values["outline"] = outlines[values["outline"]]
                    values["entry"] = entries[slot]
                    found[wallet_key, first + slot] = values
                else:
                    assert not any(values.values())
                    assert entries[slot] == b""
    return found


def payments(connection: sqlite3.Connection) -> dict[tuple[int, int], dict[str, Any]]:
    """Return what the sheets must say, from the payments themselves."""
    found = connection.execute("SELECT * FROM payment")
    names = [column[0] for column in found.description]
    expected = {}
    for values in found.fetchall():
        row = dict(zip(names, values, strict=True))
        bits = {
            FINAL: row["final"],
            ACTION: row["needs_action"],
            COMPLETED: row["completed"],
            GONE: row["gone_at"] is not None,
            ODD: row["anomalies"],
            REFERENCE: row["reference"],
            DESCRIPTION: row["description"],
            METADATA: row["metadata"],
        }
        contents = Contents.of(row["reference"], row["description"], row["metadata"])
        expected[row["wallet_key"], row["payment_key"]] = {
            "state": row["state"],
            "flags": sum(bit for bit, is_set in bits.items() if is_set),
            "received_asset": row["received_asset_key"],
            "received": decode_amount(row["received"]),
            "asked_asset": row["asked_asset_key"] or 0,
            "asked": decode_amount(row["asked"]) or 0,
            "created": row["created_at"],
            "expires": row["expires_at"],
            "changed": row["changed_at"],
            "first_seen": row["first_seen_at"],
            "base": row["base_key"],
            "outline": contents.outline,
            "entry": contents.entry,
        }
    return expected


def in_step(book: Book) -> bool:
    connection = book.ledger._connection
    return slots(connection) == payments(connection)


@given(LEDGERS, LEDGERS, st.booleans(), st.integers(0, 90))
def test_sheets_say_what_payments_say(
    before: Sequence[IncomingPayment],
    after: Sequence[IncomingPayment],
    vanish: bool,
    hours: int,
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger:
            book.record(*before)
            assert in_step(book)
            if vanish and before:
                book.mark_gone(before[0].id.rpartition("/")[2])
            book.record(*after, at=NOW + timedelta(minutes=1))
            assert in_step(book)
            book.advance(NOW + timedelta(hours=hours))
            assert in_step(book)


def test_several_sheets_of_two_wallet_addresses(book: Book, reader: LedgerReader) -> None:
    book.ledger.remember_wallet(OTHER, NOW)
    for start in range(0, 600, 60):
        own = [payment(f"p{n}", metadata={"orderId": n}) for n in range(start, start + 60)]
        book.record(*own)
        theirs = [payment(f"q{n}", wallet=OTHER.id, code="JPY") for n in range(start, start + 9)]
        book.record(*theirs, wallet_id=OTHER.id)
    assert in_step(book)
    assert reader.count(ADDRESS, read_query("-nothing", Moment(NOW))) == 600
    assert reader.count(OTHER.id, read_query("-nothing", Moment(NOW))) == 90
    book.ledger.forget_wallet(ADDRESS)
    assert in_step(book)
    assert reader.count(OTHER.id, read_query("-nothing", Moment(NOW))) == 90


def test_what_is_missing_at_the_end_of_a_scan(book: Book) -> None:
    book.record(payment("a"), payment("b"), scope=Scope.EVERYTHING)
    scan, ticket = book.ledger.begin_scan(ADDRESS, Scope.EVERYTHING, NOW)
    book.ledger.mark_gone(
        ADDRESS,
        payment("a").id,
        at=NOW + timedelta(1),
        grace=GRACE,
        scope=Scope.EVERYTHING,
        ticket=ticket,
    )
    assert not scan.walked
    assert in_step(book)


def test_payments_without_sheets_are_found_and_taken_in(book: Book, reader: LedgerReader) -> None:
    lamp = {"description": "lamp", "orderId": 7}
    book.record(*(payment(f"p{n}", metadata=lamp) for n in range(700)))
    connection = book.ledger._connection
    begin_sheets_anew(connection)
    assert not slots(connection)
    query = read_query("lamp has:metadata.orderId", Moment(NOW))
    assert reader.count(ADDRESS, query) == 700
    # What is recorded meanwhile waits, too, if it is old; what is new has a sheet at once.
    book.record(payment("p699", received=1000, metadata={"description": "chair"}))
    book.record(payment("new", metadata=lamp, created=NOW + timedelta(1)))
    left = 700
    while left := read_gap(connection).last - read_gap(connection).first + 1:
        assert reader.count(ADDRESS, query) == 700
        assert names(reader.window(ADDRESS, limit=1, query=query)) == ["new"]
        assert book.ledger.index_texts(1) == (left > SLOTS)
    assert in_step(book)
    assert reader.count(ADDRESS, query) == 700
    assert not book.ledger.index_texts(1)
    assert not list(sheets_of_gap(connection, 1, Outlines(connection)))


def test_sheets_that_are_not_right_are_found_and_written_anew(book: Book) -> None:
    for start in range(0, 600, 100):
        book.record(*(payment(f"p{n}", metadata={"orderId": n}) for n in range(start, start + 100)))
    connection = book.ledger._connection
    assert count_sheets_amiss(connection) == 0
    connection.execute("UPDATE payment SET state = 60 WHERE payment_key IN (1, 2, 400)")
    assert count_sheets_amiss(connection) == 2
    health = check(book.path)
    assert health.figures_are_off
    assert "2 sheets, which searches read" in health.findings[-1].text
    set_figures_right(book.path)
    assert check(book.path).ok
    while book.ledger.index_texts(300):
        assert count_sheets_amiss(connection) == 0
    assert in_step(book)
    connection.execute("DELETE FROM sheet WHERE 1")
    assert count_sheets_amiss(connection) == 3


@given(OBJECTS, st.sampled_from(["a", "b", "a.b", "list.b", "list", "orderId", "lamp.b", "x"]))
def test_an_outline_has_the_paths_of_its_metadata(metadata: Any, path: str) -> None:
    text = metadata if isinstance(metadata, str) else msgspec.json.encode(metadata).decode()
    outlined = values_at(outline_of(text), path) is not None
    assert outlined == (values_at(text, path) is not None)


def test_objects_filled_in_alike_have_one_outline() -> None:
    one = outline_of('{"b": [{"c": 1}, {"c": 2}, 3], "a": {"d": "x"}}')
    assert one == outline_of('{"a":{"d":null},"b":[{"c":[]}]}')
    assert one == '{"a":{"d":0},"b":[{"c":0}]}'
    assert outline_of("") == outline_of("7") == outline_of("nonsense") == outline_of("{}") == ""


def test_metadata_of_any_depth_has_an_outline() -> None:
    deep = '{"a":' * 400 + "1" + "}" * 400
    assert values_at(outline_of(deep), ".".join("a" * 400)) is not None
