"""What arrived when, held to counting it by hand."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.reader import LedgerReader
from opdash.ledger.receipts import AssetReceipts, day_starts, hour_starts
from opdash.openpayments.amounts import Asset
from tests.ledger.builders import ADDRESS, NOW, Book, payment

HOUR = timedelta(hours=1)
USD = Asset("USD", 2)
MOST = 2**64 - 1


@pytest.fixture
def zone() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    if before is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = before
    time.tzset()


def own(reader: LedgerReader, starts: tuple[datetime, ...]) -> AssetReceipts:
    return reader.receipts(ADDRESS, starts)[0]


def test_nothing_arrived(book: Book, reader: LedgerReader) -> None:
    starts = hour_starts(NOW, 3)
    assert reader.receipts("https://elsewhere.example", starts) == ()
    assert reader.receipts(ADDRESS, starts) == (AssetReceipts(USD, (0, 0, 0), (0, 0, 0), 0),)


def test_sums_beyond_what_a_database_can_add(book: Book, reader: LedgerReader) -> None:
    starts = hour_starts(NOW, 2)
    book.record(*(payment(name, received=MOST, created=NOW) for name in "abc"))
    found = own(reader, starts)
    assert found.sums == (0, 3 * MOST)
    assert found.counts == (0, 3)
    assert (found.total, found.payments) == (3 * MOST, 3)


def test_a_payment_counts_once_an_hour_however_often_it_receives(
    book: Book, reader: LedgerReader
) -> None:
    starts = hour_starts(NOW, 3)
    book.record(payment("a", received=1, created=NOW - 2 * HOUR), at=NOW - 2 * HOUR)
    book.record(payment("a", received=3, created=NOW - 2 * HOUR), at=NOW - HOUR)
    assert own(reader, starts) == AssetReceipts(USD, (1, 2, 0), (1, 1, 0), 1)
    book.record(payment("a", received=6, created=NOW - 2 * HOUR), at=NOW - HOUR * 0.5)
    book.record(payment("a", received=10, created=NOW - 2 * HOUR), at=NOW)
    book.record(payment("a", received=15, created=NOW - 2 * HOUR), at=NOW + HOUR * 0.1)
    assert own(reader, starts) == AssetReceipts(USD, (1, 5, 9), (1, 1, 1), 1)


def test_what_fell_is_no_receipt_and_what_is_older_is_left_out(
    book: Book, reader: LedgerReader
) -> None:
    starts = hour_starts(NOW, 2)
    book.record(payment("old", received=7, created=NOW - 9 * HOUR), at=NOW)
    book.record(payment("new", received=5, created=NOW), at=NOW)
    book.record(payment("new", received=2, created=NOW), at=NOW + HOUR * 0.1)
    assert own(reader, starts) == AssetReceipts(USD, (0, 5), (0, 1), 1)


def test_other_assets_stand_apart(book: Book, reader: LedgerReader) -> None:
    starts = hour_starts(NOW, 2)
    book.record(payment("usd", received=5, created=NOW))
    book.record(payment("eur", received=300, created=NOW - HOUR, code="EUR"), at=NOW)
    assert reader.receipts(ADDRESS, starts) == (
        AssetReceipts(USD, (0, 5), (0, 1), 1),
        AssetReceipts(Asset("EUR", 2), (300, 0), (1, 0), 1),
    )
    book.record(payment("eur", received=400, created=NOW - HOUR, code="EUR"), at=NOW)
    assert reader.receipts(ADDRESS, starts)[1] == AssetReceipts(
        Asset("EUR", 2), (300, 100), (1, 1), 1
    )


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.integers(-5, 100),
        st.integers(0, 100),
        st.booleans(),
    ),
    max_size=25,
)


@given(STEPS, st.integers(1, 30))
def test_it_is_what_one_counts_by_hand(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, int, int, bool]],
    hours: int,
) -> None:
    book = Book(tmp_path_factory.mktemp("receipts") / "ledger.sqlite3")
    start, received, at = NOW - timedelta(hours=24), dict[str, int](), NOW - timedelta(hours=24)
    starts = tuple(start + number * HOUR for number in range(hours))
    wanted = [0] * hours
    who: dict[int, set[str]] = defaultdict(set)
    with book.ledger, LedgerReader.open(book.path) as reader:
        for name, delta, minutes, look in steps:
            at += timedelta(minutes=minutes)
            new = name not in received
            before = received.get(name, 0)
            received[name] = max(before + delta, 0)
            book.record(payment(name, received=received[name], created=start, asked=None), at=at)
            when = start if new else at
            if received[name] > before:
                hour = min(int((when - start) / HOUR), hours - 1)
                wanted[hour] += received[name] - before
                who[hour].add(name)
            if look:
                own(reader, starts)
        found = own(reader, starts)
    assert found.sums == tuple(wanted)
    assert found.counts == tuple(len(who[hour]) for hour in range(hours))
    assert found.payments == len(set().union(*who.values()))


def test_hours_and_days_begin_where_the_machine_is(
    zone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.environ["TZ"] = "Asia/Kolkata"
    time.tzset()
    assert hour_starts(NOW, 2) == (
        datetime(2026, 11, 20, 10, 30, tzinfo=UTC),
        datetime(2026, 11, 20, 11, 30, tzinfo=UTC),
    )
    assert day_starts(NOW, 2) == (
        datetime(2026, 11, 18, 18, 30, tzinfo=UTC),
        datetime(2026, 11, 19, 18, 30, tzinfo=UTC),
    )


def test_days_begin_at_midnight_where_the_clock_is_put_back(zone: None) -> None:
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    assert day_starts(datetime(2026, 10, 26, 12, tzinfo=UTC), 3) == (
        datetime(2026, 10, 23, 22, tzinfo=UTC),
        datetime(2026, 10, 24, 22, tzinfo=UTC),
        datetime(2026, 10, 25, 23, tzinfo=UTC),
    )


def test_a_look_that_was_ended_counts_nothing_twice(book: Book, tmp_path: Path) -> None:
    starts = hour_starts(NOW, 1)
    book.record(*(payment(str(number), received=1, created=NOW) for number in range(50)))
    with LedgerReader.open(book.path) as reader:
        assert own(reader, starts).counts == (50,)
        book.record(*(payment(f"n{number}", received=1, created=NOW) for number in range(50)))
        calls = 0

        def interrupt() -> int:
            nonlocal calls
            calls += 1
            return calls > 3

        reader._connection.set_progress_handler(interrupt, 50)
        with pytest.raises(Exception, match="ledger"):
            own(reader, starts)
        reader._connection.set_progress_handler(None, 0)
        assert own(reader, starts) == AssetReceipts(USD, (100,), (100,), 100)
