"""Grants: got when needed, kept through outages, asked for with consent where that is needed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httpx
import pytest

from opdash.ledger.records import Scope
from opdash.openpayments.errors import (
    GrantDeniedError,
    InactiveTokenError,
    InvalidTokenError,
    NotFoundError,
    OpenPaymentsError,
    ServerFaultError,
    UnreachableError,
)
from opdash.openpayments.grants import AccessToken, Continuation, Grant, Interaction
from opdash.openpayments.resources import WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.sandbox.process import SandboxProcess
from opdash.service.consent import ConsentDesk, Right
from opdash.service.events import ConsentEnded, ConsentNeeded, EventHub
from opdash.service.tokens import TokenKeeper
from tests.openpayments.conftest import StillClock
from tests.service.conftest import OpenDashboard, Watched

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient
    from tests.conftest import StartSandbox


async def question(watched: Watched) -> ConsentNeeded:
    """Wait until consent is asked for."""
    for _ in range(500):
        for event in watched.events:
            if isinstance(event, ConsentNeeded):
                return event
        await asyncio.sleep(0.02)
    raise AssertionError("nobody asked for consent")


async def consent(watched: Watched, answer: str) -> None:
    """Answer the next question for consent as the account holder would."""
    url = urlsplit((await question(watched)).url)
    _, interaction, nonce = url.path.rsplit("/", 2)
    server = f"{url.scheme}://{url.netloc}/auth"
    async with httpx.AsyncClient() as browser:
        await browser.get(url.geturl())
        await browser.post(f"{server}/grant/{interaction}/{nonce}/{answer}", json={})
        await browser.get(f"{server}/interact/{interaction}/{nonce}/finish")


@pytest.fixture
def asking(start_sandbox: StartSandbox) -> SandboxProcess:
    """A sandbox whose account holders are asked, and where a payment was sent."""
    return start_sandbox(continue_wait=1)


async def outgoing_url(asking: SandboxProcess, watched: Watched) -> str:
    shop = watched.dashboard.session("rosa")
    payments = await shop._connection.authorised(
        Right.INCOMING,
        lambda client, wallet, token: client.list_incoming_payments(wallet, token, first=50),
    )
    payable = next(row for row in payments.result if asking.state(row.id)["open"])
    return asking.pay(payable.id, 1)


async def test_consent_opens_outgoing_payments(
    asking: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(asking, asking.sender, asking.main_wallet)
    url = await outgoing_url(asking, watched)
    answering = asyncio.create_task(consent(watched, "accept"))
    payment = await watched.session.outgoing_payment(url)
    await answering
    assert payment.id == url
    assert [e.granted for e in watched.events if isinstance(e, ConsentEnded)] == [True]
    assert watched.session.may_read_outgoing
    await watched.session.outgoing_payment(url)
    assert sum(isinstance(event, ConsentNeeded) for event in watched.events) == 1


async def test_a_refused_consent_is_a_sentence(
    asking: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(asking, asking.sender, asking.main_wallet)
    url = await outgoing_url(asking, watched)
    answering = asyncio.create_task(consent(watched, "reject"))
    with pytest.raises(GrantDeniedError):
        await watched.session.outgoing_payment(url)
    await answering
    ended = [event for event in watched.events if isinstance(event, ConsentEnded)]
    assert [event.granted for event in ended] == [False]
    assert ended[0].sentence


async def test_waiting_for_consent_can_be_given_up(
    asking: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(asking, asking.sender, asking.main_wallet)
    url = await outgoing_url(asking, watched)
    waiting = asyncio.create_task(watched.session.outgoing_payment(url))
    await question(watched)
    watched.session.abandon_consent()
    with pytest.raises(GrantDeniedError, match="was withdrawn") as caught:
        await waiting
    assert caught.value.advice.startswith("Press r to ask again; on the command line, run")


async def test_a_token_is_kept_while_it_only_seems_invalid(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    tokens = await watched.session._connection.tokens()
    token = tokens.current(Right.INCOMING)

    async def refuse(_: Secret) -> None:
        raise InvalidTokenError("The server calls the token invalid.", status=401)

    with pytest.raises(InvalidTokenError):
        await tokens.call(Right.INCOMING, refuse)
    assert tokens.current(Right.INCOMING) == token


async def test_an_outage_of_the_authorization_server_costs_no_token(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    tokens = await watched.session._connection.tokens()
    token = tokens.current(Right.INCOMING)
    fresh_sandbox.take_down("authorization")
    with pytest.raises(InvalidTokenError):
        await watched.session.poll_once()
    fresh_sandbox.take_down()
    await watched.session.poll_once()
    assert tokens.current(Right.INCOMING) == token
    assert watched.asked("POST", "/auth/") == 1


async def test_a_revoked_token_is_replaced(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    connection = watched.session._connection
    client, wallet = await connection.client(), await connection.wallet()
    tokens = await connection.tokens()
    held = connection.shelf.get(Right.INCOMING)
    assert held is not None
    await client.revoke_token(wallet.auth_server, held.token)
    await watched.session.poll_once()
    assert tokens.current(Right.INCOMING) != held.token.value


async def test_a_token_that_stays_inactive_ends_in_an_error_not_in_a_loop(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    tokens = await watched.session._connection.tokens()
    tries = 0

    async def refuse(_: Secret) -> None:
        nonlocal tries
        tries += 1
        raise InactiveTokenError("Inactive.", status=403)

    with pytest.raises(InactiveTokenError):
        await tokens.call(Right.INCOMING, refuse)
    assert tries == 2


async def test_tokens_are_shown_nowhere(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    tokens = await watched.session._connection.tokens()
    token = tokens.current(Right.INCOMING)
    assert token is not None
    held = watched.session.connection.shelf.get(Right.INCOMING)
    shown = repr(held) + repr(watched.events) + repr(watched.exchanges)
    assert token.reveal() not in shown


async def test_a_wrong_key_is_explained(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox, key_id="nobody-1")
    with pytest.raises(OpenPaymentsError) as caught:
        await watched.session.poll_once()
    assert caught.value.advice
    assert watched.session.status.problem


# An authorization server that errs: a real one does not on demand


class Authority:
    """Stands for a client: each call is answered with the next of its answers."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls: list[str] = []

    def _next(self, call: str) -> object:
        self.calls.append(call)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def request_grant(self, *_: object, **__: object) -> object:
        return self._next("request")

    async def continue_grant(self, *_: object) -> object:
        return self._next("continue")

    async def rotate_token(self, *_: object) -> object:
        return self._next("rotate")


def access_token(number: int) -> AccessToken:
    return AccessToken(Secret(f"T{number}"), f"https://auth.example/token/{number}", 100)


def question_of(wait: int | None) -> Grant:
    continuation = Continuation("https://auth.example/continue/1", Secret("C"), wait)
    return Grant(None, continuation, Interaction("https://auth.example/consent"))


def keeper_of(authority: Authority, clock: StillClock) -> TokenKeeper:
    wallet = WalletAddress(
        "https://ilp.example/rosa", "USD", 2, "https://auth.example", "https://ilp.example/rs"
    )
    desk = ConsentDesk("rosa", EventHub(), clock)
    return TokenKeeper(cast("OpenPaymentsClient", authority), wallet, Scope.OWN, clock, desk)


async def test_an_outage_does_not_end_the_wait_for_consent() -> None:
    authority = Authority(
        question_of(5),
        UnreachableError("Nothing answers."),
        ServerFaultError("The server is in trouble.", status=502),
        Grant(access_token(1)),
    )
    token = await keeper_of(authority, StillClock()).token(Right.OUTGOING)
    assert token.reveal() == "T1"
    assert authority.calls == ["request", "continue", "continue", "continue"]


@pytest.mark.parametrize(("named", "least", "most"), [(0, 1, 2), (10**9, 30, 60)])
async def test_a_wait_that_nobody_can_mean_neither_spins_nor_hangs(
    named: int, least: float, most: float
) -> None:
    clock = StillClock()
    authority = Authority(question_of(named), Grant(access_token(1)))
    await keeper_of(authority, clock).token(Right.OUTGOING)
    assert least <= clock.slept <= most


async def test_a_good_token_is_used_while_the_authorization_server_is_down() -> None:
    clock = StillClock()
    down = UnreachableError("Nothing answers.")
    authority = Authority(Grant(access_token(1)), down, down, access_token(2))
    keeper = keeper_of(authority, clock)
    assert (await keeper.token(Right.INCOMING)).reveal() == "T1"
    await clock.sleep(85)
    assert (await keeper.token(Right.INCOMING)).reveal() == "T1"
    assert (await keeper.token(Right.INCOMING)).reveal() == "T1"
    assert authority.calls == ["request", "rotate"]
    await clock.sleep(20)
    with pytest.raises(UnreachableError):
        await keeper.token(Right.INCOMING)
    assert (await keeper.token(Right.INCOMING)).reveal() == "T2"


async def test_a_proxys_page_costs_nobody_a_consent() -> None:
    clock = StillClock()
    page = NotFoundError("There is nothing there.", status=404)
    continuation = Continuation("https://auth.example/continue/1", Secret("C"), None)
    authority = Authority(
        question_of(5), Grant(access_token(1), continuation), page, page, access_token(2)
    )
    keeper = keeper_of(authority, clock)
    await keeper.token(Right.OUTGOING)
    await clock.sleep(200)
    with pytest.raises(NotFoundError):
        await keeper.token(Right.OUTGOING)
    assert keeper.current(Right.OUTGOING) is not None
    assert "request" not in authority.calls[1:]
