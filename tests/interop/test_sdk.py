"""The official TypeScript SDK works against the sandbox, every answer checked by its schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from opdash.openpayments.keys import ClientKey
from opdash.sandbox.process import SandboxProcess
from tests.interop.node import require, run

METADATA = {
    "description": "Zwölf Brötchen – 十二 🥐",
    "externalRef": "INV-17",
    "10": "ten",
    "9": {"list": [1, True, None]},
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    require()
    with SandboxProcess.start(payments=40, auto_consent=True) as process:
        yield process


def drive(sandbox: SandboxProcess, scenario: str, *, wallet: str = "", **more: object) -> Any:
    client = sandbox.client
    return run(
        "sdk.mjs",
        {
            "scenario": scenario,
            "sandbox": sandbox.url,
            "wallet": wallet or sandbox.main_wallet,
            "client": {
                "walletAddress": client.wallet_address,
                "keyId": client.key_id,
                "privateKey": str(client.private_key),
            },
            **more,
        },
    )


def ids(page: dict[str, Any]) -> list[str]:
    return [payment["id"] for payment in page["result"]]


def test_discovery(sandbox: SandboxProcess) -> None:
    facts = drive(sandbox, "discovery")
    assert facts["wallet"]["id"] == sandbox.main_wallet
    assert facts["seenByAnyone"] == facts["wallet"]
    assert sandbox.client.key_id in [key["kid"] for key in facts["clientKeys"]["keys"]]


def test_grant_rotate_revoke_cancel(sandbox: SandboxProcess) -> None:
    facts = drive(sandbox, "grants")
    granted, rotated = facts["granted"]["access_token"], facts["rotated"]
    assert granted["access"] == rotated["access"]
    assert granted["value"] != rotated["value"]
    assert granted["manage"] != rotated["manage"]
    assert facts["withOldToken"]["refused"]["status"] == 403
    assert facts["withOldToken"]["refused"]["description"] == "Inactive Token"
    assert "pagination" in facts["withNewToken"]["answer"]
    assert facts["revoked"] == {"answer": None}
    assert facts["withRevokedToken"]["refused"]["status"] == 403
    assert "refused" in facts["rotatedAfterRevoke"]
    assert facts["cancelled"] == {"answer": None}


def test_create_get_complete_and_public_get(sandbox: SandboxProcess) -> None:
    facts = drive(sandbox, "payments", metadata=METADATA)
    created, completed = facts["created"], facts["completed"]
    assert created["metadata"] == METADATA
    assert created["incomingAmount"]["value"] == "1250"
    assert [method["type"] for method in created["methods"]] == ["ilp"]
    assert "incomingAmount" not in facts["open"]
    assert without_methods(facts["got"]) == without_methods(created)
    assert set(facts["public"]) == {"authServer", "receivedAmount"}
    assert facts["publicToAnyone"] == facts["public"]
    assert completed == without_methods(created) | {"completed": True}
    assert facts["afterwards"] == completed | {"methods": []}
    assert facts["completedTwice"]["refused"]["status"] == 409
    assert facts["wrongAsset"]["refused"]["status"] == 400


def without_methods(payment: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payment.items() if name != "methods"}


def test_list_pages_in_both_directions(sandbox: SandboxProcess) -> None:
    facts = drive(sandbox, "paging", count=5, pageSize=7)
    forward, backward = facts["forward"], facts["backward"]
    walked = [payment for page in forward for payment in ids(page)]
    assert walked[:5] == facts["created"][::-1]
    assert len(set(walked)) == len(walked)
    assert all(len(page["result"]) == 7 for page in forward[:-1])
    assert [page["pagination"]["hasPreviousPage"] for page in forward[:2]] == [False, True]
    assert [payment for page in backward[::-1] for payment in ids(page)] == walked[
        : -len(forward[-1]["result"])
    ]
    assert all(page["pagination"]["hasNextPage"] for page in backward)
    assert facts["pastTheEnd"] == {
        "pagination": {"hasNextPage": False, "hasPreviousPage": False},
        "result": [],
    }
    assert ids(facts["withoutSize"]) == walked[:20]
    assert facts["backwardWithoutCursor"]["refused"]["status"] == 400
    assert facts["tooMany"]["refused"]["status"] == 400


def test_an_outgoing_payment_is_read_with_consent_by_polling(sandbox: SandboxProcess) -> None:
    created = drive(sandbox, "payments", metadata={})["open"]
    paid = sandbox.pay(created["id"], amount=100)
    facts = drive(sandbox, "outgoing", wallet=sandbox.sender, outgoingPayment=paid)
    assert facts["pending"]["interact"]["finish"]
    assert facts["tooFast"]["refused"]["code"] == "too_fast"
    assert facts["granted"]["access_token"]["access"][0]["type"] == "outgoing-payment"
    assert facts["payment"]["receiver"] == created["id"]
    assert facts["payment"]["failed"] is False
    assert facts["cancelled"] == {"answer": None}


@pytest.fixture(scope="module")
def asking() -> Iterator[SandboxProcess]:
    """A sandbox whose account holders decide themselves."""
    require()
    with SandboxProcess.start(payments=10) as process:
        yield process


def test_an_interactive_grant_is_completed_by_redirect(asking: SandboxProcess) -> None:
    facts = drive(asking, "interactive", choice="accept")
    assert "opdash asks for your consent" in facts["page"]
    assert facts["returned"]["state"] == facts["state"]
    assert facts["returned"]["hash"] == facts["expectedHash"]
    assert facts["tooFast"]["refused"]["code"] == "too_fast"
    assert facts["wrongReference"]["refused"]["status"] == 404
    assert facts["wrongReference"]["refused"]["code"] == "invalid_continuation"
    granted = facts["granted"]["answer"]
    assert granted["access_token"]["access"][0]["actions"] == ["read-all", "list-all"]
    assert len(facts["page1"]["result"]) == 5


def test_an_interactive_grant_that_is_refused(asking: SandboxProcess) -> None:
    facts = drive(asking, "interactive", choice="reject")
    assert facts["returned"] == {"result": "grant_rejected", "state": facts["state"]}
    assert "refused" in facts["granted"]


def test_what_is_not_allowed_is_refused(sandbox: SandboxProcess) -> None:
    other = ClientKey.generate(sandbox.client.key_id).to_pem().decode()
    facts = drive(sandbox, "strangers", otherKey=other)
    assert facts["withoutRight"]["refused"]["status"] == 403
    assert facts["withoutRight"]["refused"]["description"] == "Insufficient Grant"
    assert facts["unknownToken"]["refused"]["status"] == 403
    assert facts["otherKeyAtResources"]["refused"]["status"] == 401
    assert "Signature validation error" in facts["otherKeyAtResources"]["refused"]["description"]
    assert facts["otherKeyAtGrants"]["refused"]["status"] == 401
    assert facts["otherKeyAtGrants"]["refused"]["code"] == "invalid_client"
