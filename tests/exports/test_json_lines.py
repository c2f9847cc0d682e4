from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.cli.shapes import payment as shape
from opdash.exports.json_lines import metadata
from opdash.exports.records import FormatName
from opdash.ledger.notes import Edit, Resolution
from opdash.ledger.reader import LedgerReader
from tests.exports.builders import SHOP, record_texts, text_of, texts
from tests.ledger.builders import ADDRESS, GRACE, NOW, Book, payment, payment_id

JSONL = FormatName.JSONL


def test_an_object_has_the_fields_that_json_has_elsewhere(book: Book, reader: LedgerReader) -> None:
    book.record(
        payment("a", received=300, metadata={"externalRef": "INV-7", "n": 1.5}),
        payment("b", asked=None, received=5, code="EUR", expires=None),
        payment("c", received=5, code="EUR", asked_code="USD"),
        payment("d", asked=0),
        at=NOW,
    )
    book.mark_gone("b")
    rows = {row.id: row for row in reader.window(ADDRESS)}

    lines = [json.loads(line) for line in text_of(reader, JSONL).splitlines()]

    assert len(lines) == 4
    for line in lines:
        usual = shape(rows[line["id"]], SHOP.name)
        for key, value in usual.items():
            told = line[key]
            if key.endswith("At") and told is not None:
                told = told.replace("Z", ".000Z")
            if key != "metadata":
                assert told == value, key
    assert {line["schema"] for line in lines} == {"opdash.payments/1"}


def test_notes_are_told(book: Book, reader: LedgerReader) -> None:
    book.record(payment("a", received=300), at=NOW)
    edit = Edit(add=("vip",), text="call\nback", resolution=Resolution.REFUNDED)
    book.ledger.write_note(ADDRESS, payment_id("a"), edit, at=NOW, grace=GRACE)

    (row,) = reader.window(ADDRESS)
    line = json.loads(text_of(reader, JSONL))
    assert (line["labels"], line["note"]) == (["vip"], "call\nback")
    assert line["resolution"]["as"] == "refunded"
    at = line["resolution"].pop("at").replace("Z", ".000Z")
    assert {**line["resolution"], "at": at} == shape(row, SHOP.name)["resolution"]

    book.record(payment("a", received=400), at=NOW)
    assert json.loads(text_of(reader, JSONL))["resolution"]["outdated"] is True


@settings(max_examples=30)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=20))
def test_texts_come_back_as_sent(pairs: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            record_texts(book, pairs)
            text = text_of(reader, JSONL)

    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) == len(pairs)
    for line in lines:
        reference, description = pairs[int(line["id"].rpartition("/p")[2])]
        assert (line["reference"], line["description"]) == (reference, description)
        assert line["metadata"].get("description", "") == description


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("", "{}"),
        ('{"a":1.10,"b":123456789012345678901234567890}',) * 2,
        ('{\n\t"a" :\r\n 1}', '{  "a" :   1}'),
        ('{"é":"\U0001f600"}', '{"\\u00e9":"\\ud83d\\ude00"}'),
        ('{"a":"\\ud800"}',) * 2,
        ('{"\\ud800":1}',) * 2,
        ('{"a":1,"a":2}',) * 2,
        ("[1]", "{}"),
        ('{"a":', "{}"),
        ("[" * 100_000, "{}"),
        ('{"a":"\x7f"}', '{"a":"\\u007f"}'),
    ],
)
def test_metadata_is_told_as_sent(sent: str, written: str) -> None:
    assert metadata(sent) == written
