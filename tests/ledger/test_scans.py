"""A reading of the whole list: where it stands, and what it proves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, ChangeKind, Scope, WalkState
from opdash.ledger.scans import Scan, Scanned
from opdash.ledger.states import State
from opdash.ledger.store import Ledger
from opdash.openpayments.resources import IncomingPayment, IncomingPaymentPage, Pagination
from tests.ledger.builders import ADDRESS, GRACE, NOW, Book, names, payment

LATER = NOW + timedelta(days=1)


def page_of(names: Sequence[str], *, more: bool, **changes: str) -> IncomingPaymentPage:
    """A page of payments that are older the later they come in the alphabet."""
    result = tuple(aged(name, **changes) for name in names)
    start, end = (names[0], names[-1]) if names else (None, None)
    return IncomingPaymentPage(
        pagination=Pagination(
            start_cursor=start, end_cursor=end, has_next_page=more, has_previous_page=False
        ),
        result=result,
    )


def aged(name: str, wallet: str = ADDRESS) -> IncomingPayment:
    return payment(name, created=NOW - timedelta(minutes=ord(name[0])), wallet=wallet)


class Reading:
    """A scan as the service drives it, a page at a time."""

    def __init__(self, ledger: Ledger, *, scope: Scope = Scope.OWN, at: datetime = LATER) -> None:
        self.ledger = ledger
        self.scope = scope
        self.at = at
        self.scan, self.ticket = ledger.begin_scan(ADDRESS, scope, at)

    def read(self, names: str, *, more: bool = True, wallet: str = ADDRESS) -> Scanned:
        scanned = self.ledger.record_scanned(
            ADDRESS,
            page_of(list(names), more=more, wallet=wallet),
            self.scan,
            at=self.at,
            scope=self.scope,
            grace=GRACE,
            ticket=self.ticket,
        )
        self.scan, self.ticket = scanned.scan, scanned.ticket
        return scanned

    def end(self) -> list[str]:
        changes = self.ledger.end_scan(ADDRESS, self.scope, at=self.at, grace=GRACE)
        assert {change.kind for change in changes} <= {ChangeKind.GONE}
        return sorted(names([change.payment for change in changes]))


@pytest.fixture
def known(book: Book) -> Book:
    """A ledger that knows the whole list, five payments."""
    reading = Reading(book.ledger, at=NOW)
    reading.read("ab")
    reading.read("cde", more=False)
    assert reading.end() == []
    return book


def test_the_first_scan_goes_on_from_the_frontier(book: Book) -> None:
    book.record(aged("a"))
    frontier = WalkState(cursor="a", server_has_more=True, updated_at=NOW, gaps=("x",))
    book.ledger.set_walk_state(ADDRESS, Scope.OWN, frontier)
    reading = Reading(book.ledger)
    assert (reading.scan.cursor, reading.scan.whole, reading.scan.walked) == ("a", False, False)
    assert reading.read("bc").moved
    walk = book.ledger.walk_state(ADDRESS, Scope.OWN)
    assert walk is not None
    assert (walk.cursor, walk.server_has_more, walk.gaps) == ("c", True, ("x",))
    reading.read("d", more=False)
    assert (reading.scan.pages, reading.scan.payments, reading.scan.walked) == (2, 3, True)
    assert reading.end() == []
    with LedgerReader.open(book.path) as reader:
        assert reader.scan(ADDRESS, Scope.OWN) == Scan(ended_at=LATER, total=4)
        summary = reader.summary(ADDRESS, day_start=NOW, now=NOW)
        assert (summary.known, summary.complete) == (4, True)


def test_a_scan_goes_on_after_a_restart(known: Book) -> None:
    Reading(known.ledger).read("ab")
    known.ledger.close()
    with Ledger.open(known.path) as ledger:
        reading = Reading(ledger, at=LATER + timedelta(hours=1))
        assert (reading.scan.cursor, reading.scan.pages, reading.scan.payments) == ("b", 1, 2)
        assert reading.scan.began_at == LATER
        reading.read("ce", more=False)
        assert reading.end() == ["d"]


def test_what_a_whole_scan_does_not_show_is_gone(known: Book) -> None:
    reading = Reading(known.ledger)
    assert reading.scan.whole
    reading.read("ac")
    assert reading.read("e", more=False).scan.walked
    assert reading.end() == ["b", "d"]
    with LedgerReader.open(known.path) as reader:
        rows = {row.id[-1]: row for row in reader.window(ADDRESS, NEWEST_FIRST)}
        assert [name for name, row in rows.items() if row.gone_at == LATER] == ["b", "d"]
        assert rows["b"].state is State.UNAVAILABLE
        assert reader.scan(ADDRESS, Scope.OWN).total == 3
    again = Reading(known.ledger, at=LATER + timedelta(days=1))
    again.read("abce", more=False)
    assert again.end() == []
    with LedgerReader.open(known.path) as reader:
        gone = [row.id[-1] for row in reader.window(ADDRESS, NEWEST_FIRST) if row.gone_at]
        assert gone == ["d"]


def test_a_scan_that_has_not_reached_the_end_proves_nothing(known: Book) -> None:
    reading = Reading(known.ledger)
    reading.read("a")
    assert reading.end() == []
    anew, _ = known.ledger.begin_scan(ADDRESS, Scope.OWN, LATER, anew=True)
    assert (anew.cursor, anew.pages, anew.whole) == (None, 0, True)
    assert reading.end() == []


def test_what_was_seen_or_made_since_it_began_is_not_gone(known: Book) -> None:
    reading = Reading(known.ledger)
    known.record(aged("b"), at=LATER)
    known.record(aged("0"), at=LATER)
    reading.read("acde", more=False)
    assert reading.end() == []


def test_a_narrow_scan_says_nothing_of_what_a_wider_one_saw(known: Book) -> None:
    known.record(aged("w"), scope=Scope.EVERYTHING)
    reading = Reading(known.ledger)
    reading.read("abcd", more=False)
    assert reading.end() == ["e"]


def test_a_scan_that_showed_another_wallets_payments_proves_nothing(known: Book) -> None:
    reading = Reading(known.ledger)
    reading.read("a", wallet="https://wallet.example/mallory")
    reading.read("b", more=False)
    assert not reading.scan.trusted
    assert reading.end() == []
    with LedgerReader.open(known.path) as reader:
        assert reader.scan(ADDRESS, Scope.OWN).ended_at == LATER


def test_a_page_that_another_process_has_read_moves_nothing_twice(known: Book) -> None:
    one, other = Reading(known.ledger), Reading(known.ledger)
    assert one.read("ab").moved
    assert one.read("c").moved
    late = other.read("ab")
    assert not late.moved
    assert (late.scan.cursor, late.scan.pages, late.scan.payments) == ("c", 2, 3)


def test_an_empty_list_is_a_whole_list(known: Book) -> None:
    reading = Reading(known.ledger)
    reading.read("", more=False)
    assert reading.end() == ["a", "b", "c", "d", "e"]


def test_a_pause_outlives_a_scan(known: Book) -> None:
    known.ledger.pause_scan(ADDRESS, Scope.OWN, True)
    reading = Reading(known.ledger)
    assert reading.scan.paused
    reading.read("abcde", more=False)
    reading.end()
    with LedgerReader.open(known.path) as reader:
        assert reader.scan(ADDRESS, Scope.OWN).paused
        assert not reader.scan(ADDRESS, Scope.EVERYTHING).paused


def test_hundreds_can_be_gone_at_once(book: Book) -> None:
    many = [payment(f"m{number}") for number in range(1200)]
    book.record(*many)
    walked = WalkState(cursor="m0", server_has_more=False, updated_at=NOW)
    book.ledger.set_walk_state(ADDRESS, Scope.OWN, walked)
    reading = Reading(book.ledger)
    reading.read("", more=False)
    assert len(reading.end()) == 1200


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_gone_is_exactly_what_nobody_saw_since_a_whole_scan_began(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    known = data.draw(st.sets(st.sampled_from("abcdefgh")))
    left = data.draw(st.sets(st.sampled_from(sorted(known)))) if known else set()
    seen_by_polls = data.draw(st.sets(st.sampled_from("abcdefghxyz")))
    size = data.draw(st.integers(1, 4))
    restarts = data.draw(st.sets(st.integers(0, 4)))
    book = Book(tmp_path_factory.mktemp("scan") / "ledger.sqlite3")
    with book.ledger as ledger:
        book.record(*(aged(name) for name in sorted(known)))
        walked = WalkState(cursor=None, server_has_more=False, updated_at=NOW)
        ledger.set_walk_state(ADDRESS, Scope.OWN, walked)
        reading = Reading(ledger)
        order = sorted(left)
        pages = [order[at : at + size] for at in range(0, len(order), size)] or [[]]
        for number, names_ in enumerate(pages):
            assert reading.end() == []
            reading.read("".join(names_), more=number + 1 < len(pages))
            if number in restarts:
                reading = Reading(ledger)
        book.record(*(aged(name) for name in sorted(seen_by_polls)), at=LATER)
        assert set(reading.end()) == known - left - seen_by_polls
        assert reading.end() == []
