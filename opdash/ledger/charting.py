"""Where payments stand in a server's list, and from where a page reaches them.

The planner of polls needs positions only relative to each other, and only as far as one page
reaches. So stretches of the list around the payments that are asked for are read, and nothing else:
a chart costs as much for a million payments as for a thousand.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from opdash.ledger.encoding import SCOPE_CODES
from opdash.ledger.records import Scope, WalkState

FAR: Final = 10_000
"""The distance between two places that no page connects, or none that can be relied on."""

_PAGE: Final = 100
_REACH: Final = 2 * _PAGE
"""Rows that are looked at beside a payment: some of them may be gone, and take no place."""

_AT_ONCE: Final = 200


class Place(NamedTuple):
    """Something at a position of the list, counted from the newest payment.

    Attributes:
        position: From 0; only distances of less than a page mean anything.
        name: A payment's URL, a cursor, or the last segment of a payment's URL.
    """

    position: int
    name: str


class Chart(msgspec.Struct, frozen=True):
    """The parts of a list that matter for refreshing some payments; all in the list's order.

    Attributes:
        payments: The payments that were asked for, by their URLs.
        cursors: Cursors that the server has handed out; each stands at a payment.
        neighbours: The last segments of the payments right before those asked for.
        cursors_are_ids: Whether all these cursors are the last segments of the payments at which
            they stand.
    """

    payments: tuple[Place, ...] = ()
    cursors: tuple[Place, ...] = ()
    neighbours: tuple[Place, ...] = ()
    cursors_are_ids: bool = False


class _Spot(NamedTuple):
    created_at: int
    tie: int
    key: int
    id: str


class _Row(NamedTuple):
    key: int
    segment: str
    cursor: str | None


def read_chart(
    connection: sqlite3.Connection,
    wallet_key: int,
    scope: Scope,
    walk: WalkState | None,
    keys: Collection[int],
) -> Chart:
    """Return where payments stand in a scope's list; inside a snapshot.

    Args:
        connection: The ledger.
        wallet_key: Whose list.
        scope: Payments that were last seen under a wider one are not in the list.
        walk: How far the list is known without a gap.
        keys: The payments, by their numbers.
    """
    return _Reader(connection, wallet_key, scope, walk).chart(keys)


class _Reader:
    def __init__(
        self, connection: sqlite3.Connection, wallet_key: int, scope: Scope, walk: WalkState | None
    ) -> None:
        self._connection = connection
        self._wallet_key = wallet_key
        self._scope_code = SCOPE_CODES[scope]
        self._breaks = _breaks(walk)
        self._payments: list[Place] = []
        self._cursors: list[Place] = []
        self._neighbours: list[Place] = []
        self._others = 0

    def chart(self, keys: Collection[int]) -> Chart:
        spots = self._spots(keys)
        names = {spot.key: spot.id for spot in spots}
        position = 0
        for first, last in self._stretches(spots):
            position = self._read(position, first, last, names) + FAR
        return Chart(
            tuple(self._payments),
            tuple(self._cursors),
            tuple(self._neighbours),
            cursors_are_ids=bool(self._cursors) and not self._others,
        )

    def _spots(self, keys: Collection[int]) -> list[_Spot]:
        """Return the payments with their keys in the list's order, newest first."""
        spots: list[_Spot] = []
        wanted = list(keys)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            found = self._connection.execute(
                f"""SELECT p.created_at, p.tie, p.payment_key, b.url || p.segment
                    FROM payment p JOIN base b USING (base_key)
                    WHERE p.payment_key IN ({marks})""",  # noqa: S608 - only question marks
                some,
            )
            spots += map(_Spot._make, found)
        return sorted(spots, reverse=True)

    def _stretches(self, spots: Sequence[_Spot]) -> Iterator[tuple[_Spot | None, _Spot]]:
        """Part payments into stretches that pages may connect; None begins at the head."""
        first: _Spot | None = None
        last: _Spot | None = None
        edge = self._beyond(None)
        for spot in spots:
            if edge is not None and spot[:2] < edge:
                if last is not None:
                    yield first, last
                first = spot
            last = spot
            edge = self._beyond(spot)
        if last is not None:
            yield first, last

    def _beyond(self, spot: _Spot | None) -> tuple[int, int] | None:
        """Return the key so many rows further down; None if the list ends before."""
        where = "" if spot is None else " AND (created_at, tie) < (?, ?)"
        values = () if spot is None else spot[:2]
        return self._one(
            f"""SELECT created_at, tie FROM payment WHERE wallet_key = ?{where}
                ORDER BY created_at DESC, tie DESC LIMIT 1 OFFSET {_REACH}""",  # noqa: S608
            *values,
        )

    def _above(self, spot: _Spot) -> tuple[int, int] | None:
        """Return the key so many rows further up; None if the list begins before."""
        return self._one(
            f"""SELECT created_at, tie FROM payment
                WHERE wallet_key = ? AND (created_at, tie) > (?, ?)
                ORDER BY created_at, tie LIMIT 1 OFFSET {_REACH}""",  # noqa: S608
            *spot[:2],
        )

    def _one(self, query: str, *values: int) -> tuple[int, int] | None:
        found: tuple[int, int] | None = self._connection.execute(
            query, (self._wallet_key, *values)
        ).fetchone()
        return found

    def _read(self, position: int, first: _Spot | None, last: _Spot, names: dict[int, str]) -> int:
        """Chart one stretch from a position on; return the position after it."""
        before: str | None = None
        for row in self._rows(first, last):
            name = names.get(row.key)
            if name is not None:
                self._payments.append(Place(position, name))
                if before is not None:
                    self._neighbours.append(Place(position - 1, before))
            before = row.segment
            if row.cursor is not None:
                self._cursors.append(Place(position, row.cursor))
                self._others += row.cursor != row.segment
                if row.cursor in self._breaks:
                    position, before = position + FAR, None
            position += 1
        return position

    def _rows(self, first: _Spot | None, last: _Spot) -> list[_Row]:
        """Return the rows of a stretch and some beside it that are in the scope's list."""
        upper = None if first is None else self._above(first)
        lower = self._beyond(last)
        where: list[str] = []
        values: list[int] = []
        if upper is not None:
            where.append(" AND (p.created_at, p.tie) <= (?, ?)")
            values += upper
        if lower is not None:
            where.append(" AND (p.created_at, p.tie) >= (?, ?)")
            values += lower
        found = self._connection.execute(
            f"""SELECT p.payment_key, p.segment,
                       (SELECT c.cursor FROM cursor c WHERE c.payment_key = p.payment_key
                        AND c.scope = ? LIMIT 1)
                FROM payment p JOIN sight s USING (payment_key)
                WHERE p.wallet_key = ? AND p.gone_at IS NULL AND s.scope <= ?{"".join(where)}
                ORDER BY p.created_at DESC, p.tie DESC""",  # noqa: S608 - only constants
            (self._scope_code, self._wallet_key, self._scope_code, *values),
        )
        return list(map(_Row._make, found))


def _breaks(walk: WalkState | None) -> frozenset[str]:
    """Return the cursors below which payments lie that nobody has read."""
    if walk is None:
        return frozenset()
    frontier = {walk.cursor} if walk.cursor is not None and walk.server_has_more else set()
    return frozenset({*walk.gaps, *frontier})
