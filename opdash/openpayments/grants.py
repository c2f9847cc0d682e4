"""Grants and access tokens: what is asked of an authorization server, and what it answers.

Open Payments uses a part of GNAP (RFC 9635): tokens with fine-grained rights, given at once or
after the account holder's consent, renewed and given back at URLs of their own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from opdash.openpayments.addresses import AddressError, origin
from opdash.openpayments.canonical import canonical_json
from opdash.openpayments.decoding import broken, decode, decoder
from opdash.openpayments.secrets import Secret

MAX_ACCESS_ITEMS = 3
"""How many rights one request may name."""

Seconds = Annotated[int, msgspec.Meta(ge=0)]
"""A number of whole seconds."""


class Access(msgspec.Struct, frozen=True):
    """One right: what may be done, with which kind of resource, of whom.

    Attributes:
        type: The kind of resource, such as ``incoming-payment``.
        actions: What may be done, such as ``read`` or ``list-all``.
        identifier: The wallet address it is about; None for the client's own resources.
        limits: What bounds it, as sent.
    """

    type: str
    actions: tuple[str, ...] = ()
    identifier: str | None = None
    limits: Mapping[str, Any] | None = None


class AccessToken(msgspec.Struct, frozen=True):
    """A token, and the URL at which it is rotated and revoked.

    Attributes:
        value: The token itself.
        manage: Where to rotate and revoke it; a rotation brings a new value and a new URL.
        expires_in: Seconds that it lives from now on; None when the server does not say.
        access: The rights that it holds.
    """

    value: Secret
    manage: str
    expires_in: Seconds | None = None
    access: tuple[Access, ...] = ()


class Continuation(msgspec.Struct, frozen=True):
    """How to go on with a grant: ask for its outcome, or cancel it.

    Attributes:
        uri: Where to ask.
        token: The token for asking there, and only there.
        wait: Seconds to wait before asking; None when the server does not say (then 5).
    """

    uri: str
    token: Secret
    wait: Seconds | None = None


class Interaction(msgspec.Struct, frozen=True):
    """The account holder's consent is needed first.

    Attributes:
        redirect: The page at which they consent.
        finish: The server's nonce, a part of the hash that the redirect back carries.
    """

    redirect: str
    finish: str | None = None


class Grant(msgspec.Struct, frozen=True):
    """An answer of the authorization server: a token, a question, or just “go on asking”."""

    token: AccessToken | None = None
    continuation: Continuation | None = None
    interaction: Interaction | None = None


class InteractFinish(msgspec.Struct, frozen=True):
    """Where the consent page sends the browser when it is done.

    Attributes:
        uri: A URL that opdash serves.
        nonce: Opdash's own part of the hash that comes back.
    """

    uri: str
    nonce: str


class InteractRequest(msgspec.Struct, frozen=True):
    """That opdash can send the account holder to a page; without ``finish`` it polls."""

    finish: InteractFinish | None = None


def grant_request(
    access: Sequence[Access], client: str, interact: InteractRequest | None = None
) -> bytes:
    """Return the body of a request for a grant.

    Args:
        access: The rights asked for, one to three.
        client: The client's wallet address.
        interact: Whether, and how, the account holder can be asked.
    """
    if not 1 <= len(access) <= MAX_ACCESS_ITEMS:
        raise ValueError(f"a grant is for 1 to {MAX_ACCESS_ITEMS} kinds of access")
    body: dict[str, object] = {
        "access_token": {"access": [_without_nothing(item) for item in access]},
        "client": client,
    }
    if interact is not None:
        body["interact"] = {"start": ["redirect"]} | (
            {} if interact.finish is None else {"finish": _finish(interact.finish)}
        )
    return canonical_json(body)


def continue_request(interact_ref: str) -> bytes:
    """Return the body with which a grant goes on after the account holder's consent."""
    return canonical_json({"interact_ref": interact_ref})


def decode_grant(body: bytes) -> Grant:
    """Decode the answer to a grant request or a continuation.

    Raises:
        ProtocolError: It breaks the protocol, or is neither a token nor a way to get one.
    """
    wire = decode(_GRANT, body)
    if wire.access_token is not None:
        _check_token(wire.access_token)
    continuation = None
    if wire.continue_ is not None:
        continuation = Continuation(
            wire.continue_.uri, wire.continue_.access_token.value, wire.continue_.wait
        )
        _check_url("continue.uri", continuation.uri)
        _check_value("continue.access_token.value", continuation.token)
    if wire.interact is not None:
        _check_url("interact.redirect", wire.interact.redirect)
    if wire.access_token is None and continuation is None:
        raise broken("access_token", "There is neither a token nor a way to go on.")
    return Grant(wire.access_token, continuation, wire.interact)


def decode_rotation(body: bytes) -> AccessToken:
    """Decode the answer to a token's rotation. Raises `ProtocolError`."""
    token = decode(_ROTATION, body).access_token
    _check_token(token)
    return token


def interaction_hash_fits(
    given: str, *, nonce: str, finish: str, interact_ref: str, auth_server: str
) -> bool:
    """Return whether a browser's return comes from the server that was asked (RFC 9635, 4.2.3).

    Servers differ in the base64 alphabet, in its padding and in the slash that ends the
    endpoint's URL; all of them are accepted. The comparison takes constant time.

    Args:
        given: The ``hash`` that the browser brought.
        nonce: Opdash's nonce, as sent in ``finish``.
        finish: The server's nonce, as answered in ``interact.finish``.
        interact_ref: The reference that the browser brought.
        auth_server: The URL of the grant request.
    """
    plain = given.replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    fits = False
    endpoint = auth_server.rstrip("/")
    for url in (endpoint, endpoint + "/"):
        text = f"{nonce}\n{finish}\n{interact_ref}\n{url}"
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        fits |= hmac.compare_digest(digest, plain.encode())
    return fits


class _WireValue(msgspec.Struct, frozen=True):
    value: Secret


class _WireContinue(msgspec.Struct, frozen=True):
    access_token: _WireValue
    uri: str
    wait: Seconds | None = None


class _WireGrant(msgspec.Struct, frozen=True):
    access_token: AccessToken | None = None
    continue_: _WireContinue | None = msgspec.field(name="continue", default=None)
    interact: Interaction | None = None


class _WireRotation(msgspec.Struct, frozen=True):
    access_token: AccessToken


_GRANT = decoder(_WireGrant)
_ROTATION = decoder(_WireRotation)


def _without_nothing(access: Access) -> dict[str, object]:
    item: dict[str, object] = {"type": access.type, "actions": access.actions}
    if access.identifier is not None:
        item["identifier"] = access.identifier
    if access.limits is not None:
        item["limits"] = access.limits
    return item


def _finish(finish: InteractFinish) -> dict[str, str]:
    return {"method": "redirect", "uri": finish.uri, "nonce": finish.nonce}


def _check_token(token: AccessToken) -> None:
    _check_value("access_token.value", token.value)
    _check_url("access_token.manage", token.manage)


def _check_value(field: str, value: Secret) -> None:
    text = value.reveal()
    if not (text and text.isascii() and text.isprintable() and " " not in text):
        raise broken(field, "The token has characters that no header can carry.")


def _check_url(field: str, url: str) -> None:
    try:
        origin(url)
    except AddressError as error:
        raise broken(field, error.sentence) from error
