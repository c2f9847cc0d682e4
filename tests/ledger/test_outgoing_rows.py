"""Outgoing payments are kept as they were last seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.errors import LedgerError
from opdash.ledger.outgoing import SLOWEST, OutgoingState, judge, look_again_after
from opdash.ledger.reader import LedgerReader
from opdash.ledger.store import Ledger
from opdash.openpayments.amounts import Amount
from opdash.openpayments.resources import OutgoingPayment
from tests.ledger.builders import ADDRESS, NOW, OTHER, SERVER, WALLET, payment_id


def sending(name: str = "o", **changes: Any) -> OutgoingPayment:
    """Return an outgoing payment of which nothing was sent yet."""
    made = OutgoingPayment(
        id=f"{SERVER}/outgoing-payments/{name}",
        wallet_address=ADDRESS,
        receiver=payment_id("p"),
        receive_amount=Amount("1000", "EUR", 2),
        debit_amount=Amount("1234", "USD", 2),
        sent_amount=Amount("0", "USD", 2),
        created_at=NOW,
        quote_id=f"{SERVER}/quotes/{name}",
        raw_metadata=msgspec.Raw(b'{"note":"\\u202e[x]"}'),
    )
    return msgspec.structs.replace(made, **changes)


def sent(cents: int) -> Amount:
    return Amount(str(cents), "USD", 2)


class Book:
    """A ledger of two wallets, and a reader of it."""

    def __init__(self, path: Path) -> None:
        self.ledger = Ledger.open(path)
        self.reader = LedgerReader.open(path)
        self.ledger.remember_wallet(WALLET, NOW)
        self.ledger.remember_wallet(OTHER, NOW)

    def close(self) -> None:
        self.reader.close()
        self.ledger.close()

    def record(self, *payments: OutgoingPayment, at: datetime = NOW) -> list[str]:
        changed = self.ledger.record_outgoing(ADDRESS, payments, at=at)
        return [seen.payment.id.rpartition("/")[2] for seen in changed]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "ledger.sqlite3")
    yield book
    book.close()


def test_all_that_a_server_tells_is_kept(book: Book) -> None:
    large = sending(sent_amount=Amount(str(2**64 - 1), "USD", 2), failed=True)
    assert book.record(large) == ["o"]
    seen = book.reader.outgoing(large.id)
    assert seen is not None
    assert seen.payment == large
    assert seen.payment.metadata == {"note": "\u202e[x]"}
    assert (seen.wallet, seen.first_seen_at, seen.last_seen_at) == (ADDRESS, NOW, NOW)
    assert seen.sent_changed_at is None
    assert book.reader.outgoing(f"{SERVER}/outgoing-payments/none") is None


def test_only_what_changed_is_news_and_money_that_moved_is_dated(book: Book) -> None:
    later, last = NOW + timedelta(seconds=5), NOW + timedelta(seconds=9)
    assert book.record(sending("a"), sending("b")) == ["a", "b"]
    assert book.record(sending("a"), sending("b", sent_amount=sent(5)), at=later) == ["b"]
    assert book.record(sending("b", sent_amount=sent(5)), at=last) == []
    b = book.reader.outgoing(sending("b").id)
    assert b is not None
    assert (b.first_seen_at, b.last_seen_at, b.sent_changed_at) == (NOW, last, later)


def test_an_answer_that_is_late_does_not_undo_a_newer_one(book: Book) -> None:
    book.record(sending(sent_amount=sent(9)), at=NOW + timedelta(seconds=2))
    assert book.record(sending(), at=NOW) == []
    seen = book.reader.outgoing(sending().id)
    assert seen is not None
    assert seen.payment.sent_amount == sent(9)


def test_a_server_tells_of_its_own_payments_only(book: Book) -> None:
    foreign = sending(id="https://elsewhere.example/outgoing-payments/o")
    nonsense = sending(id="no url at all")
    assert book.record(foreign, nonsense) == []
    assert book.reader.outgoing_count(ADDRESS) == 0
    with pytest.raises(LedgerError, match="does not know"):
        book.ledger.record_outgoing("https://wallet.example/none", [sending()], at=NOW)


def test_they_are_read_newest_first_in_windows(book: Book) -> None:
    made = [sending(str(n), created_at=NOW - timedelta(minutes=n)) for n in range(7)]
    book.record(*made[4:])
    book.record(*made[:4])
    shown = book.reader.outgoing_window(ADDRESS, 2, 3)
    assert [seen.payment.id for seen in shown] == [one.id for one in made[2:5]]
    assert book.reader.outgoing_count(ADDRESS) == 7
    assert book.reader.outgoing_window(OTHER.id) == ()


def test_a_receiver_knows_who_pays_it(book: Book) -> None:
    book.record(sending("a"), sending("b", receiver=payment_id("q")))
    book.ledger.record_outgoing(OTHER.id, [sending("c", wallet_address=OTHER.id)], at=NOW)
    assert {seen.payment.id[-1] for seen in book.reader.paid_by(payment_id("p"))} == {"a", "c"}
    assert book.reader.paid_by(payment_id("none")) == ()


def test_a_forgotten_wallet_takes_its_outgoing_payments_along(book: Book) -> None:
    book.record(sending())
    book.ledger.forget_wallet(ADDRESS)
    assert book.reader.outgoing(sending().id) is None


def test_a_failure_is_final_and_a_receiver_that_is_covered_makes_it_sent() -> None:
    assert judge(sending(failed=True), NOW).state is OutgoingState.FAILED
    partial = sending(failed=True, sent_amount=sent(1))
    assert judge(partial, NOW).state is OutgoingState.FAILED_PARTIAL
    under_way = sending(sent_amount=sent(1))
    assert judge(under_way, NOW).state is OutgoingState.SENDING
    assert judge(under_way, NOW, receiver_settled=True).state is OutgoingState.SENT
    moving = judge(under_way, NOW, receiver_settled=True, sent_changed_at=NOW)
    assert moving.state is OutgoingState.SENDING


@given(st.integers(0, 10**7), st.integers(1, 3600))
def test_what_stands_longer_is_looked_at_less_often_within_bounds(quiet: int, every: int) -> None:
    interval = timedelta(seconds=every)
    wait = look_again_after(sending(), NOW + timedelta(seconds=quiet), interval)
    assert interval <= wait <= max(interval, SLOWEST)
    longer = look_again_after(sending(), NOW + timedelta(seconds=2 * quiet), interval)
    assert longer >= wait
    again = look_again_after(
        sending(),
        NOW + timedelta(seconds=quiet),
        interval,
        sent_changed_at=NOW + timedelta(seconds=quiet),
    )
    assert again == interval
