from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.canonical import canonical_json
from opdash.openpayments.keys import ClientKey, public_key_from_jwk
from opdash.openpayments.resources import Jwk, Jwks
from opdash.openpayments.signatures import (
    SignatureError,
    SignatureFault,
    content_digest,
    lookup_in,
    sign_request,
    signature_base,
    verify_request,
)
from tests.openpayments.conftest import KEY

CREATED = 1_795_147_804
URL = "https://wallet.example/tenant/incoming-payments?wallet-address=https%3A%2F%2Fw.example%2Fr"
TOKEN = "GNAP AC6EE2D0905E398EB145"
BODY = canonical_json({"walletAddress": "https://w.example/r", "metadata": {"d": "Café ☕"}})
FIND = lookup_in(Jwks((Jwk(**KEY.public_jwk()),)))
CAPTURED = [
    json.loads(line)
    for line in (Path(__file__).parent / "captured_signatures.jsonl").read_text().splitlines()
]
CAPTURED_KEYS = Jwks(
    (
        Jwk(
            kid="keyid-0f0c5b4e-3c8e-4c58-9d75-3a3c4f1f7a04",
            x="jffjeF2pdZI2FLsE-pMU5dtA7o-wLr6RIlqvk3L6m3g",
            alg="EdDSA",
            kty="OKP",
            crv="Ed25519",
        ),
    )
)


def fault_of(method: str, url: str, headers: dict[str, str], body: bytes | None) -> SignatureFault:
    with pytest.raises(SignatureError) as caught:
        verify_request(FIND, method, url, headers, body)
    return caught.value.fault


# RFC 9421, appendix B.1.4 and B.2.6

RFC_KEY = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
"""
RFC_COMPONENTS = [
    ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    ("@method", "POST"),
    ("@path", "/foo"),
    ("@authority", "example.com"),
    ("content-type", "application/json"),
    ("content-length", "18"),
]
RFC_PARAMETERS = (
    '("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
RFC_SIGNATURE = (
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
)


def test_the_published_ed25519_vector() -> None:
    key = ClientKey.from_pem(RFC_KEY, "test-key-ed25519")
    base = signature_base(RFC_COMPONENTS, RFC_PARAMETERS)
    assert base64.b64encode(key.sign(base)).decode() == RFC_SIGNATURE


def test_the_published_digest_of_an_empty_object() -> None:
    # RFC 9530, appendix: the well-known SHA-512 of two bytes.
    assert content_digest(b"{}") == (
        "sha-512=:J8dGcK23UHX60FjVzq97IMTneGyDuuijL2Jvl4KvNMmj"
        "PCBG72D9Knh403jin+yFGAa72aZ4ePOp8c2kgwdj/Q==:"
    )


# What is sent


def test_what_a_signed_get_carries() -> None:
    headers = sign_request(KEY, "GET", URL, created=CREATED, authorization=TOKEN)
    assert list(headers) == ["Authorization", "Signature-Input", "Signature"]
    assert headers["Signature-Input"] == (
        'sig1=("@method" "@target-uri" "authorization");created=1795147804;keyid="till-1"'
    )
    assert headers["Signature"].startswith("sig1=:")
    assert headers["Signature"].endswith(":")


def test_what_a_signed_post_carries() -> None:
    headers = sign_request(KEY, "POST", URL, created=CREATED, authorization=TOKEN, body=BODY)
    assert headers["Content-Digest"] == content_digest(BODY)
    assert headers["Content-Length"] == str(len(BODY))
    assert headers["Content-Type"] == "application/json"
    assert headers["Signature-Input"] == (
        'sig1=("@method" "@target-uri" "authorization" '
        '"content-digest" "content-length" "content-type");created=1795147804;keyid="till-1"'
    )


def test_a_grant_request_has_no_authorization_to_cover() -> None:
    headers = sign_request(KEY, "POST", URL, created=CREATED, body=b"{}")
    assert "Authorization" not in headers
    assert '"@target-uri" "content-digest"' in headers["Signature-Input"]


# Signing and verifying

METHODS = st.sampled_from(["GET", "POST", "DELETE"])
PATHS = st.text("abcXYZ019-._~%/?&=+:@!$'()*,;", max_size=40).map(lambda path: f"https://w/{path}")
TOKENS = st.none() | st.text("ABCDEF0123456789-._~+/=", min_size=1).map(lambda t: f"GNAP {t}")
BODIES = st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=20)).map(canonical_json)


@given(METHODS, PATHS, TOKENS, BODIES, st.integers(0, 2**40))
def test_what_is_signed_is_accepted(
    method: str, url: str, token: str | None, body: bytes | None, created: int
) -> None:
    headers = sign_request(KEY, method, url, created=created, authorization=token, body=body)
    assert verify_request(FIND, method, url, headers, body) == "till-1"
    shouted = {name.upper(): f" {value} " for name, value in headers.items()}
    assert verify_request(FIND, method, url, shouted, body) == "till-1"


@given(st.data())
def test_whatever_is_changed_is_refused(data: st.DataObject) -> None:
    headers = sign_request(KEY, "POST", URL, created=CREATED, authorization=TOKEN, body=BODY)
    method, url, body = "POST", URL, BODY
    part = data.draw(st.sampled_from(["method", "url", "body", *headers]))
    if part == "method":
        method = "PUT"
    elif part == "url":
        url = _bent(data, url)
    elif part == "body":
        body = _bent(data, body.decode()).encode()
    else:
        headers[part] = _bent(data, headers[part])
    with pytest.raises(SignatureError):
        verify_request(FIND, method, url, headers, body)


def _bent(data: st.DataObject, text: str) -> str:
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(text[at].__ne__))
    return text[:at] + other + text[at + 1 :]


@given(st.dictionaries(st.sampled_from(["signature", "signature-input"]), st.text(max_size=60)))
def test_rubbish_is_refused_and_never_breaks(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        verify_request(FIND, "GET", URL, headers)


@given(st.text('"();=,: @-abcdigstmethorunk01\\', max_size=80))
def test_signature_inputs_that_are_nearly_right_never_break(rest: str) -> None:
    headers = sign_request(KEY, "GET", URL, created=CREATED)
    headers["Signature-Input"] = f'sig1=("@method" "@target-uri"{rest}'
    with pytest.raises(SignatureError):
        verify_request(FIND, "GET", URL, headers)


# Why it is refused


def signed(body: bytes | None = None) -> dict[str, str]:
    method = "GET" if body is None else "POST"
    return sign_request(KEY, method, URL, created=CREATED, authorization=TOKEN, body=body)


def test_missing_headers_are_told_apart() -> None:
    headers = signed()
    assert fault_of("GET", URL, {}, None) is SignatureFault.NO_INPUT
    del headers["Signature"]
    assert fault_of("GET", URL, headers, None) is SignatureFault.NO_SIGNATURE
    no_key = signed() | {"Signature-Input": 'sig1=("@method" "@target-uri");created=1'}
    assert fault_of("GET", URL, no_key, None) is SignatureFault.NO_KEY_ID


@pytest.mark.parametrize(
    "given_input",
    [
        'sig2=("@method" "@target-uri" "authorization");created=1;keyid="till-1"',
        'sig1=("@method" "authorization");created=1;keyid="till-1"',
        'sig1=("@target-uri" "authorization");created=1;keyid="till-1"',
        'sig1=("@method" "@target-uri");created=1;keyid="till-1"',
        'sig1=("@method" "@method" "@target-uri" "authorization");created=1;keyid="till-1"',
        'sig1=("@method" "@target-uri" "authorization" "x-none");created=1;keyid="till-1"',
        'sig1=("@method" "@target-uri" "Authorization");created=1;keyid="till-1"',
        'sig1=("@method" "@target-uri" "authorization";sf);created=1;keyid="till-1"',
        'sig1="@method";keyid="till-1"',
    ],
)
def test_what_must_be_covered_is_asked_for(given_input: str) -> None:
    headers = signed() | {"Signature-Input": given_input}
    assert fault_of("GET", URL, headers, None) is SignatureFault.HEADERS


@pytest.mark.parametrize(
    "given_signature", ["sig1=:/x==:", "sig2=:AAAA:", "sig1=AAAA", "sig1=:A:", "x"]
)
def test_a_signature_that_is_none_is_a_matter_of_headers(given_signature: str) -> None:
    headers = signed() | {"Signature": given_signature}
    assert fault_of("GET", URL, headers, None) is SignatureFault.HEADERS


@pytest.mark.parametrize("digest", ["", "sha-512=:AAAA:", "md5=:AAAA:", "sha-512=AAAA"])
def test_a_digest_of_something_else_is_told(digest: str) -> None:
    headers = signed(BODY) | {"Content-Digest": digest}
    assert fault_of("POST", URL, headers, BODY) is SignatureFault.DIGEST
    assert fault_of("POST", URL, signed(BODY), None) is SignatureFault.DIGEST


def test_a_body_is_judged_as_a_server_would_write_it() -> None:
    spaced = b'{"a": 1}'
    assert fault_of("POST", URL, signed(spaced), spaced) is SignatureFault.DIGEST
    rewritten = signed(b'{"a":1}')
    assert verify_request(FIND, "POST", URL, rewritten, spaced) == "till-1"


def test_all_digests_must_fit() -> None:
    digest = content_digest(BODY)
    both = signed(BODY) | {"Content-Digest": f"sha-256=:AAAA:, {digest}"}
    assert fault_of("POST", URL, both, BODY) is SignatureFault.DIGEST


def test_unknown_keys_and_wrong_keys_are_told_apart() -> None:
    stranger = ClientKey.generate("stranger")
    impostor = ClientKey.generate("till-1")
    for key, fault in (
        (stranger, SignatureFault.UNKNOWN_KEY),
        (impostor, SignatureFault.SIGNATURE),
    ):
        with pytest.raises(SignatureError) as caught:
            verify_request(FIND, "GET", URL, sign_request(key, "GET", URL, created=CREATED))
        assert caught.value.fault is fault
        assert caught.value.key_id == key.key_id


def test_keys_of_other_kinds_are_passed_over() -> None:
    broken = Jwk(kid="till-1", kty="RSA", x="AAAA")
    find = lookup_in(Jwks((broken, Jwk(**KEY.public_jwk()))))
    assert find("till-1") is not None
    assert lookup_in(Jwks((broken,)))("till-1") is None


@pytest.mark.parametrize("case", CAPTURED, ids=lambda case: case["name"][:60])
def test_a_real_servers_verdict(case: dict[str, Any]) -> None:
    body = case["body"].encode() or None
    try:
        verify_request(lookup_in(CAPTURED_KEYS), case["method"], case["url"], case["headers"], body)
        verdict = "accepted"
    except SignatureError as error:
        broken = (SignatureFault.HEADERS, SignatureFault.DIGEST, SignatureFault.SIGNATURE)
        verdict = "invalid" if error.fault in broken else error.fault.name
    assert verdict == case["verdict"]


# An independent implementation


class Resolver(HTTPSignatureKeyResolver):
    def resolve_private_key(self, key_id: str) -> object:
        return load_pem_private_key(KEY.to_pem(), None)

    def resolve_public_key(self, key_id: str) -> object:
        return public_key_from_jwk(Jwk(**KEY.public_jwk()))


def test_another_implementation_accepts_what_opdash_signs() -> None:
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())
    message = SimpleNamespace(method="POST", url=URL, headers=signed(BODY))
    results = verifier.verify(message, max_age=timedelta(days=36500))
    assert [result.label for result in results] == ["sig1"]


def test_opdash_accepts_what_another_implementation_signs() -> None:
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())
    message = SimpleNamespace(
        method="POST",
        url=URL,
        headers={
            "Authorization": TOKEN,
            "Content-Digest": content_digest(BODY),
            "Content-Length": str(len(BODY)),
            "Content-Type": "application/json",
        },
    )
    signer.sign(
        message,
        key_id="till-1",
        label="sig1",
        use_existing_digest=True,
        covered_component_ids=(
            "@method", "@target-uri", "authorization",
            "content-digest", "content-length", "content-type",
        ),
    )  # fmt: skip
    assert verify_request(FIND, "POST", URL, message.headers, BODY) == "till-1"
    with pytest.raises(SignatureError):
        verify_request(FIND, "POST", URL + "x", message.headers, BODY)
