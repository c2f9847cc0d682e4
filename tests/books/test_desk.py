"""The desk: a file and a ledger held against each other again and again."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.books.book import Book
from opdash.books.book_index import BookIndex
from opdash.books.desk import Desk, Look, Scene
from opdash.books.ledger_side import BookWallet
from opdash.books.reconciling import payment_sums
from opdash.books.records import InvoiceClass, PaymentClass
from opdash.books.tabular import FileError
from opdash.clock import SystemClock
from opdash.ledger.decisions import DecisionKind, Verdict
from opdash.ledger.records import Scope, Source, WalkState
from opdash.ledger.store import Ledger
from opdash.openpayments.amounts import Amount, Asset
from opdash.openpayments.resources import IncomingPayment, WalletAddress

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
USD = Asset("USD", 2)
WALLET = "https://wallet.example/shop"
SERVER = "https://wallet.example/incoming-payments"


class Books:
    """A ledger, a file, and a desk over both."""

    def __init__(self, path: Path) -> None:
        self.file = path / "invoices.csv"
        self.ledger = Ledger.open(path / "ledger.sqlite3")
        self.ledger.remember_wallet(
            WalletAddress(WALLET, "USD", 2, "https://auth.example", "https://wallet.example"), NOW
        )
        state = WalkState(cursor="c", server_has_more=False, updated_at=NOW)
        self.ledger.set_walk_state(WALLET, Scope.OWN, state)
        self._directory = path

    def desk(self) -> Desk:
        scene = Scene((BookWallet("shop", WALLET, Scope.OWN),))
        path = self._directory / "ledger.sqlite3"
        return Desk(path, self._directory, SystemClock(), lambda: scene)

    def write(self, *rows: str) -> None:
        """Write the file anew; its time stamp always moves."""
        self.file.write_text("\n".join(("Invoice,Amount", *rows)) + "\n")

    def pay(self, name: str, received: int, reference: str = "", *, asked: int = 0) -> str:
        url = f"{SERVER}/{name}"
        metadata = msgspec.Raw(
            json.dumps({"externalRef": reference}).encode() if reference else b""
        )
        payment = IncomingPayment(
            id=url,
            wallet_address=WALLET,
            completed=received > 0,
            received_amount=Amount.of(received, USD),
            created_at=NOW,
            incoming_amount=Amount.of(asked or received, USD),
            expires_at=NOW + timedelta(days=2),
            raw_metadata=metadata,
        )
        self.ledger.record(
            WALLET,
            [payment],
            at=NOW,
            source=Source.LIST,
            scope=Scope.OWN,
            grace=timedelta(seconds=30),
        )
        return url

    def decide(self, kind: DecisionKind, number: str, url: str, amount: int | None = None) -> None:
        self.ledger.decide(WALLET, kind, number, url, at=NOW, amount=amount)


@contextmanager
def books() -> Iterator[Books]:
    with tempfile.TemporaryDirectory() as path:
        made = Books(Path(path))
        try:
            yield made
        finally:
            made.ledger.close()


@pytest.fixture
def shop() -> Iterator[Books]:
    with books() as made:
        yield made


async def take(desk: Desk, shop: Books) -> Look:
    """Put the file on the desk and look for the first time."""
    await desk.take(await desk.open(shop.file))
    found = await desk.look()
    assert found is not None
    return found


def classes(book: Book) -> dict[str, str]:
    return {one.invoice.number: one.kind.value for one in book.found.invoices}


async def test_it_looks_again_only_where_something_changed(shop: Books) -> None:
    shop.write("A-1,10.00", "A-2,5.00")
    desk = shop.desk()
    try:
        first = await take(desk, shop)
        assert first.is_first
        assert classes(first.book) == {"A-1": "OUTSTANDING", "A-2": "OUTSTANDING"}
        assert await desk.look() is None

        shop.pay("p1", 1000, "A-1")
        second = await desk.look()
        assert second is not None
        (change,) = second.invoices
        assert change.before is not None
        assert change.after is not None
        assert (change.before.kind, change.after.kind) == ("OUTSTANDING", "PAID")
        (paid,) = second.payments
        assert (paid.before, paid.after.kind) == (None, PaymentClass.MATCHED)
        assert await desk.look() is None
    finally:
        desk.close()


async def test_a_decision_is_seen_and_so_is_its_undoing(shop: Books) -> None:
    shop.write("A-1,10.00")
    url = shop.pay("p1", 700)
    desk = shop.desk()
    try:
        await take(desk, shop)
        shop.decide(DecisionKind.LINK, "A-1", url)
        linked = await desk.look()
        assert linked is not None
        assert classes(linked.book) == {"A-1": "UNDERPAID"}
        (made,) = BookIndex(linked.book).standing
        shop.ledger.decide_all([], [made], at=NOW)
        undone = await desk.look()
        assert undone is not None
        assert classes(undone.book) == {"A-1": "OUTSTANDING"}
    finally:
        desk.close()


async def test_a_file_that_moves_its_rows_changes_nothing_but_what_it_says(shop: Books) -> None:
    shop.write("A-1,10.00", "A-2,5.00")
    shop.pay("p1", 1000, "A-1")
    desk = shop.desk()
    try:
        await take(desk, shop)
        shop.write("B-1,7.00", "A-1,10.00", "A-2,6.00")
        found = await desk.look()
        assert found is not None
        assert found.has_read_again
        assert {change.name for change in found.invoices} == {"B-1", "A-2"}
        shop.write("A-2,6.00")
        left = await desk.look()
        assert left is not None
        assert {one.name for one in left.invoices if one.after is None} == {"A-1", "B-1"}
    finally:
        desk.close()


async def test_a_file_that_broke_leaves_what_was_there(shop: Books) -> None:
    shop.write("A-1,10.00")
    desk = shop.desk()
    try:
        await take(desk, shop)
        shop.file.write_bytes(b"PK\x03\x04\0\0")
        shop.pay("p1", 1000, "A-1")
        found = await desk.look()
        assert found is not None
        assert not found.has_read_again
        assert classes(found.book) == {"A-1": "PAID"}
        assert "is not a text file" in desk.trouble
        shop.write("A-1,10.00", "A-2,1.00")
        mended = await desk.look()
        assert mended is not None
        assert desk.trouble == ""
        assert len(mended.book.file.invoices) == 2
    finally:
        desk.close()


async def test_a_file_whose_columns_are_not_known_cannot_be_looked_at(shop: Books) -> None:
    shop.file.write_text("Foo,Bar\nx,y\n")
    desk = shop.desk()
    try:
        source = await desk.open(shop.file)
        preview = await desk.preview(source)
        assert preview.trouble == "No column can be taken for: number, amount."
        await desk.take(source)
        with pytest.raises(FileError):
            await desk.look()
    finally:
        desk.close()


async def test_without_a_file_there_is_nothing_to_look_at(shop: Books) -> None:
    desk = shop.desk()
    assert await desk.look() is None
    desk.close()
    desk.close()


def test_what_is_decided_at_one_time_is_written_whole_or_not_at_all(shop: Books) -> None:
    url = shop.pay("p1", 1000)
    good = Verdict(WALLET, DecisionKind.LINK, "A-1", url, 400)
    bad = Verdict("https://wallet.example/nobody", DecisionKind.LINK, "A-2", url, 600)
    with pytest.raises(Exception, match="nobody"):
        shop.ledger.decide_all([good, bad], at=NOW)
    desk = shop.desk()
    shop.write("A-1,4.00")
    found = asyncio.run(take(desk, shop))
    desk.close()
    assert found.book.ledger.decided == ()


# What must hold, whatever is in the file, the ledger and the decisions

_NUMBERS = st.sampled_from(["INV-1", "INV-2", "inv 1", "R-77"])
_CENTS = st.sampled_from([500, 1000, 1500])
_ROWS = st.lists(st.tuples(_NUMBERS, _CENTS), min_size=1, max_size=5)
_PAYMENTS = st.lists(st.tuples(_NUMBERS | st.just(""), _CENTS | st.just(0)), max_size=5)
_DECISIONS = st.lists(
    st.tuples(st.sampled_from(DecisionKind), _NUMBERS, st.integers(0, 4), st.none() | st.just(300)),
    max_size=3,
)
_FEW = settings(max_examples=20, deadline=None)


def looked_at(
    rows: Sequence[tuple[str, int]],
    payments: Sequence[tuple[str, int]],
    decisions: Sequence[tuple[DecisionKind, str, int, int | None]],
    shop: Books,
) -> Book:
    """Fill a ledger, decide, and look."""
    urls = [
        shop.pay(f"p{place}", cents, number, asked=cents or 1000)
        for place, (number, cents) in enumerate(payments)
    ]
    for kind, number, place, amount in decisions:
        if place < len(urls):
            is_link = kind is DecisionKind.LINK
            shop.decide(kind, number, urls[place], amount if is_link else None)
    shop.write(*(f"{number},{cents / 100:.2f}" for number, cents in rows))
    desk = shop.desk()
    try:
        return asyncio.run(take(desk, shop)).book
    finally:
        desk.close()


@_FEW
@given(_ROWS, _PAYMENTS, _DECISIONS, st.randoms(use_true_random=False))
def test_the_order_of_the_files_rows_does_not_matter(rows, payments, decisions, random) -> None:  # type: ignore[no-untyped-def]
    with books() as shop:
        book = looked_at(rows, payments, decisions, shop)
        mixed = list(rows)
        random.shuffle(mixed)
        again = looked_at(mixed, payments, [], shop)

        def gist(one: Book) -> list[tuple[object, ...]]:
            return sorted(
                (found.invoice.number, found.invoice.amount, found.kind.value, found.received)
                for found in one.found.invoices
                if found.kind is not InvoiceClass.DUPLICATE_NUMBER
            )

        assert gist(book) == gist(again)


@_FEW
@given(_ROWS, _PAYMENTS, _DECISIONS)
def test_looking_twice_changes_nothing(rows, payments, decisions) -> None:  # type: ignore[no-untyped-def]
    with books() as shop:
        assert (
            looked_at(rows, payments, decisions, shop).found
            == looked_at(rows, payments, [], shop).found
        )


@_FEW
@given(_ROWS, _PAYMENTS, _DECISIONS)
def test_no_minor_unit_is_allocated_twice_and_none_is_lost(rows, payments, decisions) -> None:  # type: ignore[no-untyped-def]
    with books() as shop:
        book = looked_at(rows, payments, decisions, shop)
        for one in book.found.payments:
            given_away = sum(found.amount for found in one.matches)
            assert 0 <= given_away <= one.payment.received
            assert given_away + one.unallocated == one.payment.received
        received = sum(cents for _, cents in payments)
        sums = payment_sums(book.found.payments)
        assert sum(one.received for one in sums) == received
        left = sum(one.unallocated for one in book.found.payments)
        assert sum(one.matched for one in sums) + left == received


@_FEW
@given(_ROWS, _PAYMENTS, _DECISIONS)
def test_an_unrelated_row_changes_nothing(rows, payments, decisions) -> None:  # type: ignore[no-untyped-def]
    with books() as shop:
        before = looked_at(rows, payments, decisions, shop)
        after = looked_at([*rows, ("ZZ-9", 77_700)], payments, [], shop)
        assert after.found.invoices[:-1] == before.found.invoices
        assert after.found.payments == before.found.payments


@_FEW
@given(_ROWS, _PAYMENTS, _DECISIONS)
def test_a_persons_links_survive(rows, payments, decisions) -> None:  # type: ignore[no-untyped-def]
    with books() as shop:
        book = looked_at(rows, payments, decisions, shop)
        numbers = {number for number, _ in rows}
        by_row = {one.row: one.number for one in book.file.invoices}
        for link in book.ledger.decisions.links:
            if link.number in numbers:
                (one,) = [o for o in book.found.payments if o.payment.id == link.payment_id]
                assert link.number in {by_row[found.row] for found in one.matches}
                assert all(found.rule == "link" for found in one.matches)
