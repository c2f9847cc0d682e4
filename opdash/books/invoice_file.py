"""Reading invoices from a merchant's file, with nothing taken for granted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

import msgspec

from opdash.books.columns import REQUIRED, Columns, Field, choose_columns, guess_columns
from opdash.books.dates import DateError, DateOrder, guess_order, parse_date
from opdash.books.decimals import DecimalError, DecimalMark, decimals_written, guess_mark
from opdash.books.decimals import parse_written as _minor_units
from opdash.books.records import Invoice
from opdash.books.tabular import FileError, Table
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text

_ISO: Final = 3
_USUAL_SCALE: Final = 2


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with one cell of a file.

    Attributes:
        row: The line on which the row begins, from 1.
        column: The column's name as written, or empty where it is about the whole row.
        sentence: What is wrong.
    """

    row: int
    column: str
    sentence: str

    def __str__(self) -> str:
        column = f", column {safe_text(self.column, limit=40)}" if self.column else ""
        return f"row {self.row}{column}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class InvoiceFile:
    """A file, read.

    Attributes:
        invoices: All rows that could be read.
        problems: Why the others could not.
    """

    invoices: tuple[Invoice, ...]
    problems: tuple[Problem, ...]


def guess_places(
    table: Table, chosen: Mapping[Field, str] = MappingProxyType({})
) -> dict[Field, int]:
    """Say which columns of a file hold what, as far as that can be told.

    Args:
        table: Its rows.
        chosen: The columns that a person named, by name or number from 1.

    Raises:
        ColumnError: One that was named is not there.
    """
    guessed = guess_columns(table.header) if table.has_header else {}
    return choose_columns(table.header, guessed, chosen)


def check_places(table: Table, places: Mapping[Field, int]) -> None:
    """Raise `FileError` where no column can be taken for the invoice number or the amount."""
    missing = [field.value for field in REQUIRED if field not in places]
    if missing:
        known = ", ".join(safe_text(name, limit=24) for name in table.header[:20])
        raise FileError(
            f"No column can be taken for: {', '.join(missing)}.",
            f"Name them, as in --column number=1; the file has: {known}.",
        )


def settle(
    table: Table,
    places: Mapping[Field, int],
    assets: Sequence[Asset],
    *,
    mark: DecimalMark | None = None,
    dates: DateOrder | None = None,
) -> Columns:
    """Complete chosen columns with the decimal mark and the order of dates that fit them.

    Args:
        table: The file's rows.
        places: Where the fields are.
        assets: Those of the wallet addresses; an invoice without a currency is in the first.
        mark: The decimal mark where a person said it.
        dates: The order of dates where a person said it.

    Raises:
        FileError: No column can be taken for the invoice number or the amount; nothing tells the
            currency; or the amounts make sense in two ways, and no mark is given.
    """
    check_places(table, places)
    if not assets and Field.CURRENCY not in places:
        raise FileError(
            "No wallet has ever answered, and no column can be taken for the currency.",
            "Ask the wallet's server first, or name the column, as in --column currency=3.",
        )
    if mark is None and places[Field.AMOUNT] in table.numbers:
        mark = DecimalMark.POINT
    if mark is None:
        marks = guess_mark(_amounts(table, places, assets))
        if len(marks) > 1:
            raise FileError(
                "The amounts can be read with a decimal point and with a decimal comma.",
                "Say which, with --decimal . or --decimal ,",
            )
        (mark,) = marks
    written = [
        cells[place]
        for field in (Field.ISSUED, Field.DUE)
        if (place := places.get(field)) is not None
        for _, cells in table.rows
        if place < len(cells) and cells[place].strip()
    ]
    orders = (dates,) if dates else guess_order(written)
    return Columns(
        places=dict(places), mark=mark, dates=orders[0], are_dates_plain=len(orders) == 1
    )


def _by_code(assets: Sequence[Asset]) -> dict[str, Asset]:
    """Return assets by their folded codes; of two scales of one currency the usual one's."""
    return {asset.code.casefold(): asset for asset in reversed(assets)}


def _amounts(
    table: Table, places: Mapping[Field, int], assets: Sequence[Asset]
) -> list[tuple[str, int | None, str]]:
    scales = {code: asset.scale for code, asset in _by_code(assets).items()}
    at, currency = places[Field.AMOUNT], places.get(Field.CURRENCY)
    found: list[tuple[str, int | None, str]] = []
    for _, cells in table.rows:
        if at < len(cells):
            code = cells[currency].strip() if currency is not None and currency < len(cells) else ""
            code = code or (assets[0].code if assets else "")
            found.append((cells[at], scales.get(code.casefold()), code))
    return found


def read_invoices(table: Table, columns: Columns, assets: Sequence[Asset]) -> InvoiceFile:
    """Read every row; one that cannot be read is a problem and no invoice.

    Args:
        table: The file's rows.
        columns: How they are to be read.
        assets: Those of the wallet addresses; an invoice without a currency is in the first.
    """
    reader = _RowReader(table, columns, assets)
    invoices = tuple(
        invoice for line, cells in table.rows if (invoice := reader.read(line, cells)) is not None
    )
    return InvoiceFile(invoices, tuple(reader.problems))


class _RowReader:
    def __init__(self, table: Table, columns: Columns, assets: Sequence[Asset]) -> None:
        self._header = table.header
        self._columns = columns
        self._own = _by_code(assets)
        self._usual = assets[0] if assets else None
        telling = (*REQUIRED, Field.CURRENCY)
        self._needed = max(columns.places.get(field, 0) for field in telling)
        self.problems: list[Problem] = []

    def read(self, line: int, cells: Sequence[str]) -> Invoice | None:
        if len(cells) <= self._needed or any(map(str.strip, cells[len(self._header) :])):
            sentence = f"it has {len(cells)} cells, the header {len(self._header)}."
            self.problems.append(Problem(line, "", sentence))
            return None
        before = len(self.problems)
        number = self._text(cells, Field.NUMBER)
        if not number:
            self._complain(line, Field.NUMBER, "the invoice number is empty.")
        asset = self._asset(line, cells)
        amount = 0 if asset is None else self._amount(line, cells, asset)
        issued = self._date(line, cells, Field.ISSUED)
        due = self._date(line, cells, Field.DUE)
        if asset is None or len(self.problems) > before:
            return None
        return Invoice(
            row=line,
            number=number,
            amount=amount,
            asset=asset,
            issued=issued,
            due=due,
            customer=self._text(cells, Field.CUSTOMER),
            description=self._text(cells, Field.DESCRIPTION),
            payment_url=self._text(cells, Field.PAYMENT),
        )

    def _text(self, cells: Sequence[str], field: Field) -> str:
        place = self._columns.places.get(field)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    def _asset(self, line: int, cells: Sequence[str]) -> Asset | None:
        code = self._text(cells, Field.CURRENCY)
        if not code:
            if self._usual is None or Field.CURRENCY in self._columns.places:
                self._complain(line, Field.CURRENCY, "the currency is empty.")
                return None
            return self._usual
        known = self._own.get(code.casefold())
        if known is not None:
            return known
        is_iso = len(code) == _ISO and code.isascii() and code.isalpha()
        if not is_iso:
            own = ", ".join(safe_text(asset.code, limit=12) for asset in self._own.values())
            shown = safe_text(code, limit=24)
            known_ones = f"; your wallets hold {own}" if own else ""
            self._complain(line, Field.CURRENCY, f"“{shown}” is no currency{known_ones}.")
            return None
        written = self._text(cells, Field.AMOUNT)
        written_places = decimals_written(written, self._columns.mark)
        return Asset(code.upper(), max(_USUAL_SCALE, written_places))

    def _amount(self, line: int, cells: Sequence[str], asset: Asset) -> int:
        written = self._text(cells, Field.AMOUNT)
        try:
            return _minor_units(written, asset.scale, self._columns.mark, asset.code)
        except DecimalError as error:
            self._complain(line, Field.AMOUNT, error.sentence)
            return 0

    def _date(self, line: int, cells: Sequence[str], field: Field) -> date | None:
        written = self._text(cells, field)
        if not written:
            return None
        try:
            return parse_date(written, self._columns.dates)
        except DateError as error:
            self._complain(line, field, error.sentence)
            return None

    def _complain(self, line: int, field: Field, sentence: str) -> None:
        place = self._columns.places.get(field)
        name = field.value if place is None else self._header[place] or f"column {place + 1}"
        self.problems.append(Problem(line, name, sentence))
