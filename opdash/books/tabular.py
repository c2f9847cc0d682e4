"""A merchant's file as rows of texts, whatever program wrote it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from opdash.books.columns import looks_like_header
from opdash.errors import InputError
from opdash.safetext import safe_text

MOST_BYTES: Final = 512 * 1024 * 1024
"""Longer files are refused."""

_DELIMITERS: Final = ";\t|,"
"""Of those that part a file equally well the first: a comma may be a decimal comma."""

_SAMPLE: Final = 65_536
_SAMPLE_ROWS: Final = 50
_MOST_COLUMNS: Final = 1_000
_CONTROL: Final = bytes({*range(32)} - {9, 10, 12, 13})
_MAGIC: Final = (b"PK\x03\x04", b"%PDF-", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")
_EXPORT: Final = "Export the invoices as CSV or JSON Lines."


class FileError(InputError):
    """A file cannot be read as a list of invoices."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A file's rows.

    Attributes:
        header: The names of its columns; generated where it has none.
        has_header: Whether the file itself names its columns.
        rows: The line on which each row begins, from 1, and its cells.
        encoding: As what it was decoded.
        delimiter: What parts its cells; empty for JSON Lines.
        numbers: The places of columns that hold numbers of JSON: their decimal mark is known.
    """

    header: tuple[str, ...]
    has_header: bool
    rows: Sequence[tuple[int, Sequence[str]]]
    encoding: str
    delimiter: str
    numbers: frozenset[int] = frozenset()


def read_table(path: Path, *, encoding: str = "", delimiter: str = "") -> Table:
    """Read a CSV or JSON Lines file.

    Args:
        path: The file; ``-`` is not standard input here.
        encoding: What to decode it as; guessed unless given.
        delimiter: What parts the cells; guessed unless given.

    Raises:
        FileError: It cannot be read, is no text, or holds no rows.
    """
    if delimiter and (len(delimiter) != 1 or delimiter in '"\r\n \0'):
        shown = safe_text(delimiter, limit=12)
        raise FileError(f"“{shown}” cannot part columns.", "Give one character, or “tab”.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FileError(f"{path} is larger than 512 MB.", "Split it.")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{safe_text(str(path))} cannot be read: {reason}.") from error
    text, encoding = _decode(data, path, encoding)
    beginning = text[:1024].lstrip()
    if beginning.startswith("{"):
        return _json_lines(text, path, encoding)
    if beginning.startswith("[") and beginning[1:].lstrip().startswith("{"):
        raise FileError(f"{path} is one JSON array.", "Write one object a line, without brackets.")
    return _csv(text, path, encoding, delimiter)


def _decode(data: bytes, path: Path, encoding: str) -> tuple[str, str]:
    if not encoding and data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    if encoding:
        text = _decoded_as(data, path, encoding)
    else:
        text, encoding = _guessed(data, path)
    if "\0" in text:
        raise _no_text(path)
    return text.removeprefix("\ufeff"), encoding


def _decoded_as(data: bytes, path: Path, encoding: str) -> str:
    shown = safe_text(encoding, limit=24)
    try:
        return data.decode(encoding)
    except LookupError:
        raise FileError(f"“{shown}” is no encoding.", "Try utf-8 or windows-1252.") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(f"{path}, line {line}, is not {shown}.") from None
    except (UnicodeError, ValueError):
        raise FileError(f"{path} is not {shown}.") from None


def _guessed(data: bytes, path: Path) -> tuple[str, str]:
    """Decode as UTF-8, else as what older programs write, and refuse what is no text at all."""
    sample = data[:_SAMPLE]
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    if b"\0" in data or data.startswith(_MAGIC) or controls * 10 > len(sample):
        raise _no_text(path)
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        if controls:
            raise _no_text(path) from None
        try:
            return data.decode("cp1252"), "windows-1252"
        except UnicodeDecodeError:
            line = data.count(b"\n", 0, error.start) + 1
            raise FileError(
                f"{path}, line {line}, is neither UTF-8 nor windows-1252.",
                "Say what it is, as in --encoding utf-16-le.",
            ) from None


def _no_text(path: Path) -> FileError:
    return FileError(f"{path} is not a text file.", _EXPORT)


# CSV


def _csv(text: str, path: Path, encoding: str, delimiter: str) -> Table:
    delimiter = delimiter or _guess_delimiter(text)
    rows = _parsed(text, path, delimiter)
    first = next(rows, None)
    if first is None:
        raise FileError(f"{path} has no rows.", _EXPORT)
    named = looks_like_header(first[1])
    header = [cell.strip() for cell in first[1]]
    if not named:
        header = [f"column {place}" for place in range(1, len(first[1]) + 1)]
    body = list(rows) if named else [first, *rows]
    if not body:
        raise FileError(f"{path} has a header and no rows.")
    return Table(
        header=tuple(header), has_header=named, rows=body, encoding=encoding, delimiter=delimiter
    )


def _parsed(text: str, path: Path, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the rows that are not blank with the line on which each begins.

    As tuples: of a million lists the garbage collector would look at each again and again.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if len(cells) > _MOST_COLUMNS:
                raise FileError(f"{path}, row {line}, has more than {_MOST_COLUMNS} columns.")
            if any(map(str.strip, cells)):
                yield line, tuple(cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileError(
            f"{path}, row {line}, cannot be read: {error}.",
            "Most likely a quotation mark is not closed.",
        ) from error


def _guess_delimiter(text: str) -> str:
    """Return the delimiter that parts the first rows into the most columns, all alike."""
    sample = "".join(io.StringIO(text[:_SAMPLE], newline="").readlines()[:_SAMPLE_ROWS])
    best, most = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        try:
            widths = [
                len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
            ]
        except csv.Error:
            continue
        widths = [width for width in widths if width]
        if not widths or max(widths) < 2:
            continue
        common = max(set(widths), key=widths.count)
        score = (widths.count(common) / len(widths) if common > 1 else 0.0, common)
        if score > most:
            best, most = delimiter, score
    return best


# JSON Lines


class _Fraction(str):
    """A number of JSON with a decimal point, digit by digit."""

    __slots__ = ()


def _json_lines(text: str, path: Path, encoding: str) -> Table:
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=_Fraction)
    records: list[tuple[int, dict[str, Any]]] = []
    places: dict[str, int] = {}
    numbers: set[int] = set()
    for line, record in enumerate(text.split("\n"), 1):
        if not record.strip():
            continue
        try:
            found = decoder.decode(record)
        except (msgspec.DecodeError, RecursionError):
            raise FileError(f"{path}, row {line}, is no JSON object.") from None
        records.append((line, found))
        for name, value in found.items():
            place = places.setdefault(name, len(places))
            if isinstance(value, _Fraction):
                numbers.add(place)
    if len(places) > _MOST_COLUMNS:
        raise FileError(f"{path} names more than {_MOST_COLUMNS} columns.")
    rows = [(line, tuple(_cell(found.get(name)) for name in places)) for line, found in records]
    return Table(
        header=tuple(places),
        has_header=True,
        rows=rows,
        encoding=encoding,
        delimiter="",
        numbers=frozenset(numbers),
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
