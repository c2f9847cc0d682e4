"""A shell to type commands in, with a shop set up on the sandbox."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from opdash.cli.main import entry_point
from opdash.sandbox.process import SandboxProcess
from opdash.settings import Profile, Settings, SettingsStore

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def line(self) -> dict[str, Any]:
        """The only JSON line."""
        (line,) = self.lines
        return line


class Shell:
    """Runs commands with a configuration and a data directory of their own."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.config = home / "config" / "config.toml"
        self.data_dir = home / "data"
        self._capsys = capsys

    @property
    def places(self) -> list[str]:
        return ["--config", str(self.config), "--data-dir", str(self.data_dir)]

    @property
    def settings(self) -> Settings:
        return SettingsStore(self.config).load()

    def set_up(self, *profiles: Profile) -> None:
        store = SettingsStore(self.config)
        store.load()
        store.save(Settings(profiles))

    def __call__(self, *words: str) -> Ran:
        """Run a command in this process, as without a terminal."""
        self._capsys.readouterr()
        try:
            code = entry_point([*words, *self.places])
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        return Ran(code, out, err)

    def done(self, *words: str) -> Ran:
        """Run a command that must succeed."""
        ran = self(*words)
        assert ran.code == 0, ran.err
        return ran

    def at_terminal(self, *words: str, typed: str, prompt: str = "") -> Ran:
        """Run a command in a process whose input and talk are at a terminal.

        Args:
            words: The command.
            typed: What is typed.
            prompt: Each line is typed when this is asked once more; at once unless given.
        """
        controller, terminal = pty.openpty()
        process = self.spawn(*words, stdin=terminal, stderr=terminal)
        os.close(terminal)
        said: list[bytes] = []
        listener = threading.Thread(target=_listen, args=(controller, said))
        listener.start()
        for number, line in enumerate(re.findall(r"[^\n]*\n", typed) if prompt else [typed]):
            while prompt and process.poll() is None and _count(said, prompt) <= number:
                time.sleep(0.01)
            os.write(controller, line.encode())
        out, _ = process.communicate(timeout=60)
        listener.join()
        os.close(controller)
        return Ran(process.returncode, out, b"".join(said).decode().replace("\r\n", "\n"))

    def spawn(self, *words: str, **streams: Any) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "opdash", *words, *self.places],
            **{"stdout": subprocess.PIPE, **streams},
            text=True,
            cwd=REPOSITORY,
        )


def _count(said: list[bytes], prompt: str) -> int:
    return b"".join(said).decode(errors="replace").count(prompt)


def _listen(descriptor: int, said: list[bytes]) -> None:
    while True:
        try:
            words = os.read(descriptor, 4096)
        except OSError:  # the other end is closed
            return
        if not words:
            return
        said.append(words)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def shop_profile(sandbox: SandboxProcess, **changes: Any) -> Profile:
    """The sandbox's main wallet address, with the client that the sandbox knows."""
    given: dict[str, Any] = {
        "name": "shop",
        "wallet_address": sandbox.main_wallet,
        "client_wallet_address": sandbox.client.wallet_address,
        "key_id": sandbox.client.key_id,
        "key_file": sandbox.client.private_key,
        "poll_interval": 0.2,
    }
    return Profile(**{**given, **changes})


@pytest.fixture
def shop(shell: Shell, sandbox: SandboxProcess) -> Shell:
    """A shell with one wallet, “shop”, on the sandbox of this worker."""
    shell.set_up(shop_profile(sandbox))
    return shell


Answer = tuple[int, str, bytes]
"""Status, content type and body."""


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Start servers that answer everything in one way; gives their origins."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        status, kind, body = answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):  # the client may stop reading
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
