"""What is set right when the server's time turns out to be earlier than was believed.

A server whose clock was days ahead for a while leaves traces: payments that expired by it and would
never be asked for again, looks and scans that lie in the future and are not due for days.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import Final

from opdash.ledger.encoding import NEVER, STATE_CODES, encode_instant
from opdash.ledger.records import UNRESOLVED
from opdash.ledger.states import FINAL_AFTER, State

_SMALL: Final = timedelta(minutes=1)
"""Clocks are corrected by less than this all the time."""

_INSTANTS: Final = (
    """UPDATE sight SET last_seen_at = :now WHERE last_seen_at > :now AND payment_key IN
           (SELECT payment_key FROM payment WHERE wallet_key = :wallet)""",
    "UPDATE scan SET ended_at = :now WHERE ended_at > :now AND wallet_key = :wallet",
    "UPDATE walk SET updated_at = :now WHERE updated_at > :now AND wallet_key = :wallet",
    "UPDATE wallet SET last_poll_at = :now WHERE wallet_key = :wallet",
)


def is_set_back(connection: sqlite3.Connection, wallet_key: int, now: datetime) -> bool:
    """Return whether the server's time is before what it has been by more than clocks differ."""
    (last_poll_at,) = connection.execute(
        "SELECT last_poll_at FROM wallet WHERE wallet_key = ?", (wallet_key,)
    ).fetchone()
    return last_poll_at is not None and last_poll_at > encode_instant(now + _SMALL)


def set_back(connection: sqlite3.Connection, wallet_key: int, now: datetime) -> bool:
    """Forget instants that have not come; return whether there was reason to.

    States that only time has moved are due to be derived anew.
    """
    if not is_set_back(connection, wallet_key, now):
        return False
    values = {"now": encode_instant(now), "wallet": wallet_key}
    for statement in _INSTANTS:
        connection.execute(statement, values)
    marks = ", ".join("?" * len(UNRESOLVED))
    connection.execute(
        f"""UPDATE creation SET created_at = MIN(created_at, ?), updated_at = MIN(updated_at, ?)
            WHERE wallet_key = ? AND status IN ({marks})""",  # noqa: S608 - only marks
        (values["now"], values["now"], wallet_key, *(status.value for status in UNRESOLVED)),
    )
    connection.execute(
        """UPDATE payment SET next_change_at = ?
           WHERE wallet_key = ? AND completed = 0 AND gone_at IS NULL
             AND (expires_at > ? AND expires_at < ? OR state = ?)""",
        (
            values["now"],
            wallet_key,
            encode_instant(now - FINAL_AFTER - _SMALL),
            NEVER,
            STATE_CODES[State.SETTLING],
        ),
    )
    return True
