"""The ledger's tables, and how an older ledger becomes one of today.

::

    wallet ──< payment ── sight          one row each for a payment's latest state and last look
       │          ├──< entry             append-only: every observed step
       │          └──< cursor            where the server's cursors stand in the list
       ├──< walk                         how far each scope has been read
       ├──< scan                         how far a reading of a scope's whole list has come
       ├──< creation                     what opdash set out to create
       ├──< outgoing                     what was seen of outgoing payments
       ├──< decision                     what people decided about invoices and payments
       ├──< note (by address)            what people wrote on payments, and how they settled them
       ├──< billing                      which invoices opdash set out to bill
       ├──< export_mark                  how far each kind of export has come
       └──< event                        append-only: every change that was announced
    payment ── document ── words         where its texts stand in the index for searches
           └── unindexed                 its texts are not in there
    payment ── sheet, sheet_text         its columns once more, side by side with those of others
           └── sheet_gap                 the numbers of those that are not in there
    base, asset, outline                 texts that repeat, kept once

- ``payment`` holds the latest representation as the server sent it and the state derived from it.
  ``next_change_at`` is the instant at which that state changes by itself. Its URL is parted into
  ``base`` and ``segment``, which halves the table and finds a payment by the beginning of its id.
- ``walk.gaps`` is a JSON list of cursors.
- ``wallet.client`` is the client wallet address that last asked. What another client's own list
  showed counts as seen under the wider scope: this client's narrower view is no evidence about it.
- ``scan.ticket`` is the wallet's ``sequence`` when the scan began: what has a lower or equal one
  in ``sight`` when a whole scan has ended was not shown by it. ``began_at`` is NULL between scans.
  A scan that is not ``whole`` goes on at the ``cursor`` of ``walk``.
- The order of the list is ``created_at`` descending, then ``tie`` descending. Servers order by
  stamps finer than those they print, so ``tie`` keeps the list's own order among equal ones; it has
  gaps, and means nothing outside its instant. ``placed`` tells that it was read from a list.
- One index for each column that can be sorted by ends in ``created_at, tie``, so that any window of
  any order is read without sorting. ``reference_key`` and ``description_key`` are the beginnings of
  those texts without regard to case.
- ``sight`` changes with every poll and is narrow, so that a poll that finds nothing new writes two
  or three disk pages. Its ``sequence`` is the wallet's number of the observation that wrote it: an
  answer whose request was sent before that observation must not overwrite it.
- ``entry`` is the time line. ``receipt_at`` is set where money of the wallet's asset arrived.
- ``wallet.known`` and ``wallet.received_total`` are kept in step with ``payment`` by the same
  transactions; ``revision`` counts the transactions that changed what a reader would see.
- ``outgoing`` keeps the latest representation too. ``sent_changed_at`` is NULL until ``sent`` was
  seen to change; its state is derived when it is read, because that depends on the receiver.
- ``decision`` names payments by their URLs: what was decided outlives what is known of them.
  ``undone_at`` is 0 while a decision stands; ``amount`` is a decimal text.
- ``billing`` names payments by request id, for the same reason.
- ``note`` is append-only too: each thing that a person did to a payment's labels, note and
  resolution. It names the wallet address itself, so that it outlives even that.
  ``payment.noted`` tells what stands of it (`opdash.ledger.notes.Note.bits`).
- ``export_mark.entry_key`` is the last step of the time lines that an export of that kind told.
- ``announced`` has bit 1 for "paid" and bit 2 for "received"; bits 4 and 8 say that some opdash
  took it on itself to ring or show a notification for them.
- ``event`` and ``event_log`` are explained in `opdash.ledger.events`.
- ``document``, ``words`` and ``unindexed`` are explained in `opdash.ledger.search.index`;
  ``sheet``, ``sheet_text``, ``sheet_gap`` and ``outline`` in `opdash.ledger.sheets`.
- Amounts and instants are written as `opdash.ledger.encoding` says, states and scopes as its
  numbers.

The file's ``user_version`` is the number of migrations it has been through, and its
``application_id`` marks it as a ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from opdash.ledger.encoding import NEVER

APPLICATION_ID: Final = 0x6F706C67
"""Marks a SQLite file as an opdash ledger (“oplg”)."""

Migration = Callable[[sqlite3.Connection], None]
"""Takes a ledger from one version to the next, inside a transaction."""

_VERSION_1: Final = (
    """CREATE TABLE asset (
        asset_key INTEGER PRIMARY KEY,
        code TEXT NOT NULL,
        scale INTEGER NOT NULL,
        UNIQUE (code, scale)
    )""",
    "CREATE TABLE base (base_key INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE)",
    """CREATE TABLE wallet (
        wallet_key INTEGER PRIMARY KEY AUTOINCREMENT,
        address TEXT NOT NULL UNIQUE,
        public_name TEXT NOT NULL,
        asset_key INTEGER NOT NULL REFERENCES asset,
        auth_server TEXT NOT NULL,
        resource_server TEXT NOT NULL,
        described_at INTEGER NOT NULL,
        watching_since INTEGER,
        last_poll_at INTEGER,
        known INTEGER NOT NULL DEFAULT 0,
        received_total TEXT NOT NULL DEFAULT '0',
        sequence INTEGER NOT NULL DEFAULT 0,
        revision INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE TABLE payment (
        payment_key INTEGER PRIMARY KEY,
        wallet_key INTEGER NOT NULL REFERENCES wallet,
        base_key INTEGER NOT NULL REFERENCES base,
        segment TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        tie INTEGER NOT NULL,
        placed INTEGER NOT NULL,
        asked TEXT NOT NULL,
        asked_asset_key INTEGER REFERENCES asset,
        received TEXT NOT NULL,
        received_asset_key INTEGER NOT NULL REFERENCES asset,
        completed INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        state INTEGER NOT NULL,
        final INTEGER NOT NULL,
        needs_action INTEGER NOT NULL,
        not_completed INTEGER NOT NULL,
        next_change_at INTEGER NOT NULL,
        first_seen_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,
        gone_at INTEGER,
        reached_at INTEGER,
        announced INTEGER NOT NULL,
        anomalies TEXT NOT NULL,
        reference_key TEXT NOT NULL,
        description_key TEXT NOT NULL,
        reference TEXT NOT NULL,
        description TEXT NOT NULL,
        metadata TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX payment_by_id ON payment (segment, base_key, wallet_key)",
    "CREATE INDEX payment_by_created ON payment (wallet_key, created_at, tie)",
    "CREATE INDEX payment_by_state ON payment (wallet_key, state, created_at, tie)",
    "CREATE INDEX payment_by_asked ON payment (wallet_key, asked, created_at, tie)",
    "CREATE INDEX payment_by_received ON payment (wallet_key, received, created_at, tie)",
    "CREATE INDEX payment_by_expires ON payment (wallet_key, expires_at, created_at, tie)",
    "CREATE INDEX payment_by_reference ON payment (wallet_key, reference_key, created_at, tie)",
    "CREATE INDEX payment_by_description ON payment (wallet_key, description_key, created_at, tie)",
    f"""CREATE INDEX payment_due ON payment (wallet_key, next_change_at)
        WHERE next_change_at < {NEVER}""",
    """CREATE INDEX payment_changeable ON payment (wallet_key, created_at, tie)
        WHERE final = 0""",
    """CREATE INDEX payment_needing_action ON payment (wallet_key, created_at, tie)
        WHERE needs_action = 1""",
    """CREATE TABLE sight (
        payment_key INTEGER PRIMARY KEY REFERENCES payment,
        last_seen_at INTEGER NOT NULL,
        scope INTEGER NOT NULL,
        sequence INTEGER NOT NULL
    )""",
    """CREATE TABLE entry (
        entry_key INTEGER PRIMARY KEY AUTOINCREMENT,
        wallet_key INTEGER NOT NULL REFERENCES wallet,
        payment_key INTEGER NOT NULL REFERENCES payment,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        source TEXT,
        received TEXT,
        delta TEXT,
        receipt_at INTEGER,
        text TEXT NOT NULL
    )""",
    "CREATE INDEX entry_by_payment ON entry (payment_key)",
    """CREATE INDEX entry_by_receipt ON entry (wallet_key, receipt_at)
        WHERE receipt_at IS NOT NULL""",
    """CREATE TABLE cursor (
        wallet_key INTEGER NOT NULL REFERENCES wallet,
        scope INTEGER NOT NULL,
        cursor TEXT NOT NULL,
        payment_key INTEGER NOT NULL REFERENCES payment,
        PRIMARY KEY (wallet_key, scope, cursor)
    ) WITHOUT ROWID""",
    """CREATE TABLE walk (
        wallet_key INTEGER NOT NULL REFERENCES wallet,
        scope INTEGER NOT NULL,
        cursor TEXT,
        server_has_more INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        gaps TEXT NOT NULL,
        PRIMARY KEY (wallet_key, scope)
    ) WITHOUT ROWID""",
    """CREATE TABLE creation (
        request_id TEXT PRIMARY KEY,
        wallet_key INTEGER NOT NULL REFERENCES wallet,
        draft_json TEXT NOT NULL,
        status TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        payment_id TEXT,
        error TEXT NOT NULL
    )""",
    "CREATE INDEX creation_by_wallet ON creation (wallet_key, created_at)",
)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _VERSION_1:
        connection.execute(statement)


def _add_scans(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE scan (
            wallet_key INTEGER NOT NULL REFERENCES wallet,
            scope INTEGER NOT NULL,
            began_at INTEGER,
            ticket INTEGER NOT NULL,
            whole INTEGER NOT NULL,
            trusted INTEGER NOT NULL,
            cursor TEXT,
            walked INTEGER NOT NULL,
            pages INTEGER NOT NULL,
            payments INTEGER NOT NULL,
            ended_at INTEGER,
            total INTEGER NOT NULL,
            paused INTEGER NOT NULL,
            PRIMARY KEY (wallet_key, scope)
        ) WITHOUT ROWID"""
    )


def _make_searchable(connection: sqlite3.Connection) -> None:
    """Make room for the index; texts that are there already are taken in later, bit by bit."""
    connection.execute(
        "CREATE TABLE document (doc_key INTEGER PRIMARY KEY, payment_key INTEGER NOT NULL)"
    )
    connection.execute("CREATE TABLE unindexed (payment_key INTEGER PRIMARY KEY)")
    connection.execute("INSERT INTO unindexed SELECT payment_key FROM payment WHERE metadata <> ''")


def _add_client(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE wallet ADD COLUMN client TEXT NOT NULL DEFAULT ''")
    connection.execute("CREATE INDEX cursor_by_payment ON cursor (payment_key)")


def _add_sheets(connection: sqlite3.Connection) -> None:
    """Make room for the columns side by side; payments that are there are taken in bit by bit."""
    connection.execute(
        """CREATE TABLE sheet (
            sheet_key INTEGER PRIMARY KEY,
            state BLOB NOT NULL,
            flags BLOB NOT NULL,
            received_asset BLOB NOT NULL,
            received BLOB NOT NULL,
            asked_asset BLOB NOT NULL,
            asked BLOB NOT NULL,
            created BLOB NOT NULL,
            expires BLOB NOT NULL,
            changed BLOB NOT NULL,
            first_seen BLOB NOT NULL,
            base BLOB NOT NULL,
            outline BLOB NOT NULL
        )"""
    )
    connection.execute(
        "CREATE TABLE sheet_text (sheet_key INTEGER PRIMARY KEY, texts BLOB NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE outline (outline_key INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)"
    )
    connection.execute("CREATE TABLE sheet_gap (first INTEGER NOT NULL, last INTEGER NOT NULL)")
    connection.execute(
        "INSERT INTO sheet_gap SELECT 0, MAX(payment_key) FROM payment HAVING COUNT(*) > 0"
    )


def _add_outgoing(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE outgoing (
            outgoing_key INTEGER PRIMARY KEY,
            wallet_key INTEGER NOT NULL REFERENCES wallet,
            url TEXT NOT NULL,
            sender TEXT NOT NULL,
            receiver TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            receive TEXT NOT NULL,
            receive_asset_key INTEGER NOT NULL REFERENCES asset,
            debit TEXT NOT NULL,
            debit_asset_key INTEGER NOT NULL REFERENCES asset,
            sent TEXT NOT NULL,
            sent_asset_key INTEGER NOT NULL REFERENCES asset,
            failed INTEGER NOT NULL,
            quote TEXT,
            metadata TEXT NOT NULL,
            first_seen_at INTEGER NOT NULL,
            last_seen_at INTEGER NOT NULL,
            sent_changed_at INTEGER,
            UNIQUE (wallet_key, url)
        )"""
    )
    connection.execute("CREATE INDEX outgoing_by_created ON outgoing (wallet_key, created_at)")
    connection.execute("CREATE INDEX outgoing_by_receiver ON outgoing (receiver)")


def _add_decisions(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE IF NOT EXISTS decision (
            decision_key INTEGER PRIMARY KEY AUTOINCREMENT,
            wallet_key INTEGER NOT NULL REFERENCES wallet,
            kind TEXT NOT NULL,
            invoice TEXT NOT NULL,
            payment TEXT NOT NULL,
            amount TEXT,
            at INTEGER NOT NULL,
            undone_at INTEGER NOT NULL
        )"""
    )
    connection.execute(
        "CREATE INDEX IF NOT EXISTS decision_by_wallet ON decision (wallet_key, payment)"
    )


def _add_notes(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE IF NOT EXISTS note (
            note_key INTEGER PRIMARY KEY AUTOINCREMENT,
            wallet TEXT NOT NULL,
            payment TEXT NOT NULL,
            kind TEXT NOT NULL,
            text TEXT NOT NULL,
            standing TEXT NOT NULL,
            at INTEGER NOT NULL
        )"""
    )
    connection.execute("CREATE INDEX IF NOT EXISTS note_by_payment ON note (wallet, payment)")


def _add_export_marks(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE IF NOT EXISTS export_mark (
            export_mark_key INTEGER PRIMARY KEY,
            wallet_key INTEGER NOT NULL REFERENCES wallet,
            kind TEXT NOT NULL,
            entry_key INTEGER NOT NULL,
            at INTEGER NOT NULL,
            UNIQUE (wallet_key, kind)
        )"""
    )


def _add_billing(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE IF NOT EXISTS billing (
            billing_key INTEGER PRIMARY KEY AUTOINCREMENT,
            wallet_key INTEGER NOT NULL REFERENCES wallet,
            invoice TEXT NOT NULL,
            request_id TEXT NOT NULL UNIQUE,
            at INTEGER NOT NULL
        )"""
    )
    connection.execute(
        "CREATE INDEX IF NOT EXISTS billing_by_invoice ON billing (wallet_key, invoice)"
    )


def _add_events(connection: sqlite3.Connection) -> None:
    """Begin a log of changes; what was before it is in the time lines only."""
    connection.execute("CREATE TABLE event_log (identity TEXT NOT NULL)")
    connection.execute("INSERT INTO event_log VALUES (lower(hex(randomblob(5))))")
    connection.execute(
        """CREATE TABLE event (
            event_key INTEGER PRIMARY KEY AUTOINCREMENT,
            wallet_key INTEGER NOT NULL REFERENCES wallet,
            payment_key INTEGER NOT NULL REFERENCES payment,
            at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            announce TEXT NOT NULL,
            state INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            received TEXT NOT NULL,
            received_asset_key INTEGER NOT NULL REFERENCES asset,
            former_state INTEGER,
            former_received TEXT,
            former_asset_key INTEGER REFERENCES asset
        )"""
    )


_OWN: Final[Sequence[Migration]] = (_add_decisions, _add_notes, _add_export_marks, _add_billing)


def add_own_tables(connection: sqlite3.Connection) -> None:
    """Make the tables that a repair fills before their migrations run; those leave them be."""
    for step in _OWN:
        step(connection)


def _add_own_tables_and_marks(connection: sqlite3.Connection) -> None:
    add_own_tables(connection)
    _add_events(connection)
    connection.execute("ALTER TABLE payment ADD COLUMN noted INTEGER NOT NULL DEFAULT 0")
    connection.execute("CREATE INDEX payment_noted ON payment (wallet_key) WHERE noted <> 0")
    # Notes are there before this only in a ledger that is being repaired.
    from opdash.ledger.note_rows import set_marks_right

    set_marks_right(connection)


MIGRATIONS: Final[Sequence[Migration]] = (
    _create,
    _add_scans,
    _make_searchable,
    _add_client,
    _add_sheets,
    _add_outgoing,
    _add_decisions,
    _add_own_tables_and_marks,
)
"""The step to version 1, to version 2, and so on; a published one is never changed."""

VERSION: Final = len(MIGRATIONS)
"""The version that this opdash reads and writes."""


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring a ledger to the version of ``migrations``, each step whole or not at all.

    Args:
        connection: In autocommit mode; no other process migrates at the same time.
        migrations: All steps from an empty file on.

    Raises:
        sqlite3.Error: A step failed; the ledger is as that step found it.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, step in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            step(connection)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
