"""HTTP message signatures (RFC 9421) with Ed25519, as Open Payments servers ask for them.

A request carries one signature, labelled ``sig1``. It covers the method and the target URI, the
``Authorization`` header where one is sent, and with a body its digest (RFC 9530), length and type.
The target URI is the URL byte for byte as it goes over the wire.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from opdash.openpayments.canonical import reserialised
from opdash.openpayments.errors import OpenPaymentsError, ProtocolError
from opdash.openpayments.keys import ClientKey, public_key_from_jwk
from opdash.openpayments.resources import Jwks

JSON_TYPE = "application/json"
"""The content type of every body."""

KeyLookup = Callable[[str], Ed25519PublicKey | None]
"""Finds a public key by its id; None when there is none."""

_DIGESTS = {"sha-512": hashlib.sha512, "sha-256": hashlib.sha256}
_COMPONENT = re.compile(r'"([^"\\]*)"')
_SIG1_INPUT = re.compile(
    r'(?:^|,)[ \t]*sig1=(\((?: *"[^"\\]*")* *\)'
    r'((?:;[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[^"\\]|\\["\\])*"|[^;,"\s]+))?)*))[ \t]*(?=,|$)'
)
_SIG1 = re.compile(r"(?:^|,)[ \t]*sig1=:([A-Za-z0-9+/=]*):[ \t]*(?=,|$)")
_ANY_KEY_ID = re.compile(r';keyid="((?:[^"\\]|\\["\\])*)"')
_DIGEST = re.compile(r"(?:^|,)[ \t]*(sha-512|sha-256)=:([A-Za-z0-9+/=]*):[ \t]*(?=,|$)")


def sign_request(
    key: ClientKey,
    method: str,
    url: str,
    *,
    created: int,
    authorization: str | None = None,
    body: bytes | None = None,
) -> dict[str, str]:
    """Return the headers that a signed request needs besides ``Accept``.

    Args:
        key: The client's key.
        method: In capitals, as it is sent.
        url: The whole URL, exactly as it is sent.
        created: The instant of signing, in seconds since 1970.
        authorization: The value of the ``Authorization`` header, where one is sent.
        body: The body's bytes, where there is one.
    """
    headers: dict[str, str] = {}
    names = '"@method" "@target-uri"'
    lines = f'"@method": {method}\n"@target-uri": {url}\n'
    if authorization is not None:
        headers["Authorization"] = authorization
        names += ' "authorization"'
        lines += f'"authorization": {authorization}\n'
    if body is not None:
        digest, length = content_digest(body), str(len(body))
        headers["Content-Digest"] = digest
        headers["Content-Length"] = length
        headers["Content-Type"] = JSON_TYPE
        names += ' "content-digest" "content-length" "content-type"'
        lines += (
            f'"content-digest": {digest}\n"content-length": {length}\n"content-type": {JSON_TYPE}\n'
        )
    parameters = f'({names});created={created};keyid="{key.key_id}"'
    signature = key.sign(f'{lines}"@signature-params": {parameters}'.encode("ascii"))
    headers["Signature-Input"] = f"sig1={parameters}"
    headers["Signature"] = f"sig1=:{base64.b64encode(signature).decode('ascii')}:"
    return headers


def content_digest(body: bytes) -> str:
    """Return the value of the ``Content-Digest`` header for a body (RFC 9530)."""
    return f"sha-512=:{base64.b64encode(hashlib.sha512(body).digest()).decode('ascii')}:"


def signature_base(components: Iterable[tuple[str, str]], parameters: str) -> bytes:
    """Return the bytes that are signed (RFC 9421, section 2.5).

    Args:
        components: The names of what is covered, each with its value, in order.
        parameters: The value of ``@signature-params``: the list of names and its parameters.
    """
    lines = [f'"{name}": {value}\n' for name, value in components]
    return f'{"".join(lines)}"@signature-params": {parameters}'.encode()


class SignatureFault(StrEnum):
    """Why a signature is refused."""

    NO_INPUT = "the Signature-Input header is missing"
    NO_SIGNATURE = "the Signature header is missing"
    NO_KEY_ID = "the Signature-Input header names no key"
    HEADERS = "the signature has another label, or does not cover what it must"
    DIGEST = "the Content-Digest does not fit the body"
    UNKNOWN_KEY = "the client has no key of that name"
    SIGNATURE = "the signature does not fit the request"


class SignatureError(OpenPaymentsError):
    """A signature is refused.

    Attributes:
        fault: Why.
        key_id: The key that the request names, as sent, or an empty string.
    """

    def __init__(self, fault: SignatureFault, key_id: str = "") -> None:
        super().__init__(f"The request's signature is refused: {fault.value}.")
        self.fault = fault
        self.key_id = key_id


def lookup_in(jwks: Jwks) -> KeyLookup:
    """Return a lookup over the Ed25519 keys that a wallet address serves."""

    def find(key_id: str) -> Ed25519PublicKey | None:
        for jwk in jwks.keys:
            if jwk.kid == key_id:
                try:
                    return public_key_from_jwk(jwk)
                except ProtocolError:
                    continue
        return None

    return find


def verify_request(
    find_key: KeyLookup,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> str:
    """Check a request's signature as the reference server does, and return the key's id.

    As there, the age of ``created`` does not matter, the order of the components is free, more
    may be covered, and a digest that is not covered is not looked at. A covered digest is checked
    against the body as JavaScript would write it again.

    Args:
        find_key: Finds the client's keys.
        method: As it was received.
        url: Scheme, host as in ``Host``, and the raw request target, nothing decoded.
        headers: As received; names in any case.
        body: The bytes received, or None.

    Raises:
        SignatureError: It is refused, and why.
    """
    fields = {name.lower(): value.strip() for name, value in headers.items()}
    names, parameters, key_id = _read_input(fields)
    if {"@method", "@target-uri"} - set(names) or len(set(names)) < len(names):
        raise SignatureError(SignatureFault.HEADERS, key_id)
    if "authorization" in fields and "authorization" not in names:
        raise SignatureError(SignatureFault.HEADERS, key_id)
    if "content-digest" in names and not _digest_fits(fields.get("content-digest", ""), body):
        raise SignatureError(SignatureFault.DIGEST, key_id)
    signature = _read_signature(fields, key_id)
    values = fields | {"@method": method, "@target-uri": url}
    if not values.keys() >= set(names):
        raise SignatureError(SignatureFault.HEADERS, key_id)
    key = find_key(key_id)
    if key is None:
        raise SignatureError(SignatureFault.UNKNOWN_KEY, key_id)
    try:
        key.verify(signature, signature_base(((name, values[name]) for name in names), parameters))
    except InvalidSignature as error:
        raise SignatureError(SignatureFault.SIGNATURE, key_id) from error
    return key_id


def _read_input(fields: Mapping[str, str]) -> tuple[list[str], str, str]:
    given = fields.get("signature-input", "")
    if not given:
        raise SignatureError(SignatureFault.NO_INPUT)
    any_key = _ANY_KEY_ID.search(given)
    key_id = any_key[1] if any_key else ""
    if not fields.get("signature"):
        raise SignatureError(SignatureFault.NO_SIGNATURE, key_id)
    if not key_id:
        raise SignatureError(SignatureFault.NO_KEY_ID)
    found = _SIG1_INPUT.search(given)
    if found is None:
        raise SignatureError(SignatureFault.HEADERS, key_id)
    own_key = _ANY_KEY_ID.search(found[2])
    if own_key is None:
        raise SignatureError(SignatureFault.NO_KEY_ID)
    parameters = found[1]
    return _COMPONENT.findall(parameters[: parameters.index(")")]), parameters, own_key[1]


def _read_signature(fields: Mapping[str, str], key_id: str) -> bytes:
    found = _SIG1.search(fields["signature"])
    text = found[1] if found else "?"
    try:
        signature = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise SignatureError(SignatureFault.HEADERS, key_id) from error
    if base64.b64encode(signature).decode() != text:
        raise SignatureError(SignatureFault.HEADERS, key_id)
    return signature


def _digest_fits(header: str, body: bytes | None) -> bool:
    canonical = reserialised(body) if body else None
    given = _DIGEST.findall(header)
    if canonical is None or not given:
        return False
    return all(
        base64.b64encode(_DIGESTS[name](canonical).digest()).decode() == value
        for name, value in given
    )
