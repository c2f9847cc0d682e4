"""A program in a pseudo-terminal: when it first shows something, and what that took."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

COLUMNS, LINES = 120, 40

PYTHON = sys.executable

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took until something was on the screen.

    Attributes:
        wall: Seconds since the program was started.
        cpu: Seconds of processor time that it used, the start of the interpreter included.
    """

    wall: float
    cpu: float


class Screen:
    """A program that believes to run in a terminal.

    Attributes:
        pid: Its process.
        started: When it was started, by the performance counter.
    """

    def __init__(self, process: subprocess.Popen[bytes], terminal: int, started: float) -> None:
        self.pid = process.pid
        self.started = started
        self._process = process
        self._terminal = terminal
        self._seen = bytearray()

    def wait_for(self, text: bytes) -> None:
        """Read what it writes until that holds a text.

        Raises:
            TimeoutError: It never does.
            EOFError: The program has ended before.
        """
        given_up = perf_counter() + _PATIENCE
        while text not in self._seen:
            self.read_on(given_up - perf_counter())

    def read_on(self, seconds: float) -> int:
        """Read what it writes next, waiting so long at the most; return how many bytes."""
        if not select.select([self._terminal], [], [], max(seconds, 0))[0]:
            raise TimeoutError(bytes(self._seen[-500:]))
        try:
            new = os.read(self._terminal, 1 << 16)
        except OSError as error:
            raise EOFError(bytes(self._seen[-2000:])) from error
        self._seen += new
        return len(new)

    def read_for(self, seconds: float) -> None:
        """Read whatever it writes for so long. Raises `EOFError`."""
        until = perf_counter() + seconds
        while (left := until - perf_counter()) > 0:
            with suppress(TimeoutError):
                self.read_on(left)

    def type(self, keys: bytes) -> None:
        """Press keys, as the terminal sends them."""
        os.write(self._terminal, keys)

    def end(self) -> float:
        """Kill it and return the seconds of processor time that it has used."""
        os.kill(self.pid, 9)
        _, status, used = os.wait4(self.pid, 0)
        self._process.returncode = status
        return used.ru_utime + used.ru_stime


@contextmanager
def started(arguments: Sequence[str]) -> Iterator[Screen]:
    """Run a program in a pseudo-terminal; it is dead when the block ends."""
    terminal, its_end = pty.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    begun = perf_counter()
    with subprocess.Popen(
        arguments,
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        start_new_session=True,
        cwd=_ROOT,
        env=_environment(),
    ) as process:
        os.close(its_end)
        screen = Screen(process, terminal, begun)
        try:
            yield screen
        finally:
            if process.returncode is None:
                screen.end()
            os.close(terminal)


def cost_until(text: bytes, arguments: Sequence[str]) -> Cost:
    """Start a program, kill it as soon as it has written a text, and return what that took."""
    with started(arguments) as screen:
        screen.wait_for(text)
        wall = perf_counter() - screen.started
        return Cost(wall, screen.end())


def _environment() -> dict[str, str]:
    """Return this process's, but as an installed program finds it: compiled, in colour."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
