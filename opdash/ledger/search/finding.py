"""Running a query: a first window at once, then all that match, then what they add up to."""

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby, islice
from typing import Final

import msgspec

from opdash.ledger.encoding import decode_amount
from opdash.ledger.ranking import INDEXED
from opdash.ledger.records import NEWEST_FIRST, AssetTotals, Sort
from opdash.ledger.rows import Assets
from opdash.ledger.search.arranging import order_by
from opdash.ledger.search.compiling import Compiler, Sql, add_functions, id_begins
from opdash.ledger.search.index import second_of, wallet_span
from opdash.ledger.search.terms import All, Word

_AT_ONCE: Final = 2_000
_Amounts = tuple[str, int | None, str, int]
"""What was asked and received of a payment, as stored: each amount, then its asset's number."""

_Place = tuple[int, int, int]
"""A payment's place in the list, the newest first: its instant and tie, negated, and its number."""


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
    """Runs one query over one wallet address; lives as long as one snapshot."""

    def __init__(
        self, connection: sqlite3.Connection, wallet_key: int, tree: All, *, few: bool = False
    ) -> None:
        """Prepare; nothing is read.

        Args:
            connection: The ledger.
            wallet_key: The wallet address's number.
            tree: What payments must match.
            few: Whether only the first of them are wanted.
        """
        add_functions(connection)
        self._connection = connection
        self._wallet_key = wallet_key
        self._terms = tree.terms
        self._compiler = msgspec.structs.replace(Compiler.of(connection, wallet_key), loose=few)
        phrases = [(term, self._compiler.phrase(term)) for term in tree.terms]
        self._phrases = [(term, phrase) for term, phrase in phrases if phrase is not None]

    def first(self, limit: int) -> list[int]:
        """Return the numbers of the newest payments that match, at most ``limit``."""
        if not self._phrases:
            found = self._select("p.payment_key", self._plain(), NEWEST_FIRST, limit)
            return [key for (key,) in found]
        places = merge(self._by_index(), self._beside_index(limit))
        unique = (place for place, _ in groupby(places))
        return [key for _, _, key in islice(unique, limit)]

    def all(self, sort: Sort) -> Matches:
        """Return the numbers of all payments that match."""
        source = self._everywhere(by_index=sort.column in INDEXED)
        found = self._select("p.payment_key", source, sort)
        keys = array("q")
        while some := found.fetchmany(_AT_ONCE):
            keys.extend([key for (key,) in some])
        return Matches(keys)

    def totals(self, assets: Assets) -> tuple[AssetTotals, ...]:
        """Return what the payments that match add up to, asset by asset, the most used first."""
        columns = "p.asked, p.asked_asset_key, p.received, p.received_asset_key"
        source = self._everywhere()
        found = self._connection.execute(f"SELECT {columns} {source.text}", source.values)
        # Counting rows that are the same costs less than adding each of them up.
        counts: Counter[_Amounts] = Counter()
        while some := found.fetchmany(_AT_ONCE):
            counts.update(some)
        return add_up(counts, assets)

    # Where payments are looked for

    def _plain(self, *, by_index: bool = True) -> Sql:
        condition = self._compiler.condition(self._terms)
        # Whole rows of a large table are read ten times faster as they lie than by an index.
        table = "payment p" if by_index else "payment p NOT INDEXED"
        return Sql(
            f"FROM {table} WHERE p.wallet_key = ? AND {condition.text}",
            (self._wallet_key, *condition.values),
        )

    def _everywhere(self, *, by_index: bool = True) -> Sql:
        if not self._phrases:
            return self._plain(by_index=by_index)
        if not self._beside_index(1):
            return self._indexed()
        inside, outside = self._indexed(), self._beside()
        return Sql(
            f"""FROM (SELECT d.payment_key {inside.text}
                      UNION SELECT p.payment_key {outside.text}) m
                CROSS JOIN payment p ON p.payment_key = m.payment_key""",
            (*inside.values, *outside.values),
        )

    def _indexed(self) -> Sql:
        """Read the payments that match by the index."""
        drivers = [term for term, _ in self._phrases]
        others = [term for term in self._terms if term not in drivers]
        rest = self._compiler.condition(others)
        checks = [self._compiler.beyond_phrase(term) for term in drivers]
        conditions = " AND ".join(check.text for check in (rest, *checks))
        values = tuple(value for check in (rest, *checks) for value in check.values)
        phrases = " AND ".join(f"({phrase})" for _, phrase in self._phrases)
        return Sql(
            f"""FROM words
                CROSS JOIN document d ON d.doc_key = words.rowid
                CROSS JOIN payment p ON p.payment_key = d.payment_key
                WHERE words MATCH ? AND words.rowid BETWEEN ? AND ?
                  AND p.wallet_key = ? AND {conditions}""",
            (phrases, *wallet_span(self._wallet_key), self._wallet_key, *values),
        )

    def _beside(self) -> Sql:
        """Read the payments that may match without being found by the index, and do."""
        parts = [Sql("SELECT payment_key FROM unindexed")]
        for term, _ in self._phrases:
            if isinstance(term, Word):
                begins = id_begins(term.text)
                text = f"SELECT p.payment_key FROM payment p WHERE {begins.text}"  # noqa: S608 - of this package
                parts.append(Sql(text, begins.values))
        candidates = " UNION ".join(part.text for part in parts)
        condition = self._compiler.condition(self._terms)
        return Sql(
            f"""FROM ({candidates}) c CROSS JOIN payment p ON p.payment_key = c.payment_key
                WHERE p.wallet_key = ? AND {condition.text}""",
            (
                *(value for part in parts for value in part.values),
                self._wallet_key,
                *condition.values,
            ),
        )

    # Reading them

    def _select(self, columns: str, source: Sql, sort: Sort, limit: int = -1) -> sqlite3.Cursor:
        order = order_by(self._connection, sort)
        return self._connection.execute(
            f"SELECT {columns} {source.text} ORDER BY {order.text} LIMIT ?",
            (*source.values, *order.values, limit),
        )

    def _by_index(self) -> Iterator[_Place]:
        """Read the matches of the index newest first, as far as they are asked for."""
        source = self._indexed()
        found = self._connection.execute(
            f"SELECT words.rowid, p.created_at, p.tie, p.payment_key {source.text} "
            "ORDER BY words.rowid",
            source.values,
        )
        for _, members in groupby(found, lambda columns: second_of(columns[0])):
            yield from sorted((-created, -tie, key) for _, created, tie, key in members)

    def _beside_index(self, limit: int) -> list[_Place]:
        columns = "p.created_at, p.tie, p.payment_key"
        found = self._select(columns, self._beside(), NEWEST_FIRST, limit)
        return [(-created, -tie, key) for created, tie, key in found]


def add_up(counts: Mapping[_Amounts, int], assets: Assets) -> tuple[AssetTotals, ...]:
    """Add up payments, given by how many there are of the same amounts in the same assets."""
    sums: dict[int, list[int]] = {}
    for (asked_text, asked_asset, received_text, received_asset), count in counts.items():
        asked, received = decode_amount(asked_text) or 0, decode_amount(received_text) or 0
        own = sums.setdefault(received_asset, [0, 0, 0, 0])
        own[0] += count
        own[2] += received * count
        if asked and asked_asset is not None:
            sums.setdefault(asked_asset, [0, 0, 0, 0])[1] += asked * count
            if asked_asset == received_asset:
                own[3] += (received - asked) * count
    totals = [AssetTotals(assets[key], *four) for key, four in sums.items()]
    return tuple(sorted(totals, key=lambda one: (-one.count, one.asset.code, one.asset.scale)))
