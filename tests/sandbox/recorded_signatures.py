"""Recorded: what the resource server thinks of signatures, tokens and bodies."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import httpx

from opdash.openpayments.keys import ClientKey
from opdash.openpayments.signatures import content_digest
from tests.sandbox.recorded import (
    BARE_PAYMENT,
    PAGE,
    Difference,
    Fact,
    bad_signature,
    challenged,
    invalid,
    ok,
    plain,
)
from tests.sandbox.scene import Scene
from tests.sandbox.support import Signing

_INVALID = ("provided signature is invalid", "keyIdInSignature")
_NO_KEY = ("could not find key in list of client keys", "keyIdInSignature", "clientKeys")
_STRANGER = ClientKey.generate("stranger")
_CREATED = BARE_PAYMENT | {"metadata", "methods"}


def _list(scene: Scene, signing: Signing | None = None, **more: Any) -> httpx.Response:
    url = more.pop("url", scene.own.list_url(scene.empty))
    token = more.pop("token", None) or scene.own.token()
    return scene.own.send("GET", url, token=token, signing=signing or Signing(), **more)


def _lists(name: str, signing: Signing) -> Fact:
    return ok(name, lambda s: _list(s, signing), PAGE)


def _refuses(name: str, signing: Signing) -> Fact:
    return bad_signature(name, lambda s: _list(s, signing), *_INVALID)


def _without(*names: str) -> Signing:
    def change(headers: dict[str, str]) -> None:
        for name in names:
            del headers[name]

    return Signing(change=change)


def _tamper(headers: dict[str, str]) -> None:
    headers["signature"] = "sig1=:" + base64.b64encode(bytes(64)).decode() + ":"


def _other_digest(_: bytes) -> str:
    return content_digest(b"{}")


def _sha256(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _create(
    scene: Scene,
    metadata: str = '{"description":"sig test"}',
    signing: Signing | None = None,
    **more: Any,
) -> httpx.Response:
    body = f'{{"walletAddress":"{scene.wallet}","metadata":{metadata}}}'.encode()
    return scene.own.create_raw(
        scene.own.token(), more.pop("body", body), signing=signing or Signing(), **more
    )


def _created(name: str, signing: Signing) -> Fact:
    return ok(name, lambda s: _create(s, signing=signing), _CREATED, 201)


def _spelled_otherwise(name: str, metadata: str) -> Fact:
    return bad_signature(name, lambda s: _create(s, metadata), *_INVALID)


def _covering(*names: str) -> Signing:
    return Signing(components=("@method", "@target-uri", "authorization", *names))


def _no_digest() -> Signing:
    return Signing(components=("@method", "@target-uri", "authorization"), digest=None)


def _with_blanks(scene: Scene, colon: bytes, comma: bytes) -> httpx.Response:
    body = f'{{"walletAddress":"{scene.wallet}","metadata":{{"a":"b"}}}}'.encode()
    return _create(scene, body=body.replace(b'":', b'"' + colon).replace(b',"', comma + b'"'))


def _complete(scene: Scene, **more: Any) -> httpx.Response:
    payment = scene.payment(metadata={"description": "sig test"})
    return scene.own.send("POST", f"{payment}/complete", token=scene.own.token(), **more)


def _says_what_was_sent(_: Scene, answer: httpx.Response) -> None:
    assert answer.json()["metadata"] == {"description": "Café ☕ 日本"}


def _is_not_packed(_: Scene, answer: httpx.Response) -> None:
    assert "content-encoding" not in answer.headers


def _as_other(scene: Scene) -> httpx.Response:
    return scene.other.list(scene.empty, scene.own.token())


def _shows_keys(scene: Scene, answer: httpx.Response) -> None:
    details = answer.json()["error"]["details"]
    assert [key["kid"] for key in details["clientKeys"]] == [scene.sandbox.client.key_id]
    assert details["client"] == {"walletAddress": scene.sandbox.client.wallet_address}


READING = (
    _lists("signed list", Signing()),
    _lists("created before keyid", Signing(parameters=';created={created};keyid="{key_id}"')),
    _lists(
        "algorithm named",
        Signing(parameters=';keyid="{key_id}";created={created};alg="ed25519"'),
    ),
    _lists("components reversed", Signing(components=("authorization", "@target-uri", "@method"))),
    _refuses("authorization not covered", Signing(components=("@method", "@target-uri"))),
    _refuses("target not covered", Signing(components=("@method", "authorization"))),
    _refuses("method not covered", Signing(components=("@target-uri", "authorization"))),
    _lists("host covered too", _covering("host")),
    _lists("accept covered too", _covering("accept")),
    _refuses("another label", Signing(label="sig2")),
    _lists("signed an hour ago", Signing(age=3600)),
    _lists("signed ten years ago", Signing(age=315_360_000)),
    _lists("signed tomorrow", Signing(age=-86_400)),
    _refuses("tampered signature", Signing(change=_tamper)),
    invalid(
        "no signature headers",
        lambda s: _list(s, _without("signature", "signature-input")),
        "must have required property 'signature-input'",
    ),
    invalid(
        "no signature",
        lambda s: _list(s, _without("signature")),
        "must have required property 'signature'",
    ),
    bad_signature("unknown key id", lambda s: _list(s, Signing(key_id="nope")), *_NO_KEY),
    _refuses("wrong private key", Signing(key=_STRANGER)),
    Fact(
        "another client's signature",
        _as_other,
        401,
        error={"code": "401", "description": f"Signature validation error: {_NO_KEY[0]}"},
        details=frozenset({"client", *_NO_KEY[1:]}),
        also=_shows_keys,
    ),
    challenged(
        "Authorization: Bearer",
        lambda s: _list(s, token=f"Bearer {s.own.token()}"),
        401,
        "Missing or invalid authorization header value",
    ),
    challenged(
        "Authorization: gnap",
        lambda s: _list(s, token=f"gnap {s.own.token()}"),
        401,
        "Missing or invalid authorization header value",
    ),
    challenged("unknown token", lambda s: _list(s, token="DEADBEEF"), 403, "Inactive Token"),
    challenged(
        "no token",
        lambda s: s.own.send("GET", s.own.list_url(s.empty)),
        401,
        "Missing or invalid authorization header value",
    ),
    bad_signature(
        "signed over another scheme",
        lambda s: _list(s, Signing(url=s.own.list_url(s.empty).replace("http:", "https:", 1))),
        *_INVALID,
    ),
    ok(
        "query not encoded",
        lambda s: _list(
            s, url=f"{s.own.resource_server}/incoming-payments?wallet-address={s.empty}"
        ),
        PAGE,
    ),
    bad_signature(
        "query encoded after signing",
        lambda s: _list(
            s,
            Signing(url=f"{s.own.resource_server}/incoming-payments?wallet-address={s.empty}"),
        ),
        *_INVALID,
    ),
    ok(
        "query encoded in part",
        lambda s: _list(s, url=s.own.list_url(s.empty).replace("%3A", ":")),
        PAGE,
    ),
)

WRITING = (
    _created("signed create", Signing()),
    bad_signature(
        "blanks after separators",
        lambda s: _with_blanks(s, b": ", b", "),
        *_INVALID,
    ),
    bad_signature("lines and indents", lambda s: _with_blanks(s, b": ", b",\n  "), *_INVALID),
    _spelled_otherwise("non-ASCII escaped", '{"description":"Caf\\u00e9"}'),
    ok(
        "non-ASCII as it is",
        lambda s: _create(s, '{"description":"Café ☕ 日本"}'),
        _CREATED,
        201,
        also=_says_what_was_sent,
    ),
    _spelled_otherwise("keys that look like integers", '{"b":1,"2":"x","1":"y"}'),
    _spelled_otherwise("1.0", '{"n":1.0}'),
    _spelled_otherwise("1e3", '{"n":1e3}'),
    _spelled_otherwise("escaped slash", '{"n":"a\\/b"}'),
    _created("digest by SHA-256", Signing(digest=_sha256)),
    _created("no digest", _no_digest()),
    _created("digest not covered", _covering()),
    _created("only the digest covered", _covering("content-digest")),
    _created(
        "another order",
        Signing(
            components=(
                "@method",
                "@target-uri",
                "content-digest",
                "content-type",
                "content-length",
                "authorization",
            )
        ),
    ),
    bad_signature(
        "digest of another body",
        lambda s: _create(s, signing=Signing(digest=_other_digest)),
        *_INVALID,
    ),
    ok(
        "content type with charset",
        lambda s: _create(s, headers={"content-type": "application/json; charset=utf-8"}),
        _CREATED,
        201,
    ),
    invalid(
        "another content type",
        lambda s: _create(s, headers={"content-type": "text/plain"}),
        "Unsupported Content-Type text/plain",
        415,
    ),
    plain(
        "broken JSON",
        lambda s: _create(s, body=b'{"walletAddress":'),
        400,
        "Bad Request",
    ),
    ok(
        "create with a slash at the end",
        lambda s: s.own.send(
            "POST",
            f"{s.own.resource_server}/incoming-payments/",
            token=s.own.token(),
            body=f'{{"walletAddress":"{s.wallet}"}}'.encode(),
        ),
        _CREATED - {"metadata"},
        201,
    ),
    ok("complete without body", _complete, BARE_PAYMENT | {"metadata"}),
    ok(
        "complete with an empty object",
        lambda s: _complete(s, body=b"{}"),
        BARE_PAYMENT | {"metadata"},
    ),
    ok(
        "complete with a content type and no body",
        lambda s: _complete(s, headers={"content-type": "application/json"}),
        BARE_PAYMENT | {"metadata"},
    ),
)

SCHEMES = (
    bad_signature(
        "signed over the https URL, asked over http",
        lambda s: _list(s, Signing(url=s.own.list_url(s.empty).replace("http:", "https:"))),
        *_INVALID,
    ),
    ok(
        "asked for gzip, not packed",
        lambda s: _list(s, headers={"accept-encoding": "gzip"}),
        PAGE,
        also=_is_not_packed,
    ),
)

FACTS = (*READING, *WRITING, *SCHEMES)

DIFFERENCES: tuple[Difference, ...] = ()
