from __future__ import annotations

import base64
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from opdash.errors import KeyFileError
from opdash.openpayments.errors import ProtocolError
from opdash.openpayments.keys import ClientKey, public_key_from_jwk
from opdash.openpayments.resources import Jwk


def pem_of(private: object, encryption: object = None) -> bytes:
    pem: bytes = private.private_bytes(  # type: ignore[attr-defined]
        Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()
    )
    return pem


def test_a_key_survives_its_file() -> None:
    key = ClientKey.generate("till-1")
    again = ClientKey.from_pem(key.to_pem(), "till-1")
    assert again.public_jwk() == key.public_jwk()
    assert again.sign(b"same") == key.sign(b"same")


def test_a_key_is_read_from_text_and_from_the_base64_of_its_file() -> None:
    key = ClientKey.generate("till-1")
    pem = key.to_pem().decode()
    wrapped = base64.encodebytes(pem.encode()).decode()
    for text in (pem, f"\n {pem}\n", base64.b64encode(pem.encode()).decode(), wrapped):
        assert ClientKey.from_text(text, "till-1").public_jwk() == key.public_jwk()


def test_the_jwk_is_what_a_wallet_address_serves() -> None:
    # The key pair of RFC 8032, section 7.1, test 1.
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    private = Ed25519PrivateKey.from_private_bytes(seed)
    assert ClientKey(private, "till-1").public_jwk() == {
        "kid": "till-1",
        "alg": "EdDSA",
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "use": "sig",
    }


def test_an_encrypted_file_needs_its_passphrase() -> None:
    pem = pem_of(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"open sesame"))
    assert ClientKey.from_pem(pem, "k", b"open sesame").key_id == "k"
    with pytest.raises(KeyFileError, match="protected with a passphrase"):
        ClientKey.from_pem(pem, "k")
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        ClientKey.from_pem(pem, "k", b"open barley")
    with pytest.raises(KeyFileError, match="not protected"):
        ClientKey.from_pem(ClientKey.generate("k").to_pem(), "k", b"open sesame")


@pytest.mark.parametrize(
    "other",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP256R1()),
        x25519.X25519PrivateKey.generate(),
    ],
    ids=["rsa", "ec", "x25519"],
)
def test_other_kinds_of_private_keys_are_named(other: object) -> None:
    with pytest.raises(KeyFileError, match="signs with Ed25519"):
        ClientKey.from_pem(pem_of(other), "k")


def test_other_kinds_of_files_are_named() -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    openssh = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    with pytest.raises(KeyFileError, match="public key"):
        ClientKey.from_pem(public, "k")
    with pytest.raises(KeyFileError, match="OpenSSH"):
        ClientKey.from_pem(openssh, "k")
    with pytest.raises(KeyFileError, match="certificate"):
        ClientKey.from_pem(b"-----BEGIN CERTIFICATE-----\n", "k")


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_rubbish_is_a_key_file_error(rubbish: bytes) -> None:
    with pytest.raises(KeyFileError):
        ClientKey.from_pem(rubbish, "k")
    with pytest.raises(KeyFileError):
        ClientKey.from_pem(b"-----BEGIN PRIVATE KEY-----\n" + rubbish, "k")
    with pytest.raises(KeyFileError):
        ClientKey.from_text(rubbish.decode(errors="ignore"), "k")


@pytest.mark.parametrize("key_id", ["", 'a"b', "a\\b", "a\nb", "ключ", "x" * 257])
def test_a_key_id_that_no_header_carries_is_refused(key_id: str) -> None:
    with pytest.raises(KeyFileError, match="key id"):
        ClientKey.generate(key_id)


def test_a_key_keeps_to_itself() -> None:
    key = ClientKey.generate("till-1")
    secret = key.to_pem().decode().splitlines()[1]
    assert repr(key) == str(key) == "ClientKey(key_id='till-1', private=•••)"
    assert secret not in f"{key!r} {key} {key!s} {vars(ClientKey)}"
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(AttributeError):
        key.key_id = "other"
    with pytest.raises(AttributeError):
        del key.key_id


def test_a_public_key_is_read_from_a_jwk_with_and_without_padding() -> None:
    key = ClientKey.generate("k")
    jwk = key.public_jwk()
    signature = key.sign(b"data")
    public_key_from_jwk(Jwk(**jwk)).verify(signature, b"data")
    public_key_from_jwk(Jwk(**(jwk | {"x": jwk["x"] + "="}))).verify(signature, b"data")


@pytest.mark.parametrize(
    "changed",
    [
        {"kty": "RSA"},
        {"crv": "X25519"},
        {"alg": "RS256"},
        {"x": ""},
        {"x": "AAAA"},
        {"x": "!" * 43},
        {"x": "é" * 43},
        {"x": "A" * 44},
    ],
)
def test_a_jwk_of_another_kind_is_a_protocol_error(changed: dict[str, str]) -> None:
    jwk = Jwk(**(ClientKey.generate("k").public_jwk() | changed))
    with pytest.raises(ProtocolError):
        public_key_from_jwk(jwk)
