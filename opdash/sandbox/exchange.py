"""One request as the sandbox's handlers see it, and the answers they give."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from opdash.openpayments.canonical import reserialised
from opdash.sandbox.errors import JSON_TYPE, TEXT_TYPE, InvalidRequestError, Refusal, plain_error

MAX_BODY = 1024 * 1024
"""The largest body that is taken, in bytes."""

_MOST_READ = 16 * MAX_BODY
_TOO_LARGE = (
    b"<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n"
    b"<center><h1>413 Request Entity Too Large</h1></center>\r\n</body>\r\n</html>\r\n"
)
_ACCEPTED = frozenset({"*/*", "application/*", "application/json"})
_NO_QUALITY = re.compile(r";\s*q=0(?:\.0*)?\s*(?:;|$)")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, read whole.

    Attributes:
        method: In capitals.
        url: As it was asked for: scheme, the ``Host`` header, and the raw target.
        path: The decoded path, without a slash at its end.
        headers: By lower-case name.
        query: The decoded query parameters.
        parameters: What the route found in the path.
        body: The bytes of the body, empty when there is none.
    """

    method: str
    url: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    parameters: Mapping[str, str]
    body: bytes

    def check_accepts_json(self) -> None:
        """Refuse a client that does not take JSON.

        Raises:
            InvalidRequestError: With status 406.
        """
        accepted = self.headers.get("accept", "*/*")
        for choice in accepted.split(","):
            media_type = choice.partition(";")[0].strip().lower()
            if media_type in _ACCEPTED and not _NO_QUALITY.search(choice):
                return
        raise InvalidRequestError("Must accept application/json", 406)

    def json_body(self) -> Any:
        """Return the decoded body; a missing one is an empty object.

        Raises:
            InvalidRequestError: The body is of another type (415).
            Refusal: The body is no JSON object.
        """
        content_type = self.headers.get("content-type", "")
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type and media_type != "application/json":
            raise InvalidRequestError(f"Unsupported Content-Type {content_type}", 415)
        if not self.body:
            return {}
        text = reserialised(self.body)
        if text is None or text[:1] not in b"{[":
            raise plain_error(400)
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise plain_error(500) from None


Handler = Callable[[Exchange], Awaitable[Response]]
"""What answers a request."""


def endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler as Starlette calls it."""

    async def call(request: Request) -> Response:
        return await handler(await _read(request))

    return call


def json_answer(body: Any, status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(msgspec.json.encode(body), status, media_type=JSON_TYPE)


def text_answer(text: str, status: int) -> Response:
    """Return an answer in plain text."""
    return Response(text, status, media_type=TEXT_TYPE)


def empty_answer(status: int = 204) -> Response:
    """Return an answer without a body."""
    return Response(status_code=status)


async def _read(request: Request) -> Exchange:
    scope = request.scope
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    target = scope.get("raw_path") or scope["path"].encode()
    query = scope["query_string"]
    if query:
        target += b"?" + query
    host = headers.get("host", "")
    return Exchange(
        method=scope["method"],
        url=f"{scope['scheme']}://{host}{target.decode('latin-1')}",
        path=scope["path"],
        headers=headers,
        query=dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)),
        parameters=scope["path_params"],
        body=await _read_body(request) if _has_body(headers) else b"",
    )


def _has_body(headers: Mapping[str, str]) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def _read_body(request: Request) -> bytes:
    body, length = bytearray(), 0
    async for part in request.stream():
        length += len(part)
        if length <= MAX_BODY:
            body += part
        elif length > _MOST_READ:
            break
    if length > MAX_BODY:
        raise Refusal(413, _TOO_LARGE, "text/html")
    return bytes(body)
