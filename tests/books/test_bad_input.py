"""What a merchant's file may hold, and what becomes of each, from the file to the classes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from opdash.books.book import Book
from opdash.books.desk import Preview
from opdash.books.records import InvoiceClass
from opdash.books.tabular import FileError, read_table
from tests.books.test_desk import Books, books, take


@pytest.fixture
def shop() -> Iterator[Books]:
    with books() as made:
        yield made


def held(shop: Books) -> Book:
    desk = shop.desk()
    try:
        return asyncio.run(take(desk, shop)).book
    finally:
        desk.close()


def preview(shop: Books) -> Preview:
    desk = shop.desk()

    async def look() -> Preview:
        return await desk.preview(await desk.open(shop.file))

    try:
        return asyncio.run(look())
    finally:
        desk.close()


def problems(shop: Books) -> list[str]:
    found = preview(shop)
    assert found.file is not None
    return [str(one) for one in found.file.problems]


def test_a_broken_row_is_named_and_the_others_are_read(shop: Books) -> None:
    shop.write("A-1,10.00", "A-2", "A-3,x", ",1.00", "A-5,1.00,more")
    assert problems(shop) == [
        "row 3: it has 1 cells, the header 2.",
        "row 4, column Amount: “x” is no amount.",
        "row 5, column Invoice: the invoice number is empty.",
        "row 6: it has 3 cells, the header 2.",
    ]
    assert [one.number for one in held(shop).file.invoices] == ["A-1"]


def test_duplicate_numbers_are_both_told_and_neither_is_paid(shop: Books) -> None:
    shop.write("A-1,10.00", "A-1,10.00")
    shop.pay("p1", 1000, "A-1")
    kinds = [one.kind for one in held(shop).found.invoices]
    assert kinds == [InvoiceClass.DUPLICATE_NUMBER] * 2


def test_amounts_with_groups_and_a_decimal_comma(shop: Books) -> None:
    shop.file.write_text('Invoice;Amount\nA-1;1.234,56\nA-2;"12.345.678,90 €"\n')
    assert [one.amount for one in held(shop).file.invoices] == [123456, 1234567890]


def test_an_unknown_currency_is_told_with_those_there_are(shop: Books) -> None:
    shop.file.write_text("Invoice,Amount,Currency\nA-1,10.00,gold bars\nA-2,1.00,usd\n")
    assert problems(shop) == [
        "row 2, column Currency: “gold bars” is no currency; your wallets hold USD."
    ]


def test_a_file_without_a_header_asks_for_its_columns(shop: Books) -> None:
    shop.file.write_text("A-1,10.00\nA-2,5.00\n")
    assert preview(shop).trouble == "No column can be taken for: number, amount."


@pytest.mark.parametrize("data", [b"PK\x03\x04zip", b"%PDF-1.7", b"\xd0\xcf\x11\xe0", b"a,b\n\0\1"])
def test_a_binary_file_is_none(shop: Books, data: bytes) -> None:
    shop.file.write_bytes(data)
    with pytest.raises(FileError, match="is not a text file"):
        preview(shop)


def test_a_payment_paid_twice_is_a_duplicate_payment(shop: Books) -> None:
    shop.write("A-1,10.00")
    shop.pay("p1", 1000, "A-1")
    shop.pay("p2", 1000, "A-1")
    (one,) = held(shop).found.invoices
    assert (one.kind, one.difference) == (InvoiceClass.DUPLICATE_PAYMENT, 1000)


def test_two_invoices_with_one_reference_are_ambiguous(shop: Books) -> None:
    shop.write("A-1,10.00", "a/1,10.00")
    shop.pay("p1", 1000, "A 1")
    found = held(shop).found
    assert [one.kind for one in found.invoices] == [InvoiceClass.AMBIGUOUS] * 2
    assert [one.received for one in found.invoices] == [0, 0]


def test_another_currency_is_never_paid(shop: Books) -> None:
    shop.file.write_text("Invoice,Amount,Currency\nA-1,10.00,EUR\n")
    shop.pay("p1", 1000, "A-1")
    (one,) = held(shop).found.invoices
    assert (one.kind, one.received, one.difference) == (InvoiceClass.WRONG_CURRENCY, 0, None)


def test_many_rows_are_held_at_once(shop: Books) -> None:
    shop.write(*(f"A-{number},10.00" for number in range(50_000)))
    shop.pay("p1", 1000, "A-49999")
    found = held(shop).found
    assert len(found.invoices) == 50_000
    assert found.invoices[-1].kind is InvoiceClass.PAID


def test_a_million_rows_are_read_and_a_broken_one_is_named(shop: Books) -> None:
    rows = "".join(f"A-{number},10\n" for number in range(1_000_000))
    shop.file.write_text(f"Invoice,Amount\n{rows}")
    assert read_table(shop.file).rows[-1] == (1_000_001, ("A-999999", "10"))

    shop.file.write_text(f'Invoice,Amount\n{rows}"A-1000000,10\n')
    with pytest.raises(FileError, match="row 1000002, cannot be read"):
        read_table(shop.file)
