"""How commands take a file of invoices: its options, how it is read, and what is wrong with it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from opdash.books.columns import Columns, Field
from opdash.books.dates import DateOrder
from opdash.books.decimals import DecimalMark
from opdash.books.invoice_file import InvoiceFile, Problem, check_places
from opdash.books.mappings import Reading
from opdash.books.sources import Source, keep_reading, place_source, read_source
from opdash.books.tabular import FileError, Table, read_table
from opdash.cli.options import CommandParser, UsageError
from opdash.cli.output import talk
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text

_MOST_PROBLEMS = 20


def add_file_options(parser: CommandParser) -> None:
    """Add the file of invoices, and the options that say how it is to be read."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the invoices")
    parser.add_argument(
        "--column",
        metavar="FIELD=NAME",
        action="append",
        default=[],
        help=f"which column, by name or number, holds {', '.join(Field)}; empty for none",
    )
    parser.add_argument(
        "--decimal", type=DecimalMark, choices=list(DecimalMark), help="the decimal mark"
    )
    parser.add_argument(
        "--dates", type=DateOrder, choices=list(DateOrder), help="days first or months first"
    )
    parser.add_argument("--encoding", metavar="NAME", default="", help="such as windows-1252")
    parser.add_argument(
        "--delimiter", metavar="CHARACTER", default="", help="what parts columns; “tab” for a tab"
    )
    parser.add_argument(
        "--skip-broken", action="store_true", help="go on without the rows that cannot be read"
    )


def read_file(options: argparse.Namespace) -> Table:
    """Read the rows of the file that a person named, before anything else is looked at.

    Raises:
        FileError: It cannot be used.
    """
    path = options.file.expanduser()
    return read_table(path, encoding=options.encoding, delimiter=_delimiter(options.delimiter))


def place_fields(options: argparse.Namespace, table: Table, directory: Path) -> Source:
    """Say where the fields are, from what a person says now and said before.

    Args:
        options: The command line.
        table: The file's rows.
        directory: The data directory.

    Raises:
        InputError: The columns that are needed are not there.
    """
    source = guess_fields(options, table, directory)
    check_places(table, source.places)
    return source


def guess_fields(options: argparse.Namespace, table: Table, directory: Path) -> Source:
    """Say where the fields are, as far as that can be told.

    Raises:
        InputError: A column that was named is not there.
    """
    said = Reading(table.header, _columns(options.column), options.decimal, options.dates)
    return place_source(
        options.file.expanduser(),
        table,
        directory,
        said,
        encoding=options.encoding,
        delimiter=_delimiter(options.delimiter),
    )


def invoices_of(
    options: argparse.Namespace,
    source: Source,
    assets: Sequence[Asset],
    directory: Path,
    *,
    undone: str,
) -> tuple[Columns, InvoiceFile]:
    """Return how the columns are read, and the invoices; what is wrong is told.

    What a person says now of the columns is remembered, once invoices could be read that way.

    Args:
        options: The command line.
        source: The file.
        assets: What the wallets hold.
        directory: The data directory.
        undone: What was not done because of rows that cannot be read, such as “reconciled”.

    Raises:
        FileError: Rows cannot be read, and may not be passed over.
        InputError: What was said cannot be kept.
    """
    columns, file = read_source(source, assets)
    if file.problems:
        _tell(source.path, file.problems)
        if source.is_remembered:
            talk(
                "The columns were read as you said before; --column, --decimal, --dates change it."
            )
        if not options.skip_broken or not file.invoices:
            count = len(file.problems)
            raise FileError(
                f"{source.path.name} has {count:,} problem{'' if count == 1 else 's'}; "
                f"nothing was {undone}.",
                "Correct the file, or go on without these rows with --skip-broken.",
            )
    if options.column or options.decimal or options.dates:
        keep_reading(source, directory)
    return columns, file


def _tell(path: Path, problems: Sequence[Problem]) -> None:
    talk(*(f"{path.name}, {problem}" for problem in problems[:_MOST_PROBLEMS]))
    if len(problems) > _MOST_PROBLEMS:
        talk(f"… and {len(problems) - _MOST_PROBLEMS:,} more.")


def _delimiter(text: str) -> str:
    return "\t" if text.casefold() in ("tab", "\\t") else text


def _columns(given: Sequence[str]) -> dict[Field, str]:
    columns = {}
    for one in given:
        field, equals, name = one.partition("=")
        if not equals or field.strip().casefold() not in [*Field]:
            shown = safe_text(one, limit=40)
            raise UsageError(
                f"“{shown}” does not say which column holds what.",
                f"Write FIELD=NAME, such as number=Invoice; fields are {', '.join(Field)}.",
            )
        columns[Field(field.strip().casefold())] = name.strip()
    return columns
