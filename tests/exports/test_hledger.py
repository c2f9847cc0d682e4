from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.errors import InputError
from opdash.exports.hledger import description, tag_value
from opdash.exports.records import FormatName, Names
from opdash.ledger.reader import LedgerReader
from tests.exports.builders import at, decimal_sums, exported, record_texts, text_of, texts, told
from tests.exports.tools import needs_hledger, read_hledger
from tests.ledger.builders import NOW, Book, payment, payment_id

HLEDGER = FormatName.HLEDGER


def test_a_receipt_is_a_transaction(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 0, "INV-7", "Blue lamp"), told("b", 700, code="EUR"), at=NOW)
    book.record(told("a", 1250, "INV-7", "Blue lamp"), at=at(1))

    assert text_of(reader, HLEDGER) == (
        "; receipts of Open Payments wallet addresses, written by opdash\n"
        "\n"
        "decimal-mark .\n"
        "commodity 1000.00 EUR\n"
        "commodity 1000.00 USD\n"
        "account assets:open payments:Rosa's shop\n"
        "account income:open payments\n"
        "\n"
        "2026-11-20 *\n"
        f"    ; id:{payment_id('b')}#700\n"
        "    ; note:may be several receipts, there when opdash first looked\n"
        "    assets:open payments:Rosa's shop   7.00 EUR\n"
        "    income:open payments              -7.00 EUR\n"
        "\n"
        "2026-11-20 * (INV-7) Blue lamp\n"
        f"    ; id:{payment_id('a')}#1250\n"
        "    ; reference:INV-7\n"
        "    assets:open payments:Rosa's shop   12.50 USD\n"
        "    income:open payments              -12.50 USD\n"
    )


def test_declarations_can_be_left_out(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 5), at=NOW)

    text = text_of(reader, HLEDGER, entries_only=True)

    assert "account " not in text
    assert "commodity " not in text
    assert "decimal-mark ." in text


def test_accounts_are_called_as_a_person_says(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 5), at=NOW)

    text = text_of(reader, HLEDGER, names=Names("assets:bank:{wallet}", "income:web shop"))

    assert "    assets:bank:Rosa's shop   0.05 USD\n    income:web shop          -0.05 USD" in text


@pytest.mark.parametrize(
    "account", ["", " a", "a  b", "a;b", "(a)", "[a]", "a:", ":a", "a::b", "a\nb", "*a", "a\tb"]
)
def test_a_name_that_is_no_account_is_refused(
    book: Book, reader: LedgerReader, account: str
) -> None:
    with pytest.raises(InputError, match="is no account of hledger"):
        text_of(reader, HLEDGER, names=Names(account or "\x00"))


@needs_hledger
def test_assets_that_hledger_cannot_hold_are_named(
    book: Book, reader: LedgerReader, tmp_path: Path
) -> None:
    book.record(
        told("a", 5, code="EUR"),
        told("b", 7, code='E"R'),
        told("c", 9, code="X1 y", scale=0),
        told("d", 11, code="bad\nname"),
        told("e", 3, code="EUR", scale=9),
        told("f", 1, code="WEI", scale=200),
        at=NOW,
    )

    text, result, _ = exported(reader, HLEDGER)

    journal = read_hledger(text, tmp_path)
    assert journal.sums == decimal_sums(result.sums)
    assert set(journal.sums) == {"EUR", "X1 y", "WEI"}
    assert [left.why for left in result.left_out] == [
        'hledger has no commodity “E"R”',
        "hledger has no commodity “bad␊name”",
    ]
    assert result.rows == len(journal.receipts) == 4


@needs_hledger
@settings(max_examples=20)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=40))
def test_hledger_reads_any_text(pairs: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            record_texts(book, pairs)
            text, result, _ = exported(reader, HLEDGER)
        journal = read_hledger(text, Path(directory))

    assert journal.sums == decimal_sums(result.sums)
    assert len(journal.receipts) == len(pairs)
    for receipt in journal.receipts:
        number = int(receipt.id.rpartition("/p")[2].removesuffix("#1"))
        reference, about = pairs[number]
        assert receipt.text == description(about)
        assert receipt.reference == tag_value(reference)
        assert receipt.day == "2026-11-20"


@needs_hledger
def test_an_empty_journal_is_one(book: Book, reader: LedgerReader, tmp_path: Path) -> None:
    book.record(payment("a"), at=NOW)

    assert read_hledger(text_of(reader, HLEDGER), tmp_path) == ([], {})
