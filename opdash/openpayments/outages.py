"""No answer: how far the request got, why it ended, and what a person can do about it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from opdash.openpayments.errors import (
    OpenPaymentsError,
    ProtocolError,
    UnansweredError,
    UnreachableError,
)
from opdash.safetext import safe_text

_CHECK_NETWORK = "Check the address and the network."
_MAYBE_DONE = "The request may have been carried out all the same: look before you repeat it."
_AGAIN = "Try again in a moment."
_CHECK_TRUST = (
    "If the server belongs to a private authority, name that authority's certificate with ca_file "
    "in the profile or in SSL_CERT_FILE; otherwise do not trust this network."
)


class Progress:
    """How far a request got, told by the connection itself."""

    __slots__ = ("_answering", "_connecting", "_sending")

    def __init__(self) -> None:
        self._connecting = False
        self._sending = False
        self._answering = False

    async def note(self, event: str, info: dict[str, Any]) -> None:  # noqa: ARG002 - httpcore's
        """Hear of one step (httpcore's ``trace`` extension)."""
        if event.endswith("send_request_headers.started"):
            self._sending = True
        elif event.endswith("receive_response_headers.complete"):
            self._answering = True
        elif event == "connection.connect_tcp.started":
            self._connecting = True

    @property
    def sent(self) -> bool:
        """Whether the server may have received something of the request."""
        return self._sending

    @property
    def met_closed_connection(self) -> bool:
        """Whether the request was put on a kept connection and brought no answer at all."""
        return self._sending and not self._connecting and not self._answering


def outage(
    method: str, url: str, error: Exception, progress: Progress, timeout: float
) -> OpenPaymentsError:
    """Return the exception for a request that brought no whole answer.

    Args:
        method: In capitals.
        url: What was asked for.
        error: What ended it.
        progress: How far it got.
        timeout: The seconds after which it is given up.
    """
    host = safe_text(urlsplit(url).netloc, limit=80)
    if isinstance(error, httpx.InvalidURL | httpx.LocalProtocolError):
        return ProtocolError("The request cannot be written as HTTP.", field="")
    if isinstance(error, httpx.ProxyError):
        return UnreachableError(
            f"The proxy on the way to {host} refused.", "Check HTTPS_PROXY and NO_PROXY."
        )
    if not progress.sent:
        return UnreachableError(*_why_not_reached(host, error))
    advice = _AGAIN if method == "GET" else _MAYBE_DONE
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return UnansweredError(f"{host} gave no whole answer within {timeout:g} seconds.", advice)
    return UnansweredError(f"The connection to {host} broke before the answer.", advice)


def _why_not_reached(host: str, error: Exception) -> tuple[str, str]:
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                reason = safe_text(cause.verify_message, limit=80)
                return f"The certificate of {host} is not trusted: {reason}.", _CHECK_TRUST
            case ssl.SSLError():
                return f"No secure connection to {host} could be made.", _CHECK_NETWORK
            case socket.gaierror():
                return f"The name {host} cannot be found.", _CHECK_NETWORK
            case ConnectionRefusedError():
                return f"Nothing answers at {host}.", "Check the address, and whether it runs."
            case TimeoutError() | httpx.TimeoutException():
                return f"{host} could not be reached in time.", _CHECK_NETWORK
    return f"{host} cannot be reached.", _CHECK_NETWORK


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        if isinstance(error, BaseExceptionGroup):
            yield from error.exceptions
        yield error
        error = error.__cause__ or error.__context__
