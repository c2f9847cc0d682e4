"""Starts a sandbox as a process of its own, for the demo and for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opdash.errors import OpdashError

_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
_TALK_KEPT = 4000


class SandboxError(OpdashError):
    """The sandbox did not start, or refused a request of its own."""


@dataclass(frozen=True, slots=True)
class SandboxClient:
    """A client that the sandbox knows.

    Attributes:
        wallet_address: Its wallet address, where its key is served.
        key_id: The key's id.
        private_key: The PEM file of the private key.
    """

    wallet_address: str
    key_id: str
    private_key: Path


class SandboxProcess:
    """A running sandbox; as a context manager it ends with the block.

    It ends by itself when this process goes away.

    Attributes:
        url: Its origin.
        wallet_addresses: Those that get paid; the first is the main one, the last has no payments.
        client: The client whose payments the seed holds.
        other_client: A second client.
        sender: The wallet address that pays.
    """

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, Any], talk: _Talk) -> None:
        self._process = process
        self._talk = talk
        self.url: str = ready["url"]
        self.wallet_addresses: tuple[str, ...] = tuple(ready["wallet_addresses"])
        self.client = _client(ready["client"])
        self.other_client = _client(ready["other_client"])
        self.sender: str = ready["sender"]

    @classmethod
    def start(
        cls,
        *,
        payments: int | None = None,
        seed: int = 1,
        payer: bool = False,
        auto_consent: bool = False,
        free_lists: bool = False,
        continue_wait: int = 5,
        date_offset: int = 0,
        port: int = 0,
        key_file: Path | None = None,
        data: Path | None = None,
        latency: int = 0,
    ) -> SandboxProcess:
        """Start a sandbox and wait until it serves; see `SandboxOptions` for the arguments.

        Raises:
            SandboxError: It ended, or said nothing in time.
        """
        command = [sys.executable, "-m", "opdash", "sandbox", "--until-stdin-closes"]
        command += ["--port", str(port), "--seed", str(seed), "--latency", str(latency)]
        command += [] if payments is None else ["--payments", str(payments)]
        command += ["--payer"] if payer else []
        command += ["--auto-consent"] if auto_consent else []
        command += ["--free-lists"] if free_lists else []
        command += ["--continue-wait", str(continue_wait)]
        command += ["--date-offset", str(date_offset)] if date_offset else []
        command += [] if key_file is None else ["--key-file", str(key_file)]
        command += [] if data is None else ["--data", str(data)]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            start_new_session=True,
        )
        talk = _Talk(process)
        try:
            return cls(process, json.loads(talk.first_line()), talk)
        except BaseException as error:
            _end(process)
            talk.join()
            if isinstance(error, ValueError):
                raise SandboxError("The sandbox did not start.", talk.last_words) from error
            raise

    @property
    def main_wallet(self) -> str:
        """The wallet address that holds most of the seed."""
        return self.wallet_addresses[0]

    def pay(
        self,
        payment: str,
        amount: int | None = None,
        *,
        packets: int | None = None,
        fails: bool = False,
    ) -> str:
        """Pay an open incoming payment; the money arrives 0.3 s later.

        Args:
            payment: The incoming payment's URL.
            amount: Minor units; None pays what is missing.
            packets: In how many parts, 0.2 s apart.
            fails: Whether the sender runs out of money before the last part.

        Returns:
            The URL of the outgoing payment.

        Raises:
            SandboxError: The payment takes no money.
        """
        order: dict[str, Any] = {"payment": payment, "fails": fails}
        if amount is not None:
            order["amount"] = str(amount)
        if packets is not None:
            order["packets"] = packets
        return str(self._ask("/sandbox/pay", order)["outgoingPayment"])

    def advance(self, seconds: float) -> None:
        """Skip time at the sandbox; what falls due in it takes place."""
        self._ask("/sandbox/clock", {"advance": seconds})

    def take_down(self, *servers: str, portal: bool = False) -> None:
        """Let exactly these servers be down: authorization, resource, wallet-address; or none.

        With ``portal`` a captive portal's page with status 200 stands in for them.
        """
        self._ask("/sandbox/outage", {"down": list(servers), "portal": portal})

    def decide(self, decision: str, *, free_lists: bool = False) -> None:
        """Let consent be asked for ("ask"), or decide without ("allow", "deny")."""
        self._ask("/sandbox/consent", {"decide": decision, "free_lists": free_lists})

    def misdate(self, seconds: int) -> None:
        """Let the ``Date`` header be wrong by so many seconds."""
        self._ask("/sandbox/date", {"offset": seconds})

    def hide_keys(self, *key_ids: str, client: str = "") -> None:
        """Let exactly these keys be missing from a client's jwks; the first client's by default."""
        address = client or self.client.wallet_address
        self._ask("/sandbox/client", {"client": address, "hidden_keys": list(key_ids)})

    def rename(self, public_name: str | None, *, client: str = "") -> None:
        """Give a client another public name, or none; the first client by default."""
        address = client or self.client.wallet_address
        self._ask("/sandbox/client", {"client": address, "public_name": public_name})

    def state(self, payment: str = "") -> dict[str, Any]:
        """Return the truth about the server, or about one incoming payment by its URL."""
        query = f"?payment={payment}" if payment else ""
        return self._ask(f"/sandbox/state{query}")

    def requests(self) -> int:
        """Return how many requests of the protocol have arrived, whatever was answered."""
        return int(self._ask("/sandbox/requests")["requests"])

    def stop(self) -> int:
        """End the sandbox, and return its exit code."""
        code = _end(self._process)
        self._talk.join()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _ask(self, path: str, order: dict[str, Any] | None = None) -> dict[str, Any]:
        body = None if order is None else json.dumps(order).encode()
        request = urllib.request.Request(  # noqa: S310 - our own sandbox on loopback
            self.url + path, data=body, headers={"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_ANSWER_SECONDS) as answer:
                found: dict[str, Any] = json.loads(answer.read())
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise SandboxError(_description(error.read())) from error


class _Talk:
    """Reads what a process says, so that it never blocks on a full pipe."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._words = ""
        self._line = ""
        self._said = threading.Event()
        self._threads = (
            threading.Thread(target=self._listen_out, daemon=True),
            threading.Thread(target=self._listen_err, daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def first_line(self) -> str:
        """Return the first line on standard output; empty when there is none in time."""
        self._said.wait(_START_SECONDS)
        return self._line

    @property
    def last_words(self) -> str:
        """The end of what was said on standard error, on one line."""
        return " ".join(self._words.split())

    def join(self) -> None:
        """Wait until the process has said all, and close its pipes."""
        for thread in self._threads:
            thread.join(_STOP_SECONDS)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _listen_out(self) -> None:
        for line in self._process.stdout or ():
            if not self._said.is_set():
                self._line = line
                self._said.set()
        self._said.set()

    def _listen_err(self) -> None:
        for line in self._process.stderr or ():
            self._words = (self._words + line)[-_TALK_KEPT:]


def _end(process: subprocess.Popen[str]) -> int:
    if process.poll() is None:
        process.terminate()
    if process.stdin is not None:
        process.stdin.close()
    try:
        return process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _client(ready: dict[str, str]) -> SandboxClient:
    return SandboxClient(ready["wallet_address"], ready["key_id"], Path(ready["private_key"]))


def _description(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["description"])
    except (ValueError, KeyError, TypeError):
        return "The sandbox refused the request."
