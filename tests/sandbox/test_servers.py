"""What the recorded exchanges do not show: metadata, methods, headers, and the real client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from opdash.openpayments.grants import Access
from opdash.sandbox.process import SandboxProcess
from tests.sandbox.scene import usd
from tests.sandbox.support import RawClient

if TYPE_CHECKING:
    from tests.conftest import MakeClient, StartSandbox


def _metadata(raw: RawClient, metadata: Any) -> httpx.Response:
    return raw.create(raw.sandbox.main_wallet, raw.token(), metadata=metadata)


def test_metadata_comes_back_with_its_keys_in_the_database_s_order(raw: RawClient) -> None:
    answer = _metadata(raw, {"description": "x", "bb": 1, "a": {"zz": 1, "y": [True, None]}})

    assert '"metadata":{"a":{"y":[true,null],"zz":1},"bb":1,"description":"x"}' in answer.text


@pytest.mark.parametrize("metadata", [{"a": "\0"}, {"\0": 1}, {"a": [{"b": "x\0y"}]}])
def test_the_database_holds_no_zero_characters(raw: RawClient, metadata: Any) -> None:
    assert _metadata(raw, metadata).status_code == 500


@pytest.mark.parametrize("text", ["\\u0000", "\x1b[31m", "[/nope]", "\u202e", "🪙" * 100])
def test_remote_texts_are_kept_as_sent(raw: RawClient, text: str) -> None:
    payment = _metadata(raw, {"description": text}).json()

    assert payment["metadata"] == {"description": text}


def test_methods_change_at_every_read(raw: RawClient) -> None:
    token = raw.token()
    payment = raw.create(raw.sandbox.main_wallet, token).json()
    reads = [raw.send("GET", payment["id"], token=token).json() for _ in range(3)]

    secrets = {found["methods"][0]["sharedSecret"] for found in [payment, *reads]}
    addresses = {found["methods"][0]["ilpAddress"] for found in [payment, *reads]}
    assert len(secrets) == len(addresses) == 4


def test_answers_name_no_framework(raw: RawClient) -> None:
    headers = raw.plain("GET", raw.sandbox.main_wallet).headers

    assert "server" not in headers
    assert headers["vary"] == "Origin"
    assert headers["access-control-allow-origin"] == "*"


def test_an_answer_can_be_held_back(start_sandbox: StartSandbox) -> None:
    slow = start_sandbox(latency=400)

    with pytest.raises(httpx.ReadTimeout):
        httpx.get(slow.main_wallet, timeout=0.2)
    assert httpx.get(slow.main_wallet, timeout=10).status_code == 200


@pytest.mark.parametrize("path", ["/auth/nothing", "/auth/x/y/z", "/sandbox/nothing"])
def test_unknown_paths(raw: RawClient, path: str) -> None:
    assert raw.plain("GET", raw.sandbox.url + path).status_code == 404


def test_a_list_under_another_tenant_is_empty(raw: RawClient) -> None:
    url = raw.list_url(raw.sandbox.main_wallet)
    tenant = raw.resource_server.rpartition("/")[2]
    other = url.replace(tenant, "00000000-0000-4000-8000-000000000000")

    assert raw.send("GET", other, token=raw.token()).json()["result"] == []


def test_a_path_is_no_client(raw: RawClient) -> None:
    body = (
        b'{"access_token":{"access":[{"type":"incoming-payment","actions":["read"]}]},'
        b'"client":"/opdash"}'
    )

    answer = raw.send("POST", raw.auth_server, body=body)

    assert answer.json()["error"]["description"] == "could not determine client"


@pytest.mark.parametrize(
    ("access", "message"),
    [
        ({"access": 1}, "body.access_token.access must be array"),
        ({"access": [1]}, "body.access_token.access.0 must be object"),
        ({"access": [{}]}, "body.access_token.access.0 must have required property 'type'"),
        ({}, "body.access_token must have required property 'access'"),
        (
            {"access": [{"type": "quote", "actions": ["read"]}] * 4},
            "body.access_token.access must NOT have more than 3 items",
        ),
        (
            {"access": [{"type": "incoming-payment", "actions": ["read"], "identifier": "x"}]},
            'body.access_token.access.0.identifier must match format "uri"',
        ),
    ],
)
def test_grants_that_fit_no_schema(raw: RawClient, access: Any, message: str) -> None:
    from opdash.openpayments.canonical import canonical_json

    body = canonical_json({"access_token": access, "client": raw.client.wallet_address})

    answer = raw.send("POST", raw.auth_server, body=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["description"].endswith(": " + message)


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ({"value": "1"}, "body.incomingAmount must have required property 'assetCode'"),
        ({**usd("1"), "assetScale": 256}, "body.incomingAmount.assetScale must be <= 255"),
        ({**usd("1"), "assetScale": "2"}, "body.incomingAmount.assetScale must be integer"),
        ({**usd(""), "assetScale": 2}, 'body.incomingAmount.value must match format "uint64"'),
    ],
)
def test_amounts_that_fit_no_schema(raw: RawClient, amount: Any, message: str) -> None:
    answer = raw.create(raw.sandbox.main_wallet, raw.token(), incomingAmount=amount)

    assert answer.json()["error"]["description"].endswith(": " + message)


async def test_the_real_client_is_at_home(sandbox: SandboxProcess, make_client: MakeClient) -> None:
    client = make_client(sandbox)
    wallet = await client.wallet_address(sandbox.main_wallet)
    grant = await client.request_grant(
        wallet.auth_server, [Access("incoming-payment", ("list", "create", "read", "complete"))]
    )
    assert grant.token is not None

    page = await client.list_incoming_payments(wallet, grant.token.value, first=5)

    assert len(page.result) == 5
    assert client.server_offset is not None
