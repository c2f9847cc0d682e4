"""Payments in an order, as arrays of their numbers.

An index over a column is read in about a tenth of a second for a million payments, and what is
selected is picked out of it: that is quicker than to sort what is selected, unless that is little.
Where no index is kept for a column, payments are put in order by what their sheets say.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, compress
from operator import sub
from typing import Final

from opdash.ledger.encoding import SCOPE_CODES
from opdash.ledger.ranking import INDEXED
from opdash.ledger.records import NEWEST_FIRST, Scope, Sort, SortColumn
from opdash.ledger.search.arranging import order_by
from opdash.ledger.search.batches import Batch, both, read_batches
from opdash.ledger.search.numbers import read_numbers
from opdash.ledger.search.selecting import Selection
from opdash.ledger.sheets import SLOTS, Outlines

_FEW: Final = 4_000
_MOST_ASSETS: Final = 8
_NUMBERS: Final = "SELECT p.payment_key AS number FROM payment p"
_OF_SHEETS: Final = {SortColumn.CHANGED: "changed", SortColumn.FIRST_SEEN: "first_seen"}

Ranks = Callable[[Sort], Sequence[int]]
"""Returns the numbers of all payments in an order."""


def arranged(
    connection: sqlite3.Connection, selection: Selection, sort: Sort, ranks: Ranks
) -> Sequence[int]:
    """Return the numbers of what is selected, in an order."""
    if len(selection) > _FEW:
        return selection.of(ranks(sort))
    return _sorted(connection, selection.keys(), sort)


def newest(
    connection: sqlite3.Connection, wallet_key: int, selection: Selection, limit: int
) -> Sequence[int]:
    """Return the numbers of the newest of what is selected, at most ``limit``."""
    if len(selection) <= _FEW:
        return _sorted(connection, selection.keys(), NEWEST_FIRST)[:limit]
    found: array[int] = array("I")
    order = order_by(connection, NEWEST_FIRST)
    rows = connection.execute(
        f"{_NUMBERS} WHERE p.wallet_key = ? ORDER BY {order.text}",
        (wallet_key,),
    )
    while len(found) < limit and (some := rows.fetchmany(_FEW)):
        found.extend(selection.of([key for (key,) in some]))
    return found[:limit]


def all_ranked(
    connection: sqlite3.Connection, wallet_key: int, sort: Sort, ranks: Ranks
) -> Sequence[int]:
    """Return the numbers of all payments of a wallet address, in an order.

    Args:
        connection: The ledger, inside a transaction.
        wallet_key: The wallet address's number.
        sort: The order.
        ranks: Returns the same for other orders, that it is made of.
    """
    column = sort.column
    if column in INDEXED:
        return _by_index(connection, wallet_key, sort)
    if column in _OF_SHEETS:
        values = _values(connection, wallet_key, (_OF_SHEETS[column],), _as_they_are)
        return _by_values(ranks(NEWEST_FIRST), values, descending=sort.descending)
    if column is SortColumn.DIFFERENCE:
        names = ("received_asset", "received", "asked_asset", "asked")
        values = _values(connection, wallet_key, names, _differences)
        return _by_values(ranks(NEWEST_FIRST), values, descending=sort.descending)
    if column is SortColumn.SCOPE:
        return _by_scope(connection, ranks(NEWEST_FIRST), descending=sort.descending)
    if column is SortColumn.LABELS:
        return _by_labels(connection, wallet_key, ranks(NEWEST_FIRST), sort)
    if column is SortColumn.ASSET:
        groups = _by_asset(connection, wallet_key)
        if groups is not None:
            in_order = reversed(groups) if sort.descending else groups
            return _one_after_the_other(ranks(NEWEST_FIRST), in_order)
    if column is SortColumn.ID and not _share_segments(connection, wallet_key):
        direction = "DESC" if sort.descending else "ASC"
        by_segment = (
            f"INDEXED BY payment_by_id WHERE p.wallet_key = ? ORDER BY p.segment {direction}"
        )
        return read_numbers(connection, f"{_NUMBERS} {by_segment}", (wallet_key,))
    order = order_by(connection, sort)
    # Whole rows of a large table are read ten times faster as they lie than by an index.
    as_they_lie = f"{_NUMBERS} NOT INDEXED WHERE p.wallet_key = ? ORDER BY {order.text}"
    return read_numbers(connection, as_they_lie, (wallet_key, *order.values))


def _sorted(connection: sqlite3.Connection, keys: Iterable[int], sort: Sort) -> array[int]:
    order = order_by(connection, sort)
    some = ", ".join(map(str, keys))
    these = f"{_NUMBERS} NOT INDEXED WHERE p.payment_key IN ({some}) ORDER BY {order.text}"
    return read_numbers(connection, these, order.values)


# By an index


def _by_index(connection: sqlite3.Connection, wallet_key: int, sort: Sort) -> array[int]:
    column = INDEXED[sort.column]
    if sort.descending or not column:
        order = order_by(connection, sort)
        of_wallet = f"{_NUMBERS} WHERE p.wallet_key = ? ORDER BY {order.text}"
        return read_numbers(connection, of_wallet, (wallet_key,))
    names = f"p.{column}, p.created_at, p.tie"
    of_wallet = f"{_NUMBERS} WHERE p.wallet_key = ? ORDER BY {names}"
    keys = read_numbers(connection, of_wallet, (wallet_key,))
    # Read forward, an index has the equal ones oldest first.
    counts = read_numbers(
        connection,
        f"SELECT COUNT(*) AS number FROM payment p WHERE p.wallet_key = ? "  # noqa: S608 - only column names
        f"GROUP BY p.{column} ORDER BY p.{column}",
        (wallet_key,),
    )
    if len(counts) < len(keys):
        several = map((1).__lt__, counts)
        for count, end in compress(zip(counts, accumulate(counts), strict=True), several):
            equal = keys[end - count : end]
            equal.reverse()
            keys[end - count : end] = equal
    return keys


def _share_segments(connection: sqlite3.Connection, wallet_key: int) -> bool:
    """Return whether any two payments' URLs end alike; they stand newest first then."""
    if connection.execute("SELECT COUNT(*) FROM base").fetchone() == (1,):
        return False
    found = connection.execute(
        """SELECT 1 FROM payment INDEXED BY payment_by_id WHERE wallet_key = ?
           GROUP BY segment HAVING COUNT(*) > 1 LIMIT 1""",
        (wallet_key,),
    )
    return found.fetchone() is not None


# By what the sheets say


def _values(
    connection: sqlite3.Connection,
    wallet_key: int,
    columns: Sequence[str],
    values_of: Callable[[Batch, Sequence[str]], Iterable[int]],
) -> list[int]:
    """Return a value for each payment, at the place of its number."""
    values: list[int] = []
    for batch in read_batches(connection, wallet_key, columns, Outlines(connection), texts=False):
        found = values_of(batch, columns)
        if batch.firsts == range(len(values), len(values) + batch.size, SLOTS):
            values += found
            continue
        values += [0] * (max(batch.firsts) + SLOTS - len(values))
        slots = (first + slot for first in batch.firsts for slot in range(SLOTS))
        for key, value, present in zip(slots, found, batch.present, strict=True):
            if present:
                values[key] = value
    return values


def _as_they_are(batch: Batch, columns: Sequence[str]) -> Iterable[int]:
    return batch.numbers(columns[0])


def _differences(batch: Batch, _: Sequence[str]) -> Iterable[int]:
    """Return what orders differences; without one, what comes before all of them."""
    asked = batch.numbers("asked")
    known = batch.alike("asked_asset", "received_asset")
    if not all(asked):
        known = both(known, bytes(map(bool, asked)))
    found = map(sub, batch.numbers("received"), asked)
    if 0 not in known:
        return found
    return [value if there else -(1 << 64) for value, there in zip(found, known, strict=True)]


def _by_values(keys: Sequence[int], values: Sequence[int], *, descending: bool) -> array[int]:
    return array("I", sorted(keys, key=values.__getitem__, reverse=descending))


# In groups


def _one_after_the_other(keys: Sequence[int], groups: Iterable[Selection]) -> array[int]:
    found: array[int] = array("I")
    for group in groups:
        found.extend(group.of(keys))
    return found


def _by_asset(connection: sqlite3.Connection, wallet_key: int) -> list[Selection] | None:
    """Return the payments of each asset code, in the codes' order; None where those are many."""
    codes: dict[str, set[int]] = {}
    found = connection.execute("SELECT asset_key, code FROM asset ORDER BY code COLLATE NOCASE")
    for key, code in found:
        small = "".join(letter.lower() if letter.isascii() else letter for letter in code)
        codes.setdefault(small, set()).add(key)
    if len(codes) > _MOST_ASSETS:
        return None
    groups = [(keys, Selection(connection)) for keys in codes.values()]
    outlines = Outlines(connection)
    for batch in read_batches(connection, wallet_key, ["received_asset"], outlines, texts=False):
        for keys, group in groups:
            mask = batch.where("received_asset", keys.__contains__)
            group.add(batch, both(batch.present, mask))
    return [group for _, group in groups]


def _by_labels(
    connection: sqlite3.Connection, wallet_key: int, keys: Sequence[int], sort: Sort
) -> Sequence[int]:
    """Return those last, or first, that have labels."""
    order = order_by(connection, sort)
    labelled = read_numbers(
        connection,
        f"{_NUMBERS} INDEXED BY payment_noted "
        f"WHERE p.wallet_key = ? AND p.noted <> 0 AND p.noted & 1 ORDER BY {order.text}",
        (wallet_key, *order.values),
    )
    if not labelled:
        return keys
    some = Selection(connection)
    some.add_keys(labelled)
    others = some.but(keys)
    return labelled + others if sort.descending else others + labelled


def _by_scope(
    connection: sqlite3.Connection, keys: Sequence[int], *, descending: bool
) -> Sequence[int]:
    """Return those first, or last, that were last seen under the narrower of two scopes."""
    own = Selection(connection)
    own.add_keys(
        read_numbers(
            connection,
            "SELECT payment_key AS number FROM sight WHERE scope = ?",
            (SCOPE_CODES[Scope.OWN],),
        )
    )
    if not own:
        return keys
    both_parts = own.of(keys), own.but(keys)
    first, last = reversed(both_parts) if descending else both_parts
    return first + last
