"""Billing invoices on a sandbox by HTTP: each once, whatever becomes of answers and servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opdash.books.bills import Terms
from opdash.books.sources import open_source
from opdash.clock import SystemClock
from opdash.errors import LedgerError, OpdashError
from opdash.ledger.billings import Bill
from opdash.ledger.records import NEWEST_FIRST, CreationStatus
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.errors import (
    InsufficientGrantError,
    ServerError,
    TooManyRequestsError,
    UnansweredError,
    UnreachableError,
)
from opdash.sandbox.process import SandboxProcess
from opdash.service import billing, creations
from opdash.service.bill_reports import Billed, BillingProgress, Outcome
from opdash.service.billing import Biller
from opdash.service.billing_desk import BillingDesk
from opdash.service.billing_lock import BusyError
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.errors import ReadOnlyError
from opdash.service.session import WalletSession
from opdash.settings import AccessLevel, Settings, SettingsStore
from tests.service.conftest import profile_of

Send = Callable[..., Any]


class HurriedClock(SystemClock):
    """The machine's clock, but nobody sleeps for long; what was meant is written down."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(min(seconds, 0.02))


class Shop:
    """A wallet of a sandbox, and somebody who bills there."""

    def __init__(self, dashboard: Dashboard, clock: HurriedClock) -> None:
        self.dashboard = dashboard
        self.clock = clock
        self.progress: list[BillingProgress] = []
        self.told: list[Billed] = []

    @property
    def session(self) -> WalletSession:
        return self.dashboard.session(self.dashboard.profiles[0].name)

    def biller(self, **given: Any) -> Biller:
        usual = {"tell": self.progress.append, "told": self.told.append, "a_second": 1000.0}
        return Biller(self.session, self.dashboard.reader, self.clock, **{**usual, **given})

    async def known(self) -> Counter[str]:
        """How many payments of each reference there are at the server."""
        await self.session.poll_once()
        await self.session.read_all()
        wallet = self.session.wallet_id
        assert wallet is not None
        rows = self.dashboard.reader.window(wallet, NEWEST_FIRST, 0, 5_000)
        return Counter(row.reference for row in rows)


@asynccontextmanager
async def opened(sandbox: SandboxProcess, home: Path, **changes: Any) -> AsyncIterator[Shop]:
    store = SettingsStore(home / "config.toml")
    store.load()
    (empty,) = [one for one in sandbox.wallet_addresses if one.endswith("/new")]
    changes.setdefault("poll_interval", 0.2)
    store.save(Settings((profile_of(sandbox, empty, **changes),)))
    clock = HurriedClock()
    dashboard = Dashboard(store, home / "data", clock, jitter=lambda: 0.5)
    try:
        yield Shop(dashboard, clock)
    finally:
        await dashboard.stop()


@pytest.fixture(scope="module")
def office() -> Iterator[SandboxProcess]:
    """One sandbox for many examples; other tests hold the shared one's empty wallet to be empty."""
    with SandboxProcess.start(auto_consent=True) as process:
        yield process


@pytest.fixture
async def shop(fresh_sandbox: SandboxProcess, tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(fresh_sandbox, tmp_path) as shop:
        await shop.session.poll_once()
        yield shop


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a payment that is not listed at once for one that was not created."""
    monkeypatch.setattr(creations, "GIVE_UP_AFTER", timedelta(0))


def bills(count: int, first: int = 1) -> list[Bill]:
    return [Bill(invoice=f"INV-{number}", amount=number) for number in range(first, first + count)]


def once_each(count: int) -> Counter[str]:
    return Counter(one.invoice for one in bills(count))


def on_sending(monkeypatch: pytest.MonkeyPatch, wrap: Callable[[Send, Any], Any]) -> None:
    """Let something else happen than that a payment is sent and answered."""
    send = OpenPaymentsClient.create_incoming_payment

    async def instead(self: OpenPaymentsClient, *given: Any) -> Any:
        return await wrap(lambda: send(self, *given), given[-1])

    monkeypatch.setattr(OpenPaymentsClient, "create_incoming_payment", instead)


async def test_each_invoice_gets_its_payment(shop: Shop) -> None:
    bill = Bill(invoice="INV-ä/1", amount=1250, description="Two “lamps”", lasts=86_400)

    ended = await shop.biller().run([bill, *bills(3)], {})

    assert ended.is_whole
    assert [one.outcome for one in ended.billed] == [Outcome.CREATED] * 4
    assert shop.told == list(ended.billed)
    row = shop.dashboard.reader.find(ended.billed[0].payment_id)[0]
    assert (row.reference, row.description, row.asked) == ("INV-ä/1", "Two “lamps”", 1250)
    assert row.expires_at is not None
    assert timedelta(hours=23) < row.expires_at - row.created_at <= timedelta(days=1, seconds=2)
    assert json.loads(row.metadata_json)["externalRef"] == "INV-ä/1"
    last = shop.progress[-1]
    assert (last.done, last.total, last.checking, last.left) == (4, 4, (), None)
    assert await shop.known() == once_each(3) + Counter(["INV-ä/1"])


async def test_the_pace_is_bounded(shop: Shop) -> None:
    await shop.biller(a_second=2.0).run(bills(3), {})
    assert sum(shop.clock.slept) > 0.6, "half a second between two, as far as the server is quick"


async def test_a_lost_answer_is_looked_for_and_the_payment_is_there_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {"INV-2", "INV-3", "INV-4", "INV-5", "INV-8"}

    async def lose(send: Send, draft: Any) -> Any:
        payment = await send()
        if draft.metadata["externalRef"] in lost:
            raise UnansweredError("The server gave no answer.")
        return payment

    on_sending(monkeypatch, lose)

    ended = await shop.biller().run(bills(10), {})

    assert ended.is_whole
    assert ended.count(Outcome.CREATED) == 10
    assert all(one.payment_id for one in ended.billed)
    assert await shop.known() == once_each(10)


@pytest.mark.usefixtures("hurry")
async def test_what_never_arrived_is_sent_again_once_that_is_certain(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: Counter[str] = Counter()

    async def swallow(send: Send, draft: Any) -> Any:
        name = draft.metadata["externalRef"]
        tries[name] += 1
        if name == "INV-2" or (name == "INV-4" and tries[name] == 1):
            raise UnansweredError("The server gave no answer.")
        return await send()

    on_sending(monkeypatch, swallow)

    ended = await shop.biller().run(bills(4), {})

    outcomes = {one.bill.invoice: one.outcome for one in ended.billed}
    assert outcomes == {
        "INV-1": Outcome.CREATED,
        "INV-2": Outcome.FAILED,
        "INV-3": Outcome.CREATED,
        "INV-4": Outcome.CREATED,
    }
    assert (tries["INV-2"], tries["INV-4"]) == (3, 2)
    assert await shop.known() == once_each(4) - Counter(["INV-2"])


async def test_many_without_an_answer_are_looked_for_before_any_other_is_sent(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    async def swallow(send: Send, draft: Any) -> Any:
        sent.append(draft.metadata["externalRef"])
        raise UnansweredError("The server gave no answer.")

    on_sending(monkeypatch, swallow)
    biller = shop.biller()

    def look(progress: BillingProgress) -> None:
        shop.progress.append(progress)
        if len([one for one in shop.progress if one.waiting]) > 5:
            biller.stop()

    biller._tell = look

    ended = await biller.run(bills(9), {})

    assert len(sent) == billing.MOST_UNKNOWN
    assert ended.was_stopped
    assert ended.count(Outcome.UNKNOWN) == billing.MOST_UNKNOWN
    assert ended.count(Outcome.NOT_TRIED) == 9 - billing.MOST_UNKNOWN
    waits = [one.waiting for one in shop.progress if one.waiting]
    assert "An answer was lost" in waits[-1]


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("down", [["resource"], ["authorization", "resource", "wallet-address"]])
async def test_an_outage_in_the_middle_is_waited_for(
    shop: Shop, fresh_sandbox: SandboxProcess, down: list[str]
) -> None:
    waits: list[str] = []

    def told(one: Billed) -> None:
        shop.told.append(one)
        if len(shop.told) == 4:
            fresh_sandbox.take_down(*down)

    def tell(progress: BillingProgress) -> None:
        if progress.waiting:
            waits.append(progress.waiting)
            if len(waits) == 3:
                fresh_sandbox.take_down()

    ended = await shop.biller(told=told, tell=tell).run(bills(10), {})

    assert ended.is_whole
    assert ended.count(Outcome.CREATED) == 10
    assert "The server is in trouble" in waits[0]
    assert await shop.known() == once_each(10)


async def test_an_outage_without_end_ends_the_run_and_another_goes_on(
    shop: Shop, fresh_sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(one: Billed) -> None:
        shop.told.append(one)
        if len(shop.told) == 2:
            fresh_sandbox.take_down("resource")

    ended = await shop.biller(told=told, patience=0.05).run(bills(5), {})

    assert not ended.is_whole
    assert ended.failure is not None
    assert "in trouble" in ended.failure.sentence
    assert ended.count(Outcome.CREATED) == 2
    assert ended.count(Outcome.UNKNOWN) == 1, "the server may have done it"
    assert ended.count(Outcome.NOT_TRIED) == 2

    fresh_sandbox.take_down()
    monkeypatch.setattr(creations, "GIVE_UP_AFTER", timedelta(0))
    wallet = str(shop.session.wallet_id)
    open_one = next(
        one for one in shop.dashboard.reader.billings(wallet).values() if one.is_unresolved
    )
    checking = {open_one.creation.request_id: Bill(invoice=open_one.invoice, amount=3)}
    again = await shop.biller().run(bills(5, 1)[3:], checking)
    assert again.count(Outcome.CREATED) == 3
    assert await shop.known() == once_each(5)


async def test_retry_after_is_honoured(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = 0

    async def refuse(send: Send, draft: Any) -> Any:
        nonlocal refused
        if draft.metadata["externalRef"] == "INV-2" and not refused:
            refused += 1
            raise TooManyRequestsError("Fewer.", status=429, retry_after=7.0)
        return await send()

    on_sending(monkeypatch, refuse)

    ended = await shop.biller().run(bills(3), {})

    assert ended.count(Outcome.CREATED) == 3
    assert max(shop.clock.slept) >= 7.0
    assert any(one.pause >= 7.0 and one.waiting == "Fewer." for one in shop.progress)
    assert await shop.known() == once_each(3)


async def test_nothing_sent_is_tried_again_at_once_when_the_server_is_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = 0

    async def offline(send: Send, draft: Any) -> Any:
        nonlocal failed
        if draft.metadata["externalRef"] == "INV-2" and failed < 2:
            failed += 1
            raise UnreachableError("There is no network.")
        return await send()

    on_sending(monkeypatch, offline)
    ended = await shop.biller().run(bills(3), {})
    assert [one.bill.invoice for one in ended.billed] == ["INV-1", "INV-2", "INV-3"]
    assert await shop.known() == once_each(3)


async def test_what_a_server_refuses_of_one_invoice_stops_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(send: Send, draft: Any) -> Any:
        if draft.metadata["externalRef"] == "INV-2":
            raise ServerError("The server refused the amount.", "Change it.", status=400)
        return await send()

    on_sending(monkeypatch, refuse)

    ended = await shop.biller().run(bills(3), {})

    assert ended.is_whole
    outcomes = [one.outcome for one in ended.billed]
    assert outcomes == [Outcome.CREATED, Outcome.FAILED, Outcome.CREATED]
    assert ended.billed[1].reason == "The server refused the amount. Change it."


async def test_a_date_that_passes_meanwhile_fails_that_invoice(shop: Shop) -> None:
    past = Bill(invoice="INV-9", amount=5, expires_at=shop.session.now() - timedelta(seconds=1))
    ended = await shop.biller().run([past, *bills(1)], {})
    assert [one.outcome for one in ended.billed] == [Outcome.FAILED, Outcome.CREATED]
    assert "in the past" in ended.billed[0].reason


@pytest.mark.parametrize(
    "error",
    [
        InsufficientGrantError("The right is missing.", status=403),
        LedgerError("The disk is full."),
        ServerError("The server redirects.", status=302),
    ],
)
async def test_what_would_meet_every_invoice_ends_the_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, error: OpdashError
) -> None:
    async def fail(send: Send, draft: Any) -> Any:
        if draft.metadata["externalRef"] == "INV-2":
            raise error
        return await send()

    on_sending(monkeypatch, fail)

    ended = await shop.biller().run(bills(4), {})

    assert ended.failure is error
    outcomes = {one.bill.invoice: one.outcome for one in ended.billed}
    assert outcomes == {
        "INV-1": Outcome.CREATED,
        "INV-2": Outcome.NOT_TRIED,
        "INV-3": Outcome.NOT_TRIED,
        "INV-4": Outcome.NOT_TRIED,
    }
    assert await shop.known() == once_each(1)


async def test_what_was_sent_and_not_written_down_is_not_called_untried(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    creator = shop.session._creator
    step = creator._step

    async def full(creation: Any, status: CreationStatus, **given: Any) -> Any:
        if "INV-2" in creation.draft_json:
            raise LedgerError("The disk is full.")
        return await step(creation, status, **given)

    monkeypatch.setattr(creator, "_step", full)

    ended = await shop.biller().run(bills(3), {})

    outcomes = {one.bill.invoice: one.outcome for one in ended.billed}
    assert outcomes["INV-2"] is Outcome.UNKNOWN
    assert outcomes["INV-3"] is Outcome.NOT_TRIED
    assert ended.failure is not None
    monkeypatch.undo()
    assert await shop.known() == once_each(2)


async def test_it_ends_between_two_when_somebody_stops_it(shop: Shop) -> None:
    def told(one: Billed) -> None:
        if one.bill.invoice == "INV-3":
            biller.stop()

    biller = shop.biller(told=told)
    ended = await biller.run(bills(9), {})

    assert ended.was_stopped
    assert not ended.is_whole
    assert (ended.count(Outcome.CREATED), ended.count(Outcome.NOT_TRIED)) == (3, 6)
    assert await shop.known() == once_each(3)
    again = await shop.biller().run(bills(9), {})
    assert (again.count(Outcome.BILLED_BEFORE), again.count(Outcome.CREATED)) == (3, 6)
    assert await shop.known() == once_each(9)


async def test_a_read_only_wallet_bills_nothing(
    fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    async with opened(fresh_sandbox, tmp_path, access=AccessLevel.READ_ONLY) as shop:
        with pytest.raises(ReadOnlyError):
            await shop.biller().run(bills(1), {})


async def test_a_second_run_waits_for_its_turn(shop: Shop) -> None:
    async def second() -> None:
        with pytest.raises(BusyError, match="just now"):
            await shop.biller().run(bills(3), {})

    tasks: list[asyncio.Task[None]] = []

    def told(one: Billed) -> None:
        if not tasks:
            tasks.append(asyncio.ensure_future(second()))

    ended = await shop.biller(told=told).run(bills(6), {})
    await tasks[0]

    assert ended.count(Outcome.CREATED) == 6
    assert await shop.known() == once_each(6)


async def test_without_locks_the_ledger_alone_keeps_two_from_billing_twice(
    shop: Shop, fresh_sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(billing, "billing_alone", lambda *_: contextlib.nullcontext())
    async with opened(fresh_sandbox, tmp_path) as other:
        await other.session.poll_once()

        one, two = await asyncio.gather(
            shop.biller().run(bills(12), {}), other.biller().run(bills(12), {})
        )

    assert one.count(Outcome.CREATED) + two.count(Outcome.CREATED) >= 12
    for ended in (one, two):
        assert ended.count(Outcome.CREATED, Outcome.BILLED_BEFORE) == 12
    assert await shop.known() == once_each(12)


class TestDesk:
    """From a file to its payments, and back into a file."""

    def desk(self, shop: Shop, path: Path) -> BillingDesk:
        source = open_source(path, path.parent)
        reader = shop.dashboard.reader
        return BillingDesk(shop.session, (), reader, (), shop.clock, source)

    async def test_a_payment_that_only_the_server_knows_is_found_first(
        self, shop: Shop, fresh_sandbox: SandboxProcess, tmp_path: Path
    ) -> None:
        await shop.session.create_payment(PaymentDraft(amount=100, reference="INV-1"))
        path = tmp_path / "invoices.csv"
        path.write_text("number,amount\nINV-1,1.00\nINV-2,2.00\n")
        async with opened(fresh_sandbox, tmp_path / "elsewhere") as other:
            desk = self.desk(other, path)
            found = await desk.prepare(Terms(), other.dashboard.reader)
            assert [one.bill.invoice for one in found.plan.bills] == ["INV-2"]
            ended = await desk.carry_out(found, other.biller())
            await desk.write_beside(found.plan, ended, tmp_path / "out.csv")
        lines = (tmp_path / "out.csv").read_text().splitlines()
        assert all("/incoming-payments/" in line for line in lines[1:])
        assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o600
        assert await shop.known() == once_each(2)

    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["A-1", "A-2", "a 1", "B-3"]),
                st.sampled_from(["1.00", "2.50"]),
                st.sampled_from(["USD", "EUR", ""]),
                st.sampled_from(["none", "payment", "billed", "failed"]),
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_what_is_shown_before_is_what_is_done(
        self,
        office: SandboxProcess,
        tmp_path_factory: pytest.TempPathFactory,
        rows: Sequence[tuple[str, str, str, str]],
    ) -> None:
        home = tmp_path_factory.mktemp("shop")
        prefix = home.name

        async def play() -> None:
            async with opened(office, home) as shop:
                await shop.session.poll_once()
                for number, _, _, before in rows:
                    name = f"{prefix}-{number}"
                    if before == "payment":
                        await shop.session.create_payment(PaymentDraft(amount=7, reference=name))
                    elif before == "billed":
                        await shop.biller().run([Bill(invoice=name, amount=7)], {})
                    elif before == "failed":
                        past = shop.session.now() - timedelta(days=1)
                        bill = Bill(invoice=name, amount=7, expires_at=past)
                        await shop.biller().run([bill], {})
                path = home / "invoices.csv"
                lines = [f"{prefix}-{number},{amount},{code}" for number, amount, code, _ in rows]
                path.write_text("\n".join(["number,amount,currency", *lines]) + "\n")
                text = path.read_text()
                if any(line.endswith(",") for line in text.splitlines()):
                    path.write_text(text.replace(",\n", ",USD\n"))
                desk = self.desk(shop, path)
                shown = await desk.prepare(Terms(), shop.dashboard.reader)
                before_all = await shop.known()
                again = await desk.prepare(Terms(), shop.dashboard.reader)
                assert again.plan == shown.plan, "showing it changes nothing"
                ended = await desk.carry_out(again, shop.biller())
                meant = [(one.bill.invoice, one.bill.amount) for one in shown.plan.bills]
                done = [
                    (one.bill.invoice, one.bill.amount)
                    for one in ended.billed
                    if one.outcome is Outcome.CREATED
                ]
                assert done == meant
                assert await shop.known() - before_all == Counter(name for name, _ in meant)
                after = await desk.prepare(Terms(), shop.dashboard.reader)
                assert after.plan.bills == ()

        asyncio.run(play())
