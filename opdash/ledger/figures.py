"""The figures of one wallet address, kept between two looks for as long as they hold."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from opdash.ledger.encoding import NEVER, OPEN_CODES, STATE_CODES, decode_amount
from opdash.ledger.ranking import Order
from opdash.ledger.receipts import AssetReceipts, ReceiptChart, Receipts
from opdash.ledger.records import AssetTotals, Sort
from opdash.ledger.rows import Assets
from opdash.ledger.states import State

if TYPE_CHECKING:
    from opdash.ledger.search.finding import Finder, Matches
    from opdash.ledger.search.terms import All

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
        self._matches: dict[tuple[All, Sort], Matches] = {}
        self._totals: dict[All, tuple[AssetTotals, ...]] = {}

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
            self._matches.clear()
            self._totals.clear()

    def order(self, connection: sqlite3.Connection, sort: Sort) -> Order:
        """Return the payments in an order."""
        if sort not in self._orders:
            self._orders[sort] = Order(connection, self.key, sort)
        return self._orders[sort]

    def first_matches(self, connection: sqlite3.Connection, tree: All, limit: int) -> list[int]:
        """Return the numbers of the newest payments that match, at most ``limit``."""
        return self._finder(connection, tree, few=True).first(limit)

    def has_matches(self, tree: All, sort: Sort) -> bool:
        """Return whether it is known which payments match."""
        return (tree, sort) in self._matches

    def matches(self, connection: sqlite3.Connection, tree: All, sort: Sort) -> Matches:
        """Return all payments that match, in an order."""
        found = self._matches.get((tree, sort))
        if found is None:
            found = self._finder(connection, tree).all(sort)
            _keep(self._matches, (tree, sort), found)
        return found

    def totals(self, connection: sqlite3.Connection, tree: All | None) -> tuple[AssetTotals, ...]:
        """Return what the payments that match add up to in each asset; None for all payments."""
        from opdash.ledger.search.terms import All

        tree = tree or All()
        found = self._totals.get(tree)
        if found is None:
            found = self._finder(connection, tree).totals(self._assets)
            _keep(self._totals, tree, found)
        return found

    def _finder(self, connection: sqlite3.Connection, tree: All, *, few: bool = False) -> Finder:
        # The first frame of the screen is painted without searching.
        from opdash.ledger.search.finding import Finder

        return Finder(connection, self.key, tree, few=few)

    def open_at(self, connection: sqlite3.Connection, now: int) -> OpenFigures:
        """Return what is open at ``now`` (encoded)."""
        kept = self._open
        if kept is None or not kept.since <= now < kept.until:
            kept = self._open = open_figures(connection, self.key, self.asset_key, now)
        return kept

    def receipts_since(self, connection: sqlite3.Connection, day_start: datetime) -> Receipts:
        """Return what arrived today and on the days before."""
        kept = self._receipts
        if kept is None or kept.begins != day_start or kept.begins.tzinfo is not day_start.tzinfo:
            kept = self._receipts = Receipts(self.key, day_start)
        kept.catch_up(connection)
        return kept

    def receipts_by(
        self, connection: sqlite3.Connection, starts: tuple[datetime, ...]
    ) -> tuple[AssetReceipts, ...]:
        """Return what arrived in each stretch of time, given by when each begins."""
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
