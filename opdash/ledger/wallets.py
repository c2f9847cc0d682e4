"""The rows about a wallet address itself: what it is, how far it was read, when it was polled."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import Final

import msgspec

from opdash.errors import LedgerError
from opdash.ledger.anomalies import Expected
from opdash.ledger.encoding import (
    SCOPE_CODES,
    decode_amount,
    decode_instant,
    decode_optional_instant,
    encode_instant,
)
from opdash.ledger.records import Scope, WalkState
from opdash.ledger.rows import Assets
from opdash.ledger.search.index import forget_texts
from opdash.openpayments.resources import WalletAddress
from opdash.safetext import safe_text

_FORGET: Final = (
    "DELETE FROM sight WHERE payment_key IN (SELECT payment_key FROM payment WHERE wallet_key = ?)",
    "DELETE FROM entry WHERE wallet_key = ?",
    "DELETE FROM event WHERE wallet_key = ?",
    "DELETE FROM cursor WHERE wallet_key = ?",
    "DELETE FROM walk WHERE wallet_key = ?",
    "DELETE FROM scan WHERE wallet_key = ?",
    "DELETE FROM creation WHERE wallet_key = ?",
    "DELETE FROM billing WHERE wallet_key = ?",
    "DELETE FROM outgoing WHERE wallet_key = ?",
    "DELETE FROM decision WHERE wallet_key = ?",
    "DELETE FROM export_mark WHERE wallet_key = ?",
    "DELETE FROM payment WHERE wallet_key = ?",
    "DELETE FROM wallet WHERE wallet_key = ?",
)


class Wallet(msgspec.Struct):
    """A wallet address inside a transaction.

    Attributes:
        key: Its number.
        asset_key: The number of its asset.
        expected: What its payments must look like.
        watching_since: When its payments were first observed, or None.
        known: How many payments are known.
        received_total: What they received, in minor units of its asset.
        sequence: The number of its last observation.
    """

    key: int
    asset_key: int
    expected: Expected
    watching_since: datetime | None
    known: int
    received_total: int
    sequence: int


def find_wallet(connection: sqlite3.Connection, address: str) -> Wallet:
    """Return a wallet address that the ledger knows.

    Raises:
        LedgerError: It does not know it.
    """
    found = connection.execute(
        """SELECT wallet_key, asset_key, resource_server, watching_since, known, received_total,
                  sequence
           FROM wallet WHERE address = ?""",
        (address,),
    ).fetchone()
    if found is None:
        raise LedgerError(
            f"The ledger does not know the wallet address {safe_text(address, limit=200)}.",
            "Add it with `opdash wallet add`.",
        )
    key, asset_key, resource_server, watching_since, known, received_total, sequence = found
    return Wallet(
        key=key,
        asset_key=asset_key,
        expected=Expected.of(address, resource_server),
        watching_since=decode_optional_instant(watching_since),
        known=known,
        received_total=int(received_total),
        sequence=sequence,
    )


def save_figures(connection: sqlite3.Connection, wallet: Wallet, *, revised: bool) -> None:
    """Write what an observation changed of a wallet address."""
    since = None if wallet.watching_since is None else encode_instant(wallet.watching_since)
    connection.execute(
        """UPDATE wallet SET watching_since = ?, known = ?, received_total = ?, sequence = ?,
                  revision = revision + ?
           WHERE wallet_key = ?""",
        (since, wallet.known, str(wallet.received_total), wallet.sequence, revised, wallet.key),
    )


def save_wallet(
    connection: sqlite3.Connection, wallet: WalletAddress, at: datetime, assets: Assets
) -> None:
    """Write a wallet address's public description, read at that instant."""
    values = (
        wallet.public_name or "",
        assets.key(wallet.asset),
        wallet.auth_server,
        wallet.resource_server,
        wallet.id,
    )
    known = connection.execute(
        """SELECT public_name, asset_key, auth_server, resource_server, address
           FROM wallet WHERE address = ?""",
        (wallet.id,),
    ).fetchone()
    if known is None:
        connection.execute(
            """INSERT INTO wallet
                   (public_name, asset_key, auth_server, resource_server, address, described_at)
               VALUES (?, ?, ?, ?, ?, ?)""",
            (*values, encode_instant(at)),
        )
        return
    connection.execute(
        """UPDATE wallet SET public_name = ?, asset_key = ?, auth_server = ?, resource_server = ?,
                  described_at = ?, revision = revision + ?
           WHERE address = ?""",
        (*values[:-1], encode_instant(at), known != values, wallet.id),
    )
    if known[1] != values[1]:
        _total_anew(connection, wallet.id)


def change_client(connection: sqlite3.Connection, address: str, client: str) -> None:
    """Note which client asks; what another client's own list showed is beyond this one's view."""
    key, before = connection.execute(
        "SELECT wallet_key, client FROM wallet WHERE address = ?", (address,)
    ).fetchone()
    if before == client:
        return
    connection.execute("UPDATE wallet SET client = ? WHERE wallet_key = ?", (client, key))
    if not before:
        return
    own, everything = SCOPE_CODES[Scope.OWN], SCOPE_CODES[Scope.EVERYTHING]
    connection.execute(
        """UPDATE sight SET scope = ? WHERE scope = ? AND payment_key IN
               (SELECT payment_key FROM payment WHERE wallet_key = ?)""",
        (everything, own, key),
    )
    connection.execute("DELETE FROM walk WHERE wallet_key = ? AND scope = ?", (key, own))
    connection.execute("DELETE FROM scan WHERE wallet_key = ? AND scope = ?", (key, own))


def _total_anew(connection: sqlite3.Connection, address: str) -> None:
    wallet = find_wallet(connection, address)
    _, wallet.received_total = added_up(connection, wallet.key)
    save_figures(connection, wallet, revised=True)


def added_up(connection: sqlite3.Connection, wallet_key: int) -> tuple[int, int]:
    """Count a wallet address's payments, and add up what arrived of its own asset."""
    (counted,) = connection.execute(
        "SELECT COUNT(*) FROM payment WHERE wallet_key = ?", (wallet_key,)
    ).fetchone()
    received = connection.execute(
        """SELECT p.received FROM payment p JOIN wallet w USING (wallet_key)
           WHERE w.wallet_key = ? AND p.received_asset_key = w.asset_key""",
        (wallet_key,),
    )
    return counted, sum(decode_amount(amount) or 0 for (amount,) in received)


def forget_wallet(connection: sqlite3.Connection, address: str) -> None:
    """Delete all that is known of a wallet address; nothing if it is not known.

    What people wrote on its payments stays, and is found again with them.
    """
    found = connection.execute(
        "SELECT wallet_key FROM wallet WHERE address = ?", (address,)
    ).fetchone()
    if found is not None:
        forget_texts(connection, *found)
    for statement in _FORGET if found else ():
        connection.execute(statement, found)


def read_walk_state(connection: sqlite3.Connection, address: str, scope: Scope) -> WalkState | None:
    """Return how far a scope was read, or None where it was not read at all."""
    found = connection.execute(
        """SELECT cursor, server_has_more, updated_at, gaps FROM walk JOIN wallet USING (wallet_key)
           WHERE address = ? AND scope = ?""",
        (address, SCOPE_CODES[scope]),
    ).fetchone()
    if found is None:
        return None
    cursor, has_more, updated_at, gaps = found
    return WalkState(
        cursor=cursor,
        server_has_more=bool(has_more),
        updated_at=decode_instant(updated_at),
        gaps=tuple(json.loads(gaps)),
    )


def save_walk_state(
    connection: sqlite3.Connection, wallet: Wallet, scope: Scope, state: WalkState | None
) -> None:
    """Write how far a scope was read; None to begin again at the head."""
    key = (wallet.key, SCOPE_CODES[scope])
    if state is None:
        connection.execute("DELETE FROM walk WHERE wallet_key = ? AND scope = ?", key)
    else:
        connection.execute(
            "INSERT OR REPLACE INTO walk VALUES (?, ?, ?, ?, ?, ?)",
            (
                *key,
                state.cursor,
                state.server_has_more,
                encode_instant(state.updated_at),
                json.dumps(state.gaps),
            ),
        )
    save_figures(connection, wallet, revised=True)
