"""Signing a refused request for what the server may have seen of it, to find out what it saw."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from opdash.errors import OpdashError
from opdash.openpayments.addresses import wire_url
from opdash.openpayments.grants import Grant, decode_grant
from opdash.openpayments.secrets import Secret
from opdash.openpayments.signatures import sign_request
from opdash.openpayments.traces import Trace
from opdash.openpayments.transport import Answer, Transport
from opdash.service.doctor.case import Case


class Guess(NamedTuple):
    """What may become of a URL on the way.

    Attributes:
        words: The same in words, as the end of "it sees it …".
        change: Returns what the server sees of a URL.
    """

    words: str
    change: Callable[[str], str]


def guesses(trace: Trace, wallet_id: str) -> Iterator[Guess]:
    """Yield what may become of a request's URL on the way, the likelier first.

    Args:
        trace: The request.
        wallet_id: The wallet address that named the server.
    """
    named = trace.header("www-authenticate").partition("as_uri=")[2].strip('"')
    parts = urlsplit(trace.url)
    other = "http" if parts.scheme == "https" else "https"
    tried = {trace.url}
    for guess in (
        Guess(f"with {other} instead of {parts.scheme}", lambda url: _with(url, scheme=other)),
        Guess("with another slash at its end", _slashed),
        Guess("with the host of the wallet address", lambda url: _at(url, wallet_id)),
        Guess("with the host that its own words name", lambda url: _at(url, named)),
        Guess("without the port", lambda url: _with(url, netloc=parts.hostname or "")),
        Guess("without the first part of its path", _shortened),
        Guess("with percent-encoding undone", unquote),
    ):
        url = guess.change(trace.url)
        if url not in tried and url.isascii() and url.isprintable():
            tried.add(url)
            yield guess


def _with(url: str, **parts: str) -> str:
    return urlsplit(url)._replace(**parts).geturl()


def _at(url: str, other: str) -> str:
    there = urlsplit(other)
    return _with(url, scheme=there.scheme, netloc=there.netloc) if there.netloc else url


def _slashed(url: str) -> str:
    path = urlsplit(url).path
    return _with(url, path=path.removesuffix("/") if path.endswith("/") else f"{path}/")


def _shortened(url: str) -> str:
    path = urlsplit(url).path
    return _with(url, path=path[path.index("/", 1) :]) if path.count("/") > 1 else url


class Attempt:
    """Sends requests that are signed for another URL than the one they are sent to.

    Args:
        case: Who asks.
        transport: Sends.
    """

    def __init__(self, case: Case, transport: Transport) -> None:
        assert case.key is not None  # noqa: S101 - nothing was signed without it
        self._key = case.key
        self._case = case
        self._transport = transport

    async def is_taken(self, trace: Trace, guess: Guess, token: Secret | None) -> bool:
        """Send a request anew, signed as a guess says; what it brings is given back."""
        body = None if trace.body is None else trace.body.encode()
        try:
            answer = await self._send(trace.method, trace.url, guess, token, body)
            if answer.status >= 300:
                return False
            if trace.method == "POST":
                await self._give_back(decode_grant(answer.body), guess)
        except OpdashError:
            return False
        return True

    async def _give_back(self, grant: Grant, guess: Guess) -> None:
        with contextlib.suppress(OpdashError):  # what is not given back ends by itself
            if grant.token is not None and self._case.is_at_auth_server(grant.token.manage):
                await self._send("DELETE", grant.token.manage, guess, grant.token.value)
            going = grant.continuation
            if going is not None and self._case.is_at_auth_server(going.uri):
                await self._send("DELETE", going.uri, guess, going.token)

    async def _send(
        self,
        method: str,
        url: str,
        guess: Guess,
        token: Secret | None,
        body: bytes | None = None,
    ) -> Answer:
        now = self._case.clock.now() + self._case.asking.server_offset
        headers = sign_request(
            self._key,
            method,
            guess.change(url),
            created=int(now.timestamp()),
            authorization=None if token is None else f"GNAP {token.reveal()}",
            body=body,
        )
        return await self._transport.send(
            method, wire_url(url), headers, body, masked=method == "DELETE"
        )
