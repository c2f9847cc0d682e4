"""Between the columns of ``payment`` and the record that people of the code use."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from opdash.ledger.encoding import (
    SCOPES,
    STATE_CODES,
    STATES,
    decode_amount,
    decode_instant,
    decode_optional_instant,
    encode_amount,
    encode_instant,
    text_sort_key,
)
from opdash.ledger.records import PaymentRow
from opdash.openpayments.amounts import Asset

_SELECTED: Final = """
    p.payment_key, w.address, b.url || p.segment, p.created_at, p.tie, p.placed,
    p.asked, p.asked_asset_key, p.received, p.received_asset_key, p.completed, p.expires_at,
    p.state, p.final, p.needs_action, p.not_completed, p.next_change_at,
    p.first_seen_at, p.changed_at, p.gone_at, p.reached_at, p.announced, p.anomalies,
    p.reference, p.description, p.metadata, s.last_seen_at, s.scope, s.sequence, p.noted
"""
_JOINED: Final = """
    payment p
    JOIN sight s ON s.payment_key = p.payment_key
    JOIN base b ON b.base_key = p.base_key
    JOIN wallet w ON w.wallet_key = p.wallet_key
"""
_DERIVED: Final = (
    "created_at",
    "asked",
    "asked_asset_key",
    "received",
    "received_asset_key",
    "completed",
    "expires_at",
    "state",
    "final",
    "needs_action",
    "not_completed",
    "next_change_at",
    "first_seen_at",
    "changed_at",
    "gone_at",
    "reached_at",
    "anomalies",
    "reference_key",
    "description_key",
    "reference",
    "description",
    "metadata",
)
_WRITTEN: Final = (*_DERIVED, "tie", "placed", "announced")

INSERT: Final = (
    f"INSERT INTO payment ({', '.join(_WRITTEN)}, noted, payment_key, wallet_key, base_key, segment) "  # noqa: S608, E501 - only names of this file
    f"VALUES ({', '.join('?' * (len(_WRITTEN) + 5))})"
)
"""Writes a new payment: what `encode` gives, what notes it has, and the four that never change."""

UPDATE: Final = f"UPDATE payment SET {' = ?, '.join(_WRITTEN)} = ? WHERE payment_key = ?"  # noqa: S608 - only names of this file
"""Writes a known payment anew: what `encode` gives, then its key."""

UPDATE_STATE: Final = (
    "UPDATE payment SET state = ?, final = ?, needs_action = ?, not_completed = ?, "
    "next_change_at = ?, announced = ? WHERE payment_key = ?"
)
"""Writes a payment that only time has moved: what `encode_state` gives, then its key."""


def select(condition: str) -> str:
    """Return the query for rows that `decode` takes; ``p`` is the payment, ``s`` its sight."""
    return f"SELECT {_SELECTED} FROM {_JOINED} {condition}"  # noqa: S608 - conditions are constants


class Assets:
    """The assets that the ledger has met, by number and by value."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._by_key: dict[int, Asset] = {}
        self._keys: dict[Asset, int] = {}

    def __getitem__(self, asset_key: int) -> Asset:
        """Return the asset of that number."""
        if asset_key not in self._by_key:
            self._load()
        return self._by_key[asset_key]

    def key(self, asset: Asset) -> int:
        """Return the asset's number, a new one if need be; inside a transaction."""
        if asset not in self._keys:
            self._connection.execute(
                "INSERT OR IGNORE INTO asset (code, scale) VALUES (?, ?)", (asset.code, asset.scale)
            )
            self._load()
        return self._keys[asset]

    def forget(self) -> None:
        """Drop what was kept in memory, after a transaction was undone."""
        self._by_key.clear()
        self._keys.clear()

    def _load(self) -> None:
        for key, code, scale in self._connection.execute(
            "SELECT asset_key, code, scale FROM asset"
        ):
            self._by_key[key] = Asset(code, scale)
            self._keys[self._by_key[key]] = key


def decode_all(
    connection: sqlite3.Connection, found: Sequence[tuple[Any, ...]], assets: Assets
) -> list[PaymentRow]:
    """Make records of rows that `select` reads, with what people wrote on the payments."""
    rows = [decode(columns, assets) for columns in found]
    if any(columns[-1] for columns in found):
        from opdash.ledger.note_rows import with_notes

        return with_notes(connection, rows)
    return rows


def decode(columns: tuple[Any, ...], assets: Assets) -> PaymentRow:
    """Make a record of the columns that `select` reads, without what people wrote on it."""
    asked = decode_amount(columns[6])
    received = decode_amount(columns[8]) or 0
    asked_asset = None if columns[7] is None else assets[columns[7]]
    received_asset = assets[columns[9]]
    return PaymentRow(
        id=columns[2],
        wallet=columns[1],
        state=STATES[columns[12]],
        final=bool(columns[13]),
        needs_action=bool(columns[14]),
        not_completed_by_server=bool(columns[15]),
        no_longer_at_server=columns[19] is not None,
        next_change_at=decode_optional_instant(columns[16]),
        asked=asked,
        asked_asset=asked_asset,
        received=received,
        received_asset=received_asset,
        difference=received - asked if asked and asked_asset == received_asset else None,
        completed=bool(columns[10]),
        created_at=decode_instant(columns[3]),
        expires_at=decode_optional_instant(columns[11]),
        reference=columns[23],
        description=columns[24],
        metadata_json=columns[25],
        first_seen_at=decode_instant(columns[17]),
        last_seen_at=decode_instant(columns[26]),
        changed_at=decode_instant(columns[18]),
        gone_at=decode_optional_instant(columns[19]),
        reached_at=decode_optional_instant(columns[20]),
        scope=SCOPES[columns[27]],
        anomalies=tuple(columns[22].split()),
    )


def encode(
    row: PaymentRow, assets: Assets, *, tie: int | None, placed: bool, announced: int
) -> tuple[Any, ...]:
    """Return what `INSERT` and `UPDATE` write of a payment; inside a transaction."""
    return (
        encode_instant(row.created_at),
        encode_amount(row.asked),
        None if row.asked_asset is None else assets.key(row.asked_asset),
        encode_amount(row.received),
        assets.key(row.received_asset),
        row.completed,
        encode_instant(row.expires_at),
        *_state_columns(row),
        encode_instant(row.first_seen_at),
        encode_instant(row.changed_at),
        None if row.gone_at is None else encode_instant(row.gone_at),
        None if row.reached_at is None else encode_instant(row.reached_at),
        " ".join(row.anomalies),
        text_sort_key(row.reference),
        text_sort_key(row.description),
        row.reference,
        row.description,
        row.metadata_json,
        tie,
        placed,
        announced,
    )


def encode_state(row: PaymentRow, *, announced: int) -> tuple[int, ...]:
    """Return what `UPDATE_STATE` writes of a payment."""
    return (*_state_columns(row), announced)


def _state_columns(row: PaymentRow) -> tuple[int, ...]:
    return (
        STATE_CODES[row.state],
        row.final,
        row.needs_action,
        row.not_completed_by_server,
        encode_instant(row.next_change_at),
    )
