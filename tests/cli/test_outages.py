"""``opdash list`` while the authorization server is down, at every moment and in every manner."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from opdash.paths import token_path
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile

PAGE = b"<html><body>Welcome to the hotel's network</body></html>"

Answer = tuple[int, dict[str, str], bytes]


class Provider:
    """A wallet address whose authorization server does what a test wants.

    Attributes:
        grant: What it answers to a request for a grant; None hangs up. By default it gives one.
        rotation: The same for a rotation.
        listing: What the resource server answers.
        refuses: Whether nothing listens where the authorization server should be.
    """

    def __init__(self) -> None:
        self.grant: Answer | None = None
        self.rotation: Answer | None = None
        self.listing: Answer | None = None
        self.refuses = False
        self.asked: list[str] = []
        self.url = ""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"

    @property
    def wallet(self) -> dict[str, Any]:
        auth = self.nowhere if self.refuses else self.url
        return {
            "id": f"{self.url}/rosa",
            "publicName": "Rosa",
            "assetCode": "USD",
            "assetScale": 2,
            "authServer": f"{auth}/auth",
            "resourceServer": f"{self.url}/rs",
        }

    @property
    def token(self) -> dict[str, Any]:
        return {
            "access_token": {
                "value": "T1",
                "manage": f"{self.url}/auth/token/1",
                "expires_in": 600,
                "access": [],
            },
            "continue": {"access_token": {"value": "C1"}, "uri": f"{self.url}/auth/continue/1"},
        }

    def answer(self, method: str, path: str) -> Answer | None:
        self.asked.append(f"{method} {path.partition('?')[0]}")
        if path == "/rosa":
            return answer(self.wallet)
        if path.startswith("/auth/token") and method == "POST":
            return self.rotation
        if path.startswith("/auth/") or path == "/auth":
            return self.grant
        return self.listing


def answer(content: object, status: int = 200, **headers: str) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    kind = {"Content-Type": "text/html" if body.startswith(b"<") else "application/json"}
    return status, kind | headers, body


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            said = made.answer(self.command, self.path)
            if said is None:
                self.close_connection = True
                return
            status, headers, body = said
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}"
    made.grant = answer(made.token)
    made.rotation = answer(made.token)
    made.listing = answer({"pagination": {"hasNextPage": False, "hasPreviousPage": False},
                           "result": []})  # fmt: skip
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def rosa(shell: Shell, sandbox: SandboxProcess, provider: Provider) -> Shell:
    shell.set_up(shop_profile(sandbox, wallet_address=f"{provider.url}/rosa"))
    return shell


MANNERS: dict[str, Answer | None] = {
    "hangs up": None,
    "502 page": answer(PAGE, 502),
    "503 words": answer(b"no upstream", 503),
    "504 empty": answer(b"", 504),
    "portal": answer(PAGE),
    "portal elsewhere": answer(b"", 302, Location="http://portal.example/login"),
    "empty": answer(b""),
    "cut off": answer(b'{"access_token":{"value"'),
    "proxy's 404": answer(PAGE, 404),
    "bare 404": answer(b"", 404),
    "429": answer(b"slow down", 429),
}
ALL_MANNERS = pytest.mark.parametrize("said", MANNERS.values(), ids=MANNERS)


def expire(shell: Shell) -> None:
    """Let the kept token be of long ago."""
    path = token_path(shell.data_dir, "shop")
    kept = json.loads(path.read_text())
    long_ago = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    kept["grants"]["incoming"]["renewed_at"] = long_ago
    path.write_text(json.dumps(kept))


def ends(shell: Shell, code: int) -> None:
    ran = shell("list")
    assert ran.code == code, ran.err
    assert "opdash: " in ran.err
    assert "fault of its own" not in ran.err


def test_this_provider_is_sound(rosa: Shell) -> None:
    rosa.done("list")


@ALL_MANNERS
def test_before_the_grant(rosa: Shell, provider: Provider, said: Answer | None) -> None:
    provider.grant = said
    ends(rosa, 5)


def test_where_nothing_listens(rosa: Shell, provider: Provider) -> None:
    provider.refuses = True
    ends(rosa, 5)


@ALL_MANNERS
def test_when_a_kept_token_has_ended(rosa: Shell, provider: Provider, said: Answer | None) -> None:
    rosa.done("list")
    expire(rosa)
    provider.rotation = provider.grant = said
    ends(rosa, 5)


@ALL_MANNERS
def test_when_the_resource_server_calls_the_token_inactive(
    rosa: Shell, provider: Provider, said: Answer | None
) -> None:
    rosa.done("list")
    provider.listing = answer({"error": {"code": "403", "description": "Inactive Token"}}, 403)
    provider.rotation = provider.grant = said
    ends(rosa, 5)


@pytest.mark.parametrize(
    ("status", "words", "code"),
    [(401, "Invalid Token", 4), (500, "Internal Server Error", 5), (502, "Bad Gateway", 5)],
)
@pytest.mark.parametrize("is_kept", [False, True], ids=["new token", "kept token"])
def test_between_the_grant_and_the_list(
    rosa: Shell, provider: Provider, status: int, words: str, code: int, is_kept: bool
) -> None:
    """Real resource servers ask the authorization server about each token, and say so."""
    if is_kept:
        rosa.done("list")
    provider.listing = answer({"error": {"code": str(status), "description": words}}, status)
    ends(rosa, code)


@pytest.mark.parametrize("portal", [False, True], ids=["502", "portal"])
@pytest.mark.parametrize("moment", ["before the grant", "token kept", "token ended"])
def test_on_the_sandbox(
    shell: Shell, fresh_sandbox: SandboxProcess, moment: str, portal: bool
) -> None:
    shell.set_up(shop_profile(fresh_sandbox))
    if moment != "before the grant":
        shell.done("list")
    if moment == "token ended":
        expire(shell)
    fresh_sandbox.take_down("authorization", portal=portal)
    ends(shell, 4 if moment == "token kept" else 5)
    fresh_sandbox.take_down()
    shell.done("list")
