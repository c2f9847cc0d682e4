"""What the recorded exchanges about grants share."""

from __future__ import annotations

from typing import Any

import httpx

from opdash.openpayments.keys import ClientKey
from tests.sandbox.scene import Scene
from tests.sandbox.support import OWN_ACTIONS

UNKNOWN_CLIENT = (400, "invalid_client", "could not determine client")
BAD_SIGNATURE = (401, "invalid_client", "invalid signature")
BAD_HEADERS = (401, "invalid_client", "invalid signature headers")
BAD_TOKEN = (401, "invalid_client", "invalid access token")
NOT_ALLOWED = "must be equal to one of the allowed values"
ITEM = "body.access_token.access.0"
STRANGER = ClientKey.generate("stranger")


def incoming(*actions: str, **more: Any) -> dict[str, Any]:
    return {"type": "incoming-payment", "actions": list(actions or OWN_ACTIONS), **more}


def is_grant(_: Scene, answer: httpx.Response) -> None:
    token = answer.json()["access_token"]
    assert set(token) == {"access", "value", "manage", "expires_in"}
    assert token["expires_in"] == 600
    assert set(answer.json()["continue"]) == {"access_token", "uri"}


def is_pending(_: Scene, answer: httpx.Response) -> None:
    assert set(answer.json()["interact"]) == {"redirect", "finish"}
    assert answer.json()["interact"]["finish"] in answer.json()["interact"]["redirect"]
    assert answer.json()["continue"]["wait"] == 5


def keeps_waiting(_: Scene, answer: httpx.Response) -> None:
    assert set(answer.json()["continue"]) == {"access_token", "uri", "wait"}


def unsign(headers: dict[str, str]) -> None:
    del headers["signature"], headers["signature-input"]


def tamper(headers: dict[str, str]) -> None:
    headers["signature"] = headers["signature"].replace("sig1=:", "sig1=:A", 1)[:-3] + "=:"
