from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.errors import ProtocolError
from opdash.openpayments.grants import (
    Access,
    InteractFinish,
    InteractRequest,
    continue_request,
    decode_grant,
    decode_rotation,
    grant_request,
    interaction_hash_fits,
)
from opdash.openpayments.secrets import Secret
from tests.openpayments.bodies import AUTH, WALLET, continuation, token

CLIENT = "https://cloud-nine.rafiki.test/client"
OWN = Access("incoming-payment", ("create", "read", "list", "complete"))


def as_json(body: object) -> bytes:
    return json.dumps(body).encode()


# What is asked


def test_a_request_is_what_a_real_server_was_asked() -> None:
    # captures: "non-interactive incoming-payment grant, client as string"
    assert grant_request([OWN], CLIENT) == (
        b'{"access_token":{"access":[{"type":"incoming-payment",'
        b'"actions":["create","read","list","complete"]}]},'
        b'"client":"https://cloud-nine.rafiki.test/client"}'
    )


def test_a_request_with_consent_by_polling_and_by_redirect() -> None:
    everything = Access("incoming-payment", ("read-all", "list-all"), identifier=WALLET)
    polled = json.loads(grant_request([everything], CLIENT, InteractRequest()))
    assert polled["interact"] == {"start": ["redirect"]}
    assert polled["access_token"]["access"][0]["identifier"] == WALLET
    finish = InteractFinish("http://127.0.0.1:12345/callback", "ae4885cce2ceffeb")
    redirected = json.loads(grant_request([everything], CLIENT, InteractRequest(finish)))
    assert redirected["interact"]["finish"] == {
        "method": "redirect",
        "uri": "http://127.0.0.1:12345/callback",
        "nonce": "ae4885cce2ceffeb",
    }


def test_limits_are_sent_along() -> None:
    limits = {"debitAmount": {"value": "1", "assetCode": "USD", "assetScale": 2}}
    access = Access("outgoing-payment", ("read",), identifier=WALLET, limits=limits)
    sent = json.loads(grant_request([access], CLIENT))
    assert sent["access_token"]["access"][0]["limits"] == limits


@pytest.mark.parametrize("count", [0, 4])
def test_one_to_three_rights_are_asked_for(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 3"):
        grant_request([OWN] * count, CLIENT)


def test_going_on_after_consent() -> None:
    assert continue_request("1615e2b3") == b'{"interact_ref":"1615e2b3"}'


# What is answered


def test_a_token_at_once() -> None:
    body = as_json({"access_token": token(), "continue": continuation()})
    grant = decode_grant(body)
    assert grant.token is not None
    assert grant.token.value == Secret("F0F6909847C56BE99FFA")
    assert grant.token.manage == f"{AUTH}/token/6c6bc123-2072-4053-80fc-0ce72900176f"
    assert grant.token.expires_in == 600
    assert grant.token.access[0].actions == ("create", "read", "list")
    assert grant.continuation is not None
    assert grant.continuation.token == Secret("863099DF132CFCD51E21")
    assert grant.continuation.wait is None
    assert grant.interaction is None
    assert "F0F6909847C56BE99FFA" not in repr(grant)
    assert "863099DF132CFCD51E21" not in repr(grant)


def test_a_question() -> None:
    redirect = f"{AUTH}/interact/fce12529/015F65EE95F616A9?clientName=Client+App"
    body = {
        "interact": {"redirect": redirect, "finish": "015F65EE95F616A9"},
        "continue": continuation(wait=5),
    }
    grant = decode_grant(as_json(body))
    assert grant.token is None
    assert grant.interaction is not None
    assert (grant.interaction.redirect, grant.interaction.finish) == (redirect, "015F65EE95F616A9")
    assert grant.continuation is not None
    assert grant.continuation.wait == 5


def test_not_yet() -> None:
    grant = decode_grant(as_json({"continue": continuation(wait=5)}))
    assert (grant.token, grant.interaction) == (None, None)


def test_a_token_without_an_end_and_with_unknown_rights() -> None:
    access = [{"type": "tomorrow", "actions": [], "locations": ["x"]}, {"type": "quote"}]
    plain = token(access=access, flags=["x"])
    del plain["expires_in"]
    rotated = decode_rotation(as_json({"access_token": plain}))
    assert rotated.expires_in is None
    assert [right.type for right in rotated.access] == ["tomorrow", "quote"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "access_token"),
        ({"interact": {"redirect": f"{AUTH}/x"}}, "access_token"),
        ({"access_token": token(value="")}, "access_token.value"),
        ({"access_token": token(value="a b")}, "access_token.value"),
        ({"access_token": token(value="a\r\nX-Evil: 1")}, "access_token.value"),
        ({"access_token": token(value="tökén")}, "access_token.value"),
        ({"access_token": token(value=7)}, "access_token.value"),
        ({"access_token": token(manage="/token/1")}, "access_token.manage"),
        ({"access_token": token(manage="http://auth.example/t")}, "access_token.manage"),
        ({"access_token": token(expires_in="600")}, "access_token.expires_in"),
        ({"access_token": token(expires_in=-1)}, "access_token.expires_in"),
        ({"continue": continuation(uri="ftp://x/y")}, "continue.uri"),
        ({"continue": continuation(wait=-1)}, "continue.wait"),
        ({"continue": continuation(access_token={"value": "\x1b"})}, "continue.access_token.value"),
        (
            {"interact": {"redirect": "javascript:alert(1)"}, "continue": continuation()},
            "interact.redirect",
        ),
    ],
)
def test_what_breaks_the_protocol_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_grant(as_json(body))
    assert caught.value.field == field


def test_a_secret_is_not_in_the_error_about_it() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_grant(as_json({"access_token": token(value="SECRET WITH BLANK")}))
    assert "SECRET" not in str(caught.value)


def test_a_rotation_without_a_token_is_named() -> None:
    with pytest.raises(ProtocolError):
        decode_rotation(as_json({"continue": continuation()}))


# The hash that comes back


NONCES = st.text("0123456789abcdef-", min_size=1, max_size=20)


def right_hash(nonce: str, finish: str, ref: str, endpoint: str) -> bytes:
    return hashlib.sha256(f"{nonce}\n{finish}\n{ref}\n{endpoint}".encode()).digest()


@given(NONCES, NONCES, NONCES, st.sampled_from([f"{AUTH}/tenant", f"{AUTH}/tenant/", AUTH]))
def test_every_spelling_of_the_right_hash_is_accepted(
    nonce: str, finish: str, ref: str, endpoint: str
) -> None:
    digest = right_hash(nonce, finish, ref, endpoint)
    for spelling in (base64.b64encode(digest), base64.urlsafe_b64encode(digest)):
        text = spelling.decode()
        # A form decoder turns an unescaped plus sign into a blank.
        for given_hash in (text, text.rstrip("="), text.replace("+", " ")):
            for asked in (endpoint.rstrip("/"), endpoint.rstrip("/") + "/"):
                assert interaction_hash_fits(
                    given_hash, nonce=nonce, finish=finish, interact_ref=ref, auth_server=asked
                )


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "other"},
        {"finish": "other"},
        {"interact_ref": "other"},
        {"auth_server": AUTH},
        {"given": ""},
        {"given": "AAAA"},
        {"given": "ключ"},
    ],
)
def test_a_hash_of_anything_else_is_refused(changed: dict[str, str]) -> None:
    endpoint = f"{AUTH}/tenant"
    given_hash = base64.b64encode(right_hash("n", "f", "r", endpoint)).decode()
    sound = {
        "given": given_hash,
        "nonce": "n",
        "finish": "f",
        "interact_ref": "r",
        "auth_server": endpoint,
    }
    fits = sound | changed
    assert not interaction_hash_fits(fits.pop("given"), **fits)
