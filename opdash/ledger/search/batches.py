"""A wallet address's sheets, some at a time, as arrays and masks.

A mask has a byte for each slot: 1 for yes, 0 for no. What is done with arrays and masks runs
through `map` and its like, without a line of Python for each payment; a batch is small enough that
no step of it keeps other threads waiting for more than a millisecond or two.
"""

from __future__ import annotations

import sqlite3
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import compress, repeat
from operator import contains, eq
from typing import Any, Final

from opdash.ledger.sheets import COLUMNS, SLOT_MARK, SLOTS, Outlines, read_sheets, sheets_of_gap

_AT_ONCE: Final = 32
_KEY_BITS: Final = (1 << 32) - 1
_FLIP: Final = bytes([1, 0]) + bytes(254)
_NONE: Final = bytes(SLOTS)
_SLOTS: Final = range(SLOTS)
_PRESENT: Final = bytes([0]) + b"\1" * 255


class Batch:
    """Some sheets, one after the other.

    Attributes:
        firsts: The number of the payment of each sheet's first slot.
        size: How many slots there are.
        texts: What each sheet's slots hold, between marks; empty where texts were not wanted.
    """

    def __init__(
        self, firsts: Sequence[int], blobs: dict[str, bytes], texts: Sequence[bytes]
    ) -> None:
        self.firsts = firsts
        self.size = len(firsts) * SLOTS
        self.texts = texts
        self._blobs = blobs
        self._arrays: dict[str, array[int]] = {}
        self._entries: dict[int, list[bytes]] = {}

    @property
    def present(self) -> bytes:
        """The mask of the slots that hold a payment."""
        return self._blobs["state"].translate(_PRESENT)

    def bytes_of(self, column: str) -> bytes:
        """Return a column as it is stored."""
        return self._blobs[column]

    def numbers(self, column: str) -> array[int]:
        """Return a column's numbers."""
        known = self._arrays.get(column)
        if known is None:
            known = self._arrays[column] = array(COLUMNS[column])
            known.frombytes(self._blobs[column])
            if sys.byteorder == "big":
                known.byteswap()
        return known

    def where(self, column: str, test: Callable[[int], object]) -> bytes:
        """Return the mask of the slots whose numbers pass a test; for columns of few numbers."""
        blob = self._blobs[column]
        width = len(blob) // self.size
        if blob == blob[:width] * self.size:
            return (b"\1" if test(self.numbers(column)[0]) else b"\0") * self.size
        numbers = self.numbers(column)
        passes = {number: bool(test(number)) for number in set(numbers)}
        return bytes(map(passes.__getitem__, numbers))

    def alike(self, one: str, other: str) -> bytes:
        """Return the mask of the slots that have the same number in two columns."""
        if self._blobs[one] == self._blobs[other]:
            return b"\1" * self.size
        return bytes(map(eq, self.numbers(one), self.numbers(other)))

    def holding(self, part: bytes, asked: bytes) -> bytes:
        """Return the mask of the slots whose texts have a part, of those that are asked about."""
        found = []
        for number, texts in enumerate(self.texts):
            own = asked[number * SLOTS : (number + 1) * SLOTS]
            found.append(self._holding(number, part, own) if part in texts else _NONE)
        return b"".join(found)

    def entries(self, number: int) -> list[bytes]:
        """Return what each slot of a sheet holds, by the sheet's place in the batch."""
        known = self._entries.get(number)
        if known is None:
            known = self._entries[number] = self.texts[number].split(SLOT_MARK)
        return known

    def _holding(self, number: int, part: bytes, asked: bytes) -> bytes:
        wanted = asked.count(1)
        if wanted > SLOTS // 2:
            return bytes(map(contains, self.entries(number), repeat(part)))
        found = bytearray(SLOTS)
        if wanted:
            entries = compress(self.entries(number), asked)
            for slot in compress(compress(_SLOTS, asked), map(contains, entries, repeat(part))):
                found[slot] = 1
        return bytes(found)

    def keys(self, mask: bytes) -> list[int]:
        """Return the numbers of the payments that a mask picks."""
        found: list[int] = []
        start = mask.find(1)
        while start >= 0:
            found.append(self.firsts[start // SLOTS] + start % SLOTS)
            start = mask.find(1, start + 1)
        return found


def read_batches(
    connection: sqlite3.Connection,
    wallet_key: int,
    columns: Sequence[str],
    outlines: Outlines,
    *,
    texts: bool,
) -> Iterator[Batch]:
    """Return all payments of a wallet address in batches.

    Args:
        connection: The ledger, inside a transaction.
        wallet_key: The wallet address's number.
        columns: Names of `COLUMNS`; the state is always read.
        outlines: Takes the outlines of payments that are still without sheets.
        texts: Whether the texts are wanted.
    """
    names = tuple(dict.fromkeys(("state", *columns)))
    found = read_sheets(connection, wallet_key, names, texts=texts)
    while some := found.fetchmany(_AT_ONCE):
        yield _batch(some, names, texts=texts)
    places = [list(COLUMNS).index(name) for name in names]
    for sheet in sheets_of_gap(connection, wallet_key, outlines):
        row = (sheet.first // SLOTS, *(sheet.blobs[place] for place in places), sheet.texts)
        yield _batch([row], names, texts=texts)


def _batch(rows: Sequence[tuple[Any, ...]], names: Sequence[str], *, texts: bool) -> Batch:
    firsts = _stretch([(row[0] & _KEY_BITS) * SLOTS for row in rows])
    blobs = {name: b"".join([row[n] for row in rows]) for n, name in enumerate(names, start=1)}
    return Batch(firsts, blobs, [row[len(names) + 1] for row in rows] if texts else ())


def _stretch(firsts: Sequence[int]) -> Sequence[int]:
    """Return numbers as a range where they are one."""
    whole = range(firsts[0], firsts[-1] + SLOTS, SLOTS)
    return whole if len(whole) == len(firsts) else firsts


def both(one: bytes, other: bytes) -> bytes:
    """Return the mask of what two masks of the same length pick both."""
    number = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return number.to_bytes(len(one), "little")


def either(one: bytes, other: bytes) -> bytes:
    """Return the mask of what one or the other of two masks picks."""
    number = int.from_bytes(one, "little") | int.from_bytes(other, "little")
    return number.to_bytes(len(one), "little")


def flipped(mask: bytes) -> bytes:
    """Return the mask of what a mask does not pick."""
    return mask.translate(_FLIP)
