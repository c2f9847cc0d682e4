"""The form in which recorded exchanges with a real server are kept as facts.

A fact says how a kind of exchange is asked for, and what of the answer any client may build on:
status, content type, error code and text, which fields there are, and whether
``WWW-Authenticate`` is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.sandbox.scene import Scene

Ask = Callable[[Scene], httpx.Response]

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html"

WALLET = {"id", "publicName", "assetCode", "assetScale", "authServer", "resourceServer"}
BARE_PAYMENT = {"id", "walletAddress", "receivedAmount", "completed", "createdAt", "expiresAt"}
PAYMENT = BARE_PAYMENT | {"incomingAmount", "metadata"}
PUBLIC_PAYMENT = {"receivedAmount", "authServer"}
OUTGOING_PAYMENT = {
    "id",
    "walletAddress",
    "quoteId",
    "receiveAmount",
    "debitAmount",
    "sentAmount",
    "receiver",
    "failed",
    "createdAt",
}
PAGE = {"pagination", "result"}
GRANT = {"access_token", "continue"}
PENDING_GRANT = {"interact", "continue"}

_VALIDATION = "Received error validating OpenAPI request: "
_SIGNATURE = "Signature validation error: "


@dataclass(frozen=True)
class Fact:
    """One kind of exchange.

    Attributes:
        name: What is asked.
        ask: Asks the sandbox in the same way.
        status: The status that the real server answered with.
        content_type: The type of its answer; empty where there was no body.
        error: The whole error object, URLs and ids left out of its details.
        details: The names in the error's details.
        fields: The names at the top of the answered object.
        authenticate: Whether ``WWW-Authenticate`` was sent.
        text: The whole body, where it is no JSON.
        also: Looks at what else matters in the answer.
    """

    name: str
    ask: Ask
    status: int = 200
    content_type: str = JSON
    error: dict[str, str] = field(default_factory=dict)
    details: frozenset[str] | None = None
    fields: frozenset[str] | None = None
    authenticate: bool = False
    text: str = ""
    also: Callable[[Scene, httpx.Response], None] | None = None


@dataclass(frozen=True)
class Difference:
    """A kind of exchange that the sandbox answers otherwise, and why.

    Attributes:
        fact: What the sandbox answers.
        real: What the real server answered.
        reason: Why that is wanted.
    """

    fact: Fact
    real: str
    reason: str


def ok(name: str, ask: Ask, fields: set[str], status: int = 200, **more: Any) -> Fact:
    """Return the fact of an answer with these fields."""
    return Fact(name, ask, status, fields=frozenset(fields), **more)


def plain(name: str, ask: Ask, status: int, text: str) -> Fact:
    """Return the fact of an answer in plain text."""
    return Fact(name, ask, status, TEXT, text=text)


def refused(name: str, ask: Ask, status: int, description: str, **more: Any) -> Fact:
    """Return the fact of a refusal by the resource server or wallet address server."""
    details = more.pop("details", None)
    error = {"code": str(status), "description": description}
    return Fact(
        name,
        ask,
        status,
        error=error,
        details=None if details is None else frozenset(details),
        **more,
    )


def challenged(name: str, ask: Ask, status: int, description: str) -> Fact:
    """Return the fact of a refusal for the token's sake, with ``WWW-Authenticate``."""
    return refused(name, ask, status, description, authenticate=True)


def invalid(name: str, ask: Ask, message: str, status: int = 400) -> Fact:
    """Return the fact of a request that does not fit the resource server's schema."""
    return refused(name, ask, status, _VALIDATION + message)


def bad_signature(name: str, ask: Ask, reason: str, *details: str) -> Fact:
    """Return the fact of a signature that the resource server refuses."""
    return refused(name, ask, 401, _SIGNATURE + reason, details={"client", *details})


def no_grant(name: str, ask: Ask, status: int, code: str, description: str) -> Fact:
    """Return the fact of a refusal by the authorization server."""
    return Fact(name, ask, status, error={"code": code, "description": description})


def invalid_grant(name: str, ask: Ask, message: str) -> Fact:
    """Return the fact of a request that does not fit the authorization server's schema."""
    return Fact(name, ask, 400, error={"description": _VALIDATION + message})


def check(fact: Fact, scene: Scene) -> None:
    """Ask, and compare the answer with the fact."""
    answer = fact.ask(scene)
    assert answer.status_code == fact.status, answer.text
    assert answer.headers.get("content-type", "") == fact.content_type
    assert ("www-authenticate" in answer.headers) == fact.authenticate
    if fact.authenticate:
        origin = scene.own.auth_server.rpartition("/")[0]
        assert answer.headers["www-authenticate"] == f"GNAP as_uri={origin}"
    if fact.text:
        assert answer.text == fact.text
    if fact.error:
        error = answer.json()["error"]
        details = error.pop("details", None)
        assert error == fact.error
        assert (None if details is None else frozenset(details)) == fact.details
    if fact.fields is not None:
        assert set(answer.json()) == fact.fields
    if fact.also is not None:
        fact.also(scene, answer)
