"""The transactions of the one writer: each by itself, or several works in one commit.

Observations can be fetched again, so theirs are not waited for by the disk; what opdash itself sets
out to do cannot. A write-ahead log is one file: syncing it for such a transaction also makes every
earlier one durable.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from opdash.errors import LedgerError
from opdash.ledger import schema
from opdash.ledger.database import explained
from opdash.safetext import safe_text


class NotTogetherError(Exception):
    """A work cannot share its commit with others: nothing of it was done, run it by itself."""


class UndoneError(Exception):
    """SQLite has undone a whole group because one of its works failed."""


class Transactions:
    """Begins, commits and undoes for one connection.

    Args:
        connection: In autocommit mode.
        path: The ledger's file, for sentences.
        undone: Is called whenever something was undone, to drop what was kept in memory of it.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, undone: Callable[[], None]
    ) -> None:
        self._connection = connection
        self._path = path
        self._undone = undone
        self._is_group = False

    @contextmanager
    def one(self, *, durably: bool = False) -> Iterator[None]:
        """Run the body whole or not at all: a transaction, or a part of the group under way.

        Args:
            durably: Whether it must be on the disk when this returns.

        Raises:
            LedgerError: It could not be committed, or another opdash has migrated the ledger since.
            NotTogetherError: It must be durable, and a group is under way.
        """
        if self._is_group:
            if durably:
                raise NotTogetherError
            with self.part():
                yield
            return
        begin = self._durable if durably else self._whole
        with begin():
            yield

    @contextmanager
    def group(self) -> Iterator[None]:
        """Commit all that the body does at once, or undo all of it; each work is a `part`.

        Raises:
            LedgerError: Nothing of it is there: it could not begin, or not be committed.
            UndoneError: Nothing of it is there, because of one of the works.
        """
        self._is_group = True
        try:
            with self._whole():
                yield
        finally:
            self._is_group = False

    @contextmanager
    def part(self) -> Iterator[None]:
        """Run one work of a group; a failure undoes this one alone.

        Raises:
            UndoneError: SQLite has undone the whole group.
        """
        with explained(self._path):
            self._connection.execute("SAVEPOINT part")
            try:
                yield
            except BaseException as error:
                self._undone()
                if not self._connection.in_transaction:
                    raise UndoneError from error
                self._connection.execute("ROLLBACK TO part")
                self._connection.execute("RELEASE part")
                raise
            self._connection.execute("RELEASE part")

    def begin_another(self) -> None:
        """Say that a work goes on in one more transaction, so that others may write in between.

        Raises:
            NotTogetherError: A group is under way, which would make one long transaction of them.
        """
        if self._is_group:
            raise NotTogetherError

    @contextmanager
    def _whole(self) -> Iterator[None]:
        with explained(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._check_version()
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._undone()
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _durable(self) -> Iterator[None]:
        with explained(self._path):
            self._connection.execute("PRAGMA synchronous = FULL")
        try:
            with self._whole():
                yield
        finally:
            with explained(self._path):
                self._connection.execute("PRAGMA synchronous = NORMAL")

    def _check_version(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version != schema.VERSION:
            raise LedgerError(
                f"The ledger {safe_text(str(self._path), limit=200)} was changed to version "
                f"{version} by another opdash.",
                "Close this opdash and start the newer one.",
            )
