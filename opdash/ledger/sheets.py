"""Payments' columns side by side, so that a search looks at a million of them in a moment.

A row of ``payment`` is wide, and Python takes rows one by one. So what searches ask for is kept a
second time: a *sheet* holds 256 payments of one wallet address, one blob a column, one slot a
payment; the slot is the end of the payment's number. Blobs are looked through without a loop over
payments, and amounts are added up as integers of Python, exactly.

Sheets are written in the transactions that write payments. Only those numbers that stand in
``sheet_gap`` are without them: payments of a ledger that an older opdash wrote, until they have
been taken in bit by bit. A slot whose state is 0 is empty.

All numbers are little-endian. Texts are folded (`opdash.ledger.search.folding`), each between
marks that no folded text contains.
"""

from __future__ import annotations

import sqlite3
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from opdash.ledger.encoding import decode_amount
from opdash.ledger.search.folding import Texts, texts_and_outline

SLOTS: Final = 256
"""How many payments one sheet has room for."""

SHEETS_OF_A_WALLET: Final = 1 << 32
"""A sheet's number is the wallet address's times this, plus the payments' numbers ÷ `SLOTS`."""

COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "state": "B",
        "flags": "B",
        "received_asset": "I",
        "received": "Q",
        "asked_asset": "I",
        "asked": "Q",
        "created": "q",
        "expires": "q",
        "changed": "q",
        "first_seen": "q",
        "base": "I",
        "outline": "I",
    }
)
"""A sheet's columns, and the kind of their numbers as `array` and `struct` name it.

No asset is 0, and no amount as well; an instant that will not come is `NEVER`.
"""

FINAL: Final = 1
ACTION: Final = 2
COMPLETED: Final = 4
GONE: Final = 8
ODD: Final = 16
REFERENCE: Final = 32
DESCRIPTION: Final = 64
METADATA: Final = 128

REFERENCE_MARK: Final = b"\x01"
DESCRIPTION_MARK: Final = b"\x02"
OTHERS_MARK: Final = b"\x03"
SLOT_MARK: Final = b"\0"
NO_TEXTS: Final = SLOT_MARK * (SLOTS - 1)
"""The texts of a sheet without payments."""

_RECEIVED: Final = list(COLUMNS).index("received")
_ASKED: Final = list(COLUMNS).index("asked")
OUTLINE: Final = struct.Struct("<I")
"""How the number of an outline, the last column, is written."""

NAMES: Final = ", ".join(COLUMNS)
EMPTY: Final = tuple(bytes(SLOTS * struct.calcsize(f"<{code}")) for code in COLUMNS.values())
"""The columns of a sheet without payments."""

_LAST: Final = (1 << 63) - 1

SELECT: Final = f"SELECT {NAMES} FROM sheet WHERE sheet_key = ?"  # noqa: S608 - only names of this file
NUMBERS: Final = """SELECT payment_key, state,
    final + 2 * needs_action + 4 * completed + 8 * (gone_at IS NOT NULL) + 16 * (anomalies <> '')
      + 32 * (reference <> '') + 64 * (description <> '') + 128 * (metadata <> ''),
    received_asset_key, received, coalesce(asked_asset_key, 0), asked,
    created_at, expires_at, changed_at, first_seen_at, base_key"""
_OF_TEXTS: Final = ", reference, description, metadata"


class Contents(NamedTuple):
    """What a search finds in a payment's texts.

    Attributes:
        texts: They themselves, folded.
        outline: Which names its metadata has.
    """

    texts: Texts
    outline: str

    @classmethod
    def of(cls, reference: str, description: str, metadata_json: str) -> Contents:
        """Read texts as they were sent."""
        return cls(*texts_and_outline(reference, description, metadata_json))

    @property
    def entry(self) -> bytes:
        """What stands in the slot."""
        reference, description, others = (text.encode() for text in self.texts)
        parts = REFERENCE_MARK, reference, DESCRIPTION_MARK, description, OTHERS_MARK, others
        return b"".join(parts)


class Sheet(NamedTuple):
    """A sheet as it is read.

    Attributes:
        first: The number of the payment of its first slot.
        blobs: Its columns, some or all of them.
        texts: What its slots hold, between marks.
    """

    first: int
    blobs: tuple[bytes | bytearray, ...]
    texts: bytes


class Gap(NamedTuple):
    """The first and the last of the numbers without sheets; none where they cross."""

    first: int
    last: int


def read_gap(connection: sqlite3.Connection) -> Gap:
    """Return the numbers of which payments are not in any sheet."""
    found = connection.execute("SELECT first, last FROM sheet_gap").fetchone()
    return Gap(1, 0) if found is None else Gap(*found)


class Outlines:
    """The outlines of metadata by their numbers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("SELECT outline_key, text FROM outline")
        self._by_key: dict[int, str] = {0: "", **dict(found)}
        self._keys = {text: key for key, text in self._by_key.items()}

    def __getitem__(self, key: int) -> str:
        """Return the outline of that number."""
        return self._by_key[key]

    def key(self, outline: str) -> int:
        """Return an outline's number, one of this object only where the ledger has none."""
        if outline not in self._keys:
            key = max(self._by_key) + 1
            self._by_key[key], self._keys[outline] = outline, key
        return self._keys[outline]


def read_sheets(
    connection: sqlite3.Connection, wallet_key: int, columns: Sequence[str], *, texts: bool
) -> sqlite3.Cursor:
    """Return a wallet address's sheets in the order of the payments' numbers.

    Args:
        connection: The ledger.
        wallet_key: The wallet address's number.
        columns: Names of `COLUMNS`.
        texts: Whether the texts are wanted.

    Returns:
        Rows of the sheet's number, its columns, and where wanted its texts.
    """
    names = ", ".join(("s.sheet_key", *(f"s.{name}" for name in columns), *["t.texts"] * texts))
    source = "sheet s CROSS JOIN sheet_text t USING (sheet_key)" if texts else "sheet s"
    return connection.execute(
        f"SELECT {names} FROM {source} WHERE s.sheet_key BETWEEN ? AND ? ORDER BY s.sheet_key",  # noqa: S608 - only names of this file
        sheet_span(wallet_key),
    )


def sheets_of_gap(
    connection: sqlite3.Connection, wallet_key: int, outlines: Outlines
) -> Iterator[Sheet]:
    """Make sheets, with all columns, for payments that are still without; that takes longer."""
    gap = read_gap(connection)
    for owner, first, rows in without_sheets(connection, gap.first, gap.last):
        if owner == wallet_key:
            yield _made(first, rows, outlines)


def sheet_span(wallet_key: int) -> tuple[int, int]:
    """Return the first and the last number that sheets of a wallet address can have."""
    return wallet_key * SHEETS_OF_A_WALLET, (wallet_key + 1) * SHEETS_OF_A_WALLET - 1


def forget_sheets(connection: sqlite3.Connection, wallet_key: int) -> None:
    """Drop all sheets of a wallet address; inside a transaction."""
    for table in ("sheet", "sheet_text"):
        connection.execute(
            f"DELETE FROM {table} WHERE sheet_key BETWEEN ? AND ?",  # noqa: S608 - only names of this file
            sheet_span(wallet_key),
        )


def begin_sheets_anew(connection: sqlite3.Connection) -> None:
    """Drop all sheets; all payments that are there now wait to be taken in."""
    for table in ("sheet", "sheet_text", "outline", "sheet_gap"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - only names of this file
    connection.execute(
        "INSERT INTO sheet_gap SELECT 0, MAX(payment_key) FROM payment HAVING COUNT(*) > 0"
    )


def count_sheets_amiss(connection: sqlite3.Connection) -> int:
    """Return how many sheets do not say what the payments say; reads all of the ledger."""
    gap, outlines, amiss, expected = read_gap(connection), Outlines(connection), 0, 0
    spans = [(0, gap.first - 1), (gap.last + 1, _LAST)] if gap.first <= gap.last else [(0, _LAST)]
    for first, last in spans:
        for wallet_key, number, rows in without_sheets(connection, first, last):
            sheet_key = wallet_key * SHEETS_OF_A_WALLET + number // SLOTS
            stored = connection.execute(SELECT, (sheet_key,)).fetchone()
            texts = connection.execute(
                "SELECT texts FROM sheet_text WHERE sheet_key = ?", (sheet_key,)
            ).fetchone()
            sheet = _made(number, rows, outlines)
            expected += 1
            amiss += (stored, texts) != (sheet.blobs, (sheet.texts,))
    (there,) = connection.execute("SELECT COUNT(*) FROM sheet").fetchone()
    return max(amiss, abs(int(there) - expected))


def _made(first: int, rows: Sequence[tuple[Any, ...]], outlines: Outlines) -> Sheet:
    blobs = filled(EMPTY, [row[:-3] for row in rows])
    entries = [b""] * SLOTS
    for row in rows:
        contents, slot = Contents.of(*row[-3:]), row[0] % SLOTS
        entries[slot] = contents.entry
        OUTLINE.pack_into(blobs[-1], slot * OUTLINE.size, outlines.key(contents.outline))
    return Sheet(first, tuple(map(bytes, blobs)), SLOT_MARK.join(entries))


def without_sheets(
    connection: sqlite3.Connection, first: int, last: int
) -> Iterator[tuple[int, int, list[tuple[Any, ...]]]]:
    """Return wallet address, first number and rows of each sheet that has still to be made."""
    found = connection.execute(
        f"{NUMBERS}{_OF_TEXTS}, wallet_key FROM payment "
        "WHERE payment_key BETWEEN ? AND ? ORDER BY payment_key / ?, wallet_key, payment_key",
        (first, last, SLOTS),
    )
    for (wallet_key, number), members in groupby(found, lambda row: (row[-1], row[0] // SLOTS)):
        yield wallet_key, number * SLOTS, [row[:-1] for row in members]


def filled(blobs: Iterable[bytes], rows: Iterable[tuple[Any, ...]]) -> list[bytearray]:
    """Return columns with payments, in the order of their numbers, written into their slots."""
    filled = [bytearray(blob) for blob in blobs]
    for _, members in groupby(enumerate(rows), lambda numbered: numbered[1][0] - numbered[0]):
        keys, *columns = zip(*(row for _, row in members), strict=True)
        for column in (_RECEIVED, _ASKED):
            columns[column] = tuple(decode_amount(amount) or 0 for amount in columns[column])
        for blob, code, values in zip(filled, COLUMNS.values(), columns, strict=False):
            numbers = array(code, values)
            if sys.byteorder == "big":
                numbers.byteswap()
            slot = keys[0] % SLOTS * numbers.itemsize
            blob[slot : slot + len(values) * numbers.itemsize] = numbers.tobytes()
    return filled
