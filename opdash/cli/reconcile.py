"""``opdash reconcile``: a merchant's invoices held against the payments that are known."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from opdash.books.book import Book, hold_against, wallet_assets
from opdash.books.ledger_side import BookWallet
from opdash.books.sources import Source
from opdash.cli import reconcile_output as output
from opdash.cli.context import Context, opened
from opdash.cli.invoice_options import add_file_options, invoices_of, place_fields, read_file
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
from opdash.service.session import WalletSession

_DECISIONS = ("link", "reject", "undo", "decisions")


def run(arguments: list[str]) -> int:
    """Run ``opdash reconcile``."""
    leading, word, rest = split_command(arguments)
    if word in _DECISIONS:
        from opdash.cli import reconcile_decisions

        return reconcile_decisions.run(word, [*leading, *rest])
    options = _parser().parse(arguments)
    _check(options)
    table = read_file(options)
    with opened(options) as context:
        if options.review:
            from opdash.cli import reconcile_review

            return reconcile_review.run(context, options, table)
        source = place_fields(options, table, context.options.data_dir)
        return int(_reconcile(context, options, source))


def _check(options: argparse.Namespace) -> None:
    if options.json and options.markdown:
        raise UsageError("--json and --markdown are two forms.", "Leave one of them out.")
    alone = [name for name in ("json", "markdown", "follow", "offline") if getattr(options, name)]
    if options.review and alone:
        raise UsageError(f"--review opens the screen; --{alone[0]} has no meaning there.")
    if options.follow and options.markdown:
        raise UsageError("--markdown is a summary of one moment; --follow goes on.")
    if options.follow and options.offline:
        raise UsageError("--follow asks servers, and --offline does not.")


def _parser() -> CommandParser:
    parser = CommandParser(
        "reconcile",
        "Hold the invoices of a CSV or JSON Lines file against incoming payments: which are paid, "
        "short, over, late, twice, missing. opdash guesses what the columns hold and says so; what "
        "you say otherwise is remembered for files with the same columns. Exit code: 0 all clear, "
        "3 something needs a look, 2 the file cannot be used. To decide by yourself: --review, or "
        "opdash reconcile link NUMBER PAYMENT [--amount A], reject NUMBER PAYMENT, undo N, "
        "decisions.",
        [
            "opdash reconcile invoices.csv",
            "opdash reconcile invoices.csv --review",
            "opdash reconcile invoices.csv --follow --json",
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
    parser.add_argument(
        "--review", action="store_true", help="look at it, and decide, on the screen"
    )
    parser.add_argument(
        "--follow", action="store_true", help="go on, and print what changes, until Ctrl+C"
    )
    parser.add_argument("--all", action="store_true", help="list every payment without an invoice")
    add_wallet_option(parser)
    add_json_option(parser)
    parser.add_argument("--markdown", action="store_true", help="print a summary in Markdown")
    return parser


def _reconcile(context: Context, options: argparse.Namespace, source: Source) -> int:
    profiles = context.profiles_meant(options.wallet)
    query = asked_span(options, Moment(context.clock.now()))

    async def work(dashboard: Dashboard) -> int:
        if not options.offline:
            await learn_wallets(dashboard)
        sessions = [dashboard.session(profile.name) for profile in profiles]
        wallets = book_wallets(sessions)
        assets = wallet_assets(dashboard.reader, wallets)
        directory = context.options.data_dir
        columns, file = invoices_of(options, source, assets, directory, undone="reconciled")
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
        moment = Moment(context.clock.now())
        searches = dashboard.settings.searches
        book = hold_against(source, dashboard.reader, wallets, searches, moment, query=query)
        _print(options, book, moment)
        if options.follow:
            from opdash.cli.reconcile_follow import follow

            book = await follow(dashboard, sessions, book, query, as_json=options.json)
        elif failure is not None:
            talk("A server did not answer; this is as last known.")
            raise failure
        return ExitCode.DONE if book.is_clear else ExitCode.EXCEPTIONS

    return run_with_dashboard(context, work)


def book_wallets(sessions: Sequence[WalletSession]) -> tuple[BookWallet, ...]:
    """Return the wallet addresses of sessions; of those that never answered nothing is known."""
    return tuple(
        BookWallet(one.profile.name, one.wallet_id or one.profile.wallet_address, one.profile.scope)
        for one in sessions
    )


def asked_span(options: argparse.Namespace, moment: Moment) -> Query | None:
    """Return which payments a person asked for by their instants; None for all."""
    terms = [
        f'{key}:"{value}"'
        for key, value in (("since", options.since), ("before", options.before))
        if value.replace('"', "")
    ]
    return read_query(" ".join(terms), moment) if terms else None


def _print(options: argparse.Namespace, book: Book, moment: Moment) -> None:
    if options.json:
        output.print_records(book)
    elif options.markdown:
        output.print_markdown(book, moment.now, whole=options.all)
    else:
        output.print_report(book, whole=options.all)
    sys.stdout.flush()
    talk(*output.completeness(book.ledger))
