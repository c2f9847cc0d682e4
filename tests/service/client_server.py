"""A client wallet address on this machine whose keys a test registers and takes away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ClientServer:
    """A provider that serves one client wallet address.

    Attributes:
        address: The wallet address.
        keys: The JWKs that it serves.
        public_name: Its name, or None.
        asked: How often its keys were asked for.
    """

    def __init__(self, origin: str) -> None:
        self.address = f"{origin}/opdash"
        self.keys: list[dict[str, str]] = []
        self.public_name: str | None = "opdash of Rosa"
        self.asked = 0

    def register(self, jwk: str) -> None:
        """Serve a key from now on, beside those that are there."""
        self.keys.append(json.loads(jwk))

    def deregister(self, key_id: str) -> None:
        """Serve a key no longer."""
        self.keys = [key for key in self.keys if key["kid"] != key_id]

    def answer(self, path: str) -> dict[str, Any] | None:
        if path == "/opdash/jwks.json":
            self.asked += 1
            return {"keys": self.keys}
        if path == "/opdash":
            named = {"publicName": self.public_name} if self.public_name else {}
            origin = self.address.removesuffix("/opdash")
            return named | {
                "id": self.address,
                "assetCode": "USD",
                "assetScale": 2,
                "authServer": origin + "/auth",
                "resourceServer": origin + "/resources",
            }
        return None


@contextmanager
def client_server() -> Iterator[ClientServer]:
    """Serve one until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = served.answer(self.path)
            body = json.dumps(found or {}).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = ClientServer(f"http://127.0.0.1:{server.server_port}")
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
