"""Incoming payments: kept, paged and closed by the rules of the real resource server.

Nothing watches the clock: whether a payment has expired or vanished follows from its instants and
from what it received, so that skipped time needs no catching up here.
"""

# ruff: noqa: S608 - statements are put together from this module's own constants only

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from opdash.sandbox.clock import DAY

MAX_LIFE = 30 * DAY
"""How far ahead ``expiresAt`` may lie, and where it lies when none is given."""
EXPIRY_LAG = 200_000
"""Microseconds between the instant of expiry and the moment the server acts on it."""
MAX_STORED = 2**63 - 1
"""The largest amount that the server's database takes."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_COLUMNS = "id, wallet, client, asked, received, completed, metadata, created, expires"
_SEEN = f"(completed OR received > 0 OR expires > :now - {EXPIRY_LAG})"


@dataclass(frozen=True, slots=True)
class IncomingRow:
    """An incoming payment as it is kept.

    Attributes:
        id: The last segment of its URL, a UUID.
        wallet: The path of its wallet address.
        client: Who created it, as `WalletDirectory.key_of` writes it.
        asked: Minor units asked for, or None.
        received: Minor units received.
        completed: Whether it is closed for good.
        metadata: The metadata object's JSON, or None.
        created: When it was created, in microseconds.
        expires: When it stops taking money, in microseconds.
    """

    id: str
    wallet: str
    client: str
    asked: int | None
    received: int
    completed: bool
    metadata: str | None
    created: int
    expires: int

    def is_expired(self, now: int) -> bool:
        """Return whether the server has noticed that the payment's time is over."""
        return not self.completed and now >= self.expires + EXPIRY_LAG

    def is_gone(self, now: int) -> bool:
        """Return whether the server has forgotten the payment: expired with nothing received."""
        return self.is_expired(now) and self.received == 0

    def is_open(self, now: int) -> bool:
        """Return whether the payment takes money."""
        return not self.completed and now < self.expires + EXPIRY_LAG


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list is asked for.

    Attributes:
        size: How many rows, 1 to 100.
        cursor: The id of the row beside which the page begins, or None for the head.
        backwards: Whether the page lies before the cursor rather than after it.
    """

    size: int
    cursor: str | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page, newest first, and whether rows lie on either side of it."""

    rows: tuple[IncomingRow, ...]
    has_next: bool = False
    has_previous: bool = False


def is_uuid(text: str) -> bool:
    """Return whether the database would take a text as a UUID."""
    return _UUID.fullmatch(text) is not None


class IncomingPayments:
    """The incoming payments of all wallet addresses."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def get(self, payment_id: str, now: int) -> IncomingRow | None:
        """Return a payment that the server still knows."""
        row = self.find(payment_id)
        return None if row is None or row.is_gone(now) else row

    def find(self, payment_id: str) -> IncomingRow | None:
        """Return a payment, also one that has vanished."""
        found = self._database.execute(
            f"SELECT {_COLUMNS} FROM incoming_payments WHERE id = ?", (payment_id.lower(),)
        ).fetchone()
        return None if found is None else _row(found)

    def page(self, wallet: str, client: str | None, now: int, request: PageRequest) -> Page:
        """Return one page of a wallet address's payments, newest first in both directions.

        An unknown cursor gives an empty page; the cursor of a vanished payment keeps its place.

        Args:
            wallet: The wallet address's path.
            client: Only what this client created; None for everybody's.
            now: The current instant, in microseconds.
            request: Which page.
        """
        rows = self._select(wallet, client, now, request)
        if not rows:
            return Page(())
        before = PageRequest(1, rows[0].id, backwards=True)
        after = PageRequest(1, rows[-1].id)
        return Page(
            rows,
            has_next=bool(self._select(wallet, client, now, after)),
            has_previous=bool(self._select(wallet, client, now, before)),
        )

    def open_ones(self, wallet: str, now: int, limit: int) -> tuple[IncomingRow, ...]:
        """Return the newest payments of a wallet address that take money."""
        found = self._database.execute(
            f"SELECT {_COLUMNS} FROM incoming_payments WHERE wallet = ? AND NOT completed "
            "AND expires > ? ORDER BY created DESC, id DESC LIMIT ?",
            (wallet, now, limit),
        )
        return tuple(_row(row) for row in found)

    def add(self, row: IncomingRow) -> None:
        """Keep a new payment."""
        self.add_all((row,))

    def add_all(self, rows: tuple[IncomingRow, ...] | list[IncomingRow]) -> None:
        """Keep many new payments at once."""
        self._database.execute("BEGIN")
        self._database.executemany(
            f"INSERT INTO incoming_payments ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    row.id,
                    row.wallet,
                    row.client,
                    row.asked,
                    row.received,
                    row.completed,
                    row.metadata,
                    row.created,
                    row.expires,
                )
                for row in rows
            ),
        )
        self._database.execute("COMMIT")

    def complete(self, payment_id: str, now: int) -> IncomingRow | None:
        """Close a payment for good.

        Returns:
            The payment as it then is, or None when it is completed or expired already.
        """
        row = self.find(payment_id)
        if row is None or not row.is_open(now):
            return None
        self._database.execute("UPDATE incoming_payments SET completed = 1 WHERE id = ?", (row.id,))
        return self.find(payment_id)

    def credit(self, payment_id: str, amount: int, now: int) -> bool:
        """Add money to a payment; one that is covered completes.

        Returns:
            Whether it took the money: it must be open, and the sum must fit.
        """
        row = self.find(payment_id)
        if row is None or not row.is_open(now) or row.received + amount > MAX_STORED:
            return False
        received = row.received + amount
        covered = row.asked is not None and received >= row.asked
        self._database.execute(
            "UPDATE incoming_payments SET received = ?, completed = ? WHERE id = ?",
            (received, covered, row.id),
        )
        return True

    def summary(self, wallet: str, now: int) -> dict[str, int]:
        """Return how many payments a wallet address has, how many are open, and their sum."""
        found = self._database.execute(
            "SELECT count(*) AS payments, coalesce(sum(NOT completed AND expires > :now), 0) "
            "AS open FROM incoming_payments WHERE wallet = :wallet AND " + _SEEN,
            {"wallet": wallet, "now": now},
        ).fetchone()
        return {"payments": found["payments"], "open": found["open"]}

    def is_empty(self) -> bool:
        """Return whether there are no payments at all."""
        return self._database.execute("SELECT 1 FROM incoming_payments").fetchone() is None

    def _select(
        self, wallet: str, client: str | None, now: int, request: PageRequest
    ) -> tuple[IncomingRow, ...]:
        where = f"wallet = :wallet AND {_SEEN}"
        values: dict[str, object] = {"wallet": wallet, "now": now, "size": request.size}
        if client is not None:
            where += " AND client = :client"
            values["client"] = client
        if request.cursor is not None:
            place = self.find(request.cursor)
            if place is None:
                return ()
            where += f" AND (created, id) {'>' if request.backwards else '<'} (:created, :id)"
            values |= {"created": place.created, "id": place.id}
        order = "ASC" if request.backwards else "DESC"
        found = self._database.execute(
            f"SELECT {_COLUMNS} FROM incoming_payments WHERE {where} "
            f"ORDER BY created {order}, id {order} LIMIT :size",
            values,
        ).fetchall()
        if request.backwards:
            found.reverse()
        return tuple(_row(row) for row in found)


def _row(found: sqlite3.Row) -> IncomingRow:
    identifier, wallet, client, asked, received, completed, metadata, created, expires = found
    return IncomingRow(
        identifier,
        wallet,
        client,
        asked,
        received,
        bool(completed),
        metadata,
        created,
        expires,
    )
