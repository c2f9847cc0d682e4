"""What the clock alone moves: found among the payments that will move, without a transaction."""

from __future__ import annotations

from datetime import timedelta

from opdash.ledger.reader import LedgerReader
from tests.ledger.builders import ADDRESS, GRACE, NOW, Book, payment


def test_there_is_something_to_do_once_a_payment_is_due(book: Book, reader: LedgerReader) -> None:
    assert not reader.has_to_advance("https://nowhere.example", NOW)
    book.record(payment(expires=NOW + timedelta(hours=1)), payment("closed", completed=True))
    assert not reader.has_to_advance(ADDRESS, NOW + timedelta(minutes=59))
    later = NOW + timedelta(hours=1)
    assert reader.has_to_advance(ADDRESS, later)
    assert book.ledger.advance(later, GRACE, ADDRESS)
    assert not reader.has_to_advance(ADDRESS, later)


def test_there_is_something_to_do_once_the_clock_is_set_back(
    book: Book, reader: LedgerReader
) -> None:
    book.record(payment())
    book.ledger.set_last_poll(ADDRESS, NOW)
    assert not reader.has_to_advance(ADDRESS, NOW)
    assert reader.has_to_advance(ADDRESS, NOW - timedelta(hours=1))


def test_payments_that_never_move_are_not_looked_at(book: Book, reader: LedgerReader) -> None:
    book.record(payment())
    statements: set[str] = set()
    for connection in (book.ledger._connection, reader._connection):
        connection.set_trace_callback(statements.add)
    book.ledger.advance(NOW, GRACE, ADDRESS)
    reader.has_to_advance(ADDRESS, NOW)
    for connection in (book.ledger._connection, reader._connection):
        connection.set_trace_callback(None)
    looks = [statement for statement in statements if "next_change_at <=" in statement]
    assert len(looks) == 2
    for look in looks:
        plans = [plan for (*_, plan) in reader._connection.execute(f"EXPLAIN QUERY PLAN {look}")]
        assert any("INDEX payment_due" in plan for plan in plans)
        assert not any("TEMP B-TREE" in plan for plan in plans)
