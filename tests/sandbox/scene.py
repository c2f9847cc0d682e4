"""A sandbox with two clients and everything that the recorded exchanges need around it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

from opdash.openpayments.keys import ClientKey
from opdash.sandbox.process import SandboxClient, SandboxProcess
from tests.sandbox.support import RawClient

USD = {"assetCode": "USD", "assetScale": 2}
NO_UUID = "00000000-0000-4000-8000-000000000000"


def usd(value: str) -> dict[str, Any]:
    """Return an amount in US dollars."""
    return {"value": value, **USD}


class Scene:
    """What one replayed exchange works with."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.own = RawClient(sandbox)
        self.other = RawClient(sandbox, sandbox.other_client)
        self.wallet = sandbox.main_wallet
        self.empty = sandbox.wallet_addresses[-1]
        self.sender = sandbox.sender

    def close(self) -> None:
        self.own.close()
        self.other.close()
        self.sandbox.stop()

    def get(self, url: str, **headers: str) -> httpx.Response:
        """Ask without a signature, with exactly these headers."""
        request = httpx.Request("GET", url, headers={"accept": "application/json"} | headers)
        for name in ("user-agent", "accept-encoding"):
            request.headers.pop(name, None)
        return self.own.http.send(request)

    def now(self) -> datetime:
        """Return the sandbox's time, to the second."""
        date: datetime = parsedate_to_datetime(self.get(self.wallet).headers["date"])
        return date.astimezone(UTC)

    def later(self, **by: float) -> str:
        """Return an instant from now, spelled as clients do."""
        return (self.now() + timedelta(**by)).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def payment(self, token: str = "", **body: Any) -> str:
        """Create an incoming payment and return its URL."""
        answer = self.own.create(self.wallet, token or self.own.token(), **body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def paid(self, payment: str, amount: int | None = None, **more: Any) -> str:
        """Pay a payment, let the money arrive, and return the outgoing payment's URL."""
        outgoing = self.sandbox.pay(payment, amount, **more)
        self.sandbox.advance(2)
        return outgoing

    def fresh_grant(self, client: RawClient | None = None) -> dict[str, Any]:
        """Return a grant that was given at once."""
        access = {"type": "incoming-payment", "actions": ["create", "read", "list", "complete"]}
        answer: dict[str, Any] = (client or self.own).grant(access).json()
        return answer

    def pending(
        self, *, finish: bool = False, actions: tuple[str, ...] = ("read-all", "list-all")
    ) -> dict[str, Any]:
        """Return the answer to a grant request that needs consent."""
        interact: dict[str, Any] = {"start": ["redirect"]}
        if finish:
            interact["finish"] = {
                "method": "redirect",
                "uri": "http://127.0.0.1:12345/callback",
                "nonce": "ae4885cce2ceffeb",
            }
        access = {"type": "incoming-payment", "actions": list(actions), "identifier": self.wallet}
        answer: dict[str, Any] = self.own.grant(access, interact=interact).json()
        return answer

    def interaction(self, pending: Mapping[str, Any], step: str = "") -> str:
        """Return the URL of an interaction, or of a step of it."""
        return str(pending["interact"]["redirect"]).partition("?")[0] + step

    def decide(self, pending: Mapping[str, Any], choice: str) -> httpx.Response:
        """Accept or reject, as the consent page would."""
        url = self.interaction(pending).replace("/interact/", "/grant/")
        return self.own.plain("POST", f"{url}/{choice}", json={})

    def visit(self, pending: Mapping[str, Any], choice: str = "") -> httpx.Response:
        """Go through an interaction as a browser, and return the answer to its last step."""
        self.own.http.cookies.clear()
        started = self.own.plain("GET", pending["interact"]["redirect"])
        if choice:
            self.decide(pending, choice)
        cookie = {"cookie": started.headers["set-cookie"].partition(";")[0]}
        return self.own.plain("GET", self.interaction(pending, "/finish"), headers=cookie)

    def proceed(
        self, pending: Mapping[str, Any], *, wait: float = 6, body: bytes | None = None
    ) -> httpx.Response:
        """Continue a grant after so many seconds."""
        if wait:
            self.sandbox.advance(wait)
        continuation = pending["continue"]
        token = continuation["access_token"]["value"]
        return self.own.send("POST", continuation["uri"], token=token, body=body)


class ForeignClient:
    """A client whose wallet address is served by somebody else on this machine.

    Attributes:
        description: What the wallet address answers; None answers 404.
        keys: The keys it serves.
    """

    def __init__(self, sandbox: SandboxProcess, directory: Path) -> None:
        self.key = ClientKey.generate("tmp-1")
        self.keys: list[dict[str, str]] = [self.key.public_jwk()]
        self.description: dict[str, Any] | None = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/alice"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        client = SandboxClient(self.url, "tmp-1", directory)
        self.raw = RawClient(sandbox, client, self.key)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.raw.close()

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body: object = self.description
        if request.path.endswith("/jwks.json"):
            body = {"keys": self.keys}
        request.send_response(404 if self.description is None else 200)
        content = json.dumps(body).encode()
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)
