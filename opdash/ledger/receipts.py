"""What arrived when: exact sums that grow with the ledger instead of being read anew."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from opdash.ledger.encoding import encode_instant
from opdash.openpayments.amounts import Asset

DAYS: Final = 7
"""How many days are summed above the table, today included."""

_AT_ONCE: Final = 1_000
_BEFORE: Final = """(SELECT MAX(f.receipt_at) FROM entry f
                     WHERE f.payment_key = e.payment_key AND f.entry_key < e.entry_key)"""


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
        last_entry = _last_entry(connection)
        found = _own(
            connection, "e.payment_key", self._wallet_key, self._starts[0], self._last_entry
        )
        for receipt_at, delta, payment_key in found:
            day = bisect_right(self._starts, receipt_at) - 1
            self._sums[day] += int(delta)
            if day == DAYS - 1:
                self._today.add(payment_key)
        self._last_entry = last_entry


class AssetReceipts(msgspec.Struct, frozen=True):
    """What arrived in one asset, stretch of time by stretch of time.

    Attributes:
        asset: The asset.
        sums: Minor units that arrived in each stretch.
        counts: How many payments received something in each stretch.
        payments: How many payments received something in all of them together.
    """

    asset: Asset
    sums: tuple[int, ...]
    counts: tuple[int, ...]
    payments: int

    @property
    def total(self) -> int:
        """Minor units that arrived in all stretches together."""
        return sum(self.sums)


class _Bins:
    """Sums and counts of one asset."""

    def __init__(self, starts: Sequence[int]) -> None:
        self.sums = [0] * len(starts)
        self.counts = [0] * len(starts)
        self.payments = 0
        self._starts = starts

    def take(self, receipt_at: int, minor_units: int, before: int | None) -> None:
        """Add a receipt of a payment that last received something at ``before``."""
        number = bisect_right(self._starts, receipt_at) - 1
        self.sums[number] += minor_units
        if before is None or before < self._starts[0]:
            self.payments += 1
            self.counts[number] += 1
        elif bisect_right(self._starts, before) - 1 != number:
            self.counts[number] += 1


class ReceiptChart:
    """Receipts of one wallet address per hour or day, in each asset.

    Like `Receipts` it grows with the ledger. What arrived in another asset than the wallet
    address's own is no sound payment and rare: its instants are those of the observations.
    """

    def __init__(self, wallet_key: int, asset_key: int, starts: Sequence[datetime]) -> None:
        """Prepare the stretches; nothing is read.

        Args:
            wallet_key: The wallet address's number.
            asset_key: The number of its asset.
            starts: When each stretch begins, ascending; the last has no end.
        """
        self._wallet_key = wallet_key
        self._asset_key = asset_key
        self._starts = [encode_instant(start) for start in starts]
        self._bins = {asset_key: _Bins(self._starts)}
        self._last_foreign: dict[int, int] = {}
        self._last_entry: int | None = None

    def assets(self, asset: Callable[[int], Asset]) -> tuple[AssetReceipts, ...]:
        """Return what was read, the wallet address's own asset first."""
        own, *others = self._bins.items()
        others.sort(key=lambda item: -item[1].payments)
        return tuple(
            AssetReceipts(asset(key), tuple(bins.sums), tuple(bins.counts), bins.payments)
            for key, bins in (own, *others)
        )

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Read what is new in the ledger."""
        last_entry = _last_entry(connection)
        own = self._bins[self._asset_key]
        first = self._starts[0]
        for receipt_at, delta, before in _own(
            connection, _BEFORE, self._wallet_key, first, self._last_entry
        ):
            own.take(receipt_at, int(delta), before)
        for payment_key, at, delta, asset_key in self._foreign(connection):
            before, self._last_foreign[payment_key] = self._last_foreign.get(payment_key), at
            if at >= first:
                bins = self._bins.setdefault(asset_key, _Bins(self._starts))
                bins.take(at, int(delta), before)
        self._last_entry = last_entry

    def _foreign(self, connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
        found = connection.execute(
            """SELECT e.payment_key,
                      CASE e.kind WHEN 'received' THEN e.at ELSE MIN(p.created_at, e.at) END,
                      e.delta, p.received_asset_key
               FROM entry e CROSS JOIN payment p ON p.payment_key = e.payment_key
               WHERE e.entry_key > ? AND +e.wallet_key = ? AND e.receipt_at IS NULL
                 AND e.kind IN ('received', 'first-seen', 'created')
                 AND e.delta NOT LIKE '-%' AND p.received_asset_key <> ?""",
            (self._last_entry or 0, self._wallet_key, self._asset_key),
        )
        return _all(found)


def hour_starts(now: datetime, hours: int) -> tuple[datetime, ...]:
    """Return when the last hours began on this machine's clock, in UTC, the present one last."""
    hour = now.astimezone().replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    return tuple(hour - timedelta(hours=back) for back in reversed(range(hours)))


def day_starts(now: datetime, days: int) -> tuple[datetime, ...]:
    """Return when the last days began where this machine is, in UTC, today last."""
    today = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    # Without its zone, midnight stays midnight where the clock was put forward or back.
    return tuple((today - timedelta(days=back)).astimezone(UTC) for back in reversed(range(days)))


def _last_entry(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("SELECT MAX(entry_key) FROM entry").fetchone()
    return last or 0


def _own(
    connection: sqlite3.Connection,
    third: str,
    wallet_key: int,
    first: int,
    last_entry: int | None,
) -> Iterator[tuple[Any, ...]]:
    """Read receipts in the wallet address's own asset: when, how much, and a third column.

    Args:
        connection: The ledger.
        third: The third column.
        wallet_key: The wallet address's number.
        first: The earliest instant that counts.
        last_entry: The last entry that was read before, or None.
    """
    columns = f"e.receipt_at, e.delta, {third}"
    if last_entry is None:
        return _all(
            connection.execute(
                f"SELECT {columns} FROM entry e WHERE e.wallet_key = ? AND e.receipt_at >= ?",  # noqa: S608 - columns of this file
                (wallet_key, first),
            )
        )
    return _all(
        connection.execute(
            f"""SELECT {columns} FROM entry e
                WHERE e.entry_key > ? AND +e.wallet_key = ? AND +e.receipt_at >= ?""",  # noqa: S608 - columns of this file
            (last_entry, wallet_key, first),
        )
    )


def _all(found: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    while some := found.fetchmany(_AT_ONCE):
        yield from some
