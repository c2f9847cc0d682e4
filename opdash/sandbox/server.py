"""Runs a sandbox in this process until it is told to end.

Standard output carries exactly one line of JSON, once requests are answered; everything else that
is said goes to standard error.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import uvicorn

from opdash.clock import Clock, SystemClock
from opdash.errors import InputError, KeyFileError, OpdashError
from opdash.openpayments.keys import ClientKey
from opdash.sandbox.app import Sandbox, build_sandbox
from opdash.sandbox.options import HOST, SandboxOptions
from opdash.sandbox.wallets import CLIENT, OTHER_CLIENT, RECEIVERS, SENDER

CLIENT_KEY_ID = "opdash-1"
"""The key id of the client ``/opdash``."""
OTHER_KEY_ID = "till-1"
"""The key id of the client ``/till``."""

_BACKLOG = 256
_KEEP_ALIVE = 75  # seconds, as the usual proxy does: longer than a client waits between two polls
_KEY_FILE = "opdash.pem"
_OTHER_KEY_FILE = "till.pem"


def run_sandbox(options: SandboxOptions, clock: Clock | None = None) -> int:
    """Serve until SIGTERM, SIGINT, or where asked for the end of standard input.

    Args:
        options: What was chosen.
        clock: The machine's clock.

    Returns:
        The exit code, 0.

    Raises:
        InputError: The port is taken, or a file cannot be used.
    """
    signal.signal(signal.SIGTERM, _leave)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="sandbox: %(message)s")
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(_listen(options.port))
        directory = options.data
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="opdash-")))
        base_url = f"http://{HOST}:{listener.getsockname()[1]}"
        files = {
            CLIENT: (options.key_file or directory / _KEY_FILE, CLIENT_KEY_ID),
            OTHER_CLIENT: (directory / _OTHER_KEY_FILE, OTHER_KEY_ID),
        }
        keys = {path: (_served_key(*file),) for path, file in files.items()}
        sandbox = build_sandbox(options, base_url, keys, clock or SystemClock())

        def shown(path: str) -> dict[str, str]:
            file, key_id = files[path]
            return {
                "wallet_address": base_url + path,
                "key_id": key_id,
                "private_key": str(file.absolute()),
            }

        ready = {
            "url": base_url,
            "wallet_addresses": [base_url + wallet.path for wallet in RECEIVERS],
            "client": shown(CLIENT),
            "other_client": shown(OTHER_CLIENT),
            "sender": base_url + SENDER,
        }
        _Server(sandbox, ready, options).run(sockets=[listener])
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # what is left to do is cleaning up
    return 0


class _Server(uvicorn.Server):
    """Says when it serves, and ends with exit code 0 on a signal."""

    def __init__(self, sandbox: Sandbox, ready: dict[str, Any], options: SandboxOptions) -> None:
        super().__init__(
            uvicorn.Config(
                sandbox.app,
                access_log=False,
                date_header=False,
                lifespan="off",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=1,
                ws="none",
            )
        )
        self._sandbox = sandbox
        self._ready = ready
        self._options = options

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        if self._options.until_stdin_closes:
            loop = asyncio.get_running_loop()
            threading.Thread(target=self._await_end_of_input, args=(loop,), daemon=True).start()
        sys.stdout.write(msgspec.json.encode(self._ready).decode() + "\n")
        sys.stdout.flush()
        if sys.stderr.isatty():
            sys.stderr.write(f"opdash: serving at {self._ready['url']}; Ctrl+C ends it.\n")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving and close what is open."""
        await super().shutdown(sockets)
        await self._sandbox.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let a signal end the server, and leave it at that."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def _await_end_of_input(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        with contextlib.suppress(RuntimeError):  # the loop may be gone by now
            loop.call_soon_threadsafe(setattr, self, "should_exit", True)


def _leave(*_: object) -> NoReturn:
    """End with exit code 0 while the server is still being put together."""
    raise SystemExit(0)


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio switches Nagle's algorithm off: 40 ms for each answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"Port {port} cannot be used: {error.strerror or 'it is taken'}.",
            "Choose another with --port, or 0 for any free one.",
        ) from error
    listener.listen(_BACKLOG)
    return listener


def _open_key(file: Path, key_id: str) -> ClientKey:
    """Read a private key, or make it where the file is not there."""
    try:
        return ClientKey.from_pem(file.read_bytes(), key_id)
    except FileNotFoundError:
        key = ClientKey.generate(key_id)
        _write_private(file, key.to_pem())
        return key
    except OSError as error:
        raise KeyFileError(f"The key file {file} cannot be read: {error.strerror}.") from error


def _served_key(file: Path, key_id: str) -> dict[str, str]:
    """Return the public half of a key with the fields that the real servers serve."""
    jwk = _open_key(file, key_id).public_jwk()
    return {name: jwk[name] for name in ("kid", "x", "alg", "kty", "crv")}


def _write_private(file: Path, content: bytes) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
    except OSError as error:
        raise OpdashError(f"The key file {file} cannot be written: {error.strerror}.") from error
