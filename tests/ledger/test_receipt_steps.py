from __future__ import annotations

import tracemalloc
from collections import Counter
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.ledger.reader import LedgerReader
from opdash.ledger.receipt_steps import ReceiptStep
from opdash.ledger.records import Source
from opdash.openpayments.amounts import Asset
from tests.ledger.builders import ADDRESS, NOW, OTHER, Book, payment, payment_id

MINUTE = timedelta(minutes=1)


def steps(reader: LedgerReader, **limits: object) -> list[ReceiptStep]:
    return list(reader.receipt_steps(ADDRESS, **limits))  # type: ignore[arg-type]


def told(step: ReceiptStep) -> tuple[str, int, int]:
    return step.id.rpartition("/")[2], step.delta, step.received


def test_each_rise_is_a_step(book: Book, reader: LedgerReader) -> None:
    book.record(payment("a"), at=NOW)
    book.record(payment("a", received=300), at=NOW + MINUTE)
    book.record(payment("a", received=300), at=NOW + 2 * MINUTE)
    book.record(payment("a", received=1000, completed=True), at=NOW + 3 * MINUTE)

    found = steps(reader)

    assert [told(step) for step in found] == [("a#300", 300, 300), ("a#1000", 700, 1000)]
    assert [step.at for step in found] == [NOW + MINUTE, NOW + 3 * MINUTE]
    assert not any(step.may_be_several for step in found)
    assert found[0].payment_id == payment_id("a")
    assert found[0].asset == Asset("USD", 2)


def test_what_was_there_at_the_first_look_may_be_several(book: Book, reader: LedgerReader) -> None:
    early = NOW - timedelta(days=3)
    book.record(payment("a", received=700, created=early), at=NOW)
    book.record(payment("b", received=50, created=early, updated=NOW - MINUTE), at=NOW)
    book.record(payment("a", received=900, created=early), at=NOW + MINUTE)

    found = steps(reader)

    assert [told(step) for step in found] == [
        ("a#700", 700, 700),
        ("b#50", 50, 50),
        ("a#900", 200, 900),
    ]
    assert [step.at for step in found] == [early, NOW - MINUTE, NOW + MINUTE]
    assert [step.may_be_several for step in found] == [True, True, False]


def test_steps_carry_what_the_payment_is_for(book: Book, reader: LedgerReader) -> None:
    book.record(
        payment("a", received=1, metadata={"externalRef": "INV-7", "description": "Lamp\n;"}),
        at=NOW,
    )

    (step,) = steps(reader)

    assert (step.reference, step.description) == ("INV-7", "Lamp\n;")


def test_what_was_taken_back_is_a_step_too_and_names_stay_apart(
    book: Book, reader: LedgerReader
) -> None:
    for minute, received in enumerate([0, 100, 50, 100, 0, 100]):
        book.record(payment("a", received=received), at=NOW + minute * MINUTE)

    found = steps(reader)

    assert [told(step) for step in found] == [
        ("a#100", 100, 100),
        ("a#50.1", -50, 50),
        ("a#100.1", 50, 100),
        ("a#0.2", -100, 0),
        ("a#100.2", 100, 100),
    ]


def test_another_asset_is_kept_apart(book: Book, reader: LedgerReader) -> None:
    book.record(payment("a", received=5, code="EUR"), at=NOW)
    book.record(payment("b", received=7), at=NOW + MINUTE)
    book.record(payment("a", received=9, code="EUR"), at=NOW + 2 * MINUTE)

    assert [(told(step)[0], step.asset.code) for step in steps(reader)] == [
        ("a#5", "EUR"),
        ("b#7", "USD"),
        ("a#9", "EUR"),
    ]


def test_a_payment_whose_asset_changed_is_marked(book: Book, reader: LedgerReader) -> None:
    book.record(payment("a", received=5), at=NOW)
    book.record(payment("a", received=6, code="EUR"), at=NOW + MINUTE)
    book.record(payment("b", received=1), at=NOW + MINUTE)

    assert [(told(step)[0], step.asset_changed) for step in steps(reader)] == [
        ("a#5", True),
        ("b#1", False),
    ]


def test_a_stretch_of_time_begins_with_its_start_and_ends_before_its_end(
    book: Book, reader: LedgerReader
) -> None:
    for minute in range(4):
        book.record(payment("a", received=minute), at=NOW + minute * MINUTE)
        book.record(payment("e", received=minute, code="EUR"), at=NOW + minute * MINUTE)

    found = steps(reader, start=NOW + MINUTE, end=NOW + 3 * MINUTE)

    assert sorted(told(step)[0] for step in found) == ["a#1", "a#2", "e#1", "e#2"]


def test_only_steps_after_the_last_that_was_read(book: Book, reader: LedgerReader) -> None:
    book.record(payment("a", received=1), payment("e", received=1, code="EUR"), at=NOW)
    before = reader.last_entry()
    assert steps(reader, after=before) == []

    book.record(payment("a", received=2), payment("e", received=2, code="EUR"), at=NOW + MINUTE)

    found = steps(reader, after=before)
    assert sorted(told(step)[0] for step in found) == ["a#2", "e#2"]
    assert all(before < step.entry <= reader.last_entry() for step in found)


def test_other_wallets_steps_are_not_read(book: Book, reader: LedgerReader) -> None:
    book.ledger.remember_wallet(OTHER, NOW)
    book.record(payment("y", received=1, code="JPY", scale=0, wallet=OTHER.id), wallet_id=OTHER.id)

    assert steps(reader) == []
    assert list(reader.receipt_steps("https://wallet.example/nobody")) == []
    assert len(list(reader.receipt_steps(OTHER.id))) == 1


def test_all_steps_are_of_one_commit(book: Book, reader: LedgerReader) -> None:
    book.record(*(payment(f"p{n}", received=1) for n in range(1200)), at=NOW)

    found = reader.receipt_steps(ADDRESS)
    next(found)
    book.record(payment("late", received=5), at=NOW + MINUTE)
    assert reader.count(ADDRESS) == 1200, "the reader is asked meanwhile"

    assert sum(1 for _ in found) == 1199
    assert len(steps(reader)) == 1201


def test_an_iterator_that_is_given_up_lets_the_reader_go_on(
    book: Book, reader: LedgerReader
) -> None:
    book.record(payment("a", received=1), payment("b", received=1), at=NOW)

    found = reader.receipt_steps(ADDRESS)
    next(found)
    found.close()  # type: ignore[attr-defined]
    book.record(payment("c", received=1), at=NOW)

    assert reader.count(ADDRESS) == 3


def test_memory_does_not_grow_with_the_number_of_steps(book: Book, reader: LedgerReader) -> None:
    def peak(count: int) -> int:
        while reader.count(ADDRESS) < count:
            first = reader.count(ADDRESS)
            page = [payment(f"p{first + n}", received=1) for n in range(1000)]
            book.record(*page, at=NOW, source=Source.GET)
        tracemalloc.start()
        try:
            assert sum(1 for _ in reader.receipt_steps(ADDRESS)) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2_000)  # statements are prepared once and kept
    few = peak(4_000)

    assert peak(16_000) < few + 200_000


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.sampled_from(["USD", "EUR"])),
        max_size=25,
    )
)
def test_the_steps_of_a_payment_add_up_and_have_names_of_their_own(
    looks: list[tuple[str, int, str]],
) -> None:
    with TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            for minute, (name, received, code) in enumerate(looks):
                book.record(payment(name, received=received, code=code), at=NOW + minute * MINUTE)
            found = list(reader.receipt_steps(ADDRESS))
            rows = reader.window(ADDRESS)
            instants = [step.at for step in found]
            assert instants == sorted(instants)
            assert (
                max(
                    Counter(step.id for step in found if not step.asset_changed).values(), default=1
                )
                == 1
            )
            for row in rows:
                own = [step for step in found if step.payment_id == row.id]
                if "asset-changed" not in row.anomalies:
                    assert sum(step.delta for step in own) == row.received
                    assert not any(step.asset_changed for step in own)
                    assert all(step.asset == row.received_asset for step in own)


def test_a_snapshot_sees_one_commit_and_lets_other_failures_be(
    book: Book, reader: LedgerReader
) -> None:
    book.record(payment("a", received=1), at=NOW)

    with reader.snapshot():
        assert reader.count(ADDRESS) == 1
        book.record(payment("b", received=1), at=NOW)
        assert reader.count(ADDRESS) == len(steps(reader)) == 1
    with pytest.raises(BrokenPipeError), reader.snapshot():
        raise BrokenPipeError

    assert reader.count(ADDRESS) == 2
