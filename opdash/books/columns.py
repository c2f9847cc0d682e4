"""Which column of a merchant's file holds what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from opdash.books.dates import DateOrder
from opdash.books.decimals import DecimalMark
from opdash.books.naming import normalised
from opdash.errors import InputError
from opdash.safetext import safe_text


class Field(StrEnum):
    """What a column may hold; the value is the name for people and for options."""

    NUMBER = "number"
    AMOUNT = "amount"
    CURRENCY = "currency"
    ISSUED = "issued"
    DUE = "due"
    CUSTOMER = "customer"
    DESCRIPTION = "description"
    PAYMENT = "payment"


class ColumnError(InputError):
    """A column that a person named is not there."""


REQUIRED: Final = (Field.NUMBER, Field.AMOUNT)
"""Without these there is nothing to reconcile."""

_NAMES: Final[Mapping[Field, str]] = MappingProxyType(
    {
        Field.NUMBER: (
            "invoice number|invoice no|invoice nr|invoice id|invoice #|invoice|inv no|inv|number|"
            "document number|doc no|bill number|order number|order id|order no|order|reference|"
            "external ref|ref|no|nr|id|rechnungsnummer|rechnungsnr|rechnung|belegnummer|beleg|"
            "numéro de facture|numéro|facture|n° facture|factuurnummer|factuur|"
            "número de factura|factura|numero fattura|fattura|fakturanummer|faktura"
        ),
        Field.AMOUNT: (
            "amount due|total due|amount|total amount|grand total|gross amount|gross|total|"
            "invoice amount|invoice total|sum|value|price|betrag|bruttobetrag|brutto|"
            "rechnungsbetrag|gesamtbetrag|summe|montant ttc|montant|total ttc|bedrag|totaal|"
            "importe|importo|totale|belopp|beløp|kwota"
        ),
        Field.CURRENCY: (
            "currency code|currency|ccy|cur|asset code|asset|währung|waehrung|devise|monnaie|"
            "valuta|moneda|divisa|waluta"
        ),
        Field.ISSUED: (
            "invoice date|issue date|issued on|issued|date issued|document date|date|created|"
            "rechnungsdatum|belegdatum|datum|date de facture|factuurdatum|fecha|data"
        ),
        Field.DUE: (
            "due date|due on|due|payment due|pay by|fälligkeitsdatum|fällig am|fällig|"
            "faellig|échéance|date d'échéance|vervaldatum|vencimiento|scadenza"
        ),
        Field.CUSTOMER: (
            "customer name|customer|client name|client|buyer|bill to|contact|company|name|kunde|"
            "kundenname|debitor|klant|cliente"
        ),
        Field.DESCRIPTION: (
            "description|invoice description|subject|text|details|memo|purpose|concept|"
            "beschreibung|betreff|verwendungszweck|bezeichnung|leistung|libellé|objet|"
            "omschrijving|descripción|concepto|descrizione|oggetto|beskrivning|opis"
        ),
        Field.PAYMENT: (
            "payment url|payment link|incoming payment|incoming payment url|open payments url|"
            "payment|pay url"
        ),
    }
)


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is to be read.

    Attributes:
        places: The place of each field's column, from 0.
        mark: The decimal mark.
        dates: The order of dates that do not begin with their year.
        are_dates_plain: Whether that order is said or told by the dates, and not assumed.
    """

    places: Mapping[Field, int]
    mark: DecimalMark = DecimalMark.POINT
    dates: DateOrder = DateOrder.DAY_FIRST
    are_dates_plain: bool = True


def guess_columns(header: Sequence[str]) -> dict[Field, int]:
    """Return the places of the columns that are named like what they hold.

    A column serves one field; of several that would do, the one named most tellingly is taken.
    """
    names = [normalised(name) for name in header]
    wanted = [
        (rank, field, normalised(name))
        for field, spelled in _NAMES.items()
        for rank, name in enumerate(spelled.split("|"))
    ]
    places: dict[Field, int] = {}
    for _, field, name in sorted(wanted, key=lambda one: one[0]):
        if field not in places and name in names:
            place = names.index(name)
            if place not in places.values():
                places[field] = place
    return places


def choose_columns(
    header: Sequence[str], guessed: Mapping[Field, int], chosen: Mapping[Field, str]
) -> dict[Field, int]:
    """Return where the fields are, a person's choice before the guess.

    Args:
        header: The names of the file's columns.
        guessed: What `guess_columns` found.
        chosen: A column's name or its number from 1 for a field; empty for none.

    Raises:
        ColumnError: There is no such column, or one is to serve two fields.
    """
    mine = {field: _place(header, field, name) for field, name in chosen.items() if name.strip()}
    for field, place in mine.items():
        twice = [other.value for other in mine if mine[other] == place]
        if len(twice) > 1:
            raise ColumnError(f"One column cannot be {' and '.join(twice)}.")
        if not 0 <= place < len(header):
            raise ColumnError(
                f"There is no column {place + 1} for {field.value}; the file has {len(header)}."
            )
    taken = {*mine.values()}
    others = {
        field: place
        for field, place in guessed.items()
        if field not in chosen and place not in taken
    }
    return {**others, **mine}


def _place(header: Sequence[str], field: Field, name: str) -> int:
    for same in (str.strip, normalised):
        names = [same(one) for one in header]
        if same(name) in names:
            return names.index(same(name))
    if name.strip().isdecimal():
        return int(name) - 1
    known = ", ".join(safe_text(one, limit=24) for one in header[:20])
    shown = safe_text(name, limit=40)
    raise ColumnError(f"There is no column “{shown}” for {field.value}.", f"The file has: {known}.")


def looks_like_header(row: Sequence[str]) -> bool:
    """Return whether a file's first row names columns rather than holding an invoice.

    An invoice has at least one cell that is mostly figures: its amount.
    """
    return bool(row) and not any(_has_figures(cell) for cell in row)


def _has_figures(cell: str) -> bool:
    return sum(letter.isdigit() for letter in cell) * 2 > len(cell.strip())
