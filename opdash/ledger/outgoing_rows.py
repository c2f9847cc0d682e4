"""Between the columns of ``outgoing`` and what was seen of outgoing payments."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from opdash.ledger.encoding import (
    decode_amount,
    decode_instant,
    decode_optional_instant,
    encode_amount,
    encode_instant,
)
from opdash.ledger.outgoing import SeenOutgoing
from opdash.ledger.rows import Assets
from opdash.ledger.wallets import Wallet
from opdash.openpayments.addresses import AddressError, origin
from opdash.openpayments.amounts import Amount
from opdash.openpayments.resources import OutgoingPayment

_SELECT: Final = """
    SELECT o.url, o.sender, o.receiver, o.created_at, o.receive, o.receive_asset_key,
           o.debit, o.debit_asset_key, o.sent, o.sent_asset_key, o.failed, o.quote, o.metadata,
           w.address, o.first_seen_at, o.last_seen_at, o.sent_changed_at
    FROM outgoing o JOIN wallet w USING (wallet_key)
"""
_NEWEST_FIRST: Final = "ORDER BY o.created_at DESC, o.outgoing_key"
_WRITTEN: Final = (
    "sender",
    "receiver",
    "created_at",
    "receive",
    "receive_asset_key",
    "debit",
    "debit_asset_key",
    "sent",
    "sent_asset_key",
    "failed",
    "quote",
    "metadata",
    "first_seen_at",
    "last_seen_at",
    "sent_changed_at",
)
_SAVE: Final = (
    f"INSERT INTO outgoing (wallet_key, url, {', '.join(_WRITTEN)}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * (len(_WRITTEN) + 2))}) "
    "ON CONFLICT (wallet_key, url) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _WRITTEN)
)


def save_outgoing(
    connection: sqlite3.Connection,
    wallet: Wallet,
    payments: Iterable[OutgoingPayment],
    at: datetime,
    assets: Assets,
) -> tuple[SeenOutgoing, ...]:
    """Write what a wallet address's server answered; inside a transaction.

    What lies at another origin than its resource server is left out: that server knows nothing of
    it. An answer that is older than what is known changes nothing.

    Returns:
        What is not as it was; that something was only seen again is no change.
    """
    changed: list[SeenOutgoing] = []
    for payment in payments:
        if not _is_at(payment.id, wallet.expected.resource_origin):
            continue
        before = _one(
            connection, assets, "WHERE o.wallet_key = ? AND o.url = ?", (wallet.key, payment.id)
        )
        if before is not None and before.last_seen_at > at:
            continue
        after = _seen(before, payment, wallet.expected.address, at)
        connection.execute(_SAVE, (wallet.key, payment.id, *_encode(after, assets)))
        if before is None or before.payment != after.payment:
            changed.append(after)
    return tuple(changed)


def read_outgoing(
    connection: sqlite3.Connection, assets: Assets, url: str
) -> tuple[SeenOutgoing, ...]:
    """Return what was seen of an outgoing payment, by each wallet address that saw it."""
    return _all(connection, assets, f"WHERE o.url = ? {_NEWEST_FIRST}", (url,))


def read_outgoing_window(
    connection: sqlite3.Connection, assets: Assets, address: str, offset: int, limit: int
) -> tuple[SeenOutgoing, ...]:
    """Return a wallet address's outgoing payments, newest first."""
    where = f"WHERE w.address = ? {_NEWEST_FIRST} LIMIT ? OFFSET ?"
    return _all(connection, assets, where, (address, limit, offset))


def read_payers(
    connection: sqlite3.Connection, assets: Assets, receiver: str, limit: int
) -> tuple[SeenOutgoing, ...]:
    """Return the outgoing payments that pay an incoming payment, newest first."""
    where = f"WHERE o.receiver = ? {_NEWEST_FIRST} LIMIT ?"
    return _all(connection, assets, where, (receiver, limit))


def count_outgoing(connection: sqlite3.Connection, address: str) -> int:
    """Return how many outgoing payments of a wallet address are known."""
    found: tuple[int] = connection.execute(
        "SELECT COUNT(*) FROM outgoing JOIN wallet USING (wallet_key) WHERE address = ?", (address,)
    ).fetchone()
    return found[0]


def _is_at(url: str, expected_origin: str) -> bool:
    try:
        return origin(url) == expected_origin
    except AddressError:
        return False


def _seen(
    before: SeenOutgoing | None, payment: OutgoingPayment, address: str, at: datetime
) -> SeenOutgoing:
    if before is None:
        return SeenOutgoing(
            payment=_kept(payment), wallet=address, first_seen_at=at, last_seen_at=at
        )
    moved = before.payment.sent_amount != payment.sent_amount
    return SeenOutgoing(
        payment=_kept(payment),
        wallet=address,
        first_seen_at=before.first_seen_at,
        last_seen_at=at,
        sent_changed_at=at if moved else before.sent_changed_at,
    )


def _kept(payment: OutgoingPayment) -> OutgoingPayment:
    """Return what is kept of a payment: not what only the answer to its creation tells."""
    return msgspec.structs.replace(
        payment,
        created_at=decode_instant(encode_instant(payment.created_at)),
        updated_at=None,
        grant_spent_debit_amount=None,
        grant_spent_receive_amount=None,
        receive_amount=Amount.of(payment.receive_amount.minor_units, payment.receive_amount.asset),
        debit_amount=Amount.of(payment.debit_amount.minor_units, payment.debit_amount.asset),
        sent_amount=Amount.of(payment.sent_amount.minor_units, payment.sent_amount.asset),
        raw_metadata=msgspec.Raw(payment.metadata_json.encode()),
    )


def _one(
    connection: sqlite3.Connection, assets: Assets, where: str, values: tuple[Any, ...]
) -> SeenOutgoing | None:
    return next(iter(_all(connection, assets, where, values)), None)


def _all(
    connection: sqlite3.Connection, assets: Assets, where: str, values: tuple[Any, ...]
) -> tuple[SeenOutgoing, ...]:
    found = connection.execute(f"{_SELECT} {where}", values)
    return tuple(_decode(columns, assets) for columns in found)


def _encode(seen: SeenOutgoing, assets: Assets) -> tuple[Any, ...]:
    payment = seen.payment
    changed_at = seen.sent_changed_at
    return (
        payment.wallet_address,
        payment.receiver,
        encode_instant(payment.created_at),
        *_encode_amount(payment.receive_amount, assets),
        *_encode_amount(payment.debit_amount, assets),
        *_encode_amount(payment.sent_amount, assets),
        payment.failed,
        payment.quote_id,
        payment.metadata_json,
        encode_instant(seen.first_seen_at),
        encode_instant(seen.last_seen_at),
        None if changed_at is None else encode_instant(changed_at),
    )


def _encode_amount(amount: Amount, assets: Assets) -> tuple[str, int]:
    return encode_amount(amount.minor_units), assets.key(amount.asset)


def _decode(columns: tuple[Any, ...], assets: Assets) -> SeenOutgoing:
    def amount(at: int) -> Amount:
        return Amount.of(decode_amount(columns[at]) or 0, assets[columns[at + 1]])

    payment = OutgoingPayment(
        id=columns[0],
        wallet_address=columns[1],
        receiver=columns[2],
        created_at=decode_instant(columns[3]),
        receive_amount=amount(4),
        debit_amount=amount(6),
        sent_amount=amount(8),
        failed=bool(columns[10]),
        quote_id=columns[11],
        raw_metadata=msgspec.Raw(columns[12].encode()),
    )
    return SeenOutgoing(
        payment=payment,
        wallet=columns[13],
        first_seen_at=decode_instant(columns[14]),
        last_seen_at=decode_instant(columns[15]),
        sent_changed_at=decode_optional_instant(columns[16]),
    )
