"""The log of changes: everything once, in order, from any place, and only in its own ledger."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opdash.ledger.event_log import CursorError, EventLog, LoggedEvent
from opdash.ledger.notes import Edit
from opdash.ledger.records import Change, ChangeKind, Source
from opdash.ledger.repair import repair
from opdash.ledger.states import State
from opdash.ledger.store import Ledger
from tests.ledger.builders import ADDRESS, GRACE, NOW, OTHER, WALLET, Book, payment, payment_id

MINUTE = timedelta(minutes=1)


@pytest.fixture
def log(book: Book) -> Iterator[EventLog]:
    book.record(at=NOW - MINUTE)  # watched from here on
    with EventLog.open(book.path) as log:
        yield log


def told(events: tuple[LoggedEvent, ...]) -> list[tuple[ChangeKind, State, int]]:
    return [(one.kind, one.payment.state, one.payment.received) for one in events]


def test_each_change_is_told_as_it_was(book: Book, log: EventLog) -> None:
    book.record(payment(), at=NOW)
    book.record(payment(received=400), at=NOW + MINUTE)
    book.record(payment(received=1000, completed=True), at=NOW + 2 * MINUTE)

    first, second, third = log.after(0)
    assert told((first, second, third)) == [
        (ChangeKind.NEW, State.UNPAID, 0),
        (ChangeKind.CHANGED, State.PARTIAL, 400),
        (ChangeKind.CHANGED, State.PAID, 1000),
    ]
    assert (first.previous_state, first.previous_received) == (None, None)
    assert (second.previous_state, second.previous_received) == (State.UNPAID, 0)
    assert second.payment.difference == -600
    assert [one.payment.completed for one in (second, third)] == [False, True]
    assert [one.announce for one in (first, second, third)] == [None, None, "paid"]
    assert [one.at for one in (first, second, third)] == [NOW, NOW + MINUTE, NOW + 2 * MINUTE]
    assert (second.payment.reached_at, third.payment.reached_at) == (None, NOW + 2 * MINUTE)


def test_what_only_the_clock_moves_is_told(book: Book, log: EventLog) -> None:
    book.record(payment(expires=NOW + MINUTE), at=NOW)
    book.advance(NOW + MINUTE + timedelta(seconds=1))
    book.advance(NOW + 3 * MINUTE)

    assert told(log.after(0))[1:] == [
        (ChangeKind.TIME, State.EXPIRING, 0),
        (ChangeKind.TIME, State.EXPIRED_UNPAID, 0),
    ]


def test_what_a_person_notes_is_told(book: Book, log: EventLog) -> None:
    book.record(payment(), at=NOW)
    edit = Edit(add=("lamp",), text="by post")
    for _ in range(2):  # the same once more changes nothing
        book.ledger.write_note(ADDRESS, payment_id("p"), edit, at=NOW + MINUTE, grace=GRACE)

    _, noted = log.after(0)
    assert (noted.kind, noted.at, noted.announce) == (ChangeKind.NOTE, NOW + MINUTE, None)
    assert (noted.payment.note.text, noted.payment.note.names) == ("by post", ("lamp",))


def test_gone_and_back_are_told(book: Book, log: EventLog) -> None:
    book.record(payment(received=5), at=NOW)
    book.mark_gone("p", at=NOW + MINUTE)
    book.record(payment(received=5), at=NOW + 2 * MINUTE, source=Source.GET)

    _, gone, back = log.after(0)
    assert (gone.kind, gone.payment.gone_at) == (ChangeKind.GONE, NOW + MINUTE)
    assert (back.kind, back.payment.gone_at) == (ChangeKind.BACK, None)


def test_what_was_there_before_it_was_watched_is_history(book: Book) -> None:
    book.record(payment("old", created=NOW - MINUTE), payment("new", created=NOW + MINUTE), at=NOW)
    book.record(payment("mine", created=NOW - MINUTE), at=NOW, source=Source.CREATE)
    book.record(payment("old", created=NOW - MINUTE, received=1), at=NOW + MINUTE)

    with EventLog.open(book.path) as log:
        ids = [one.payment.id for one in log.after(0)]
    assert ids == [payment_id("new"), payment_id("mine"), payment_id("old")]


def test_a_poll_that_finds_nothing_new_writes_nothing(book: Book, log: EventLog) -> None:
    book.record(payment(), at=NOW)
    newest = log.newest()
    book.record(payment(), at=NOW + MINUTE)
    assert log.newest() == newest


def test_a_place_is_found_again(book: Book, log: EventLog) -> None:
    book.record(payment("a"), payment("b"), at=NOW)
    first, second = log.after(0)

    assert log.after(log.number(first.cursor)) == (second,)
    assert log.after(log.number(second.cursor)) == ()
    assert log.number(log.cursor(0)) == 0
    assert log.cursor(second.number) == second.cursor


def test_a_forgotten_wallet_takes_its_events_along_and_no_place(book: Book, log: EventLog) -> None:
    book.ledger.remember_wallet(OTHER, NOW)
    book.record(payment(), at=NOW)
    (kept,) = log.after(0)
    book.ledger.forget_wallet(ADDRESS)

    assert log.after(0) == ()
    assert log.number(kept.cursor) == log.newest()


@pytest.mark.parametrize("cursor", ["", "7", "now", "0123456789-1", "\x1b[2J", "a" * 500])
def test_what_is_no_cursor_is_refused(log: EventLog, cursor: str) -> None:
    with pytest.raises(CursorError, match="is no cursor") as error:
        log.number(cursor)
    assert "\x1b" not in str(error.value)


def test_a_place_in_another_ledger_is_refused(book: Book, log: EventLog, tmp_path: Path) -> None:
    book.record(payment(), at=NOW)
    other = tmp_path / "other.sqlite3"
    with Ledger.open(other) as ledger:
        ledger.remember_wallet(WALLET, NOW)
    with EventLog.open(other) as rebuilt:
        with pytest.raises(CursorError, match="another ledger"):
            rebuilt.number(log.after(0)[0].cursor)
        with pytest.raises(CursorError, match="another ledger"):
            rebuilt.number(log.cursor(0))


def test_a_place_that_an_older_copy_does_not_know_is_refused(book: Book, tmp_path: Path) -> None:
    book.record(at=NOW - MINUTE)
    book.record(payment("a"), at=NOW)
    copy = tmp_path / "copy.sqlite3"
    with closing(sqlite3.connect(book.path)) as here, closing(sqlite3.connect(copy)) as there:
        here.backup(there)
    book.record(payment("b"), at=NOW)
    with EventLog.open(book.path) as log:
        shared, later = log.after(0)
    with EventLog.open(copy) as put_back:
        assert put_back.number(shared.cursor) == shared.number
        with pytest.raises(CursorError):
            put_back.number(later.cursor)
    with Ledger.open(copy) as ledger:  # another history with the same numbers
        ledger.record(
            ADDRESS,
            [payment("c")],
            at=NOW + MINUTE,
            source=Source.LIST,
            scope=later.payment.scope,
            grace=GRACE,
        )
    with EventLog.open(copy) as put_back:
        assert put_back.newest() == later.number
        with pytest.raises(CursorError):
            put_back.number(later.cursor)


def test_a_place_in_a_ledger_that_was_repaired_since_is_refused(tmp_path: Path) -> None:
    book = Book(tmp_path / "ledger.sqlite3")
    with book.ledger:
        book.record(at=NOW - MINUTE)
        book.record(payment(), at=NOW)
    with EventLog.open(book.path) as log:
        (event,) = log.after(0)
    repair(book.path, NOW)
    with Ledger.open(book.path), EventLog.open(book.path) as repaired:
        assert repaired.after(0) == ()
        with pytest.raises(CursorError, match="rebuilt"):
            repaired.number(event.cursor)


def test_a_notice_is_claimed_once_for_each_announcement(book: Book) -> None:
    book.record(payment(received=1000, completed=True), at=NOW)
    with Ledger.open(book.path) as another:
        claims = [
            book.ledger.claim_notice(ADDRESS, payment_id("p"), "paid"),
            another.claim_notice(ADDRESS, payment_id("p"), "paid"),
            book.ledger.claim_notice(ADDRESS, payment_id("p"), "paid"),
            another.claim_notice(ADDRESS, payment_id("p"), "received"),
        ]
    assert claims == [True, False, False, True]
    book.record(payment(received=1000, completed=True, metadata={"a": 1}), at=NOW + MINUTE)
    assert not book.ledger.claim_notice(ADDRESS, payment_id("p"), "paid")
    assert not book.ledger.claim_notice(ADDRESS, payment_id("unknown"), "paid")


steps = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 1200), st.booleans(), st.integers(0, 200)),
    max_size=12,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, cuts=st.lists(st.integers(1, 4), min_size=1, max_size=12))
def test_the_log_is_what_the_ledger_answered_however_it_is_read(
    tmp_path: Path, steps: list[tuple[str, int, bool, int]], cuts: list[int]
) -> None:
    shutil.rmtree(tmp_path / "ledger", ignore_errors=True)
    book = Book(tmp_path / "ledger" / "l.sqlite3")
    answered: list[Change] = []
    with book.ledger:
        book.record(at=NOW - MINUTE)
        now = NOW
        for name, received, completed, minutes in steps:
            now += timedelta(minutes=minutes)
            answered += book.advance(now)
            expires = NOW + timedelta(hours=5)
            answered += book.record(
                payment(name, received=received, completed=completed, expires=expires), at=now
            )
        read: list[LoggedEvent] = []
        cursor = ""
        at = 0
        while True:
            with EventLog.open(book.path) as log:  # a new reader each time
                number = log.number(cursor) if cursor else 0
                events = log.after(number, cuts[at % len(cuts)])
            if not events:
                break
            read += events
            cursor = events[-1].cursor
            at += 1
    assert len({one.cursor for one in read}) == len(read)
    assert [
        (one.kind, one.payment.id, one.payment.state, one.payment.received, one.announce)
        for one in read
    ] == [
        (one.kind, one.payment.id, one.payment.state, one.payment.received, one.announce)
        for one in answered
    ]
