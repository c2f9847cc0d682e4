"""The client's Ed25519 key: read, written, made, and shown as the JWK that providers ask for."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from opdash.errors import KeyFileError, LockedKeyError
from opdash.openpayments.errors import ProtocolError
from opdash.openpayments.resources import Jwk
from opdash.openpayments.secrets import MASK

_KEY_ID = re.compile(r"[ !#-\[\]-~]{1,256}")
_NEW_KEY = "Make a fitting key with “opdash key new”."
_OTHER_KINDS = {
    b"PUBLIC KEY": "This is a public key; opdash signs with the private one.",
    b"CERTIFICATE": "This is a certificate, not a private key.",
    b"OPENSSH PRIVATE KEY": "This is an OpenSSH key; opdash reads PEM files in PKCS#8 form.",
}


class ClientKey:
    """An Ed25519 private key and the name under which its public half is registered.

    It signs and shows its public half; the private half leaves it only through `to_pem`.

    Attributes:
        key_id: The ``kid`` of the key in the client wallet address's ``jwks.json``.
        sign: Signs bytes: pure Ed25519 (RFC 8032), 64 bytes.
    """

    __slots__ = ("_private", "key_id", "sign")

    key_id: str
    sign: Callable[[bytes], bytes]
    _private: Ed25519PrivateKey

    def __init__(self, private: Ed25519PrivateKey, key_id: str) -> None:
        if _KEY_ID.fullmatch(key_id) is None:
            raise KeyFileError(
                "The key id is empty, too long, or has characters that a signature cannot carry.",
                "Use the id that the provider shows for the key: plain ASCII without quotes.",
            )
        set_once = super().__setattr__
        set_once("_private", private)
        set_once("key_id", key_id)
        set_once("sign", private.sign)

    @classmethod
    def generate(cls, key_id: str) -> ClientKey:
        """Make a new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate(), key_id)

    @classmethod
    def from_pem(cls, pem: bytes, key_id: str, passphrase: bytes | None = None) -> ClientKey:
        """Read a PEM file's bytes (PKCS#8, RFC 8410).

        Args:
            pem: The file's content.
            key_id: The name under which the provider knows the key.
            passphrase: What opens an encrypted file, or None.

        Raises:
            LockedKeyError: A passphrase is needed, or another one than was given.
            KeyFileError: It is no private key, or not Ed25519.
        """
        for marker, sentence in _OTHER_KINDS.items():
            if b"-----BEGIN " + marker in pem:
                raise KeyFileError(sentence, _NEW_KEY)
        if b"-----BEGIN " not in pem:
            raise KeyFileError("This is no key file: it holds no PEM block.", _NEW_KEY)
        try:
            private = load_pem_private_key(pem, passphrase)
        except TypeError as error:
            _passphrase_needed(passphrase, error)
        except (ValueError, UnsupportedAlgorithm) as error:
            if passphrase is not None:
                raise LockedKeyError(
                    "The private key cannot be read, or the passphrase is wrong.",
                    "Give the passphrase once more, or check that the file is complete.",
                ) from error
            raise KeyFileError(
                "The private key cannot be read.", "Check that the file is complete. " + _NEW_KEY
            ) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyFileError(
                "This private key is of another kind; Open Payments signs with Ed25519.", _NEW_KEY
            )
        return cls(private, key_id)

    @classmethod
    def from_text(cls, text: str, key_id: str, passphrase: bytes | None = None) -> ClientKey:
        """Read a PEM block, or the base64 of one, as some wallets hand it out.

        Raises:
            KeyFileError: As `from_pem`.
        """
        return cls.from_pem(pem_in(text), key_id, passphrase)

    def to_pem(self, passphrase: bytes | None = None) -> bytes:
        """Return the private key as a PKCS#8 PEM block, encrypted where a passphrase is given."""
        locked = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)

    def public_jwk(self) -> dict[str, str]:
        """Return the public half as the JWK to register with the provider (RFC 8037)."""
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {
            "kid": self.key_id,
            "alg": "EdDSA",
            "kty": "OKP",
            "crv": "Ed25519",
            "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
            "use": "sig",
        }

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a key is not changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a key is not changed: {name}")

    def __repr__(self) -> str:
        return f"ClientKey(key_id={self.key_id!r}, private={MASK})"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not pickled")


def pem_in(text: str) -> bytes:
    """Return the PEM block that a text is, or is the base64 of; empty where it is neither."""
    data = text.strip().encode()
    if b"-----BEGIN " in data:
        return data
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        return b""


def public_key_from_jwk(jwk: Jwk) -> Ed25519PublicKey:
    """Return the public key that a JWK describes (RFC 8037).

    Raises:
        ProtocolError: It is no Ed25519 key, or its ``x`` is not 32 bytes of base64url.
    """
    if (jwk.kty, jwk.crv) != ("OKP", "Ed25519") or jwk.alg not in ("EdDSA", "Ed25519", ""):
        raise ProtocolError("The key in the jwks is not an Ed25519 key.", field="kty")
    try:
        raw = base64.b64decode(
            jwk.x.rstrip("=") + "=" * (-len(jwk.x.rstrip("=")) % 4), b"-_", validate=True
        )
        return Ed25519PublicKey.from_public_bytes(raw)
    except (ValueError, binascii.Error) as error:
        raise ProtocolError(
            "The key in the jwks is not 32 bytes of base64url.", field="x"
        ) from error


def _passphrase_needed(passphrase: bytes | None, error: TypeError) -> NoReturn:
    if passphrase is None:
        raise LockedKeyError(
            "The private key is protected with a passphrase.",
            "Give the passphrase when opdash asks for it, or in OPDASH_KEY_PASSPHRASE.",
        ) from error
    raise KeyFileError(
        "A passphrase was given, and the private key is not protected with one.",
        "Leave the passphrase out.",
    ) from error
