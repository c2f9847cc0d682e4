"""What the recorded exchanges about payments do and look at."""

from __future__ import annotations

import re
from typing import Any

import httpx

from opdash.openpayments.canonical import canonical_json
from tests.sandbox.recorded import PAYMENT
from tests.sandbox.scene import Scene, usd

GONE = {"description", "id"}
NO_WALLET = "Could not get wallet address"
AMOUNT = "body.incomingAmount"
ILP_ADDRESS = re.compile(
    r"(g|private|example|peer|self|test[1-3]?|local)([.][a-zA-Z0-9_~-]+)+", re.ASCII
)
METADATA = {
    "description": "Order #123",
    "externalRef": "INV-1",
    "nested": {"a": [1, 2, {"b": None}], "t": True},
}


def create(scene: Scene, *, token: str = "", wallet: str = "", **more: Any) -> httpx.Response:
    return scene.own.create(wallet or scene.wallet, token or scene.own.token(), **more)


def create_from(scene: Scene, body: dict[str, Any], path: str = "") -> httpx.Response:
    url = scene.sandbox.url + path if path else f"{scene.own.resource_server}/incoming-payments"
    return scene.own.send("POST", url, token=scene.own.token(), body=canonical_json(body))


def asking(value: object, code: str = "USD", scale: int = 2) -> Any:
    amount = {"value": value, "assetCode": code, "assetScale": scale}
    return lambda s: create(s, incomingAmount=amount)


def make_full(scene: Scene) -> str:
    expires = scene.later(days=1)
    return scene.payment(incomingAmount=usd("2500"), expiresAt=expires, metadata=METADATA)


def read(scene: Scene, url: str, *, token: str = "", **more: Any) -> httpx.Response:
    return scene.own.send("GET", url, token=token or scene.own.token(), **more)


def complete(scene: Scene, url: str, *, token: str = "") -> httpx.Response:
    return scene.own.send("POST", f"{url}/complete", token=token or scene.own.token())


def make_completed(scene: Scene) -> str:
    payment = make_full(scene)
    assert complete(scene, payment).status_code == 200
    return payment


def unsign(headers: dict[str, str]) -> None:
    del headers["signature"], headers["signature-input"]


def make_vanished(scene: Scene) -> str:
    payment = scene.payment(incomingAmount=usd("100"), expiresAt=scene.later(seconds=3))
    scene.sandbox.advance(7)
    return payment


def make_expired_with_money(scene: Scene) -> str:
    expires = scene.later(seconds=30)
    payment = scene.payment(incomingAmount=usd("31776"), expiresAt=expires, metadata={"n": 4})
    scene.paid(payment, 15889)
    scene.sandbox.advance(60)
    return payment


def make_paid(scene: Scene) -> str:
    payment = scene.payment(incomingAmount=usd("1000"), metadata={"description": "invoice 42"})
    scene.paid(payment)
    return payment


def make_paid_in_part(scene: Scene) -> str:
    payment = scene.payment(incomingAmount=usd("2000"))
    scene.paid(payment, 500)
    scene.paid(payment, 500)
    return payment


def has_ilp_method(_: Scene, answer: httpx.Response) -> None:
    (method,) = answer.json()["methods"]
    assert set(method) == {"type", "ilpAddress", "sharedSecret"}
    assert method["type"] == "ilp"
    assert ILP_ADDRESS.fullmatch(method["ilpAddress"])
    assert re.fullmatch(r"[a-zA-Z0-9_-]{43}", method["sharedSecret"])


def has_no_method(_: Scene, answer: httpx.Response) -> None:
    assert answer.json()["methods"] == []


def is_full(scene: Scene, answer: httpx.Response) -> None:
    has_ilp_method(scene, answer)
    body = answer.json()
    assert body["metadata"] == METADATA
    assert body["incomingAmount"] == usd("2500")
    assert (body["receivedAmount"], body["completed"]) == (usd("0"), False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["createdAt"])


def expires_in_30_days(_: Scene, answer: httpx.Response) -> None:
    body = answer.json()
    assert body["createdAt"][10:-2] == body["expiresAt"][10:-2]


def asks_for(value: str) -> Any:
    def look(_: Scene, answer: httpx.Response) -> None:
        assert answer.json()["incomingAmount"] == usd(value)

    return look


def stands_at(received: str, *, completed: bool) -> Any:
    def look(_: Scene, answer: httpx.Response) -> None:
        body = answer.json()
        assert (body["receivedAmount"], body["completed"]) == (usd(received), completed)

    return look


def received(value: str) -> Any:
    def look(scene: Scene, answer: httpx.Response) -> None:
        assert answer.json()["receivedAmount"] == usd(value)
        assert answer.json()["authServer"] == scene.own.auth_server

    return look


WITH_METHODS = PAYMENT | {"methods"}
OF_ANOTHER = {"id"}
