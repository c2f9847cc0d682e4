"""Consent from the command line: where to give it, a code for phones, and how it ends."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

from opdash.qr import qr_code
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile
from tests.sandbox.browser import Browser

_URL = re.compile(r"https?://127\.0\.0\.1:\d+/auth/interact/\S+")


@pytest.fixture(scope="module")
def asking() -> Iterator[SandboxProcess]:
    """A sandbox whose account holders decide themselves."""
    with SandboxProcess.start(payments=3, continue_wait=1) as process:
        yield process


@pytest.fixture
def paid(shell: Shell, asking: SandboxProcess) -> str:
    """A payment that a wallet of ours sent; returns its URL."""
    payer = shop_profile(asking, name="payer", wallet_address=asking.sender)
    shell.set_up(shop_profile(asking), payer)
    words = ["--wallet", "shop", "--amount", "80", "--json"]
    url = asking.pay(shell.done("create", *words).line["paymentId"], packets=1)
    asking.advance(2)
    return url


@dataclass
class Talk:
    """A command that runs, and what it has said at a terminal."""

    process: subprocess.Popen[str]
    words: bytes = b""

    def __post_init__(self) -> None:
        self.grown = threading.Condition()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until something is said."""
        with self.grown:
            assert self.grown.wait_for(lambda: re.search(pattern, self.text), 60), self.text
        found = re.search(pattern, self.text)
        assert found is not None
        return found

    @property
    def text(self) -> str:
        return self.words.decode(errors="replace")


@contextmanager
def terminal(shell: Shell, *words: str, columns: int, rows: int) -> Iterator[Talk]:
    """Run a command that talks to a terminal of some size."""
    controller, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    talk = Talk(shell.spawn(*words, stdin=end, stderr=end))
    os.close(end)

    def listen() -> None:
        with suppress(OSError):
            while said := os.read(controller, 4096):
                with talk.grown:
                    talk.words += said
                    talk.grown.notify_all()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield talk
    finally:
        talk.process.kill()
        talk.process.communicate()
        listener.join()
        os.close(controller)


def drawn(talk: Talk) -> list[str]:
    """Return the rows of the code that was drawn, whose colours are forced."""
    return re.findall(r"\x1b\[38;5;16;48;5;231m([ ▀▄█]+)\x1b\[0m", talk.text)


def test_it_tells_where_counts_down_and_goes_on(
    shell: Shell, asking: SandboxProcess, paid: str
) -> None:
    words = ["outgoing", paid, "--wallet", "payer", "--json"]
    with terminal(shell, *words, columns=120, rows=50) as talk, Browser() as browser:
        url = talk.wait_for(_URL.pattern)[0]
        talk.wait_for(r"Waiting for the answer · 9:5\d left")
        code = qr_code(url)
        assert code is not None
        assert drawn(talk) == list(code.lines)
        assert "opdash may read outgoing payments" in talk.text
        assert "· read every outgoing payment" in talk.text
        browser.press(browser.open(url), "Allow")
        talk.wait_for("Consent was given")
        out, _ = talk.process.communicate(timeout=60)
        assert talk.process.returncode == 0
        assert paid in out


def test_where_the_code_does_not_fit_it_says_why(
    shell: Shell, asking: SandboxProcess, paid: str
) -> None:
    words = ["outgoing", paid, "--wallet", "payer"]
    with terminal(shell, *words, columns=80, rows=24) as talk:
        talk.wait_for("Waiting")
        assert drawn(talk) == []
        assert "terminal has 80 and 24" in talk.text
        talk.process.send_signal(signal.SIGINT)
        assert talk.process.wait(30) == 130


def test_a_browser_that_comes_back_is_waited_for(
    shell: Shell, asking: SandboxProcess, paid: str
) -> None:
    words = ["--consent", "redirect", "outgoing", paid, "--wallet", "payer"]
    with terminal(shell, *words, columns=120, rows=50) as talk, Browser() as browser:
        url = talk.wait_for(_URL.pattern)[0]
        talk.wait_for("Waiting")
        assert drawn(talk) == []
        assert "in a browser on this machine" in talk.text
        page = browser.press(browser.open(url), "Deny")
        assert "return to opdash" in page.text
        talk.wait_for("The account holder refused: opdash may not read outgoing payments.")
        assert talk.process.wait(30) == 4


def test_without_a_terminal_there_are_words_only(
    shell: Shell, asking: SandboxProcess, paid: str
) -> None:
    words = ["outgoing", paid, "--wallet", "payer"]
    with shell.spawn(*words, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        said = ""
        while "minutes for it" not in said:
            said += process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)[1]
    found = _URL.search(said)
    assert found
    assert "\x1b" not in said + rest
    assert process.returncode == 130
    with Browser() as browser:
        assert "invalid" in browser.open(found[0]).text, "nobody can consent to it any more"


def test_an_unknown_way_is_refused(shell: Shell) -> None:
    ran = shell("list", "--consent", "telepathy")
    assert ran.code == 2
    assert "redirect" in ran.err
