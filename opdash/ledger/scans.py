"""How far a reading of the server's whole list has come, kept so that a restart goes on there.

The first scan goes on from the frontier of what was read (the table ``walk``) to the end of the
list. Every later one begins at the head and keeps its own place; what such a whole reading did not
show, and nobody has seen since it began, is gone.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from itertools import pairwise
from typing import Final

import msgspec
from msgspec.structs import replace

from opdash.ledger.encoding import (
    SCOPE_CODES,
    decode_instant,
    decode_optional_instant,
    encode_instant,
)
from opdash.ledger.records import Change, Scope
from opdash.ledger.wallets import Wallet, read_walk_state, save_figures
from opdash.openpayments.resources import IncomingPaymentPage, utc


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A scope's reading of the whole list, under way or to come.

    Attributes:
        began_at: When it began (the server's time); None while none is under way.
        ticket: The wallet's number of the last observation before it began.
        whole: Whether it began at the head of the list, and not at the frontier.
        trusted: Whether all that it showed was of the wallet address that was asked for, and in the
            order of creation.
        cursor: Where it goes on; None at the head.
        walked: Whether the end of the list was reached.
        pages: Pages read by now.
        payments: Payments on them.
        ended_at: When the list was last read to its end; None if it never was.
        total: How many payments the list had then; 0 if that is not known.
        paused: Whether a person wants no reading in the background.
    """

    began_at: datetime | None = None
    ticket: int = 0
    whole: bool = False
    trusted: bool = True
    cursor: str | None = None
    walked: bool = False
    pages: int = 0
    payments: int = 0
    ended_at: datetime | None = None
    total: int = 0
    paused: bool = False

    @property
    def proves(self) -> bool:
        """Whether what it did not show is gone, once it has ended."""
        return self.whole and self.trusted

    def is_at(self, other: Scan) -> bool:
        """Return whether another record is of this scan, at this very place."""
        return (self.began_at, self.ticket, self.whole, self.cursor, self.walked) == (
            other.began_at,
            other.ticket,
            other.whole,
            other.cursor,
            other.walked,
        )


class Scanned(msgspec.Struct, frozen=True):
    """What became of a page of a scan.

    Attributes:
        scan: Where the scan stands now.
        moved: Whether that is because of this page; False where another process was faster.
        changes: The payments that are not as they were.
        ticket: To be taken for the requests that are sent from now on.
    """

    scan: Scan
    moved: bool
    changes: tuple[Change, ...]
    ticket: int


_COLUMNS: Final = (
    "began_at, ticket, whole, trusted, cursor, walked, pages, payments, ended_at, total, paused"
)


def read_scan(connection: sqlite3.Connection, address: str, scope: Scope) -> Scan:
    """Return how a scope's scan stands; one that was never begun is a record like any other."""
    found = connection.execute(
        f"""SELECT {_COLUMNS} FROM scan JOIN wallet USING (wallet_key)
            WHERE address = ? AND scope = ?""",  # noqa: S608 - only names of this file
        (address, SCOPE_CODES[scope]),
    ).fetchone()
    if found is None:
        return Scan()
    began_at, ticket, whole, trusted, cursor, walked, pages, payments, ended_at, total, paused = (
        found
    )
    if began_at is not None and not whole:
        walk = read_walk_state(connection, address, scope)
        cursor = None if walk is None else walk.cursor
        walked = walk is not None and not walk.server_has_more
    return Scan(
        began_at=None if began_at is None else decode_instant(began_at),
        ticket=ticket,
        whole=bool(whole),
        trusted=bool(trusted),
        cursor=cursor,
        walked=bool(walked),
        pages=pages,
        payments=payments,
        ended_at=decode_optional_instant(ended_at),
        total=total,
        paused=bool(paused),
    )


def save_scan(connection: sqlite3.Connection, wallet: Wallet, scope: Scope, scan: Scan) -> None:
    """Write how a scope's scan stands."""
    connection.execute(
        f"INSERT OR REPLACE INTO scan (wallet_key, scope, {_COLUMNS}) "  # noqa: S608 - only names
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            wallet.key,
            SCOPE_CODES[scope],
            None if scan.began_at is None else encode_instant(scan.began_at),
            scan.ticket,
            scan.whole,
            scan.trusted,
            scan.cursor if scan.whole else None,
            scan.walked and scan.whole,
            scan.pages,
            scan.payments,
            None if scan.ended_at is None else encode_instant(scan.ended_at),
            scan.total,
            scan.paused,
        ),
    )


def moved_on(
    scan: Scan, page: IncomingPaymentPage, address: str, before: datetime | None = None
) -> Scan:
    """Return where a scan stands once a page at its cursor is recorded.

    Args:
        scan: Where it stood.
        page: What it read there.
        address: The wallet address that was asked for.
        before: When the payment at its cursor was created, where that is known.
    """
    own = all(one.wallet_address.rstrip("/") == address.rstrip("/") for one in page.result)
    return replace(
        scan,
        trusted=scan.trusted and own and _stands_in_order(page, before),
        cursor=page.pagination.end_cursor or scan.cursor,
        walked=not page.pagination.has_next_page,
        pages=scan.pages + 1,
        payments=scan.payments + len(page.result),
    )


def _stands_in_order(page: IncomingPaymentPage, before: datetime | None) -> bool:
    """Return whether payments follow each other by their creation, whichever end comes first.

    A list in another order moves while it is read: what it did not show may only have moved.
    """
    created = [] if before is None else [before]
    created += [utc(payment.created_at) for payment in page.result]
    rises = any(later > earlier for earlier, later in pairwise(created))
    falls = any(later < earlier for earlier, later in pairwise(created))
    return not (rises and falls)


def created_at_cursor(
    connection: sqlite3.Connection, wallet: Wallet, scope: Scope, cursor: str | None
) -> datetime | None:
    """Return when the payment at a cursor was created, where it is known to stand at one."""
    found = connection.execute(
        """SELECT p.created_at FROM cursor c JOIN payment p USING (payment_key)
           WHERE c.wallet_key = ? AND c.scope = ? AND c.cursor = ?""",
        (wallet.key, SCOPE_CODES[scope], cursor),
    ).fetchone()
    return None if found is None else decode_instant(found[0])


def save_frontier(
    connection: sqlite3.Connection, wallet: Wallet, scope: Scope, scan: Scan, at: datetime
) -> None:
    """Write that the list is known without a gap as far as a scan has read it.

    Gaps above it stay: they were found after it had passed there.
    """
    key = (wallet.key, SCOPE_CODES[scope])
    connection.execute(
        """INSERT INTO walk (wallet_key, scope, cursor, server_has_more, updated_at, gaps)
           VALUES (?, ?, ?, ?, ?, '[]')
           ON CONFLICT (wallet_key, scope) DO UPDATE SET
               cursor = excluded.cursor, server_has_more = excluded.server_has_more,
               updated_at = excluded.updated_at""",
        (*key, scan.cursor, not scan.walked, encode_instant(at)),
    )
    save_figures(connection, wallet, revised=True)


def absent_payments(
    connection: sqlite3.Connection, wallet: Wallet, scope: Scope, ticket: int, after: int, most: int
) -> list[int]:
    """Return payments that nobody has seen since a scan began, by their numbers, in order.

    Args:
        connection: Inside a transaction.
        wallet: Whose payments.
        scope: The scan's; payments last seen under a wider one are left out.
        ticket: The scan's.
        after: Only numbers greater than this.
        most: So many at the most.
    """
    found = connection.execute(
        # The narrow table is read first: it leaves few of the wide one's rows to look at.
        """SELECT s.payment_key FROM sight s CROSS JOIN payment p USING (payment_key)
           WHERE s.payment_key > ? AND s.sequence <= ? AND s.scope <= ?
             AND p.wallet_key = ? AND p.gone_at IS NULL
           ORDER BY s.payment_key LIMIT ?""",
        (after, ticket, SCOPE_CODES[scope], wallet.key, most),
    )
    return [key for (key,) in found]
