"""Answers as a real server gave them, to be changed by tests."""

from __future__ import annotations

from typing import Any

TENANT = "https://cloud-nine.rafiki.test/438fa74a-fa7d-4317-9ced-dde32ece1787"
AUTH = "https://auth.cloud-nine.rafiki.test"
WALLET = "https://cloud-nine.rafiki.test/accounts/gfranklin"
PAYMENT = f"{TENANT}/incoming-payments/9db5967c-0a68-4b2f-a09e-e7e38d941a4f"


def amount(value: object = "2500", code: str = "USD", scale: object = 2) -> dict[str, object]:
    return {"value": value, "assetCode": code, "assetScale": scale}


def wallet_address(**changed: Any) -> dict[str, Any]:
    return {
        "id": WALLET,
        "publicName": "Grace Franklin",
        "assetCode": "USD",
        "assetScale": 2,
        "authServer": f"{AUTH}/438fa74a-fa7d-4317-9ced-dde32ece1787",
        "resourceServer": TENANT,
    } | changed


def incoming_payment(**changed: Any) -> dict[str, Any]:
    return {
        "id": PAYMENT,
        "walletAddress": WALLET,
        "incomingAmount": amount(),
        "receivedAmount": amount("0"),
        "completed": False,
        "metadata": {"nested": {"a": [1, 2, {"b": None}], "t": True}, "description": "Order #123"},
        "createdAt": "2026-11-20T04:10:44.726Z",
        "expiresAt": "2026-11-21T04:10:44.000Z",
    } | changed


def methods() -> list[dict[str, str]]:
    return [
        {
            "type": "ilp",
            "ilpAddress": "test.cloud-nine-wallet.HvRLAnvkw3dDkq2UHrMn0RcwMSVKnXLTZBXl1tQAEJ4",
            "sharedSecret": "JqKnF9HzKDgKT9sMVhsaP6XzjF0Dl6XrmH6hTWsNDOs",
        }
    ]


def outgoing_payment(**changed: Any) -> dict[str, Any]:
    return {
        "id": f"{TENANT}/outgoing-payments/31721be4-7402-4d91-b6cf-4ce892491caa",
        "walletAddress": WALLET,
        "quoteId": f"{TENANT}/quotes/31721be4-7402-4d91-b6cf-4ce892491caa",
        "receiveAmount": amount("1000"),
        "debitAmount": amount("1132"),
        "sentAmount": amount("1000"),
        "receiver": "https://happy-life.rafiki.test/cf5f/incoming-payments/65748fc9",
        "failed": False,
        "metadata": {"description": "paying invoice 42"},
        "createdAt": "2026-11-20T04:13:57.964Z",
    } | changed


def page(*payments: dict[str, Any], **pagination: Any) -> dict[str, Any]:
    flags = {"hasPreviousPage": False, "hasNextPage": False}
    return {"pagination": flags | pagination, "result": list(payments)}


def token(**changed: Any) -> dict[str, Any]:
    return {
        "access": [{"actions": ["create", "read", "list"], "type": "incoming-payment"}],
        "value": "F0F6909847C56BE99FFA",
        "manage": f"{AUTH}/token/6c6bc123-2072-4053-80fc-0ce72900176f",
        "expires_in": 600,
    } | changed


def continuation(**changed: Any) -> dict[str, Any]:
    return {
        "access_token": {"value": "863099DF132CFCD51E21"},
        "uri": f"{AUTH}/continue/ff2341f4-0e9b-4347-b09f-3052e4e044b3",
    } | changed
