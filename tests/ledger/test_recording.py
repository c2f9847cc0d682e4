"""What an answer of the server does to what was known of a payment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import (
    ANOMALY_TEXT,
    Anomaly,
    ChangeKind,
    PaymentRow,
    Scope,
    Source,
    TimelineEntry,
    TimelineKind,
)
from opdash.ledger.states import State
from opdash.openpayments.amounts import Amount, Asset
from opdash.openpayments.resources import IncomingPayment, PaymentMethod
from opdash.openpayments.secrets import Secret
from tests.ledger.builders import ADDRESS, GRACE, NOW, OTHER, Book, names, payment, payment_id

SOON = NOW + timedelta(seconds=5)
LATER = NOW + timedelta(minutes=5)


def row(reader: LedgerReader, name: str = "p") -> PaymentRow:
    found = reader.payment(ADDRESS, payment_id(name))
    assert found is not None
    return found


def steps(reader: LedgerReader, name: str = "p") -> list[tuple[TimelineKind, int | None]]:
    return [(entry.kind, entry.delta) for entry in reader.timeline(ADDRESS, payment_id(name))]


class TestRepresentation:
    """The latest representation, as it was sent."""

    def test_a_new_payment(self, book: Book, reader: LedgerReader) -> None:
        sent = (
            '{ "externalRef": "INV-7", "b":1.50, "a":"\\u001b[31m", "description":"Two\\nlamps" }'
        )
        (change,) = book.record(
            payment(asked=1000, received=250, metadata=sent, created=NOW - timedelta(hours=1)),
            scope=Scope.EVERYTHING,
        )
        assert change.kind is ChangeKind.NEW
        assert change.previous is None
        assert change.payment == row(reader)
        assert change.payment == PaymentRow(
            id=payment_id("p"),
            wallet=ADDRESS,
            state=State.PARTIAL,
            final=False,
            needs_action=False,
            not_completed_by_server=False,
            no_longer_at_server=False,
            next_change_at=NOW + timedelta(days=2),
            asked=1000,
            asked_asset=Asset("USD", 2),
            received=250,
            received_asset=Asset("USD", 2),
            difference=-750,
            completed=False,
            created_at=NOW - timedelta(hours=1),
            expires_at=NOW + timedelta(days=2),
            reference="INV-7",
            description="Two\nlamps",
            metadata_json=sent,
            first_seen_at=NOW,
            last_seen_at=NOW,
            changed_at=NOW,
            gone_at=None,
            reached_at=None,
            scope=Scope.EVERYTHING,
            anomalies=(),
        )

    def test_the_whole_range_of_amounts(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(asked=2**64 - 1, received=2**64 - 1))
        assert (row(reader).asked, row(reader).received) == (2**64 - 1, 2**64 - 1)
        assert row(reader).difference == 0

    def test_nothing_asked(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(asked=None, received=3, expires=None))
        assert (row(reader).asked, row(reader).asked_asset) == (None, None)
        assert (row(reader).difference, row(reader).expires_at) == (None, None)

    def test_instants_come_back_in_utc(self, book: Book, reader: LedgerReader) -> None:
        created = datetime(2026, 11, 20, 14, tzinfo=timezone(timedelta(hours=2)))
        book.record(payment(created=created))
        assert row(reader).created_at == created
        assert row(reader).created_at.tzinfo is UTC

    def test_instants_beyond_the_calendar_are_taken(self, book: Book, reader: LedgerReader) -> None:
        beyond = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))
        before = datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))
        book.record(payment(created=before, expires=beyond))
        book.record(payment(created=before, expires=beyond, received=1), at=SOON)
        assert row(reader).state is State.PARTIAL
        assert book.advance(NOW + timedelta(days=900)) == ()

    def test_seen_again_and_the_same(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(metadata={"a": 1}))
        assert book.record(payment(metadata={"a": 1}), at=SOON) == ()
        assert row(reader).last_seen_at == SOON
        assert row(reader).changed_at == NOW
        assert len(steps(reader)) == 1

    def test_methods_take_no_part_and_are_not_kept(self, book: Book, reader: LedgerReader) -> None:
        secret = PaymentMethod("ilp", "test.rosa.SECRET", Secret("SHARED-SECRET"))
        book.record(payment())
        with_methods = msgspec.structs.replace(payment(), methods=(secret,))
        assert book.record(with_methods, source=Source.GET, at=SOON) == ()
        assert len(steps(reader)) == 1
        stored = b"".join(path.read_bytes() for path in book.path.parent.iterdir())
        assert b"SECRET" not in stored

    def test_metadata_in_another_key_order_is_no_change(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(payment(metadata='{"a":1,"b":2}'))
        assert book.record(payment(metadata='{"b":2,"a":1}'), at=SOON) == ()
        assert row(reader).metadata_json == '{"a":1,"b":2}'

    def test_changed_metadata_is_kept_with_what_it_was(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(payment(metadata='{"externalRef":"A"}'))
        (change,) = book.record(payment(metadata='{"externalRef":"B"}'), at=SOON)
        assert change.kind is ChangeKind.CHANGED
        assert change.previous is not None
        assert (change.previous.reference, change.payment.reference) == ("A", "B")
        assert reader.timeline(ADDRESS, payment_id("p"))[-1] == TimelineEntry(
            at=SOON,
            kind=TimelineKind.METADATA,
            source=Source.LIST,
            received=0,
            text='{"externalRef":"A"}',
        )

    def test_a_get_that_prints_the_creation_less_finely_moves_nothing(
        self, book: Book, reader: LedgerReader
    ) -> None:
        fine = NOW.replace(microsecond=123000)
        book.record(payment(created=fine))
        assert book.record(payment(created=NOW), source=Source.GET, at=SOON) == ()
        assert row(reader).created_at == fine

    def test_the_lists_creation_wins(self, book: Book, reader: LedgerReader) -> None:
        fine = NOW.replace(microsecond=123000)
        book.record(payment(created=NOW), source=Source.CREATE)
        assert book.record(payment(created=fine), at=SOON) == ()
        assert row(reader).created_at == fine


class TestTimeline:
    """The time line is every step that was observed."""

    def test_money_comes_in_parts(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(received=0))
        book.record(payment(received=300), at=SOON, source=Source.GET)
        book.record(payment(received=1000, completed=True), at=LATER, source=Source.COMPLETE)
        assert reader.timeline(ADDRESS, payment_id("p")) == (
            TimelineEntry(at=NOW, kind=TimelineKind.FIRST_SEEN, source=Source.LIST, received=0),
            TimelineEntry(
                at=SOON, kind=TimelineKind.RECEIVED, source=Source.GET, received=300, delta=300
            ),
            TimelineEntry(
                at=LATER,
                kind=TimelineKind.RECEIVED,
                source=Source.COMPLETE,
                received=1000,
                delta=700,
            ),
            TimelineEntry(
                at=LATER, kind=TimelineKind.COMPLETED, source=Source.COMPLETE, received=1000
            ),
        )

    def test_what_is_there_at_first_sight(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(received=40))
        assert steps(reader) == [(TimelineKind.FIRST_SEEN, 40)]

    def test_the_first_instant_of_full_coverage_is_kept(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(payment(received=10))
        book.record(payment(received=1000), at=SOON)
        book.record(payment(received=1001), at=LATER)
        assert row(reader).reached_at == SOON

    def test_changes_of_what_was_asked_and_of_the_expiry(
        self, book: Book, reader: LedgerReader
    ) -> None:
        expires = NOW + timedelta(days=1)
        book.record(payment(asked=None, expires=expires))
        book.record(payment(asked=700, expires=None), at=SOON)
        book.record(payment(asked=700, expires=None, scale=3), at=LATER)
        told = [(entry.kind, entry.text) for entry in reader.timeline(ADDRESS, payment_id("p"))]
        assert told == [
            (TimelineKind.FIRST_SEEN, ""),
            (TimelineKind.ASKED, ""),
            (TimelineKind.EXPIRY, expires.isoformat()),
            (TimelineKind.ANOMALY, Anomaly.ASKED_CHANGED),
            (TimelineKind.ASKED, "700 USD 2"),
            (TimelineKind.ANOMALY, Anomaly.ASSET_CHANGED),
        ]

    def test_what_opdash_did(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(), source=Source.CREATE)
        for kind in (TimelineKind.CREATED, TimelineKind.CREATED, TimelineKind.COMPLETING):
            book.ledger.record_action(ADDRESS, payment_id("p"), kind, at=SOON)
        book.ledger.record_action(
            ADDRESS, payment_id("p"), TimelineKind.NOTE, at=LATER, text="refused: 409"
        )
        assert [kind for kind, _ in steps(reader)] == [
            TimelineKind.CREATED,
            TimelineKind.COMPLETING,
            TimelineKind.NOTE,
        ]
        assert reader.timeline(ADDRESS, payment_id("p"))[-1].text == "refused: 409"

    def test_a_creation_that_was_found_later(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment())
        book.ledger.record_action(ADDRESS, payment_id("p"), TimelineKind.CREATED, at=SOON)
        assert [kind for kind, _ in steps(reader)] == [
            TimelineKind.FIRST_SEEN,
            TimelineKind.CREATED,
        ]

    def test_an_unknown_payment_has_none(self, reader: LedgerReader) -> None:
        assert reader.timeline(ADDRESS, payment_id("unknown")) == ()


class TestAnomalies:
    """What a server must not do is seen, kept, and never forgotten."""

    @pytest.mark.parametrize(
        ("before", "after", "anomaly"),
        [
            (payment(received=5), payment(received=4), Anomaly.RECEIVED_FELL),
            (payment(completed=True), payment(), Anomaly.REOPENED),
            (payment(asked=5), payment(asked=6), Anomaly.ASKED_CHANGED),
            (payment(asked=5), payment(asked=None), Anomaly.ASKED_CHANGED),
            (payment(asked=None), payment(asked=5), Anomaly.ASKED_CHANGED),
            (payment(code="USD"), payment(code="EUR"), Anomaly.ASSET_CHANGED),
            (payment(scale=2), payment(scale=3), Anomaly.ASSET_CHANGED),
            (
                payment(asked=None, scale=2, received=50),
                payment(asked=None, scale=3, received=5),
                Anomaly.ASSET_CHANGED,
            ),
            (payment(), payment(asked_code="EUR"), Anomaly.ASSETS_DIFFER),
            (payment(), payment(wallet="https://wallet.example/eve"), Anomaly.OTHER_WALLET),
            (payment(), payment(asked=0), Anomaly.ASKED_ZERO),
        ],
    )
    def test_each_is_found_and_sticks(
        self,
        book: Book,
        reader: LedgerReader,
        before: IncomingPayment,
        after: IncomingPayment,
        anomaly: Anomaly,
    ) -> None:
        book.record(before)
        assert row(reader).anomalies == ()
        (change,) = book.record(after, at=SOON)
        assert anomaly in change.payment.anomalies
        assert change.payment.needs_action
        book.record(before, at=LATER)
        book.record(after, at=LATER)
        assert row(reader).needs_action
        lines = reader.timeline(ADDRESS, payment_id("p"))
        assert [line.text for line in lines].count(anomaly) == 1

    def test_only_the_one_is_found(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(received=5))
        book.record(payment(received=4), at=SOON)
        assert row(reader).anomalies == (Anomaly.RECEIVED_FELL,)
        assert steps(reader)[1] == (TimelineKind.FELL, -1)
        book.record(payment(received=3), at=LATER)
        assert steps(reader)[-1] == (TimelineKind.FELL, -1)

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/incoming-payments/p",
            "http://rs.example/tenant/incoming-payments/p",
            "https://rs.example:8443/tenant/incoming-payments/p",
            "https://rs.example.evil.example/p",
            "https://rs.example@evil.example/p",
            "javascript:alert(1)",
            "p",
            "",
        ],
    )
    def test_another_origin(self, book: Book, url: str) -> None:
        (change,) = book.record(payment(url=url))
        assert change.payment.anomalies == (Anomaly.OTHER_ORIGIN,)
        assert change.payment.id == url

    @pytest.mark.parametrize(
        "url",
        [
            "https://rs.example/other-tenant/p",
            "https://rs.example:443/p",
            "https://RS.example/p",
        ],
    )
    def test_the_same_origin_written_otherwise(self, book: Book, url: str) -> None:
        (change,) = book.record(payment(url=url))
        assert change.payment.anomalies == ()

    def test_a_server_with_a_port_of_its_own(self, book: Book) -> None:
        server = msgspec.structs.replace(OTHER, resource_server="http://127.0.0.1:8123/rs")
        book.ledger.remember_wallet(server, NOW)
        ours = payment(url="http://127.0.0.1:8123/rs/p", wallet=OTHER.id)
        theirs = payment(url="http://127.0.0.1:8124/rs/p", wallet=OTHER.id)
        first, second = book.record(ours, theirs, wallet_id=OTHER.id)
        assert first.payment.anomalies == ()
        assert second.payment.anomalies == (Anomaly.OTHER_ORIGIN,)

    def test_a_trailing_slash_is_the_same_wallet_address(self, book: Book) -> None:
        (change,) = book.record(payment(wallet=f"{ADDRESS}/"))
        assert change.payment.anomalies == ()

    def test_different_assets_have_no_difference(self, book: Book) -> None:
        (change,) = book.record(payment(asked_code="EUR", received=5))
        assert change.payment.state is State.ANOMALY
        assert change.payment.difference is None

    def test_each_has_its_words(self) -> None:
        assert set(ANOMALY_TEXT) == set(Anomaly)


class TestAnnouncements:
    """Paid and received are told once per payment, ever."""

    def test_a_payment_is_paid(self, book: Book) -> None:
        book.record(payment())
        assert [c.announce for c in book.record(payment(received=1000), at=SOON)] == [None]
        (change,) = book.record(payment(received=1000, completed=True), at=LATER)
        assert change.announce == "paid"
        (change,) = book.record(payment(received=1001, completed=True), at=LATER)
        assert change.payment.state is State.OVERPAID
        assert change.announce is None

    def test_money_that_nobody_asked_for_is_received(self, book: Book) -> None:
        book.record(payment(asked=None))
        (change,) = book.record(payment(asked=None, received=5, completed=True), at=SOON)
        assert change.announce == "received"

    def test_once_across_restarts(self, book: Book) -> None:
        book.record(payment())
        book.record(payment(received=1000, completed=True), at=SOON)
        book.ledger.close()
        again = Book(book.path)
        with again.ledger:
            book_changes = again.record(payment(received=1000), at=LATER)
            book_changes += again.record(payment(received=1000, completed=True), at=LATER)
        assert [change.announce for change in book_changes] == [None, None]

    def test_by_time_alone(self, book: Book) -> None:
        book.record(payment(received=1000, expires=LATER))
        book.record(payment("free", asked=None, received=7, expires=LATER))
        changes = book.advance(LATER + GRACE)
        assert {change.payment.state for change in changes} == {State.PAID, State.RECEIVED}
        assert {change.announce for change in changes} == {"paid", "received"}
        assert all(change.kind is ChangeKind.TIME for change in changes)
        completed = payment(received=1000, expires=LATER, completed=True)
        (change,) = book.record(completed, at=LATER + timedelta(minutes=1))
        assert change.announce is None

    def test_old_ones_found_while_walking_back_are_no_news(self, book: Book) -> None:
        old = NOW - timedelta(days=3)
        changes = book.record(
            payment("new", created=NOW),
            payment("old", created=old, received=1000, completed=True),
            payment("tip", created=old, asked=None, received=3, completed=True),
        )
        assert [change.announce for change in changes] == [None] * 3
        changes = book.record(
            payment("old", created=old, received=1001, completed=True),
            payment("older", created=old, received=1000, completed=True),
            at=LATER,
        )
        assert [change.announce for change in changes] == [None] * 2

    def test_an_old_one_that_is_paid_before_our_eyes_is_news(self, book: Book) -> None:
        old = payment(created=NOW - timedelta(days=3))
        book.record(old)
        changes = book.record(
            msgspec.structs.replace(
                payment(received=1000, completed=True), created_at=old.created_at
            ),
            at=SOON,
        )
        assert [change.announce for change in changes] == ["paid"]

    def test_one_created_and_paid_between_two_polls_is_news(self, book: Book) -> None:
        book.record(payment("first"))
        (change,) = book.record(
            payment("quick", created=SOON, received=1000, completed=True), at=LATER
        )
        assert change.announce == "paid"

    def test_one_that_is_twice_in_a_page_is_paid_once(self, book: Book) -> None:
        book.record(payment())
        paid = payment(received=1000, completed=True)
        (change,) = book.record(paid, paid, at=SOON)
        assert change.announce == "paid"

    def test_watching_begins_with_the_first_answer_even_an_empty_one(self, book: Book) -> None:
        book.record()
        (change,) = book.record(payment(created=SOON, received=1000, completed=True), at=LATER)
        assert change.announce == "paid"


class TestGone:
    """A payment is gone only on evidence, and back when it is seen."""

    def test_gone_and_seen_again(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(received=5))
        (gone,) = book.mark_gone("p", at=SOON)
        assert gone.kind is ChangeKind.GONE
        assert gone.payment.state is State.UNAVAILABLE
        assert gone.payment.no_longer_at_server
        assert gone.payment.gone_at == gone.payment.changed_at == SOON
        assert gone.payment == row(reader)
        assert book.mark_gone("p", at=LATER) == ()
        (back,) = book.record(payment(received=9), at=LATER)
        assert back.kind is ChangeKind.BACK
        assert back.payment.state is State.PARTIAL
        assert back.payment.gone_at is None
        assert back.payment == row(reader)
        assert steps(reader)[1:] == [
            (TimelineKind.GONE, None),
            (TimelineKind.BACK, None),
            (TimelineKind.RECEIVED, 4),
        ]

    @pytest.mark.parametrize(
        ("seen_under", "gone_under", "is_evidence"),
        [
            (Scope.OWN, Scope.OWN, True),
            (Scope.OWN, Scope.EVERYTHING, True),
            (Scope.EVERYTHING, Scope.EVERYTHING, True),
            (Scope.EVERYTHING, Scope.OWN, False),
        ],
    )
    def test_a_narrower_scope_is_no_evidence(
        self, book: Book, seen_under: Scope, gone_under: Scope, is_evidence: bool
    ) -> None:
        book.record(payment(), scope=seen_under)
        assert bool(book.mark_gone("p", at=SOON, scope=gone_under)) is is_evidence

    def test_the_last_scope_counts(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(), scope=Scope.EVERYTHING)
        book.record(payment(), scope=Scope.OWN, at=SOON)
        assert row(reader).scope is Scope.OWN
        assert book.mark_gone("p", at=LATER, scope=Scope.OWN)

    def test_an_unknown_payment_cannot_go(self, book: Book) -> None:
        assert book.mark_gone("unknown") == ()

    def test_an_unpaid_one_expires_though_it_is_gone(self, book: Book) -> None:
        book.record(payment(expires=LATER))
        (gone,) = book.mark_gone("p", at=SOON)
        assert gone.payment.state is State.UNAVAILABLE
        (change,) = book.advance(LATER)
        assert change.payment.state is State.EXPIRED_UNPAID
        assert change.payment.no_longer_at_server

    def test_one_found_gone_after_its_expiry(self, book: Book) -> None:
        book.record(payment(expires=SOON))
        (gone,) = book.mark_gone("p", at=LATER)
        assert gone.payment.state is State.EXPIRED_UNPAID


class TestTickets:
    """An answer that was on its way cannot overwrite what was observed meanwhile."""

    def test_an_older_answer_changes_nothing(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(), payment("q"))
        ticket = book.ledger.ticket(ADDRESS)
        book.record(payment(received=500), source=Source.GET, at=SOON)
        changes = book.record(payment(received=0), payment("q", received=7), at=SOON, ticket=ticket)
        assert names([change.payment for change in changes]) == ["q"]
        assert row(reader).received == 500
        assert row(reader).anomalies == ()

    def test_a_newer_answer_counts(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment())
        ticket = book.ledger.ticket(ADDRESS)
        assert book.record(payment(received=500), at=SOON, ticket=ticket)
        assert row(reader).received == 500

    def test_an_older_absence_is_no_evidence(self, book: Book) -> None:
        ticket = book.ledger.ticket(ADDRESS)
        book.record(payment())
        assert book.mark_gone("p", ticket=ticket) == ()
        assert book.mark_gone("p", ticket=book.ledger.ticket(ADDRESS))

    def test_an_older_page_does_not_bring_one_back(self, book: Book) -> None:
        book.record(payment())
        ticket = book.ledger.ticket(ADDRESS)
        book.mark_gone("p", at=SOON)
        assert book.record(payment(), at=SOON, ticket=ticket) == ()

    def test_an_old_answer_may_still_show_new_payments(self, book: Book) -> None:
        ticket = book.ledger.ticket(ADDRESS)
        book.record(payment("q"), at=SOON)
        changes = book.record(payment(), payment("q", received=1), at=SOON, ticket=ticket)
        assert names([change.payment for change in changes]) == ["p"]


class TestTime:
    """States move by time alone, also in the ledger."""

    def test_the_way_of_an_expiry(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(received=5, expires=LATER))
        assert book.advance(LATER - timedelta(microseconds=1)) == ()
        (expiring,) = book.advance(LATER)
        assert expiring.payment.state is State.EXPIRING
        assert expiring.payment.next_change_at == LATER + GRACE
        (expired,) = book.advance(LATER + GRACE)
        assert expired.payment.state is State.EXPIRED_PARTIAL
        assert expired.payment.needs_action
        assert not expired.payment.final
        assert expired.payment == row(reader)
        assert book.advance(LATER + timedelta(hours=25)) == ()
        assert row(reader).final
        assert row(reader).next_change_at is None
        assert [kind for kind, _ in steps(reader)] == [TimelineKind.FIRST_SEEN]

    def test_settling_for_too_long(self, book: Book) -> None:
        book.record(payment(received=1000))
        (change,) = book.advance(NOW + timedelta(minutes=10, microseconds=1))
        assert change.payment.state is State.SETTLING
        assert change.payment.needs_action

    def test_many_at_once(self, book: Book, reader: LedgerReader) -> None:
        book.record(*(payment(f"p{n}", expires=LATER) for n in range(1201)))
        changes = book.advance(LATER + timedelta(days=9))
        assert len(changes) == 1201
        assert {change.payment.state for change in changes} == {State.EXPIRED_UNPAID}
        assert reader.changeable(ADDRESS) == ()

    def test_seen_the_same_after_its_state_moved(self, book: Book) -> None:
        book.record(payment(expires=LATER))
        (change,) = book.record(payment(expires=LATER), at=LATER)
        assert change.kind is ChangeKind.TIME
        assert change.payment.state is State.EXPIRING
        assert book.advance(LATER) == ()

    def test_seen_the_same_after_it_became_final(self, book: Book, reader: LedgerReader) -> None:
        expired = payment(received=5, expires=NOW - timedelta(hours=1))
        book.record(expired)
        assert book.record(expired, at=NOW + timedelta(days=1)) == ()
        assert row(reader).final
        assert row(reader).next_change_at is None
        assert reader.changeable(ADDRESS) == ()

    def test_a_clock_that_jumps_back_loses_nothing(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment(received=5), at=LATER)
        (change,) = book.record(payment(received=7), at=NOW - timedelta(days=9))
        assert change.payment.received == 7
        book.record(payment(received=9), at=LATER)
        assert [delta for _, delta in steps(reader)] == [5, 2, 2]
        assert row(reader).anomalies == ()


class TestPages:
    """A server may repeat, reorder and forget."""

    def test_a_payment_twice_in_a_page(self, book: Book, reader: LedgerReader) -> None:
        changes = book.record(payment("a"), payment("b"), payment("a", received=5))
        assert [(change.kind, change.payment.received) for change in changes] == [
            (ChangeKind.NEW, 5),
            (ChangeKind.NEW, 0),
        ]
        assert reader.count(ADDRESS) == 2
        assert reader.wallets()[0].received_total == 5

    def test_an_empty_page(self, book: Book) -> None:
        assert book.record() == ()

    def test_a_page_of_three_hundred(self, book: Book, reader: LedgerReader) -> None:
        page = [payment(f"p{n}", created=NOW - timedelta(seconds=n)) for n in range(300)]
        assert len(book.record(*page)) == 300
        assert book.record(*page, at=SOON) == ()
        assert reader.count(ADDRESS) == 300

    def test_the_same_url_under_two_wallet_addresses(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.ledger.remember_wallet(OTHER, NOW)
        book.record(payment(received=1))
        book.record(payment(received=2), wallet_id=OTHER.id)
        assert row(reader).received == 1
        other = reader.payment(OTHER.id, payment_id("p"))
        assert other is not None
        assert other.received == 2
        assert Anomaly.OTHER_WALLET in other.anomalies


def test_a_failed_record_leaves_nothing_behind(book: Book, reader: LedgerReader) -> None:
    book.record(payment("a"))
    broken = msgspec.structs.replace(
        payment("c", code="NEW"), received_amount=broken_amount("not a number")
    )
    with pytest.raises(ValueError, match="not a number"):
        book.record(payment("b", code="NEW"), broken, at=SOON)
    assert reader.count(ADDRESS) == 1
    assert book.record(payment("b", code="NEW"), at=LATER)
    assert reader.payment(ADDRESS, payment_id("b")) is not None


def broken_amount(value: str) -> Amount:
    return msgspec.structs.replace(payment().received_amount, value=value)
