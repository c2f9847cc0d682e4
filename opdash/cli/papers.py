"""What ``opdash statement`` and ``opdash receipt`` share: forms, files, time zones."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from opdash.atomic import write_atomic
from opdash.cli.options import UsageError, add_json_option
from opdash.cli.output import talk
from opdash.errors import InputError
from opdash.safetext import safe_text
from opdash.statements.document import Document, Form, in_form

_KNOWN: Final[Mapping[str, Form]] = MappingProxyType(
    {".html": Form.HTML, ".htm": Form.HTML, ".md": Form.MARKDOWN, ".txt": Form.TEXT}
)
"""The form that a file's ending names."""


def add_paper_options(parser: argparse.ArgumentParser) -> None:
    """Add what says where and how a paper is written."""
    parser.add_argument(
        "--format",
        choices=[form.value for form in Form],
        help="text unless given; with --output what the file's name ends in",
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="write it into a file that only you can read"
    )
    parser.add_argument(
        "--zone", metavar="NAME", default="", help="the time zone, such as Europe/Berlin"
    )
    add_json_option(parser)


def check_paper_options(options: argparse.Namespace) -> None:
    """Raise `UsageError` or `InputError` where a paper cannot be written as it is wanted."""
    if options.json and options.format is not None:
        raise UsageError("--json and --format are two forms.", "Leave one of them out.")
    if options.output is not None:
        parent = options.output.expanduser().absolute().parent
        if not parent.is_dir():
            raise InputError(f"There is no directory {parent}.", "Make it first.")


def form_of(options: argparse.Namespace) -> Form:
    """Return the form that is wanted, by its name or by the file's."""
    if options.format is not None:
        return Form(options.format)
    if options.output is not None:
        suffix = options.output.suffix.casefold()
        return _KNOWN.get(suffix, Form.TEXT)
    return Form.TEXT


def deliver(
    options: argparse.Namespace,
    document: Document,
    records: Iterable[Mapping[str, object]],
    what: str,
) -> None:
    """Write a paper to standard output or, whole or not at all, into a file.

    Args:
        options: What the command line says.
        document: The paper for people.
        records: The same for programs.
        what: What is written, for the sentence about the file.

    Raises:
        OSError: The file cannot be written; an earlier one is untouched.
    """
    if options.json:
        text = "".join(f"{_json(record)}\n" for record in records)
    else:
        text = in_form(document, form_of(options))
    if options.output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    path = options.output.expanduser().absolute()
    write_atomic(path, text.encode())
    talk(f"Wrote {what} into {path}{_chosen_for_it(options)}.")


def _chosen_for_it(options: argparse.Namespace) -> str:
    """Say which form was chosen where nobody did, by no word and no ending; else nothing."""
    suffix = options.output.suffix
    if options.json or options.format is not None or suffix.casefold() in _KNOWN:
        return ""
    shown = f"no form is called “{safe_text(suffix, limit=24)}”" if suffix else "it has no ending"
    return f" as text, as {shown}; --format chooses another"


def _json(record: Mapping[str, object]) -> str:
    line = json.dumps(record, ensure_ascii=True, separators=(",", ":"))
    return line.replace("\x7f", "\\u007f")
