"""``opdash reconcile FILE --follow``: each change once, as it happens, until Ctrl+C."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import IO, Any

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile
from tests.cli.test_reconcile import Till

PATIENCE = 60


class Following:
    """A command under way, whose words are waited for, but not for ever."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._out = _lines_of(process.stdout)
        self._talk = _lines_of(process.stderr)

    def line(self) -> str:
        return self._out.get(timeout=PATIENCE)

    def record(self, kind: str) -> dict[str, Any]:
        while True:
            found: dict[str, Any] = json.loads(self.line())
            if found["type"] == kind:
                return found

    def wait_to_hear(self, words: str) -> str:
        while words not in (line := self._talk.get(timeout=PATIENCE)):
            assert line, f"it never said “{words}”"
        return line

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)


def _lines_of(stream: IO[str] | None) -> Queue[str]:
    lines: Queue[str] = Queue()

    def run() -> None:
        for line in stream or ():
            lines.put(line)
        lines.put("")

    threading.Thread(target=run, daemon=True).start()
    return lines


@contextmanager
def following(till: Till, file: str, *words: str) -> Iterator[Following]:
    """Follow from after the report until the end of the block."""
    options = ["reconcile", file, "--follow", *words]
    with till.shell.spawn(*options, stderr=subprocess.PIPE) as process:
        try:
            follow = Following(process)
            follow.wait_to_hear("live; each change follows")
            yield follow
        finally:
            process.kill()


@pytest.fixture
def till(shell: Shell, fresh_sandbox: SandboxProcess) -> Till:
    (empty,) = [one for one in fresh_sandbox.wallet_addresses if one.endswith("/new")]
    shell.set_up(shop_profile(fresh_sandbox, wallet_address=empty))
    return Till(shell, fresh_sandbox)


def test_an_invoice_turns_paid_and_the_end_is_all_clear(
    till: Till, fresh_sandbox: SandboxProcess
) -> None:
    url = till.payment("12.50", reference="INV-1")
    file = till.file("Invoice,Amount\nINV-1,12.50\n")
    with following(till, file, "--json") as follow:
        assert follow.record("result")["clear"] is True
        fresh_sandbox.pay(url)
        fresh_sandbox.advance(2)
        change = follow.record("invoiceChange")
        while change["class"] != "PAID" or change["flags"]:
            change = follow.record("invoiceChange")
        assert change["number"] == "INV-1"
        assert change["received"]["decimal"] == "12.50"
        assert change["matches"][0]["paymentId"] == url
        assert follow.end() == 0


def test_changes_for_people_and_an_exception_at_the_end(
    till: Till, fresh_sandbox: SandboxProcess
) -> None:
    url = till.payment("12.50", reference="INV-1")
    other = till.payment("3.00", description="thanks")
    file = till.file("Invoice,Amount\nINV-1,10.00\n")
    with following(till, file) as follow:
        fresh_sandbox.pay(url)
        fresh_sandbox.advance(2)
        while "→ OVERPAID" not in (line := follow.line()):
            pass
        assert "INV-1" in line
        assert "12.50 of 10.00 USD" in line
        fresh_sandbox.pay(other)
        fresh_sandbox.advance(2)
        while "payment  UNMATCHED" not in (line := follow.line()):
            pass
        assert "thanks" in line
        assert follow.end() == 3


def test_the_file_is_read_again_when_it_changes(till: Till) -> None:
    till.payment("12.50", reference="INV-1")
    file = till.file("Invoice,Amount\nINV-1,12.50\n")
    with following(till, file, "--json") as follow:
        Path(file).write_text("Invoice,Amount\nINV-2,1.00\n")
        follow.wait_to_hear("has changed and was read again: 1 invoices.")
        new, left = follow.record("invoiceChange"), follow.record("invoiceChange")
        assert (new["number"], new["before"], new["class"]) == ("INV-2", None, "OUTSTANDING")
        assert (left["number"], left["before"], left["class"]) == ("INV-1", "OUTSTANDING", None)
        Path(file).write_bytes(b"PK\x03\x04\0")
        follow.wait_to_hear("What follows is of the file as it was.")
        assert follow.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--follow", "--markdown"), "--markdown is a summary of one moment"),
        (("--follow", "--offline"), "--follow asks servers"),
        (("--review", "--json"), "--review opens the screen"),
        (("--review",), "The screen needs a terminal"),
    ],
)
def test_what_does_not_go_together(till: Till, words: tuple[str, ...], said: str) -> None:
    file = till.file("Invoice,Amount\nINV-1,12.50\n")
    ran = till.shell("reconcile", file, *words)
    assert ran.code == 2
    assert said in ran.err
