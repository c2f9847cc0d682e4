"""Recorded: wallet addresses, their keys, and what the authorization server says of itself."""

from __future__ import annotations

import httpx

from tests.sandbox.recorded import JSON, WALLET, Difference, Fact, ok, plain, refused
from tests.sandbox.scene import Scene

_NOT_FOUND = "Could not get wallet address"
_NO_JSON = "Received error validating OpenAPI request: Must accept application/json"


def _is_canonical(scene: Scene, answer: httpx.Response) -> None:
    assert answer.json()["id"] == scene.wallet


def _names_the_wallet(scene: Scene, answer: httpx.Response) -> None:
    details = answer.json()["error"]["details"]
    assert details == {"walletAddressUrl": f"{scene.sandbox.url}/nobody"}


def _has_bare_keys(_: Scene, answer: httpx.Response) -> None:
    (key,) = answer.json()["keys"]
    assert set(key) == {"kid", "x", "alg", "kty", "crv"}
    assert (key["alg"], key["kty"], key["crv"]) == ("EdDSA", "OKP", "Ed25519")


def _is_yen(_: Scene, answer: httpx.Response) -> None:
    assert (answer.json()["assetCode"], answer.json()["assetScale"]) == ("JPY", 0)


def _has_no_body(_: Scene, answer: httpx.Response) -> None:
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 200


FACTS = (
    ok("wallet address", lambda s: s.get(s.wallet), WALLET, also=_is_canonical),
    ok("with a slash at the end", lambda s: s.get(s.wallet + "/"), WALLET, also=_is_canonical),
    ok(
        "in other case",
        lambda s: s.get(s.sandbox.url + "/ROSA"),
        WALLET,
        also=_is_canonical,
    ),
    ok("with a query", lambda s: s.get(s.wallet + "?x=1"), WALLET, also=_is_canonical),
    ok("of another scale", lambda s: s.get(s.sandbox.wallet_addresses[2]), WALLET, also=_is_yen),
    ok("accepting anything", lambda s: s.get(s.wallet, accept="*/*"), WALLET),
    ok(
        "without Accept",
        lambda s: s.own.http.send(_without_accept(s.wallet)),
        WALLET,
    ),
    Fact(
        "HEAD of a wallet address",
        lambda s: s.own.plain("HEAD", s.wallet),
        200,
        JSON,
        also=_has_no_body,
    ),
    plain(
        "OPTIONS of a wallet address",
        lambda s: s.own.plain("OPTIONS", s.wallet),
        404,
        "Not Found",
    ),
    ok(
        "keys of a client",
        lambda s: s.get(s.sandbox.client.wallet_address + "/jwks.json"),
        {"keys"},
        also=_has_bare_keys,
    ),
    plain(
        "keys after a naive join",
        lambda s: s.get(s.wallet + "//jwks.json"),
        404,
        "Not Found",
    ),
    refused(
        "did.json",
        lambda s: s.get(s.wallet + "/did.json"),
        404,
        _NOT_FOUND,
        details={"walletAddressUrl"},
    ),
    refused(
        "unknown wallet address",
        lambda s: s.get(s.sandbox.url + "/nobody"),
        404,
        _NOT_FOUND,
        details={"walletAddressUrl"},
        also=_names_the_wallet,
    ),
    refused(
        "keys of an unknown wallet address",
        lambda s: s.get(s.sandbox.url + "/nobody/jwks.json"),
        404,
        _NOT_FOUND,
        details={"walletAddressUrl"},
        also=_names_the_wallet,
    ),
    refused(
        "deactivated wallet address",
        lambda s: s.get(s.sandbox.url + "/closed"),
        404,
        _NOT_FOUND,
        details={"walletAddressUrl"},
    ),
    refused(
        "keys of a deactivated wallet address",
        lambda s: s.get(s.sandbox.url + "/closed/jwks.json"),
        404,
        _NOT_FOUND,
        details={"walletAddressUrl"},
    ),
    plain("root", lambda s: s.get(s.sandbox.url + "/"), 404, "Not Found"),
    refused("HTML wanted", lambda s: s.get(s.wallet, accept="text/html"), 406, _NO_JSON),
    ok(
        "what the authorization server offers",
        lambda s: s.get(s.sandbox.url + "/auth/discovery"),
        {
            "grant_request_endpoint",
            "interaction_start_modes_supported",
            "interaction_finish_modes_supported",
        },
    ),
)

DIFFERENCES = (
    Difference(
        refused(
            "SPSP wanted",
            lambda s: s.get(s.wallet, accept="application/spsp4+json"),
            406,
            _NO_JSON,
        ),
        real="200 with an SPSP destination account",
        reason="SPSP is another protocol; no Open Payments client asks for it",
    ),
)


def _without_accept(url: str) -> httpx.Request:
    request = httpx.Request("GET", url)
    request.headers.pop("accept", None)
    return request
