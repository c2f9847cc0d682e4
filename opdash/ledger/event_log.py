"""Reading the log of changes from any place in it, as often as one likes.

A place is told as a *cursor*: a text that names the log, the last event that was read, and what
that was. It is good for ever in this ledger; one of another ledger, of one that was rebuilt or put
back from an older copy, is refused, because what lies between could not be told.
"""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self, cast

import msgspec
from msgspec.structs import replace

from opdash.errors import InputError
from opdash.ledger.database import explained, open_for_reading
from opdash.ledger.encoding import STATES, decode_amount, decode_instant
from opdash.ledger.events import COMPLETED, FINAL, GONE, NEEDS_ACTION, NOT_COMPLETED, REACHED
from opdash.ledger.observing import difference
from opdash.ledger.records import Announcement, ChangeKind, PaymentRow
from opdash.ledger.rows import Assets, decode_all, select
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text

_CURSOR: Final = re.compile(r"([0-9a-f]{10})-(\d{1,18})-([0-9a-f]{8})")
_AT_ONCE: Final = 200


class LoggedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one payment.

    Attributes:
        number: Its number in the log.
        cursor: The place right after it, which is also its name.
        kind: Why.
        at: When it was observed, in the server's time.
        announce: What a person is told once per payment, ever, or None.
        payment: As it was then; its texts, what it asks for and its expiry as they are known now.
        previous_state: Its state before, or None where it was new.
        previous_received: Minor units received before, or None.
        previous_asset: What those count, or None.
    """

    number: int
    cursor: str
    kind: ChangeKind
    at: datetime
    announce: Announcement | None
    payment: PaymentRow
    previous_state: State | None
    previous_received: int | None
    previous_asset: Asset | None


class CursorError(InputError):
    """A cursor does not belong to this ledger's log, or is none."""


class EventLog:
    """Reads the log beside its writers; used by one thread at a time.

    Every method raises `LedgerError` where the ledger cannot be read.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._assets = Assets(connection)
        self._path = path
        with self._snapshot():
            self._identity: str
            (self._identity,) = connection.execute("SELECT identity FROM event_log").fetchone()

    @classmethod
    def open(cls, path: Path) -> EventLog:
        """Open the log of an existing ledger."""
        connection = open_for_reading(path)
        try:
            return cls(connection, path)
        except BaseException:
            connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._connection.close()

    def newest(self) -> int:
        """Return the number of the last event that was ever written; 0 where there is none."""
        with self._snapshot():
            return self._newest()

    def cursor(self, number: int) -> str:
        """Return the place after an event; 0 is the beginning."""
        with self._snapshot():
            found = self._connection.execute(
                "SELECT payment_key, at, kind FROM event WHERE event_key = ?", (number,)
            ).fetchone()
            return self._cursor(number, found)

    def number(self, cursor: str) -> int:
        """Return the number of the event that a cursor stands after.

        Raises:
            CursorError: It is none, or one of another log.
        """
        parts = _CURSOR.fullmatch(cursor)
        if parts is None:
            raise CursorError(
                f"“{safe_text(cursor, limit=60)}” is no cursor.",
                "Give one that “opdash watch --json” printed, or “now” or “start”.",
            )
        number = int(parts[2])
        with self._snapshot():
            found = self._connection.execute(
                "SELECT payment_key, at, kind FROM event WHERE event_key = ?", (number,)
            ).fetchone()
            newest = self._newest()
        # An event that was forgotten together with its wallet address cannot be compared.
        is_known = found is None or self._cursor(number, found) == cursor
        if parts[1] != self._identity or number > newest or not is_known:
            raise CursorError(
                "The cursor belongs to another ledger, or to one that was rebuilt since.",
                "Use “start” to be told all that this ledger has recorded, or “now” to go on from "
                "here; a reader that knows the events' cursors can leave out what it has.",
            )
        return number

    def after(self, number: int, limit: int = _AT_ONCE) -> tuple[LoggedEvent, ...]:
        """Return the events after one, in order, at most ``limit``."""
        with self._snapshot():
            rows = self._connection.execute(
                """SELECT event_key, payment_key, at, kind, announce, state, flags, received,
                          received_asset_key, former_state, former_received, former_asset_key
                   FROM event WHERE event_key > ? ORDER BY event_key LIMIT ?""",
                (number, limit),
            ).fetchall()
            payments = self._payments(tuple({row[1] for row in rows}))
            return tuple(self._event(row, payments[row[1]]) for row in rows if row[1] in payments)

    def _newest(self) -> int:
        found = self._connection.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'event'"
        ).fetchone()
        return 0 if found is None else int(found[0])

    def _cursor(self, number: int, what: tuple[object, ...] | None) -> str:
        check = 0 if what is None else zlib.crc32(repr(what).encode())
        return f"{self._identity}-{number}-{check:08x}"

    def _payments(self, keys: Sequence[int]) -> dict[int, PaymentRow]:
        found: dict[int, PaymentRow] = {}
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            condition = f"WHERE p.payment_key IN ({marks})"
            rows = self._connection.execute(select(condition), some).fetchall()
            decoded = decode_all(self._connection, rows, self._assets)
            found |= zip((columns[0] for columns in rows), decoded, strict=True)
        return found

    def _event(self, columns: tuple[Any, ...], now: PaymentRow) -> LoggedEvent:
        number, payment_key, at, kind, announce, state, flags, received, asset_key = columns[:9]
        former_state, former_received, former_asset_key = columns[9:]
        then = decode_instant(at)
        return LoggedEvent(
            number=number,
            cursor=self._cursor(number, (payment_key, at, kind)),
            kind=ChangeKind(kind),
            at=then,
            announce=cast("Announcement | None", announce or None),
            payment=_as_it_was(
                now,
                then,
                STATES[state],
                flags,
                decode_amount(received) or 0,
                self._assets[asset_key],
            ),
            previous_state=None if former_state is None else STATES[former_state],
            previous_received=None if former_received is None else decode_amount(former_received),
            previous_asset=None if former_asset_key is None else self._assets[former_asset_key],
        )

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        with explained(self._path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")


def _as_it_was(
    now: PaymentRow, then: datetime, state: State, flags: int, received: int, asset: Asset
) -> PaymentRow:
    """Return a payment with what an event kept of it; what came later is taken back."""
    return replace(
        now,
        state=state,
        received=received,
        received_asset=asset,
        difference=difference(now.asked, now.asked_asset, received, asset),
        completed=bool(flags & COMPLETED),
        final=bool(flags & FINAL),
        needs_action=bool(flags & NEEDS_ACTION),
        not_completed_by_server=bool(flags & NOT_COMPLETED),
        no_longer_at_server=bool(flags & GONE),
        last_seen_at=min(now.last_seen_at, then),
        changed_at=min(now.changed_at, then),
        gone_at=min(now.gone_at or then, then) if flags & GONE else None,
        reached_at=min(now.reached_at or then, then) if flags & REACHED else None,
        next_change_at=None,
    )
