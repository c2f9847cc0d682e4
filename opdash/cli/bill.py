"""``opdash bill``: payments for the invoices of a file that have none."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from opdash.books.billed_file import is_of_earlier_run, usual_name
from opdash.books.billing_book import BillingBook, as_agreed
from opdash.books.bills import Terms, Until
from opdash.books.book import wallet_assets
from opdash.books.columns import Field
from opdash.books.sources import Source
from opdash.cli import bill_output as output
from opdash.cli import reconcile_output
from opdash.cli.bill_progress import Progress
from opdash.cli.context import Context, opened
from opdash.cli.invoice_options import add_file_options, invoices_of, place_fields, read_file
from opdash.cli.options import CommandParser, UsageError, add_json_option, add_wallet_option
from opdash.cli.output import ask, is_interactive, talk
from opdash.cli.running import run_with_dashboard
from opdash.cli.when import parse_duration
from opdash.errors import OpdashError
from opdash.safetext import safe_text
from opdash.service.bill_drafts import LONGEST
from opdash.service.bill_reports import Ended
from opdash.service.billing import A_SECOND, Biller
from opdash.service.billing_desk import BillingDesk
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import MAX_EXPIRY
from opdash.service.rights import check_may_write

_AGAIN = "Do the same again: it goes on with the rest, and creates nothing twice."
_MOST_A_SECOND = 100.0


def run(arguments: list[str]) -> int:
    """Run ``opdash bill``."""
    options = _parser().parse(arguments)
    terms = _terms(options)
    a_second = _rate(options.rate)
    table = read_file(options)
    with opened(options) as context:
        source = place_fields(options, table, context.options.data_dir)
        target = _target(options, source)
        if terms.until is Until.DUE and Field.DUE not in source.places:
            raise UsageError(
                "No column can be taken for the due date.",
                "Name it, as in --column due=4, or say for how long, as in --expires 14d.",
            )
        return int(_bill(context, options, source, terms, target, a_second))


def _parser() -> CommandParser:
    parser = CommandParser(
        "bill",
        "Create incoming payments for the invoices of a CSV or JSON Lines file that have none. "
        "Without --yes it only shows what would be created; on a terminal it then asks. The "
        "invoice number becomes the payment's reference. No invoice is billed twice, whatever "
        "happens: what is interrupted is done again with the same command, which goes on with the "
        "rest. At the end the file is written once more, with the payments' URLs beside the "
        "invoices. Exit code: 0 all done, 3 some left out, 2 the file cannot be used.",
        [
            "opdash bill invoices.csv",
            "opdash bill invoices.csv --yes --expires due",
            "opdash bill invoices.csv --only INV-7 INV-8 --output sent.csv",
            "opdash bill invoices.csv --again INV-3 --yes",
        ],
    )
    add_file_options(parser)
    parser.add_argument("--yes", action="store_true", help="create them, and do not ask")
    parser.add_argument(
        "--dry-run", action="store_true", help="only show what would be created; do not ask either"
    )
    parser.add_argument(
        "--only",
        metavar="NUMBER",
        nargs="+",
        action="extend",
        default=[],
        help="these invoices; all that have no payment unless given",
    )
    parser.add_argument(
        "--again",
        metavar="NUMBER",
        nargs="+",
        action="extend",
        default=[],
        help="bill these once more although their payment ended unpaid",
    )
    parser.add_argument(
        "--expires",
        metavar="WHEN",
        default="",
        help="such as 14d, or “due” for the end of the due date; the server's limit unless given",
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="where to write the file with payment URLs"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace a file there that opdash did not write for this one",
    )
    parser.add_argument(
        "--rate", metavar="N", default="", help=f"payments a second at most ({A_SECOND:.0f})"
    )
    add_wallet_option(parser)
    add_json_option(parser)
    return parser


def _terms(options: argparse.Namespace) -> Terms:
    only, again = (frozenset(map(str.strip, given)) for given in (options.only, options.again))
    asked = options.expires.strip().casefold()
    if not asked:
        return Terms(only=only, again=again)
    if asked == "due":
        return Terms(only=only, again=again, until=Until.DUE)
    lasts = parse_duration(asked)
    if not lasts or lasts > MAX_EXPIRY:
        raise UsageError(
            "Payments cannot last that long." if lasts else "Payments cannot end at once.",
            f"Servers let them last up to {MAX_EXPIRY.days} days.",
        )
    return Terms(only=only, again=again, until=Until.LASTING, lasts=min(lasts, LONGEST))


def _rate(text: str) -> float:
    if not text:
        return A_SECOND
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= _MOST_A_SECOND:
        shown = safe_text(text, limit=24)
        raise UsageError(f"“{shown}” is no rate.", "Give a number a second, up to 100.")
    return rate


def _target(options: argparse.Namespace, source: Source) -> Path:
    """Return where the file is to be written; refused before anything is created.

    Raises:
        UsageError: It cannot be written there, or must not be replaced.
    """
    given = options.output
    path = usual_name(source.path, source.table) if given is None else given.expanduser()
    shown = safe_text(str(path))
    if path.resolve() == source.path.resolve():
        raise UsageError(
            f"{shown} is the file of invoices itself.", "Choose another name with --output."
        )
    if not _is_to_run(options):
        return path
    if path.exists() and not _may_replace(options, path, source):
        raise UsageError(
            f"{shown} is there already; nothing was created.",
            "--force replaces it, --output FILE writes elsewhere.",
        )
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(f"{shown} cannot be written; nothing was created.", "Choose another.")
    return path


def _may_replace(options: argparse.Namespace, path: Path, source: Source) -> bool:
    """Return whether a file may be replaced: as told, or as ours of an earlier run."""
    return bool(options.force) or (
        options.output is None and path.is_file() and is_of_earlier_run(path, source.table)
    )


def _is_to_run(options: argparse.Namespace) -> bool:
    """Return whether payments may be created in this run, at once or after a question."""
    if options.dry_run:
        return False
    return bool(options.yes) or (is_interactive() and not options.json)


def _bill(
    context: Context,
    options: argparse.Namespace,
    source: Source,
    terms: Terms,
    target: Path,
    a_second: float,
) -> int:
    profile = context.choose_profile(options.wallet)
    if _is_to_run(options):
        check_may_write(profile, "create")

    async def work(dashboard: Dashboard) -> int:
        session = dashboard.session(profile.name)
        wallet = await session.discover()
        names = [] if options.wallet else [one.name for one in dashboard.profiles]
        desk = BillingDesk(
            session,
            [dashboard.session(name) for name in names],
            dashboard.reader,
            dashboard.settings.searches,
            context.clock,
            source,
        )
        assets = wallet_assets(dashboard.reader, desk.wallets)
        directory = context.options.data_dir
        columns, file = invoices_of(options, source, assets, directory, undone="billed")
        if not options.json:
            talk(*reconcile_output.guess(source.path, source.table, columns, file, assets))
        found = await desk.prepare(terms, dashboard.reader)
        dry = output.Report(found, wallet.asset)
        if not options.yes or options.dry_run:
            output.show_plan(dry, as_json=options.json)
            if not _is_to_run(options) or not _agreed(found, dry):
                return output.code_of(found.plan, None)
            found = as_agreed(await desk.prepare(terms, dashboard.reader), found)
        report = output.Report(found, wallet.asset)
        output.begin(report, as_json=options.json)
        with Progress(context.clock) as progress:
            biller = desk.biller(
                dashboard.reader,
                tell=progress.show,
                told=output.teller(report, as_json=options.json),
                a_second=a_second,
            )
            with _stopping(biller, progress.clear):
                ended = await desk.carry_out(found, biller)
        if ended.is_whole:
            overwrite = _may_replace(options, target, source)
            await desk.write_beside(found.plan, ended, target, overwrite=overwrite)
        return _end(report, ended, target if ended.is_whole else None, as_json=options.json)

    return run_with_dashboard(context, work)


def _agreed(found: BillingBook, report: output.Report) -> bool:
    """Ask whether the payments are to be created.

    Raises:
        OpdashError: The person decided otherwise; nothing was done.
    """
    if not found.plan.bills and not found.plan.checking:
        return ask("Nothing is to be created. Type yes to write the file with URLs:") == "yes"
    if ask(f"Type yes to create {output.totals(report)}:").lower() != "yes":
        raise OpdashError("Nothing was done.")
    return True


def _end(report: output.Report, ended: Ended, written: Path | None, *, as_json: bool) -> int:
    """Say how it ended, and return the exit code.

    Raises:
        OpdashError: What kept it from going on.
    """
    code = output.code_of(report.found.plan, ended)
    output.finish(report, ended, written, code, as_json=as_json)
    if not ended.is_whole:
        talk(_AGAIN)
    if ended.failure is not None:
        raise ended.failure
    return code


@contextlib.contextmanager
def _stopping(biller: Biller, clear: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl+C and SIGTERM end the run between two payments, and the second one at once."""
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {}

    def give_back() -> None:
        for one, handler in before.items():
            loop.remove_signal_handler(one)
            signal.signal(one, handler)
        before.clear()

    def heed() -> None:
        clear()
        if biller.is_stopping:
            give_back()
            signal.raise_signal(signal.SIGINT)
            return
        biller.stop()
        talk("Ending after the payment under way; once more ends at once.")

    with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread
        for one in (signal.SIGINT, signal.SIGTERM):
            before[one] = signal.getsignal(one)
            loop.add_signal_handler(one, heed)
    try:
        yield
    except asyncio.CancelledError:
        talk(f"Interrupted. {_AGAIN}")
        raise
    finally:
        give_back()
