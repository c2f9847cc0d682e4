"""Taking over what can still be read of a damaged ledger into a new one.

Rows are read from the pages (`opdash.ledger.pages`) and told apart by their shape: the kinds of
their columns as the tables of today declare them. A row that leads nowhere in the end (a step of a
payment that could not be read) is left out. What the server can tell again is left to it: how far
its list was read, its cursors, and the index for searches.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from opdash.ledger.encoding import SCOPES, STATE_CODES, encode_amount
from opdash.ledger.export_marks import clamp_marks
from opdash.ledger.pages import Cell, Kind, Pages, Value
from opdash.ledger.records import UNRESOLVED, TimelineKind
from opdash.ledger.schema import add_own_tables
from opdash.ledger.shapes import Shape, is_base, shapes_of
from opdash.ledger.states import State
from opdash.ledger.wallets import added_up

VERSION: Final = 4
"""The version of a ledger that rows are taken over into; later steps bring it up to date."""

TAKEN_OVER: Final = (
    "asset",
    "base",
    "wallet",
    "payment",
    "sight",
    "entry",
    "creation",
    "decision",
    "note",
    "export_mark",
    "billing",
)
"""The tables that hold what only the ledger knows; all others follow from these or the server."""

_AT_ONCE: Final = 500
_SETTLED: Final = tuple(
    STATE_CODES[state]
    for state in (
        State.CLOSED_SHORT,
        State.EXPIRED_PARTIAL,
        State.OVERPAID,
        State.ANOMALY,
        State.UNAVAILABLE,
        State.SETTLING,
    )
)
"""States that need a person's action, unless a resolution or time says otherwise."""
_LOST_STEPS: Final = "Steps before this could not be read from the damaged ledger."


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was taken over, and what was not.

    Attributes:
        wallets: Wallet addresses.
        payments: Payments.
        payments_lost: Payments that were known and could not be read, as far as can be told.
        without_metadata: Those of them whose metadata could not be read; the server tells them.
        steps: Steps of their time lines.
        steps_lost: At most so many steps more there were.
        broken_lines: Payments whose time line does not add up to what they received.
        creations: What opdash set out to create.
        unresolved: Those of them whose end is not known.
        creations_lost: At most so many more there were.
        decisions: What people decided about invoices.
        decisions_lost: At most so many more there were.
        notes: Steps of what people wrote on payments.
        notes_lost: At most so many more there were.
    """

    wallets: int = 0
    payments: int = 0
    payments_lost: int = 0
    without_metadata: int = 0
    steps: int = 0
    steps_lost: int = 0
    broken_lines: int = 0
    creations: int = 0
    unresolved: int = 0
    creations_lost: int = 0
    decisions: int = 0
    decisions_lost: int = 0
    notes: int = 0
    notes_lost: int = 0

    @property
    def anything(self) -> bool:
        """Whether there was anything to take over."""
        return bool(self.wallets)


def salvage(pages: Pages, connection: sqlite3.Connection) -> Salvage:
    """Fill a new ledger with what the pages of a damaged one still tell.

    Args:
        pages: The damaged ledger's.
        connection: The new ledger's, empty, of `VERSION`, and in autocommit mode.

    Raises:
        sqlite3.Error: The new ledger could not be written; it is as it was.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = _Taking(connection).take(pages)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return found


class _Taking:
    """Takes rows over; lives as long as one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        add_own_tables(connection)
        self._shapes = shapes_of(TAKEN_OVER, VERSION)
        self._inserts: dict[tuple[str, int], str] = {}
        self._waiting: list[tuple[Shape, tuple[Value, ...]]] = []
        self._highest: Counter[str] = Counter()
        self._cut: set[int] = set()
        self._assets: list[tuple[Value, ...]] = []
        self._texts: list[tuple[Value, ...]] = []

    def take(self, pages: Pages) -> Salvage:
        """Read all pages and make a sound ledger of what they hold."""
        for cell in pages.cells():
            if cell.rowid is None:
                self._keep_index(cell)
            else:
                self._take_row(cell, cell.rowid)
        self._write()
        self._fill_from_indexes()
        self._fill_from_drafts()
        self._keep_wallets()
        read = self._counts()
        known = max(self._known_of_wallets(), read["payment"])
        self._drop_strays()
        self._complete_payments()
        clamp_marks(self._connection)
        broken = self._mend_lines()
        kept = self._counts()
        notes_lost = max(self._highest["note"], read["note"]) - kept["note"]
        if notes_lost:
            self._derive_settled_anew()
        steps = kept["entry"] - broken
        return Salvage(
            wallets=kept["wallet"],
            payments=kept["payment"],
            payments_lost=known - kept["payment"],
            without_metadata=self._count_known(self._cut),
            steps=steps,
            steps_lost=max(self._highest["entry"], read["entry"]) - steps,
            broken_lines=broken,
            creations=kept["creation"],
            unresolved=self._unresolved(),
            creations_lost=max(self._highest["creation"], read["creation"]) - kept["creation"],
            decisions=kept["decision"],
            decisions_lost=max(self._highest["decision"], read["decision"]) - kept["decision"],
            notes=kept["note"],
            notes_lost=notes_lost,
        )

    # Rows

    def _take_row(self, cell: Cell, rowid: int) -> None:
        fitting = [shape for shape in self._shapes if shape.fits(cell)]
        if len(fitting) != 1:
            return
        (shape,) = fitting
        try:
            values = shape.values(cell)
        except ValueError:
            return
        self._highest[shape.table] = max(self._highest[shape.table], rowid)
        if shape.is_cut(cell, values):
            self._cut.add(rowid)
        self._waiting.append((shape, values))
        if len(self._waiting) >= _AT_ONCE:
            self._write()

    def _write(self) -> None:
        for shape, values in self._waiting:
            written = (shape.table, len(values))
            if written not in self._inserts:
                self._inserts[written] = shape.insert(len(values))
            with suppress(sqlite3.IntegrityError):  # a damaged number that is another row's
                self._connection.execute(self._inserts[written], values)
        self._waiting.clear()

    def _keep_index(self, cell: Cell) -> None:
        rows = {_ASSET_INDEX: self._assets, _TEXT_INDEX: self._texts}.get(cell.kinds)
        values = cell.values()
        if rows is not None and len(values) == len(cell.kinds):
            rows.append(values)

    # What the tables themselves no longer tell

    def _fill_from_indexes(self) -> None:
        wanted = self._wanted("asset", "asset_key")
        self._connection.executemany(
            "INSERT OR IGNORE INTO asset (code, scale, asset_key) VALUES (?, ?, ?)",
            [row for row in self._assets if row[2] in wanted],
        )
        texts = [(str(text), key) for text, key in self._texts]
        wanted = self._wanted("base", "base_key")
        self._connection.executemany(
            "INSERT OR IGNORE INTO base (url, base_key) VALUES (?, ?)",
            [(text, key) for text, key in texts if key in wanted and is_base(text)],
        )
        wanted = self._wanted("wallet", "wallet_key")
        for address, key in texts:
            if key in wanted and _is_address(address):
                self._add_wallet(address, key)

    def _fill_from_drafts(self) -> None:
        wanted = self._wanted("wallet", "wallet_key")
        for key, draft in self._connection.execute("SELECT wallet_key, draft_json FROM creation"):
            if key in wanted:
                address = json.loads(draft).get("walletAddress")
                if isinstance(address, str) and _is_address(address):
                    self._add_wallet(address, key)

    def _wanted(self, table: str, column: str) -> set[Value]:
        """Return the numbers that other tables name and a table does not have."""
        naming = [
            (shape.table, name)
            for shape in self._shapes
            for name in shape.columns
            if name.endswith(column) and shape.table != table
        ]
        wanted: set[Value] = set()
        for other, name in naming:
            found = self._connection.execute(
                f"""SELECT DISTINCT {name} FROM {other}
                    WHERE {name} NOT IN (SELECT {column} FROM {table})"""  # noqa: S608 - our tables
            )
            wanted |= {key for (key,) in found}
        return wanted

    def _add_wallet(self, address: str, key: Value) -> None:
        """Add a wallet address of which only the name is left; its server describes it anew."""
        found = self._connection.execute(
            """SELECT received_asset_key FROM payment WHERE wallet_key = ?
               GROUP BY received_asset_key ORDER BY COUNT(*) DESC LIMIT 1""",
            (key,),
        ).fetchone()
        asset = self._no_asset() if found is None else found[0]
        self._connection.execute(
            """INSERT OR IGNORE INTO wallet (wallet_key, address, public_name, asset_key,
                   auth_server, resource_server, described_at, watching_since)
               VALUES (?, ?, '', ?, '', '', 0,
                   (SELECT MIN(first_seen_at) FROM payment WHERE wallet_key = ?))""",
            (key, address, asset, key),
        )

    def _keep_wallets(self) -> None:
        """Keep wallet addresses whose asset is lost."""
        lost = "asset_key NOT IN (SELECT asset_key FROM asset)"
        if self._connection.execute(f"SELECT 1 FROM wallet WHERE {lost}").fetchone():  # noqa: S608
            asset = self._no_asset()
            self._connection.execute(
                f"UPDATE wallet SET asset_key = ? WHERE {lost}",  # noqa: S608 - constants
                (asset,),
            )

    def _no_asset(self) -> int:
        """Return the asset of a wallet address until its server has told it again."""
        self._connection.execute("INSERT OR IGNORE INTO asset (code, scale) VALUES ('XXX', 0)")
        key: int
        (key,) = self._connection.execute(
            "SELECT asset_key FROM asset WHERE code = 'XXX' AND scale = 0"
        ).fetchone()
        return key

    # What the rows mean together

    def _drop_strays(self) -> None:
        while strays := self._connection.execute("PRAGMA foreign_key_check").fetchall():
            for table, rowid, *_ in strays:
                self._connection.execute(
                    f"DELETE FROM {table} WHERE rowid = ?",  # noqa: S608 - our own tables
                    (rowid,),
                )

    def _complete_payments(self) -> None:
        """Give payments what was kept elsewhere and could not be read, and count them."""
        self._connection.execute(
            """INSERT INTO sight SELECT payment_key, changed_at, ?, 0 FROM payment
               WHERE payment_key NOT IN (SELECT payment_key FROM sight)""",
            # Under which scope is not known: only the widest view is evidence about these.
            (max(SCOPES),),
        )
        self._connection.execute(
            "INSERT OR IGNORE INTO unindexed SELECT payment_key FROM payment WHERE metadata <> ''"
        )
        for (key,) in self._connection.execute("SELECT wallet_key FROM wallet").fetchall():
            known, received = added_up(self._connection, key)
            self._connection.execute(
                """UPDATE wallet SET known = ?, received_total = ?, last_poll_at = NULL,
                       sequence = (SELECT MAX(wallet.sequence, COALESCE(MAX(s.sequence), 0))
                           FROM sight s JOIN payment p USING (payment_key) WHERE p.wallet_key = ?)
                   WHERE wallet_key = ?""",
                (known, str(received), key, key),
            )

    def _derive_settled_anew(self) -> None:
        """Let states be derived anew that a lost resolution may have settled."""
        marks = ", ".join("?" * len(_SETTLED))
        self._connection.execute(
            f"""UPDATE payment SET next_change_at = 0
                WHERE needs_action = 0 AND (anomalies <> '' OR state IN ({marks}))""",  # noqa: S608 - only marks
            _SETTLED,
        )

    def _mend_lines(self) -> int:
        """Let every time line add up to what its payment received; return how many did not.

        The line that is added stands for the steps that could not be read.
        """
        lines: list[tuple[Value, ...]] = []
        found = self._connection.execute(
            """SELECT payment_key, wallet_key, received, first_seen_at, changed_at FROM payment
               ORDER BY payment_key"""
        )
        while rows := found.fetchmany(_AT_ONCE):
            sums = self._sums([key for key, *_ in rows])
            for key, wallet_key, received, first_seen_at, changed_at in rows:
                amount, added = int(received[2:]), sums.get(key)
                if added is None:
                    kind, at, text = TimelineKind.FIRST_SEEN, first_seen_at, ""
                elif added != amount:
                    kind, at, text = TimelineKind.NOTE, changed_at, _LOST_STEPS
                else:
                    continue
                delta = str(amount - (added or 0)) if amount != (added or 0) else None
                encoded = encode_amount(amount)
                lines.append((wallet_key, key, at, kind.value, encoded, delta, text))
        self._connection.executemany(
            """INSERT INTO entry (wallet_key, payment_key, at, kind, received, delta, text)
               VALUES (?, ?, ?, ?, ?, ?, ?)""",
            lines,
        )
        return len(lines)

    def _sums(self, keys: Sequence[int]) -> dict[int, int]:
        """Return what the time lines of payments add up to; those without one are left out."""
        marks = ", ".join("?" * len(keys))
        sums: Counter[int] = Counter()
        for key, delta in self._connection.execute(
            f"SELECT payment_key, delta FROM entry WHERE payment_key IN ({marks})",  # noqa: S608
            keys,
        ):
            sums[key] += int(delta or 0)
        return sums

    # Counting

    def _counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for shape in self._shapes:
            (counts[shape.table],) = self._connection.execute(
                f"SELECT COUNT(*) FROM {shape.table}"  # noqa: S608 - our own tables
            ).fetchone()
        return counts

    def _known_of_wallets(self) -> int:
        (known,) = self._connection.execute("SELECT COALESCE(SUM(known), 0) FROM wallet").fetchone()
        return int(known)

    def _count_known(self, keys: Iterable[int]) -> int:
        found = (
            self._connection.execute("SELECT 1 FROM payment WHERE payment_key = ?", (key,))
            for key in keys
        )
        return sum(one.fetchone() is not None for one in found)

    def _unresolved(self) -> int:
        marks = ", ".join("?" * len(UNRESOLVED))
        (count,) = self._connection.execute(
            f"SELECT COUNT(*) FROM creation WHERE status IN ({marks})",  # noqa: S608
            tuple(status.value for status in UNRESOLVED),
        ).fetchone()
        return int(count)


_ASSET_INDEX: Final = (Kind.TEXT, Kind.INTEGER, Kind.INTEGER)
_TEXT_INDEX: Final = (Kind.TEXT, Kind.INTEGER)


def _is_address(text: str) -> bool:
    return text.startswith(("https://", "http://")) and not text.endswith("/")
