"""The one place through which every request passes.

Here time catches up, answers are held back where that was asked for, and the headers that all
answers share are set.
"""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opdash.sandbox.clock import SandboxClock, http_date
from opdash.sandbox.outages import Outages
from opdash.sandbox.simulation import Simulation

COUNT_PATH = "/sandbox/requests"
"""Tells how many requests of the protocol have arrived, whatever was answered."""


class FrontDoor:
    """Wraps the application, and counts the requests of the protocol.

    Args:
        app: What answers.
        clock: The sandbox's clock; the ``Date`` header follows it.
        simulation: What happens while nobody asks.
        outages: Tells which servers are down.
        latency: Milliseconds by which each answer is held back.
    """

    def __init__(
        self,
        app: ASGIApp,
        clock: SandboxClock,
        simulation: Simulation,
        outages: Outages,
        latency: int,
    ) -> None:
        self._app = app
        self._clock = clock
        self._simulation = simulation
        self._outages = outages
        self._latency = latency
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        is_own = path.startswith("/sandbox/")
        held_back = 0 if is_own else self._latency / 1000
        self._requests += not is_own
        self._simulation.catch_up()
        if path.endswith("/") and not path.endswith("//") and path != "/":
            scope["path"] = path[:-1]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                if held_back:
                    await self._clock.sleep(held_back)
                message["headers"] += [
                    (b"date", http_date(self._clock.shown()).encode()),
                    (b"vary", b"Origin"),
                    (b"access-control-allow-origin", b"*"),
                ]
            await send(message)

        app = self._outages.answer(path) or self._app
        if path == COUNT_PATH:
            app = JSONResponse({"requests": self._requests})
        await app(scope, receive, send_with_headers)
