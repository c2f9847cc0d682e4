"""``opdash`` by itself, in a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opdash.cli.screen import _parsed, _plain
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile

PATIENCE = 60.0
"""Seconds after which something that should happen counts as not happening."""


class Terminal:
    """A terminal of 120×40 with the screen in it."""

    def __init__(self, shell: Shell, *words: str) -> None:
        self._controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = shell.spawn(*words, stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        self.written = b""

    def wait_for(self, text: str) -> None:
        """Read until a text was written, or fail."""
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.written:
            assert time.monotonic() < deadline, self.written[-2000:]
            ready, _, _ = select.select([self._controller], [], [], 1.0)
            if ready:
                try:
                    self.written += os.read(self._controller, 65536)
                except OSError:  # the screen has ended
                    assert text.encode() in self.written, self.written[-2000:]

    @property
    def modes(self) -> list[Any]:
        """How the terminal treats what is typed: by lines or keys, shown or not."""
        return termios.tcgetattr(self._controller)

    def type(self, keys: str) -> None:
        os.write(self._controller, keys.encode())

    def go_away(self) -> None:
        """Close the terminal, as a window or a lost connection does."""
        os.close(self._controller)
        self._controller = -1

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self._controller >= 0:
            os.close(self._controller)


@contextmanager
def terminal(shell: Shell, *words: str) -> Iterator[Terminal]:
    opened = Terminal(shell, *words)
    try:
        yield opened
    finally:
        opened.close()


WORDS = ["--config", "--data-dir", "--wallet", "--debug", "--consent", "--help", "-h", "--wallet=x"]


@given(st.lists(st.sampled_from([*WORDS, "shop", "a b", "", "-", "polling"]), max_size=5))
@example(["--config", "c", "--data-dir", "d", "--wallet", "shop", "--debug"])
@example(["--wallet", "--debug"])
def test_words_read_without_a_parser_mean_what_it_says(words: list[str]) -> None:
    plain = _plain(words)
    if plain is not None:
        assert {"wallet": "", **plain} == _parsed(words)


def test_the_screen_opens_shows_payments_and_closes(shop: Shell) -> None:
    shop.done("create", "--amount", "7.77", "--reference", "INV-777")
    with terminal(shop) as screen:
        screen.wait_for("INV-777")
        screen.wait_for("UNPAID")
        screen.type("q")
        screen.wait_for("\x1b[?1049l")

        assert screen.process.wait(PATIENCE) == 0
    assert b"Traceback" not in screen.written


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_screen_and_puts_the_terminal_back(
    shop: Shell, ending: signal.Signals
) -> None:
    with terminal(shop) as screen:
        before = screen.modes
        screen.wait_for("live")
        assert screen.modes != before
        screen.process.send_signal(ending)
        screen.wait_for("\x1b[?1049l")

        assert screen.process.wait(PATIENCE) == 0
        assert screen.modes == before
    assert b"Traceback" not in screen.written


@pytest.mark.parametrize("told", [True, False])
def test_a_terminal_that_goes_away_ends_the_screen(shop: Shell, told: bool) -> None:
    with terminal(shop) as screen:
        screen.wait_for("live")
        screen.go_away()
        if told:
            screen.process.send_signal(signal.SIGHUP)

        assert screen.process.wait(PATIENCE) == 0


def test_a_signal_ends_the_demo_and_throws_its_keys_away(
    shop: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with terminal(shop, "demo") as screen:
        screen.wait_for("live")
        assert list(tmp_path.glob("**/*.pem"))
        screen.process.send_signal(signal.SIGTERM)

        assert screen.process.wait(PATIENCE) == 0
    assert not list(tmp_path.glob("**/*.pem"))


def test_the_screen_begins_with_the_wallet_that_is_named(
    shop: Shell, sandbox: SandboxProcess
) -> None:
    other = shop_profile(sandbox, name="other", wallet_address=sandbox.wallet_addresses[-1])
    shop.set_up(*shop.settings.profiles, other)
    with terminal(shop, "--wallet", "OTHER") as screen:
        screen.wait_for(sandbox.wallet_addresses[-1].rpartition("/")[2])
        screen.type("q")

        assert screen.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("words", [(), ("demo",)])
@pytest.mark.parametrize("elsewhere", ["stdin", "stdout", "stderr"])
def test_without_a_terminal_there_is_no_screen(
    shell: Shell, words: tuple[str, ...], elsewhere: str
) -> None:
    controller, terminal = pty.openpty()
    streams: dict[str, int] = dict.fromkeys(("stdin", "stdout", "stderr"), terminal)
    streams[elsewhere] = subprocess.PIPE
    process = shell.spawn(*words, **streams)
    process.communicate(timeout=PATIENCE)
    os.close(terminal)
    os.close(controller)
    assert process.returncode == 2


def test_a_wallet_that_is_not_set_up_opens_no_screen(shop: Shell) -> None:
    with terminal(shop, "--wallet", "shp") as screen:
        screen.wait_for("Did you mean “shop”?")

        assert screen.process.wait(PATIENCE) == 2
    assert b"\x1b[?1049h" not in screen.written


def test_a_broken_configuration_opens_no_screen(shop: Shell) -> None:
    shop.config.write_text("theme =\n")
    with terminal(shop) as screen:
        screen.wait_for("line 1: not valid TOML")

        assert screen.process.wait(PATIENCE) == 2
    assert b"\x1b[?1049h" not in screen.written


def test_what_is_typed_at_once_is_carried_out_key_by_key(shop: Shell) -> None:
    shop.done("create", "--amount", "7.77", "--reference", "INV-777")
    shop.done("create", "--amount", "8.88", "--reference", "INV-888")
    with terminal(shop) as screen:
        screen.wait_for("INV-888")
        screen.wait_for("live")
        screen.type("/ref:INV-777\r")
        screen.wait_for("known match")
        screen.type("n12.50\tfor the lamp\t")
        screen.wait_for("12.50")
        screen.wait_for("for the lamp")
