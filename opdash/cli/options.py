"""What the commands' argument parsers share: their voice and the options known everywhere."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from opdash.cli.common import UsageError as UsageError
from opdash.cli.common import place as place
from opdash.safetext import safe_text


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Wraps what is one paragraph; keeps the lines of what is more."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)


class CommandParser(argparse.ArgumentParser):
    """An argument parser that raises `UsageError` and knows the global options.

    Args:
        command: The words after ``opdash``, such as ``wallet add``.
        summary: One sentence that says what the command does.
        examples: Command lines to show at the end of the help.
    """

    def __init__(self, command: str, summary: str, examples: Sequence[str] = ()) -> None:
        super().__init__(
            prog=f"opdash {command}".rstrip(),
            description=summary,
            epilog="examples:\n" + "".join(f"  {line}\n" for line in examples) if examples else "",
            formatter_class=_Formatter,
            allow_abbrev=False,
        )
        common = self.add_argument_group("everywhere")
        hidden = argparse.SUPPRESS
        common.add_argument(
            "--config", metavar="FILE", type=Path, default=hidden, help="the configuration file"
        )
        common.add_argument(
            "--data-dir",
            metavar="DIR",
            type=Path,
            default=hidden,
            help="where ledger, keys and logs are kept",
        )
        common.add_argument(
            "--consent",
            choices=("redirect", "polling"),
            default=hidden,
            help="let the browser come back to this machine, or ask the server again and again",
        )
        common.add_argument(
            "--debug",
            action="store_true",
            default=hidden,
            help="write a log file without secrets, and say where",
        )
        common.add_argument(
            "--trace",
            metavar="FILE",
            type=Path,
            default=hidden,
            help="append every request and its answer to this file, secrets masked",
        )

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse the words after the command.

        Raises:
            UsageError: They cannot be understood; the advice names the nearest option.
        """
        namespace, unknown = self.parse_known_args(list(arguments))
        if unknown:
            raise self._unknown(unknown[0])
        return namespace

    def error(self, message: str) -> NoReturn:
        """Raise what argparse found wrong, as a sentence."""
        sentence = message[:1].upper() + message[1:].rstrip(".") + "."
        raise UsageError(safe_text(sentence, limit=300), self._see_help())

    def _unknown(self, word: str) -> UsageError:
        from difflib import get_close_matches

        shown = safe_text(word, limit=60)
        if not word.startswith("-"):
            return UsageError(f"“{shown}” is one word too many.", self._see_help())
        known = list(self._option_string_actions)
        near = get_close_matches(word.partition("=")[0], known, n=1, cutoff=0.6)
        advice = f"Did you mean “{near[0]}”?" if near else self._see_help()
        return UsageError(f"“{shown}” is not an option of “{self.prog}”.", advice)

    def _see_help(self) -> str:
        return f"See “{self.prog} --help”."


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--json`` to a command that prints data."""
    parser.add_argument(
        "--json", action="store_true", help="print JSON Lines on standard output, and only those"
    )


def add_wallet_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--wallet`` to a command that works on one wallet address."""
    parser.add_argument(
        "--wallet", metavar="NAME", default="", help="which of several wallets is meant"
    )


def whole_number(text: str) -> int:
    """Read a whole number greater than zero, for argparse."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        shown = safe_text(text, limit=24)
        raise argparse.ArgumentTypeError(f"“{shown}” is no whole number greater than zero")
    return int(text)
