"""``opdash reconcile``: a merchant's invoices held against the payments that are known."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from opdash.books.columns import Columns, Field
from opdash.books.dates import DateOrder
from opdash.books.decimals import DecimalMark
from opdash.books.invoice_file import (
    InvoiceFile,
    Problem,
    place_columns,
    read_invoices,
    settle,
)
from opdash.books.ledger_side import BookWallet, LedgerSide, read_ledger
from opdash.books.mappings import Reading, recall, remember
from opdash.books.reconciling import has_exceptions, reconcile
from opdash.books.tabular import FileError, Table, read_table
from opdash.cli import reconcile_output as output
from opdash.cli.context import Context, opened
from opdash.cli.main import split_command
from opdash.cli.options import CommandParser, UsageError, add_json_option, add_wallet_option
from opdash.cli.output import talk
from opdash.cli.running import learn_wallets, run_with_dashboard
from opdash.errors import ExitCode
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.terms import Query
from opdash.ledger.search.values import Moment
from opdash.openpayments.amounts import Asset
from opdash.openpayments.errors import OpenPaymentsError
from opdash.safetext import safe_text
from opdash.service.dashboard import Dashboard

_MOST_PROBLEMS = 20
_DECISIONS = ("link", "reject", "undo", "decisions")


class Source(NamedTuple):
    """The file as far as it is read without knowing any wallet.

    Attributes:
        path: The file.
        table: Its rows.
        said: What a person said about it, now or earlier.
        is_remembered: Whether some of that was said earlier.
        places: Where the fields are.
    """

    path: Path
    table: Table
    said: Reading
    is_remembered: bool
    places: dict[Field, int]


def run(arguments: list[str]) -> int:
    """Run ``opdash reconcile``."""
    leading, word, rest = split_command(arguments)
    if word in _DECISIONS:
        from opdash.cli import reconcile_decisions

        return reconcile_decisions.run(word, [*leading, *rest])
    options = _parser().parse(arguments)
    if options.json and options.markdown:
        raise UsageError("--json and --markdown are two forms.", "Leave one of them out.")
    path = options.file.expanduser()
    table = read_table(path, encoding=options.encoding, delimiter=_delimiter(options.delimiter))
    with opened(options) as context:
        directory = context.options.data_dir
        said = Reading(table.header, _columns(options.column), options.decimal, options.dates)
        earlier = recall(directory, table.header) if table.has_header else Reading(table.header)
        whole = earlier.changed_by(said)
        source = Source(
            path, table, whole, earlier.says_anything, place_columns(table, whole.columns)
        )
        if said.says_anything and table.has_header:
            remember(directory, whole)
        code = _reconcile(context, options, source)
    return int(code)


def _parser() -> CommandParser:
    parser = CommandParser(
        "reconcile",
        "Hold the invoices of a CSV or JSON Lines file against incoming payments: which are paid, "
        "short, over, late, twice, missing. opdash guesses what the columns hold and says so; what "
        "you say otherwise is remembered for files with the same columns. Exit code: 0 all clear, "
        "3 something needs a look, 2 the file cannot be used. To decide by yourself: opdash "
        "reconcile link NUMBER PAYMENT [--amount A], reject NUMBER PAYMENT, undo N, decisions.",
        [
            "opdash reconcile invoices.csv",
            "opdash reconcile invoices.csv --column number=Belegnr --column amount=3 --decimal ,",
            "opdash reconcile invoices.csv --markdown > report.md",
            "opdash reconcile link INV-7 2f1b6c0e",
        ],
    )
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
        "--since", metavar="WHEN", default="", help="only payments created from then on"
    )
    parser.add_argument(
        "--before", metavar="WHEN", default="", help="only payments created before then"
    )
    parser.add_argument(
        "--skip-broken", action="store_true", help="go on without the rows that cannot be read"
    )
    parser.add_argument("--offline", action="store_true", help="ask no server; use what is known")
    add_wallet_option(parser)
    add_json_option(parser)
    parser.add_argument("--markdown", action="store_true", help="print a summary in Markdown")
    return parser


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


def _reconcile(context: Context, options: argparse.Namespace, source: Source) -> int:
    profiles = context.profiles_meant(options.wallet)
    settings = context.store.load()
    moment = Moment(context.clock.now())
    query = _span(options.since, options.before, moment)

    async def work(dashboard: Dashboard) -> int:
        if not options.offline:
            await learn_wallets(dashboard)
        sessions = [dashboard.session(profile.name) for profile in profiles]
        wallets = [
            BookWallet(one.profile.name, one.wallet_id, one.profile.scope)
            for one in sessions
            if one.wallet_id is not None
        ]
        assets = _assets(dashboard, wallets)
        columns, file = _invoices(source, assets, skip_broken=options.skip_broken)
        if not options.json:
            talk(*output.guess(source.path, source.table, columns, file, assets))
            if source.is_remembered:
                talk("  Read as you said before for files with these columns.")
        failure: OpenPaymentsError | None = None
        for session in () if options.offline else sessions:
            try:
                await session.poll_once()
            except OpenPaymentsError as error:
                failure = failure or error
        ledger = read_ledger(dashboard.reader, wallets, settings.searches, moment, query)
        clear = _print(options, source, columns, file, ledger, moment)
        if failure is not None:
            talk("A server did not answer; this is as last known.")
            raise failure
        return ExitCode.DONE if clear else ExitCode.EXCEPTIONS

    return run_with_dashboard(context, work)


def _span(since: str, before: str, moment: Moment) -> Query | None:
    terms = [
        f'{key}:"{value}"'
        for key, value in (("since", since), ("before", before))
        if value.replace('"', "")
    ]
    return read_query(" ".join(terms), moment) if terms else None


def _assets(dashboard: Dashboard, wallets: Sequence[BookWallet]) -> tuple[Asset, ...]:
    rows = (dashboard.reader.wallet(wallet.address) for wallet in wallets)
    return tuple(dict.fromkeys(row.asset for row in rows if row is not None))


def _invoices(
    source: Source, assets: Sequence[Asset], *, skip_broken: bool
) -> tuple[Columns, InvoiceFile]:
    columns = settle(
        source.table, source.places, assets, mark=source.said.decimal, dates=source.said.dates
    )
    file = read_invoices(source.table, columns, assets)
    if file.problems:
        _tell(source.path, file.problems)
        if not skip_broken or not file.invoices:
            count = len(file.problems)
            raise FileError(
                f"{source.path.name} has {count:,} problem{'' if count == 1 else 's'}; "
                "nothing was reconciled.",
                "Correct the file, or go on without these rows with --skip-broken.",
            )
    return columns, file


def _tell(path: Path, problems: Sequence[Problem]) -> None:
    talk(*(f"{path.name}, {problem}" for problem in problems[:_MOST_PROBLEMS]))
    if len(problems) > _MOST_PROBLEMS:
        talk(f"… and {len(problems) - _MOST_PROBLEMS:,} more.")


def _print(
    options: argparse.Namespace,
    source: Source,
    columns: Columns,
    file: InvoiceFile,
    ledger: LedgerSide,
    moment: Moment,
) -> bool:
    """Print the result, and return whether it is all clear."""
    found = reconcile(
        file.invoices,
        ledger.payments,
        ledger.decisions,
        not_invoices=ledger.not_invoices,
        zone_offset=moment.now.astimezone().utcoffset() or timedelta(0),
    )
    clear = not has_exceptions(found) and ledger.is_complete and not file.problems
    report = output.Report(source.path, source.table, columns, file, ledger, found, clear)
    if options.json:
        output.print_records(report)
    elif options.markdown:
        output.print_markdown(report, moment.now)
    else:
        output.print_report(report)
    talk(*output.completeness(ledger))
    return clear
