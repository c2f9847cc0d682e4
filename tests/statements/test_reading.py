"""A statement out of a real ledger."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.ledger.notes import Edit, Resolution
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from opdash.statements.periods import month_of, read_month, read_span
from opdash.statements.reading import Subject, read_statement
from opdash.statements.records import Statement, WalletStatement
from tests.ledger.builders import ADDRESS, NOW, OTHER, WALLET, Book, names, payment, payment_id

USD, EUR = Asset("USD", 2), Asset("EUR", 2)
SHOP = Subject("Rosa's Shop", ADDRESS, Scope.OWN)
BERLIN = ZoneInfo("Europe/Berlin")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OCTOBER = month_of(date(2026, 10, 1), NOW, UTC)


def made(reader: LedgerReader, typed: str = "2026-11", *others: Subject) -> Statement:
    return read_statement(reader, [SHOP, *others], read_month(typed, NOW, UTC), NOW)


def shop(statement: Statement) -> WalletStatement:
    return statement.wallets[0]


def ref(text: str) -> dict[str, str]:
    return {"externalRef": text}


def test_what_arrived_before_and_in_the_month(book: Book, reader: LedgerReader) -> None:
    october = datetime(2026, 10, 20, 12, tzinfo=UTC)
    old = payment("old", received=700, created=october, metadata=ref("INV-1"))
    book.record(old, at=october)
    book.record(payment("new", created=NOW - 2 * DAY, metadata=ref("INV-2")), at=NOW - 2 * DAY)
    for received, at in ((300, NOW - DAY), (1000, NOW - HOUR)):
        book.record(
            payment("new", received=received, created=NOW - 2 * DAY, metadata=ref("INV-2")), at=at
        )
    book.record(
        payment("old", received=1000, created=october, completed=True, metadata=ref("INV-1")),
        at=NOW - HOUR,
    )
    (asset,) = shop(made(reader)).assets
    assert (asset.opening, asset.received, asset.closing) == (700, 1300, 2000)
    assert (asset.receipts, asset.payments) == (3, 2)
    assert [(day.day.isoformat(), day.receipts, day.received) for day in asset.days] == [
        ("2026-11-19", 1, 300),
        ("2026-11-20", 2, 1000),
    ]
    assert [(one.reference, one.receipts, one.received) for one in asset.references] == [
        ("INV-2", 2, 1000),
        ("INV-1", 1, 300),
    ]
    (asset,) = shop(made(reader, "2026-10")).assets
    assert (asset.opening, asset.received, asset.closing) == (0, 700, 700)


def test_an_empty_month_has_its_totals_all_the_same(book: Book, reader: LedgerReader) -> None:
    long_ago = NOW - 90 * DAY
    book.record(payment(received=500, created=long_ago), at=long_ago)
    wallet = shop(made(reader, "2026-10"))
    (asset,) = wallet.assets
    assert (asset.opening, asset.received, asset.closing, asset.days) == (500, 0, 500, ())
    assert wallet.states == ()
    assert wallet.actions == ()


def test_a_wallet_that_never_answered_is_known_to_be_unknown(
    book: Book, reader: LedgerReader
) -> None:
    far = Subject("Far", "https://far.example/x", Scope.OWN)
    statement = made(reader, "2026-11", far)
    assert statement.wallets[1].knowledge is None
    assert statement.wallets[1].assets == ()
    assert not statement.is_complete


def test_what_the_server_took_back_is_a_line_of_its_own(book: Book, reader: LedgerReader) -> None:
    for received, at in ((800, NOW - 3 * HOUR), (500, NOW - 2 * HOUR), (900, NOW - HOUR)):
        book.record(payment(received=received, created=NOW - DAY), at=at)
    (asset,) = shop(made(reader)).assets
    assert (asset.opening, asset.received, asset.corrected, asset.closing) == (0, 1200, -300, 900)
    (correction,) = asset.corrections
    assert (correction.delta, correction.why) == (-300, "received went down")
    assert asset.receipts == 2


def test_a_payment_whose_asset_changed_counts_in_the_present_one_only(
    book: Book, reader: LedgerReader
) -> None:
    book.record(payment(received=800, created=NOW - DAY), at=NOW - 3 * HOUR)
    book.record(payment(received=500, code="EUR", created=NOW - DAY), at=NOW - 2 * HOUR)
    book.record(payment(received=650, code="EUR", created=NOW - DAY), at=NOW - HOUR)
    dollars, euros = shop(made(reader)).assets
    assert (dollars.asset, dollars.closing, dollars.days) == (USD, 0, ())
    assert (euros.asset, euros.received, euros.corrected, euros.closing) == (EUR, 150, 500, 650)
    assert "asset changed" in euros.corrections[0].why
    assert [one.received for one in reader.totals(ADDRESS)] == [650]


def test_a_payment_whose_asset_changed_before_anything_came(
    book: Book, reader: LedgerReader
) -> None:
    book.record(payment(created=NOW - DAY), at=NOW - 3 * HOUR)
    book.record(payment(received=500, code="EUR", created=NOW - DAY), at=NOW - 2 * HOUR)
    _, euros = shop(made(reader)).assets
    assert (euros.received, euros.corrected, euros.closing) == (0, 500, 500)


def test_states_are_those_of_the_payments_of_the_month(book: Book, reader: LedgerReader) -> None:
    before = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)
    book.record(payment("before", created=before), at=before)
    book.record(
        payment("paid", received=1000, completed=True, created=NOW - DAY),
        payment("short", received=400, completed=True, created=NOW - DAY),
        payment("short too", asked=2000, received=400, completed=True, created=NOW - DAY),
        payment("free", asked=None, received=70, code="EUR", completed=True, created=NOW - DAY),
    )
    found = {
        (one.state, one.asset): (one.count, one.asked, one.received, one.difference)
        for one in shop(made(reader)).states
    }
    assert found == {
        (State.PAID, USD): (1, 1000, 1000, 0),
        (State.CLOSED_SHORT, USD): (2, 3000, 800, -2200),
        (State.RECEIVED, EUR): (1, 0, 70, 0),
    }


def test_what_needs_action_is_of_the_month_or_counted(book: Book, reader: LedgerReader) -> None:
    before = NOW - 40 * DAY
    book.record(
        payment("old short", received=1, completed=True, created=before),
        payment("late short", received=1, created=before),
        at=before,
    )
    book.record(payment("late short", received=2, completed=True, created=before), at=NOW - DAY)
    book.record(payment("short", received=5, completed=True, created=NOW - DAY), at=NOW)
    book.record(payment("fine", received=1000, completed=True, created=NOW - DAY), at=NOW)
    wallet = shop(made(reader))
    assert names(wallet.actions) == ["short", "late short"]
    assert wallet.other_actions == 1
    assert sorted(names(shop(made(reader, "2026-10")).actions)) == ["late short", "old short"]


def test_what_a_person_settled_stands_apart(book: Book, reader: LedgerReader) -> None:
    book.record(
        payment("short", received=5, completed=True, created=NOW - DAY),
        payment("other", received=5, completed=True, created=NOW - DAY),
        payment("old", received=5, completed=True, created=NOW - 40 * DAY),
    )
    for name in ("short", "old"):
        book.ledger.write_note(
            ADDRESS,
            payment_id(name),
            Edit(resolution=Resolution.WRITTEN_OFF, text="too little to bother"),
            at=NOW,
            grace=timedelta(seconds=30),
        )
    wallet = shop(made(reader))
    assert names(wallet.actions) == ["other"]
    assert names(wallet.settled) == ["short"]
    assert wallet.settled[0].note.text == "too little to bother"


def test_days_and_months_are_those_of_the_zone(book: Book, reader: LedgerReader) -> None:
    just_before = datetime(2026, 10, 31, 22, 59, tzinfo=UTC)
    just_after = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
    book.record(payment("a", received=1, created=just_before), at=just_before)
    book.record(payment("b", received=2, created=just_after), at=just_after)
    there = read_statement(reader, [SHOP], read_month("2026-10", NOW, BERLIN), NOW)
    here = read_statement(reader, [SHOP], read_month("2026-10", NOW, UTC), NOW)
    assert shop(there).assets[0].received == 1
    assert shop(here).assets[0].received == 3


def test_a_month_spanning_a_clock_change(book: Book, reader: LedgerReader) -> None:
    begins = datetime(2026, 10, 24, 22, tzinfo=UTC)
    for hour in range(25):
        at = begins + hour * HOUR
        book.record(payment(f"p{hour}", received=1, created=at), at=at)
    (asset,) = shop(read_statement(reader, [SHOP], read_month("2026-10", NOW, BERLIN), NOW)).assets
    assert [(day.day, day.receipts) for day in asset.days] == [(date(2026, 10, 25), 25)]


def test_wallets_are_told_one_by_one(book: Book, reader: LedgerReader) -> None:
    book.ledger.remember_wallet(OTHER, NOW)
    book.record(payment("usd", received=5, created=NOW - DAY))
    book.record(
        payment("jpy", received=7, code="JPY", scale=0, created=NOW - DAY, wallet=OTHER.id),
        wallet_id=OTHER.id,
    )
    statement = made(reader, "2026-11", Subject("Yen", OTHER.id, Scope.EVERYTHING))
    assert [[(a.asset.code, a.closing) for a in one.assets] for one in statement.wallets] == [
        [("USD", 5)],
        [("JPY", 7)],
    ]
    assert statement.wallets[0].public_name == WALLET.public_name


def test_the_same_ledger_clock_and_zone_give_the_same(book: Book, reader: LedgerReader) -> None:
    for number in range(30):
        at = NOW - number * DAY
        book.record(
            payment(f"p{number}", received=number, created=at, metadata=ref(f"R{number % 7}")),
            at=at,
        )
    once = made(reader)
    with LedgerReader.open(book.path) as another:
        assert made(another) == once
    assert made(reader) == once


observations = st.lists(
    st.tuples(
        st.integers(0, 3),  # which payment
        st.integers(0, 5000),  # what it has received by then
        st.sampled_from(["USD", "USD", "USD", "EUR"]),
        st.integers(0, 10 * 24 * 60),  # minutes since the observation before
    ),
    max_size=14,
)


def _spans() -> Iterator[str]:
    yield from ("2026-08..2026-08", "2026-09..2026-09", "2026-10..2026-10", "2026-11..2026-11")


@settings(max_examples=40)
@given(observations)
def test_a_month_opens_with_what_the_one_before_closed_with(
    seen: list[tuple[int, int, str, int]],
) -> None:
    """And the last closes with what the ledger says that payments received."""
    begin = datetime(2026, 7, 20, tzinfo=UTC)
    now = datetime(2026, 11, 30, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as directory:
        book = Book(Path(directory) / "ledger.sqlite3")
        with book.ledger, LedgerReader.open(book.path) as reader:
            at = begin
            for number, received, code, minutes in seen:
                at = min(at + timedelta(minutes=minutes), now - DAY)
                shown = payment(
                    f"p{number}", received=received, code=code, created=begin + number * DAY
                )
                book.record(shown, at=max(at, begin + number * DAY))
            told = [
                {
                    one.asset: one
                    for one in shop(
                        read_statement(reader, [SHOP], read_span(span, now, UTC), now)
                    ).assets
                }
                for span in _spans()
            ]
            for before, after in itertools.pairwise(told):
                for asset in {*before, *after}:
                    closing = before[asset].closing if asset in before else 0
                    assert after[asset].opening == closing
            for month in told:
                for one in month.values():
                    assert one.opening + one.received + one.corrected == one.closing
                    assert sum(day.received for day in one.days) == one.received
                    assert sum(each.received for each in one.references) == one.received
            known = {one.asset: one.received for one in reader.totals(ADDRESS) if one.received}
            assert {asset: one.closing for asset, one in told[-1].items() if one.closing} == known
