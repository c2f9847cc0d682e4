"""What a person is told when a token, a right, a key, a client or a server is the matter."""

from __future__ import annotations

import asyncio

import pytest

from opdash.errors import ExitCode
from opdash.openpayments.drafts import IncomingPaymentDraft
from opdash.openpayments.errors import (
    InsufficientGrantError,
    InvalidClientError,
    InvalidTokenError,
    OpenPaymentsError,
    ProtocolError,
    ServerFaultError,
    SignatureRefusedError,
)
from opdash.sandbox.process import SandboxProcess
from opdash.service.events import ConsentNeeded
from opdash.service.rights import Right
from opdash.service.status import Phase
from opdash.settings import AccessLevel
from tests.service.conftest import OpenDashboard, Watched

LIFE = 600


async def refused(watched: Watched) -> OpenPaymentsError:
    """Poll, and return why that did not go."""
    with pytest.raises(OpenPaymentsError) as caught:
        await watched.session.poll_once()
    status = watched.session.status
    assert status.problem == caught.value.sentence
    assert status.advice == caught.value.advice
    return caught.value


def grants_asked_for(watched: Watched) -> int:
    wallet = watched.session.wallet
    assert wallet is not None
    return sum(
        made.method == "POST" and made.url == wallet.auth_server for made in watched.exchanges
    )


def phase(watched: Watched) -> Phase:
    return watched.session.status.phase


async def test_an_expired_token_is_nobodys_business(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    fresh_sandbox.advance(LIFE + 1)
    await watched.session.poll_once()
    status = watched.session.status
    assert (status.phase, status.problem, status.advice) == (Phase.LIVE, "", "")
    assert watched.asked("POST", "/token/") == 1
    assert watched.asked("POST", "/continue/") == 0


async def test_a_revoked_token_is_replaced_without_a_word(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    connection = watched.session.connection
    held = connection.shelf.get(Right.INCOMING)
    assert held is not None
    fresh_sandbox.advance(10)
    client = await connection.client()
    await client.revoke_token(held.binding.auth_server, held.token)
    await watched.session.poll_once()
    assert (phase(watched), watched.session.status.problem) == (Phase.LIVE, "")
    assert watched.asked("POST", "/continue/") == 1


async def test_a_token_refused_while_its_server_is_down_is_kept_and_tried_again(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    held = watched.session.connection.shelf.get(Right.INCOMING)
    fresh_sandbox.take_down("authorization")
    error = await refused(watched)
    assert isinstance(error, InvalidTokenError)
    assert "at present" in error.sentence
    assert "authorization server may be down" in error.advice
    assert error.exit_code is ExitCode.NOT_PERMITTED
    fresh_sandbox.take_down()
    await watched.session.poll_once()
    kept = watched.session.connection.shelf.get(Right.INCOMING)
    assert held is not None
    assert kept is not None
    assert kept.token == held.token
    assert watched.asked("POST", "/auth/") == 1


async def test_an_expired_token_whose_server_is_down_says_that_it_is_in_trouble(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    fresh_sandbox.advance(LIFE + 1)
    fresh_sandbox.take_down("authorization")
    await refused(watched)
    fresh_sandbox.take_down()
    await watched.session.poll_once()
    assert grants_asked_for(watched) == 1
    assert phase(watched) is Phase.LIVE


async def test_a_missing_right_says_what_to_ask_for(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox, access=AccessLevel.READ_ONLY)
    await watched.session.poll_once()
    with pytest.raises(InsufficientGrantError) as caught:
        await watched.session.connection.authorised(
            Right.INCOMING,
            lambda client, wallet, token: client.create_incoming_payment(
                wallet, token, IncomingPaymentDraft()
            ),
        )
    assert "does not include the right" in caught.value.sentence
    assert "wider grant" in caught.value.advice
    assert watched.asked("POST", "/token/") == 0  # another token would have no other right


async def test_a_key_that_vanished_is_explained_and_costs_nothing(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    fresh_sandbox.hide_keys(fresh_sandbox.client.key_id)
    error = await refused(watched)
    assert isinstance(error, SignatureRefusedError)
    assert error.sentence == "The server does not find this key among the client's keys."
    assert "key id" in error.advice
    fresh_sandbox.advance(LIFE + 1)
    later = await refused(watched)
    assert isinstance(later, InvalidClientError)
    assert "jwks" in later.advice
    fresh_sandbox.hide_keys()
    await watched.session.poll_once()
    assert phase(watched) is Phase.LIVE
    assert not [event for event in watched.events if isinstance(event, ConsentNeeded)]


async def test_an_unknown_key_is_explained(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    error = await refused(open_dashboard(sandbox, key_id="nobody-1"))
    assert isinstance(error, InvalidClientError)
    assert "cannot identify this client" in error.sentence
    assert "serves the key in its jwks.json" in error.advice


async def test_a_key_of_somebody_else_is_explained(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    """The id is right and the key is another: only the signature tells."""
    error = await refused(open_dashboard(sandbox, key_file=sandbox.other_client.private_key))
    assert isinstance(error, SignatureRefusedError)
    assert "did not accept the signature" in error.sentence
    assert "registered" in error.advice


@pytest.mark.parametrize("client", ["{main}", "{url}/nobody"])
async def test_a_wrong_client_wallet_address_is_explained(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, client: str
) -> None:
    address = client.format(main=sandbox.main_wallet, url=sandbox.url)
    error = await refused(open_dashboard(sandbox, client_wallet_address=address))
    assert isinstance(error, InvalidClientError)
    assert "client wallet address is right, is reachable" in error.advice


async def test_an_authorization_server_that_answers_with_a_page_is_explained(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    fresh_sandbox.take_down("authorization", portal=True)
    error = await refused(watched)
    assert isinstance(error, ProtocolError)
    assert "web page where data was expected" in error.sentence
    assert "sign in" in error.advice
    fresh_sandbox.take_down("authorization")
    error = await refused(watched)
    assert isinstance(error, ServerFaultError)
    assert "502 Bad Gateway" in error.sentence
    assert phase(watched) is Phase.OFFLINE
    fresh_sandbox.take_down()
    await watched.session.poll_once()


async def test_a_page_instead_of_a_rotation_costs_no_grant(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    fresh_sandbox.advance(LIFE + 1)
    fresh_sandbox.take_down("authorization", portal=True)
    asked = await asyncio.gather(
        *(watched.session.connection.renew(Right.INCOMING) for _ in range(3)),
        return_exceptions=True,
    )
    assert all(isinstance(one, ProtocolError) for one in asked)
    fresh_sandbox.take_down()
    await watched.session.poll_once()
    assert grants_asked_for(watched) == 1
    assert phase(watched) is Phase.LIVE
