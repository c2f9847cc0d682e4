"""Asking for a passphrase, or for a key itself, on a terminal that does not show what is typed."""

from __future__ import annotations

import contextlib
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from opdash.cli.output import is_interactive
from opdash.errors import KeyFileError, LockedKeyError
from opdash.keyfiles import looks_like_key, read_key
from opdash.openpayments.secrets import Secret
from opdash.safetext import safe_text

if TYPE_CHECKING:
    from opdash.openpayments.keys import ClientKey

_T = TypeVar("_T")
_MOST_LINES = 200


async def asked_at_terminal(path: Path, remark: str) -> Secret | None:
    """Ask for the passphrase of a key file; None where nothing is typed.

    Nothing else goes on meanwhile: what it is for waits for it anyway.
    """
    return ask_passphrase(path, remark)


def ask_passphrase(path: Path, remark: str = "") -> Secret | None:
    """Ask for the passphrase of a key file; None where nothing is typed."""
    shown = safe_text(str(path), limit=200)
    said = f"{safe_text(remark)}\n" if remark else ""
    return ask_hidden(f"{said}Passphrase of {shown}: ")


def ask_hidden(question: str) -> Secret | None:
    """Ask for a line that is not shown while it is typed; None where nothing is typed."""
    typed = _hidden(question, sys.stdin.readline).rstrip("\r\n")
    return Secret(typed) if typed else None


def ask_new_passphrase() -> Secret:
    """Ask twice for the passphrase that a new key is to be encrypted with.

    Raises:
        KeyFileError: Nobody can be asked, nothing was typed, or two different things.
    """
    if not is_interactive():
        raise KeyFileError(
            "A passphrase can be asked for only at a terminal.",
            "Leave out --encrypt, or run the command at a terminal.",
        )
    first = ask_hidden("Passphrase for the new key: ")
    if first is None or ask_hidden("The same again: ") != first:
        raise KeyFileError("No passphrase, or two different ones.", "Nothing was written.")
    return first


def ask_key() -> Secret:
    """Ask for a key to be pasted, PEM or base64 of it; neither is shown."""

    def read() -> str:
        lines: list[str] = []
        for line in sys.stdin:
            lines.append(line)
            text = "".join(lines)
            is_pem = text.lstrip().startswith("-----BEGIN ")
            is_whole = "-----END " in line if is_pem else looks_like_key(text)
            if is_whole or not line.strip() or len(lines) == _MOST_LINES:
                break
        return "".join(lines)

    return Secret(_hidden("Paste the private key, PEM or base64, and press Enter: ", read))


def with_passphrase(read: Callable[[Secret | None], _T], path: Path) -> tuple[_T, Secret | None]:
    """Do something that may need a key file's passphrase; ask for it where that is so.

    Returns:
        What was done, and the passphrase that it took.

    Raises:
        LockedKeyError: It is needed, and nobody gave it.
    """
    passphrase: Secret | None = None
    remark = ""
    while True:
        try:
            return read(passphrase), passphrase
        except LockedKeyError:
            if not is_interactive():
                raise
            if passphrase is not None:
                remark = "That passphrase does not open it."
            passphrase = ask_passphrase(path, remark)
            if passphrase is None:
                raise


def opened_key(path: Path, key_id: str) -> tuple[ClientKey, Secret | None]:
    """Read a key file; ask for its passphrase where it has one.

    Raises:
        KeyFileError: It cannot be used.
    """
    return with_passphrase(lambda passphrase: read_key(path, key_id, passphrase), path)


def _hidden(question: str, read: Callable[[], str]) -> str:
    try:
        with _unseen(), _interruptible():  # before it is asked: some type very fast
            sys.stderr.write(question)
            sys.stderr.flush()
            return read()
    finally:
        sys.stderr.write("\n")
        sys.stderr.flush()


@contextlib.contextmanager
def _unseen() -> Iterator[None]:
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    hidden = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(descriptor, termios.TCSADRAIN, hidden)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl+C end the question at once, also where an event loop would heed it later."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
