"""Creating a payment: once, whatever happens to the answer."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, Creation, CreationStatus
from opdash.openpayments.amounts import AmountError
from opdash.openpayments.errors import ServerError, UnansweredError, UnreachableError
from opdash.openpayments.resources import IncomingPaymentPage, Pagination
from opdash.sandbox.process import SandboxProcess
from opdash.service import creations
from opdash.service.dashboard import LEDGER_FILE
from opdash.service.drafts import REQUEST_ID_KEY, PaymentDraft
from opdash.service.events import CreationChanged
from tests.service.conftest import OpenDashboard, Watched

if TYPE_CHECKING:
    from tests.conftest import StartSandbox


def copies(watched: Watched, request_id: str) -> int:
    rows = watched.dashboard.reader.window(watched.wallet, NEWEST_FIRST, 0, 500)
    return sum(request_id in row.metadata_json for row in rows)


async def test_the_intent_is_written_before_anything_is_sent(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    client = await watched.session._connection.client()
    ask = client.create_incoming_payment
    seen: list[Creation] = []

    async def look_first(*args: Any) -> object:
        seen.extend(watched.dashboard.reader.unresolved_creations(watched.wallet))
        return await ask(*args)

    monkeypatch.setattr(client, "create_incoming_payment", look_first)
    creation = await watched.session.create_payment(PaymentDraft(amount=5))
    assert [intent.request_id for intent in seen] == [creation.request_id]
    assert seen[0].status is CreationStatus.INTENDED
    assert creation.status is CreationStatus.CREATED
    statuses = [
        event.creation.status for event in watched.events if isinstance(event, CreationChanged)
    ]
    assert statuses == [CreationStatus.INTENDED, CreationStatus.CREATED]


async def test_a_lost_answer_is_unknown_and_then_found(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    client = await watched.session._connection.client()
    ask = client.create_incoming_payment

    async def lose_the_answer(*args: Any) -> object:
        await ask(*args)
        raise UnansweredError("The server gave no answer.")

    monkeypatch.setattr(client, "create_incoming_payment", lose_the_answer)
    creation = await watched.session.create_payment(PaymentDraft(amount=5))
    assert creation.status is CreationStatus.UNKNOWN
    await watched.session.poll_once()
    found = watched.dashboard.reader.creation(creation.request_id)
    assert found is not None
    assert found.status is CreationStatus.CREATED
    assert copies(watched, creation.request_id) == 1
    row = watched.dashboard.reader.payment(watched.wallet, str(found.payment_id))
    assert row is not None
    assert REQUEST_ID_KEY in row.metadata_json


async def test_a_payment_that_was_not_created_is_reported_and_not_sent_again(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    client = await watched.session._connection.client()
    sent = 0

    async def swallow(*_: object) -> object:
        nonlocal sent
        sent += 1
        raise UnansweredError("The server gave no answer.")

    monkeypatch.setattr(client, "create_incoming_payment", swallow)
    creation = await watched.session.create_payment(PaymentDraft(amount=5))
    await watched.session.poll_once()
    waiting = watched.dashboard.reader.creation(creation.request_id)
    assert waiting is not None
    assert waiting.status is CreationStatus.UNKNOWN
    monkeypatch.setattr(creations, "GIVE_UP_AFTER", -creations.GIVE_UP_AFTER)
    await watched.session.poll_once()
    ended = watched.dashboard.reader.creation(creation.request_id)
    assert ended is not None
    assert ended.status is CreationStatus.NOT_FOUND
    assert sent == 1


@pytest.mark.parametrize("oldest_first", [False, True])
async def test_what_only_the_list_knows_is_never_called_not_created(
    start_sandbox: StartSandbox,
    open_dashboard: OpenDashboard,
    monkeypatch: pytest.MonkeyPatch,
    oldest_first: bool,
) -> None:
    """The ledger was begun after the creation, or the server shows its oldest payments first."""
    sandbox = start_sandbox(payments=120)
    elsewhere = open_dashboard(sandbox, data="elsewhere")
    watched = open_dashboard(sandbox, page_size=20)
    await watched.session.discover()
    client = await watched.session._connection.client()
    ask, read = client.create_incoming_payment, client.list_incoming_payments

    async def lose_the_answer(*args: Any) -> object:
        await ask(*args)
        raise UnansweredError("The server gave no answer.")

    async def turned_around(
        wallet: Any, token: Any, *, first: int, cursor: str | None = None
    ) -> IncomingPaymentPage:
        everything = await read(wallet, token, first=100)
        rest = await read(wallet, token, first=100, cursor=everything.pagination.end_cursor)
        rows = (*everything.result, *rest.result)[::-1]
        start = int(cursor or "0")
        there = Pagination(end_cursor=str(start + first), has_next_page=start + first < len(rows))
        return IncomingPaymentPage(there, rows[start : start + first])

    monkeypatch.setattr(client, "create_incoming_payment", lose_the_answer)
    creation = await watched.session.create_payment(PaymentDraft(amount=5))
    for number in range(30):
        await elsewhere.create(1 + number)
    if oldest_first:
        monkeypatch.setattr(client, "list_incoming_payments", turned_around)
    monkeypatch.setattr(creations, "GIVE_UP_AFTER", -creations.GIVE_UP_AFTER)
    for _ in range(2):
        await watched.session.poll_once()
    found = watched.dashboard.reader.creation(creation.request_id)
    assert found is not None
    assert found.status is CreationStatus.CREATED


async def test_a_server_that_changes_the_amount_is_told_of(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    client = await watched.session._connection.client()
    ask = client.create_incoming_payment

    async def ask_for_more(wallet: Any, token: Any, draft: Any) -> Any:
        dearer = replace(draft, amount=structs.replace(draft.amount, value="500"))
        return await ask(wallet, token, dearer)

    monkeypatch.setattr(client, "create_incoming_payment", ask_for_more)
    creation = await watched.session.create_payment(PaymentDraft(amount=5))
    assert creation.status is CreationStatus.CREATED
    assert "another amount" in creation.error


async def test_a_refusal_is_an_end(sandbox: SandboxProcess, open_dashboard: OpenDashboard) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    wallet = watched.wallet
    draft = PaymentDraft(amount=5, metadata={"note": "\ud800"})
    with pytest.raises(Exception, match="lone surrogate"):
        await watched.session.create_payment(draft)
    with pytest.raises(AmountError):
        await watched.session.create_payment(PaymentDraft(amount=0))
    assert watched.dashboard.reader.unresolved_creations(wallet) == ()


async def test_nothing_is_sent_to_a_dead_server_and_nothing_stays_open(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    fresh_sandbox.stop()
    with pytest.raises((UnreachableError, ServerError)):
        await watched.session.create_payment(PaymentDraft(amount=5))
    assert watched.dashboard.reader.unresolved_creations(watched.wallet) == ()


async def test_a_cancelled_screen_does_not_cancel_the_request(
    start_sandbox: StartSandbox, open_dashboard: OpenDashboard
) -> None:
    sandbox = start_sandbox(auto_consent=True, latency=150)
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    screen = asyncio.create_task(watched.session.create_payment(PaymentDraft(amount=77)))
    await asyncio.sleep(0.05)
    screen.cancel()
    with pytest.raises(asyncio.CancelledError):
        await screen
    for _ in range(100):
        ended = [
            event.creation
            for event in watched.events
            if isinstance(event, CreationChanged)
            and event.creation.status is CreationStatus.CREATED
        ]
        if ended:
            break
        await asyncio.sleep(0.05)
    assert len(ended) == 1


async def test_a_kill_after_sending_ends_as_one_payment(
    start_sandbox: StartSandbox, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    sandbox = start_sandbox(auto_consent=True, latency=700)
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    wallet = watched.wallet
    await watched.dashboard.stop()
    command = [sys.executable, "-m", "opdash", "--config", str(tmp_path / "data.toml")]
    command += ["--data-dir", str(tmp_path / "data"), "create", "--amount", "12.34"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with LedgerReader.open(tmp_path / "data" / LEDGER_FILE) as reader:
        for _ in range(400):
            intents = reader.unresolved_creations(wallet)
            if intents or process.returncode is not None:
                break
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert [intent.status for intent in intents] == [CreationStatus.INTENDED]

    again = open_dashboard(sandbox)
    await asyncio.sleep(1.0)
    await again.session.poll_once()
    ended = again.dashboard.reader.creation(intents[0].request_id)
    assert ended is not None
    assert ended.status is CreationStatus.CREATED
    assert copies(again, intents[0].request_id) == 1
