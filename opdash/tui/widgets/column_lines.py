"""What is guessed of a file's columns, as the lines of a list; pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import islice
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size

from opdash.books.columns import REQUIRED, Field
from opdash.books.dates import DateError, DateOrder, parse_date
from opdash.books.decimals import DecimalMark
from opdash.books.desk import Preview
from opdash.books.sources import Source
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text
from opdash.tui import format as fmt
from opdash.tui.widgets.line import Span

MARKS: Final = "decimal mark"
DATES: Final = "dates"
DELIMITERS: Final = "delimiter"
ENCODINGS: Final = "encoding"
NONE: Final = "– none –"

_WHAT = 14
_COLUMN = 24
_SAMPLES = 3
_GUESSED = "guessed"
_MARK_WORDS = {DecimalMark.POINT: "point", DecimalMark.COMMA: "comma"}
_ORDER_WORDS = {DateOrder.DAY_FIRST: "days first", DateOrder.MONTH_FIRST: "months first"}
_DELIMITER_WORDS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}
_ENCODINGS = ("utf-8", "windows-1252", "iso-8859-15", "utf-16", "cp850", "mac-roman")


class Row(NamedTuple):
    """One line: what is asked, what is chosen, and what that reads.

    Attributes:
        name: A field's name, or `MARKS`, `DATES`, `DELIMITERS` or `ENCODINGS`.
        spans: The line.
        choices: What can be chosen, in words; the first leaves it to opdash, or is no column.
        chosen: Which of them is.
        values: What the choices mean, where words are not enough.
    """

    name: str
    spans: tuple[Span, ...]
    choices: tuple[str, ...]
    chosen: int
    values: tuple[str, ...] = ()


def guess_lines(
    source: Source, preview: Preview | None, width: int
) -> tuple[list[Span], tuple[Row, ...]]:
    """Return the heading and the lines for a file.

    Args:
        source: The file.
        preview: What it would be read as, or None while that is not known.
        width: Cells of a line, the cursor's two not counted.
    """
    heading = [
        Span("  "),
        Span(_fit("HOLDS", _WHAT) + _fit("COLUMN", _COLUMN) + "SUCH AS", "muted"),
    ]
    assets = () if preview is None else preview.assets
    rows = [_field(source, field, assets, width) for field in Field]
    rows.append(_mark(source, preview, width))
    if Field.ISSUED in source.places or Field.DUE in source.places:
        rows.append(_dates(source, preview, width))
    rows += [_delimiter(source, width), _encoding(source, width)]
    return heading, tuple(rows)


def _field(source: Source, field: Field, assets: Sequence[Asset], width: int) -> Row:
    table = source.table
    names = [safe_text(name, limit=60) or f"column {n}" for n, name in enumerate(table.header, 1)]
    place = source.places.get(field)
    choices = (NONE, *names)
    if place is None:
        is_needed = field in REQUIRED
        text = "needed: choose one" if is_needed else NONE
        is_usual = field is Field.CURRENCY and bool(assets)
        sample = f"all in {fmt.asset_code(assets[0])}" if is_usual else ""
        spans = _spans(field.value, text, sample, width, "bad" if is_needed else "muted")
        return Row(field.value, spans, choices, 0)
    samples = " · ".join(_samples(source, place))
    return Row(field.value, _spans(field.value, names[place], samples, width), choices, place + 1)


def _samples(source: Source, place: int) -> list[str]:
    cells = (row[place].strip() for _, row in source.table.rows if place < len(row))
    return [safe_text(cell, limit=24) for cell in islice((one for one in cells if one), _SAMPLES)]


def _mark(source: Source, preview: Preview | None, width: int) -> Row:
    columns = None if preview is None else preview.columns
    said = source.said.decimal
    words = tuple(_MARK_WORDS[mark] for mark in DecimalMark)
    choices = (_GUESSED, *words)
    chosen = 0 if said is None else 1 + [*DecimalMark].index(said)
    if columns is None:
        is_asked = preview is not None and preview.trouble != "" and said is None
        text, tone = ("choose one", "bad") if is_asked else (choices[chosen], "plain")
        return Row(MARKS, _spans(MARKS, text, "", width, tone), choices, chosen)
    text = _MARK_WORDS[columns.mark] + ("" if said else f", {_GUESSED}")
    return Row(MARKS, _spans(MARKS, text, _amount_sample(source, preview), width), choices, chosen)


def _amount_sample(source: Source, preview: Preview | None) -> str:
    """Show how an amount is read, one with a mark where there is one."""
    file = None if preview is None else preview.file
    place = source.places.get(Field.AMOUNT)
    if file is None or place is None:
        return ""
    written = {line: row[place] for line, row in islice(source.table.rows, 500) if place < len(row)}
    known = [one for one in islice(file.invoices, 500) if one.row in written]
    telling = [one for one in known if not written[one.row].strip().isdecimal()] or known
    if not telling:
        return ""
    largest = max(telling, key=lambda one: len(written[one.row]))
    money = fmt.money(largest.amount, largest.asset)
    return f"{safe_text(written[largest.row].strip(), limit=24)} is {money}"


def _dates(source: Source, preview: Preview | None, width: int) -> Row:
    columns = None if preview is None else preview.columns
    said = source.said.dates
    choices = (_GUESSED, *(_ORDER_WORDS[order] for order in DateOrder))
    chosen = 0 if said is None else 1 + [*DateOrder].index(said)
    if columns is None:
        return Row(DATES, _spans(DATES, choices[chosen], "", width), choices, chosen)
    remark = "" if said else f", {_GUESSED}" if columns.are_dates_plain else ", assumed"
    place = source.places.get(Field.ISSUED, source.places.get(Field.DUE))
    samples = [] if place is None else _samples(source, place)
    text = _ORDER_WORDS[columns.dates] + remark
    tone = "plain" if columns.are_dates_plain else "attention"
    sample = _date_sample(samples, columns.dates)
    return Row(DATES, _spans(DATES, text, sample, width, tone), choices, chosen)


def _date_sample(samples: Sequence[str], order: DateOrder) -> str:
    if not samples:
        return ""
    try:
        day = parse_date(samples[0], order)
    except DateError:
        return ""
    return f"{samples[0]} is {_written(day)}"


def _written(day: date) -> str:
    return f"{day:%d %b %Y}".lstrip("0")


def _delimiter(source: Source, width: int) -> Row:
    table, said = source.table, source.delimiter
    if not table.delimiter:
        return Row(DELIMITERS, _spans(DELIMITERS, "JSON Lines", "", width), (), 0)
    known = [*_DELIMITER_WORDS]
    values = ["", *known, *([said] if said and said not in known else [])]
    choices = tuple(_delimiter_words(one) if one else _GUESSED for one in values)
    text = _delimiter_words(table.delimiter) + ("" if said else f", {_GUESSED}")
    sample = fmt.count(len(table.header), "column")
    spans = _spans(DELIMITERS, text, sample, width)
    return Row(DELIMITERS, spans, choices, values.index(said), tuple(values))


def _delimiter_words(delimiter: str) -> str:
    word = _DELIMITER_WORDS.get(delimiter, "")
    if delimiter == "\t":
        return word
    return f"{word} “{safe_text(delimiter)}”".strip()


def _encoding(source: Source, width: int) -> Row:
    said = source.encoding
    known = [*_ENCODINGS]
    values = ["", *known, *([said] if said and said not in known else [])]
    choices = tuple(one or _GUESSED for one in values)
    text = safe_text(source.table.encoding, limit=20) + ("" if said else f", {_GUESSED}")
    spans = _spans(ENCODINGS, text, "", width)
    return Row(ENCODINGS, spans, choices, values.index(said), tuple(values))


def _spans(
    what: str, column: str, sample: str, width: int, tone: str = "plain"
) -> tuple[Span, ...]:
    room = max(width - _WHAT - _COLUMN, 0)
    return (
        Span(_fit(what, _WHAT), "muted"),
        Span(_fit(column, _COLUMN - 1) + " ", tone),
        Span(_fit(sample, room), "muted"),
    )


def _fit(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, max(width - 1, 0)).rstrip() + "…", width)
