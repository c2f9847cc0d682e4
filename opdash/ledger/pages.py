"""Rows read straight from the pages of a SQLite file, where SQLite itself can or should not.

A damaged file is read page by page: every page that still looks like a leaf of a table or an index
gives its rows, whatever became of the pages that lead to it. See the SQLite file format, sections
1.3 to 1.6, 2.1 and 4.1 (https://sqlite.org/fileformat2.html).

Of the write-ahead log the pages up to its last commit count, so that nothing is read that was never
committed.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

Value: TypeAlias = int | float | str | bytes | None

EMPTY_TEXT: Final = 13
"""How SQLite writes that a column holds an empty text."""

_MAGIC: Final = b"SQLite format 3\0"
_USUAL_SIZE: Final = 4096
_SIZES: Final = frozenset(1 << power for power in range(9, 17))
_FILE_HEADER: Final = 100
_LOG_HEADER: Final = struct.Struct(">IIIIIIII")
_LOG_MAGIC: Final = (0x377F0682, 0x377F0683)
_FRAME_HEADER: Final = struct.Struct(">IIIIII")
_PAGE_HEADER: Final = struct.Struct(">BHHHB")
_TABLE_LEAF: Final = 13
_INDEX_LEAF: Final = 10
_INTEGER_BYTES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class Kind(Enum):
    """What the column of a row holds."""

    NULL = "null"
    INTEGER = "integer"
    REAL = "real"
    TEXT = "text"
    BLOB = "blob"


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of a table or an index.

    Attributes:
        rowid: Its number in the table; None in an index.
        kinds: What its columns hold.
        serials: The same as SQLite writes it.
        body: The columns' bytes, one after the other, as far as they can be read.
    """

    rowid: int | None
    kinds: tuple[Kind, ...]
    serials: tuple[int, ...]
    body: bytes

    def values(self) -> tuple[Value, ...]:
        """Return the columns up to the first that cannot be read."""
        values: list[Value] = []
        at = 0
        for serial in self.serials:
            end = at + _size(serial)
            if end > len(self.body):
                break
            try:
                values.append(_value(serial, self.body[at:end]))
            except ValueError:
                break
            at = end
        return tuple(values)


class Pages:
    """The pages of a database and its log, numbered from 1.

    Args:
        database: The open file; it is read and not moved.
        log: Its open write-ahead log, or None.
    """

    def __init__(self, database: int, log: int | None = None) -> None:
        self._database = database
        self._log = log
        self.size = _page_size(database, log)
        """Bytes of a page."""
        self._in_log = {} if log is None else _committed(log, self.size)
        in_file = -(-os.fstat(database).st_size // self.size)
        self.count = max(in_file, *self._in_log, 0)
        """How many there are."""
        self._free = self._unused()

    @property
    def version(self) -> int | None:
        """The number of migrations it says it has been through; None where it says nothing."""
        header = next(self._versions(1), b"") if self.count else b""
        if not header.startswith(_MAGIC) or len(header) < _FILE_HEADER:
            return None
        return int.from_bytes(header[60:64], "big")

    def cells(self) -> Iterator[Cell]:
        """Yield every row that can be read, page by page; what was deleted is left out."""
        for number in range(1, self.count + 1):
            if number not in self._free:
                yield from self._cells(number)

    def _unused(self) -> frozenset[int]:
        """Return the pages that hold what was deleted; none where their list is damaged."""
        header = next(self._versions(1), b"") if self.count else b""
        trunk, total = struct.unpack_from(">II", header.ljust(_FILE_HEADER, b"\0"), 32)
        if not header.startswith(_MAGIC) or total > self.count:
            return frozenset()
        unused: list[int] = []
        try:
            while trunk and len(unused) < total:
                page = next(self._versions(trunk))
                following, count = struct.unpack_from(">II", page)
                leaves = struct.unpack_from(f">{min(count, self.size // 4)}I", page, 8)
                unused += [trunk, *leaves]
                trunk = following
        except (ValueError, struct.error):
            return frozenset()
        return frozenset(unused) if len(unused) == total and not trunk else frozenset()

    def _cells(self, number: int) -> Iterator[Cell]:
        for page in self._versions(number):
            start = _FILE_HEADER if number == 1 else 0
            if len(page) == self.size and page[start] in (_TABLE_LEAF, _INDEX_LEAF):
                yield from self._cells_of(page, start)
                return

    def _cells_of(self, page: bytes, start: int) -> Iterator[Cell]:
        kind, _, count, _, _ = _PAGE_HEADER.unpack_from(page, start)
        pointers = start + _PAGE_HEADER.size
        for index in range(min(count, (self.size - pointers) // 2)):
            at = int.from_bytes(page[pointers + 2 * index : pointers + 2 * index + 2], "big")
            try:
                cell = self._cell(page, at, is_table=kind == _TABLE_LEAF)
            except (ValueError, IndexError):
                continue
            yield cell

    def _cell(self, page: bytes, at: int, *, is_table: bool) -> Cell:
        length, at = _varint(page, at)
        rowid: int | None = None
        if is_table:
            rowid, at = _varint(page, at)
        payload = self._payload(page, at, length, is_table=is_table)
        header, start = _varint(payload, 0)
        serials: list[int] = []
        while start < header:
            serial, start = _varint(payload, start)
            serials.append(serial)
        kinds = tuple(map(_kind, serials))
        if start != header or header + sum(map(_size, serials)) != length:
            raise ValueError("the row's header and its length disagree")
        return Cell(rowid, kinds, tuple(serials), payload[header:])

    def _payload(self, page: bytes, at: int, length: int, *, is_table: bool) -> bytes:
        """Return the bytes of a row, those beyond its page too."""
        most = self.size - 35 if is_table else (self.size - 12) * 64 // 255 - 23
        if length <= most:
            return _part(page, at, length)
        least = (self.size - 12) * 32 // 255 - 23
        here = least + (length - least) % (self.size - 4)
        here = here if here <= most else least
        payload = bytearray(_part(page, at, here))
        following = int.from_bytes(_part(page, at + here, 4), "big")
        if length > self.size * self.count:
            raise ValueError("a row is longer than the file")
        with suppress(ValueError):  # what is on the row's own page can be told all the same
            while len(payload) < length:
                more = next(self._versions(following), b"")
                following = int.from_bytes(_part(more, 0, 4), "big")
                payload += _part(more, 4, min(self.size - 4, length - len(payload)))
        return bytes(payload)

    def _versions(self, number: int) -> Iterator[bytes]:
        """Yield a page as it was committed last, then as it stands in the file."""
        if not 1 <= number <= self.count:
            raise ValueError("there is no such page")
        at = self._in_log.get(number)
        if at is not None and self._log is not None:
            yield os.pread(self._log, self.size, at)
        yield os.pread(self._database, self.size, (number - 1) * self.size)


def _page_size(database: int, log: int | None) -> int:
    header = os.pread(database, 18, 0)
    size = int.from_bytes(header[16:18], "big")
    size = 65536 if size == 1 else size
    if header.startswith(_MAGIC) and size in _SIZES:
        return size
    if log is not None:
        found = os.pread(log, _LOG_HEADER.size, 0)
        if len(found) == _LOG_HEADER.size and _LOG_HEADER.unpack(found)[2] in _SIZES:
            return int(_LOG_HEADER.unpack(found)[2])
    return _USUAL_SIZE


def _committed(log: int, size: int) -> dict[int, int]:
    """Return where in the log each page stands as of its last commit."""
    found = os.pread(log, _LOG_HEADER.size, 0)
    if len(found) < _LOG_HEADER.size:
        return {}
    magic, _, size_in_log, _, *salts, _, _ = _LOG_HEADER.unpack(found)
    if magic not in _LOG_MAGIC or size_in_log != size:
        return {}
    committed: dict[int, int] = {}
    pending: dict[int, int] = {}
    frame = _FRAME_HEADER.size + size
    for at in range(_LOG_HEADER.size, os.fstat(log).st_size - frame + 1, frame):
        number, pages, *own, _, _ = _FRAME_HEADER.unpack(os.pread(log, _FRAME_HEADER.size, at))
        if own != salts or not number:
            continue  # left over from before the log was begun anew
        pending[number] = at + _FRAME_HEADER.size
        if pages:
            committed |= pending
            pending.clear()
    return committed


def _part(page: bytes, at: int, length: int) -> bytes:
    part = page[at : at + length]
    if len(part) < length:
        raise ValueError("a row leaves its page")
    return part


def _varint(page: bytes, at: int) -> tuple[int, int]:
    number = 0
    for index in range(9):
        byte = page[at + index]
        if index == 8:
            number = number << 8 | byte
            break
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return number if number < 1 << 63 else number - (1 << 64), at + index + 1


def _kind(serial: int) -> Kind:
    if serial == 0:
        return Kind.NULL
    if serial in _INTEGER_BYTES or serial in (8, 9):
        return Kind.INTEGER
    if serial == 7:
        return Kind.REAL
    if serial < 12:
        raise ValueError("no kind of value")
    return Kind.TEXT if serial % 2 else Kind.BLOB


def _size(serial: int) -> int:
    if serial >= 12:
        return (serial - 12) // 2
    return 8 if serial == 7 else _INTEGER_BYTES.get(serial, 0)


def _value(serial: int, data: bytes) -> Value:
    match _kind(serial):
        case Kind.NULL:
            return None
        case Kind.INTEGER:
            return serial - 8 if serial in (8, 9) else int.from_bytes(data, "big", signed=True)
        case Kind.REAL:
            return float(struct.unpack(">d", data)[0])
        case Kind.TEXT:
            return data.decode()
        case Kind.BLOB:
            return data
