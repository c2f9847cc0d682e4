"""Sales at the counter: how they stand, which are today's, and watching one on the sandbox."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from opdash.errors import OpdashError
from opdash.ledger.records import CreationStatus, PaymentRow, TimelineKind
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from opdash.openpayments.errors import UnreachableError
from opdash.sandbox.process import SandboxProcess
from opdash.service.drafts import PaymentDraft
from opdash.service.till import (
    LOOK_EVERY,
    Sale,
    SaleWatch,
    Standing,
    Takings,
    missing,
    sale_under_way,
    sales_today,
    seen_remark,
    standing,
    takings,
    till_draft,
)
from tests.service.conftest import OpenDashboard
from tests.tui.doubles import NOW
from tests.tui.form_doubles import payment
from tests.tui.till_doubles import MINUTE, Shop

PAST = NOW - timedelta(hours=1)


def seen_later(state: State, **changes: object) -> PaymentRow:
    """A payment that the server told of after it had expired."""
    return payment(state=state, expires_at=PAST, last_seen_at=NOW, **changes)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.UNPAID, Standing.WAITING),
        (State.PARTIAL, Standing.PART),
        (State.SETTLING, Standing.ARRIVED),
        (State.EXPIRING, Standing.ENDING),
        (State.PAID, Standing.PAID),
        (State.OVERPAID, Standing.OVERPAID),
        (State.CLOSED_SHORT, Standing.SHORT),
        (State.CLOSED_UNPAID, Standing.CLOSED),
        (State.EXPIRED_PARTIAL, Standing.EXPIRED_PART),
        (State.EXPIRED_UNPAID, Standing.EXPIRED),
        (State.ANOMALY, Standing.STRANGE),
        (State.UNAVAILABLE, Standing.STRANGE),
    ],
)
def test_every_state_is_something_at_the_counter(state: State, expected: Standing) -> None:
    assert standing(seen_later(state)) is expected
    assert expected.is_over is (expected not in list(Standing)[:4])


@pytest.mark.parametrize("state", State)
def test_no_state_is_forgotten(state: State) -> None:
    assert isinstance(standing(seen_later(state)), Standing)


@pytest.mark.parametrize("state", [State.EXPIRED_PARTIAL, State.EXPIRED_UNPAID])
def test_time_alone_proves_no_end(state: State) -> None:
    row = payment(state=state, expires_at=PAST, last_seen_at=PAST - MINUTE)
    assert standing(row) is Standing.ENDING
    assert standing(replace(row, gone_at=NOW)) in (Standing.EXPIRED_PART, Standing.EXPIRED)


def test_an_anomaly_goes_before_a_good_end() -> None:
    row = seen_later(State.PAID, anomalies=("received-fell",))
    assert standing(row) is Standing.STRANGE


def test_what_is_missing_is_never_negative() -> None:
    assert missing(payment(difference=-130)) == 130
    assert missing(payment(difference=50)) == 0
    assert missing(payment(difference=None)) == 0


# Which sales there are


@pytest.fixture
def shop(tmp_path: Path) -> object:
    shop = Shop(tmp_path)
    yield shop
    shop.close()


def today(shop: Shop) -> tuple[Sale, ...]:
    return sales_today(shop.reader, shop.wallet, shop.clock.now())


def under_way(shop: Shop) -> Sale | None:
    return sale_under_way(shop.reader, shop.wallet, shop.clock.now())


def test_todays_sales_are_those_of_this_till_since_midnight(shop: Shop) -> None:
    shop.sale(100, "yesterday", ago=timedelta(hours=20))
    shop.sale(1250, "first", ago=timedelta(hours=3), received=1250, completed=True)
    shop.sale(500, "second", ago=MINUTE, received=200)
    shop.create(PaymentDraft(amount=5, reference="not of the till"))
    shop.create(PaymentDraft(amount=5, reference='says "till" itself'))
    shop.create(till_draft(70, "refused", NOW + MINUTE), status=CreationStatus.FAILED)
    shop.create(till_draft(80, "unknown", NOW + MINUTE), status=CreationStatus.UNKNOWN)
    sales = today(shop)
    assert [sale.reference for sale in sales] == ["unknown", "second", "first"]
    assert [sale.is_unknown for sale in sales] == [True, False, False]
    assert [sale.asked for sale in sales] == [80, 500, 1250]
    assert takings(sales) == (Takings(Asset("USD", 2), 2, 1450),)


def test_sums_are_kept_apart_by_asset(shop: Shop) -> None:
    shop.sale(500, received=500)
    dollars = today(shop)[0]
    assert dollars.payment is not None
    other = replace(dollars.payment, received_asset=Asset("EUR", 2))
    in_euros = Sale(dollars.creation, 1, Asset("EUR", 2), "", None, other)
    assert [(one.asset.code, one.received) for one in takings([dollars, in_euros, dollars])] == [
        ("EUR", 500),
        ("USD", 1000),
    ]


def test_the_sale_under_way_is_the_last_one_whose_end_nobody_saw(shop: Shop) -> None:
    assert under_way(shop) is None
    shop.sale(100, "seen", ago=3 * MINUTE)
    assert under_way(shop) is None
    url = shop.sale(200, "open", ago=2 * MINUTE, seen=False)
    found = under_way(shop)
    assert found is not None
    assert found.payment is not None
    assert (found.payment.id, found.reference) == (url, "open")
    shop.create(till_draft(70, "refused", NOW + MINUTE), status=CreationStatus.FAILED)
    still = under_way(shop)
    assert still is not None
    assert still.reference == "open"
    shop.ledger.record_action(
        shop.wallet.id, url, TimelineKind.NOTE, at=NOW, text=seen_remark(found.payment)
    )
    assert under_way(shop) is None


def test_a_paid_sale_that_nobody_saw_is_shown_again_and_yesterdays_is_not(shop: Shop) -> None:
    shop.sale(200, "paid", ago=2 * MINUTE, received=200, completed=True, seen=False)
    found = under_way(shop)
    assert found is not None
    assert found.payment is not None
    assert standing(found.payment) is Standing.PAID
    shop.clock.instant += timedelta(hours=25)
    assert under_way(shop) is None


def test_an_unknown_creation_is_the_sale_under_way(shop: Shop) -> None:
    shop.create(till_draft(80, "unknown", NOW + MINUTE), status=CreationStatus.UNKNOWN)
    found = under_way(shop)
    assert found is not None
    assert found.is_unknown


# Watching


class CountingClock:
    """A clock on which sleeping takes no time; what was slept is kept."""

    def __init__(self, most: int) -> None:
        self.slept: list[float] = []
        self._most = most

    def now(self) -> object:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == self._most:
            raise asyncio.CancelledError


async def watched(
    answers: list[PaymentRow | OpdashError], patience: float = 0.0
) -> tuple[SaleWatch, list[float], bool]:
    clock = CountingClock(len(answers) + 1)

    async def look() -> PaymentRow | None:
        answer = answers.pop(0) if answers else None
        if isinstance(answer, OpdashError):
            raise answer
        return answer

    watch = SaleWatch(look, lambda: patience, lambda: NOW, clock)  # type: ignore[arg-type]
    ended = True
    try:
        await watch.run()
    except asyncio.CancelledError:
        ended = False
    return watch, clock.slept, ended


DOWN = UnreachableError("The server does not answer.", "Wait.")


async def test_it_looks_every_moment_until_the_payment_can_no_longer_change() -> None:
    open_, paid = payment(state=State.UNPAID), payment(state=State.PAID, final=True)
    watch, slept, ended = await watched([open_, open_, paid])
    assert slept == [LOOK_EVERY, LOOK_EVERY]
    assert ended
    assert watch.looked_at == NOW


async def test_it_goes_on_while_the_server_does_not_answer_ever_more_slowly() -> None:
    watch, slept, ended = await watched([DOWN, DOWN, DOWN, DOWN])
    assert slept[:4] == [3.0, 6.0, 6.0, 6.0]
    assert not ended
    assert watch.trouble is None  # the fifth look found it again


async def test_it_leaves_a_server_alone_that_wants_it() -> None:
    _, slept, _ = await watched([DOWN], patience=40.0)
    assert slept[0] == 40.0


async def test_a_payment_that_is_over_by_time_alone_is_looked_at_on() -> None:
    over = payment(state=State.EXPIRED_UNPAID, expires_at=PAST, last_seen_at=PAST - MINUTE)
    _, slept, ended = await watched([over, seen_later(State.EXPIRED_UNPAID)])
    assert len(slept) == 1
    assert ended


async def test_a_sale_is_watched_on_the_sandbox_within_the_budget(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_dashboard(sandbox)
    session, reader = opened.session, opened.dashboard.reader
    await session.poll_once()
    wallet = session.wallet
    assert wallet is not None
    draft = till_draft(900, "W-1", session.now().replace(microsecond=0) + 10 * MINUTE)
    creation = await session.create_payment(draft)
    url = str(creation.payment_id)
    assert [sale.reference for sale in sales_today(reader, wallet, session.now())] == ["W-1"]
    spent: list[int] = []
    monkeypatch.setattr(session._poller.server.polling, "spend", lambda: spent.append(1))
    asked = opened.asked("GET", url)
    sandbox.pay(url)
    async with asyncio.timeout(60):
        await session.watch_sale(url).run()
    row = opened.payment(url)
    assert standing(row) is Standing.PAID
    assert len(spent) == opened.asked("GET", url) - asked
    changes = [change for event in opened.events for change in getattr(event, "changes", ())]
    assert [change.announce for change in changes if change.announce] == ["paid"]
    await session.remark(url, seen_remark(row))
    steps = reader.timeline(opened.wallet, url)
    assert [step.text for step in steps if step.kind is TimelineKind.NOTE] == ["At the till: PAID"]
    assert sale_under_way(reader, wallet, session.now()) is None


async def test_a_sale_is_watched_while_another_process_polls(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    polling = open_dashboard(sandbox, data="shared", poll_interval=3600.0)
    await polling.dashboard.start()
    other = open_dashboard(sandbox, data="shared", poll_interval=3600.0)
    await other.dashboard.start()
    async with asyncio.timeout(60):
        while not (other.session.status.polled_elsewhere and other.session.wallet):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        draft = till_draft(900, "W-2", other.session.now().replace(microsecond=0) + 10 * MINUTE)
        creation = await other.session.create_payment(draft)
        url = str(creation.payment_id)
        sandbox.pay(url)
        await other.session.watch_sale(url).run()
    assert standing(other.payment(url)) is Standing.PAID
