"""``opdash outgoing``: one outgoing payment, by its URL."""

from __future__ import annotations

import contextlib

from opdash.cli import shapes, wording
from opdash.cli.context import opened
from opdash.cli.options import CommandParser, add_json_option, add_wallet_option
from opdash.cli.output import print_fields, print_json, print_lines
from opdash.cli.running import learn_wallets, run_with_dashboard, session_of
from opdash.errors import OpdashError
from opdash.ledger.outgoing import (
    OUTGOING_GLYPHS,
    OutgoingFacts,
    OutgoingVerdict,
    derive_outgoing,
    is_settled,
    outgoing_cost,
)
from opdash.openpayments.addresses import parse_resource_url
from opdash.openpayments.amounts import Amount
from opdash.openpayments.resources import OutgoingPayment
from opdash.service.dashboard import Dashboard


def run(arguments: list[str]) -> int:
    """Run ``opdash outgoing``."""
    parser = CommandParser(
        "outgoing",
        "Show an outgoing payment of one of your wallets. Servers give it out only with the "
        "account holder's consent; opdash then prints the page where to give it, and waits.",
        ["opdash outgoing https://ilp.example/outgoing-payments/7d0c2e1a-…"],
    )
    parser.add_argument("url", metavar="URL", help="the payment's URL")
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        url = parse_resource_url(options.url)
        profile = context.profiles_meant(options.wallet)[0]

        async def work(dashboard: Dashboard) -> int:
            await learn_wallets(dashboard)
            payment = await dashboard.outgoing_payment(url, first=profile.name)
            now = dashboard.session(profile.name).now()
            facts = OutgoingFacts(
                failed=payment.failed,
                sent=payment.sent_amount.minor_units,
                debit=payment.debit_amount.minor_units,
                created_at=payment.created_at,
                receiver_settled=await _settled(dashboard, payment),
            )
            _print(payment, derive_outgoing(facts, now), as_json=options.json)
            return 0

        return run_with_dashboard(context, work)


async def _settled(dashboard: Dashboard, payment: OutgoingPayment) -> bool | None:
    """Return whether the receiver has the money; None where it is none of ours."""
    for row in dashboard.reader.find(payment.receiver):
        session = session_of(dashboard, row)
        if session is not None:
            with contextlib.suppress(OpdashError):  # then what was known must do
                row = await session.refresh_payment(row.id) or row
            return is_settled(row, payment.receive_amount)
    return None


def _print(payment: OutgoingPayment, verdict: OutgoingVerdict, *, as_json: bool) -> None:
    if as_json:
        print_json(shapes.outgoing(payment, verdict))
        return
    debit, sent = payment.debit_amount, payment.sent_amount
    cost = outgoing_cost(verdict.state, debit.minor_units, sent.minor_units)
    state = f"{OUTGOING_GLYPHS[verdict.state]} {verdict.state.value}"
    print_fields(
        [
            ("state", state if verdict.certain else f"{state} (as far as can be known)"),
            ("debit", _money(debit)),
            ("receive", _money(payment.receive_amount)),
            ("sent", _money(sent)),
            ("cost", wording.money(cost, debit.asset) if debit.asset == sent.asset else ""),
            ("failed", "yes" if payment.failed else "no"),
            ("created", wording.local(payment.created_at)),
            ("receiver", payment.receiver),
            ("wallet", payment.wallet_address),
            ("quote", payment.quote_id or ""),
            ("payment", payment.id),
        ]
    )
    metadata = shapes.metadata(payment.metadata_json)
    if metadata:
        print_lines("", "metadata")
        print_fields([(f"  {path}", text) for path, text in wording.leaves(metadata)])


def _money(amount: Amount) -> str:
    return wording.money(amount.minor_units, amount.asset)
