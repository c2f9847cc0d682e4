"""What a server's refusal means: which exception, one sentence, and what a person can do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any

from opdash.openpayments import errors
from opdash.safetext import safe_text

Judgement = tuple[type[errors.ServerError], str, str]
"""The kind of exception, its sentence and its advice."""

_NEEDS_SIGNATURE = re.compile(r"required property '(?:signature|signature-input|content-digest)'")
_NEEDS_CONSENT = re.compile(r"(?:missing|required).*\binteract\b")
_AGAIN = "Try again in a moment."
_CHECK_KEY = (
    "Check that the key is registered with the client wallet address "
    "(“opdash key show” prints it) and that the key id is the same."
)
_CHECK_CLIENT = (
    "Check that the client wallet address is right, is reachable, has a public name, "
    "and serves the key in its jwks.json."
)


class Server(Enum):
    """Which kind of server was asked."""

    RESOURCE = "resource server"
    AUTHORIZATION = "authorization server"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer with an error status, as read.

    Attributes:
        server: Who was asked.
        url: What was asked for.
        status: The HTTP status.
        with_token: Whether the request carried an access token.
        code: The server's own code, as sent, or empty.
        words: The server's own description, as sent, or empty.
        details: The server's details, as sent.
        www_authenticate: That header, as sent, or empty.
        retry_after: Seconds to wait, or None.
        is_page: Whether a web page came instead of an answer.
    """

    server: Server
    url: str
    status: int
    with_token: bool = False
    code: str = ""
    words: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    www_authenticate: str = ""
    retry_after: float | None = None
    is_page: bool = False

    @property
    def lower(self) -> str:
        """The server's words for looking into."""
        return self.words.casefold()

    @property
    def saying(self) -> str:
        """The server's words as the end of a sentence, safe to show."""
        words = safe_text(self.words.strip(), limit=160).rstrip(".")
        return f": “{words}”." if words else "."


def judge(refusal: Refusal) -> Judgement:
    """Return what a refusal means."""
    status = refusal.status
    if status < 400:
        return (
            errors.ServerError,
            f"The server redirects to another address ({status}), and opdash does not follow.",
            "Check the wallet address; its servers may have moved.",
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _too_many(refusal)
    if status >= 500:
        return (
            errors.ServerFaultError,
            f"The server is in trouble ({_status_text(status)}).",
            _AGAIN,
        )
    if _is_about_signature(refusal):
        return _signature(refusal)
    judged = _grant(refusal) if refusal.server is Server.AUTHORIZATION else _resource(refusal)
    return _page(refusal, judged[0]) if refusal.is_page else judged


def _page(refusal: Refusal, kind: type[errors.ServerError]) -> Judgement:
    status = _status_text(refusal.status)
    return (
        kind,
        f"Instead of the {refusal.server.value} a web page answered ({status}).",
        "Check the wallet address, and whether this network or a proxy stands in between.",
    )


def _is_about_signature(refusal: Refusal) -> bool:
    if refusal.status in (401, 403):
        return "signature" in refusal.lower
    return refusal.status == 400 and _NEEDS_SIGNATURE.search(refusal.lower) is not None


def _signature(refusal: Refusal) -> Judgement:
    kind = errors.SignatureRefusedError
    if "could not find key" in refusal.lower:
        return kind, "The server does not find this key among the client's keys.", _CHECK_KEY
    if "could not retrieve client keys" in refusal.lower:
        return (
            kind,
            "The server cannot fetch the client wallet address's keys.",
            "Check that the client wallet address still exists and is reachable.",
        )
    return kind, f"The server did not accept the signature{refusal.saying}", _CHECK_KEY


def _resource(refusal: Refusal) -> Judgement:
    match refusal.status:
        case 401 | 403:
            return _permission(refusal)
        case 404 if "wallet address" in refusal.lower:
            return (
                errors.NotFoundError,
                "The server knows no such wallet address.",
                "Check the address; it may have been closed.",
            )
        case 404:
            return (
                errors.NotFoundError,
                f"The server does not have what was asked for{refusal.saying}",
                "It may be another client's, or the address may be wrong.",
            )
        case 409:
            return (
                errors.ConflictError,
                f"The payment is in another state by now{refusal.saying}",
                "Look at it again before you go on.",
            )
        case 413:
            return errors.ServerError, "The request is too large for the server.", "Shorten it."
    return errors.ServerError, *_refused_request(refusal)


def _refused_request(refusal: Refusal) -> tuple[str, str]:
    if "invalid expiresat" in refusal.lower:
        return (
            "The server refused the expiry.",
            "Choose a time that lies ahead, at most 30 days from now.",
        )
    if "invalid amount" in refusal.lower:
        return (
            "The server refused the amount.",
            "It must be greater than zero and in the wallet address's own asset.",
        )
    if "could not get wallet address" in refusal.lower:
        return (
            "The server does not know the wallet address.",
            "Check it; it may have been closed, or be at another provider.",
        )
    return (
        f"The server refused the request ({_status_text(refusal.status)}){refusal.saying}",
        "Look at the server's words.",
    )


def _permission(refusal: Refusal) -> Judgement:
    if _names_asked(refusal):
        return (
            errors.GoneError,
            "The server does not know this payment, or no longer.",
            "Servers forget payments that expired unpaid.",
        )
    if "inactive token" in refusal.lower:
        return (
            errors.InactiveTokenError,
            "The access token has expired or was revoked.",
            "opdash asks for another by itself.",
        )
    if "insufficient" in refusal.lower or "insufficient" in refusal.code.casefold():
        return (
            errors.InsufficientGrantError,
            "The server's grant does not include the right to do this.",
            "Ask for a wider grant: the account holder may have to consent.",
        )
    if refusal.status == 401 and refusal.with_token:
        return (
            errors.InvalidTokenError,
            f"The server does not accept the access token at present{refusal.saying}",
            "Its authorization server may be down. " + _AGAIN,
        )
    return (
        errors.NotPermittedError,
        f"The server does not permit this{refusal.saying}",
        "Check that this client has the right to do it.",
    )


def _names_asked(refusal: Refusal) -> bool:
    named = refusal.details.get("id")
    if refusal.status != 401 or not isinstance(named, str) or not named:
        return False
    path = refusal.url.partition("?")[0]
    return named in path.split("/") or path.removesuffix("/complete").rstrip("/") == named


def _grant(refusal: Refusal) -> Judgement:
    match refusal.code:
        case "too_fast":
            return errors.TooFastError, "The authorization server was asked too early.", _AGAIN
        case "request_denied" | "user_denied":
            return (
                errors.GrantDeniedError,
                f"The grant was refused{refusal.saying}",
                "Ask the account holder, then ask for the grant again.",
            )
        case (
            "invalid_continuation"
            | "invalid_rotation"
            | "invalid_interaction"
            | "unknown_interaction"
        ):
            return _no_longer(refusal)
        case "invalid_client" if "access token" in refusal.lower:
            return _no_longer(refusal)
        case "invalid_client":
            return (
                errors.InvalidClientError,
                f"The authorization server cannot identify this client{refusal.saying}",
                _CHECK_CLIENT,
            )
    if refusal.status == 400 and _NEEDS_CONSENT.search(refusal.lower):
        return (
            errors.InteractionNeededError,
            "The account holder must consent before this right is given.",
            "Ask for the grant with consent.",
        )
    return _other_grant_refusal(refusal)


def _no_longer(refusal: Refusal) -> Judgement:
    return (
        errors.ContinuationError,
        f"The grant can no longer be continued{refusal.saying}",
        "Ask for a new one.",
    )


def _other_grant_refusal(refusal: Refusal) -> Judgement:
    if refusal.status == 404:
        return (
            errors.NotFoundError,
            "No authorization server answers at the address that the wallet address names.",
            "Tell the wallet's provider.",
        )
    return (
        errors.GrantError,
        f"The authorization server said {_status_text(refusal.status)}{refusal.saying}",
        "Check the rights that are asked for, and the client wallet address.",
    )


def _too_many(refusal: Refusal) -> Judgement:
    wait = refusal.retry_after
    seconds = f" Wait {wait:.0f} seconds." if wait is not None else " " + _AGAIN
    return (
        errors.TooManyRequestsError,
        "The server asks for fewer requests.",
        seconds.strip(),
    )


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
