"""The figures of one wallet address, kept between two looks for as long as they hold."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from opdash.ledger.encoding import NEVER, OPEN_CODES, STATE_CODES, decode_amount
from opdash.ledger.ranking import Order
from opdash.ledger.records import Sort
from opdash.ledger.rows import Assets
from opdash.ledger.states import State

if TYPE_CHECKING:
    from opdash.ledger.receipts import AssetReceipts, ReceiptChart, Receipts
    from opdash.ledger.search.answers import Answers

_K = TypeVar("_K")
_V = TypeVar("_V")
_KEPT: Final = 3


class OpenFigures(msgspec.Struct, frozen=True):
    """What is open at one instant.

    Attributes:
        count: Payments that still take money or wait to be completed.
        due: What is missing of them, in minor units of the wallet address's asset.
        since: The instant, encoded, from which on this holds if nothing is committed.
        until: The instant, encoded, before which it holds.
    """

    count: int
    due: int
    since: int
    until: int


class Figures:
    """What a reader keeps of one wallet address; every method runs inside a snapshot.

    Attributes:
        key: The wallet address's number.
        asset_key: The number of its asset; sums leave out all others.
        known: How many payments are known.
    """

    def __init__(self, key: int, asset_key: int, known: int, revision: int, assets: Assets) -> None:
        self.key = key
        self.asset_key = asset_key
        self.known = known
        self._revision = revision
        self._open: OpenFigures | None = None
        self._needing_action: int | None = None
        self._orders: dict[Sort, Order] = {}
        self._receipts: Receipts | None = None
        self._charts: dict[tuple[datetime, ...], ReceiptChart] = {}
        self._assets = assets
        self._answers: Answers | None = None

    @property
    def revision(self) -> int:
        """The revision of the ledger up to which they are true."""
        return self._revision

    def refresh(self, *, known: int, revision: int) -> None:
        """Drop what no longer holds, now that the wallet address is at this revision."""
        self.known = known
        if revision != self._revision:
            self._revision = revision
            self._open = None
            self._needing_action = None
            self._orders.clear()
            self.forget_answers()

    def order(self, connection: sqlite3.Connection, sort: Sort) -> Order:
        """Return the payments in an order."""
        if sort not in self._orders:
            self._orders[sort] = Order(connection, self.key, sort, self.known)
        return self._orders[sort]

    @property
    def answers(self) -> Answers:
        """What searches have found."""
        if self._answers is None:
            # The first frame of the screen is painted without searching.
            from opdash.ledger.search.answers import Answers

            self._answers = Answers(self.key, self._assets)
        return self._answers

    def forget_answers(self) -> None:
        """Let go of what searches have found."""
        if self._answers is not None:
            self._answers.forget()

    def open_at(self, connection: sqlite3.Connection, now: int) -> OpenFigures:
        """Return what is open at ``now`` (encoded)."""
        kept = self._open
        if kept is None or not kept.since <= now < kept.until:
            kept = self._open = open_figures(connection, self.key, self.asset_key, now)
        return kept

    def receipts_since(self, connection: sqlite3.Connection, day_start: datetime) -> Receipts:
        """Return what arrived today and on the days before."""
        from opdash.ledger.receipts import Receipts

        kept = self._receipts
        if kept is None or kept.begins != day_start or kept.begins.tzinfo is not day_start.tzinfo:
            kept = self._receipts = Receipts(self.key, day_start)
        kept.catch_up(connection)
        return kept

    def receipts_by(
        self, connection: sqlite3.Connection, starts: tuple[datetime, ...]
    ) -> tuple[AssetReceipts, ...]:
        """Return what arrived in each stretch of time, given by when each begins."""
        from opdash.ledger.receipts import ReceiptChart

        # One that was interrupted is read anew: it may have counted half of what was new.
        chart = self._charts.pop(starts, None) or ReceiptChart(self.key, self.asset_key, starts)
        chart.catch_up(connection)
        _keep(self._charts, starts, chart)
        return chart.assets(self._assets.__getitem__)

    def needing_action(self, connection: sqlite3.Connection) -> int:
        """Return how many payments a person should look at."""
        kept = self._needing_action
        if kept is None:
            (kept,) = connection.execute(
                "SELECT COUNT(*) FROM payment WHERE wallet_key = ? AND needs_action = 1",
                (self.key,),
            ).fetchone()
            self._needing_action = kept
        return kept


def _keep(kept: dict[_K, _V], key: _K, value: _V) -> None:
    kept[key] = value
    if len(kept) > _KEPT:
        del kept[next(iter(kept))]


def open_figures(
    connection: sqlite3.Connection, wallet_key: int, asset_key: int, now: int
) -> OpenFigures:
    """Return what is open at ``now`` (encoded), also where no state was moved on since an expiry.

    Amounts in other assets are counted, but not summed.
    """
    count, due, until = 0, 0, NEVER
    found = connection.execute(
        """SELECT state, asked, asked_asset_key, received, received_asset_key, expires_at
           FROM payment WHERE wallet_key = ? AND state BETWEEN ? AND ?""",
        (wallet_key, *OPEN_CODES),
    )
    for state, asked, asked_asset, received, received_asset, expires_at in found:
        if expires_at > now:
            until = min(until, expires_at)
        elif state != STATE_CODES[State.SETTLING]:
            continue
        count += 1
        if asked_asset == received_asset == asset_key:
            due += max(0, (decode_amount(asked) or 0) - (decode_amount(received) or 0))
    return OpenFigures(count, due, now, until)
