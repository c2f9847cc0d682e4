from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.errors import InputError
from opdash.exports.beancount import commodity
from opdash.exports.records import ExportWallet, FormatName, Names
from opdash.exports.texts import one_line
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope
from tests.exports.builders import (
    SHOP,
    at,
    exported,
    record_texts,
    text_of,
    texts,
    told,
)
from tests.exports.tools import read_beancount
from tests.ledger.builders import NOW, OTHER, Book, payment, payment_id

BEANCOUNT = FormatName.BEANCOUNT


def test_a_receipt_is_a_transaction(book: Book, reader: LedgerReader) -> None:
    book.record(told("a", 0, "INV-7", "Blue lamp"), at=NOW)
    book.record(told("a", 1250, "INV-7", "Blue lamp"), at=at(1))
    book.record(told("a", 1200, "INV-7", "Blue lamp"), at=at(2))

    assert text_of(reader, BEANCOUNT) == (
        ";; receipts of Open Payments wallet addresses, written by opdash\n"
        "\n"
        "1970-01-01 commodity USD\n"
        "1970-01-01 open Assets:OpenPayments:Rosa-s-shop\n"
        "1970-01-01 open Income:OpenPayments\n"
        "\n"
        '2026-11-20 * "Blue lamp"\n'
        f'  id: "{payment_id("a")}#1250"\n'
        '  reference: "INV-7"\n'
        "  Assets:OpenPayments:Rosa-s-shop   12.50 USD\n"
        "  Income:OpenPayments              -12.50 USD\n"
        "\n"
        '2026-11-20 * "Blue lamp"\n'
        f'  id: "{payment_id("a")}#1200.1"\n'
        '  reference: "INV-7"\n'
        '  note: "taken back by the server"\n'
        "  Assets:OpenPayments:Rosa-s-shop  -0.50 USD\n"
        "  Income:OpenPayments               0.50 USD\n"
    )


def test_a_file_without_declarations_can_be_included(
    book: Book, reader: LedgerReader, tmp_path: Path
) -> None:
    book.record(told("a", 5), at=NOW)
    whole = text_of(reader, BEANCOUNT)
    (tmp_path / "more.beancount").write_text(text_of(reader, BEANCOUNT, entries_only=True))

    journal = read_beancount(f'{whole}\ninclude "more.beancount"\n', tmp_path)

    assert len(journal.receipts) == 2


@pytest.mark.parametrize("account", ["Bank", "assets:bank", "Assets:bank", "Assets:", "Assets:A b"])
def test_a_name_that_is_no_account_is_refused(
    book: Book, reader: LedgerReader, account: str
) -> None:
    with pytest.raises(InputError, match="is no account of beancount"):
        text_of(reader, BEANCOUNT, names=Names(account))


def test_wallets_with_nearly_the_same_name_have_accounts_of_their_own(
    book: Book, reader: LedgerReader, tmp_path: Path
) -> None:
    book.ledger.remember_wallet(OTHER, NOW)
    book.record(told("a", 5), at=NOW)
    book.record(told("b", 7, code="JPY", scale=0, wallet=OTHER.id), wallet_id=OTHER.id, at=at(1))
    wallets = (SHOP, ExportWallet("Rosa s shop", OTHER.id, Scope.OWN))

    text = text_of(reader, BEANCOUNT, wallets=wallets)

    assert len(set(re.findall(r"open (Assets:\S+)", text))) == 2
    assert read_beancount(text, tmp_path).sums == {"USD": Fraction(5, 100), "JPY": Fraction(7)}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_code_has_a_name_that_beancount_takes(code: str) -> None:
    name = commodity(code)

    assert re.fullmatch(r"[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]", name)
    assert commodity(name) == name or name != code


def test_two_codes_never_have_one_name() -> None:
    codes = ["usd", "USD", "Usd", "US D", "", "é", "1INCH", "U", "TRUE-AAAABBBB", "A" * 25]
    codes += [commodity(code) for code in codes]

    names = {code: commodity(code) for code in codes}

    assert len(set(names.values())) == len(set(codes))
    assert names["USD"] == "USD"


def test_codes_are_told_where_commodities_are_declared(
    book: Book, reader: LedgerReader, tmp_path: Path
) -> None:
    book.record(told("a", 5, code='us"d'), told("b", 5), at=NOW)

    text, result, _ = exported(reader, BEANCOUNT)

    name = commodity('us"d')
    assert f'commodity {name}\n  name: "us\\"d"\n' in text
    assert read_beancount(text, tmp_path).sums == {
        name: Fraction(5, 100),
        "USD": Fraction(5, 100),
    }
    assert not result.left_out


@settings(max_examples=20)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=40))
def test_beancount_reads_any_text(pairs: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            record_texts(book, pairs)
            text = text_of(reader, BEANCOUNT)
        journal = read_beancount(text, Path(directory))

    assert len(journal.receipts) == len(pairs)
    for receipt in journal.receipts:
        number = int(receipt.id.rpartition("/p")[2].removesuffix("#1"))
        reference, about = pairs[number]
        assert receipt.text == one_line(about or reference)
        assert receipt.reference == one_line(reference)


def test_an_empty_ledger_is_one(book: Book, reader: LedgerReader, tmp_path: Path) -> None:
    book.record(payment("a"), at=NOW)

    assert read_beancount(text_of(reader, BEANCOUNT), tmp_path) == ([], {})
