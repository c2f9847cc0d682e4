"""``opdash export``: payments and receipts as files for bookkeepers, from the ledger alone."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from opdash.cli.common import place
from opdash.cli.context import Context, opened
from opdash.cli.options import CommandParser, UsageError, add_wallet_option
from opdash.cli.output import print_lines, talk
from opdash.errors import ExitCode
from opdash.exports.formats import FORMATS
from opdash.exports.records import ExportWallet, FormatName, Names, Wanted
from opdash.ledger.reader import LedgerReader
from opdash.ledger.store import Ledger
from opdash.service.dashboard import LEDGER_FILE

if TYPE_CHECKING:
    from opdash.exports.exporting import Destination
    from opdash.ledger.search.terms import Query

STANDARD_OUTPUT = "-"
"""Stands for standard output where a file is named."""

_KINDS = """\
Write what is known of incoming payments to a file. No server is asked;
“opdash sync” brings the ledger up to date.

  csv        a row for each payment; what a spreadsheet would run is defused
  jsonl      a JSON object for each payment
  hledger    a journal with a transaction for each receipt
  beancount  a ledger with a transaction for each receipt
  ofx        a bank statement, OFX 2.1.1, with an entry for each receipt
  camt053    a bank statement, ISO 20022 camt.053.001.08, likewise

A receipt is each observed rise of what a payment has received; its id stays
the same in every export. Balances of statements are running sums from 0.

Exit code: 0 done, 3 written, but the ledger is incomplete or something had to
be left out, 2 wrong input, 1 nothing could be written."""


def run(arguments: list[str]) -> int:
    """Run ``opdash export``."""
    from opdash.cli.listing import with_negations

    options = _parser().parse(with_negations(arguments))
    is_to_stdout = options.output in (STANDARD_OUTPUT, "")
    if options.force and is_to_stdout:
        raise UsageError("--force replaces a file, and none is named.", "Name one with --output.")
    with opened(options) as context:
        wanted = _wanted(context, options)
        return _export(context, wanted, _destination(options), options)


def _parser() -> CommandParser:
    parser = CommandParser(
        "export",
        _KINDS,
        [
            "opdash export csv --output payments.csv",
            "opdash export hledger --since-last >> books.journal",
            "opdash export camt053 --period 2026-10 --zone Europe/Berlin --output october.xml",
            "opdash export beancount --account Assets:Bank:{wallet} --output shop.beancount",
        ],
    )
    parser.add_argument(
        "format", metavar="FORMAT", choices=[kind.value for kind in FormatName], help="as above"
    )
    parser.add_argument(
        "--output", metavar="FILE", default="", help="the file; - for standard output (usual)"
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument(
        "--period",
        metavar="P",
        default="",
        help="2026-10-05, 2026-10, 2026, 2026-10-01..2026-10-15, today, yesterday, this month, "
        "last month: when receipts arrived, or payments were created",
    )
    parser.add_argument(
        "--zone",
        metavar="NAME",
        default="",
        help="where days begin at midnight, such as Europe/Berlin; here unless given",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--filter", metavar="QUERY", default="", help="of payments that match")
    which.add_argument("--saved", metavar="NAME", default="", help="of those of a saved search")
    parser.add_argument(
        "--since-last",
        action="store_true",
        help="only what is new since the last export with this option, of the same format, filter "
        "and period",
    )
    parser.add_argument(
        "--allow-incomplete",
        action="store_true",
        help="end with 0 also where the server has more than is known",
    )
    parser.add_argument(
        "--account",
        metavar="NAME",
        default="",
        help="the journal's account, or the statement's account number; {wallet} stands for the "
        "wallet's name; remembered",
    )
    parser.add_argument(
        "--income",
        metavar="NAME",
        default="",
        help="the journal's account where money comes from; remembered",
    )
    parser.add_argument(
        "--entries-only",
        action="store_true",
        help="leave out a journal's declarations, for a file that another one includes",
    )
    add_wallet_option(parser)
    return parser


def _wanted(context: Context, options: argparse.Namespace) -> Wanted:
    from opdash.exports.choosing import without_doubles
    from opdash.periods import read_period, read_zone

    now, zone = context.clock.now(), read_zone(options.zone)
    profiles = context.profiles_meant(options.wallet)
    return Wanted(
        format=FormatName(options.format),
        wallets=without_doubles(
            [ExportWallet(one.name, one.wallet_address, one.scope) for one in profiles]
        ),
        now=now,
        zone=zone,
        query=_query(context, options, profiles[0].name),
        period=read_period(options.period, now, zone) if options.period else None,
        since_last=options.since_last,
        entries_only=options.entries_only,
        names=_names(context, options),
    )


def _query(context: Context, options: argparse.Namespace, profile: str) -> Query | None:
    if not (options.filter or options.saved):
        return None
    from opdash.ledger.search.choosing import chosen_query
    from opdash.ledger.search.values import Moment
    from opdash.periods import read_zone

    moment = Moment(context.clock.now(), read_zone(options.zone))
    searches = context.store.load().searches
    return chosen_query(options.filter, options.saved, searches, profile, moment)


def _names(context: Context, options: argparse.Namespace) -> Names:
    """Return what accounts are called: as said now, else as said before."""
    from opdash.exports.accounts import recall

    kind = FormatName(options.format)
    if not FORMATS[kind].names_accounts:
        if options.account or options.income:
            raise UsageError(f"{kind} names no accounts.", "Leave --account out.")
        return Names()
    said = Names(options.account, options.income)
    return recall(context.options.data_dir, kind).changed_by(said)


def _destination(options: argparse.Namespace) -> Destination:
    from opdash.exports.destinations import FileDestination, StreamDestination

    if options.output in (STANDARD_OUTPUT, ""):
        sys.stdout.flush()
        return StreamDestination(sys.stdout.buffer, is_terminal=sys.stdout.isatty())
    path = place(Path(options.output)) or Path(options.output)
    return FileDestination(path, overwrite=options.force)


def _export(
    context: Context, wanted: Wanted, destination: Destination, options: argparse.Namespace
) -> int:
    from opdash.exports.accounts import remember
    from opdash.exports.exporting import export
    from opdash.exports.telling import told
    from opdash.exports.turns import in_turn

    directory = context.options.data_dir
    is_alone = True
    with ExitStack() as stack:
        reader = stack.enter_context(LedgerReader.open(directory / LEDGER_FILE))
        if wanted.since_last:
            stack.enter_context(in_turn(reader.path, _say_waiting))
        exported, marks = export(reader, wanted, destination)
        if marks.moves:
            with Ledger.open(directory / LEDGER_FILE) as ledger:
                is_alone = marks.keep(ledger)
    if not is_alone:
        talk("Another export of this kind was made at the same time, with the same rows.")
    if options.account or options.income:
        remember(directory, wanted.format, wanted.names)
    say = talk if destination.path is None else print_lines
    say(*told(exported))
    if exported.left_out or not is_alone or not (exported.is_complete or options.allow_incomplete):
        return int(ExitCode.EXCEPTIONS)
    return int(ExitCode.DONE)


def _say_waiting() -> None:
    talk("Another opdash exports what is new just now; this one begins when that has ended.")
