"""Every kind of secret is masked, whatever text it lies in; what is no secret stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.keys import ClientKey
from opdash.redact import redact

SECRET = "OS9nX3JY-7Tk.2f+a/8="


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: GNAP {SECRET}",
        f"{{'authorization': 'gnap {SECRET}'}}",
        f"Authorization: Bearer {SECRET}",
        f"Signature: sig1=:{SECRET}:",
        f'{{"access_token":{{"value":"{SECRET}","manage":"https://auth.example/t/1"}}}}',
        f'{{"continue": {{"access_token": {{"value": "{SECRET}"}}}}}}',
        f'{{"methods":[{{"type":"ilp","sharedSecret":"{SECRET}"}}]}}',
        f'{{"interact_ref":"{SECRET}"}}',
        f"https://127.0.0.1:1234/done?hash={SECRET}&interact_ref={SECRET}",
        f"kty=OKP d: {{'d': '{SECRET}'}}",
    ],
)
def test_a_secret_is_masked(text: str) -> None:
    assert SECRET not in redact(text)
    assert "•••" in redact(text)


def test_a_private_key_is_masked_even_when_cut_off() -> None:
    pem = ClientKey.generate("k").to_pem().decode().rstrip()
    body = pem.splitlines()[1]

    assert body not in redact(f"before {pem} after")
    assert redact(f"before {pem} after").endswith("-----END PRIVATE KEY----- after")
    assert body not in redact(pem[:90])


@pytest.mark.parametrize(
    "text",
    [
        '{"incomingAmount":{"value":"1250","assetCode":"USD","assetScale":2}}',
        'WWW-Authenticate: GNAP as_uri="https://auth.example/"',
        "GET https://ilp.example/incoming-payments?wallet-address=https%3A%2F%2Filp.example%2Frosa",
        "opdash.errors.ConfigError: config.toml, line 3: not valid TOML",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=24, max_size=60))
def test_masking_twice_changes_nothing_more(token: str) -> None:
    masked = redact(f'Authorization: GNAP {token}\n{{"value": "{token}x"}}')

    assert token not in masked
    assert redact(masked) == masked
