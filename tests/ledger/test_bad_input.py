"""What a server must not do and a clock may: nothing is overwritten, nothing counted twice.

Files that are no ledger, newer, damaged or read-only, and disks that are full, are in
`tests.ledger.test_database`; the same while opdash runs, in `tests.service.test_bad_input`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import (
    NEWEST_FIRST,
    Anomaly,
    Creation,
    CreationStatus,
    PaymentRow,
    Scope,
    Source,
    TimelineKind,
    WalkState,
)
from opdash.ledger.scans import Scan
from opdash.ledger.states import State
from opdash.ledger.store import Ledger
from opdash.openpayments.resources import IncomingPaymentPage, Pagination
from tests.ledger.builders import ADDRESS, GRACE, NOW, Book, names, page_place, payment, payment_id

SOON = NOW + timedelta(seconds=5)
DAYS = timedelta(days=3)


def row(reader: LedgerReader, name: str = "p") -> PaymentRow:
    found = reader.payment(ADDRESS, payment_id(name))
    assert found is not None
    return found


class TestAServerThatGoesBackInTime:
    """An older representation after a newer one."""

    def test_money_that_vanishes_is_an_anomaly_and_stays_in_the_time_line(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(payment(received=400))
        book.record(payment(received=1000, completed=True), at=SOON)
        (change,) = book.record(payment(received=400), at=SOON + timedelta(seconds=5))
        assert change.payment.anomalies == (Anomaly.REOPENED, Anomaly.RECEIVED_FELL)
        assert change.payment.needs_action
        entries = reader.timeline(ADDRESS, payment_id("p"))
        steps = [(entry.kind, entry.received, entry.delta) for entry in entries]
        assert steps[:3] == [
            (TimelineKind.FIRST_SEEN, 400, 400),
            (TimelineKind.RECEIVED, 1000, 600),
            (TimelineKind.COMPLETED, 1000, None),
        ]
        assert (TimelineKind.FELL, 400, -600) in steps
        assert sum(entry.delta or 0 for entry in entries) == row(reader).received
        (wallet,) = reader.wallets()
        assert wallet.received_total == 400

    def test_it_is_announced_once_however_often_it_goes_to_and_fro(self, book: Book) -> None:
        told: list[str | None] = []
        book.record(payment())
        for _ in range(3):
            for received, completed in ((1000, True), (0, False)):
                changes = book.record(payment(received=received, completed=completed), at=SOON)
                told += [change.announce for change in changes]
        assert [one for one in told if one] == ["paid"]

    def test_an_answer_that_was_late_overwrites_nothing(
        self, book: Book, reader: LedgerReader
    ) -> None:
        """It was sent before what is known by now was asked for."""
        book.record(payment())
        ticket = book.ledger.ticket(ADDRESS)
        book.record(payment(received=1000, completed=True), at=SOON, source=Source.GET)
        assert book.record(payment(received=400), at=SOON, ticket=ticket) == ()
        assert (row(reader).received, row(reader).anomalies) == (1000, ())


class TestAServerThatReordersOrRepeatsPages:
    """The URL is the only key: what comes again is the same payment."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_in_any_order_and_any_number_of_times_they_are_the_same_payments(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        listed = [
            payment(f"p{number}", received=number, created=NOW - timedelta(seconds=number // 3))
            for number in range(12)
        ]
        pages = [listed[start : start + 4] for start in range(0, 12, 4)]
        sent = data.draw(st.lists(st.sampled_from(pages), max_size=6)) + pages
        shuffled = [data.draw(st.permutations(page)) for page in data.draw(st.permutations(sent))]
        book = Book(tmp_path_factory.mktemp("pages") / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            new = 0
            for page in shuffled:
                place = page_place(start=page[0].id, end=page[-1].id, more=True)
                new += len(book.record(*page, page=place, at=SOON))
            assert new == 12
            rows = reader.window(ADDRESS, NEWEST_FIRST)
            assert sorted(names(rows)) == sorted(f"p{number}" for number in range(12))
            created = [one.created_at for one in rows]
            assert created == sorted(created, reverse=True)
            (wallet,) = reader.wallets()
            assert (wallet.known, wallet.received_total) == (12, sum(range(12)))
            for one in rows:
                assert len(reader.timeline(ADDRESS, one.id)) == 1

    def scan(self, ledger: Ledger, *pages: list[tuple[str, int]]) -> Scan:
        """Read pages of payments, each so many minutes old."""
        scan, ticket = ledger.begin_scan(ADDRESS, Scope.OWN, SOON, anew=True)
        for number, page in enumerate(pages, start=1):
            there = Pagination(
                start_cursor=page[0][0], end_cursor=page[-1][0], has_next_page=number < len(pages)
            )
            result = tuple(
                payment(name, created=NOW - timedelta(minutes=age)) for name, age in page
            )
            scanned = ledger.record_scanned(
                ADDRESS,
                IncomingPaymentPage(there, result),
                scan,
                at=SOON,
                scope=Scope.OWN,
                grace=GRACE,
                ticket=ticket,
            )
            scan, ticket = scanned.scan, scanned.ticket
        return scan

    @pytest.mark.parametrize(
        "pages",
        [
            [[("a", 1), ("c", 3)], [("b", 2), ("d", 4)]],
            [[("c", 3), ("d", 4)], [("a", 1), ("b", 2)]],
            [[("b", 2), ("a", 1), ("c", 3)], [("d", 4)]],
        ],
    )
    def test_a_list_that_moves_while_it_is_read_proves_nothing_gone(
        self, book: Book, reader: LedgerReader, pages: list[list[tuple[str, int]]]
    ) -> None:
        book.record(payment("elsewhere", created=NOW - timedelta(minutes=9)))
        scan = self.scan(book.ledger, *pages)
        assert scan.walked
        assert not scan.proves
        assert book.ledger.end_scan(ADDRESS, Scope.OWN, at=SOON, grace=GRACE) == ()
        assert reader.scan(ADDRESS, Scope.OWN).ended_at == SOON

    @pytest.mark.parametrize(
        "pages",
        [
            [[("a", 1), ("b", 2)], [("c", 3), ("d", 4)]],
            [[("d", 4), ("c", 3)], [("b", 2), ("a", 1)]],
            [[("a", 1), ("b", 1)], [("c", 1)]],
        ],
    )
    def test_one_that_stands_still_does_either_way_round(
        self, book: Book, pages: list[list[tuple[str, int]]]
    ) -> None:
        book.record(payment("elsewhere", created=NOW - timedelta(minutes=9)))
        assert self.scan(book.ledger, *pages).proves
        (change,) = book.ledger.end_scan(ADDRESS, Scope.OWN, at=SOON, grace=GRACE)
        assert change.payment.id == payment_id("elsewhere")


class TestAServersClockThatJumps:
    """Ahead by days, and back: what time alone has moved moves back, and is asked for again."""

    @pytest.fixture
    def jumped(self, book: Book) -> Book:
        """A ledger that was polled, and polled again by a clock that was three days ahead."""
        soon = NOW + timedelta(hours=1)
        book.record(
            payment("open", expires=soon),
            payment("part", received=10, expires=soon),
            payment("settling", received=1000, expires=None),
            payment("endless", expires=None),
            payment("closed", received=1000, completed=True),
        )
        self.poll(book, NOW + DAYS)
        return book

    def poll(self, book: Book, now: datetime) -> set[str]:
        """Tell that a poll was answered, and let time do its work; gives what changed."""
        book.ledger.set_last_poll(ADDRESS, now)
        return set(names([change.payment for change in book.advance(now)]))

    def states(self, reader: LedgerReader) -> dict[str, State]:
        return {one.id.rpartition("/")[2]: one.state for one in reader.window(ADDRESS)}

    def test_states_move_back(self, jumped: Book, reader: LedgerReader) -> None:
        assert self.states(reader)["open"] is State.EXPIRED_UNPAID
        assert row(reader, "settling").needs_action
        assert self.poll(jumped, SOON) == {"open", "part", "settling"}
        assert self.states(reader) == {
            "open": State.UNPAID,
            "part": State.PARTIAL,
            "settling": State.SETTLING,
            "endless": State.UNPAID,
            "closed": State.PAID,
        }
        assert not row(reader, "settling").needs_action
        later = NOW + timedelta(hours=2)
        assert self.poll(jumped, later) == {"open", "part", "settling"}
        assert self.states(reader)["part"] is State.EXPIRED_PARTIAL

    def test_they_are_asked_for_again(self, jumped: Book, reader: LedgerReader) -> None:
        assert payment_id("open") not in {one.id for one in reader.changeable(ADDRESS)}
        jumped.record(payment("endless", expires=None), at=NOW + DAYS)
        self.poll(jumped, SOON)
        found = {one.id: one for one in reader.changeable(ADDRESS)}
        assert payment_id("open") in found
        assert all(one.last_seen_at <= SOON for one in found.values())

    def test_the_next_scan_is_due_when_it_was(self, jumped: Book, reader: LedgerReader) -> None:
        ledger, ahead = jumped.ledger, NOW + DAYS
        walked = WalkState(cursor="c", server_has_more=False, updated_at=ahead)
        ledger.set_walk_state(ADDRESS, Scope.OWN, walked)
        scan, ticket = ledger.begin_scan(ADDRESS, Scope.OWN, ahead)
        ledger.record_scanned(
            ADDRESS,
            IncomingPaymentPage(),
            scan,
            at=ahead,
            scope=Scope.OWN,
            grace=GRACE,
            ticket=ticket,
        )
        ledger.end_scan(ADDRESS, Scope.OWN, at=ahead, grace=GRACE)
        self.poll(jumped, SOON)
        walk = reader.walk_state(ADDRESS, Scope.OWN)
        assert walk is not None
        assert (walk.updated_at, reader.scan(ADDRESS, Scope.OWN).ended_at) == (SOON, SOON)

    def test_an_unanswered_creation_is_looked_for_where_it_may_be(
        self, jumped: Book, reader: LedgerReader
    ) -> None:
        jumped.ledger.begin_creation(
            Creation(
                request_id="r-1",
                wallet=ADDRESS,
                draft_json="{}",
                status=CreationStatus.UNKNOWN,
                created_at=NOW + DAYS,
                updated_at=NOW + DAYS,
            )
        )
        self.poll(jumped, SOON)
        (creation,) = reader.unresolved_creations(ADDRESS)
        assert (creation.created_at, creation.updated_at) == (SOON, SOON)

    def test_the_time_line_keeps_the_order_of_what_was_seen(
        self, jumped: Book, reader: LedgerReader
    ) -> None:
        jumped.record(payment("endless", received=5, expires=None), at=NOW + DAYS)
        self.poll(jumped, SOON)
        jumped.record(payment("endless", received=9, expires=None), at=SOON)
        entries = reader.timeline(ADDRESS, payment_id("endless"))
        assert [entry.received for entry in entries] == [0, 5, 9]
        assert [entry.at for entry in entries] == [NOW, NOW + DAYS, SOON]

    def test_small_corrections_are_none_of_this(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(), at=NOW)
        self.poll(book, NOW + timedelta(seconds=30))
        before = reader.revision(ADDRESS)
        assert self.poll(book, NOW) == set()
        assert reader.revision(ADDRESS) == before


def test_another_wallets_payment_is_kept_apart(book: Book, reader: LedgerReader) -> None:
    """It is shown with its anomaly; the one that was known is not touched."""
    book.record(payment("p", received=5))
    stranger = msgspec.structs.replace(
        payment("stranger", received=7), wallet_address="https://wallet.example/mallory"
    )
    (change,) = book.record(stranger, at=SOON)
    assert change.payment.anomalies == (Anomaly.OTHER_WALLET,)
    assert (row(reader).received, row(reader).anomalies) == (5, ())
