"""A clock that does not wait, a receiver on loopback, and events."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opdash.hooks.deliveries import DeliveryError, StoppedError
from opdash.hooks.letters import Letter

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class QuickClock:
    """Time passes only by sleeping, and then at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=sum(self.slept))

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


async def until(happened: Callable[[], object]) -> None:
    """Let everything else go on until something has happened."""
    while not happened():  # noqa: ASYNC110 - nobody who knows would tell
        await asyncio.sleep(0)


class Answering:
    """What a receiver was sent, and what it answers next: a status, headers, or something to do."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]] | Callable[[], None]] = []

    def bodies(self) -> list[bytes]:
        return [body for _, body in self.got]


@contextmanager
def receiving() -> Iterator[Answering]:
    """Run a receiver on loopback; it answers 204 when no other answer is left."""
    state = Answering()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length)
            state.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = state.answers.pop(0) if state.answers else (204, {})
            if callable(answer):
                answer()
                self.close_connection = True
                return
            status, headers = answer
            with suppress(OSError):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


class FakeTarget:
    """Takes or refuses what it is told to."""

    name = "target"

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.taken: list[str] = []
        self.tried: list[str] = []
        self.closed = False

    async def deliver(self, letter: Letter) -> None:
        self.tried.append(letter.id)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        self.taken.append(letter.id)

    async def aclose(self) -> None:
        self.closed = True


def refused(reason: str = "answered 500", **more: Any) -> DeliveryError:
    return DeliveryError(reason, **more)


def stopped() -> StoppedError:
    return StoppedError()


def record(number: int = 1, **payment: Any) -> dict[str, Any]:
    """An event's object, as far as hooks look at it."""
    return {
        "cursor": f"0123456789-{number}-00000000",
        "event": "changed",
        "at": "2026-11-20T12:00:00.000Z",
        "wallet": "shop",
        "announce": "paid",
        "previousState": "UNPAID",
        "previousReceived": None,
        "payment": {
            "id": f"https://rs.example/incoming-payments/{number}",
            "state": "PAID",
            "received": {"value": "700", "assetCode": "USD", "assetScale": 2, "decimal": "7.00"},
            "reference": "INV-7",
            "metadata": {},
            **payment,
        },
    }
