"""Every kind of secret is masked, whatever text it lies in; what is no secret stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.openpayments.keys import ClientKey
from opdash.redact import masked_json, redact

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


_NAMES = st.sampled_from(
    [
        "value",
        "token",
        "access_token",
        "to\\u006ben",
        "sharedSecret",
        "Nonce",
        "d",
        "manage",
        "uri",
        "continue",
        "interact",
        "finish",
        "description",
        "id",
        'a\\"hash',
        "“token”",
    ]
)
_WORDS = st.sampled_from(
    ["token", "hash: x", "OS9nX3JY", 'say \\"d\\": y', "https://a.example/s/9", ""]
)


def _json(names: st.SearchStrategy[str], words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def inner(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        members = st.tuples(names, values).map(lambda pair: f'"{pair[0]}" : {pair[1]}')
        return st.one_of(
            st.lists(values, max_size=3).map(lambda all_: f"[{','.join(all_)}]"),
            st.lists(members, max_size=4).map(lambda all_: "{" + ",\n".join(all_) + "}"),
        )

    return st.recursive(words.map(lambda word: f'"{word}"'), inner, max_leaves=12)


@given(_json(_NAMES, _WORDS))
def test_looking_for_names_first_masks_no_less(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("opdash.redact._may_name_a_secret", lambda _: True)
        looked_through = masked_json(text)
    assert masked_json(text) == looked_through


def test_what_somebody_wrote_about_a_payment_is_not_looked_through() -> None:
    text = '{"result": [{"metadata": {"description": "a token of “thanks”: hash, secret, nonce"}}]}'
    assert masked_json(text) is text


def test_a_token_in_a_text_that_names_none_is_masked() -> None:
    text = '{"error": {"description": "the header was GNAP OS9nX3JY7Tk2f, and not Bearer Abc123"}}'
    assert masked_json(text) == (
        '{"error": {"description": "the header was GNAP •••, and not Bearer •••"}}'
    )
