"""``opdash receipt``: one payment in a form for the customer who pays it."""

from __future__ import annotations

from collections.abc import Iterator

from opdash.cli import shapes
from opdash.cli.context import Context, opened
from opdash.cli.options import CommandParser, add_wallet_option
from opdash.cli.output import talk
from opdash.cli.papers import add_paper_options, check_paper_options, deliver
from opdash.cli.running import PAYMENT_HELP, find_payment, refresh, run_with_dashboard
from opdash.ledger.records import PaymentRow
from opdash.ledger.states import grace
from opdash.openpayments.errors import OpenPaymentsError
from opdash.periods import read_zone
from opdash.service.dashboard import Dashboard
from opdash.service.session import WalletSession
from opdash.statements.receipt_document import in_plain_words, receipt_document
from opdash.statements.receipts import Receipt, make_receipt


def run(arguments: list[str]) -> int:
    """Run ``opdash receipt``."""
    parser = CommandParser(
        "receipt",
        "Write a receipt of one incoming payment for the customer: to whom it is paid, what for, "
        "what was asked, what arrived when, and how it stands in plain words. Nothing of your "
        "notes, your other payments or the ledger is in it. The payment is fetched anew.",
        [
            "opdash receipt 2f1b6c0e",
            "opdash receipt 2f1b6c0e --output receipt.html --zone Europe/Berlin",
        ],
    )
    parser.add_argument("payment", metavar="ID", help=PAYMENT_HELP)
    add_paper_options(parser)
    parser.add_argument("--offline", action="store_true", help="ask no server; use what is known")
    add_wallet_option(parser)
    options = parser.parse(arguments)
    check_paper_options(options)
    with opened(options) as context:
        zone = read_zone(options.zone)
        profiles = context.profiles_meant(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            sessions = [dashboard.session(profile.name) for profile in profiles]
            owner, row = await find_payment(
                dashboard,
                sessions,
                options.payment,
                anywhere=not options.wallet,
                offline=options.offline,
            )
            failure: OpenPaymentsError | None = None
            if owner is not None and not options.offline:
                failure = await refresh(owner, row)
                row = dashboard.reader.payment(row.wallet, row.id) or row
            receipt = _receipt(dashboard, context, owner, row)
            words = in_plain_words(receipt, zone)
            document = receipt_document(receipt, zone)
            deliver(options, document, _records(receipt, words), "the receipt")
            if failure is not None:
                talk("The server did not answer; this is as last known.")
                raise failure
            return 0

        return run_with_dashboard(context, work)


def _receipt(
    dashboard: Dashboard, context: Context, owner: WalletSession | None, row: PaymentRow
) -> Receipt:
    wallet = dashboard.reader.wallet_address(row.wallet)
    interval = 0.0 if owner is None else owner.profile.poll_interval
    return make_receipt(
        row,
        dashboard.reader.timeline(row.wallet, row.id),
        None if wallet is None else wallet.public_name,
        now=context.clock.now() if owner is None else owner.now(),
        grace=grace(interval),
    )


def _records(receipt: Receipt, words: str) -> Iterator[shapes.Record]:
    asset = receipt.received_asset
    yield {
        "payment": receipt.payment_url,
        "merchant": receipt.merchant,
        "walletAddress": receipt.wallet_address,
        "reference": receipt.reference,
        "description": receipt.description,
        "state": receipt.state.value,
        "sentence": words,
        "asked": shapes.amount(receipt.asked, receipt.asked_asset),
        "received": shapes.amount(receipt.received, asset),
        "missing": shapes.amount(receipt.missing, asset),
        "steps": [
            {
                "at": shapes.instant(step.at),
                "delta": shapes.amount(step.delta, asset),
                "received": shapes.amount(step.received, asset),
                "known": step.known.value,
            }
            for step in receipt.steps
        ],
        "coveredAt": shapes.instant(receipt.covered_at),
        "covered": None if receipt.covered_at is None else receipt.covered.value,
        "createdAt": shapes.instant(receipt.created_at),
        "expiresAt": shapes.instant(receipt.expires_at),
        "asOf": shapes.instant(receipt.as_of),
    }
