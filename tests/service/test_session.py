"""A wallet session on the sandbox: real HTTP, real signatures, a real ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from opdash.clock import SystemClock
from opdash.errors import KeyFileError, OpdashError
from opdash.ledger.records import NEWEST_FIRST, TimelineKind
from opdash.ledger.states import State
from opdash.openpayments.addresses import AddressError
from opdash.openpayments.errors import (
    OpenPaymentsError,
    TooManyRequestsError,
    UnansweredError,
    UnreachableError,
)
from opdash.sandbox.process import SandboxProcess
from opdash.service.completions import ChangedMeanwhile, NotCompletable, Seen
from opdash.service.drafts import PaymentDraft
from opdash.service.errors import NotOurPaymentError
from opdash.service.events import PaymentsChanged, StatusChanged
from opdash.service.status import Phase
from tests.service.conftest import OpenDashboard

if TYPE_CHECKING:
    from tests.conftest import StartSandbox


async def until(condition: Callable[[], object], *, tries: int = 200) -> None:
    """Wait for something that another process or task brings about."""
    for _ in range(tries):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come about in time")


def received(sandbox: SandboxProcess, payment: str) -> int:
    """What a payment received, as the server itself knows it."""
    return int(sandbox.state(payment)["payment"]["receivedAmount"]["value"])


def has_received(sandbox: SandboxProcess, payment: str, total: int) -> bool:
    """Whether so much of a payment has arrived at the server."""
    return received(sandbox, payment) == total


async def test_the_first_poll_shows_the_head_of_the_list(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    reader = watched.dashboard.reader
    assert reader.count(sandbox.main_wallet) == watched.session.profile.page_size
    rows = reader.window(sandbox.main_wallet, NEWEST_FIRST, 0, 20)
    assert [row.created_at for row in rows] == sorted(
        (row.created_at for row in rows), reverse=True
    )
    assert watched.session.status.phase is Phase.LIVE
    wallet = watched.session.wallet
    assert wallet is not None
    assert wallet.public_name


async def test_three_requests_bring_the_first_row(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox, sandbox.wallet_addresses[1])
    await watched.session.poll_once()
    assert [made.method for made in watched.exchanges[:3]] == ["GET", "POST", "GET"]
    assert "incoming-payments?" in watched.exchanges[2].url


async def test_an_empty_wallet_is_live_and_empty(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    empty = sandbox.wallet_addresses[-1]
    watched = open_dashboard(sandbox, empty)
    await watched.session.poll_once()
    await watched.session.poll_once()
    assert watched.dashboard.reader.count(empty) == 0
    assert watched.session.status.phase is Phase.LIVE
    assert await watched.session.load_older() is False


async def test_walking_back_ends_at_the_oldest_payment(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox, page_size=20)
    await watched.session.poll_once()
    while await watched.session.load_older():
        pass
    reader = watched.dashboard.reader
    wallet = watched.wallet
    assert reader.summary(
        wallet, day_start=watched.session.now(), now=watched.session.now()
    ).complete
    known = reader.count(wallet)
    assert known > 40
    assert await watched.session.load_older() is False
    assert reader.count(wallet) == known


async def test_money_that_arrives_in_parts_is_seen_step_by_step(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    payment = await watched.create(2500)
    for amount, total in ((1000, 1000), (1500, 2500)):
        sandbox.pay(payment, amount)
        await until(partial(has_received, sandbox, payment, total))
        await watched.session.poll_once()
    row = watched.payment(payment)
    assert (row.state, row.received, row.completed) == (State.PAID, 2500, True)
    steps = [
        entry.delta
        for entry in watched.dashboard.reader.timeline(watched.wallet, payment)
        if entry.kind is TimelineKind.RECEIVED
    ]
    assert steps == [1000, 1500]
    announced = [
        change.announce
        for event in watched.events
        if isinstance(event, PaymentsChanged)
        for change in event.changes
        if change.payment.id == payment and change.announce
    ]
    assert announced == ["paid"]


async def test_an_unpaid_payment_that_expires_is_kept_after_the_server_forgot_it(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    payment = await watched.create(100, timedelta(hours=1))
    fresh_sandbox.advance(2 * 3600)
    for _ in range(6):
        await watched.session.poll_once()
    row = watched.payment(payment)
    assert row.no_longer_at_server
    assert row.state is State.EXPIRED_UNPAID
    kinds = [entry.kind for entry in watched.dashboard.reader.timeline(watched.wallet, row.id)]
    assert TimelineKind.GONE in kinds


async def test_a_gap_after_an_outage_is_closed(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox, page_size=20)
    await watched.session.poll_once()
    elsewhere = open_dashboard(fresh_sandbox, data="elsewhere")
    created = [await elsewhere.create(1 + number) for number in range(45)]
    await watched.session.poll_once()
    wallet = watched.wallet
    known = {row.id for row in watched.dashboard.reader.window(wallet, NEWEST_FIRST, 0, 200)}
    assert set(created) <= known


async def test_a_gap_survives_a_restart(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(fresh_sandbox, page_size=20)
    await watched.session.poll_once()
    elsewhere = open_dashboard(fresh_sandbox, data="elsewhere")
    created = [await elsewhere.create(1 + number) for number in range(45)]
    client = await watched.session._connection.client()
    ask = client.list_incoming_payments

    async def breaks_off(*args: Any, **options: Any) -> object:
        if options.get("cursor"):
            raise UnreachableError("The line is cut.")
        return await ask(*args, **options)

    monkeypatch.setattr(client, "list_incoming_payments", breaks_off)
    with pytest.raises(UnreachableError):
        await watched.session.poll_once()
    await watched.dashboard.stop()

    again = open_dashboard(fresh_sandbox)
    await again.session.poll_once()
    rows = again.dashboard.reader.window(again.wallet, NEWEST_FIRST, 0, 200)
    assert set(created) <= {row.id for row in rows}


async def test_a_token_that_ended_is_rotated_once_for_many_requests(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    rows = watched.dashboard.reader.window(watched.wallet, NEWEST_FIRST, 0, 20)
    completed = next(row for row in rows if row.completed)
    fresh_sandbox.advance(700)
    watched.exchanges.clear()
    await asyncio.gather(*(watched.session.refresh_payment(completed.id) for _ in range(30)))
    assert watched.asked("POST", "/token/") == 1


async def test_a_dead_server_is_a_state_and_the_ledger_stays(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    known = watched.dashboard.reader.count(watched.wallet)
    fresh_sandbox.stop()
    with pytest.raises(UnreachableError):
        await watched.session.poll_once()
    assert watched.session.status.phase is Phase.OFFLINE
    assert watched.session.status.problem
    assert watched.session.status.last_ok_at is not None
    assert watched.dashboard.reader.count(watched.wallet) == known


async def test_what_stands_in_the_way_here_is_not_laid_at_the_servers_door(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    key = tmp_path / "open.pem"
    key.write_bytes(sandbox.client.private_key.read_bytes())
    key.chmod(0o644)
    watched = open_dashboard(sandbox, key_file=key)
    with pytest.raises(KeyFileError):
        await watched.session.poll_once()
    assert watched.session.status.phase is Phase.FAILED
    watched = open_dashboard(sandbox, data="other", key_id="unknown-1")
    with pytest.raises(OpenPaymentsError):
        await watched.session.poll_once()
    assert watched.session.status.phase is Phase.REFUSED


async def test_polling_goes_on_by_itself_and_survives_an_outage(
    start_sandbox: StartSandbox, open_dashboard: OpenDashboard
) -> None:
    sandbox = start_sandbox(auto_consent=True)
    watched = open_dashboard(sandbox, poll_interval=0.2)
    session = watched.session
    session.start()
    session.start()
    await until(lambda: session.status.phase is Phase.LIVE)
    sandbox.stop()
    await until(lambda: session.status.phase is Phase.OFFLINE)
    assert session.status.next_poll_at is not None
    await session.stop()
    assert session.status.phase is Phase.IDLE


async def test_a_server_that_asks_for_a_pause_gets_it(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(sandbox, poll_interval=0.2)
    client = await watched.session._connection.client()
    asked = 0

    async def refuse(*_: Any, **__: Any) -> object:
        nonlocal asked
        asked += 1
        raise TooManyRequestsError("Fewer, please.", status=429, retry_after=600.0)

    monkeypatch.setattr(client, "list_incoming_payments", refuse)
    watched.session.start()
    await until(lambda: watched.session.status.phase is Phase.OFFLINE)
    for _ in range(5):
        watched.session.focus(False)
        watched.session.focus(True)
        await asyncio.sleep(0.1)
    assert asked == 1
    due = watched.session.status.next_poll_at
    assert due is not None
    assert due - watched.session.now() > timedelta(minutes=9)
    watched.session.poll_soon()
    await until(lambda: asked == 2)


async def test_what_moves_with_time_moves_on_after_a_fault(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(sandbox, poll_interval=0.2)
    await watched.session.poll_once()
    looks = 0

    async def fail(_: str) -> None:
        nonlocal looks
        looks += 1
        raise OverflowError("date value out of range")

    monkeypatch.setattr(watched.session._poller, "advance", fail)
    watched.session.start()
    await until(lambda: looks >= 2)


async def test_polls_never_overlap(sandbox: SandboxProcess, open_dashboard: OpenDashboard) -> None:
    watched = open_dashboard(sandbox, poll_interval=0.2)
    watched.session.start()
    for _ in range(20):
        watched.session.poll_soon()
        await asyncio.sleep(0.01)
    await until(lambda: watched.session.status.phase is Phase.LIVE)
    polling = [event.status.polling for event in watched.events if isinstance(event, StatusChanged)]
    starts = [now and not before for before, now in pairwise(polling)]
    ends = [before and not now for before, now in pairwise(polling)]
    assert sum(starts) - sum(ends) in (0, 1)


async def test_completing_short_closes_the_payment_for_good(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    payment = await watched.create(2500)
    sandbox.pay(payment, 1000)
    await until(lambda: received(sandbox, payment) == 1000)
    row = await watched.session.complete_payment(payment, seen=Seen(1000, completed=False))
    assert (row.state, row.completed, row.difference) == (State.CLOSED_SHORT, True, -1500)
    kinds = [entry.kind for entry in watched.dashboard.reader.timeline(watched.wallet, row.id)]
    assert kinds.count(TimelineKind.COMPLETING) == 1
    assert kinds.count(TimelineKind.COMPLETED) == 1


async def test_completing_stops_when_money_arrived_meanwhile(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    payment = await watched.create(2500)
    sandbox.pay(payment, 700)
    await until(lambda: received(sandbox, payment) == 700)
    with pytest.raises(ChangedMeanwhile) as caught:
        await watched.session.complete_payment(payment, seen=Seen(0, completed=False))
    assert caught.value.payment.received == 700
    assert not sandbox.state(payment)["payment"]["completed"]


async def test_completing_what_someone_else_completed_says_so(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    one, two = open_dashboard(sandbox), open_dashboard(sandbox, data="two")
    payment = await one.create(2500)
    await two.session.complete_payment(payment, seen=Seen(0, completed=False))
    with pytest.raises(ChangedMeanwhile, match="completed meanwhile"):
        await one.session.complete_payment(payment, seen=Seen(0, completed=False))


async def test_a_conflict_is_explained_with_what_is_there_now(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = open_dashboard(sandbox), open_dashboard(sandbox, data="two")
    payment = await one.create(2500)
    client = await one.session._connection.client()
    ask = client.complete_incoming_payment

    async def beaten_to_it(*args: Any) -> object:
        await two.session.complete_payment(payment, seen=Seen(0, completed=False))
        return await ask(*args)

    monkeypatch.setattr(client, "complete_incoming_payment", beaten_to_it)
    with pytest.raises(ChangedMeanwhile, match="no longer be completed") as caught:
        await one.session.complete_payment(payment, seen=Seen(0, completed=False))
    assert caught.value.payment.completed


async def test_a_lost_answer_to_complete_is_looked_up(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(sandbox)
    payment = await watched.create(2500)
    client = await watched.session._connection.client()
    ask = client.complete_incoming_payment

    async def lose_the_answer(*args: Any) -> object:
        await ask(*args)
        raise UnansweredError("The server gave no answer.")

    monkeypatch.setattr(client, "complete_incoming_payment", lose_the_answer)
    row = await watched.session.complete_payment(payment, seen=Seen(0, completed=False))
    assert row.completed


async def test_a_complete_that_never_arrived_is_not_taken_for_done(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(sandbox)
    payment = await watched.create(2500)
    client = await watched.session._connection.client()

    async def swallow(*_: object) -> object:
        raise UnansweredError("The server gave no answer.")

    monkeypatch.setattr(client, "complete_incoming_payment", swallow)
    with pytest.raises(UnansweredError, match="still open"):
        await watched.session.complete_payment(payment, seen=Seen(0, completed=False))
    assert not sandbox.state(payment)["payment"]["completed"]


async def test_an_expired_payment_is_not_completed(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    payment = await watched.create(2500, timedelta(hours=1))
    fresh_sandbox.pay(payment, 100)
    await until(lambda: received(fresh_sandbox, payment) == 100)
    fresh_sandbox.advance(3700)
    with pytest.raises(NotCompletable, match="expired"):
        await watched.session.complete_payment(payment, seen=Seen(100, completed=False))


async def test_an_outgoing_payment_is_read_with_consent(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox, sandbox.sender, sandbox.main_wallet)
    for profile in watched.dashboard.profiles:
        await watched.dashboard.session(profile.name).poll_once()
    creation = await watched.dashboard.session("rosa").create_payment(PaymentDraft(amount=400))
    url = sandbox.pay(str(creation.payment_id))
    payment = await watched.dashboard.outgoing_payment(url)
    assert payment.receiver == creation.payment_id
    assert payment.receive_amount.minor_units == 400


async def test_a_wallet_that_may_not_read_it_names_the_others(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox, sandbox.main_wallet, sandbox.sender)
    for profile in watched.dashboard.profiles:
        await watched.dashboard.session(profile.name).poll_once()
    url = sandbox.pay(await watched.create(400))
    with pytest.raises(NotOurPaymentError, match="mateo"):
        await watched.dashboard.outgoing_payment(url, first="rosa")
    assert await watched.dashboard.outgoing_payment(url, first="mateo")
    assert await watched.dashboard.outgoing_payment(url, first="rosa")


async def test_a_payment_that_the_only_wallet_may_not_read_says_what_to_add(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    url = sandbox.pay(await watched.create(400))
    with pytest.raises(NotOurPaymentError, match="“rosa” may not read") as refused:
        await watched.dashboard.outgoing_payment(url)
    assert "add that one" in refused.value.advice


async def test_a_token_never_leaves_for_another_tenant(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    watched.exchanges.clear()
    with pytest.raises(NotOurPaymentError, match="None of your wallets"):
        await watched.dashboard.outgoing_payment(f"{sandbox.url}/other/outgoing-payments/1")
    assert watched.exchanges == []


async def test_a_token_never_leaves_for_another_server(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    watched.exchanges.clear()
    with pytest.raises(AddressError, match="another server"):
        await watched.session.outgoing_payment("https://evil.example/outgoing-payments/1")
    with pytest.raises(OpdashError, match="None of your wallets"):
        await watched.dashboard.outgoing_payment("https://evil.example/outgoing-payments/1")
    assert watched.exchanges == []


async def test_another_wallets_payment_is_not_written_down_as_this_ones(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox, sandbox.main_wallet, sandbox.wallet_addresses[1])
    other = watched.dashboard.session("atelier")
    creation = await other.create_payment(PaymentDraft(amount=300))
    payment = str(creation.payment_id)
    with pytest.raises(NotOurPaymentError, match="atelier"):
        await watched.session.refresh_payment(payment)
    assert watched.dashboard.reader.payment(sandbox.main_wallet, payment) is None
    assert await other.refresh_payment(payment)


async def test_anyone_may_read_what_a_payment_received(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    public = await watched.session.public_payment(await watched.create(400))
    assert public.received_amount is not None
    assert public.received_amount.minor_units == 0


async def test_no_state_moves_by_this_machines_clock_before_the_first_answer(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_dashboard(fresh_sandbox)
    payment = await before.create(100, timedelta(hours=1))
    await before.dashboard.stop()
    watched = open_dashboard(fresh_sandbox)
    wrong = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda clock: wrong(clock) + timedelta(hours=5))
    silence = asyncio.Event()
    monkeypatch.setattr(watched.session._poller, "poll", silence.wait)
    watched.session.start()
    await asyncio.sleep(1.3)
    assert watched.session.status.phase is Phase.CONNECTING
    row = watched.dashboard.reader.payment(fresh_sandbox.main_wallet, payment)
    assert row is not None
    assert row.state is State.UNPAID
