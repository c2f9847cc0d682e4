"""Rows as invoices, and why not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from opdash.books.columns import ColumnError, Field
from opdash.books.dates import DateOrder
from opdash.books.decimals import DecimalMark
from opdash.books.invoice_file import InvoiceFile, guess_places, read_invoices, settle
from opdash.books.tabular import FileError, read_table
from opdash.openpayments.amounts import Asset
from tests.books.builders import EUR, USD

JPY = Asset("JPY", 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "invoices"


def read(file: Path, content: str, *assets: Asset, **chosen: str) -> InvoiceFile:
    """Read a file with all guesses, but for the columns that are named."""
    file.write_text(content)
    found = read_table(file)
    places = guess_places(found, {Field(name): column for name, column in chosen.items()})
    own = assets or (USD,)
    return read_invoices(found, settle(found, places, own), own)


def problems(found: InvoiceFile) -> list[str]:
    return [str(one) for one in found.problems]


def test_a_whole_file(file: Path) -> None:
    found = read(
        file,
        "Rechnungsnummer;Betrag;Währung;Rechnungsdatum;Fällig;Kunde;payment url\n"
        " R-1 ;1.234,56;EUR;13.10.2026;27.10.2026;Müller;https://ilp.example/incoming-payments/1\n"
        "R-2;5,00;usd;14.10.2026;;;\n",
        USD,
        EUR,
    )
    first, second = found.invoices
    assert found.problems == ()
    assert (first.row, first.number, first.amount, first.asset) == (2, "R-1", 123456, EUR)
    assert (first.issued, first.due) == (date(2026, 10, 13), date(2026, 10, 27))
    assert (first.customer, first.payment_url) == (
        "Müller",
        "https://ilp.example/incoming-payments/1",
    )
    assert (second.amount, second.asset, second.due) == (500, USD, None)


def test_a_broken_row(file: Path) -> None:
    found = read(
        file,
        "number,amount,currency\nA,1.00,USD\nB,2.00\nC\nD,4.00,USD,,\nE,5.00,USD,more\n",
    )
    assert [one.number for one in found.invoices] == ["A", "D"]
    assert problems(found) == [
        "row 3: it has 2 cells, the header 3.",
        "row 4: it has 1 cells, the header 3.",
        "row 6: it has 4 cells, the header 3.",
    ]


def test_cells_that_cannot_be_read(file: Path) -> None:
    found = read(
        file,
        "Invoice,Total,Ccy,Date\n"
        ",1.00,USD,2026-10-12\n"
        "B,1.005,USD,2026-10-12\n"
        "C,1.00,DOLLARS,soon\n"
        "D,1.00,,2026-10-12\n"
        "E,nonsense,USD,2026-10-12\n",
    )
    assert found.invoices == ()
    assert problems(found) == [
        "row 2, column Invoice: the invoice number is empty.",
        "row 3, column Total: “1.005” has more than 2 decimal places.",
        "row 4, column Ccy: “DOLLARS” is no currency; your wallets hold USD.",
        "row 4, column Date: “soon” is no date.",
        "row 5, column Ccy: the currency is empty.",
        "row 6, column Total: “nonsense” is no amount.",
    ]


def test_a_duplicate_number_is_two_invoices(file: Path) -> None:
    found = read(file, "number,amount\nA,1.00\nA,1.00\n")
    assert [(one.row, one.number) for one in found.invoices] == [(2, "A"), (3, "A")]


def test_another_currency_is_kept_with_the_decimals_that_are_written(file: Path) -> None:
    found = read(file, "number,amount,currency\nA,1.00,CHF\nB,1.005,kwd\nC,7,JPY\n", USD, JPY)
    assert [one.asset for one in found.invoices] == [Asset("CHF", 2), Asset("KWD", 3), JPY]
    assert [one.amount for one in found.invoices] == [100, 1005, 7]


def test_no_header(file: Path) -> None:
    with pytest.raises(FileError, match=r"number, amount\. .*--column number=1.*column 2"):
        read(file, "INV-1,12.50\nINV-2,1.00\n")
    found = read(file, "INV-1,12.50\nINV-2,1.00\n", number="1", amount="2")
    assert [one.number for one in found.invoices] == ["INV-1", "INV-2"]
    assert [one.row for one in found.invoices] == [1, 2]


def test_a_column_that_is_not_there(file: Path) -> None:
    with pytest.raises(ColumnError, match="no column “sum”"):
        read(file, "number,amount\nA,1\n", amount="sum")
    with pytest.raises(FileError, match="No column can be taken for: amount"):
        read(file, "number,foo\nA,1\n")


def test_amounts_that_make_sense_in_two_ways_are_not_guessed(file: Path) -> None:
    content = "number;amount\nA;1.500\nB;2.250\n"
    with pytest.raises(FileError, match="--decimal"):
        read(file, content)
    found = read_table(file)
    places = guess_places(found)
    for mark, amounts in ((DecimalMark.POINT, [150, 225]), (DecimalMark.COMMA, [150000, 225000])):
        columns = settle(found, places, (USD,), mark=mark)
        assert [one.amount for one in read_invoices(found, columns, (USD,)).invoices] == amounts


def test_numbers_of_json_have_a_point(file: Path) -> None:
    found = read(file, '{"number": 1, "amount": 1.500}\n{"number": 2, "amount": 7}\n')
    assert [one.amount for one in found.invoices] == [150, 700]
    wrong = read(file, '{"number": 1, "amount": 1.234}\n')
    assert problems(wrong) == ["row 1, column amount: “1.234” has more than 2 decimal places."]


def test_dates_that_make_sense_in_two_ways_are_said_to(file: Path) -> None:
    file.write_text("number,amount,date\nA,1,02/03/2026\n")
    found = read_table(file)
    places = guess_places(found)
    assert not settle(found, places, (USD,)).are_dates_plain
    said = settle(found, places, (USD,), dates=DateOrder.MONTH_FIRST)
    assert (said.dates, said.are_dates_plain) == (DateOrder.MONTH_FIRST, True)
    (invoice,) = read_invoices(found, said, (USD,)).invoices
    assert invoice.issued == date(2026, 2, 3)


def test_remote_text_in_a_message_is_harmless(file: Path) -> None:
    found = read(file, 'number,"am\x1bount"\nA,"=1\x07\n"\n', amount="2")
    assert problems(found) == ["row 2, column am␛ount: “=1␇” is no amount."]


def test_without_any_wallet_the_file_must_tell_the_currency(file: Path) -> None:
    file.write_text("number,amount\nA,1\n")
    table = read_table(file)
    with pytest.raises(FileError, match="No wallet has ever answered"):
        settle(table, guess_places(table), ())

    file.write_text("number,amount,currency\nA,1,\nB,2,EUR\n")
    table = read_table(file)
    found = read_invoices(table, settle(table, guess_places(table), ()), ())
    assert problems(found) == ["row 2, column currency: the currency is empty."]
    assert [one.asset for one in found.invoices] == [EUR]


def test_two_scales_of_one_currency_are_one_and_the_first_is_taken(file: Path) -> None:
    fine = Asset("USD", 9)
    for assets in ((USD, fine), (fine, USD)):
        found = read(file, "number,amount,currency\nA,1.00,USD\nB,2.00,usd\n", *assets)
        assert {one.asset for one in found.invoices} == {assets[0]}


def test_many_rows_with_many_problems(file: Path) -> None:
    found = read(file, "number,amount\n" + "".join(f"INV-{i},{i % 2}.00\n" for i in range(100_000)))
    assert (len(found.invoices), len(found.problems)) == (50_000, 50_000)
