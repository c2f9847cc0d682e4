"""What people write on payments, and how they settle them."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.errors import InputError, LedgerError
from opdash.ledger.care import check, compact, move, set_figures_right
from opdash.ledger.folds import FoldRule
from opdash.ledger.note_texts import (
    read_label,
    read_labels,
    read_standing,
    read_text,
    write_standing,
)
from opdash.ledger.notes import (
    LONGEST_LABEL,
    LONGEST_TEXT,
    MOST_LABELS,
    NO_NOTE,
    Edit,
    Label,
    Resolution,
    folded_note,
    is_outdated,
    standing_of,
    why_outdated,
)
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Change, ChangeKind, PaymentRow, Source, TimelineKind
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from opdash.ledger.states import State
from opdash.ledger.store import Ledger
from opdash.openpayments.resources import IncomingPayment
from tests.ledger.builders import (
    ADDRESS,
    GRACE,
    NOW,
    OTHER,
    WALLET,
    Book,
    names,
    payment,
    payment_id,
)
from tests.ledger.search.queries import EDITS

SOON = NOW + timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)
ACCEPTED, REFUNDED, NONE = Resolution.ACCEPTED, Resolution.REFUNDED, Resolution.NONE
SHORT = payment("p", received=400, completed=True)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "ledger.sqlite3")
    with book.ledger:
        yield book


@pytest.fixture
def reader(book: Book) -> Iterator[LedgerReader]:
    with LedgerReader.open(book.path) as reader:
        yield reader


def write(book: Book, name: str = "p", *, at: datetime = SOON, **edit: Any) -> tuple[Change, ...]:
    return book.ledger.write_note(ADDRESS, payment_id(name), Edit(**edit), at=at, grace=GRACE)


def known(reader: LedgerReader, name: str = "p") -> PaymentRow:
    row = reader.payment(ADDRESS, payment_id(name))
    assert row is not None
    return row


def counted(reader: LedgerReader) -> int:
    """Return how many payments need action, as the screen, the summary and searches say."""
    summary = reader.summary(ADDRESS, day_start=NOW, now=NOW)
    found = reader.window(ADDRESS, query=read_query("is:action", Moment(NOW)))
    assert summary.needs_action == len(found) == sum(r.needs_action for r in reader.window(ADDRESS))
    return summary.needs_action


class TestWriting:
    """What stands, and what stood before."""

    def test_what_was_written_stands_with_its_instants(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(SHORT)
        revision = reader.revision(ADDRESS)
        (change,) = write(book, add=("vip", "Claim"), text="Rosa rang.\nTwice.")
        assert change.kind is ChangeKind.NOTE
        write(book, at=LATER, resolution=ACCEPTED)
        row = known(reader)
        assert change.payment.note == folded_note(reader.note_steps(ADDRESS, row.id)[:3])
        assert row.note.labels == (Label("vip", SOON), Label("Claim", SOON))
        assert (row.note.text, row.note.written_at) == ("Rosa rang.\nTwice.", SOON)
        assert row.note.settlement is not None
        assert (row.note.resolution, row.note.settlement.at) == (ACCEPTED, LATER)
        assert row.note.settlement.standing.received == 400
        assert reader.notes(ADDRESS) == {row.id: row.note}
        assert reader.window(ADDRESS) == (row,)
        assert reader.find("p") == (row,)
        assert reader.revision(ADDRESS) > revision

    def test_nothing_new_changes_nothing(self, book: Book, reader: LedgerReader) -> None:
        book.record(SHORT)
        write(book, add=("vip",), text="x", resolution=ACCEPTED)
        revision = reader.revision(ADDRESS)
        assert write(book, add=("VIP",), text="x", resolution=ACCEPTED, at=LATER) == ()
        assert write(book, remove=("other",), at=LATER) == ()
        assert write(book, add=("vip",), remove=("vip",), at=LATER) == ()
        assert reader.revision(ADDRESS) == revision
        assert len(reader.note_steps(ADDRESS, payment_id("p"))) == 3

    def test_all_that_was_written_is_in_the_time_line(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(SHORT)
        write(book, add=("vip",), text="first")
        write(book, at=LATER, remove=("VIP",), text="second", resolution=REFUNDED)
        write(book, at=LATER, text="", resolution=NONE)
        book.record(payment("p", received=500, completed=True), at=LATER + timedelta(hours=1))
        line = [(entry.kind, entry.text) for entry in reader.timeline(ADDRESS, payment_id("p"))]
        assert line == [
            (TimelineKind.FIRST_SEEN, ""),
            (TimelineKind.LABELLED, "vip"),
            (TimelineKind.NOTED, "first"),
            (TimelineKind.UNLABELLED, "vip"),
            (TimelineKind.NOTED, "second"),
            (TimelineKind.RESOLVED, "refunded"),
            (TimelineKind.NOTED, ""),
            (TimelineKind.RESOLVED, "none"),
            (TimelineKind.RECEIVED, ""),
        ]
        assert known(reader).note == NO_NOTE
        assert reader.notes(ADDRESS) == {}

    def test_a_payment_must_be_known(self, book: Book) -> None:
        with pytest.raises(LedgerError, match="does not know the payment"):
            write(book, text="x")

    def test_labels_are_bounded(self, book: Book, reader: LedgerReader) -> None:
        book.record(SHORT)
        labels = tuple(f"l{number}" for number in range(MOST_LABELS))
        write(book, add=labels)
        with pytest.raises(InputError, match="20 labels"):
            write(book, add=("more",))
        write(book, add=("more",), remove=("l0",))
        assert known(reader).note.names == (*labels[1:], "more")

    def test_each_wallet_has_its_own(self, book: Book, reader: LedgerReader) -> None:
        book.ledger.remember_wallet(OTHER, NOW)
        book.record(payment("p"))
        book.record(payment("p", wallet=OTHER.id), wallet_id=OTHER.id)
        write(book, text="ours")
        other = reader.payment(OTHER.id, payment_id("p"))
        assert other is not None
        assert other.note == NO_NOTE
        assert reader.notes(OTHER.id) == {}


class TestWords:
    """Labels and notes as people type them."""

    @pytest.mark.parametrize("typed", ["", " ", "two words", "a,b", 'a"b', "a\\b", "a\x1bb", "a\n"])
    def test_what_is_no_label(self, typed: str) -> None:
        if typed.strip() == "a":
            assert read_label(typed) == "a"
            return
        with pytest.raises(InputError) as caught:
            read_label(typed)
        assert "\x1b" not in str(caught.value)

    def test_a_label_is_short(self) -> None:
        assert read_label("x" * LONGEST_LABEL)
        with pytest.raises(InputError, match="longer than 32"):
            read_label("x" * (LONGEST_LABEL + 1))

    def test_several_are_parted_by_blanks_or_commas(self) -> None:
        assert read_labels(" vip, claim-7 VIP,,größe ") == ("vip", "claim-7", "größe")
        assert read_labels("") == ()

    def test_a_note_keeps_its_lines(self) -> None:
        assert read_text("\r\none  \r\n\ntwo\rthree\n\n") == "one\n\ntwo\nthree"
        assert read_text(" \n ") == ""

    @pytest.mark.parametrize("typed", ["x" * (LONGEST_TEXT + 1), "a\0b", "\ud800"])
    def test_what_is_no_note(self, typed: str) -> None:
        with pytest.raises(InputError):
            read_text(typed)

    @given(st.text(max_size=80))
    def test_any_text_is_kept_or_refused(self, typed: str) -> None:
        try:
            text = read_text(typed)
            labels = read_labels(typed)
        except InputError:
            return
        assert read_text(text) == text
        assert read_labels(" ".join(labels)) == labels


class TestResolutions:
    """When a payment needs action no more, and when it does again."""

    @pytest.mark.parametrize(
        ("one", "at"),
        [
            (SHORT, NOW),
            (payment("p", received=400, expires=NOW - timedelta(hours=1)), NOW),
            (payment("p", received=1400, completed=True), NOW),
            (payment("p", asked_code="EUR"), NOW),
            (payment("p", asked=0), NOW),
            (payment("p", received=1000, expires=None), NOW + timedelta(minutes=11)),
        ],
    )
    def test_what_is_settled_needs_no_action(
        self, book: Book, reader: LedgerReader, one: IncomingPayment, at: datetime
    ) -> None:
        book.record(one)
        book.advance(at)
        assert counted(reader) == 1
        (change,) = write(book, resolution=ACCEPTED, at=at)
        assert (change.previous is not None, change.payment.needs_action) == (True, False)
        assert counted(reader) == 0
        book.advance(at + timedelta(days=30))
        assert book.record(one, at=at + timedelta(days=30)) == ()
        assert counted(reader) == 0
        assert not is_outdated(known(reader))
        write(book, resolution=NONE, at=at + timedelta(days=31))
        assert counted(reader) == 1

    def test_more_money_is_a_new_need(self, book: Book, reader: LedgerReader) -> None:
        book.record(SHORT)
        write(book, resolution=ACCEPTED)
        more = payment("p", received=500, completed=True)
        (change,) = book.record(more, at=LATER)
        assert change.payment.needs_action
        row = known(reader)
        assert row == change.payment
        assert is_outdated(row)
        assert row.note.settlement is not None
        assert row.note.settlement.standing.received == 400
        assert counted(reader) == 1
        write(book, resolution=ACCEPTED, at=LATER)
        assert counted(reader) == 0
        assert not is_outdated(known(reader))

    @pytest.mark.parametrize(
        ("before", "after", "why"),
        [
            (SHORT, payment("p", received=500, completed=True), "with 4.00 USD received; 5.00 USD"),
            (SHORT, payment("p", asked=900, received=400, completed=True), "asked for 10.00 USD;"),
            (SHORT, payment("p", received=400), "before the server did what it must not do."),
            (payment("p", received=400), None, "before the server lost it."),
            (SHORT, SHORT, ""),
            (SHORT, None, ""),
        ],
    )
    def test_why_it_no_longer_counts_is_said(
        self,
        book: Book,
        reader: LedgerReader,
        before: IncomingPayment,
        after: IncomingPayment | None,
        why: str,
    ) -> None:
        book.record(before)
        assert why_outdated(known(reader)) == ""
        write(book, resolution=Resolution.WRITTEN_OFF)
        if after is None:
            book.mark_gone("p", at=LATER)
        else:
            book.record(after, at=LATER)
        said = why_outdated(known(reader))
        assert (why in said) if why else said == ""
        assert is_outdated(known(reader)) == bool(why)

    def test_what_a_person_saw_is_what_is_settled(self, book: Book, reader: LedgerReader) -> None:
        book.record(SHORT)
        seen = standing_of(known(reader))
        book.record(payment("p", received=500, completed=True), at=SOON)
        write(book, at=LATER, resolution=ACCEPTED, seen=seen)
        assert (counted(reader), is_outdated(known(reader))) == (1, True)

    def test_no_clock_turns_states_back(self, book: Book, reader: LedgerReader) -> None:
        """A command knows this machine's clock only, which may be behind the server's."""
        book.record(payment("p", received=400))
        server = NOW + timedelta(days=3)
        book.advance(server)
        book.ledger.set_last_poll(ADDRESS, server)
        write(book, at=NOW, text="x")
        assert known(reader).state is State.EXPIRED_PARTIAL
        assert reader.timeline(ADDRESS, payment_id("p"))[-1].at == server

    def test_what_was_settled_ahead_counts_when_it_comes_to_it(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(payment("p", received=400))
        write(book, resolution=Resolution.WRITTEN_OFF)
        book.advance(NOW + timedelta(days=3))
        assert (known(reader).state, counted(reader)) == (State.EXPIRED_PARTIAL, 0)

    def test_one_settled_ahead_and_paid_in_full_needs_nothing(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(payment("p", received=400))
        write(book, resolution=ACCEPTED)
        book.record(payment("p", received=1000, completed=True), at=LATER)
        assert counted(reader) == 0
        assert is_outdated(known(reader))

    def test_a_settled_wait_is_settled_before_it_is_long(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(payment("p", received=1000))
        write(book, resolution=ACCEPTED)
        book.advance(NOW + timedelta(minutes=11))
        assert counted(reader) == 0

    def test_a_new_anomaly_is_a_new_need(self, book: Book, reader: LedgerReader) -> None:
        book.record(SHORT)
        write(book, resolution=ACCEPTED)
        book.record(payment("p", received=400), at=LATER)
        assert known(reader).anomalies == ("reopened",)
        assert counted(reader) == 1

    def test_an_old_anomaly_again_with_another_amount_is_one_too(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(payment("p", asked=1000))
        book.record(payment("p", asked=900), at=SOON)
        write(book, resolution=ACCEPTED)
        assert counted(reader) == 0
        book.record(payment("p", asked=800), at=LATER)
        assert counted(reader) == 1

    def test_that_the_server_lost_the_money_is_one_too(
        self, book: Book, reader: LedgerReader
    ) -> None:
        book.record(payment("p", received=400))
        write(book, resolution=ACCEPTED)
        book.mark_gone("p", at=LATER)
        assert (known(reader).state, counted(reader)) == (State.UNAVAILABLE, 1)
        assert is_outdated(known(reader))
        write(book, resolution=ACCEPTED, at=LATER)
        assert counted(reader) == 0

    def test_that_it_forgot_a_closed_one_is_none(self, book: Book, reader: LedgerReader) -> None:
        book.record(SHORT)
        write(book, resolution=ACCEPTED)
        book.mark_gone("p", at=LATER)
        assert (known(reader).no_longer_at_server, counted(reader)) == (True, 0)

    @pytest.mark.parametrize("at", [NOW + timedelta(days=1), NOW + timedelta(days=40)])
    def test_a_standing_is_written_exactly(self, book: Book, at: datetime) -> None:
        huge = payment("p", asked=None, received=2**64 - 1, code="ÜX", expires=None)
        (change,) = book.record(huge, at=at)
        standing = standing_of(change.payment)
        assert read_standing(write_standing(standing)) == standing

    @pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"asked":1,"askedAsset":2}'])
    def test_what_is_no_standing(self, text: str) -> None:
        with pytest.raises(ValueError):
            read_standing(text)


class TestKeeping:
    """Notes outlive what is known of payments."""

    def fill(self, book: Book, reader: LedgerReader) -> PaymentRow:
        book.record(SHORT, payment("plain"))
        write(book, add=("vip",), text="x", resolution=ACCEPTED)
        return known(reader)

    def test_a_rebuild_from_the_server(self, book: Book, reader: LedgerReader) -> None:
        before = self.fill(book, reader)
        book.ledger.forget_wallet(ADDRESS)
        assert reader.notes(ADDRESS) == {before.id: before.note}
        book.ledger.remember_wallet(WALLET, NOW)
        (change, _) = book.record(SHORT, payment("plain"), at=LATER)
        assert (change.payment.note, change.payment.needs_action) == (before.note, False)
        assert known(reader) == change.payment
        assert counted(reader) == 0
        query = read_query("label:vip", Moment(NOW))
        assert names(reader.window(ADDRESS, query=query)) == ["p"]
        kinds = [entry.kind for entry in reader.timeline(ADDRESS, before.id)]
        assert kinds[:3] == [TimelineKind.LABELLED, TimelineKind.NOTED, TimelineKind.RESOLVED]
        assert check(book.path).ok

    def test_a_rebuild_with_another_amount(self, book: Book, reader: LedgerReader) -> None:
        self.fill(book, reader)
        book.ledger.forget_wallet(ADDRESS)
        book.ledger.remember_wallet(WALLET, NOW)
        book.record(payment("p", received=500, completed=True), at=LATER)
        assert counted(reader) == 1

    def test_they_can_be_forgotten_too(self, book: Book, reader: LedgerReader) -> None:
        self.fill(book, reader)
        book.ledger.forget_wallet(ADDRESS, notes=True)
        assert reader.notes(ADDRESS) == {}
        book.ledger.remember_wallet(WALLET, NOW)
        book.record(SHORT, at=LATER)
        assert (known(reader).note, counted(reader)) == (NO_NOTE, 1)

    def test_the_file_is_compacted_and_moved(self, tmp_path: Path) -> None:
        book = Book(tmp_path / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            before = self.fill(book, reader)
        compact(book.path)
        moved = move(book.path, tmp_path / "there")
        with LedgerReader.open(moved) as reader:
            assert known(reader) == before
            assert len(reader.note_steps(ADDRESS, before.id)) == 3

    def test_a_payment_that_is_gone_keeps_them(self, book: Book, reader: LedgerReader) -> None:
        before = self.fill(book, reader)
        book.mark_gone("p", at=LATER)
        assert known(reader).note == before.note
        write(book, at=LATER, text="y")
        assert known(reader).note.text == "y"

    def test_marks_that_are_off_are_found_and_set_right(
        self, book: Book, reader: LedgerReader
    ) -> None:
        before = self.fill(book, reader)
        connection = book.ledger._connection
        connection.execute("UPDATE payment SET noted = 1 - (noted <> 0)")
        health = check(book.path)
        assert (health.ok, health.figures_are_off) == (False, True)
        assert "2 payments do not say what was written" in health.findings[-1].text
        set_figures_right(book.path)
        assert check(book.path).ok
        assert known(reader) == before

    def test_nothing_is_ever_written_over(self, book: Book, reader: LedgerReader) -> None:
        book.record(SHORT)
        for number in range(5):
            write(book, text=f"note {number}", at=NOW + timedelta(minutes=number))
        steps = reader.note_steps(ADDRESS, payment_id("p"))
        assert [step.text for step in steps] == [f"note {number}" for number in range(5)]
        with closing(sqlite3.connect(book.path)) as connection:
            plan = connection.execute(
                "EXPLAIN QUERY PLAN SELECT 1 FROM note WHERE wallet = '' AND payment = ''"
            ).fetchall()
        assert "note_by_payment" in plan[0][-1]

    def test_folds_follow_what_was_written(self, book: Book, reader: LedgerReader) -> None:
        book.record(*(payment(f"p{number}") for number in range(3)))
        rules = (FoldRule("Tips", read_query("label:tip", Moment(NOW)).tree),)
        index = reader.fold(ADDRESS, rules)
        assert index is not None
        assert index.count == 3
        for name in ("p0", "p2"):
            write(book, name, add=("tip",))
        index = reader.fold(ADDRESS, rules, before=index)
        assert index is not None
        assert index.count == 2


_STEPS = st.one_of(
    st.tuples(st.just("write"), EDITS),
    st.tuples(
        st.just("record"),
        st.builds(
            payment,
            st.just("p"),
            asked=st.sampled_from([1000, 1000, 900]),
            received=st.sampled_from([0, 400, 400, 1000, 1400]),
            completed=st.booleans(),
        ),
    ),
    st.tuples(st.just("wait"), st.sampled_from([1, 11, 60 * 24 * 4])),
    st.tuples(st.just("gone"), st.none()),
)


@given(st.lists(_STEPS, max_size=8))
def test_everything_stays_in_step(steps: list[tuple[str, Any]]) -> None:
    """Row, index, summary, sheets and searches agree, and history is never lost."""
    with tempfile.TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            now, history = NOW, 0
            book.record(payment("p", received=400), payment("q", received=5, completed=True))
            for what, value in steps:
                now += timedelta(seconds=1)
                match what:
                    case "write":
                        edit = value
                        book.ledger.write_note(ADDRESS, payment_id("p"), edit, at=now, grace=GRACE)
                    case "record":
                        book.record(value, at=now, source=Source.GET)
                    case "wait":
                        now += timedelta(minutes=value)
                        book.advance(now)
                    case _:
                        book.mark_gone("p", at=now)
                kept = reader.note_steps(ADDRESS, payment_id("p"))
                assert len(kept) >= history
                history = len(kept)
                row = known(reader)
                assert row.note == folded_note(kept)
                counted(reader)
                if not row.note.settlement or is_outdated(row):
                    continue
                assert not row.needs_action
            assert check(book.path).ok
            kept = reader.note_steps(ADDRESS, payment_id("p"))
            book.ledger.forget_wallet(ADDRESS)
            assert reader.note_steps(ADDRESS, payment_id("p")) == kept


def test_another_process_reads_what_one_wrote(book: Book, reader: LedgerReader) -> None:
    book.record(SHORT)
    with Ledger.open(book.path) as other:
        other.write_note(ADDRESS, payment_id("p"), Edit(text="x"), at=SOON, grace=GRACE)
    assert known(reader).note.text == "x"
    (change,) = book.record(payment("p", received=700, completed=True), at=LATER)
    assert change.payment.note.text == "x"
