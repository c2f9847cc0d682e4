"""Every published version of the ledger can be opened, and steps up whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from opdash.ledger.care import check
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, CreationStatus, Scope, Source, TimelineKind
from opdash.ledger.schema import MIGRATIONS, VERSION, Migration, migrate
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from opdash.ledger.states import State
from opdash.ledger.store import Ledger
from tests.ledger import version_1, versions
from tests.ledger.builders import ADDRESS, GRACE, NOW, Book, names, payment, payment_id


def test_a_ledger_of_version_1_is_all_there(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    version_1.load(path)
    with Ledger.open(path) as ledger, LedgerReader.open(path) as reader:
        rows = {row.id.rpartition("/")[2]: row for row in reader.window(ADDRESS, NEWEST_FIRST)}
        assert {name: row.state for name, row in rows.items()} == {
            "short": State.CLOSED_SHORT,
            "tip": State.RECEIVING,
            "odd": State.ANOMALY,
            "new": State.UNAVAILABLE,
        }
        assert rows["tip"].received == 2**64 - 1
        assert (rows["short"].reference, rows["short"].description) == ("", "")
        assert [entry.kind for entry in reader.timeline(ADDRESS, rows["short"].id)] == [
            TimelineKind.FIRST_SEEN,
            TimelineKind.RECEIVED,
            TimelineKind.COMPLETED,
            TimelineKind.METADATA,
            TimelineKind.COMPLETING,
        ]
        first, second = reader.wallets()
        assert (first.known, first.received_total) == (4, 2**64 + 49)
        assert (second.asset.code, second.known) == ("JPY", 0)
        walk = reader.walk_state(ADDRESS, Scope.EVERYTHING)
        assert walk is not None
        assert (walk.cursor, walk.gaps) == ("odd", ("short",))
        (creation,) = reader.unresolved_creations(ADDRESS)
        assert creation.status is CreationStatus.UNKNOWN
        changes = ledger.advance(NOW + timedelta(days=3), GRACE, ADDRESS)
        assert names([change.payment for change in changes]) == ["new"]
    assert integrity(path) == "ok"


@pytest.mark.parametrize("number", range(2, VERSION))
def test_a_ledger_of_every_version_since_is_all_there(tmp_path: Path, number: int) -> None:
    path = tmp_path / "ledger.sqlite3"
    versions.load(path, number)
    with closing(sqlite3.connect(path)) as connection:
        assert version(connection) == number
    with Ledger.open(path) as ledger, LedgerReader.open(path) as reader:
        rows = {row.id.rpartition("/")[2]: row for row in reader.window(ADDRESS, NEWEST_FIRST)}
        assert {name: (row.state, row.received) for name, row in rows.items()} == {
            "short": (State.CLOSED_SHORT, 50),
            "tip": (State.RECEIVING, 2**64 - 1),
            "odd": (State.ANOMALY, 0),
            "new": (State.UNAVAILABLE, 0),
        }
        assert rows["short"].reference == "INV-2"
        assert rows["new"].gone_at == NOW + timedelta(minutes=1)
        kinds = [entry.kind for entry in reader.timeline(ADDRESS, rows["short"].id)]
        assert kinds.count(TimelineKind.METADATA) == 2
        (creation,) = reader.unresolved_creations(ADDRESS)
        assert (creation.request_id, creation.error) == ("r-1", "No answer.")
        scan = reader.scan(ADDRESS, Scope.OWN)
        assert (scan.whole, scan.cursor, scan.pages, scan.payments) == (True, "odd", 1, 2)
        assert reader.wallets()[0].received_total == 2**64 + 49
        while ledger.index_texts():
            pass
        query = read_query("ref=INV-2", Moment(now=NOW, zone=UTC))
        assert names(reader.window(ADDRESS, query=query)) == ["short"]
        (change,) = ledger.record(
            ADDRESS,
            [payment("odd", asked=5, asked_code="EUR", received=1)],
            at=NOW + timedelta(hours=2),
            source=Source.GET,
            scope=Scope.OWN,
            grace=GRACE,
        )
        assert change.payment.received == 1
    assert integrity(path) == "ok"
    assert check(path).ok
    with closing(sqlite3.connect(path)) as connection:
        assert version(connection) == VERSION


def test_every_version_before_todays_is_kept() -> None:
    """A migration is added only when the ledger before it was kept to test it against."""
    kept = {number for number in range(2, VERSION) if versions.file_of(number).exists()}
    assert kept == set(range(2, VERSION))


def test_version_1_is_what_its_migration_makes(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old.sqlite3", tmp_path / "fresh.sqlite3"
    version_1.load(old)
    connection = sqlite3.connect(fresh, isolation_level=None)
    migrate(connection, MIGRATIONS[:1])
    connection.close()
    assert tables(old) == tables(fresh)


def tables(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    ).fetchall()
    connection.close()
    return found


def integrity(path: Path) -> str:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return str(found)


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def add_column(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE wallet ADD COLUMN note TEXT NOT NULL DEFAULT ''")


def fail_half_way(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE half (done INTEGER)")
    connection.execute("UPDATE nothing SET whatever = 1")


class TestSteps:
    """The mechanism that later versions use."""

    def test_only_what_is_missing_is_done(self, book: Book) -> None:
        connection = book.ledger._connection
        steps: Sequence[Migration] = (*MIGRATIONS, add_column)
        migrate(connection, steps)
        assert version(connection) == VERSION + 1
        migrate(connection, steps)
        assert version(connection) == VERSION + 1
        assert connection.execute("SELECT note FROM wallet").fetchall() == [("",)]

    def test_a_step_that_fails_leaves_the_one_before(self, book: Book) -> None:
        book.record(payment())
        connection = book.ledger._connection
        with pytest.raises(sqlite3.OperationalError, match="nothing"):
            migrate(connection, (*MIGRATIONS, add_column, fail_half_way))
        assert version(connection) == VERSION + 1
        assert not connection.in_transaction
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall()
        assert connection.execute("SELECT COUNT(*) FROM payment").fetchone() == (1,)

    def test_a_new_ledger_is_at_the_current_version(self, book: Book) -> None:
        assert version(book.ledger._connection) == VERSION
        book.record(payment(), payment("q"))
        book.ledger.record_action(ADDRESS, payment_id("q"), TimelineKind.NOTE, at=NOW)
        assert integrity(book.path) == "ok"
