"""Outgoing payments on a sandbox: read, listed, followed, and kept."""

from __future__ import annotations

import asyncio

import pytest

from opdash.errors import ExitCode
from opdash.ledger.outgoing import OutgoingState, judge
from opdash.openpayments.errors import (
    InactiveTokenError,
    InsufficientGrantError,
    InvalidTokenError,
    NotFoundError,
    ServerError,
    ServerFaultError,
    UnreachableError,
)
from opdash.sandbox.process import SandboxProcess
from opdash.service.events import ConsentNeeded, OutgoingChanged
from opdash.service.outgoing import PAGE, refused_list
from opdash.service.rights import Right
from opdash.service.tokens import WIDENED
from tests.service.conftest import OpenDashboard, Watched


@pytest.fixture
def watched(sandbox: SandboxProcess, open_dashboard: OpenDashboard) -> Watched:
    """The shop and the wallet that pays it."""
    return open_dashboard(sandbox, sandbox.main_wallet, sandbox.sender)


def news(watched: Watched) -> list[str]:
    return [
        seen.payment.id
        for event in watched.events
        if isinstance(event, OutgoingChanged)
        for seen in event.payments
    ]


async def test_what_was_fetched_is_kept_and_the_receiver_knows_its_payer(
    sandbox: SandboxProcess, watched: Watched
) -> None:
    dashboard = watched.dashboard
    incoming = await watched.create(8000)
    await dashboard.session("mateo").discover()
    url = sandbox.pay(incoming, packets=1)
    sandbox.advance(1)
    await dashboard.outgoing_payment(url, first="mateo")
    assert news(watched) == [url]
    (seen,) = dashboard.reader.paid_by(incoming)
    assert (seen.payment.id, seen.wallet) == (url, sandbox.sender)
    assert seen.payment.receive_amount.minor_units == 8000
    await dashboard.outgoing_payment(url, first="mateo")
    assert news(watched) == [url], "seen again is no news"


async def test_the_list_is_read_page_by_page_and_stays_when_the_server_is_down(
    sandbox: SandboxProcess, watched: Watched
) -> None:
    payer = watched.dashboard.session("mateo")
    incoming = await watched.create(100)
    sent = [sandbox.pay(incoming, 1, packets=1) for _ in range(3)]
    sandbox.advance(1)
    page = await payer.outgoing_page()
    assert len(page.result) <= PAGE
    assert {*sent} <= {payment.id for payment in page.result}
    while page.pagination.has_next_page:
        page = await payer.outgoing_page(page.pagination.end_cursor)
    reader = watched.dashboard.reader
    known = reader.outgoing_count(sandbox.sender)
    rows = reader.outgoing_window(sandbox.sender, 0, known)
    stamps = [seen.payment.created_at for seen in rows]
    assert stamps == sorted(stamps, reverse=True)
    sandbox.take_down("resource")
    try:
        with pytest.raises((UnreachableError, ServerFaultError)):
            await payer.outgoing_page()
    finally:
        sandbox.take_down()
    assert reader.outgoing_count(sandbox.sender) == known


async def test_one_that_fails_half_way_is_a_partial_failure(
    sandbox: SandboxProcess, watched: Watched
) -> None:
    incoming = await watched.create(9000)
    url = sandbox.pay(incoming, packets=3, fails=True)
    sandbox.advance(3)
    payer = watched.dashboard.session("mateo")
    payment = await payer.outgoing_payment(url)
    assert judge(payment, payer.now()).state is OutgoingState.FAILED_PARTIAL


def may(watched: Watched) -> tuple[str, ...]:
    """What opdash may do with the payer's outgoing payments."""
    views = watched.dashboard.grants.views("mateo")
    return next(one.actions for one in views if one.right is Right.OUTGOING)


async def test_reading_one_asks_for_no_right_to_list(
    sandbox: SandboxProcess, watched: Watched
) -> None:
    url = sandbox.pay(await watched.create(500), packets=1)
    payer = watched.dashboard.session("mateo")
    await payer.outgoing_payment(url)
    assert set(may(watched)) == {"read", "read-all"}
    assert (payer.may_read_outgoing, payer.may_list_outgoing) == (True, False)


async def test_listing_widens_the_right_once_and_gives_the_narrower_one_back(
    sandbox: SandboxProcess, watched: Watched
) -> None:
    url = sandbox.pay(await watched.create(500), packets=1)
    payer = watched.dashboard.session("mateo")
    await payer.outgoing_payment(url)
    narrow = payer.connection.shelf.get(Right.OUTGOING)
    assert narrow is not None
    watched.events.clear()
    await payer.outgoing_page()
    assert set(may(watched)) == {"read", "list", "read-all", "list-all"}
    (question,) = [event for event in watched.events if isinstance(event, ConsentNeeded)]
    assert question.remark == WIDENED
    assert question.purpose == "read and list outgoing payments"
    client, wallet = await payer.connection.client(), await payer.connection.wallet()
    with pytest.raises(InactiveTokenError):
        await client.outgoing_payment(wallet, url, narrow.token.value)
    grants = watched.asked("POST", "/auth")
    await payer.outgoing_payment(url)
    await payer.outgoing_page()
    assert watched.asked("POST", "/auth") == grants, "the wider right does for both"


async def test_listing_first_is_asked_for_once(sandbox: SandboxProcess, watched: Watched) -> None:
    url = sandbox.pay(await watched.create(500), packets=1)
    payer = watched.dashboard.session("mateo")
    await payer.outgoing_page()
    await payer.outgoing_payment(url)
    questions = [event for event in watched.events if isinstance(event, ConsentNeeded)]
    assert [question.remark for question in questions] == [""]


async def test_a_look_up_and_a_list_at_once_end_with_the_wider_right(
    sandbox: SandboxProcess, watched: Watched
) -> None:
    url = sandbox.pay(await watched.create(500), packets=1)
    payer = watched.dashboard.session("mateo")
    await asyncio.gather(payer.outgoing_payment(url), payer.outgoing_page())
    assert "list-all" in may(watched)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotFoundError("x", status=404), "does not list outgoing payments (404)"),
        (ServerError("x", status=405), "does not list outgoing payments (405)"),
        (ServerFaultError("x", status=501), "does not list outgoing payments (501)"),
        (InsufficientGrantError("x", status=403), "grant does not permit"),
        (InactiveTokenError("x", status=403), None),
        (InvalidTokenError("x", status=401), None),
        (ServerFaultError("x", status=502), None),
        (ServerError("x", status=400), None),
    ],
)
def test_a_list_that_there_is_not_is_told_from_other_trouble(
    error: ServerError, said: str | None
) -> None:
    refusal = refused_list(error)
    if said is None:
        assert refusal is None
    else:
        assert refusal is not None
        assert said in refusal.sentence
        assert "URL" in refusal.advice
        assert refusal.exit_code is ExitCode.NOT_PERMITTED
