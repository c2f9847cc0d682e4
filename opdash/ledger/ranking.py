"""Any window of any order, without sorting and without counting from the start each time.

SQLite reads an index from a key on quickly, but must step over every row of an ``OFFSET``. A
`Ranking` remembers *anchors*, keys of which it knows how many rows come before them: where it was
asked for a window or a position, one lies near, so that those around cost at most 256 steps. Only
the way to a neighbourhood that is new is stepped over row by row, within SQLite and from the
nearest place that is known, the end among them: fifteen milliseconds to the middle of a million.

Rows that are equal in a sorted column stand newest first in both directions. An index read
backwards turns equal rows around, so ascending orders are put together from the groups of equal
rows, each read newest first.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from opdash.ledger.records import Sort, SortColumn

_STRIDE: Final = 256
_BEFORE_ALL: Final = (-(2**63), -(2**63))
INDEXED: Final = {
    SortColumn.CREATED: "",
    SortColumn.STATE: "state",
    SortColumn.ASKED: "asked",
    SortColumn.RECEIVED: "received",
    SortColumn.REFERENCE: "reference_key",
    SortColumn.DESCRIPTION: "description_key",
    SortColumn.EXPIRES: "expires_at",
}
"""The columns that have an index, and their names in the database; every order ends in creation."""

Key = tuple[Any, ...]
"""What a row is ordered by; no two rows of a wallet address have the same."""


class Ranked(msgspec.Struct, frozen=True):
    """A row of an order: its number in the database and its key."""

    payment_key: int
    key: Key


class Ranking:
    """The rows that agree in some columns, ordered by an index over further ones.

    Valid as long as no row changes; the caller drops it then.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        fixed: dict[str, Any],
        columns: Sequence[str],
        *,
        descending: bool,
        total: int | None = None,
    ) -> None:
        """Prepare the order; nothing is read.

        Args:
            connection: The ledger.
            fixed: The index's first columns and the values that all rows have in them.
            columns: The columns of the index by which the rows are ordered.
            descending: Whether the greatest key comes first.
            total: How many rows there are, if that is known: the end is near then.
        """
        self._connection = connection
        self._total = total
        self._values = tuple(fixed.values())
        self._descending = descending
        self._ranks: list[int] = []
        self._keys: list[Key] = []
        where = " AND ".join(f"{name} = ?" for name in fixed)
        key = ", ".join(columns)
        direction = " DESC" if descending else ""
        order = ", ".join(name + direction for name in columns)
        backwards = ", ".join(name + ("" if descending else " DESC") for name in columns)
        marks = ", ".join("?" * len(columns))
        onward, before = ("<=", ">") if descending else (">=", "<")
        bound = f"({key}) {onward} ({marks})"
        self._read_start = f"SELECT payment_key, {key} FROM payment WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: E501, S608 - only column names
        self._read_from = f"SELECT payment_key, {key} FROM payment WHERE {where} AND {bound} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: E501, S608 - only column names
        self._back_from_end = (
            f"SELECT {key} FROM payment WHERE {where} ORDER BY {backwards} LIMIT 1 OFFSET ?"  # noqa: S608 - only column names
        )
        self._back_from = f"SELECT {key} FROM payment WHERE {where} AND ({key}) {before} ({marks}) ORDER BY {backwards} LIMIT 1 OFFSET ?"  # noqa: E501, S608 - only column names
        self._count = (
            f"SELECT COUNT(*) FROM payment WHERE {where} AND {bound} AND ({key}) {before} ({marks})"  # noqa: S608 - only column names
        )

    def window(self, offset: int, limit: int) -> list[Ranked]:
        """Return at most ``limit`` rows from rank ``offset`` on."""
        start = offset // _STRIDE * _STRIDE
        anchor = bisect_right(self._ranks, start) - 1
        if anchor < 0 or self._ranks[anchor] < start:
            key = self._key_at(start, anchor)
            if key is None:
                return []
            anchor = self._learn(start, key)
        return self._read(anchor, limit, offset - self._ranks[anchor])

    def _key_at(self, rank: int, anchor: int) -> Key | None:
        """Step to a rank from the nearest place that is known before or after it.

        Args:
            rank: Where there is no anchor yet.
            anchor: The last anchor before it, or −1.
        """
        steps = rank - (self._ranks[anchor] if anchor >= 0 else 0)
        after = anchor + 1
        if after < len(self._ranks) and (back := self._ranks[after] - rank) < steps:
            return self._step_back(self._back_from, (*self._values, *self._keys[after]), back)
        if after == len(self._ranks) and self._total is not None:
            if rank >= self._total:
                return None
            if (back := self._total - rank) < steps:
                return self._step_back(self._back_from_end, self._values, back)
        found = self._read(anchor, 1, steps)
        return found[0].key if found else None

    def _step_back(self, query: str, parameters: tuple[Any, ...], steps: int) -> Key | None:
        key: Key | None
        key = self._connection.execute(query, (*parameters, steps - 1)).fetchone()
        return key

    def rank(self, key: Key) -> int:
        """Return how many rows come before a key, which need not be there."""
        anchor = self._anchor_before(key)
        if self._keys[anchor + 1 : anchor + 2] == [key]:
            return self._ranks[anchor + 1]
        if anchor < 0:
            return 0
        parameters = (*self._values, *self._keys[anchor], *key)
        (between,) = self._connection.execute(self._count, parameters).fetchone()
        rank = self._ranks[anchor] + int(between)
        if between > _STRIDE and rank not in self._ranks:
            self._learn(rank, key)
        return rank

    def _anchor_before(self, key: Key) -> int:
        """Return the number of the last anchor that comes before a key, or −1."""
        if self._ranks[:1] != [0]:
            self.window(0, 0)
        low, high = 0, len(self._keys)
        while low < high:
            middle = (low + high) // 2
            if self._is_before(self._keys[middle], key):
                low = middle + 1
            else:
                high = middle
        return low - 1

    def _is_before(self, one: Key, other: Key) -> bool:
        return one > other if self._descending else one < other

    def _learn(self, rank: int, key: Key) -> int:
        """Take note of a key and how many rows come before it; return the anchor's number."""
        anchor = bisect_left(self._ranks, rank)
        self._ranks.insert(anchor, rank)
        self._keys.insert(anchor, key)
        return anchor

    def _read(self, anchor: int, limit: int, offset: int) -> list[Ranked]:
        """Return rows from an anchor on, leaving some out; −1 stands for the first row."""
        if anchor < 0:
            found = self._connection.execute(self._read_start, (*self._values, limit, offset))
        else:
            parameters = (*self._values, *self._keys[anchor], limit, offset)
            found = self._connection.execute(self._read_from, parameters)
        return [Ranked(payment_key, tuple(key)) for payment_key, *key in found]


class Order:
    """The payments of one wallet address in one order."""

    def __init__(
        self, connection: sqlite3.Connection, wallet_key: int, sort: Sort, total: int
    ) -> None:
        """Prepare the order; nothing is read.

        Args:
            connection: The ledger.
            wallet_key: The wallet address's number.
            sort: The order; its column has an index.
            total: How many payments the wallet address has.
        """
        self._connection = connection
        self._wallet_key = wallet_key
        self._column = INDEXED[sort.column]
        self._in_groups = bool(self._column) and not sort.descending
        self._groups: dict[Any, Ranking] = {}
        columns = [*filter(None, [self._column]), "created_at", "tie"]
        self._ranking = Ranking(
            connection,
            {"wallet_key": wallet_key},
            columns,
            descending=sort.descending,
            total=total,
        )

    def window(self, offset: int, limit: int) -> list[int]:
        """Return the numbers of at most ``limit`` payments from rank ``offset`` on."""
        rows = self._ranking.window(offset, limit)
        if not self._in_groups:
            return [row.payment_key for row in rows]
        keys: list[int] = []
        for value, members in groupby(rows, lambda row: row.key[0]):
            equal = list(members)
            start = 0 if keys else offset - self._ranking.rank((value, *_BEFORE_ALL))
            if start or len(keys) + len(equal) == len(rows):
                equal = self._group(value).window(start, len(equal))
            else:
                equal.reverse()
            keys += [row.payment_key for row in equal]
        return keys

    def position(self, payment_key: int) -> int | None:
        """Return the rank of a payment, or None if it is not one of these."""
        columns = ", ".join([*filter(None, [self._column]), "created_at", "tie"])
        found = self._connection.execute(
            f"SELECT {columns} FROM payment WHERE payment_key = ? AND wallet_key = ?",  # noqa: S608 - only column names
            (payment_key, self._wallet_key),
        ).fetchone()
        if found is None:
            return None
        key: Key = tuple(found)
        if not self._in_groups:
            return self._ranking.rank(key)
        return self._ranking.rank((key[0], *_BEFORE_ALL)) + self._group(key[0]).rank(key[1:])

    def _group(self, value: Any) -> Ranking:
        if value not in self._groups:
            self._groups[value] = Ranking(
                self._connection,
                {"wallet_key": self._wallet_key, self._column: value},
                ("created_at", "tie"),
                descending=True,
            )
        return self._groups[value]
