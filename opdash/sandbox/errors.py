"""How the sandbox says no: the shapes and words of the servers it stands for.

A refusal is raised where it is found and turned into its answer in one place. The three servers
spell errors in three ways: the resource server and the wallet address server with the status as a
code, the authorization server with a code of its own, and both with plain text for what their
frameworks refuse before any of their code runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

JSON_TYPE = "application/json; charset=utf-8"
"""The content type of every JSON answer."""
TEXT_TYPE = "text/plain; charset=utf-8"
"""The content type of what the frameworks themselves answer."""

_REASONS = {400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}


class Refusal(Exception):
    """A request is answered with an error.

    Attributes:
        status: The HTTP status.
        body: The answer's bytes.
        content_type: Their type.
        headers: Further headers.
    """

    def __init__(
        self, status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {body[:200]!r}")
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = dict(headers or {})


def resource_error(
    status: int,
    description: str,
    details: Mapping[str, Any] | None = None,
    *,
    authenticate: str = "",
) -> Refusal:
    """Return a refusal of the resource server or the wallet address server.

    Args:
        status: The HTTP status; its text is the code.
        description: The server's words.
        details: What it adds, if anything.
        authenticate: The value of ``WWW-Authenticate``, where one is sent.
    """
    error: dict[str, Any] = {"code": str(status), "description": description}
    if details is not None:
        error["details"] = details
    headers = {"WWW-Authenticate": authenticate} if authenticate else {}
    return Refusal(status, msgspec.json.encode({"error": error}), JSON_TYPE, headers)


def grant_error(status: int, code: str, description: str) -> Refusal:
    """Return a refusal of the authorization server; an empty code is left out."""
    error = {"code": code, "description": description} if code else {"description": description}
    return Refusal(status, msgspec.json.encode({"error": error}), JSON_TYPE)


def control_error(status: int, description: str) -> Refusal:
    """Return a refusal of the sandbox's own control requests."""
    return resource_error(status, description)


def plain_error(status: int) -> Refusal:
    """Return what a framework answers by itself: the status's name as plain text."""
    return Refusal(status, _REASONS[status].encode(), TEXT_TYPE)


class InvalidRequestError(Exception):
    """A request does not fit its schema.

    Attributes:
        status: The HTTP status.
        message: What does not fit, in the words of the schema validator.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.message = f"Received error validating OpenAPI request: {message}"
