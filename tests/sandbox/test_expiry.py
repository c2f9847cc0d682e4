"""Payments whose time runs out: what vanishes, what stays, and what becomes of cursors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.sandbox.scene import usd
from tests.sandbox.support import RawClient


class Book:
    """The payments of a wallet address that has no others."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.client = RawClient(sandbox)
        self.wallet = sandbox.wallet_addresses[-1]

    def make(self, seconds: int | None = None) -> str:
        more = {}
        if seconds is not None:
            now = datetime.fromisoformat(self.sandbox.state()["now"]).astimezone(UTC)
            later = now + timedelta(seconds=seconds)
            more = {"expiresAt": later.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"}
        token = self.client.token()
        made = self.client.create(self.wallet, token, incomingAmount=usd("500"), **more)
        return str(made.json()["id"])

    def listed(self, query: str = "") -> list[str]:
        page = self.client.list(self.wallet, self.client.token(), query).json()
        return [payment["id"] for payment in page["result"]]

    def status(self, payment: str) -> int:
        return self.client.send("GET", payment, token=self.client.token()).status_code

    def complete(self, payment: str) -> int:
        token = self.client.token()
        return self.client.send("POST", f"{payment}/complete", token=token).status_code


@pytest.fixture
def book(fresh_sandbox: SandboxProcess) -> Iterator[Book]:
    made = Book(fresh_sandbox)
    yield made
    made.client.close()


def test_an_unpaid_payment_vanishes_a_moment_after_its_expiry(book: Book) -> None:
    payment = book.make(10)
    book.sandbox.advance(9)
    before = (payment in book.listed(), book.status(payment))

    book.sandbox.advance(2)

    assert before == (True, 200)
    assert payment not in book.listed()
    assert book.status(payment) == 401
    assert book.sandbox.state(payment)["gone"] is True


def test_without_expiry_it_is_thirty_days(book: Book) -> None:
    payment = book.make()

    book.sandbox.advance(30 * 86_400 - 5)
    assert book.status(payment) == 200
    book.sandbox.advance(10)
    assert book.status(payment) == 401


def test_an_expired_payment_with_money_stays(book: Book) -> None:
    payment = book.make(60)
    book.sandbox.pay(payment, 200)

    book.sandbox.advance(40 * 86_400)

    assert payment in book.listed()
    assert book.status(payment) == 200
    assert book.complete(payment) == 409


def test_a_completed_payment_stays_even_without_money(book: Book) -> None:
    payment = book.make(60)
    assert book.complete(payment) == 200

    book.sandbox.advance(40 * 86_400)

    assert payment in book.listed()
    assert book.status(payment) == 200
    assert book.complete(payment) == 409


def test_the_cursor_of_a_vanished_payment_keeps_its_place(book: Book) -> None:
    oldest, vanishing, newest = book.make(), book.make(5), book.make()
    cursor = vanishing.rpartition("/")[2]
    book.sandbox.advance(10)

    assert book.listed() == [newest, oldest]
    assert book.listed(f"&first=5&cursor={cursor}") == [oldest]
    assert book.listed(f"&last=5&cursor={cursor}") == [newest]


def test_when_all_that_follows_has_vanished_the_page_is_empty(book: Book) -> None:
    book.make(5)
    newest = book.make()
    page = book.client.list(book.wallet, book.client.token(), "&first=1").json()
    assert page["pagination"]["hasNextPage"] is True

    book.sandbox.advance(10)

    cursor = newest.rpartition("/")[2]
    after = book.client.list(book.wallet, book.client.token(), f"&first=1&cursor={cursor}").json()
    assert after == {
        "pagination": {"hasNextPage": False, "hasPreviousPage": False},
        "result": [],
    }
