"""``opdash reconcile``: a merchant's invoices held against the payments that are known."""

from __future__ import annotations

import argparse
from datetime import timedelta

from opdash.books.columns import Columns
from opdash.books.invoice_file import InvoiceFile
from opdash.books.ledger_side import BookWallet, LedgerSide, read_ledger
from opdash.books.reconciling import has_exceptions, reconcile
from opdash.cli import reconcile_output as output
from opdash.cli.context import Context, opened
from opdash.cli.invoice_options import (
    Source,
    add_file_options,
    assets_of,
    invoices_of,
    place_fields,
    read_file,
)
from opdash.cli.main import split_command
from opdash.cli.options import CommandParser, UsageError, add_json_option, add_wallet_option
from opdash.cli.output import talk
from opdash.cli.running import learn_wallets, run_with_dashboard
from opdash.errors import ExitCode
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.terms import Query
from opdash.ledger.search.values import Moment
from opdash.openpayments.errors import OpenPaymentsError
from opdash.service.dashboard import Dashboard

_DECISIONS = ("link", "reject", "undo", "decisions")


def run(arguments: list[str]) -> int:
    """Run ``opdash reconcile``."""
    leading, word, rest = split_command(arguments)
    if word in _DECISIONS:
        from opdash.cli import reconcile_decisions

        return reconcile_decisions.run(word, [*leading, *rest])
    options = _parser().parse(arguments)
    if options.json and options.markdown:
        raise UsageError("--json and --markdown are two forms.", "Leave one of them out.")
    table = read_file(options)
    with opened(options) as context:
        source = place_fields(options, table, context.options.data_dir)
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
    add_file_options(parser)
    parser.add_argument(
        "--since", metavar="WHEN", default="", help="only payments created from then on"
    )
    parser.add_argument(
        "--before", metavar="WHEN", default="", help="only payments created before then"
    )
    parser.add_argument("--offline", action="store_true", help="ask no server; use what is known")
    add_wallet_option(parser)
    add_json_option(parser)
    parser.add_argument("--markdown", action="store_true", help="print a summary in Markdown")
    return parser


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
        assets = assets_of(dashboard.reader, wallets)
        columns, file = invoices_of(
            source, assets, skip_broken=options.skip_broken, undone="reconciled"
        )
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
