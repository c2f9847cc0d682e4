"""The simulated payer, on a clock that is moved by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from opdash.sandbox.clock import DAY, MINUTE, SandboxClock
from opdash.sandbox.database import open_database
from opdash.sandbox.payments import IncomingPayments, IncomingRow, PageRequest
from opdash.sandbox.seed import seed_rows
from opdash.sandbox.simulation import Simulation
from opdash.sandbox.transfers import Transfers
from opdash.sandbox.wallets import CLIENT, MAIN, RECEIVERS, SENDER
from tests.sandbox.support import RawClient
from tests.sandbox.test_clock import HandClock

ROSA = RECEIVERS[0]
CREATED = "dddddddd-0000-4000-8000-000000000000"


MakeWorld = Callable[..., "World"]


class World:
    """A sandbox's inside, with a payer."""

    def __init__(self, seed: int = 1) -> None:
        self.wall = HandClock()
        self.clock = SandboxClock(self.wall)
        self.database = open_database(None)
        self.payments = IncomingPayments(self.database)
        for lot in seed_rows(seed, self.clock.now(), None):
            self.payments.add_all(lot)
        self.transfers = Transfers(self.database, self.payments)
        self.simulation = Simulation(self.clock, self.payments, self.transfers, seed, payer=True)

    def wait(self, seconds: float) -> None:
        self.wall.at += timedelta(seconds=seconds)
        self.simulation.catch_up()

    def create(self, asked: int | None, **metadata: Any) -> IncomingRow:
        now = self.clock.now()
        row = IncomingRow(
            id=CREATED,
            wallet=MAIN,
            client=CLIENT,
            asked=asked,
            received=0,
            completed=False,
            metadata=json.dumps(metadata),
            created=now,
            expires=now + DAY,
        )
        self.payments.add(row)
        self.simulation.payment_created(row, ROSA)
        return row

    def created(self) -> IncomingRow:
        row = self.payments.find(CREATED)
        assert row is not None
        return row

    def snapshot(self) -> list[IncomingRow]:
        rows: list[IncomingRow] = []
        for wallet in RECEIVERS:
            page = self.payments.page(wallet.path, None, self.clock.now(), PageRequest(100))
            rows += page.rows
        return rows


@pytest.fixture
def make_world() -> Iterator[MakeWorld]:
    with ExitStack() as stack:

        def make(seed: int = 1) -> World:
            world = World(seed)
            stack.callback(world.database.close)
            return world

        yield make


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world()


def test_something_happens_every_few_seconds(world: World) -> None:
    seen = []
    for _ in range(12):
        before = world.snapshot()
        world.wait(5)
        seen.append(world.snapshot() != before)

    assert all(seen)


def test_the_same_seed_pays_in_the_same_way_however_often_one_looks(make_world: MakeWorld) -> None:
    often, seldom, other = make_world(), make_world(), make_world(2)
    for _ in range(100):
        often.wait(0.9)
    for _ in range(2):
        seldom.wait(45)
        other.wait(45)

    assert often.snapshot() == seldom.snapshot()
    assert [row.id for row in often.snapshot()] != [row.id for row in other.snapshot()]


def test_within_minutes_all_kinds_of_things_have_happened(world: World) -> None:
    start = world.clock.now()
    world.wait(110)
    world.wait(110)
    world.wait(110)
    world.wait(110)
    rows = world.snapshot()
    new = [row for row in rows if row.created > start]

    assert any(row.asked is None and row.received for row in new)
    assert any(row.asked is not None for row in new)
    assert all(row.client == CLIENT for row in new)
    assert any(row.completed and row.asked == row.received for row in rows)
    assert any(0 < row.received < (row.asked or 0) and row.is_open(start) for row in rows)
    assert len(world.transfers.newest(SENDER, 1000)) > 20


def test_the_empty_wallet_address_stays_empty(world: World) -> None:
    for _ in range(5):
        world.wait(100)

    assert world.payments.summary("/new", world.clock.now())["payments"] == 0


def test_a_created_payment_is_paid_in_parts_within_ten_seconds(world: World) -> None:
    world.create(8000)
    seen = []
    for _ in range(100):
        world.wait(0.1)
        seen.append(world.created().received)

    assert len(set(seen)) >= 4
    assert seen == sorted(seen)
    assert world.created().received == 8000
    assert world.created().completed


@pytest.mark.parametrize("asked", [1, 2, 3, 2**63 - 1])
def test_all_amounts_can_be_paid(world: World, asked: int) -> None:
    world.create(asked)
    world.wait(12)

    assert world.created().received == asked
    assert world.created().completed


def test_gifts_come_to_payments_that_ask_for_nothing(world: World) -> None:
    world.create(None)
    world.wait(12)

    assert world.created().received > 0
    assert not world.created().completed


@pytest.mark.parametrize(
    ("wish", "seconds", "low", "high", "completed"),
    [
        ("never", 100, 0, 0, False),
        ("part", 100, 1, 999, False),
        ("over", 12, 1001, 1200, True),
        ("full", 12, 1000, 1000, True),
        ("parts", 12, 1000, 1000, True),
        ("late", 30, 0, 0, False),
        ("late", 60, 1000, 1000, True),
    ],
)
def test_a_payment_may_say_how_it_is_paid(
    world: World, wish: str, seconds: int, low: int, high: int, completed: bool
) -> None:
    world.create(1000, sandboxPayer=wish)
    world.wait(seconds)

    assert low <= world.created().received <= high
    assert world.created().completed is completed


def test_an_unknown_wish_is_overheard(world: World) -> None:
    world.create(1000, sandboxPayer={"a": ["never"]})
    world.wait(12)

    assert world.created().completed


def test_a_completed_payment_is_left_alone(world: World) -> None:
    world.create(8000)
    world.wait(4)
    received = world.created().received
    world.payments.complete(CREATED, world.clock.now())
    world.wait(60)

    assert 0 < world.created().received == received < 8000


def test_a_skipped_year_takes_no_time(world: World) -> None:
    world.clock.advance(365 * DAY)
    world.simulation.catch_up()

    recent = [row for row in world.snapshot() if row.created > world.clock.now() - 3 * MINUTE]
    assert recent
    assert len(recent) < 100


def test_payments_arrive_at_a_running_sandbox(start_sandbox: Any) -> None:
    sandbox = start_sandbox(payer=True)
    client = RawClient(sandbox)
    amount = {"value": "5000", "assetCode": "USD", "assetScale": 2}
    made = client.create(sandbox.main_wallet, client.token(), incomingAmount=amount).json()
    sandbox.advance(12)

    assert sandbox.state(made["id"])["payment"]["completed"] is True
    assert sandbox.state()["newestOutgoingPayments"]
    client.close()


def test_no_payer_no_payments(fresh_sandbox: Any) -> None:
    before = fresh_sandbox.state()["walletAddresses"]
    fresh_sandbox.advance(60)

    assert fresh_sandbox.state()["walletAddresses"] == before
    assert fresh_sandbox.state()["newestOutgoingPayments"] == []
