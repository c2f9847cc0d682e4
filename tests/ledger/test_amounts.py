"""Several amounts of 2^64−1: exact, and in order, in rows, sorts, searches, totals and sums."""

from __future__ import annotations

from datetime import timedelta
from itertools import accumulate

import pytest

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import AssetTotals, Sort, SortColumn, TimelineKind
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from opdash.openpayments.amounts import Asset
from tests.ledger.builders import ADDRESS, NOW, Book, names, payment, payment_id

MOST = 2**64 - 1
RECEIVED = {
    "top1": MOST,
    "top2": MOST,
    "top3": MOST,
    "next": MOST - 1,
    "signed": 2**63,
    "below": 2**63 - 1,
    "small": 9,
    "none": 0,
}
LINES = {
    # In units of an asset with two decimals; 2^64−1 is 184467440737095516.15.
    "received>184467440737095516.14": ["top1", "top2", "top3"],
    "received>=184467440737095516.14": ["top1", "top2", "top3", "next"],
    "received:184467440737095516.15": ["top1", "top2", "top3"],
    "received>184467440737095516.15": [],
    "received<92233720368547758.08": ["below", "small", "none"],
    "amount>184467440737095516.14": list(RECEIVED),
    "amount>184467440737095516.15": [],
    "difference<0": ["next", "signed", "below", "small", "none"],
    "-received:0": ["top1", "top2", "top3", "next", "signed", "below", "small"],
}


@pytest.fixture
def great(book: Book) -> Book:
    """A ledger of payments that all ask for 2^64−1, the newest first as above."""
    for age, (name, received) in enumerate(RECEIVED.items()):
        book.record(payment(name, asked=MOST, received=received, created=NOW - timedelta(age)))
    return book


def test_every_row_is_exact(great: Book, reader: LedgerReader) -> None:
    rows = {row.id.rpartition("/")[2]: row for row in reader.window(ADDRESS)}
    assert {name: row.received for name, row in rows.items()} == RECEIVED
    assert {row.asked for row in rows.values()} == {MOST}
    assert rows["none"].difference == -MOST
    assert rows["signed"].difference == 2**63 - MOST


@pytest.mark.parametrize("descending", [True, False])
def test_sorted_by_what_was_received(great: Book, reader: LedgerReader, descending: bool) -> None:
    rows = reader.window(ADDRESS, Sort(SortColumn.RECEIVED, descending))
    found = [row.received for row in rows]
    assert found == sorted(RECEIVED.values(), reverse=descending)
    assert names(rows)[: 3 if descending else 1] == (
        ["top1", "top2", "top3"] if descending else ["none"]
    )


def test_sorted_by_what_was_asked_equal_ones_keep_the_lists_order(
    great: Book, reader: LedgerReader
) -> None:
    great.record(payment("less", asked=MOST - 1, created=NOW - timedelta(99)))
    rows = reader.window(ADDRESS, Sort(SortColumn.ASKED, descending=True))
    assert names(rows) == [*RECEIVED, "less"]


@pytest.mark.parametrize("line", LINES)
def test_searched_by_amount(great: Book, reader: LedgerReader, line: str) -> None:
    query = read_query(line, Moment(NOW))
    assert names(reader.window(ADDRESS, query=query)) == LINES[line]
    (totals,) = reader.totals(ADDRESS, query) or (None,)
    wanted = [RECEIVED[name] for name in LINES[line]]
    if totals is None:
        assert wanted == []
    else:
        assert (totals.count, totals.received) == (len(wanted), sum(wanted))


def test_totals_lie_beyond_sixty_four_bits(great: Book, reader: LedgerReader) -> None:
    asked, received = MOST * len(RECEIVED), sum(RECEIVED.values())
    assert received > 4 * MOST
    assert reader.totals(ADDRESS) == (
        AssetTotals(Asset("USD", 2), len(RECEIVED), asked, received, received - asked),
    )
    (wallet,) = reader.wallets()
    assert wallet.received_total == received
    day = NOW - timedelta(hours=12)
    summary = reader.summary(ADDRESS, day_start=day, now=NOW)
    assert summary.open_due == asked - received


def test_a_time_line_of_great_steps(book: Book, reader: LedgerReader) -> None:
    for step, received in enumerate([0, 2**63 - 1, 2**63, MOST]):
        at = NOW + timedelta(seconds=step)
        book.record(payment(asked=MOST, received=received), at=at)
    steps = [
        entry.delta
        for entry in reader.timeline(ADDRESS, payment_id("p"))
        if entry.kind is TimelineKind.RECEIVED
    ]
    assert list(accumulate(map(int, map(str, steps)))) == [2**63 - 1, 2**63, MOST]
