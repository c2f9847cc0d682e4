"""``opdash log``: what was observed of a payment, step by step, from the ledger alone."""

from __future__ import annotations

from opdash.cli import shapes, wording
from opdash.cli.context import opened
from opdash.cli.options import CommandParser, add_json_option, add_wallet_option
from opdash.cli.output import print_json, print_lines, talk
from opdash.cli.running import PAYMENT_HELP, only_one, rows_meant
from opdash.ledger.reader import LedgerReader
from opdash.service.dashboard import LEDGER_FILE


def run(arguments: list[str]) -> int:
    """Run ``opdash log``."""
    parser = CommandParser(
        "log",
        "Print the time line of an incoming payment: every step that was observed, oldest first, "
        "and what opdash did. No server is asked.",
        ["opdash log 2f1b6c0e", "opdash log 2f1b6c0e --json | jq -r .at"],
    )
    parser.add_argument("payment", metavar="ID", help=PAYMENT_HELP)
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    with (
        opened(options) as context,
        LedgerReader.open(context.options.data_dir / LEDGER_FILE) as reader,
    ):
        wallets = None
        if options.wallet:
            wallets = {context.store.load().profile(options.wallet).wallet_address}
        rows = rows_meant(reader, options.payment, wallets)
        row = only_one(rows, options.payment)
        steps = reader.timeline(row.wallet, row.id)
    if options.json:
        for step in shapes.timeline(steps, row.received_asset):
            print_json({"payment": row.id, "walletAddress": row.wallet, **step})
        return 0
    talk(f"{row.id}  {wording.state(row)}")
    for entry in steps:
        moment = wording.to_the_second(entry.at)
        print_lines(f"{moment}  {wording.step(entry, row.received_asset)}")
    return 0
