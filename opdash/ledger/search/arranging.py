"""The order of what is found, for every column; also for those that no index is kept for."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Any, Final, NamedTuple

from opdash.ledger.encoding import decode_amount, encode_amount
from opdash.ledger.note_rows import read_note
from opdash.ledger.ranking import INDEXED
from opdash.ledger.records import Sort, SortColumn
from opdash.ledger.search.folding import folded, values_at

_NEWEST_FIRST: Final = "p.created_at DESC, p.tie DESC"
_OLDEST_FIRST: Final = "p.created_at ASC, p.tie ASC"
_COMPLEMENTS: Final = str.maketrans("0123456789", "9876543210")
_MOST_LETTERS: Final = 64

_COMPUTED: Final = {
    SortColumn.DIFFERENCE: """opdash_difference_key(
        p.asked, p.received, p.asked_asset_key = p.received_asset_key)""",
    SortColumn.ASSET: """(SELECT a.code FROM asset a WHERE a.asset_key = p.received_asset_key)
        COLLATE NOCASE""",
    SortColumn.CHANGED: "p.changed_at",
    SortColumn.FIRST_SEEN: "p.first_seen_at",
    SortColumn.SCOPE: "(SELECT s.scope FROM sight s WHERE s.payment_key = p.payment_key)",
    SortColumn.ID: "p.segment",
    SortColumn.LABELS: "CASE WHEN p.noted & 1 THEN opdash_labels_key(p.payment_key) ELSE '' END",
    SortColumn.METADATA: "opdash_metadata_key(p.metadata, ?)",
}
"""What the columns without an index are sorted by."""


class Order(NamedTuple):
    """What follows ``ORDER BY``, and its parameters."""

    text: str
    values: tuple[Any, ...] = ()


def order_by(connection: sqlite3.Connection, sort: Sort) -> Order:
    """Return an order of ``payment p``; rows that are equal in it stand newest first."""
    if sort.column is SortColumn.CREATED:
        return Order(_NEWEST_FIRST if sort.descending else _OLDEST_FIRST)
    direction = "DESC" if sort.descending else "ASC"
    if sort.column in INDEXED:
        return Order(f"p.{INDEXED[sort.column]} {direction}, {_NEWEST_FIRST}")
    _add_functions(connection)
    values = (sort.path,) if sort.column is SortColumn.METADATA else ()
    return Order(f"{_COMPUTED[sort.column]} {direction}, {_NEWEST_FIRST}", values)


def _add_functions(connection: sqlite3.Connection) -> None:
    connection.create_function("opdash_difference_key", 3, _difference_key, deterministic=True)
    connection.create_function("opdash_metadata_key", 2, _metadata_key, deterministic=True)
    connection.create_function("opdash_labels_key", 1, partial(_labels_key, connection))


def _difference_key(asked: str, received: str, in_one_asset: int | None) -> str:
    """Return what sorts as received − asked does; without a difference, what sorts before all."""
    asked_for = decode_amount(asked)
    if not asked_for or not in_one_asset:
        return ""
    difference = (decode_amount(received) or 0) - asked_for
    if difference < 0:
        return "-" + encode_amount(-difference).translate(_COMPLEMENTS)
    return "0" + encode_amount(difference)


def _labels_key(connection: sqlite3.Connection, payment_key: int) -> str:
    """Return what the labels of a payment are sorted by; few payments have any."""
    wallet, url = connection.execute(
        """SELECT w.address, b.url || p.segment FROM payment p
           JOIN base b USING (base_key) JOIN wallet w USING (wallet_key)
           WHERE p.payment_key = ?""",
        (payment_key,),
    ).fetchone()
    return folded(" ".join(read_note(connection, wallet, url).names))[:_MOST_LETTERS]


def _metadata_key(metadata: str, path: str) -> str:
    """Return what the values at a path are sorted by; without any, what sorts before all."""
    return folded(" ".join(values_at(metadata, path) or ()))[:_MOST_LETTERS].strip()
