"""``opdash show``: one incoming payment and its time line."""

from __future__ import annotations

from opdash.cli import shapes, wording
from opdash.cli.context import opened
from opdash.cli.options import CommandParser, add_json_option, add_wallet_option
from opdash.cli.output import print_fields, print_json, print_lines, talk
from opdash.cli.running import (
    PAYMENT_HELP,
    UnknownPayment,
    find_payment,
    refresh,
    run_with_dashboard,
)
from opdash.ledger.records import PaymentRow
from opdash.openpayments.errors import OpenPaymentsError
from opdash.service.dashboard import Dashboard
from opdash.service.session import WalletSession


def run(arguments: list[str]) -> int:
    """Run ``opdash show``."""
    parser = CommandParser(
        "show",
        "Show one incoming payment, fetched anew, and what was observed of it so far. A payment of "
        "another wallet is shown as far as anyone may read it.",
        ["opdash show 2f1b6c0e", "opdash show https://ilp.example/incoming-payments/2f1b6c0e-…"],
    )
    parser.add_argument("payment", metavar="ID", help=PAYMENT_HELP)
    parser.add_argument("--offline", action="store_true", help="ask no server; show what is known")
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        profiles = context.profiles_meant(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            sessions = [dashboard.session(profile.name) for profile in profiles]
            try:
                owner, row = await find_payment(
                    dashboard,
                    sessions,
                    options.payment,
                    anywhere=not options.wallet,
                    offline=options.offline,
                )
            except UnknownPayment:
                if "://" not in options.payment or options.offline:
                    raise
                return await _show_public(sessions[0], options.payment, as_json=options.json)
            failure: OpenPaymentsError | None = None
            if owner is None:
                talk("Its wallet is no longer set up; this is what opdash remembers.")
            elif not options.offline:
                failure = await refresh(owner, row)
                row = dashboard.reader.payment(row.wallet, row.id) or row
            name = "" if owner is None else owner.profile.name
            _show(dashboard, row, name, as_json=options.json)
            if failure is not None:
                raise failure
            return 0

        return run_with_dashboard(context, work)


def _show(dashboard: Dashboard, row: PaymentRow, name: str, *, as_json: bool) -> None:
    entries = dashboard.reader.timeline(row.wallet, row.id)
    if as_json:
        steps = shapes.timeline(entries, row.received_asset)
        print_json({**shapes.payment(row, name), "timeline": steps})
        return
    print_fields(wording.payment_fields(row))
    known = ("description", "externalRef")
    metadata = {k: v for k, v in shapes.metadata(row.metadata_json).items() if k not in known}
    if metadata:
        print_lines("", "metadata")
        print_fields([(f"  {path}", text) for path, text in wording.leaves(metadata)])
    print_lines("", "time line")
    for step in entries:
        moment = wording.to_the_second(step.at)
        print_lines(f"  {moment}  {wording.step(step, row.received_asset)}")


async def _show_public(session: WalletSession, url: str, *, as_json: bool) -> int:
    payment = await session.public_payment(url)
    received = payment.received_amount
    units, asset = (None, None) if received is None else (received.minor_units, received.asset)
    talk("This payment is none of your wallets'; this is what anyone may read of it.")
    if as_json:
        print_json(
            {
                "id": url,
                "public": True,
                "authServer": payment.auth_server,
                "received": shapes.amount(units, asset),
            }
        )
    else:
        print_fields(
            [
                ("received", wording.money(units, asset) or "not told"),
                ("auth server", payment.auth_server),
                ("payment", url),
            ]
        )
    return 0
