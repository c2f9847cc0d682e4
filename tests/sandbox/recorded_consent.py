"""Recorded: the account holder's consent, and fetching the token afterwards."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from opdash.openpayments.canonical import canonical_json
from tests.sandbox.grant_acts import incoming, is_grant, is_pending, keeps_waiting
from tests.sandbox.recorded import (
    GRANT,
    HTML,
    PAGE,
    PENDING_GRANT,
    TEXT,
    Difference,
    Fact,
    no_grant,
    ok,
)
from tests.sandbox.scene import NO_UUID, Scene


def _start(scene: Scene) -> httpx.Response:
    return scene.own.plain("GET", scene.pending(finish=True)["interact"]["redirect"])


def _leads_to_consent(_: Scene, answer: httpx.Response) -> None:
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert set(query) == {"interactId", "nonce", "clientName", "clientUri"}
    assert answer.headers["set-cookie"].startswith("sessionId=")
    assert answer.text.startswith("Redirecting to ")


def _returned(choice: str) -> Any:
    return lambda s: s.visit(s.pending(finish=True), choice)


def _carries_hash(scene: Scene, answer: httpx.Response) -> None:
    url = answer.headers["location"]
    assert url.startswith("http://127.0.0.1:12345/callback?")
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert set(query) == {"hash", "interact_ref"}
    assert len(base64.b64decode(query["hash"], validate=True)) == hashlib.sha256().digest_size


def _says_rejected(_: Scene, answer: httpx.Response) -> None:
    assert answer.headers["location"] == "http://127.0.0.1:12345/callback?result=grant_rejected"


def _continue(scene: Scene, *, wait: float, reference: str = "") -> httpx.Response:
    pending = scene.pending(finish=True)
    url = scene.visit(pending, "accept").headers["location"]
    good = parse_qs(urlsplit(url).query)["interact_ref"][0]
    body = canonical_json({"interact_ref": reference or good})
    return scene.proceed(pending, wait=wait, body=body)


def _poll(
    scene: Scene, choice: str = "", *, finish: bool = False, wait: float = 6, body: bytes | None
) -> httpx.Response:
    pending = scene.pending(finish=finish)
    if choice:
        scene.visit(pending, choice)
    return scene.proceed(pending, wait=wait, body=body)


def _list_everything(scene: Scene) -> httpx.Response:
    pending = scene.pending(actions=("create", "read-all", "list-all", "complete"))
    scene.visit(pending, "accept")
    token = scene.proceed(pending).json()["access_token"]["value"]
    return scene.own.list(scene.wallet, token, "&first=3")


def _details(scene: Scene) -> httpx.Response:
    pending = scene.pending()
    return scene.own.plain("GET", scene.interaction(pending).replace("/interact/", "/grant/"))


INTERACTIONS = (
    ok(
        "grant that needs consent",
        lambda s: s.own.grant(
            incoming("read-all", "list-all", identifier=s.wallet), interact={"start": ["redirect"]}
        ),
        PENDING_GRANT,
        also=is_pending,
    ),
    ok(
        "grant for outgoing payments",
        lambda s: s.own.grant(
            {
                "type": "outgoing-payment",
                "actions": ["create", "read", "list"],
                "identifier": s.sender,
                "limits": {
                    "debitAmount": {"value": "1132", "assetCode": "USD", "assetScale": 2},
                    "receiver": f"{s.own.resource_server}/incoming-payments/{NO_UUID}",
                },
            },
            interact={"start": ["redirect"]},
        ),
        PENDING_GRANT,
        also=is_pending,
    ),
    Fact("interact", _start, 302, f"{HTML}; charset=utf-8", also=_leads_to_consent),
    ok("what the consent page is told", _details, {"grantId", "access", "state"}),
    Fact(
        "accept",
        lambda s: s.decide(s.pending(), "accept"),
        202,
        TEXT,
        text="Accepted",
    ),
    Fact(
        "reject",
        lambda s: s.decide(s.pending(), "reject"),
        202,
        TEXT,
        text="Accepted",
    ),
    Fact(
        "return after consent",
        _returned("accept"),
        302,
        f"{HTML}; charset=utf-8",
        also=_carries_hash,
    ),
    Fact(
        "return after refusal",
        _returned("reject"),
        302,
        f"{HTML}; charset=utf-8",
        also=_says_rejected,
    ),
    Fact(
        "end without return",
        lambda s: s.visit(s.pending(), "accept"),
        202,
        TEXT,
        text="Accepted",
    ),
    no_grant(
        "continue at once after consent",
        lambda s: _continue(s, wait=0),
        400,
        "too_fast",
        'continued grant faster than "wait" period',
    ),
    no_grant(
        "continue with a wrong reference",
        lambda s: _continue(s, wait=0, reference="wrong"),
        404,
        "invalid_continuation",
        "grant not found",
    ),
    ok("continue with the reference", lambda s: _continue(s, wait=6), GRANT, also=is_grant),
    no_grant(
        "poll at once after refusal",
        lambda s: _poll(s, "reject", finish=True, wait=0, body=b"{}"),
        400,
        "too_fast",
        'polled grant faster than "wait" period',
    ),
    no_grant(
        "poll what has a finish",
        lambda s: _poll(s, "reject", finish=True, body=b"{}"),
        401,
        "request_denied",
        "grant cannot be polled",
    ),
    no_grant(
        "poll at once",
        lambda s: _poll(s, "accept", wait=0, body=None),
        400,
        "too_fast",
        'polled grant faster than "wait" period',
    ),
    ok("poll after consent", lambda s: _poll(s, "accept", body=None), GRANT, also=is_grant),
    ok(
        "poll before consent",
        lambda s: _poll(s, body=None),
        {"continue"},
        also=keeps_waiting,
    ),
    ok("list everything", _list_everything, PAGE),
)


FACTS = INTERACTIONS

DIFFERENCES: tuple[Difference, ...] = ()
