"""Requests as an inspector may show them, of a frozen quarter of an hour."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from opdash.openpayments.traces import Sight, Trace
from opdash.service.inspection import Inspected, RequestLog
from opdash.tui.screens.request import RequestScreen
from opdash.tui.widgets.request_facts import Part
from tests.tui.doubles import NOW, SERVER

TOKEN = "OS9nX3JY7Tk2f-kept-secret"
"""What must never be seen."""

LIST_URL = f"{SERVER}/incoming-payments?wallet-address=https%3A%2F%2Filp.example%2Frosa&first=50"
GRANT = {
    "access_token": {"access": [{"type": "incoming-payment", "actions": ["list"]}]},
    "client": "https://ilp.example/rosa",
}
PAGE = {
    "pagination": {"hasNextPage": False, "hasPreviousPage": False},
    "result": [
        {
            "id": f"{SERVER}/incoming-payments/2f1b0c4e-8d4a-4a30-9a51-00000000000{number}",
            "walletAddress": "https://ilp.example/rosa",
            "incomingAmount": {"value": "25000", "assetCode": "USD", "assetScale": 2},
            "receivedAmount": {"value": "12000", "assetCode": "USD", "assetScale": 2},
            "completed": False,
            "metadata": {"externalRef": f"INV-2026-041{number}", "description": "Garden chairs"},
            "createdAt": "2026-11-20T14:02:09.120Z",
        }
        for number in (1, 2)
    ],
}
_ANSWER_HEADERS = (
    ("date", "Fri, 20 Nov 2026 14:06:59 GMT"),
    ("content-type", "application/json; charset=utf-8"),
)


def signed_headers(components: str, created: int = 1_795_183_619) -> tuple[tuple[str, str], ...]:
    """Return the headers of a signature that covers what is named."""
    return (
        ("Signature-Input", f'sig1=({components});created={created};keyid="till-1"'),
        ("Signature", f"sig1=:{'c2lnbmF0dXJlIG9mIDY0IGJ5dGVz' * 3}cw==:"),
    )


def traced(**changes: Any) -> Trace:
    """Return a list request that went well, or what is changed of it."""
    usual: dict[str, Any] = {
        "number": 1,
        "at": NOW - timedelta(seconds=1),
        "method": "GET",
        "url": LIST_URL,
        "url_is_secret": False,
        "purpose": "list incoming payments",
        "headers": (
            ("Host", "rs.example"),
            ("Accept", "application/json"),
            ("Authorization", f"GNAP {TOKEN}"),
            *signed_headers('"@method" "@target-uri" "authorization"'),
        ),
        "body": None,
        "status": 200,
        "answer_headers": _ANSWER_HEADERS,
        "answer": json.dumps(PAGE, separators=(",", ":")).encode(),
        "seconds": 0.0123,
        "problem": "",
    }
    return Trace.of(Sight(**(usual | changes)))


def a_morning() -> list[tuple[str, Trace]]:
    """Return what a start of opdash sends, oldest first, each with its profile."""
    body = json.dumps(GRANT, separators=(",", ":")).encode()
    digest = "sha-512=:" + "0aB+/" * 17 + "0==:"
    auth = "https://auth.example/4e1f0a77-1b7c-4f0b-9a8e-5e0b7f0c2d11"
    posted = (
        ("Content-Digest", digest),
        ("Content-Length", str(len(body))),
        ("Content-Type", "application/json"),
        *signed_headers('"@method" "@target-uri" "content-digest" "content-length" "content-type"'),
    )
    granted = {
        "access_token": {"value": TOKEN, "manage": f"{auth}/token/m4n4ge", "expires_in": 600}
    }
    refused = {"error": {"code": "invalid_client", "description": "no such key"}}
    address = {"id": "https://ilp.example/rosa", "publicName": "Rosa's Shop", "assetScale": 2}

    def ago(seconds: float) -> Any:
        return NOW - timedelta(seconds=seconds)

    return [
        (
            "shop",
            traced(
                at=ago(9),
                url="https://ilp.example/rosa",
                purpose="find out about a wallet address",
                headers=(("Host", "ilp.example"), ("Accept", "application/json")),
                answer=json.dumps(address).encode(),
                seconds=0.084,
            ),
        ),
        (
            "shop",
            traced(
                number=2,
                at=ago(8),
                method="POST",
                url=auth,
                purpose="ask for a grant",
                headers=posted,
                body=body,
                status=401,
                answer=json.dumps(refused).encode(),
                seconds=0.041,
            ),
        ),
        (
            "shop",
            traced(
                number=3,
                at=ago(6),
                method="POST",
                url=auth,
                purpose="ask for a grant",
                headers=posted,
                body=body,
                answer=json.dumps(granted).encode(),
                seconds=0.038,
            ),
        ),
        (
            "shop",
            traced(
                number=4,
                at=ago(4),
                status=None,
                answer=None,
                answer_headers=(),
                seconds=10.0,
                problem="ilp.example did not answer within 10 seconds.",
            ),
        ),
        ("shop", traced(number=5)),
    ]


def fill(log: RequestLog) -> None:
    """Let a log hold that morning."""
    for profile, trace in a_morning():
        log.add(profile, trace)


def request_screen() -> RequestScreen:
    """Return the screen of the newest of them."""
    log = RequestLog(9)
    fill(log)
    kept: tuple[Inspected, ...] = log.newest_first()
    return RequestScreen(kept, kept[0], Part.REQUEST, lambda _: "Rosa's Shop")
