"""The first rows that match a query, by the index over texts, before all that match are known."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby, islice
from typing import Final

import msgspec

from opdash.ledger.notes import Note
from opdash.ledger.search.compiling import Compiler, Sql, add_functions, id_begins
from opdash.ledger.search.index import second_of, wallet_span
from opdash.ledger.search.terms import All, Word

_MOST_LOOKED_AT: Final = 1_500
_MOST_BESIDE: Final = 300

_Place = tuple[int, int, int]
"""A payment's place in the list, the newest first: its instant and tie, negated, and its number."""


class _NotSoonError(Exception):
    """Finding the first rows would mean looking at too many that do not match."""


class Matches(msgspec.Struct, frozen=True):
    """All payments that match, by their numbers.

    Attributes:
        keys: In the order that was asked for.
    """

    keys: Sequence[int]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.keys)

    def position(self, payment_key: int) -> int | None:
        """Return where a payment stands, or None where it does not match."""
        try:
            return self.keys.index(payment_key)
        except ValueError:
            return None


NO_MATCHES: Final = Matches(())
"""Nothing."""


class Finder:
    """Looks one query up in one wallet address's texts; lives as long as one snapshot."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        wallet_key: int,
        tree: All,
        noted: Mapping[int, Note],
    ) -> None:
        """Prepare; nothing is read.

        Args:
            connection: The ledger.
            wallet_key: The wallet address's number.
            tree: What payments must match.
            noted: What people wrote, by payments' numbers.
        """
        add_functions(connection)
        self._connection = connection
        self._wallet_key = wallet_key
        self._terms = tree.terms
        self._compiler = Compiler.of(connection, wallet_key, noted, loose=True)
        phrases = [(term, self._compiler.phrase(term)) for term in tree.terms]
        self._phrases = [(term, phrase) for term, phrase in phrases if phrase is not None]

    def first(self, limit: int) -> list[int] | None:
        """Return the numbers of the newest payments that match, at most ``limit``.

        None where the index does not lead to them soon: it knows nothing of the query's terms, or
        few of the payments that it leads to match the others.
        """
        if not self._phrases:
            return None
        try:
            places = merge(self._by_index(), self._beside_index())
            unique = (place for place, _ in groupby(places))
            return [key for _, _, key in islice(unique, limit)]
        except _NotSoonError:
            return None

    def _by_index(self) -> Iterator[_Place]:
        """Read the matches of the index newest first, as far as they are asked for."""
        drivers = [term for term, _ in self._phrases]
        checks = [self._compiler.condition([t for t in self._terms if t not in drivers])]
        checks += [self._compiler.beyond_phrase(term) for term in drivers]
        phrases = " AND ".join(f"({phrase})" for _, phrase in self._phrases)
        found = self._connection.execute(
            f"""SELECT words.rowid, p.created_at, p.tie, p.payment_key,
                       p.wallet_key = ? AND {" AND ".join(check.text for check in checks)}
                FROM words
                CROSS JOIN document d ON d.doc_key = words.rowid
                CROSS JOIN payment p ON p.payment_key = d.payment_key
                WHERE words MATCH ? AND words.rowid BETWEEN ? AND ?
                ORDER BY words.rowid""",  # noqa: S608 - conditions of this package
            (
                self._wallet_key,
                *(value for check in checks for value in check.values),
                phrases,
                *wallet_span(self._wallet_key),
            ),
        )
        in_seconds = groupby(_bounded(found), lambda columns: second_of(columns[0]))
        for _, members in in_seconds:
            yield from sorted(
                (-created, -tie, key) for _, created, tie, key, matches in members if matches
            )

    def _beside_index(self) -> list[_Place]:
        """Read the payments that may match without being found by the index, and do."""
        keys = self._unindexed()
        for term, _ in self._phrases:
            if isinstance(term, Word):
                keys |= self._of_id(id_begins(term.text))
                keys.update(self._compiler.noted_keys(term))
        if len(keys) > _MOST_BESIDE:
            raise _NotSoonError
        condition = self._compiler.condition(self._terms)
        # A sign in front of the column keeps SQLite from reading all payments by its index.
        found = self._connection.execute(
            f"""SELECT p.created_at, p.tie, p.payment_key FROM payment p
                WHERE p.payment_key IN ({", ".join(map(str, keys))})
                  AND +p.wallet_key = ? AND {condition.text}
                ORDER BY p.created_at DESC, p.tie DESC""",  # noqa: S608 - conditions of this package
            (self._wallet_key, *condition.values),
        )
        return [(-created, -tie, key) for created, tie, key in found]

    def _unindexed(self) -> set[int]:
        found = self._connection.execute(
            "SELECT payment_key FROM unindexed LIMIT ?", (_MOST_BESIDE + 1,)
        )
        return {key for (key,) in found}

    def _of_id(self, begins: Sql) -> set[int]:
        found = self._connection.execute(
            f"""SELECT p.payment_key FROM payment p INDEXED BY payment_by_id
                WHERE {begins.text} LIMIT ?""",  # noqa: S608 - conditions of this package
            (*begins.values, _MOST_BESIDE + 1),
        )
        return {key for (key,) in found}


_Row = tuple[int, int, int, int, int | None]


def _bounded(rows: Iterator[_Row]) -> Iterator[_Row]:
    """Hand on rows, but not more than can be looked at in a moment."""
    for number, row in enumerate(rows):
        if number == _MOST_LOOKED_AT:
            raise _NotSoonError
        yield row
