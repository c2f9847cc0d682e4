"""The official signature library verifies what opdash signs, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from opdash.openpayments.canonical import canonical_json
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import Jwk, Jwks
from opdash.openpayments.signatures import (
    SignatureError,
    content_digest,
    lookup_in,
    sign_request,
    verify_request,
)
from tests.interop.node import run

KEY = ClientKey.generate("till-1")
CREATED = 1_795_147_804
TOKEN = "GNAP AC6EE2D0905E398EB145"
LIST_URL = (
    "https://wallet.example/rs/incoming-payments"
    "?wallet-address=https%3A%2F%2Fwallet.example%2Frosa&first=20&cursor=a%20b"
)
CREATE_URL = "https://wallet.example/rs/incoming-payments"
BODY = canonical_json(
    {
        "walletAddress": "https://wallet.example/rosa",
        "incomingAmount": {"value": "1250", "assetCode": "EUR", "assetScale": 2},
        "metadata": {
            "description": "Zwölf Brötchen für Ωmega – 十二 🥐",
            "10": "ten",
            "9": "nine",
            "quote": 'a "word" and a \\ and a \u2028',
            "depth": {"number": 42, "list": [True, None, "x"]},
        },
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a server sees of a request; header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None

    def with_headers(self, **changed: str) -> Request:
        headers = {name.replace("_", "-"): value for name, value in changed.items()}
        return replace(self, headers={**self.headers, **headers})

    def as_json(self) -> dict[str, Any]:
        seen: dict[str, Any] = {
            "method": self.method,
            "url": self.url,
            "headers": dict(self.headers),
        }
        return seen if self.body is None else seen | {"body": self.body.decode()}


def signed(
    method: str, url: str, *, authorization: str | None = None, body: bytes | None = None
) -> Request:
    headers = sign_request(
        KEY, method, url, created=CREATED, authorization=authorization, body=body
    )
    return Request(method, url, {name.lower(): value for name, value in headers.items()}, body)


GET = signed("GET", LIST_URL, authorization=TOKEN)
POST = signed("POST", CREATE_URL, authorization=TOKEN, body=BODY)
GRANT = signed("POST", "https://auth.example/tenant", body=canonical_json({"client": "é"}))
COMPLETE = signed("POST", f"{CREATE_URL}/2f1b/complete", authorization=TOKEN)
REVOKE = signed("DELETE", "https://auth.example/token/17", authorization=TOKEN)

OTHER_BODY = BODY.replace(b"1250", b"9250")

TAMPERED = {
    "method": replace(GET, method="DELETE"),
    "url path": replace(GET, url=GET.url.replace("/rs/", "/rs2/")),
    "url query": replace(GET, url=GET.url.replace("first=20", "first=21")),
    "url encoding": replace(GET, url=GET.url.replace("%20", "+")),
    "url host": replace(POST, url=POST.url.replace("wallet.example", "thief.example")),
    "authorization": GET.with_headers(authorization="GNAP 0000E2D0905E398EB145"),
    "body": replace(POST, body=OTHER_BODY),
    "digest": POST.with_headers(content_digest=content_digest(OTHER_BODY)),
    "body and its digest": replace(POST, body=OTHER_BODY).with_headers(
        content_digest=content_digest(OTHER_BODY)
    ),
    "content length": POST.with_headers(content_length=str(len(BODY) + 1)),
    "content type": POST.with_headers(content_type="text/plain"),
    "time": GET.with_headers(
        signature_input=GET.headers["signature-input"].replace(str(CREATED), str(CREATED + 1))
    ),
    "key id": GET.with_headers(
        signature_input=GET.headers["signature-input"].replace("till-1", "till-2")
    ),
    "authorization added": GRANT.with_headers(authorization=TOKEN),
}


def official_verdicts(*requests: Request, key: ClientKey = KEY) -> list[bool]:
    jwk = key.public_jwk()
    verdicts: list[bool] = run(
        "signatures.mjs", {"verify": [{"jwk": jwk, "request": r.as_json()} for r in requests]}
    )["verify"]
    return verdicts


def officially_signed(request: Request) -> Request:
    (headers,) = run(
        "signatures.mjs",
        {
            "sign": [
                {
                    "privateKey": KEY.to_pem().decode(),
                    "keyId": KEY.key_id,
                    "request": request.as_json(),
                }
            ]
        },
    )["sign"]
    return request.with_headers(**{name.lower(): value for name, value in headers.items()})


def test_the_official_library_accepts_what_opdash_signs() -> None:
    assert official_verdicts(GET, POST, GRANT, COMPLETE, REVOKE) == [True] * 5


def test_the_body_that_is_signed_is_not_plain_ascii() -> None:
    assert "十二 🥐".encode() in BODY
    assert POST.headers["content-length"] == str(len(BODY)) != str(len(BODY.decode()))


def test_the_official_library_refuses_what_was_tampered_with() -> None:
    verdicts = official_verdicts(*TAMPERED.values())
    assert [name for name, verdict in zip(TAMPERED, verdicts, strict=True) if verdict] == []


def test_the_official_library_refuses_another_key() -> None:
    assert official_verdicts(GET, POST, key=ClientKey.generate("till-1")) == [False, False]


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", LIST_URL, {"authorization": TOKEN}),
        Request("POST", CREATE_URL, {"authorization": TOKEN}, BODY),
        Request("POST", "https://auth.example/tenant", {}, canonical_json({"client": "é"})),
        Request("DELETE", "https://auth.example/token/17", {"authorization": TOKEN}),
    ],
    ids=["get", "post", "grant", "delete"],
)
def test_opdash_accepts_what_the_official_library_signs(request_: Request) -> None:
    sent = officially_signed(request_)
    keys = lookup_in(Jwks((Jwk(**KEY.public_jwk()),)))
    assert verify_request(keys, sent.method, sent.url, sent.headers, sent.body) == KEY.key_id
    with pytest.raises(SignatureError):
        verify_request(keys, "PUT", sent.url, sent.headers, sent.body)
