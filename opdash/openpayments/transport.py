"""HTTP underneath the client: bytes out, bytes in, and every failure as one of ours.

What is sent is exactly what was signed. Redirects are not followed, cookies are not kept, and an
answer is read only so far as it is worth reading.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from opdash.clock import Clock
from opdash.openpayments.errors import AnswerTooLargeError, OpenPaymentsError, ProtocolError
from opdash.openpayments.flights import COMMON_HEADERS, Flight
from opdash.openpayments.outages import outage
from opdash.openpayments.pools import Pools
from opdash.openpayments.servertime import ServerTime
from opdash.openpayments.traces import Trace, Tracer
from opdash.redact import masked_url

MAX_ANSWER = 2 * 1024 * 1024
"""The most bytes of an answer's body that are read, unpacked."""

_SHARE_OF_CONNECTING = 0.45
"""How much of the whole time connecting may take, and securing the connection again: httpx closes
what it times out itself, and leaks what is cancelled in between."""

_LOST_CONNECTION = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, without headers and bodies, for logs.

    Attributes:
        request_id: Counts the requests of one client from 1.
        method: Such as ``GET``.
        url: What was asked for; the last part of a token's or grant's own URL is masked.
        status: The answer's status; None when there was none.
        seconds: From asking to the end of the answer.
        problem: Why there was no whole answer, or an empty string.
    """

    request_id: int
    method: str
    url: str
    status: int | None
    seconds: float
    problem: str = ""

    def __str__(self) -> str:
        outcome = self.problem if self.status is None else f"{self.status} {self.problem}".strip()
        return f"#{self.request_id} {self.method} {self.url} → {outcome} in {self.seconds:.3f} s"


Observer = Callable[[Exchange], None]
"""Is told of every exchange, on the event loop; it must not raise."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        url: What was asked for.
        status: The HTTP status.
        headers: The headers; names in any case.
        body: The whole body, unpacked.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Sends requests over pooled connections. One belongs to one event loop."""

    def __init__(
        self,
        clock: Clock,
        *,
        ca_file: Path | None = None,
        observer: Observer | None = None,
        tracer: Tracer | None = None,
        timeout: float = 10.0,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            clock: For the offset of the server's clock.
            ca_file: Certificates (PEM) to trust instead of the system's.
            observer: Is told of every exchange.
            tracer: Is handed what went over the wire, without secrets; where there is none,
                nothing of it is collected.
            timeout: Seconds until the whole answer must be there.
            max_answer: Bytes of an answer's body that are read at most.

        Raises:
            ConfigError: The file of certificates cannot be used.
        """
        self._clock = clock
        self._observer = observer
        self._tracer = tracer
        self._timeout = timeout
        self._timeouts = {"connect": timeout * _SHARE_OF_CONNECTING}
        self._max_answer = max_answer
        self._pools = Pools(ca_file)
        self._count = 0
        self._server_time = ServerTime(clock)

    @property
    def server_offset(self) -> timedelta:
        """The server's clock less this machine's: the median over the last ``Date`` headers."""
        return self._server_time.offset

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        masked: bool = False,
        purpose: str = "",
    ) -> Answer:
        """Send one request and return the answer, whatever its status.

        A GET that meets a connection which the server has just closed is sent once more on a new
        one; nothing else is ever repeated.

        Args:
            method: In capitals.
            url: As `opdash.openpayments.addresses.wire_url` returns it.
            headers: All headers but ``Host``, ``Accept``, ``User-Agent`` and the connection's own.
            body: The body, or None.
            masked: Whether the URL itself gives access to something, and logs must not show it.
            purpose: What the request is for, as the end of "opdash wants to …".

        Raises:
            UnreachableError: Nothing was sent.
            UnansweredError: The request was sent, at least in part, and no whole answer came.
            ProtocolError: The answer is no HTTP that can be read.
            AnswerTooLargeError: The answer is larger than opdash reads.
        """
        self._count += 1
        started = self._clock.monotonic()
        flight = Flight(self._count, self._clock.now(), method, url, headers, body, masked, purpose)
        status: int | None = None
        problem = reason = "cancelled"
        try:
            answer = await self._answer(flight)
            status, problem, reason = answer.status, "", ""
            return answer
        except OpenPaymentsError as error:
            problem, reason = type(error).__name__, error.sentence
            raise
        finally:
            seconds = self._clock.monotonic() - started
            if self._observer is not None:
                shown = masked_url(url) if masked else url
                self._observer(Exchange(flight.number, method, shown, status, seconds, problem))
            if self._tracer is not None:
                self._tracer(Trace.of(flight.sight(seconds, reason)))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pools.aclose()

    async def _answer(self, flight: Flight) -> Answer:
        method, url = flight.method, flight.url
        pool = await self._pools.pool(url)
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    return await self._once(pool, flight)
                except _LOST_CONNECTION:
                    if method != "GET" or not flight.progress.met_closed_connection:
                        raise
                flight.begin_anew()
                return await self._once(pool, flight)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise outage(method, url, error, flight.progress, self._timeout) from error

    async def _once(self, pool: httpx.AsyncBaseTransport, flight: Flight) -> Answer:
        flight.request = request = httpx.Request(
            flight.method,
            flight.url,
            headers={**COMMON_HEADERS, **flight.headers},
            content=flight.body,
            extensions={"trace": flight.progress.note, "timeout": self._timeouts},
        )
        _send_target_as_signed(request, flight.url)
        asked_at = self._clock.now()
        flight.response = response = await pool.handle_async_request(request)
        try:
            self._server_time.learn(response.headers, asked_at)
            await self._read(response, flight.chunks)
        finally:
            await response.aclose()
        return Answer(flight.url, response.status_code, response.headers, b"".join(flight.chunks))

    async def _read(self, response: httpx.Response, chunks: list[bytes]) -> None:
        unpack = _unpacker(response.headers.get("content-encoding", ""))
        size = 0
        async for packed in _stream_of(response):
            chunk = packed
            if unpack is not None:
                chunk = _unpacked(unpack, packed, self._max_answer + 1 - size)
            size += len(chunk)
            if size > self._max_answer:
                raise AnswerTooLargeError(
                    f"The server's answer is larger than {self._max_answer // 1024} KiB, "
                    "which opdash does not read.",
                    "Ask for a shorter page.",
                )
            chunks.append(chunk)
        if unpack is not None and not unpack.eof and size:
            raise ProtocolError("The server's packed answer ends too early.")


def _stream_of(response: httpx.Response) -> httpx.AsyncByteStream:
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - what an async pool returns
    return stream


def _send_target_as_signed(request: httpx.Request, url: str) -> None:
    """Keep httpx from writing a URL in another spelling than the one that was signed."""
    target = url[url.index("/", url.index("//") + 2) :].encode("ascii")
    if request.url.raw_path != target:
        request.extensions["target"] = target


def _unpacker(encoding: str) -> Any:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(wbits=31)
    raise ProtocolError("The server packed its answer in a way that opdash did not offer.")


def _unpacked(unpack: Any, packed: bytes, most: int) -> bytes:
    try:
        return bytes(unpack.decompress(packed, max(most, 1)))
    except zlib.error as error:
        raise ProtocolError("The server's packed answer is damaged.") from error
