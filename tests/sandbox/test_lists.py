"""Walking lists: nothing is lost or seen twice, in either direction, whoever looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from opdash.sandbox.clock import MINUTE, SECOND
from opdash.sandbox.database import open_database
from opdash.sandbox.payments import IncomingPayments, PageRequest
from opdash.sandbox.process import SandboxProcess
from opdash.sandbox.seed import seed_rows
from opdash.sandbox.wallets import CLIENT, MAIN, OTHER_CLIENT
from tests.sandbox.support import RawClient

NOW = 1_795_155_000 * SECOND


@pytest.fixture(scope="module")
def bulk() -> Iterator[IncomingPayments]:
    with closing(open_database(None)) as database:
        payments = IncomingPayments(database)
        for lot in seed_rows(3, NOW, 1500):
            payments.add_all(lot)
        yield payments


@pytest.mark.parametrize("size", [1, 7, 100])
def test_forwards_and_backwards_show_the_same(bulk: IncomingPayments, size: int) -> None:
    forwards = [row.id for row in _walk(bulk, CLIENT, size)]
    last = bulk.page(MAIN, CLIENT, NOW, PageRequest(1, forwards[-2])).rows[0]
    backwards: list[str] = [last.id]
    while True:
        page = bulk.page(MAIN, CLIENT, NOW, PageRequest(size, backwards[0], backwards=True))
        backwards[:0] = [row.id for row in page.rows]
        if not page.has_previous:
            break

    assert forwards == backwards
    assert len(set(forwards)) == len(forwards) == 1500


def test_everybody_s_are_those_of_all_clients(bulk: IncomingPayments) -> None:
    everything = _walk(bulk, None, 100)

    by_client = Counter(row.client for row in everything)
    assert by_client == {CLIENT: 1500, OTHER_CLIENT: len(_walk(bulk, OTHER_CLIENT, 100))}
    assert by_client[OTHER_CLIENT] > 0


def test_many_payments_share_an_instant(bulk: IncomingPayments) -> None:
    instants = Counter(row.created for row in _walk(bulk, CLIENT, 100))

    assert sum(count > 1 for count in instants.values()) > 100


def test_newest_first_and_ties_by_id(bulk: IncomingPayments) -> None:
    keys = [(row.created, row.id) for row in _walk(bulk, None, 100)]

    assert keys == sorted(keys, reverse=True)


def test_seeded_payments_keep_the_rules(bulk: IncomingPayments) -> None:
    for row in _walk(bulk, None, 100):
        assert row.created <= NOW
        assert row.created < row.expires <= row.created + 30 * 24 * 60 * MINUTE
        assert row.asked is None or row.asked > 0
        covered = row.asked is not None and row.received >= row.asked
        assert row.completed or not covered


def test_the_seed_holds_every_kind_of_payment(bulk: IncomingPayments) -> None:
    rows = _walk(bulk, CLIENT, 100)

    def some(**wanted: Any) -> bool:
        return any(
            all(getattr(row, name) == value for name, value in wanted.items()) for row in rows
        )

    assert some(asked=None)
    assert some(completed=True, received=0)
    assert any(row.asked and row.received > row.asked for row in rows)
    assert any(row.asked and 0 < row.received < row.asked and row.completed for row in rows)
    assert any(row.asked and row.received and row.is_expired(NOW) for row in rows)
    assert any(row.asked and row.received == 0 and row.is_open(NOW) for row in rows)
    assert any(row.asked and row.received and row.is_open(NOW) for row in rows)


def test_a_list_shows_no_methods(sandbox: SandboxProcess, raw: RawClient) -> None:
    page = raw.list(sandbox.main_wallet, raw.token(), "&first=100").json()

    assert page["result"]
    assert not any("methods" in payment for payment in page["result"])


def _walk(payments: IncomingPayments, client: str | None, size: int) -> list[Any]:
    rows: list[Any] = []
    cursor: str | None = None
    while True:
        page = payments.page(MAIN, client, NOW, PageRequest(size, cursor))
        rows += page.rows
        if not page.has_next:
            return rows
        cursor = rows[-1].id
