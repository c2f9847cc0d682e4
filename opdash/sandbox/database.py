"""The sandbox's SQLite database: in memory, or in a directory that outlives the process."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from opdash.errors import InputError
from opdash.safetext import safe_text

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS incoming_payments (
    id TEXT NOT NULL UNIQUE,
    wallet TEXT NOT NULL,
    client TEXT NOT NULL,
    asked INTEGER,
    received INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0,
    metadata TEXT,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS incoming_by_wallet ON incoming_payments (wallet, created, id);
CREATE INDEX IF NOT EXISTS incoming_by_client ON incoming_payments (wallet, client, created, id);

CREATE TABLE IF NOT EXISTS outgoing_payments (
    id TEXT NOT NULL UNIQUE,
    wallet TEXT NOT NULL,
    client TEXT NOT NULL,
    receiver TEXT NOT NULL,
    receive INTEGER NOT NULL,
    receive_asset TEXT NOT NULL,
    receive_scale INTEGER NOT NULL,
    debit TEXT NOT NULL,
    fee TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    metadata TEXT,
    created INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS outgoing_by_wallet ON outgoing_payments (wallet, created, id);

CREATE TABLE IF NOT EXISTS packets (
    due INTEGER NOT NULL,
    outgoing TEXT NOT NULL,
    incoming TEXT NOT NULL,
    amount INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS packets_by_due ON packets (due);

CREATE TABLE IF NOT EXISTS grants (
    id TEXT PRIMARY KEY,
    continue_id TEXT NOT NULL UNIQUE,
    continue_token TEXT NOT NULL,
    client TEXT NOT NULL,
    access TEXT NOT NULL,
    state TEXT NOT NULL,
    finish_uri TEXT,
    finish_nonce TEXT,
    last_continued INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS interactions (
    id TEXT PRIMARY KEY,
    nonce TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    state TEXT NOT NULL,
    created INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS tokens (
    value TEXT PRIMARY KEY,
    manage_id TEXT NOT NULL UNIQUE,
    grant_id TEXT NOT NULL,
    created INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_by_grant ON tokens (grant_id);
"""

FILE_NAME = "sandbox.sqlite3"
"""The database's name in its directory."""


def open_database(directory: Path | None) -> sqlite3.Connection:
    """Open the database, made first if it is not there.

    A power cut may lose it: it holds play money.

    Args:
        directory: Where it is kept; None keeps it in memory.

    Raises:
        InputError: The directory or the file in it cannot be used.
    """
    if directory is None:
        return _connect(":memory:")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _connect(str(directory / FILE_NAME))
    except (OSError, sqlite3.Error) as error:
        raise InputError(
            f"The sandbox cannot keep its data in {safe_text(str(directory))}: "
            f"{safe_text(str(error))}.",
            "Name another directory with --data, or leave it out.",
        ) from error


def _connect(place: str) -> sqlite3.Connection:
    connection = sqlite3.connect(place, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(
        "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;"
        + _SCHEMA
    )
    return connection


def read_fact(connection: sqlite3.Connection, name: str) -> str | None:
    """Return a remembered value, or None."""
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["value"])


def write_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Remember a value under a name."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
