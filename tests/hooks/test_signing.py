"""The signature of web hooks, held against an independent reading of the convention."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.errors import InputError
from opdash.hooks.signing import headers, new_secret, read_secret
from opdash.openpayments.secrets import Secret
from tests.hooks.doubles import NOW


def verified(secret: str, sent: dict[str, str], body: bytes) -> bool:
    """As the README tells receivers to do it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + body
    want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = sent["webhook-signature"].split(" ")
    return any(hmac.compare_digest(want, one) for one in given)


@given(body=st.binary(max_size=300))
def test_a_receiver_can_verify_what_it_got(body: bytes) -> None:
    secret, former = new_secret(), new_secret()
    sent = dict(headers("a-1-b", body, NOW, (secret, former)))
    assert sent["webhook-timestamp"] == "1795176000"
    assert verified(secret.reveal(), sent, body)
    assert verified(former.reveal(), sent, body)
    assert not verified(new_secret().reveal(), sent, body)
    assert not verified(secret.reveal(), sent, body + b" ")
    for name in ("webhook-id", "webhook-timestamp"):
        assert not verified(secret.reveal(), {**sent, name: sent[name] + "0"}, body)


def test_it_is_the_signature_of_the_conventions_example() -> None:
    """Id, time, body, secret and signature as they are published for implementers to test with."""
    sent = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        datetime.fromtimestamp(1614265330, UTC),
        (Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),),
    )
    assert sent["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_differ_and_are_not_printed() -> None:
    one, other = new_secret(), new_secret()
    assert one != other
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", one.reveal())
    assert one.reveal() not in f"{one} {one!r}"
    assert read_secret(f" {one.reveal()}\n") == one


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", "plain words", "whsec_" + "A" * 200]
)
def test_what_is_no_secret_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InputError) as error:
        read_secret(text)
    assert len(text) < 7 or text not in str(error.value)
