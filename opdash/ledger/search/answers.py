"""What searches of one wallet address found, kept for the next question about the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from opdash.ledger.note_rows import read_noted
from opdash.ledger.notes import Note
from opdash.ledger.records import NEWEST_FIRST, AssetTotals, Sort
from opdash.ledger.rows import Assets
from opdash.ledger.search.finding import Finder, Matches
from opdash.ledger.search.ranks import Ranks, all_ranked, arranged, newest
from opdash.ledger.search.selecting import Selection, add_up, select
from opdash.ledger.search.terms import All

_K = TypeVar("_K")
_V = TypeVar("_V")
_KEPT: Final = 3


class Answers:
    """Answers questions about queries; valid as long as nothing is committed to the ledger.

    At a million payments what it keeps takes up to 25 MB: `forget` when nobody searches.

    Args:
        wallet_key: The wallet address's number.
        assets: The assets that the ledger has met.
    """

    def __init__(self, wallet_key: int, assets: Assets) -> None:
        self._wallet_key = wallet_key
        self._assets = assets
        self._selections: dict[All, Selection] = {}
        self._totals: dict[All, tuple[AssetTotals, ...]] = {}
        self._ranks: dict[Sort, Sequence[int]] = {}
        self._matches: dict[tuple[All, Sort], Matches] = {}
        self._notes: Mapping[int, Note] | None = None

    def forget(self) -> None:
        """Let go of everything: it no longer holds, or nobody asks any more."""
        for kept in (self._selections, self._totals, self._ranks, self._matches):
            kept.clear()
        self._notes = None

    def first(self, connection: sqlite3.Connection, tree: All, limit: int) -> Sequence[int]:
        """Return the numbers of the newest payments that match, at most ``limit``."""
        known = self._matches.get((tree, NEWEST_FIRST))
        if known is not None:
            return known.keys[:limit]
        if tree not in self._selections:
            noted = self._noted(connection)
            found = Finder(connection, self._wallet_key, tree, noted).first(limit)
            if found is not None:
                return found
        return newest(connection, self._wallet_key, self._selection(connection, tree), limit)

    def count(self, connection: sqlite3.Connection, tree: All) -> int:
        """Return how many payments match."""
        return len(self._selection(connection, tree))

    def totals(self, connection: sqlite3.Connection, tree: All) -> tuple[AssetTotals, ...]:
        """Return what the payments that match add up to in each asset."""

        def compute() -> tuple[AssetTotals, ...]:
            selection = self._selection(connection, tree)
            return add_up(connection, self._wallet_key, selection, self._assets)

        return _kept(self._totals, tree, compute)

    def matches(self, connection: sqlite3.Connection, tree: All, sort: Sort) -> Matches:
        """Return all payments that match, in an order."""

        def compute() -> Matches:
            if not tree.terms:
                return Matches(self._all_ranked(connection, sort))
            selection = self._selection(connection, tree)
            return Matches(arranged(connection, selection, sort, self._ranks_of(connection)))

        return _kept(self._matches, (tree, sort), compute)

    def _selection(self, connection: sqlite3.Connection, tree: All) -> Selection:
        def compute() -> Selection:
            noted = self._noted(connection)
            return select(connection, self._wallet_key, tree.terms, noted)

        return _kept(self._selections, tree, compute)

    def _noted(self, connection: sqlite3.Connection) -> Mapping[int, Note]:
        """Return what people wrote, by payments' numbers; few payments have anything."""
        if self._notes is None:
            self._notes = read_noted(connection, self._wallet_key)
        return self._notes

    def _all_ranked(self, connection: sqlite3.Connection, sort: Sort) -> Sequence[int]:
        ranks = self._ranks_of(connection)
        return _kept(
            self._ranks, sort, lambda: all_ranked(connection, self._wallet_key, sort, ranks)
        )

    def _ranks_of(self, connection: sqlite3.Connection) -> Ranks:
        return lambda sort: self._all_ranked(connection, sort)


def _kept(kept: dict[_K, _V], key: _K, compute: Callable[[], _V]) -> _V:
    """Return what is kept under a key, computed where it is not, beside the latest others."""
    found = kept.pop(key) if key in kept else compute()
    kept[key] = found
    if len(kept) > _KEPT:
        del kept[next(iter(kept))]
    return found
