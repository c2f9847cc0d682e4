"""A listener on this machine to which the browser comes back from the consent page, once.

It is bound to 127.0.0.1 only, on a port that the system chooses, and answers one path that nobody
can guess. Everything else gets a 404, and the wait goes on. What the browser brings counts only
with the hash that the authorization server alone can make (RFC 9635, section 4.2.3); a refusal
carries none and is no more than a hint.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"
"""Where it listens."""

MAX_HEAD = 8 * 1024
"""The most bytes that a request may have."""

PATIENCE = 5.0
"""Seconds in which a request must be there."""

_MAX_CONNECTIONS = 16
_PATH = "/consent/"
_MAX_FIELD = 2048

Check = Callable[[str, str], bool]
"""Whether a hash fits an interaction reference."""


class Return(Enum):
    """What a browser came back with."""

    GRANTED = "granted"
    """A reference, and the hash that proves whom it is from."""
    REFUSED = "refused"
    """The hint that the account holder refused."""
    INVALID = "invalid"
    """The hint that the page could no longer be used."""
    FORGED = "forged"
    """A reference with a hash that does not fit."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A browser came back to the right address.

    Attributes:
        how: What it came back with.
        interact_ref: The reference; empty unless consent was given.
    """

    how: Return
    interact_ref: str = ""


class CallbackListener:
    """Waits for one browser; use it as an async context manager.

    Attributes:
        nonce: opdash's own part of the hash.
        uri: Where the browser is to be sent.
    """

    def __init__(self, stray: Callable[[], None]) -> None:
        """Prepare; nothing listens yet.

        Args:
            stray: Called when a browser comes back for another request than this one.
        """
        self.nonce = secrets.token_urlsafe(24)
        self.uri = ""
        self._state = secrets.token_urlsafe(24)
        self._stray = stray
        self._check: Check | None = None
        self._server: asyncio.Server | None = None
        self._host = ""
        self._returned: asyncio.Future[Returned] = asyncio.get_running_loop().create_future()
        self._talks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> CallbackListener:
        """Begin to listen.

        Raises:
            OSError: No port can be had.
        """
        self._server = await asyncio.start_server(self._accept, HOST, 0, limit=MAX_HEAD)
        port = self._server.sockets[0].getsockname()[1]
        self._host = f"{HOST}:{port}"
        self.uri = f"http://{self._host}{_PATH}{self._state}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening; an answer that is on its way is finished."""
        if self._server is not None:
            self._server.close()
        if self._talks:
            await asyncio.wait(self._talks, timeout=PATIENCE if self._returned.done() else 0)
        for talk in tuple(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        self._returned.cancel()

    def expect(self, check: Check) -> None:
        """Say how to tell the right return; until then none is."""
        self._check = check

    def forget(self) -> None:
        """Wait for the browser anew: what it brought last did not settle anything."""
        if self._returned.done():
            self._returned = asyncio.get_running_loop().create_future()

    async def returned(self) -> Returned:
        """Wait for the browser, and return what it brought."""
        return await asyncio.shield(self._returned)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        if talk is not None and len(self._talks) < _MAX_CONNECTIONS:
            self._talks.add(talk)
            talk.add_done_callback(self._talks.discard)
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                await _answer(writer, HTTPStatus.BAD_REQUEST, _NOTHING_HERE)
            return
        except asyncio.LimitOverrunError:
            await _answer(writer, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _NOTHING_HERE)
            return
        target = _target(head, self._host)
        if isinstance(target, HTTPStatus):
            await _answer(writer, target, _NOTHING_HERE)
            return
        returned = self._judge(target)
        if returned is None:
            is_stray = target.startswith(_PATH)
            await _answer(writer, HTTPStatus.NOT_FOUND, _STRAY if is_stray else _NOTHING_HERE)
            if is_stray:
                self._stray()
            return
        await _answer(writer, *_PAGES[returned.how])
        if not self._returned.done():
            self._returned.set_result(returned)

    def _judge(self, target: str) -> Returned | None:
        """Return what a request brought; None where it is none for this wait."""
        parts = urlsplit(target)
        expected = (_PATH + self._state).encode()
        if not secrets.compare_digest(parts.path.encode(), expected) or self._check is None:
            return None
        query = parse_qs(parts.query, keep_blank_values=True, max_num_fields=32)
        given, reference = _only(query, "hash"), _only(query, "interact_ref")
        if given and reference:
            if self._check(given, reference):
                return Returned(Return.GRANTED, reference)
            return Returned(Return.FORGED)
        if given or reference:
            return Returned(Return.FORGED)
        result = _only(query, "result")
        if not result:
            return None
        return Returned(Return.REFUSED if result == "grant_rejected" else Return.INVALID)


def _target(head: bytes, host: str) -> str | HTTPStatus:
    """Return the target of a request's head, or the status that refuses it."""
    first, *fields = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    target, _, version = rest.rpartition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or not target.startswith("/"):
        return HTTPStatus.BAD_REQUEST
    if method != "GET":
        return HTTPStatus.METHOD_NOT_ALLOWED
    hosts = [value.strip() for name, _, value in (field.partition(":") for field in fields)
             if name.strip().lower() == "host"]  # fmt: skip
    if hosts != [host]:  # a page elsewhere may give this machine a name of its own
        return HTTPStatus.MISDIRECTED_REQUEST
    return target


def _only(query: dict[str, list[str]], name: str) -> str:
    """Return a parameter's value, empty unless it is there just once."""
    values = query.get(name, [])
    return values[0] if len(values) == 1 and len(values[0]) <= _MAX_FIELD else ""


async def _answer(writer: asyncio.StreamWriter, status: HTTPStatus, text: str) -> None:
    body = _PAGE.format(text=text).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'\r\n"
        "Referrer-Policy: no-referrer\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>opdash</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 20vh auto; padding: 0 1rem; }}
</style>
<h1>opdash</h1>
<p>{text}</p>
</html>
"""  # noqa: E501 - the page as it is sent

_NOTHING_HERE = "There is nothing here."
_STRAY = "This page belongs to another request for consent. opdash still waits for its own."
_SHOWN = "opdash shows the outcome. You can close this window: return to opdash."
_PAGES = {
    Return.GRANTED: (
        HTTPStatus.OK,
        f"Your consent has arrived. {_SHOWN}",
    ),
    Return.REFUSED: (
        HTTPStatus.OK,
        f"The consent page reports a refusal; opdash asks the server. {_SHOWN}",
    ),
    Return.INVALID: (
        HTTPStatus.OK,
        f"The consent page reports that it was of no more use; opdash asks the server. {_SHOWN}",
    ),
    Return.FORGED: (
        HTTPStatus.BAD_REQUEST,
        "What this page brought does not fit what opdash asked for. Return to opdash.",
    ),
}
