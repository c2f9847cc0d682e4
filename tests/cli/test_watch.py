"""``opdash watch``: each change once, as it happens, until it is told to end."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile

PATIENCE = 30.0
"""Seconds after which something that should happen counts as not happening."""


class Watch:
    """A running ``opdash watch`` whose words are waited for, but not for ever."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._out = _pump(process.stdout)
        self._err = _pump(process.stderr)

    def line(self) -> str:
        """The next line of data; empty when there will be none."""
        return self._out.get(timeout=PATIENCE)

    def change(self) -> dict[str, Any]:
        """The next JSON line of data."""
        line: dict[str, Any] = json.loads(self.line())
        return line

    def wait_to_hear(self, words: str) -> None:
        """Wait until the talk holds these words."""
        line = "…"
        while line and words not in line:
            line = self._err.get(timeout=PATIENCE)
        assert words in line

    def end(self, number: signal.Signals | None = None) -> tuple[int, str, str]:
        """Wait for the end: exit code, and the next lines of data and of talk."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE)
        return code, self._out.get(timeout=PATIENCE), self._err.get(timeout=PATIENCE)


def _pump(stream: IO[str] | None) -> queue.Queue[str]:
    lines: queue.Queue[str] = queue.Queue()

    def run() -> None:
        with suppress(ValueError):  # closed by the test
            for line in stream or ():
                lines.put(line)
        lines.put("")

    threading.Thread(target=run, daemon=True).start()
    return lines


@contextmanager
def watching(shell: Shell, *words: str) -> Iterator[Watch]:
    """Watch from after the first poll until the end of the block."""
    with shell.spawn("watch", *words, stderr=subprocess.PIPE) as process:
        try:
            watch = Watch(process)
            watch.wait_to_hear("live")
            yield watch
        finally:
            process.kill()


@pytest.fixture
def payment(shop: Shell) -> str:
    words = ["--amount", "80", "--reference", "INV-1", "--json"]
    url: str = shop.done("create", *words).line["paymentId"]
    shop.done("list")
    return url


def test_money_is_printed_when_it_arrives(
    shop: Shell, sandbox: SandboxProcess, payment: str
) -> None:
    with watching(shop, "--json") as watch:
        sandbox.pay(payment, 5000, packets=1)
        sandbox.advance(1)
        change = watch.change()

    assert (change["event"], change["wallet"]) == ("changed", "shop")
    assert (change["previousState"], change["payment"]["state"]) == ("UNPAID", "PARTIAL")
    assert change["previousReceived"]["decimal"] == "0.00"
    assert change["payment"]["received"]["decimal"] == "50.00"
    assert change["payment"]["id"] == payment
    assert change["announce"] is None


def test_what_was_paid_is_announced(shop: Shell, sandbox: SandboxProcess, payment: str) -> None:
    with watching(shop, "--json") as watch:
        sandbox.pay(payment, packets=1)
        sandbox.advance(2)
        change = watch.change()
        while change["announce"] is None:
            change = watch.change()

    assert change["announce"] == "paid"
    assert change["payment"]["state"] == "PAID"


def test_a_new_payment_is_printed_for_people(shop: Shell, payment: str) -> None:
    with watching(shop) as watch:
        new = shop.done("create", "--amount", "7", "--reference", "\x1b[2JINV-2", "--json").line
        line = watch.line()

    assert "○ UNPAID" in line
    assert "0.00 of 7.00 USD" in line
    assert "␛[2JINV-2" in line
    assert new["paymentId"].rpartition("/")[2] in line
    assert "\x1b" not in line


def test_what_is_met_for_the_first_time_is_no_change(shell: Shell, sandbox: SandboxProcess) -> None:
    shell.set_up(shop_profile(sandbox))
    shell.done("create", "--amount", "8")
    with watching(shell, "--json") as watch:
        payment = shell.done("create", "--amount", "9", "--json").line["paymentId"]

        assert watch.change()["payment"]["id"] == payment


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_ends_cleanly_when_told(
    shop: Shell, payment: str, number: signal.Signals, code: int
) -> None:
    with watching(shop) as watch:
        assert watch.end(number) == (code, "", "")


def test_a_reader_that_went_away_ends_it_quietly(
    shop: Shell, sandbox: SandboxProcess, payment: str
) -> None:
    reader, writer = os.pipe()
    with shop.spawn("watch", "--json", stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        os.close(reader)
        sandbox.pay(payment, 100)
        sandbox.advance(1)

        _, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert set(err.splitlines()) <= {"shop: live"}


def test_a_lost_connection_does_not_end_it(shell: Shell, start_sandbox: Any, tmp_path: Any) -> None:
    kept = {"data": tmp_path / "server", "key_file": tmp_path / "client.pem", "auto_consent": True}
    sandbox: SandboxProcess = start_sandbox(**kept)
    port = int(sandbox.url.rpartition(":")[2])
    shell.set_up(shop_profile(sandbox))
    shell.done("list")
    with watching(shell, "--json") as watch:
        sandbox.stop()
        watch.wait_to_hear("Trying again.")
        again: SandboxProcess = start_sandbox(port=port, **kept)
        watch.wait_to_hear("live")
        payment = shell.done("create", "--amount", "9", "--json").line["paymentId"]
        assert again.state(payment)

        assert watch.change()["payment"]["id"] == payment


def test_only_the_named_wallet_is_watched(shop: Shell, sandbox: SandboxProcess) -> None:
    other = shop_profile(sandbox, name="other", wallet_address=sandbox.wallet_addresses[1])
    shop.set_up(*shop.settings.profiles, other)
    with watching(shop, "--wallet", "other", "--json") as watch:
        shop.done("create", "--amount", "1", "--wallet", "shop")
        shop.done("create", "--amount", "2", "--wallet", "other")

        assert watch.change()["wallet"] == "other"


def test_a_key_that_cannot_be_used_ends_it_at_once(shop: Shell, sandbox: SandboxProcess) -> None:
    shop.set_up(shop_profile(sandbox, key_file=shop.config.parent / "no.pem"))

    ran = shop("watch")

    assert ran.code == 2
    assert "There is no key file" in ran.err


def test_without_a_wallet_there_is_nothing_to_watch(shell: Shell) -> None:
    ran = shell("watch")

    assert ran.code == 2
    assert "opdash wallet add" in ran.err
