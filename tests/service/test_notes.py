"""What a person writes on a payment: told to the screens, kept through polls, and never sent."""

from __future__ import annotations

import pytest

from opdash.errors import InputError, LedgerError
from opdash.ledger.notes import MOST_LABELS, Edit, Resolution
from opdash.ledger.records import ChangeKind
from opdash.ledger.states import State
from opdash.sandbox.process import SandboxProcess
from opdash.service.completions import Seen
from opdash.service.events import PaymentsChanged
from opdash.settings import AccessLevel
from tests.service.conftest import OpenDashboard, Watched


def told(watched: Watched) -> list[ChangeKind]:
    return [
        change.kind
        for event in watched.events
        if isinstance(event, PaymentsChanged)
        for change in event.changes
    ]


async def test_it_is_announced_and_asks_no_server(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    url = await watched.create(2000)
    asked = len(watched.exchanges)
    watched.events.clear()
    row = await watched.session.write_note(url, Edit(add=("vip",), text="x"))
    assert row == watched.payment(url)
    assert row is not None
    assert (row.note.names, row.note.text) == (("vip",), "x")
    assert told(watched) == [ChangeKind.NOTE]
    assert len(watched.exchanges) == asked
    watched.events.clear()
    await watched.session.write_note(url, Edit(add=("VIP",), text="x"))
    assert told(watched) == []


async def test_it_stays_through_polls_and_scans_until_money_comes(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    url = await watched.create(2000)
    sandbox.pay(url, 500, packets=1)
    sandbox.advance(2)
    seen = await watched.session.refresh_payment(url)
    assert seen is not None
    await watched.session.write_note(url, Edit(resolution=Resolution.ACCEPTED))
    done = await watched.session.complete_payment(url, seen=Seen(seen.received, seen.completed))
    assert (done.state, done.needs_action) == (State.CLOSED_SHORT, False)
    await watched.session.poll_once()
    await watched.session.read_all()
    row = watched.payment(url)
    assert (row.needs_action, row.note.resolution) == (False, Resolution.ACCEPTED)


async def test_what_cannot_be_written_is_said(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    url = await watched.create(2000)
    many = tuple(f"l{number}" for number in range(MOST_LABELS + 1))
    with pytest.raises(InputError, match="20 labels"):
        await watched.session.write_note(url, Edit(add=many))
    with pytest.raises(LedgerError, match="does not know the payment"):
        await watched.session.write_note(f"{url}-not", Edit(text="x"))


async def test_a_wallet_that_is_only_read_takes_notes_too(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox, access=AccessLevel.READ_ONLY)
    await watched.session.poll_once()
    (row,) = watched.dashboard.reader.window(watched.wallet, limit=1)
    noted = await watched.session.write_note(row.id, Edit(text="seen"))
    assert noted is not None
    assert noted.note.text == "seen"
