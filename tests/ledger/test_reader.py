"""The reader against plain Python over the same rows."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from opdash.errors import LedgerError
from opdash.ledger.ranking import INDEXED
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import (
    NEWEST_FIRST,
    Changeable,
    PaymentRow,
    Scope,
    Sort,
    SortColumn,
    Source,
    Summary,
    WalkState,
)
from opdash.ledger.states import OPEN_STATES, State
from opdash.openpayments.amounts import Asset
from opdash.openpayments.resources import IncomingPayment
from tests.ledger.builders import (
    ADDRESS,
    NOW,
    OTHER,
    WALLET,
    Book,
    names,
    page_place,
    payment,
    payment_id,
)

TOP = 2**64 - 1
NEVER = datetime.max.replace(tzinfo=UTC)
VALUES: dict[SortColumn, Callable[[PaymentRow], Any]] = {
    SortColumn.CREATED: lambda row: row.created_at,
    SortColumn.STATE: lambda row: list(State).index(row.state),
    SortColumn.ASKED: lambda row: -1 if row.asked is None else row.asked,
    SortColumn.RECEIVED: lambda row: row.received,
    SortColumn.REFERENCE: lambda row: row.reference.casefold(),
    SortColumn.DESCRIPTION: lambda row: row.description.casefold(),
    SortColumn.EXPIRES: lambda row: row.expires_at or NEVER,
    SortColumn.DIFFERENCE: lambda row: -TOP - 1 if row.difference is None else row.difference,
    SortColumn.ASSET: lambda row: row.received_asset.code.casefold(),
    SortColumn.CHANGED: lambda row: row.changed_at,
    SortColumn.FIRST_SEEN: lambda row: row.first_seen_at,
    SortColumn.SCOPE: lambda row: row.scope is Scope.EVERYTHING,
    SortColumn.ID: lambda row: row.id,
    SortColumn.LABELS: lambda row: " ".join(row.note.names).casefold(),
    SortColumn.METADATA: lambda row: unicodedata.normalize(
        "NFKC", json.loads(row.metadata_json or "{}").get("externalRef", "")
    ).casefold(),
}


def order(column: SortColumn, descending: bool) -> Sort:
    path = "externalRef" if column is SortColumn.METADATA else ""
    return Sort(column, descending, path)


def many(count: int) -> list[IncomingPayment]:
    """Return payments as a server lists them: newest first, many alike, some extreme."""
    draw = random.Random(7)
    payments: list[IncomingPayment] = []
    created = NOW
    for number in range(count):
        created -= timedelta(seconds=draw.choice([0, 0, 1, 3600]))
        asked = draw.choice([None, 0, 5, 500, 2**63, TOP, draw.randrange(1, 10**6)])
        received = draw.choice([0, 0, 5, asked or 1, min((asked or 0) + 1, TOP), TOP])
        payments.append(
            payment(
                f"p{number:05}",
                asked=asked,
                received=received,
                created=created,
                completed=draw.random() < 0.4,
                expires=draw.choice([None, NOW, NOW + timedelta(hours=draw.randrange(-30, 30))]),
                metadata=draw.choice(
                    [
                        None,
                        {"externalRef": draw.choice(["A", "a", "B", "é", "É", "INV-2", "𝒳"])},
                        {"description": f"Line {number % 7}", "reference": number},
                    ]
                ),
            )
        )
    return payments


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerReader]:
    book = Book(tmp_path_factory.mktemp("shop") / "ledger.sqlite3")
    payments = many(1500)
    cursor = None
    for start in range(0, len(payments), 100):
        page = payments[start : start + 100]
        end = page[-1].id
        place = page_place(cursor=cursor, end=end, more=True)
        book.record(*page, page=place)
        cursor = end
    with book.ledger, LedgerReader.open(book.path) as reader:
        yield reader


@pytest.fixture(scope="module")
def listed(shop: LedgerReader) -> tuple[PaymentRow, ...]:
    return shop.window(ADDRESS, NEWEST_FIRST, 0, 10_000)


def test_newest_first_is_the_lists_order(listed: tuple[PaymentRow, ...]) -> None:
    assert names(listed) == [f"p{number:05}" for number in range(1500)]


def expected_order(listed: tuple[PaymentRow, ...], sort: Sort) -> list[PaymentRow]:
    if sort.column is SortColumn.CREATED and not sort.descending:
        return list(reversed(listed))
    return sorted(listed, key=VALUES[sort.column], reverse=sort.descending)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("column", SortColumn)
def test_every_window_of_every_order(
    shop: LedgerReader, listed: tuple[PaymentRow, ...], column: SortColumn, descending: bool
) -> None:
    sort = order(column, descending)
    model = expected_order(listed, sort)
    assert list(shop.window(ADDRESS, sort, 0, 10_000)) == model
    draw = random.Random(str(sort))
    for _ in range(60):
        offset, limit = draw.randrange(1520), draw.choice([1, 2, 20, 50, 300])
        assert list(shop.window(ADDRESS, sort, offset, limit)) == model[offset : offset + limit]
    for rank in draw.sample(range(1500), 60):
        assert shop.position(ADDRESS, sort, model[rank].id) == rank


def test_windows_beyond_the_ends(shop: LedgerReader) -> None:
    assert shop.window(ADDRESS, NEWEST_FIRST, 5000, 10) == ()
    assert shop.window(ADDRESS, NEWEST_FIRST, 0, 0) == ()
    assert shop.window(ADDRESS, NEWEST_FIRST, 0, -1) == ()
    assert names(shop.window(ADDRESS, NEWEST_FIRST, -5, 1)) == ["p00000"]


def test_what_is_not_known(shop: LedgerReader) -> None:
    assert shop.window("https://nowhere.example") == ()
    assert shop.count("https://nowhere.example") == 0
    assert shop.wallet("https://nowhere.example") is None
    assert shop.payment(ADDRESS, "https://nowhere.example/p") is None
    assert shop.position(ADDRESS, NEWEST_FIRST, "p00001") is None
    assert shop.position("https://nowhere.example", NEWEST_FIRST, payment_id("p00001")) is None
    assert shop.changeable("https://nowhere.example") == ()


def test_a_position_belongs_to_a_wallet_address(book: Book, reader: LedgerReader) -> None:
    book.ledger.remember_wallet(OTHER, NOW)
    book.record(payment())
    assert reader.position(OTHER.id, NEWEST_FIRST, payment_id("p")) is None
    assert reader.payment(OTHER.id, payment_id("p")) is None


def test_no_order_with_an_index_is_sorted_at_reading_time(
    shop: LedgerReader, tmp_path: Path
) -> None:
    """Every statement of every window and position walks an index; none sorts."""
    book = Book(tmp_path / "plans.sqlite3")
    book.record(*many(600))
    with book.ledger, LedgerReader.open(book.path) as reader:
        connection = reader._connection
        statements: set[str] = set()
        connection.set_trace_callback(statements.add)
        for column in INDEXED:
            for descending in (True, False):
                sort = Sort(column, descending)
                for offset in (0, 300, 590):
                    (row,) = reader.window(ADDRESS, sort, offset, 1)
                    reader.position(ADDRESS, sort, row.id)
        connection.set_trace_callback(None)
        plans = [
            plan
            for statement in statements
            if statement.startswith("SELECT") and " payment" in statement
            for (*_, plan) in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]
    assert plans
    assert [plan for plan in plans if "TEMP B-TREE" in plan or plan.startswith("SCAN")] == []


def test_sums_are_exact_beyond_64_bits(book: Book, reader: LedgerReader) -> None:
    """Totals stay right where SQLite's own integers end."""
    rows = [payment(f"p{n}", asked=TOP, received=TOP - n) for n in range(5)]
    book.record(*rows, payment("due", asked=TOP, received=0), payment("due2", asked=TOP))
    (wallet,) = reader.wallets()
    assert wallet.received_total == 5 * TOP - 10
    assert wallet.open_due == 2 * TOP + 10
    summary = reader.summary(ADDRESS, day_start=NOW, now=NOW)
    assert summary.today_received == 5 * TOP - 10
    ordered = reader.window(ADDRESS, Sort(SortColumn.RECEIVED, descending=True), 0, 9)
    assert [row.received for row in ordered] == [TOP - n for n in range(5)] + [0, 0]


class TestSummary:
    """The figures above the table."""

    def test_nothing(self, reader: LedgerReader) -> None:
        assert reader.summary(ADDRESS, day_start=NOW, now=NOW) == Summary(
            open_count=0,
            open_due=0,
            today_count=0,
            today_received=0,
            needs_action=0,
            known=0,
            complete=False,
            days=(0,) * 7,
        )
        unknown = reader.summary("https://nowhere.example", day_start=NOW, now=NOW)
        assert unknown == reader.summary(ADDRESS, day_start=NOW, now=NOW)

    def test_what_is_open_and_due(self, book: Book, reader: LedgerReader) -> None:
        soon = NOW + timedelta(hours=1)
        book.record(
            payment("unpaid", asked=1000),
            payment("partial", asked=1000, received=400, expires=soon),
            payment("settling", asked=500, received=500, expires=soon),
            payment("over", asked=500, received=600),
            payment("free", asked=None, received=5),
            payment("closed", asked=1000, completed=True),
            payment("expired", asked=1000, received=1, expires=NOW - timedelta(days=1)),
            payment("euros", asked=700, code="EUR"),
        )
        summary = reader.summary(ADDRESS, day_start=NOW, now=NOW)
        assert (summary.open_count, summary.open_due) == (6, 1600)
        assert (summary.known, summary.needs_action) == (8, 1)
        later = reader.summary(ADDRESS, day_start=NOW, now=soon)
        assert (later.open_count, later.open_due) == (5, 1000)
        assert reader.summary(ADDRESS, day_start=NOW, now=NOW) == summary
        wallet = reader.wallet(ADDRESS)
        assert wallet is not None
        assert (wallet.open_count, wallet.open_due) == (6, 1600)

    def test_receipts_by_day(self, book: Book, reader: LedgerReader) -> None:
        day = timedelta(days=1)
        today = NOW - timedelta(hours=12)
        book.record(
            payment("now", received=1),
            payment("yesterday", received=20, created=NOW - day),
            payment("long-ago", received=300, created=NOW - 9 * day),
            payment("touched", received=4000, created=NOW - 9 * day, updated=NOW - 3 * day),
            payment("grows", received=0, created=NOW - 30 * day),
        )
        summary = reader.summary(ADDRESS, day_start=today, now=NOW)
        assert summary.days == (0, 0, 0, 4000, 0, 20, 1)
        assert (summary.today_count, summary.today_received) == (1, 1)
        for received in (5, 50, 50, 40):
            book.record(payment("grows", received=received, created=NOW - 30 * day))
        summary = reader.summary(ADDRESS, day_start=today, now=NOW)
        assert summary.days == (0, 0, 0, 4000, 0, 20, 51)
        assert summary.today_count == 2
        tomorrow = reader.summary(ADDRESS, day_start=today + day, now=NOW + day)
        assert tomorrow.days == (0, 0, 4000, 0, 20, 51, 0)
        assert tomorrow.today_count == 0

    def test_other_assets_are_not_summed(self, book: Book, reader: LedgerReader) -> None:
        book.record(payment("usd", received=5), payment("eur", received=7, code="EUR"))
        assert reader.summary(ADDRESS, day_start=NOW, now=NOW).today_received == 5
        assert reader.wallets()[0].received_total == 5

    def test_days_begin_where_the_person_is(self, book: Book, reader: LedgerReader) -> None:
        zone = ZoneInfo("Europe/Berlin")
        after_change = datetime(2026, 10, 26, tzinfo=zone)
        just_before = datetime(2026, 10, 24, 23, 30, tzinfo=zone)
        long_night = datetime(2026, 10, 25, 0, 30, tzinfo=zone)
        book.record(
            payment("a", received=1, created=just_before),
            payment("b", received=20, created=long_night),
        )
        summary = reader.summary(ADDRESS, day_start=after_change, now=NOW)
        assert summary.days == (0, 0, 0, 0, 1, 20, 0)

    def test_it_is_the_same_as_for_a_new_reader(self, book: Book, reader: LedgerReader) -> None:
        draw = random.Random(3)
        received = [0] * 12
        for step in range(40):
            number = draw.randrange(12)
            received[number] += draw.randrange(3)
            at = NOW + timedelta(hours=step)
            book.record(payment(f"p{number}", asked=20, received=received[number]), at=at)
            book.advance(at)
            kept = reader.summary(ADDRESS, day_start=NOW, now=at)
            with LedgerReader.open(book.path) as fresh:
                assert fresh.summary(ADDRESS, day_start=NOW, now=at) == kept
                assert fresh.wallets() == reader.wallets()
            assert reader.wallets()[0].received_total == sum(received)

    def test_a_forgotten_neighbour_does_not_disturb(self, book: Book, reader: LedgerReader) -> None:
        book.ledger.remember_wallet(OTHER, NOW)
        book.record(payment("mine", received=1))
        theirs = payment("theirs", received=1, code="JPY", scale=0, wallet=OTHER.id)
        book.record(theirs, wallet_id=OTHER.id)
        reader.summary(ADDRESS, day_start=NOW, now=NOW)
        book.ledger.forget_wallet(OTHER.id)
        book.record(payment("mine", received=3))
        assert reader.summary(ADDRESS, day_start=NOW, now=NOW).today_received == 3


class TestWallets:
    """What is known of wallet addresses themselves."""

    def test_its_description(self, book: Book, reader: LedgerReader) -> None:
        (wallet,) = reader.wallets()
        assert wallet.address == ADDRESS
        assert wallet.public_name == "Rosa's Shop"
        assert wallet.asset == Asset("USD", 2)
        assert wallet.auth_server == WALLET.auth_server
        assert wallet.resource_server == WALLET.resource_server
        assert wallet.last_poll_at is None
        book.ledger.set_last_poll(ADDRESS, NOW)
        assert reader.wallets()[0].last_poll_at == NOW

    def test_in_the_order_of_adding(self, book: Book, reader: LedgerReader) -> None:
        book.ledger.remember_wallet(OTHER, NOW)
        book.ledger.remember_wallet(WALLET, NOW)
        assert [wallet.address for wallet in reader.wallets()] == [ADDRESS, OTHER.id]
        assert reader.wallets()[1].public_name == ""

    def test_complete_once_the_widest_scope_is_read_to_its_end(
        self, book: Book, reader: LedgerReader
    ) -> None:
        def complete() -> bool:
            return reader.wallets()[0].complete

        def walked(scope: Scope, *, more: bool) -> None:
            state = WalkState(cursor="c", server_has_more=more, updated_at=NOW)
            book.ledger.set_walk_state(ADDRESS, scope, state)

        assert not complete()
        walked(Scope.OWN, more=True)
        assert not complete()
        walked(Scope.OWN, more=False)
        assert complete()
        walked(Scope.EVERYTHING, more=True)
        assert not complete()
        walked(Scope.EVERYTHING, more=False)
        assert complete()
        book.ledger.set_walk_state(ADDRESS, Scope.EVERYTHING, None)
        book.ledger.set_walk_state(ADDRESS, Scope.OWN, None)
        assert not complete()


class TestFind:
    """A person types a URL, or a piece of an id."""

    @pytest.fixture(autouse=True)
    def some(self, book: Book) -> None:
        book.ledger.remember_wallet(OTHER, NOW)
        names_known = ["abc-1", "abc-2", "xbc-2", "abc", "100%_x"]
        book.record(*(payment(name) for name in names_known))
        book.record(payment("abc-9"), wallet_id=OTHER.id)

    @pytest.mark.parametrize(
        ("typed", "found"),
        [
            (payment_id("abc-1"), {"abc-1"}),
            (f"  {payment_id('abc-1')}/ ", {"abc-1"}),
            ("abc", {"abc"}),
            ("abc-", {"abc-1", "abc-2", "abc-9"}),
            ("-2", {"abc-2", "xbc-2"}),
            ("…bc-2", {"abc-2", "xbc-2"}),
            ("xbc", {"xbc-2"}),
            ("bc", {"abc"}),
            ("%", set()),
            ("100%", {"100%_x"}),
            ("nothing", set()),
            ("", set()),
            ("https://elsewhere.example/abc", set()),
            ("incoming-payments/abc", set()),
        ],
    )
    def test_what_is_meant(self, reader: LedgerReader, typed: str, found: set[str]) -> None:
        assert set(names(reader.find(typed))) == found


def test_what_can_still_change(book: Book, reader: LedgerReader) -> None:
    book.record(
        payment("new", created=NOW),
        payment("closed", created=NOW - timedelta(seconds=1), completed=True),
        payment("old", created=NOW - timedelta(seconds=2), expires=None),
        payment("long-expired", created=NOW - timedelta(days=9), expires=NOW - timedelta(days=2)),
        payment("just-expired", created=NOW - timedelta(days=9), expires=NOW - timedelta(hours=2)),
        scope=Scope.EVERYTHING,
    )
    later = NOW + timedelta(minutes=1)
    book.record(payment("old", received=1, expires=None), at=later, source=Source.GET)
    found = reader.changeable(ADDRESS)
    assert names(found) == ["new", "old", "just-expired"]
    assert msgspec.structs.replace(found[1], number=0) == Changeable(
        id=payment_id("old"),
        created_at=NOW - timedelta(seconds=2),
        expires_at=None,
        changed_at=later,
        last_seen_at=later,
        scope=Scope.OWN,
    )
    assert all(row.state in OPEN_STATES for row in reader.window(ADDRESS)[:1])
    assert names(reader.changeable(ADDRESS, Scope.OWN)) == ["old"]


def test_the_version_changes_with_every_commit(book: Book, reader: LedgerReader) -> None:
    seen = {reader.version()}
    for change in (
        lambda: book.record(payment()),
        lambda: book.record(payment()),
        lambda: book.ledger.set_last_poll(ADDRESS, NOW),
    ):
        change()
        assert reader.version() not in seen
        seen.add(reader.version())
    assert reader.version() in seen


def test_a_reader_cannot_write(book: Book, reader: LedgerReader) -> None:
    with pytest.raises(Exception, match="readonly"):
        reader._connection.execute("DELETE FROM payment")


def test_a_closed_reader_says_so(book: Book) -> None:
    reader = LedgerReader.open(book.path)
    reader.close()
    reader.close()
    with pytest.raises(LedgerError, match="closed"):
        reader.wallets()


def test_windows_follow_every_change(book: Book, reader: LedgerReader) -> None:
    by_received = Sort(SortColumn.RECEIVED, descending=True)
    book.record(*(payment(f"p{n}", received=n, created=NOW - timedelta(n)) for n in range(9)))
    assert names(reader.window(ADDRESS, by_received, 0, 2)) == ["p8", "p7"]
    book.record(payment("p0", received=99, created=NOW))
    assert names(reader.window(ADDRESS, by_received, 0, 2)) == ["p0", "p8"]
    assert reader.position(ADDRESS, by_received, payment_id("p0")) == 0
