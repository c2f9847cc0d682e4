"""Which column holds what."""

from __future__ import annotations

import pytest

from opdash.books.columns import (
    ColumnError,
    Field,
    choose_columns,
    guess_columns,
    looks_like_header,
)

_HEADERS = [
    "Invoice Number,Amount,Currency,Issue Date,Due Date,Customer",
    "Rechnungsnummer;Betrag;Währung;Rechnungsdatum;Fälligkeitsdatum;Kunde",
    "invoice_no,total,currency_code,date,due_on,client",
    "N° facture,Montant TTC,Devise,Date de facture,Échéance,Client",
]


@pytest.mark.parametrize("line", _HEADERS)
def test_columns_are_known_by_their_names(line: str) -> None:
    header = line.replace(";", ",").split(",")

    fields = (
        Field.NUMBER,
        Field.AMOUNT,
        Field.CURRENCY,
        Field.ISSUED,
        Field.DUE,
        Field.CUSTOMER,
    )
    assert guess_columns(header) == {field: place for place, field in enumerate(fields)}
    backwards = guess_columns(header[::-1])
    assert backwards == {field: 5 - place for place, field in enumerate(fields)}


def test_a_column_serves_one_field_and_the_most_telling_name_wins() -> None:
    assert guess_columns(["Id", "Invoice Number", "Total", "Amount due"]) == {
        Field.NUMBER: 1,
        Field.AMOUNT: 3,
    }
    assert guess_columns(["a", "b"]) == {}


@pytest.mark.parametrize(
    ("row", "is_header"),
    [
        (["Nr.", "Summe"], True),
        (["foo", "bar"], True),
        (["INV-7", "12.50"], False),
        (["Kunde", "INV-7", "1.234,56"], False),
        ([], False),
    ],
)
def test_a_header_has_no_figures(row: list[str], is_header: bool) -> None:
    assert looks_like_header(row) is is_header


def test_a_choice_wins_over_the_guess() -> None:
    header = ["Invoice", "Order", "Total", "VAT"]
    guessed = guess_columns(header)

    chosen = {Field.NUMBER: "order", Field.AMOUNT: "4", Field.CUSTOMER: ""}
    assert choose_columns(header, guessed, chosen) == {Field.NUMBER: 1, Field.AMOUNT: 3}
    assert choose_columns(header, guessed, {}) == guessed
    stolen = choose_columns(header, guessed, {Field.NUMBER: "Total"})
    assert stolen == {Field.NUMBER: 2}, "a guess never takes a column that a person gave away"


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({Field.NUMBER: "9"}, "no column 9 for number; the file has 2"),
        ({Field.NUMBER: "0"}, "no column 0 for number"),
        ({Field.NUMBER: "nothing\x1b"}, "no column “nothing␛” for number"),
        ({Field.NUMBER: "1", Field.AMOUNT: "Invoice"}, "cannot be number and amount"),
    ],
)
def test_a_choice_that_cannot_be(chosen: dict[Field, str], said: str) -> None:
    with pytest.raises(ColumnError, match=said):
        choose_columns(["Invoice", "Total"], {}, chosen)
