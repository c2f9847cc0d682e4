"""The client against a server that answers as told: what it sends, and what it makes of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opdash.errors import KeyFileError
from opdash.openpayments import errors
from opdash.openpayments.addresses import AddressError
from opdash.openpayments.amounts import Amount
from opdash.openpayments.canonical import MetadataError
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.drafts import IncomingPaymentDraft
from opdash.openpayments.grants import Access, AccessToken, Continuation, InteractRequest
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import IncomingPaymentPage, Jwk, Jwks, WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.openpayments.signatures import lookup_in, verify_request
from opdash.openpayments.transport import MAX_ANSWER, Exchange
from tests.openpayments import bodies
from tests.openpayments.conftest import KEY, StillClock
from tests.openpayments.rawserver import RawServer, Received, answer, running

TOKEN = Secret("AC6EE2D0905E398EB145")
FIND = lookup_in(Jwks((Jwk(**KEY.public_jwk()),)))
ELSEWHERE = "https://evil.example/tenant/incoming-payments/1"


def assert_signed(request: Received, token: Secret | None = TOKEN) -> None:
    assert verify_request(FIND, request.method, request.url, request.headers, request.body or None)
    sent = request.headers.get("authorization")
    assert sent == (None if token is None else f"GNAP {token.reveal()}")


def assert_plain(request: Received) -> None:
    assert not {"authorization", "signature", "signature-input"} & set(request.headers)


def own_payment(wallet: WalletAddress, number: int = 1, **changed: Any) -> dict[str, Any]:
    payment_id = f"{wallet.resource_server}/incoming-payments/{number}"
    return bodies.incoming_payment(id=payment_id, walletAddress=wallet.id) | changed


def described(raw: RawServer, **changed: Any) -> dict[str, Any]:
    return {
        "id": f"{raw.origin}/rosa",
        "assetCode": "EUR",
        "assetScale": 2,
        "authServer": f"{raw.origin}/auth/tenant",
        "resourceServer": f"{raw.origin}/tenant",
    } | changed


# Wallet addresses and keys


async def test_a_wallet_address_is_asked_without_token_and_signature(
    client: OpenPaymentsClient, raw: RawServer
) -> None:
    raw.reply(answer(described(raw)))
    wallet = await client.wallet_address(f"{raw.origin}/Rosa")
    assert wallet.id == f"{raw.origin}/rosa"
    assert raw.received[0].target == "/Rosa"
    assert_plain(raw.received[0])


async def test_redirects_of_a_wallet_address_are_followed(
    client: OpenPaymentsClient, raw: RawServer
) -> None:
    moves = [
        answer(b"", f"{status} Moved", Location=to)
        for status, to in ((301, "/a"), (302, "b"), (308, f"{raw.origin}/rosa"))
    ]
    raw.reply(*moves, answer(described(raw)))
    assert (await client.wallet_address(f"{raw.origin}/old")).id == f"{raw.origin}/rosa"
    assert [request.target for request in raw.received] == ["/old", "/a", "/b", "/rosa"]


async def test_redirects_without_end_are_given_up(
    client: OpenPaymentsClient, raw: RawServer
) -> None:
    raw.reply(answer(b"", "302 Found", Location="/again"))
    with pytest.raises(errors.ServerError, match="redirects"):
        await client.wallet_address(f"{raw.origin}/x")
    assert len(raw.received) == 4


@pytest.mark.parametrize("to", ["ftp://x/", "http://wallet.example/", "https://u@x/", "https://["])
async def test_a_redirect_to_what_must_not_be_asked(
    client: OpenPaymentsClient, raw: RawServer, to: str
) -> None:
    raw.reply(answer(b"", "302 Found", Location=to))
    with pytest.raises(errors.ProtocolError, match="redirects"):
        await client.wallet_address(f"{raw.origin}/x")


async def test_an_id_elsewhere_must_say_so_itself(
    client: OpenPaymentsClient, raw: RawServer
) -> None:
    async with running() as other:
        raw.reply(answer(described(other)))
        other.reply(answer(described(other, publicName="Rosa")))
        wallet = await client.wallet_address(f"{raw.origin}/alias")
        assert (wallet.id, wallet.public_name) == (f"{other.origin}/rosa", "Rosa")
        other.reply(answer(described(other, id=f"{other.origin}/somebody")))
        with pytest.raises(errors.ProtocolError, match="does not confirm"):
            await client.wallet_address(f"{raw.origin}/alias")


async def test_an_id_that_is_no_address(client: OpenPaymentsClient, raw: RawServer) -> None:
    raw.reply(answer(described(raw, id="rosa")))
    with pytest.raises(errors.ProtocolError) as caught:
        await client.wallet_address(f"{raw.origin}/rosa")
    assert caught.value.field == "id"


async def test_what_is_no_wallet_address(client: OpenPaymentsClient, raw: RawServer) -> None:
    raw.reply(answer(b"<html>Welcome", content_type="text/html"))
    with pytest.raises(errors.ProtocolError, match="web page"):
        await client.wallet_address(f"{raw.origin}/rosa")
    gone = {"error": {"code": "404", "description": "Could not get wallet address"}}
    raw.reply(answer(gone, "404 Not Found"))
    with pytest.raises(errors.NotFoundError, match="no such wallet address"):
        await client.wallet_address(f"{raw.origin}/rosa")
    raw.reply(answer(described(raw), "206 Partial Content"))
    with pytest.raises(errors.ProtocolError, match="status 206"):
        await client.wallet_address(f"{raw.origin}/rosa")


async def test_keys_are_asked_for_below_the_wallet_address(
    client: OpenPaymentsClient, raw: RawServer, key: ClientKey
) -> None:
    raw.reply(answer({"keys": [key.public_jwk()]}))
    for address in (f"{raw.origin}/till", f"{raw.origin}/till/"):
        assert (await client.jwks(address)).keys == (Jwk(**key.public_jwk()),)
    assert [request.target for request in raw.received] == ["/till/jwks.json"] * 2
    assert_plain(raw.received[0])


async def test_a_remote_wallet_address_cannot_point_at_this_machine(
    public: RawServer, clock: StillClock, authority: Path
) -> None:
    async with OpenPaymentsClient(clock=clock, ca_file=authority / "ca.pem") as client:
        public.reply(answer(described(public)))
        wallet = await client.wallet_address(f"{public.origin}/rosa")
        assert wallet.auth_server == f"{public.origin}/auth/tenant"
        for field in ("authServer", "resourceServer"):
            public.reply(answer(described(public, **{field: "http://127.0.0.1:8080/admin"})))
            with pytest.raises(errors.ProtocolError, match="this machine itself") as caught:
                await client.wallet_address(f"{public.origin}/rosa")
            assert caught.value.field == field
        public.reply(answer(b"", "302 Found", Location="http://127.0.0.1:8080/admin"))
        with pytest.raises(errors.ProtocolError, match="this machine itself"):
            await client.wallet_address(f"{public.origin}/rosa")


# Listing


async def test_a_page_is_asked_for_with_a_signed_token(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(answer(bodies.page(own_payment(wallet))))
    page = await client.list_incoming_payments(wallet, TOKEN, first=20, cursor="a/b c&ü")
    assert page.result[0].id.endswith("/incoming-payments/1")
    request = raw.received[0]
    assert request.method == "GET"
    assert request.target == (
        "/tenant/incoming-payments?wallet-address="
        f"{wallet.id.replace(':', '%3A').replace('/', '%2F')}&first=20&cursor=a%2Fb%20c%26%C3%BC"
    )
    assert_signed(request)


async def test_both_directions(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(answer(bodies.page()))
    await client.list_incoming_payments(wallet, TOKEN)
    await client.list_incoming_payments(wallet, TOKEN, last=5, cursor="c")
    assert raw.received[0].target.endswith("rosa")
    assert raw.received[1].target.endswith("&last=5&cursor=c")


@pytest.mark.parametrize(
    "place",
    [{"first": 0}, {"first": 101}, {"last": 5}, {"last": 101, "cursor": "c"},
     {"first": 1, "last": 1, "cursor": "c"}],
)  # fmt: skip
async def test_a_place_that_no_list_has(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, place: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"page|cursor"):
        await client.list_incoming_payments(wallet, TOKEN, **place)
    assert raw.received == []


def pages(wallet: WalletAddress, count: int) -> list[bytes]:
    return [
        answer(
            bodies.page(
                own_payment(wallet, number),
                hasNextPage=number < count,
                **({"endCursor": f"c{number}"} if number < count else {}),
            )
        )
        for number in range(1, count + 1)
    ]


async def walked(
    client: OpenPaymentsClient, wallet: WalletAddress, **place: Any
) -> list[IncomingPaymentPage]:
    return [page async for page in client.walk_incoming_payments(wallet, TOKEN, **place)]


async def test_walking_all_pages(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(*pages(wallet, 3))
    found = [page.result[0].id[-1] for page in await walked(client, wallet, page_size=50)]
    assert found == ["1", "2", "3"]
    assert [request.target.partition("&")[2] for request in raw.received] == [
        "first=50",
        "first=50&cursor=c1",
        "first=50&cursor=c2",
    ]


async def test_walking_an_empty_list(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(answer(bodies.page()))
    assert [page.result for page in await walked(client, wallet)] == [()]


async def test_an_empty_page_that_was_promised_is_a_lost_cursor(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(pages(wallet, 2)[0], answer(bodies.page()))
    with pytest.raises(errors.LostCursorError, match="lost its place"):
        await walked(client, wallet)
    raw.reply(answer(bodies.page(hasNextPage=True, endCursor="c")))
    with pytest.raises(errors.LostCursorError):
        await walked(client, wallet)


async def test_a_list_that_leads_back_to_itself_ends(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(pages(wallet, 2)[0])
    with pytest.raises(errors.ProtocolError, match="leads back to itself"):
        await walked(client, wallet)
    fresh_cursors = [
        answer(bodies.page(own_payment(wallet, 1), hasNextPage=True, endCursor=f"c{number}"))
        for number in range(9)
    ]
    raw.reply(*fresh_cursors)
    with pytest.raises(errors.ProtocolError, match="leads back to itself"):
        await walked(client, wallet)


async def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    large = answer(b"x" * (MAX_ANSWER + 1))
    raw.reply(large, large, *pages(wallet, 2))
    assert len(await walked(client, wallet)) == 2
    sizes = [request.target.partition("first=")[2] for request in raw.received]
    assert sizes == ["100", "50", "25", "25&cursor=c1"]
    raw.reply(large)
    with pytest.raises(errors.AnswerTooLargeError):
        await walked(client, wallet, page_size=1)


# One payment


async def test_a_payment_is_fetched_with_a_signed_token(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(answer(own_payment(wallet)))
    payment_id = f"{wallet.resource_server}/incoming-payments/1"
    payment = await client.incoming_payment(wallet, payment_id, TOKEN)
    assert payment.id == payment_id
    assert_signed(raw.received[0])


async def test_another_payment_than_the_one_asked_for_is_not_taken(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(answer(own_payment(wallet, 2)))
    with pytest.raises(errors.ProtocolError, match="another payment"):
        await client.incoming_payment(
            wallet, f"{wallet.resource_server}/incoming-payments/1", TOKEN
        )


async def test_a_payment_is_created(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(answer(own_payment(wallet, methods=bodies.methods()), "201 Created"))
    draft = IncomingPaymentDraft(
        Amount("2500", "EUR", 2), datetime(2026, 12, 1, tzinfo=UTC), {"description": "Café ☕"}
    )
    payment = await client.create_incoming_payment(wallet, TOKEN, draft)
    assert payment.methods is not None
    request = raw.received[0]
    assert (request.method, request.target) == ("POST", "/tenant/incoming-payments")
    assert request.body == draft.body(wallet)
    assert request.headers["content-type"] == "application/json"
    assert_signed(request)


async def test_a_draft_that_cannot_be_sent_is_not(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    with pytest.raises(MetadataError, match="not whole"):
        await client.create_incoming_payment(
            wallet, TOKEN, IncomingPaymentDraft(metadata={"price": 1.5})
        )
    assert raw.received == []


async def test_a_payment_is_completed_without_a_body(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(answer(own_payment(wallet, completed=True)))
    payment_id = f"{wallet.resource_server}/incoming-payments/1"
    assert (await client.complete_incoming_payment(wallet, payment_id, TOKEN)).completed
    request = raw.received[0]
    assert (request.method, request.body) == ("POST", b"")
    assert request.target == "/tenant/incoming-payments/1/complete"
    assert_signed(request)


async def test_completing_with_a_query_is_refused(
    client: OpenPaymentsClient, wallet: WalletAddress
) -> None:
    with pytest.raises(AddressError):
        await client.complete_incoming_payment(wallet, wallet.resource_server + "/x?y", TOKEN)


async def test_an_outgoing_payment_is_fetched(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    url = f"{wallet.resource_server}/outgoing-payments/1"
    raw.reply(answer(bodies.outgoing_payment(id=url)))
    payment = await client.outgoing_payment(wallet, url, TOKEN)
    assert payment.sent_amount.minor_units == 1000
    assert_signed(raw.received[0])


async def test_a_page_of_outgoing_payments_is_asked_for_and_signed(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(answer(bodies.page(bodies.outgoing_payment())))
    page = await client.list_outgoing_payments(wallet, TOKEN, first=2, cursor="c")
    assert len(page.result) == 1
    path, _, query = raw.received[0].target.partition("?")
    assert path == "/tenant/outgoing-payments"
    assert {"first=2", "cursor=c"} < set(query.split("&"))
    assert_signed(raw.received[0])


async def test_the_public_part_of_a_payment_is_asked_without_token_and_signature(
    client: OpenPaymentsClient, raw: RawServer
) -> None:
    body = {"receivedAmount": bodies.amount("5"), "authServer": "https://auth.example/t"}
    raw.reply(answer(body))
    payment = await client.public_incoming_payment(f"{raw.origin}/incoming-payments/1")
    assert payment.received_amount == Amount("5", "USD", 2)
    assert_plain(raw.received[0])


# Grants and tokens


async def test_a_grant_is_asked_for_exactly_where_the_wallet_address_says(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    own = bodies.token(manage=f"{raw.origin}/token/1")
    raw.reply(answer({"access_token": own}))
    access = [Access("incoming-payment", ("create", "list"))]
    grant = await client.request_grant(wallet.auth_server, access)
    assert grant.token is not None
    request = raw.received[0]
    assert (request.method, request.target) == ("POST", "/auth/tenant")
    assert f'"client":"{raw.origin}/till"'.encode() in request.body
    assert b"interact" not in request.body
    assert_signed(request, None)
    await client.request_grant(wallet.auth_server + "/", access, interact=InteractRequest())
    assert raw.received[1].target == "/auth/tenant/"
    assert b'"interact":{"start":["redirect"]}' in raw.received[1].body


@pytest.fixture
def held(raw: RawServer) -> AccessToken:
    return AccessToken(TOKEN, f"{raw.origin}/token/HANDLE5", 600)


@pytest.fixture
def going_on(raw: RawServer) -> Continuation:
    return Continuation(f"{raw.origin}/continue/HANDLE5", Secret("863099DF132CFCD51E21"), 5)


async def test_a_grant_goes_on(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, going_on: Continuation
) -> None:
    raw.reply(answer({"continue": bodies.continuation(wait=5)}))
    assert (await client.continue_grant(wallet.auth_server, going_on)).token is None
    await client.continue_grant(wallet.auth_server, going_on, "1615e2b3")
    polled, referred = raw.received
    assert (polled.method, polled.body) == ("POST", b"")
    assert referred.body == b'{"interact_ref":"1615e2b3"}'
    for request in raw.received:
        assert request.target == "/continue/HANDLE5"
        assert_signed(request, going_on.token)


async def test_a_grant_is_cancelled(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, going_on: Continuation
) -> None:
    raw.reply(answer(b"", "204 No Content"))
    await client.cancel_grant(wallet.auth_server, going_on)
    assert raw.received[0].method == "DELETE"
    assert_signed(raw.received[0], going_on.token)


async def test_a_token_is_rotated_and_revoked(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, held: AccessToken
) -> None:
    fresh = bodies.token(value="NEW", manage=f"{raw.origin}/token/2")
    raw.reply(answer({"access_token": fresh}), answer(b"", "204 No Content"))
    rotated = await client.rotate_token(wallet.auth_server, held)
    assert (rotated.value, rotated.manage) == (Secret("NEW"), f"{raw.origin}/token/2")
    await client.revoke_token(wallet.auth_server, rotated)
    assert [request.method for request in raw.received] == ["POST", "DELETE"]
    assert_signed(raw.received[0], TOKEN)
    assert_signed(raw.received[1], Secret("NEW"))


async def test_a_refusal_of_the_authorization_server(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, held: AccessToken
) -> None:
    refused = {"error": {"code": "invalid_client", "description": "invalid access token"}}
    raw.reply(answer(refused, "401 Unauthorized"))
    with pytest.raises(errors.ContinuationError):
        await client.rotate_token(wallet.auth_server, held)


# Secrets stay home


async def test_no_token_goes_to_another_origin(
    client: OpenPaymentsClient,
    raw: RawServer,
    wallet: WalletAddress,
    held: AccessToken,
    going_on: Continuation,
) -> None:
    async with running() as other:
        other.reply(answer())
        away = f"{other.origin}/tenant/incoming-payments/1"
        foreign_token = AccessToken(TOKEN, f"{other.origin}/token/1")
        foreign_grant = Continuation(f"{other.origin}/continue/1", TOKEN)
        auth = wallet.auth_server
        for asked in (
            client.incoming_payment(wallet, away, TOKEN),
            client.complete_incoming_payment(wallet, away, TOKEN),
            client.outgoing_payment(wallet, away, TOKEN),
            client.rotate_token(auth, foreign_token),
            client.revoke_token(auth, foreign_token),
            client.continue_grant(auth, foreign_grant),
            client.cancel_grant(auth, foreign_grant),
        ):
            with pytest.raises(AddressError, match="another server"):
                await asked
        assert other.connections == raw.connections == 0


async def test_a_redirect_is_not_followed_with_a_token(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress
) -> None:
    raw.reply(answer(b"", "302 Found", Location="/elsewhere"))
    with pytest.raises(errors.ServerError, match="redirects") as caught:
        await client.list_incoming_payments(wallet, TOKEN)
    assert caught.value.status == 302
    assert len(raw.received) == 1


async def test_nothing_secret_is_told_of_an_exchange(
    client: OpenPaymentsClient,
    raw: RawServer,
    wallet: WalletAddress,
    held: AccessToken,
    going_on: Continuation,
    exchanges: list[Exchange],
) -> None:
    raw.reply(
        answer(bodies.page()),
        answer({"access_token": bodies.token(value="FRESH5")}),
        answer({"continue": bodies.continuation()}),
    )
    await client.list_incoming_payments(wallet, TOKEN)
    await client.rotate_token(wallet.auth_server, held)
    await client.continue_grant(wallet.auth_server, going_on, "REFERENCE5")
    told = repr(exchanges) + " ".join(map(str, exchanges)) + repr(client)
    for secret in (TOKEN.reveal(), "HANDLE5", "FRESH5", "REFERENCE5", going_on.token.reveal()):
        assert secret not in told
    assert len(exchanges) == 3


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
async def test_a_server_that_quotes_the_token_shows_it_to_nobody(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, content_type: str
) -> None:
    async def quote(request: Received, writer: asyncio.StreamWriter) -> None:
        sent = f"bad {TOKEN.reveal()} in {request.headers['signature']}"
        body = sent.encode() if content_type == "text/plain" else {"error": {"description": sent}}
        challenge = f"GNAP {TOKEN.reveal()}"
        writer.write(answer(body, "403 X", content_type=content_type, WWW_Authenticate=challenge))

    raw.reply(quote)
    with pytest.raises(errors.NotPermittedError) as caught:
        await client.list_incoming_payments(wallet, TOKEN)
    told = f"{caught.value}{caught.value.description}{caught.value.www_authenticate}"
    assert "bad •••" in caught.value.sentence
    assert TOKEN.reveal() not in told
    assert raw.received[-1].headers["signature"][6:-1] not in told


async def test_without_a_key_only_what_is_public_is_asked(
    raw: RawServer, wallet: WalletAddress, clock: StillClock
) -> None:
    async with OpenPaymentsClient(clock=clock) as client:
        with pytest.raises(KeyFileError, match="private key"):
            await client.list_incoming_payments(wallet, TOKEN)
        assert raw.connections == 0
        raw.reply(answer(described(raw)))
        assert (await client.wallet_address(f"{raw.origin}/rosa")).id == wallet.id


# Time


async def test_signatures_are_dated_by_the_servers_clock(
    client: OpenPaymentsClient, raw: RawServer, wallet: WalletAddress, clock: StillClock
) -> None:
    raw.reply(answer(bodies.page(), Date="Fri, 20 Nov 2026 05:10:04 GMT"))
    await client.list_incoming_payments(wallet, TOKEN)
    await client.list_incoming_payments(wallet, TOKEN)
    assert client.server_offset == timedelta(hours=1, seconds=0.5)
    now = int(clock.now().timestamp())
    assert f";created={now};" in raw.received[0].headers["signature-input"]
    assert f";created={now + 3600};" in raw.received[1].headers["signature-input"]
