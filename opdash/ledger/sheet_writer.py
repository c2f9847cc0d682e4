"""Writing sheets, in the transactions that write payments."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from opdash.ledger.sheets import (
    COLUMNS,
    EMPTY,
    NAMES,
    NO_TEXTS,
    NUMBERS,
    OUTLINE,
    SELECT,
    SHEETS_OF_A_WALLET,
    SLOT_MARK,
    SLOTS,
    Contents,
    Gap,
    filled,
    read_gap,
    without_sheets,
)

_AT_ONCE: Final = 200
_INSERT: Final = f"INSERT INTO sheet ({NAMES}, sheet_key) VALUES (?{', ?' * len(COLUMNS)})"  # noqa: S608 - only names of this file
# Blobs that keep their length are written over in place, and only the disk pages that differ.
_UPDATE: Final = f"UPDATE sheet SET {' = ?, '.join(COLUMNS)} = ? WHERE sheet_key = ?"  # noqa: S608 - only names of this file


class SheetWriter:
    """Writes sheets; lives as long as one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._outlines: dict[str, int] = {"": 0}
        self._gap = read_gap(connection)

    def write(self, wallet_key: int, keys: Iterable[int], contents: Mapping[int, Contents]) -> None:
        """Take over payments of a wallet address from ``payment``, as they are there by now.

        Args:
            wallet_key: The wallet address's number.
            keys: The numbers of those that are new or not as they were.
            contents: What those hold that are new or have other texts than before.
        """
        wanted = sorted(key for key in keys if not self._gap.first <= key <= self._gap.last)
        for number, members in groupby(wanted, lambda key: key // SLOTS):
            of_sheet = list(members)
            rows: list[tuple[Any, ...]] = []
            for start in range(0, len(of_sheet), _AT_ONCE):
                some = of_sheet[start : start + _AT_ONCE]
                marks = ", ".join("?" * len(some))
                of_these = (
                    f"{NUMBERS} FROM payment WHERE payment_key IN ({marks}) ORDER BY payment_key"
                )
                rows += self._connection.execute(of_these, some).fetchall()
            own = {key: contents[key] for key in of_sheet if key in contents}
            self._put(wallet_key * SHEETS_OF_A_WALLET + number, rows, own)

    def take_in(self, limit: int) -> bool:
        """Take in payments that have no sheets yet, about ``limit``; return whether more wait."""
        first, last = self._gap
        if first > last:
            return False
        end = min(last, (first + limit + SLOTS - 1) // SLOTS * SLOTS - 1)
        for wallet_key, sheet_first, rows in without_sheets(self._connection, first, end):
            contents = {row[0]: Contents.of(*row[-3:]) for row in rows}
            sheet_key = wallet_key * SHEETS_OF_A_WALLET + sheet_first // SLOTS
            self._put(sheet_key, [row[:-3] for row in rows], contents)
        self._connection.execute("UPDATE sheet_gap SET first = ?", (end + 1,))
        self._gap = Gap(end + 1, last)
        return end < last

    def _put(
        self, sheet_key: int, rows: Sequence[tuple[Any, ...]], contents: Mapping[int, Contents]
    ) -> None:
        known = self._connection.execute(SELECT, (sheet_key,)).fetchone()
        blobs = filled(known or EMPTY, rows)
        if contents:
            for key, one in contents.items():
                number = self._outline_key(one.outline)
                OUTLINE.pack_into(blobs[-1], key % SLOTS * OUTLINE.size, number)
            self._put_texts(sheet_key, contents)
        self._connection.execute(_UPDATE if known else _INSERT, (*blobs, sheet_key))

    def _put_texts(self, sheet_key: int, contents: Mapping[int, Contents]) -> None:
        found = self._connection.execute(
            "SELECT texts FROM sheet_text WHERE sheet_key = ?", (sheet_key,)
        ).fetchone()
        entries = (NO_TEXTS if found is None else found[0]).split(SLOT_MARK)
        for key, one in contents.items():
            entries[key % SLOTS] = one.entry
        self._connection.execute(
            "INSERT OR REPLACE INTO sheet_text VALUES (?, ?)",
            (sheet_key, SLOT_MARK.join(entries)),
        )

    def _outline_key(self, outline: str) -> int:
        known = self._outlines.get(outline)
        if known is None:
            self._connection.execute("INSERT OR IGNORE INTO outline (text) VALUES (?)", (outline,))
            (known,) = self._connection.execute(
                "SELECT outline_key FROM outline WHERE text = ?", (outline,)
            ).fetchone()
            self._outlines[outline] = int(known)
        return int(known)
