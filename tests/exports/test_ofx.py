from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.errors import InputError
from opdash.exports.records import ExportWallet, FormatName, Names, NothingFitsError
from opdash.exports.texts import cut, one_line, short_id
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope
from opdash.periods import read_period
from tests.exports.builders import (
    BERLIN,
    SHOP,
    at,
    exported,
    record_texts,
    text_of,
    texts,
    told,
)
from tests.exports.tools import read_ofx
from tests.ledger.builders import NOW, OTHER, Book, payment, payment_id

OFX = FormatName.OFX


def test_a_receipt_is_an_entry(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 0, "INV-7", "Blue lamp"), told("b", 700, code="EUR"), at=NOW)
    book.record(told("a", 1250, "INV-7", "Blue lamp"), at=at(1))
    book.record(told("a", 1200, "INV-7", "Blue lamp"), at=at(2))

    euros, dollars = read_ofx(text_of(reader, OFX))

    assert (euros.currency, euros.balance) == ("EUR", Fraction(7))
    assert [one.id for one in euros.receipts] == [f"{payment_id('b')}#700"]
    assert (dollars.currency, dollars.balance) == ("USD", Fraction(12))
    assert [(one.id, one.amount, one.day) for one in dollars.receipts] == [
        (f"{payment_id('a')}#1250", Fraction("12.50"), "2026-11-20"),
        (f"{payment_id('a')}#1200.1", Fraction("-0.50"), "2026-11-20"),
    ]
    assert dollars.receipts[0].reference == "INV-7"
    assert dollars.receipts[0].text == "INV-7 · Blue lamp"
    assert len({euros.number, dollars.number}) == 2


def test_a_statement_begins_with_what_was_there_and_says_what_it_is(
    book: Book, reader: LedgerReader
) -> None:
    for day in range(3):
        book.record(told("a", 100 * (day + 1), created=NOW), at=at(day * 1440))

    text = text_of(reader, OFX, period=read_period("2026-11-21", NOW, BERLIN))

    (statement,) = read_ofx(text)
    assert [one.amount for one in statement.receipts] == [1]
    assert statement.balance == 2
    assert "<VALUE>1.00</VALUE>" in text
    assert "running sums, from 0" in text
    assert "<DTSTART>20261121120000[0:GMT]</DTSTART><DTEND>20261121120000[0:GMT]</DTEND>" in text


def test_a_period_without_receipts_has_a_statement(book: Book, reader: LedgerReader) -> None:
    (empty,) = read_ofx(text_of(reader, OFX))
    assert (empty.currency, empty.balance) == ("USD", Fraction(0))
    assert not empty.receipts

    book.record(told("a", 100), at=NOW)
    (later,) = read_ofx(text_of(reader, OFX, period=read_period("2026-12", NOW, BERLIN)))
    assert (later.currency, later.balance) == ("USD", Fraction(1))
    assert not later.receipts


def test_what_ofx_cannot_hold_is_named(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 5, code="USDC"), told("b", 7, code="usd"), told("c", 9), at=NOW)
    book.record(told("d", 10**19, code="EUR", scale=30), told("e", 1, code="EUR", scale=31), at=NOW)

    text, result, _ = exported(reader, OFX)

    euros, dollars = sorted(read_ofx(text), key=lambda one: one.currency)
    assert (euros.balance, dollars.balance) == (Fraction(1, 10**11), Fraction("0.09"))
    assert {left.why for left in result.left_out} == {
        "OFX has no currency “USDC”: it takes three letters",
        "OFX has no currency “usd”: it takes three letters",
        "OFX holds amounts of at most 32 characters",
    }


def test_nothing_that_fits_is_no_file(book: Book, reader: LedgerReader) -> None:
    book.ledger.remember_wallet(OTHER, NOW)
    from msgspec.structs import replace

    book.ledger.remember_wallet(replace(OTHER, asset_code="USDC"), NOW)
    book.record(told("a", 5, code="USDC", wallet=OTHER.id), wallet_id=OTHER.id, at=NOW)

    with pytest.raises(NothingFitsError, match="OFX has no currency “USDC”") as caught:
        text_of(reader, OFX, wallets=(ExportWallet("other", OTHER.id, Scope.OWN),))

    assert caught.value.exit_code == 3


def test_accounts_are_called_as_a_person_says(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 5), at=NOW)

    (statement,) = read_ofx(text_of(reader, OFX, names=Names("4711-{wallet}")))
    assert statement.number == "4711-Rosa's shop"

    with pytest.raises(InputError, match="is no account number"):
        text_of(reader, OFX, names=Names("x" * 23))
    book.ledger.remember_wallet(OTHER, NOW)
    both = (SHOP, ExportWallet("other", OTHER.id, Scope.OWN))
    with pytest.raises(InputError, match="of several wallets"):
        text_of(reader, OFX, wallets=both, names=Names("4711"))


def test_an_id_that_is_too_long_is_shortened(book: Book, reader: LedgerReader) -> None:
    long = payment_id("x" * 300)
    odd = payment_id("ü ")
    book.record(payment(received=1, url=long), payment(received=1, url=odd), at=NOW)

    (statement,) = read_ofx(text_of(reader, OFX))

    assert {one.id for one in statement.receipts} == {
        short_id(f"{long}#1"),
        short_id(f"{odd}#1"),
    }


@settings(max_examples=20)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=40))
def test_ofxtools_reads_any_text(pairs: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            record_texts(book, pairs)
            text = text_of(reader, OFX)
    (statement,) = read_ofx(text)

    assert len(statement.receipts) == len(pairs)
    for receipt in statement.receipts:
        number = int(receipt.id.rpartition("/p")[2].removesuffix("#1"))
        reference, about = (one_line(one) for one in pairs[number])
        assert receipt.reference == cut(reference or about or "Open Payments", 32)
        several = "may be several receipts, there when opdash first looked"
        memo = cut(" · ".join(filter(None, (reference, about, several))), 255)
        assert receipt.text == memo
