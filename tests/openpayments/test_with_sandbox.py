"""The whole client against a whole server, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from opdash.clock import SystemClock
from opdash.openpayments import errors
from opdash.openpayments.amounts import Amount
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.drafts import IncomingPaymentDraft
from opdash.openpayments.grants import Access, AccessToken, InteractRequest
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import IncomingPayment, WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.sandbox.process import SandboxProcess

OWN = Access("incoming-payment", ("create", "read", "list", "complete"))
MakeClient = Callable[..., OpenPaymentsClient]
StartSandbox = Callable[..., SandboxProcess]


class Shop:
    """A wallet address, a client of it, and a token for its own payments."""

    def __init__(
        self, sandbox: SandboxProcess, client: OpenPaymentsClient, wallet: WalletAddress
    ) -> None:
        self.sandbox = sandbox
        self.client = client
        self.wallet = wallet
        self.token = Secret("")

    async def granted(self, *access: Access) -> AccessToken:
        grant = await self.client.request_grant(self.wallet.auth_server, access or (OWN,))
        assert grant.token is not None
        self.token = grant.token.value
        return grant.token

    async def create(
        self, minor_units: int | None = 2500, lasting: timedelta | None = None
    ) -> IncomingPayment:
        now = SystemClock().now() + self.client.server_offset
        draft = IncomingPaymentDraft(
            amount=None if minor_units is None else Amount.of(minor_units, self.wallet.asset),
            expires_at=None if lasting is None else now + lasting,
            metadata={"description": "Café ☕", "2": "b", "1": ["a", {"n": 5}]},
        )
        return await self.client.create_incoming_payment(self.wallet, self.token, draft)

    async def get(self, payment: IncomingPayment) -> IncomingPayment:
        return await self.client.incoming_payment(self.wallet, payment.id, self.token)


async def open_shop(sandbox: SandboxProcess, make_client: MakeClient) -> Shop:
    client = make_client(sandbox)
    return Shop(sandbox, client, await client.wallet_address(sandbox.main_wallet))


@pytest.fixture
async def shop(sandbox: SandboxProcess, make_client: MakeClient) -> Shop:
    return await open_shop(sandbox, make_client)


async def test_discovery(shop: Shop) -> None:
    sandbox, client = shop.sandbox, shop.client
    assert (await client.wallet_address(sandbox.main_wallet + "/")).id == sandbox.main_wallet
    key = ClientKey.from_pem(sandbox.client.private_key.read_bytes(), sandbox.client.key_id)
    served = await client.jwks(sandbox.client.wallet_address)
    assert (key.key_id, key.public_jwk()["x"]) in [(one.kid, one.x) for one in served.keys]
    with pytest.raises(errors.NotFoundError):
        await client.wallet_address(f"{sandbox.url}/nobody")


async def test_a_payment_from_asking_to_closing(shop: Shop) -> None:
    await shop.granted()
    payment = await shop.create()
    assert payment.metadata["description"] == "Café ☕"
    assert payment.methods
    assert (await shop.get(payment)).created_at == payment.created_at
    page = await shop.client.list_incoming_payments(shop.wallet, shop.token, first=1)
    assert page.result[0].id == payment.id
    public = await shop.client.public_incoming_payment(payment.id)
    assert public.auth_server == shop.wallet.auth_server
    completed = await shop.client.complete_incoming_payment(shop.wallet, payment.id, shop.token)
    assert completed.completed
    with pytest.raises(errors.ConflictError):
        await shop.client.complete_incoming_payment(shop.wallet, payment.id, shop.token)


async def test_a_payment_that_is_paid_in_parts(shop: Shop) -> None:
    await shop.granted()
    payment = await shop.create(1000)
    shop.sandbox.pay(payment.id, 400)
    shop.sandbox.advance(1)
    assert (await shop.get(payment)).received_amount.minor_units == 400


async def test_an_outgoing_payment_after_consent(shop: Shop) -> None:
    await shop.granted()
    payment = await shop.create(1000)
    outgoing = shop.sandbox.pay(payment.id)
    sender = await shop.client.wallet_address(shop.sandbox.sender)
    access = [Access("outgoing-payment", ("read", "read-all"), identifier=sender.id)]
    grant = await shop.client.request_grant(sender.auth_server, access, interact=InteractRequest())
    assert grant.token is None
    assert grant.interaction is not None
    assert grant.continuation is not None
    with pytest.raises(errors.TooFastError):
        await shop.client.continue_grant(sender.auth_server, grant.continuation)
    shop.sandbox.advance(6)
    grant = await shop.client.continue_grant(sender.auth_server, grant.continuation)
    assert grant.token is not None
    found = await shop.client.outgoing_payment(sender, outgoing, grant.token.value)
    assert found.receiver == payment.id


async def test_consent_is_asked_for_where_it_is_needed(shop: Shop) -> None:
    everything = Access("incoming-payment", ("read-all", "list-all"), identifier=shop.wallet.id)
    with pytest.raises(errors.InteractionNeededError):
        await shop.client.request_grant(shop.wallet.auth_server, [everything])


async def test_tokens_are_rotated_and_revoked(shop: Shop) -> None:
    first = await shop.granted()
    second = await shop.client.rotate_token(shop.wallet.auth_server, first)
    assert second.manage != first.manage
    with pytest.raises(errors.InactiveTokenError) as caught:
        await shop.client.list_incoming_payments(shop.wallet, first.value)
    assert caught.value.www_authenticate.startswith("GNAP as_uri=")
    with pytest.raises(errors.ContinuationError):
        await shop.client.rotate_token(shop.wallet.auth_server, first)
    await shop.client.list_incoming_payments(shop.wallet, second.value)
    await shop.client.revoke_token(shop.wallet.auth_server, second)
    with pytest.raises(errors.InactiveTokenError):
        await shop.client.list_incoming_payments(shop.wallet, second.value)


async def test_a_grant_is_cancelled(shop: Shop) -> None:
    grant = await shop.client.request_grant(shop.wallet.auth_server, [OWN])
    assert grant.token is not None
    assert grant.continuation is not None
    await shop.client.cancel_grant(shop.wallet.auth_server, grant.continuation)
    with pytest.raises(errors.InactiveTokenError):
        await shop.client.list_incoming_payments(shop.wallet, grant.token.value)


async def test_a_right_that_was_not_asked_for(shop: Shop) -> None:
    await shop.granted(Access("incoming-payment", ("create",)))
    with pytest.raises(errors.InsufficientGrantError):
        await shop.client.list_incoming_payments(shop.wallet, shop.token)


async def test_another_clients_payment(shop: Shop, make_client: MakeClient) -> None:
    await shop.granted()
    payment = await shop.create()
    other = Shop(shop.sandbox, make_client(shop.sandbox, other=True), shop.wallet)
    await other.granted()
    with pytest.raises(errors.NotFoundError):
        await other.get(payment)


async def test_a_key_that_the_server_does_not_know(shop: Shop) -> None:
    await shop.granted()
    address = shop.sandbox.client.wallet_address
    for key_id in (shop.sandbox.client.key_id, "stranger"):
        async with OpenPaymentsClient(
            key=ClientKey.generate(key_id), client_wallet_address=address, clock=SystemClock()
        ) as stranger:
            with pytest.raises(errors.SignatureRefusedError):
                await stranger.list_incoming_payments(shop.wallet, shop.token)
            with pytest.raises((errors.SignatureRefusedError, errors.InvalidClientError)):
                await stranger.request_grant(shop.wallet.auth_server, [OWN])


async def test_a_payment_that_expired_unpaid_is_gone(
    fresh_sandbox: SandboxProcess, make_client: MakeClient
) -> None:
    shop = await open_shop(fresh_sandbox, make_client)
    await shop.granted()
    payment = await shop.create(lasting=timedelta(minutes=2))
    fresh_sandbox.advance(180)
    with pytest.raises(errors.GoneError) as caught:
        await shop.get(payment)
    assert payment.id.endswith(caught.value.details["id"])
    with pytest.raises(errors.GoneError):
        await shop.client.complete_incoming_payment(shop.wallet, payment.id, shop.token)


async def test_the_servers_clock_is_followed(
    fresh_sandbox: SandboxProcess, make_client: MakeClient
) -> None:
    shop = await open_shop(fresh_sandbox, make_client)
    fresh_sandbox.advance(3600)
    for _ in range(3):
        await shop.client.wallet_address(shop.wallet.id)
    assert abs(shop.client.server_offset - timedelta(hours=1)) < timedelta(seconds=5)


async def test_walking_a_long_list_in_both_directions(
    start_sandbox: StartSandbox, make_client: MakeClient
) -> None:
    shop = await open_shop(start_sandbox(payments=230), make_client)
    await shop.granted()
    pages = [page async for page in shop.client.walk_incoming_payments(shop.wallet, shop.token)]
    ids = [payment.id for page in pages for payment in page.result]
    assert [len(page.result) for page in pages] == [100, 100, 30]
    assert len(set(ids)) == 230
    before = await shop.client.list_incoming_payments(
        shop.wallet, shop.token, last=40, cursor=pages[1].pagination.start_cursor
    )
    assert [payment.id for payment in before.result] == ids[60:100]
    beyond = await shop.client.list_incoming_payments(
        shop.wallet, shop.token, first=5, cursor=pages[2].pagination.end_cursor
    )
    assert (beyond.result, beyond.pagination.end_cursor) == ((), None)
