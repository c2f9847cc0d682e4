"""A merchant's file with the payments of its invoices written beside them.

What the merchant wrote stays as it was, byte for byte where that can be: each row is taken over as
text, and the new cells are put behind it. A file that this module wrote can be taken up again; its
own columns are then written anew.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from opdash.books.tabular import FileError, Table, read_table
from opdash.exports.texts import defused
from opdash.ledger.states import State

COLUMNS: Final = ("payment_url", "payment_state", "payment_error")
"""The columns that are added, in this order; reconciling finds payments by the first."""

_STATES: Final = frozenset(state.value for state in State)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
)


class Beside(msgspec.Struct, frozen=True):
    """What is written beside an invoice.

    Attributes:
        url: The URL of its payment, or empty.
        state: The word for the payment's state, or empty.
        error: Why it has none, or empty.
    """

    url: str = ""
    state: str = ""
    error: str = ""

    @property
    def cells(self) -> tuple[str, str, str]:
        """The cells, so that no spreadsheet runs them."""
        return defused(self.url), defused(self.state), defused(self.error)


def usual_name(path: Path, table: Table) -> Path:
    """Return where a file with its payments goes unless a person says otherwise."""
    ending = ".csv" if table.delimiter else ".jsonl"
    return path.with_name(f"{path.stem}.billed{ending}")


def free_name(path: Path) -> Path:
    """Return a name at which nothing is yet: that one, or one with a number."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def is_of_earlier_run(path: Path, table: Table) -> bool:
    """Return whether a file is what `with_payments` made of the same merchant's file before.

    It is where it has the merchant's columns and ours behind them, whatever its rows are: the
    merchant's may be others by now. A file without names of columns is told by its last three.

    Args:
        path: The file that is there.
        table: The merchant's rows.
    """
    for encoding in (table.encoding, ""):
        with contextlib.suppress(FileError):
            return _is_of(read_table(path, encoding=encoding, delimiter=table.delimiter), table)
    return False


def _is_of(found: Table, table: Table) -> bool:
    if bool(found.delimiter) != bool(table.delimiter) or found.has_header != table.has_header:
        return False
    if not table.has_header:
        return all(map(_ends_in_ours, (cells for _, cells in found.rows)))
    if not table.delimiter:
        # Which member comes first differs from row to row.
        return set(found.header) == {*table.header, *COLUMNS}
    own, ours = found.header[: -len(COLUMNS)], found.header[-len(COLUMNS) :]
    merchants = table.header
    if merchants[-len(COLUMNS) :] == COLUMNS:
        merchants = merchants[: -len(COLUMNS)]
    # Behind a header that is shorter than its rows there are empty names.
    return ours == COLUMNS and own[: len(merchants)] == merchants and not any(own[len(merchants) :])


def _ends_in_ours(cells: Sequence[str]) -> bool:
    if len(cells) <= len(COLUMNS):
        return False
    url, state, _ = cells[-len(COLUMNS) :]
    is_url = not url or url.startswith(("https://", "http://"))
    return is_url and (not state or state in _STATES)


def with_payments(data: bytes, table: Table, beside: Mapping[int, Beside]) -> bytes:
    """Return a file with payments beside its invoices.

    Args:
        data: The file, as it was when ``table`` was read from it.
        table: Its rows.
        beside: What to write beside the invoice that begins on a line; others get empty cells.

    Raises:
        FileError: The file is no longer what was read.
    """
    mark, encoding = _encoding(data, table.encoding)
    try:
        text = data[len(mark) :].decode(encoding)
    except (UnicodeError, LookupError):
        raise _changed() from None
    head = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix("\ufeff")
    rows = _csv(text, table, beside) if table.delimiter else _json_lines(text, table, beside)
    written = head + "".join(rows)
    return mark + written.encode(encoding, "replace")


def _encoding(data: bytes, encoding: str) -> tuple[bytes, str]:
    """Return the mark at the beginning of a file, and what the rest is to be decoded as."""
    name = codecs.lookup(encoding).name
    for mark, without, also in _BOMS:
        if name in (without, also) and data.startswith(mark):
            return mark, without
    return b"", encoding


def _changed() -> FileError:
    return FileError(
        "The file has changed since it was read.", "Do it again with the file as it is."
    )


# CSV


def _csv(text: str, table: Table, beside: Mapping[int, Beside]) -> Iterator[str]:
    """Yield the lines of a file, those that were read as rows with three cells more."""
    rows = dict(table.rows)
    header_is_ours = table.has_header and tuple(table.header[-len(COLUMNS) :]) == COLUMNS
    width = max([len(table.header), *(len(cells) for cells in rows.values())])
    writer = _RowWriter(table.delimiter, width, replaces=header_is_ours)
    is_header = table.has_header
    found = 0
    for line, record in _records(text, table.delimiter):
        if not any(map(str.strip, record.cells)):
            yield record.text
        elif is_header:
            is_header = False
            yield writer.with_cells(record, COLUMNS)
        elif tuple(rows.get(line, ())) != record.cells:
            raise _changed()
        else:
            found += 1
            yield writer.with_cells(record, beside.get(line, Beside()).cells)
    if found != len(rows):
        raise _changed()


class _Record(msgspec.Struct, frozen=True):
    """A row as it stands in the file, with what ends its line, and its cells."""

    text: str
    cells: tuple[str, ...]


def _records(text: str, delimiter: str) -> Iterator[tuple[int, _Record]]:
    """Yield every record of a CSV file with the line on which it begins."""
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    first = 0
    try:
        for cells in reader:
            yield first + 1, _Record("".join(lines[first : reader.line_num]), tuple(cells))
            first = reader.line_num
    except csv.Error:
        raise _changed() from None


class _RowWriter:
    """Puts cells behind rows.

    Args:
        delimiter: What parts cells.
        width: How many cells a row has before they are put behind it.
        replaces: Whether the last cells of each row are our own of an earlier time.
    """

    def __init__(self, delimiter: str, width: int, *, replaces: bool) -> None:
        self._delimiter = delimiter
        self._width = width - len(COLUMNS) if replaces else width
        self._replaces = replaces

    def with_cells(self, record: _Record, cells: Sequence[str]) -> str:
        """Return a row with cells behind it."""
        body = record.text.rstrip("\r\n")
        ending = record.text[len(body) :]
        if self._replaces:
            own = record.cells[: self._width]
            return self._joined((*own, *[""] * (self._width - len(own)), *cells)) + ending
        missing = [""] * (self._width - len(record.cells))
        return body + self._delimiter + self._joined((*missing, *cells)) + ending

    def _joined(self, cells: Sequence[str]) -> str:
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=self._delimiter, lineterminator="").writerow(cells)
        return out.getvalue()


# JSON Lines


def _json_lines(text: str, table: Table, beside: Mapping[int, Beside]) -> Iterator[str]:
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    known = {line for line, _ in table.rows}
    found = 0
    lines = text.split("\n")
    for line, record in enumerate(lines, 1):
        end = "\n" if line < len(lines) else ""
        if not record.strip():
            yield record + end
            continue
        try:
            members = decoder.decode(record)
        except (msgspec.DecodeError, RecursionError):
            raise _changed() from None
        if line not in known:
            raise _changed()
        found += 1
        for name, cell in zip(COLUMNS, beside.get(line, Beside()).cells, strict=True):
            members[name] = msgspec.Raw(msgspec.json.encode(cell))
        blanks = record[len(record.rstrip()) :]
        yield msgspec.json.encode(members).decode() + blanks + end
    if found != len(known):
        raise _changed()
