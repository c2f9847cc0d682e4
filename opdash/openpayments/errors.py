"""What can go wrong between opdash and an Open Payments server.

OpenPaymentsError
├── UnreachableError           5   no answer: DNS, TLS, connection, time-out
│   └── UnansweredError        5   the request may have been carried out all the same
├── ProtocolError              1   an answer that breaks the protocol; names the field
│   ├── AnswerTooLargeError        more than opdash reads: ask for less at once
│   └── LostCursorError            the list's place was lost: start again from its head
└── ServerError                1   the server said no: status, code, description
    ├── NotPermittedError      4   401 or 403
    │   ├── InactiveTokenError     the token expired or was revoked: get another
    │   ├── InvalidTokenError      401 that may be the auth server's outage: keep the token
    │   ├── InsufficientGrantError the grant lacks the right
    │   ├── SignatureRefusedError  the server did not accept the signature or the key
    │   └── GoneError              a 401 that names the payment: unknown or vanished
    ├── NotFoundError          1   404
    ├── ConflictError          1   409
    ├── TooManyRequestsError   1   429; ``retry_after`` seconds where given
    ├── ServerFaultError       5   5xx
    └── GrantError             4   what the authorization server answers
        ├── InvalidClientError     wrong client wallet address, jwks or public name
        ├── InteractionNeededError the account holder must consent first
        ├── GrantDeniedError       consent was refused
        ├── TooFastError           polled before ``wait`` was over
        └── ContinuationError      the continuation or rotation is no longer valid
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opdash.errors import ExitCode, OpdashError


class OpenPaymentsError(OpdashError):
    """Something went wrong between opdash and a server."""


class UnreachableError(OpenPaymentsError):
    """The server gave no answer, and nothing was carried out."""

    exit_code = ExitCode.UNREACHABLE


class UnansweredError(UnreachableError):
    """The request was sent and no answer came: it may have been carried out."""


class ProtocolError(OpenPaymentsError):
    """An answer breaks the protocol.

    Attributes:
        field: Where, as a path such as ``result[3].receivedAmount.value``; empty for the whole.
    """

    def __init__(self, sentence: str, advice: str = "", *, field: str = "") -> None:
        super().__init__(sentence, advice)
        self.field = field


class StrangerError(ProtocolError):
    """What answered is no Open Payments server, but a portal, a proxy or something broken."""

    exit_code = ExitCode.UNREACHABLE


class AnswerTooLargeError(ProtocolError):
    """An answer is larger than opdash reads; a shorter page may fit."""


class LostCursorError(ProtocolError):
    """A page that was promised is empty: the walk must start again from the head of the list."""


class ServerError(OpenPaymentsError):
    """The server answered with an error status.

    Attributes:
        status: The HTTP status.
        code: The server's own code, as sent, or an empty string.
        description: The server's own words, as sent, or an empty string.
        details: The server's ``details`` object, as sent.
        www_authenticate: That header as sent; for diagnosis only, never followed.
        retry_after: Seconds to wait, where the server said so.
    """

    def __init__(
        self,
        sentence: str,
        advice: str = "",
        *,
        status: int,
        code: str = "",
        description: str = "",
        details: Mapping[str, Any] | None = None,
        www_authenticate: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence, advice)
        self.status = status
        self.code = code
        self.description = description
        self.details: Mapping[str, Any] = details or {}
        self.www_authenticate = www_authenticate
        self.retry_after = retry_after


class NotPermittedError(ServerError):
    """401 or 403."""

    exit_code = ExitCode.NOT_PERMITTED


class InactiveTokenError(NotPermittedError):
    """The access token expired or was revoked (403 "Inactive Token"): get another."""


class InvalidTokenError(NotPermittedError):
    """401 "Invalid Token"; the auth server may just be down, so the token is kept."""


class InsufficientGrantError(NotPermittedError):
    """The grant does not hold the right that the request needs (403)."""


class SignatureRefusedError(NotPermittedError):
    """The server did not accept the signature, or does not know the key."""


class GoneError(NotPermittedError):
    """A 401 that names the payment: it never existed, or the server has forgotten it."""


class NotFoundError(ServerError):
    """404."""


class ConflictError(ServerError):
    """409: the resource is in another state than the request needs."""


class TooManyRequestsError(ServerError):
    """429: ask again later, after ``retry_after`` seconds where given."""

    exit_code = ExitCode.UNREACHABLE


class ServerFaultError(ServerError):
    """5xx: the server, or a proxy before it, is in trouble."""

    exit_code = ExitCode.UNREACHABLE


class GrantError(ServerError):
    """The authorization server refused a grant, continue or token request."""

    exit_code = ExitCode.NOT_PERMITTED


class InvalidClientError(GrantError):
    """The client wallet address, its jwks or its public name is wrong or out of reach."""


class InteractionNeededError(GrantError):
    """The account holder must consent before this grant is given."""


class GrantDeniedError(GrantError):
    """The account holder, or the server, refused the grant."""


class TooFastError(GrantError):
    """``continue`` was polled before ``wait`` seconds were over."""


class ContinuationError(GrantError):
    """The continuation, interaction reference or rotation is not valid, or no longer."""
