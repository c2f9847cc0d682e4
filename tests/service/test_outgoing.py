"""Outgoing payments on a sandbox: read, listed, followed, and kept."""

from __future__ import annotations

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
from opdash.service.events import OutgoingChanged
from opdash.service.outgoing import PAGE, refused_list
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


async def test_one_grant_is_for_reading_and_listing(
    sandbox: SandboxProcess, watched: Watched
) -> None:
    incoming = await watched.create(500)
    url = sandbox.pay(incoming, packets=1)
    payer = watched.dashboard.session("mateo")
    await payer.outgoing_payment(url)
    grants = watched.asked("POST", "/auth")
    await payer.outgoing_page()
    assert watched.asked("POST", "/auth") == grants


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
