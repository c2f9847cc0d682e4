"""Which rule a refused request breaks, as far as that can be seen from here."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace as with_changes

from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import Jwk, Jwks
from opdash.openpayments.secrets import Secret
from opdash.openpayments.signatures import sign_request
from opdash.openpayments.traces import Body, Sight, Trace
from opdash.service.doctor.identifying import key_mismatch
from opdash.service.doctor.refused import Verdict, judged, signature_fits

NOW = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)
KEY = ClientKey.generate("till-1")
OTHER = ClientKey.generate("till-1")
TOKEN = Secret("OS9nX3JY7Tk2f")
URL = "https://auth.example/tenant"
DATE = "Fri, 20 Nov 2026 14:07:00 GMT"


def jwk(key: ClientKey = KEY, **changes: Any) -> Jwk:
    return with_changes(Jwk(**key.public_jwk()), **changes)


def signed(
    body: bytes | None = b'{"client":"x"}',
    *,
    token: Secret | None = None,
    date: str = DATE,
    created: datetime = NOW,
    **changes: str,
) -> Trace:
    """Return the trace of a signed request that was refused."""
    authorization = None if token is None else f"GNAP {token.reveal()}"
    headers = sign_request(
        KEY,
        "POST",
        URL,
        created=int(created.timestamp()),
        authorization=authorization,
        body=body,
    )
    return Trace.of(
        Sight(
            1,
            NOW,
            "POST",
            URL,
            False,
            "ask for a grant",
            tuple({**headers, **changes}.items()),
            body,
            401,
            (("Date", date),),
            b"{}",
            0.1,
            "",
        )
    )


def verdict(trace: Trace, *served: Jwk, token: Secret | None = None) -> Verdict | None:
    return judged(trace, KEY, Jwks(served or (jwk(),)), token)


def test_a_sound_request_breaks_no_rule() -> None:
    assert verdict(signed()) is None
    assert verdict(signed(None)) is None


def test_a_token_that_the_trace_masks_is_taken_into_account() -> None:
    trace = signed(token=TOKEN)
    assert TOKEN.reveal() not in str(trace)
    assert signature_fits(trace, jwk(), TOKEN)
    assert not signature_fits(trace, jwk(), Secret("another"))
    assert not signature_fits(trace, jwk(OTHER), TOKEN)
    assert verdict(trace, token=TOKEN) is None


def test_a_key_that_is_not_served() -> None:
    found = verdict(signed(), jwk(kid="till-2"))
    assert found is not None
    assert "“keyid”" in found.rule
    assert 'Set key_id = "till-2"' in found.advice


def test_a_signature_that_does_not_fit_is_our_own_mistake() -> None:
    rubbish = base64.b64encode(bytes(64)).decode()
    found = verdict(signed(Signature=f"sig1=:{rubbish}:"))
    assert found is not None
    assert "mistake of opdash" in found.advice
    broken = verdict(signed(Signature="sig1=rubbish"))
    assert broken == found


def test_a_body_that_reads_otherwise_than_javascript_writes_it() -> None:
    found = verdict(signed(b'{"client": "x"}'))
    assert found is not None
    assert "JSON.stringify" in found.rule
    assert found.seen[0].startswith('"content-digest": sha-512=:')
    assert found.seen[0] not in str(signed(b'{"client": "x"}').signature_base)


def test_a_body_that_was_cut_or_masked_is_not_judged() -> None:
    trace = signed()
    assert verdict(replace(trace, sent=Body("{ }", 5))) is None
    assert verdict(replace(trace, sent=Body('{"nonce":"•••"}'))) is None


@pytest.mark.parametrize("minute", [5, 9])
def test_a_request_from_another_time(minute: int) -> None:
    found = verdict(signed(created=NOW.replace(minute=minute)))
    assert found is not None
    assert "“created”" in found.rule
    assert f"created 14:0{minute}:00 UTC, at 14:07:00 UTC by its own clock" in found.seen[0]


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 20 Nov 2026 14:07:20 GMT"])
def test_a_date_that_says_nothing_else(date: str) -> None:
    assert verdict(signed(date=date)) is None


# The keys that a client serves


def mismatch(*served: Jwk) -> str:
    found = key_mismatch(KEY.public_jwk(), Jwks(served))
    return "" if found is None else f"{found.found} {found.advice}"


def test_a_key_that_is_served_fits() -> None:
    assert mismatch(jwk(), jwk(OTHER, kid="till-2")) == ""
    assert mismatch(jwk(alg="")) == ""
    assert mismatch(jwk(x=jwk().x + "=")) == ""


@pytest.mark.parametrize(
    ("served", "said"),
    [
        ((), "it serves none at all"),
        ((jwk(OTHER, kid="a\x1b[m"), jwk(OTHER, kid="b")), "“a␛[m”, “b”"),
        ((jwk(OTHER),), "another key: its x is"),
        ((jwk(kid="till-9"),), "as “till-9” and not as “till-1”"),
        ((jwk(kty="RSA"),), "with kty “RSA”; it must be “OKP”"),
        ((jwk(crv="X25519"),), "with crv “X25519”; it must be “Ed25519”"),
        ((jwk(alg="ES256"),), "with alg “ES256”; it must be “EdDSA”"),
        ((jwk(), jwk(OTHER)), "serves 2 keys under the id “till-1”"),
    ],
)
def test_what_is_wrong_with_a_served_key_is_said(served: tuple[Jwk, ...], said: str) -> None:
    assert said in mismatch(*served)
