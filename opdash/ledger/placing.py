"""Weaving the pages of a list into the order of the payments that the ledger knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from opdash.ledger.ordering import GAP, Edge, Member, NoRoomError, weave
from opdash.ledger.records import PagePlace


class Spot(msgspec.Struct):
    """Where a payment stands in the order; newest first by ``created_at``, then by ``tie``.

    Attributes:
        id: The payment's URL.
        created_at: Its creation as printed, microseconds since 1970.
        key: Its number in the database, or None while it is new.
        tie: Its number among those of the same creation; None while it has none.
        placed: Whether ``tie`` was read from a list.
    """

    id: str
    created_at: int
    key: int | None = None
    tie: int | None = None
    placed: bool = False

    @property
    def member(self) -> Member:
        """The payment as a member of a run."""
        return Member(self.id, self.tie if self.placed else None)


class Placer:
    """Places payments of one wallet address; inside a transaction."""

    def __init__(self, connection: sqlite3.Connection, wallet_key: int, scope_code: int) -> None:
        self._connection = connection
        self._wallet_key = wallet_key
        self._scope_code = scope_code

    def put_on_top(self, spots: Iterable[Spot]) -> None:
        """Place payments that were seen outside the list: as the newest of their instants."""
        tops: dict[int, int] = {}
        for spot in spots:
            taken = _Taken(self._connection, self._wallet_key, spot.created_at)
            top = tops.get(spot.created_at, taken.top())
            spot.tie = tops[spot.created_at] = 0 if top is None else top + GAP

    def arrange(self, page: Sequence[Spot], place: PagePlace | None) -> list[Spot]:
        """Place a page of the list.

        Args:
            page: In the list's order, no payment twice; ties and ``placed`` are set in place.
            place: Where the page lies; None where that is not known.

        Returns:
            Payments outside the page that had to move.
        """
        stretch = list(page)
        neighbour = None if place is None else self._payment_at(place.cursor)
        if neighbour is not None and place is not None and neighbour.id not in {s.id for s in page}:
            stretch = [*page, neighbour] if place.backwards else [neighbour, *page]
        before = None if neighbour is None else (neighbour.tie, neighbour.placed)
        for run, edge in _runs(stretch, place):
            if run != [neighbour] and not (len(run) == 1 and run[0].placed):
                self._weave(run, edge, place)
        if neighbour is None or (neighbour.tie, neighbour.placed) == before:
            return []
        return [neighbour]

    def remember_cursors(self, page: Sequence[Spot], place: PagePlace) -> None:
        """Keep which payments the page's cursors stand at; all of them have a key by now.

        Of one payment only the latest is kept: a server may make up a new one for every answer.
        """
        ends = (
            (place.pagination.start_cursor, page[0]),
            (place.pagination.end_cursor, page[-1]),
        )
        self._connection.executemany(
            """DELETE FROM cursor
               WHERE payment_key = ? AND wallet_key = ? AND scope = ? AND cursor <> ?""",
            [
                (spot.key, self._wallet_key, self._scope_code, cursor)
                for cursor, spot in ends
                if cursor
            ],
        )
        self._connection.executemany(
            """INSERT INTO cursor (wallet_key, scope, cursor, payment_key) VALUES (?, ?, ?, ?)
               ON CONFLICT (wallet_key, scope, cursor)
               DO UPDATE SET payment_key = excluded.payment_key
               WHERE payment_key <> excluded.payment_key""",
            [
                (self._wallet_key, self._scope_code, cursor, spot.key)
                for cursor, spot in ends
                if cursor
            ],
        )

    def _payment_at(self, cursor: str | None) -> Spot | None:
        """Return the payment at which a cursor stands, where that is known.

        Cursors are opaque; one that was read with a page is known for that. Servers whose cursors
        are the last segments of payments' URLs take any payment's as one.
        """
        if cursor is None:
            return None
        found = self._connection.execute(
            """SELECT payment_key FROM cursor WHERE wallet_key = ? AND scope = ? AND cursor = ?
               UNION ALL SELECT payment_key FROM payment WHERE segment = ? AND wallet_key = ?
               LIMIT 1""",
            (self._wallet_key, self._scope_code, cursor, cursor, self._wallet_key),
        ).fetchone()
        return None if found is None else self._spot(found[0])

    def _spot(self, payment_key: int) -> Spot:
        payment_id, created_at, tie, placed = self._connection.execute(
            """SELECT b.url || p.segment, p.created_at, p.tie, p.placed
               FROM payment p JOIN base b USING (base_key) WHERE p.payment_key = ?""",
            (payment_key,),
        ).fetchone()
        return Spot(payment_id, created_at, payment_key, tie, bool(placed))

    def _weave(self, run: list[Spot], edge: Edge | None, place: PagePlace | None) -> None:
        """Give ties to those of a run that need one."""
        taken = _Taken(self._connection, self._wallet_key, run[0].created_at)
        anchored = any(spot.placed for spot in run)
        likely = Edge.TOP if place is not None and place.backwards else Edge.BOTTOM
        try:
            ties = weave([spot.member for spot in run], taken, edge or likely)
        except NoRoomError:
            fresh = taken.space_out()
            for spot in run:
                spot.tie = fresh.get(spot.key or 0, spot.tie)
            ties = weave([spot.member for spot in run], taken, edge or likely)
        certain = anchored or edge is not None or taken.top() is None
        for spot in run:
            if spot.id in ties:
                spot.tie, spot.placed = ties[spot.id], certain


class _Taken:
    """The ties that are taken at one instant."""

    def __init__(self, connection: sqlite3.Connection, wallet_key: int, created_at: int) -> None:
        self._connection = connection
        self._at = (wallet_key, created_at)

    def above(self, tie: int) -> int | None:
        return self._one(
            "SELECT MIN(tie) FROM payment WHERE wallet_key = ? AND created_at = ? AND tie > ?", tie
        )

    def below(self, tie: int) -> int | None:
        return self._one(
            "SELECT MAX(tie) FROM payment WHERE wallet_key = ? AND created_at = ? AND tie < ?", tie
        )

    def top(self) -> int | None:
        return self._one("SELECT MAX(tie) FROM payment WHERE wallet_key = ? AND created_at = ?")

    def bottom(self) -> int | None:
        return self._one("SELECT MIN(tie) FROM payment WHERE wallet_key = ? AND created_at = ?")

    def space_out(self) -> dict[int, int]:
        """Number all payments of the instant anew, in their order; return the new ties by key."""
        keys = self._connection.execute(
            "SELECT payment_key FROM payment WHERE wallet_key = ? AND created_at = ? ORDER BY tie",
            self._at,
        ).fetchall()
        ties = {key: number * GAP for number, (key,) in enumerate(keys)}
        self._connection.executemany(
            "UPDATE payment SET tie = ? WHERE payment_key = ?",
            [(tie, key) for key, tie in ties.items()],
        )
        return ties

    def _one(self, query: str, *values: int) -> int | None:
        tie: int | None
        (tie,) = self._connection.execute(query, (*self._at, *values)).fetchone()
        return tie


def _runs(page: Sequence[Spot], place: PagePlace | None) -> list[tuple[list[Spot], Edge | None]]:
    """Part a page into its runs of equal creation, and tell where each lies if the page does."""
    indexes: dict[int, list[int]] = {}
    for index, spot in enumerate(page):
        indexes.setdefault(spot.created_at, []).append(index)
    return [
        ([page[index] for index in members], _edge(page, members[0], members[-1], place))
        for members in indexes.values()
    ]


def _edge(page: Sequence[Spot], first: int, last: int, place: PagePlace | None) -> Edge | None:
    created_at = page[first].created_at
    if first:
        begins = page[first - 1].created_at > created_at
    else:
        begins = place is not None and place.cursor is None and not place.backwards
    if begins:
        return Edge.TOP
    ends = last + 1 < len(page) and page[last + 1].created_at < created_at
    return Edge.BOTTOM if ends else None
