"""Polling servers that err: one odd payment, lost places, lists that lead back to themselves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from opdash.ledger.records import NEWEST_FIRST
from opdash.openpayments.addresses import AddressError
from opdash.openpayments.errors import (
    InvalidTokenError,
    OpenPaymentsError,
    ProtocolError,
    ServerFaultError,
    UnreachableError,
)
from opdash.openpayments.resources import IncomingPaymentPage, Pagination
from opdash.sandbox.process import SandboxProcess
from opdash.service import gaps
from opdash.service.status import Phase
from tests.service.conftest import OpenDashboard, Watched

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient
    from tests.conftest import StartSandbox


async def client_of(watched: Watched) -> OpenPaymentsClient:
    return await watched.session._connection.client()


def known_of(watched: Watched, payments: list[str]) -> int:
    rows = watched.dashboard.reader.window(watched.wallet, NEWEST_FIRST, 0, 500)
    return len({row.id for row in rows} & set(payments))


@pytest.mark.parametrize(
    "fault",
    [
        AddressError("It is at another server."),
        ProtocolError("It is another payment.", field="id"),
        ServerFaultError("The server is in trouble.", status=500),
        InvalidTokenError("Unauthorized.", status=401),
    ],
)
async def test_one_payment_that_cannot_be_read_hinders_no_other(
    fresh_sandbox: SandboxProcess,
    open_dashboard: OpenDashboard,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
) -> None:
    watched = open_dashboard(fresh_sandbox, fresh_sandbox.wallet_addresses[-1], poll_interval=0.2)
    odd = await watched.create(100)
    other = await watched.create(100)
    client = await client_of(watched)
    ask = client.incoming_payment
    asked: list[str] = []

    async def refuse_the_odd_one(wallet: Any, payment_id: str, token: Any) -> object:
        asked.append(payment_id)
        if payment_id == odd:
            raise fault
        return await ask(wallet, payment_id, token)

    async def show_nothing(*_: Any, **__: Any) -> IncomingPaymentPage:
        return IncomingPaymentPage()

    monkeypatch.setattr(client, "incoming_payment", refuse_the_odd_one)
    monkeypatch.setattr(client, "list_incoming_payments", show_nothing)
    for _ in range(4):
        await asyncio.sleep(0.25)
        await watched.session.poll_once()
    assert watched.session.status.phase is Phase.LIVE
    assert {odd, other} == set(asked)
    assert asked.count(other) >= 2


async def test_a_server_that_refuses_every_payment_is_in_trouble(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(fresh_sandbox, fresh_sandbox.wallet_addresses[-1], poll_interval=2.0)
    for _ in range(3):
        await watched.create(100)
    client = await client_of(watched)

    async def refuse(*_: Any) -> object:
        raise ServerFaultError("The server is in trouble.", status=500)

    async def show_nothing(*_: Any, **__: Any) -> IncomingPaymentPage:
        return IncomingPaymentPage()

    monkeypatch.setattr(client, "incoming_payment", refuse)
    monkeypatch.setattr(client, "list_incoming_payments", show_nothing)
    await asyncio.sleep(2.0)
    with pytest.raises(ServerFaultError):
        await watched.session.poll_once()
    assert watched.session.status.phase is Phase.OFFLINE


async def test_walking_back_does_not_forget_a_gap_that_was_found_meanwhile(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(fresh_sandbox, page_size=20)
    await watched.session.poll_once()
    elsewhere = open_dashboard(fresh_sandbox, data="elsewhere")
    created = [await elsewhere.create(1 + number) for number in range(45)]
    client = await client_of(watched)
    ask = client.list_incoming_payments
    begun, answer = asyncio.Event(), asyncio.Event()

    async def hold_back(*args: Any, **options: Any) -> object:
        if options.get("cursor") and options["first"] == 20:
            begun.set()
            await answer.wait()
        elif options.get("cursor"):
            raise UnreachableError("The line is cut.")
        return await ask(*args, **options)

    monkeypatch.setattr(client, "list_incoming_payments", hold_back)
    walking = asyncio.create_task(watched.session.load_older())
    await begun.wait()
    with pytest.raises(UnreachableError):
        await watched.session.poll_once()
    answer.set()
    await walking
    monkeypatch.setattr(client, "list_incoming_payments", ask)
    await watched.session.poll_once()
    assert known_of(watched, created) == len(created)


async def test_the_head_is_read_while_a_long_gap_is_walked(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "MAX_PAGE", 5)
    watched = open_dashboard(fresh_sandbox, page_size=20, poll_interval=0.2)
    await watched.session.poll_once()
    elsewhere = open_dashboard(fresh_sandbox, data="elsewhere")
    created = [await elsewhere.create(1 + number) for number in range(50)]
    watched.exchanges.clear()
    await watched.session.poll_once()
    assert known_of(watched, created) == len(created)
    lists = [made.url for made in watched.exchanges if "incoming-payments?" in made.url]
    assert sum("&cursor=" not in url for url in lists) >= 2
    assert watched.asked("GET", "&cursor=") >= 6


async def test_a_payment_of_our_own_does_not_close_a_gap(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "MAX_PAGE", 5)
    watched = open_dashboard(fresh_sandbox, page_size=20)
    await watched.session.poll_once()
    await asyncio.sleep(1.2)  # `Date` headers tell the server's time to the second
    elsewhere = open_dashboard(fresh_sandbox, data="elsewhere")
    created = [await elsewhere.create(1 + number) for number in range(6)]
    await watched.create(5)
    created += [await elsewhere.create(1 + number) for number in range(24)]
    await watched.session.poll_once()
    assert known_of(watched, created) == len(created)


async def test_a_list_that_leads_back_to_itself_is_not_walked_for_ever(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(fresh_sandbox, page_size=20)
    await watched.session.poll_once()
    client = await client_of(watched)
    ask = client.list_incoming_payments
    onward = {None: "x", "x": "y", "y": "x"}

    async def lead_back(*args: Any, cursor: str | None, **options: Any) -> IncomingPaymentPage:
        if cursor not in onward:
            return IncomingPaymentPage()
        page = await ask(*args, first=5)
        there = Pagination(end_cursor=onward[cursor], has_next_page=True)
        return msgspec.structs.replace(page, pagination=there)

    monkeypatch.setattr(client, "list_incoming_payments", lead_back)
    with pytest.raises(OpenPaymentsError, match="leads back"):
        await asyncio.wait_for(watched.session.load_older(), 10)


async def test_new_payments_are_seen_where_the_oldest_come_first(
    start_sandbox: StartSandbox, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = start_sandbox(payments=60)
    watched = open_dashboard(sandbox, page_size=20)
    await watched.session.discover()
    client = await client_of(watched)
    ask = client.list_incoming_payments

    async def turned_around(
        wallet: Any, token: Any, *, first: int, cursor: str | None = None
    ) -> IncomingPaymentPage:
        rows = (await ask(wallet, token, first=100)).result[::-1]
        names = [row.id for row in rows]
        start = names.index(cursor) + 1 if cursor else 0
        shown = rows[start : start + first]
        there = Pagination(
            end_cursor=shown[-1].id if shown else None, has_next_page=start + first < len(rows)
        )
        return IncomingPaymentPage(there, shown)

    monkeypatch.setattr(client, "list_incoming_payments", turned_around)
    await watched.session.poll_once()
    while await watched.session.load_older():
        pass
    elsewhere = open_dashboard(sandbox, data="elsewhere")
    created = [await elsewhere.create(1 + number) for number in range(3)]
    await watched.session.poll_once()
    assert known_of(watched, created) == 3
    created.append(await elsewhere.create(9))
    await watched.session.poll_once()
    assert known_of(watched, created) == 4
