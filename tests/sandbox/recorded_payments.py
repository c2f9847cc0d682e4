"""Recorded: creating, reading, completing and losing incoming payments; outgoing payments."""

from __future__ import annotations

import re
from typing import Any

import httpx

from opdash.openpayments.canonical import canonical_json
from tests.sandbox.recorded import (
    BARE_PAYMENT,
    HTML,
    OUTGOING_PAYMENT,
    PAGE,
    PAYMENT,
    PUBLIC_PAYMENT,
    Difference,
    Fact,
    challenged,
    invalid,
    no_grant,
    ok,
    plain,
    refused,
)
from tests.sandbox.scene import NO_UUID, Scene, usd
from tests.sandbox.support import Signing

_GONE = {"description", "id"}
_NO_WALLET = "Could not get wallet address"
_OPEN = "body.incomingAmount"
_ILP_ADDRESS = re.compile(
    r"(g|private|example|peer|self|test[1-3]?|local)([.][a-zA-Z0-9_~-]+)+", re.ASCII
)
_METADATA = {
    "description": "Order #123",
    "externalRef": "INV-1",
    "nested": {"a": [1, 2, {"b": None}], "t": True},
}


def _create(scene: Scene, *, token: str = "", wallet: str = "", **more: Any) -> httpx.Response:
    return scene.own.create(wallet or scene.wallet, token or scene.own.token(), **more)


def _create_from(scene: Scene, body: dict[str, Any], path: str = "") -> httpx.Response:
    url = scene.sandbox.url + path if path else f"{scene.own.resource_server}/incoming-payments"
    return scene.own.send("POST", url, token=scene.own.token(), body=canonical_json(body))


def _asking(value: object, code: str = "USD", scale: int = 2) -> Any:
    amount = {"value": value, "assetCode": code, "assetScale": scale}
    return lambda s: _create(s, incomingAmount=amount)


def _full(scene: Scene) -> str:
    expires = scene.later(days=1)
    return scene.payment(incomingAmount=usd("2500"), expiresAt=expires, metadata=_METADATA)


def _get(scene: Scene, url: str, *, token: str = "", **more: Any) -> httpx.Response:
    return scene.own.send("GET", url, token=token or scene.own.token(), **more)


def _complete(scene: Scene, url: str, *, token: str = "") -> httpx.Response:
    return scene.own.send("POST", f"{url}/complete", token=token or scene.own.token())


def _completed(scene: Scene) -> str:
    payment = _full(scene)
    assert _complete(scene, payment).status_code == 200
    return payment


def _unsigned(headers: dict[str, str]) -> None:
    del headers["signature"], headers["signature-input"]


def _vanished(scene: Scene) -> str:
    payment = scene.payment(incomingAmount=usd("100"), expiresAt=scene.later(seconds=3))
    scene.sandbox.advance(7)
    return payment


def _expired_with_money(scene: Scene) -> str:
    expires = scene.later(seconds=30)
    payment = scene.payment(incomingAmount=usd("31776"), expiresAt=expires, metadata={"n": 4})
    scene.paid(payment, 15889)
    scene.sandbox.advance(60)
    return payment


def _paid(scene: Scene) -> str:
    payment = scene.payment(incomingAmount=usd("1000"), metadata={"description": "invoice 42"})
    scene.paid(payment)
    return payment


def _paid_in_part(scene: Scene) -> str:
    payment = scene.payment(incomingAmount=usd("2000"))
    scene.paid(payment, 500)
    scene.paid(payment, 500)
    return payment


def _has_ilp_method(_: Scene, answer: httpx.Response) -> None:
    (method,) = answer.json()["methods"]
    assert set(method) == {"type", "ilpAddress", "sharedSecret"}
    assert method["type"] == "ilp"
    assert _ILP_ADDRESS.fullmatch(method["ilpAddress"])
    assert re.fullmatch(r"[a-zA-Z0-9_-]{43}", method["sharedSecret"])


def _has_no_method(_: Scene, answer: httpx.Response) -> None:
    assert answer.json()["methods"] == []


def _is_full(scene: Scene, answer: httpx.Response) -> None:
    _has_ilp_method(scene, answer)
    body = answer.json()
    assert body["metadata"] == _METADATA
    assert body["incomingAmount"] == usd("2500")
    assert (body["receivedAmount"], body["completed"]) == (usd("0"), False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["createdAt"])


def _expires_in_30_days(_: Scene, answer: httpx.Response) -> None:
    body = answer.json()
    assert body["createdAt"][10:-2] == body["expiresAt"][10:-2]


def _asks_for(value: str) -> Any:
    def look(_: Scene, answer: httpx.Response) -> None:
        assert answer.json()["incomingAmount"] == usd(value)

    return look


def _stands_at(received: str, *, completed: bool) -> Any:
    def look(_: Scene, answer: httpx.Response) -> None:
        body = answer.json()
        assert (body["receivedAmount"], body["completed"]) == (usd(received), completed)

    return look


def _received(value: str) -> Any:
    def look(scene: Scene, answer: httpx.Response) -> None:
        assert answer.json()["receivedAmount"] == usd(value)
        assert answer.json()["authServer"] == scene.own.auth_server

    return look


_WITH_METHODS = PAYMENT | {"methods"}
_OF_ANOTHER = {"id"}

CREATING = (
    ok(
        "least",
        lambda s: _create(s),
        BARE_PAYMENT | {"methods"},
        201,
        also=_expires_in_30_days,
    ),
    ok(
        "amount, expiry and metadata",
        lambda s: _create(
            s, incomingAmount=usd("2500"), expiresAt=s.later(days=1), metadata=_METADATA
        ),
        _WITH_METHODS,
        201,
        also=_is_full,
    ),
    refused(
        "expiry in the past",
        lambda s: _create(s, expiresAt=s.later(minutes=-1)),
        400,
        "invalid expiresAt",
    ),
    ok(
        "expiry in 2 s",
        lambda s: _create(s, expiresAt=s.later(seconds=2)),
        BARE_PAYMENT | {"methods"},
        201,
    ),
    refused(
        "expiry in 31 days",
        lambda s: _create(s, expiresAt=s.later(days=31)),
        400,
        "invalid expiresAt",
    ),
    refused(
        "expiry in a year",
        lambda s: _create(s, expiresAt=s.later(days=365)),
        400,
        "invalid expiresAt",
    ),
    ok(
        "expiry with an offset",
        lambda s: _create(s, expiresAt=s.later(hours=2).replace(".000Z", "+00:00")),
        BARE_PAYMENT | {"methods"},
        201,
    ),
    refused(
        "expiry with microseconds, by its offset past",
        lambda s: _create(s, expiresAt=s.later(hours=2).replace(".000Z", ".123456+02:00")),
        400,
        "invalid expiresAt",
    ),
    ok(
        "expiry without a zone",
        lambda s: _create(s, expiresAt=s.later(hours=2).replace(".000Z", "")),
        BARE_PAYMENT | {"methods"},
        201,
    ),
    invalid(
        "expiry is a date",
        lambda s: _create(s, expiresAt="2030-01-01"),
        'body.expiresAt must match format "date-time"',
    ),
    refused("another currency", _asking("100", "EUR"), 400, "invalid amount"),
    refused("another scale", _asking("100", "USD", 9), 400, "invalid amount"),
    refused("amount 0", _asking("0"), 400, "invalid amount"),
    invalid("negative amount", _asking("-5"), f'{_OPEN}.value must match format "uint64"'),
    invalid("decimal amount", _asking("1.50"), f'{_OPEN}.value must match format "uint64"'),
    invalid("amount as a number", _asking(100), f"{_OPEN}.value must be string"),
    plain("uint64 at most", _asking(str(2**64 - 1)), 500, "Internal Server Error"),
    ok(
        "int64 at most",
        _asking(str(2**63 - 1)),
        BARE_PAYMENT | {"methods", "incomingAmount"},
        201,
        also=_asks_for(str(2**63 - 1)),
    ),
    plain("more than uint64", _asking(str(2**64)), 500, "Internal Server Error"),
    ok(
        "leading zeros",
        _asking("0007"),
        BARE_PAYMENT | {"methods", "incomingAmount"},
        201,
        also=_asks_for("7"),
    ),
    invalid("metadata null", lambda s: _create(s, metadata=None), "body.metadata must be object"),
    invalid(
        "metadata a string", lambda s: _create(s, metadata="text"), "body.metadata must be object"
    ),
    ok(
        "metadata empty",
        lambda s: _create(s, metadata={}),
        BARE_PAYMENT | {"methods", "metadata"},
        201,
    ),
    ok(
        "metadata of 20 kB",
        lambda s: _create(s, metadata={"big": "x" * 20_000}),
        BARE_PAYMENT | {"methods", "metadata"},
        201,
    ),
    ok(
        "metadata of 900 kB",
        lambda s: _create(s, metadata={"big": "x" * 900_000}),
        BARE_PAYMENT | {"methods", "metadata"},
        201,
    ),
    Fact(
        "metadata of 1.5 MB",
        lambda s: _create(s, metadata={"big": "x" * 1_500_000}),
        413,
        f"{HTML}; charset=utf-8",
    ),
    invalid(
        "amount null",
        lambda s: _create(s, expiresAt=None, incomingAmount=None),
        f"{_OPEN} must be object",
    ),
    invalid(
        "unknown property",
        lambda s: _create(s, bogus=1),
        "body must NOT have additional properties: bogus",
    ),
    invalid(
        "no wallet address",
        lambda s: _create_from(s, {"incomingAmount": usd("1")}),
        "body must have required property 'walletAddress'",
    ),
    refused(
        "wallet address with a slash at the end",
        lambda s: _create(s, wallet=s.wallet + "/"),
        400,
        _NO_WALLET,
    ),
    refused(
        "unknown wallet address",
        lambda s: _create(s, wallet=s.sandbox.url + "/nobody"),
        400,
        _NO_WALLET,
    ),
    refused(
        "wallet address of another server",
        lambda s: _create(s, wallet="https://happy-life.example/pfry"),
        400,
        _NO_WALLET,
    ),
    invalid(
        "payment pointer",
        lambda s: _create(s, wallet="$cloud-nine.example/wbdc"),
        'body.walletAddress must match format "uri"',
    ),
    plain(
        "resource server without its tenant",
        lambda s: _create_from(s, {"walletAddress": s.wallet}, "/incoming-payments"),
        404,
        "Not Found",
    ),
    refused(
        "another tenant",
        lambda s: _create_from(s, {"walletAddress": s.wallet}, f"/{NO_UUID}/incoming-payments"),
        404,
        "unknown wallet address",
    ),
    plain(
        "below the wallet address",
        lambda s: _create_from(s, {"walletAddress": s.wallet}, "/rosa/incoming-payments"),
        404,
        "Not Found",
    ),
    challenged(
        "token for another wallet address",
        lambda s: _create(s, token=s.own.token(identifier=s.empty)),
        403,
        "Insufficient Grant",
    ),
    challenged(
        "token that may only read",
        lambda s: _create(s, token=s.own.token("read")),
        403,
        "Insufficient Grant",
    ),
    ok(
        "on the client's own wallet address",
        lambda s: _create(s, wallet=s.sandbox.client.wallet_address),
        BARE_PAYMENT | {"methods"},
        201,
    ),
)

READING = (
    ok("public", lambda s: s.get(_full(s)), PUBLIC_PAYMENT, also=_received("0")),
    ok("authenticated", lambda s: _get(s, _full(s)), _WITH_METHODS, also=_is_full),
    ok("signed without a token", lambda s: s.own.send("GET", _full(s)), PUBLIC_PAYMENT),
    refused(
        "token without a signature",
        lambda s: _get(s, _full(s), signing=Signing(change=_unsigned)),
        401,
        "Signature validation error: missing keyId in signature input",
        details={"client"},
    ),
    refused(
        "another client's",
        lambda s: s.other.send("GET", _full(s), token=s.other.token()),
        404,
        "Incoming payment does not exist",
        details=_OF_ANOTHER,
    ),
    ok(
        "another client's with read-all",
        lambda s: s.other.send("GET", _full(s), token=s.other.token("read-all")),
        _WITH_METHODS,
    ),
    challenged(
        "token that may only create",
        lambda s: _get(s, _full(s), token=s.own.token("create")),
        403,
        "Insufficient Grant",
    ),
    refused(
        "unknown",
        lambda s: _get(s, f"{s.own.resource_server}/incoming-payments/{NO_UUID}"),
        401,
        "Unauthorized",
        details=_GONE,
    ),
    refused(
        "unknown, public",
        lambda s: s.get(f"{s.own.resource_server}/incoming-payments/{NO_UUID}"),
        401,
        "Unauthorized",
        details=_GONE,
    ),
    plain(
        "no UUID",
        lambda s: _get(s, f"{s.own.resource_server}/incoming-payments/not-a-uuid"),
        500,
        "Internal Server Error",
    ),
    plain(
        "no UUID, public",
        lambda s: s.get(f"{s.own.resource_server}/incoming-payments/not-a-uuid"),
        500,
        "Internal Server Error",
    ),
    refused(
        "under another tenant",
        lambda s: s.get(_full(s).replace(s.own.resource_server, f"{s.sandbox.url}/{NO_UUID}")),
        401,
        "Unauthorized",
        details=_GONE,
    ),
    ok("with a slash at the end", lambda s: s.get(_full(s) + "/"), PUBLIC_PAYMENT),
    plain(
        "DELETE",
        lambda s: s.own.send("DELETE", _full(s), token=s.own.token()),
        404,
        "Not Found",
    ),
    plain(
        "PATCH",
        lambda s: s.own.send("PATCH", _full(s), token=s.own.token(), body=b"{}"),
        404,
        "Not Found",
    ),
    invalid(
        "hal+json wanted",
        lambda s: _get(s, s.own.list_url(s.wallet), headers={"accept": "application/hal+json"}),
        "Must accept application/json",
        406,
    ),
)

COMPLETING = (
    ok(
        "by another client",
        lambda s: s.other.send("POST", f"{_full(s)}/complete", token=s.other.token()),
        PAYMENT,
        also=_stands_at("0", completed=True),
    ),
    refused("again", lambda s: _complete(s, _completed(s)), 409, "wrong state"),
    ok("read afterwards", lambda s: _get(s, _completed(s)), _WITH_METHODS, also=_has_no_method),
    ok("public afterwards", lambda s: s.get(_completed(s)), PUBLIC_PAYMENT),
    challenged(
        "token that may only read",
        lambda s: _complete(s, _full(s), token=s.own.token("read")),
        403,
        "Insufficient Grant",
    ),
    refused(
        "unknown",
        lambda s: _complete(s, f"{s.own.resource_server}/incoming-payments/{NO_UUID}"),
        401,
        "Unauthorized",
        details=_GONE,
    ),
    ok(
        "paid in part",
        lambda s: _complete(s, _paid_in_part(s)),
        BARE_PAYMENT | {"incomingAmount"},
        also=_stands_at("1000", completed=True),
    ),
)

EXPIRING = (
    refused("read", lambda s: _get(s, _vanished(s)), 401, "Unauthorized", details=_GONE),
    refused("public", lambda s: s.get(_vanished(s)), 401, "Unauthorized", details=_GONE),
    refused("complete", lambda s: _complete(s, _vanished(s)), 401, "Unauthorized", details=_GONE),
    ok(
        "with money: read",
        lambda s: _get(s, _expired_with_money(s)),
        _WITH_METHODS,
        also=_stands_at("15889", completed=False),
    ),
    ok(
        "with money: no methods",
        lambda s: _get(s, _expired_with_money(s)),
        _WITH_METHODS,
        also=_has_no_method,
    ),
    ok(
        "with money: public",
        lambda s: s.get(_expired_with_money(s)),
        PUBLIC_PAYMENT,
        also=_received("15889"),
    ),
    refused(
        "with money: complete",
        lambda s: _complete(s, _expired_with_money(s)),
        409,
        "wrong state",
    ),
)


def _outgoing_token(scene: Scene, *actions: str) -> str:
    access = {
        "type": "outgoing-payment",
        "actions": list(actions or ("read-all", "list-all")),
        "identifier": scene.sender,
    }
    pending = scene.own.grant(access, interact={"start": ["redirect"]}).json()
    scene.visit(pending, "accept")
    return str(scene.proceed(pending).json()["access_token"]["value"])


def _outgoing(scene: Scene, amount: int = 1000, **more: Any) -> str:
    payment = scene.payment(incomingAmount=usd("1000"))
    return scene.paid(payment, amount, **more)


def _get_outgoing(scene: Scene, **more: Any) -> httpx.Response:
    return _get(scene, _outgoing(scene, **more), token=_outgoing_token(scene))


def _list_outgoing(scene: Scene) -> httpx.Response:
    _outgoing(scene)
    url = scene.own.list_url(scene.sender, "&first=10").replace("/incoming-", "/outgoing-")
    return scene.own.send("GET", url, token=_outgoing_token(scene))


def _was_sent(_: Scene, answer: httpx.Response) -> None:
    body = answer.json()
    assert (body["receiveAmount"], body["failed"]) == (usd("1000"), False)
    assert body["sentAmount"] == usd("1000")
    assert int(body["debitAmount"]["value"]) > 1000


def _failed(_: Scene, answer: httpx.Response) -> None:
    body = answer.json()
    assert (body["failed"], body["sentAmount"]) == (True, usd("0"))
    assert body["metadata"] == {"cancellationReason": "Account does not have enough balance."}


def _has_outgoing_items(_: Scene, answer: httpx.Response) -> None:
    assert set(answer.json()["result"][0]) >= OUTGOING_PAYMENT


PAYING = (
    ok(
        "paid: read",
        lambda s: _get(s, _paid(s)),
        _WITH_METHODS,
        also=_stands_at("1000", completed=True),
    ),
    ok("paid: no methods", lambda s: _get(s, _paid(s)), _WITH_METHODS, also=_has_no_method),
    ok("paid: public", lambda s: s.get(_paid(s)), PUBLIC_PAYMENT, also=_received("1000")),
    ok(
        "paid in part: read",
        lambda s: _get(s, _paid_in_part(s)),
        BARE_PAYMENT | {"incomingAmount", "methods"},
        also=_stands_at("1000", completed=False),
    ),
    ok("outgoing payment", _get_outgoing, OUTGOING_PAYMENT, also=_was_sent),
    ok(
        "failed outgoing payment",
        lambda s: _get_outgoing(s, fails=True),
        OUTGOING_PAYMENT | {"metadata"},
        also=_failed,
    ),
    ok("outgoing payments", _list_outgoing, PAGE, also=_has_outgoing_items),
    invalid(
        "outgoing payment without a signature",
        lambda s: s.get(_outgoing(s)),
        "must have required property 'signature-input'",
    ),
    refused(
        "unknown outgoing payment",
        lambda s: _get(s, f"{s.own.resource_server}/outgoing-payments/{NO_UUID}"),
        401,
        "Unauthorized",
        details=_GONE,
    ),
    challenged(
        "outgoing payment with a foreign token",
        lambda s: _get(s, _outgoing(s), token="DEADBEEF"),
        403,
        "Inactive Token",
    ),
    challenged(
        "outgoing payment with a token for incoming ones",
        lambda s: _get(s, _outgoing(s)),
        403,
        "Insufficient Grant",
    ),
)


def _post(scene: Scene, path: str) -> httpx.Response:
    url = f"{scene.own.resource_server}/{path}"
    body = canonical_json({"walletAddress": scene.sender, "method": "ilp"})
    return scene.own.send("POST", url, token=scene.own.token(), body=body)


_PAYS_BY_HAND = "money is sent with POST /sandbox/pay; a receiving dashboard never sends any"
_NO_OUTAGE = "the sandbox has no proxy before it, and one process cannot be half down"

FACTS = (*CREATING, *READING, *COMPLETING, *EXPIRING, *PAYING)

DIFFERENCES = (
    Difference(
        plain("create a quote", lambda s: _post(s, "quotes"), 404, "Not Found"),
        real="201 with the quote",
        reason=_PAYS_BY_HAND,
    ),
    Difference(
        refused(
            "read a quote",
            lambda s: _get(s, f"{s.own.resource_server}/quotes/{NO_UUID}"),
            404,
            _NO_WALLET,
            details={"walletAddressUrl"},
        ),
        real="200 with the quote",
        reason=_PAYS_BY_HAND,
    ),
    Difference(
        plain(
            "create an outgoing payment", lambda s: _post(s, "outgoing-payments"), 404, "Not Found"
        ),
        real="201 with the outgoing payment; 400 invalid quote when the quote was used",
        reason=_PAYS_BY_HAND,
    ),
    Difference(
        refused(
            "what a grant has spent",
            lambda s: _get(s, f"{s.own.resource_server}/outgoing-payment-grant"),
            404,
            _NO_WALLET,
            details={"walletAddressUrl"},
        ),
        real="200 with the spent amounts",
        reason=_PAYS_BY_HAND,
    ),
    Difference(
        no_grant(
            "grant while the client's wallet address is down",
            lambda s: s.own.send(
                "POST",
                s.own.auth_server,
                body=canonical_json(
                    {
                        "access_token": {
                            "access": [{"type": "incoming-payment", "actions": ["read"]}]
                        },
                        "client": "http://127.0.0.1:9/nobody",
                    }
                ),
            ),
            400,
            "invalid_client",
            "could not determine client",
        ),
        real="the same, after 0.9 s; while either server itself is down: 502 with nginx's HTML, "
        "and 401 Invalid Token for a good token when only the authorization server is",
        reason=_NO_OUTAGE,
    ),
)
