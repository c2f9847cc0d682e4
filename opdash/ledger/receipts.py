"""What arrived on which day: exact sums that grow with the ledger instead of being read anew."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from datetime import datetime, timedelta
from typing import Final

from opdash.ledger.encoding import encode_instant

DAYS: Final = 7
"""How many days are summed, today included."""


class Receipts:
    """Receipts of one wallet address per day, today last.

    The ledger's entries are only ever appended, so each look reads what is new since the last.
    """

    def __init__(self, wallet_key: int, day_start: datetime) -> None:
        """Prepare the days; nothing is read.

        Args:
            wallet_key: The wallet address's number.
            day_start: When today began; the days before begin at the same time on the clock of
                its time zone.
        """
        self.begins = day_start
        """When today began."""
        self._wallet_key = wallet_key
        starts = [day_start - timedelta(days=days) for days in reversed(range(DAYS))]
        self._starts = [encode_instant(start) for start in starts]
        self._sums = [0] * DAYS
        self._today: set[int] = set()
        self._last_entry: int | None = None

    @property
    def days(self) -> tuple[int, ...]:
        """Minor units that arrived on each day, today last."""
        return tuple(self._sums)

    @property
    def today_count(self) -> int:
        """Payments that received something today."""
        return len(self._today)

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Read what is new in the ledger."""
        (last_entry,) = connection.execute("SELECT MAX(entry_key) FROM entry").fetchone()
        if self._last_entry is None:
            found = connection.execute(
                """SELECT payment_key, receipt_at, delta FROM entry
                   WHERE wallet_key = ? AND receipt_at >= ?""",
                (self._wallet_key, self._starts[0]),
            )
        else:
            found = connection.execute(
                """SELECT payment_key, receipt_at, delta FROM entry
                   WHERE entry_key > ? AND +wallet_key = ? AND +receipt_at >= ?""",
                (self._last_entry, self._wallet_key, self._starts[0]),
            )
        for payment_key, receipt_at, delta in found:
            day = bisect_right(self._starts, receipt_at) - 1
            self._sums[day] += int(delta)
            if day == DAYS - 1:
                self._today.add(payment_key)
        self._last_entry = last_entry or 0
