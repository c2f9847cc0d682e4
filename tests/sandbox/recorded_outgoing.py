"""Recorded: payments that get paid, outgoing payments, and what only senders do."""

from __future__ import annotations

from typing import Any

import httpx

from opdash.openpayments.canonical import canonical_json
from tests.sandbox.acts import (
    GONE,
    NO_WALLET,
    WITH_METHODS,
    has_no_method,
    make_paid,
    make_paid_in_part,
    read,
    received,
    stands_at,
)
from tests.sandbox.recorded import (
    BARE_PAYMENT,
    OUTGOING_PAYMENT,
    PAGE,
    PUBLIC_PAYMENT,
    Difference,
    challenged,
    invalid,
    no_grant,
    ok,
    plain,
    refused,
)
from tests.sandbox.scene import NO_UUID, Scene, usd


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
    return read(scene, _outgoing(scene, **more), token=_outgoing_token(scene))


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
        lambda s: read(s, make_paid(s)),
        WITH_METHODS,
        also=stands_at("1000", completed=True),
    ),
    ok("paid: no methods", lambda s: read(s, make_paid(s)), WITH_METHODS, also=has_no_method),
    ok("paid: public", lambda s: s.get(make_paid(s)), PUBLIC_PAYMENT, also=received("1000")),
    ok(
        "paid in part: read",
        lambda s: read(s, make_paid_in_part(s)),
        BARE_PAYMENT | {"incomingAmount", "methods"},
        also=stands_at("1000", completed=False),
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
        lambda s: read(s, f"{s.own.resource_server}/outgoing-payments/{NO_UUID}"),
        401,
        "Unauthorized",
        details=GONE,
    ),
    challenged(
        "outgoing payment with a foreign token",
        lambda s: read(s, _outgoing(s), token="DEADBEEF"),
        403,
        "Inactive Token",
    ),
    challenged(
        "outgoing payment with a token for incoming ones",
        lambda s: read(s, _outgoing(s)),
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


FACTS = PAYING

DIFFERENCES = (
    Difference(
        plain("create a quote", lambda s: _post(s, "quotes"), 404, "Not Found"),
        real="201 with the quote",
        reason=_PAYS_BY_HAND,
    ),
    Difference(
        refused(
            "read a quote",
            lambda s: read(s, f"{s.own.resource_server}/quotes/{NO_UUID}"),
            404,
            NO_WALLET,
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
            lambda s: read(s, f"{s.own.resource_server}/outgoing-payment-grant"),
            404,
            NO_WALLET,
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
