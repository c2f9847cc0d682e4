"""What every command line has in common, for commands that do without a parser and tables.

The screen opens without `argparse`: importing it takes longer than all that it would do there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from opdash.errors import InputError
from opdash.safetext import safe_text

if TYPE_CHECKING:
    from opdash.settings import ConsentWay


class UsageError(InputError):
    """The command line cannot be understood."""


class GlobalOptions(msgspec.Struct, frozen=True):
    """The options that every command takes.

    Attributes:
        config: The configuration file.
        data_dir: Where ledger, keys and logs are kept.
        debug: Whether to write the debug log.
        consent: How to learn of the account holder's consent; automatic unless given.
        trace: The file to write all requests to, or None.
    """

    config: Path
    data_dir: Path
    debug: bool
    consent: ConsentWay
    trace: Path | None = None


def global_options(given: Mapping[str, Any]) -> GlobalOptions:
    """Return the global options among those that are given, the usual places filled in."""
    from opdash.paths import default_config_file, default_data_dir
    from opdash.settings import ConsentWay

    return GlobalOptions(
        config=place(given.get("config")) or default_config_file(),
        data_dir=place(given.get("data_dir")) or default_data_dir(),
        debug=bool(given.get("debug", False)),
        consent=ConsentWay(given.get("consent", "auto")),
        trace=place(given.get("trace")),
    )


def place(path: Path | None) -> Path | None:
    """Return the absolute path that a person means; nothing for None."""
    return path.expanduser().absolute() if path is not None else None


def talk(*lines: str) -> None:
    """Say something to the person on standard error."""
    if sys.stderr is None:
        return
    for line in lines:
        sys.stderr.write(safe_text(line) + "\n")
    sys.stderr.flush()


def is_interactive() -> bool:
    """Return whether a person can be asked: both input and talk are at a terminal."""
    return _are_at_terminal(sys.stdin, sys.stderr)


def can_show_screen() -> bool:
    """Return whether the screen can be drawn and typed at; Textual draws on standard error."""
    return _are_at_terminal(sys.stdin, sys.stdout, sys.stderr)


def ask(question: str) -> str:
    """Ask on standard error and return the answer, empty at the end of input."""
    sys.stderr.write(safe_text(question) + " ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _are_at_terminal(*streams: TextIO | None) -> bool:
    return all(stream is not None and stream.isatty() for stream in streams)
