"""A server that says whatever a test wants, byte by byte: a real one does not err on demand."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came over the wire; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    origin: str

    @property
    def url(self) -> str:
        """The target URI that a server reconstructs: scheme, ``Host``, raw target."""
        return f"{self.origin.partition('://')[0]}://{self.headers['host']}{self.target}"


Reply = bytes | Callable[[Received, asyncio.StreamWriter], Awaitable[None]]
"""Raw bytes of a whole answer, or something that writes one itself."""


@dataclass(slots=True)
class RawServer:
    """Answers every request with the next reply; the last one stays."""

    origin: str = ""
    replies: list[Reply] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def reply(self, *replies: Reply) -> None:
        """Set what the next requests are answered with."""
        self.replies = list(replies)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection."""
        self.connections += 1
        try:
            while True:
                request = await self._read(reader)
                self.received.append(request)
                reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                if isinstance(reply, bytes):
                    writer.write(reply)
                    await writer.drain()
                else:
                    await reply(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Received:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.split(": ", 1) for line in lines if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Received(method, target, headers, body, self.origin)


def answer(
    body: object = b"",
    status: str = "200 OK",
    *,
    content_type: str = "application/json; charset=utf-8",
    **headers: str,
) -> bytes:
    """Return a whole HTTP answer; a body that is not bytes is written as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    fields = {"Content-Type": content_type, "Content-Length": str(len(content))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + content


@asynccontextmanager
async def running(tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Run a server on a free loopback port."""
    raw = RawServer()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(raw.serve(reader, writer))
        tasks.add(task)
        await asyncio.wait({task})

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls, limit=2**20)
    scheme = "http" if tls is None else "https"
    raw.origin = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
