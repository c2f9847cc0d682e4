"""``opdash complete``: close an incoming payment for good, deliberately."""

from __future__ import annotations

import argparse

from opdash.cli import shapes, wording
from opdash.cli.context import opened
from opdash.cli.options import CommandParser, UsageError, add_json_option, add_wallet_option
from opdash.cli.output import ask, is_interactive, print_fields, print_json, talk
from opdash.cli.running import PAYMENT_HELP, UnknownPayment, find_payment, run_with_dashboard
from opdash.errors import OpdashError
from opdash.ledger.records import PaymentRow
from opdash.openpayments.amounts import AmountError, format_minor, parse_minor
from opdash.service.completions import ChangedMeanwhile, Seen, check_completable
from opdash.service.dashboard import Dashboard


def run(arguments: list[str]) -> int:
    """Run ``opdash complete``."""
    parser = CommandParser(
        "complete",
        "Close an incoming payment, so that it takes no more money. This cannot be undone. On a "
        "terminal opdash shows the payment and asks; elsewhere it needs --yes and --received.",
        ["opdash complete 2f1b6c0e", "opdash complete 2f1b6c0e --yes --received 120.00"],
    )
    parser.add_argument("payment", metavar="ID", help=PAYMENT_HELP)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--received",
        metavar="AMOUNT",
        help="what has been received; nothing is done if it is something else by now",
    )
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    if not is_interactive() or options.yes:
        _need_both(options)
    with opened(options) as context:
        profiles = context.profiles_meant(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            sessions = [dashboard.session(profile.name) for profile in profiles]
            owner, row = await find_payment(
                dashboard, sessions, options.payment, anywhere=not options.wallet
            )
            if owner is None:
                raise UnknownPayment(
                    f"The wallet of this payment, {row.wallet}, is no longer set up.",
                    "Add it again with “opdash wallet add ADDRESS”.",
                )
            row = await owner.refresh_payment(row.id) or row
            check_completable(row, owner.now())
            if options.received is not None:
                _check_received(row, options.received)
            if not options.yes:
                _confirm(row, typed_already=options.received is not None)
            seen = Seen(received=row.received, completed=row.completed)
            done = await owner.complete_payment(row.id, seen=seen)
            if options.json:
                print_json(shapes.payment(done, owner.profile.name))
            else:
                print_fields(wording.payment_fields(done))
            talk("The payment is completed.")
            return 0

        return run_with_dashboard(context, work)


def _need_both(options: argparse.Namespace) -> None:
    if not options.yes:
        raise UsageError(
            "There is no terminal to ask at.",
            "Say --yes and --received AMOUNT, the amount that has been received.",
        )
    if options.received is None:
        raise UsageError(
            "--yes needs --received AMOUNT: completing cannot be undone.",
            "See with “opdash show ID” what has been received.",
        )


def _check_received(row: PaymentRow, typed: str) -> None:
    if parse_minor(typed, row.received_asset.scale) != row.received:
        is_now = wording.money(row.received, row.received_asset)
        raise ChangedMeanwhile(
            f"This payment has received {is_now}, not what --received says; nothing was done.",
            "Look at it again with “opdash show ID”.",
            row,
        )


def _confirm(row: PaymentRow, *, typed_already: bool) -> None:
    """Show what is to be completed and ask; a shortfall needs the received amount typed.

    Raises:
        OpdashError: The person decided otherwise; nothing was done.
    """
    short = row.difference is not None and row.difference < 0
    talk(*(f"{name:9}  {value}" for name, value in _facts(row) if value))
    talk("Completing cannot be undone: the payment will take no more money.")
    if short and not typed_already:
        plain = format_minor(row.received, row.received_asset.scale)
        answer = ask(f"Type the received amount, {plain}, to complete it all the same:")
        try:
            agreed = parse_minor(answer, row.received_asset.scale) == row.received
        except AmountError:
            agreed = False
    else:
        agreed = ask("Type yes to complete it:").lower() == "yes"
    if not agreed:
        raise OpdashError("Nothing was done.")


def _facts(row: PaymentRow) -> list[tuple[str, str]]:
    missing = -row.difference if row.difference is not None and row.difference < 0 else None
    return [
        ("asked", wording.money(row.asked, row.asked_asset) or "any amount"),
        ("received", wording.money(row.received, row.received_asset)),
        ("shortfall", wording.money(missing, row.received_asset)),
        ("reference", row.reference),
        ("payment", row.id),
    ]
