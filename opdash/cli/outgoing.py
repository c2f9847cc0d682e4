"""``opdash outgoing``: one outgoing payment by its URL, followed if wanted, or the list of them."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from datetime import datetime, timedelta

from opdash.cli import shapes, wording
from opdash.cli.common import UsageError
from opdash.cli.context import opened
from opdash.cli.ending import told_to_end
from opdash.cli.options import CommandParser, add_json_option, add_wallet_option, whole_number
from opdash.cli.output import print_fields, print_json, print_lines, talk
from opdash.cli.running import learn_wallets, run_with_dashboard, session_of
from opdash.errors import OpdashError
from opdash.ledger.outgoing import (
    OUTGOING_GLYPHS,
    OutgoingState,
    OutgoingVerdict,
    effective_rate,
    is_settled,
    judge,
    look_again_after,
    outgoing_cost,
)
from opdash.ledger.rates import exact_rate, rate_text
from opdash.openpayments.addresses import parse_resource_url
from opdash.openpayments.amounts import Amount
from opdash.openpayments.errors import ServerFaultError, UnreachableError
from opdash.openpayments.resources import OutgoingPayment
from opdash.service.dashboard import Dashboard
from opdash.settings import Profile

_FIRST = 20


def run(arguments: list[str]) -> int:
    """Run ``opdash outgoing``."""
    parser = CommandParser(
        "outgoing",
        "Show an outgoing payment of one of your wallets, or list them. Servers give them out only "
        "with the account holder's consent; opdash then prints the page where to give it, and "
        "waits. What was seen stays in the ledger.",
        [
            "opdash outgoing https://ilp.example/outgoing-payments/7d0c2e1a-…",
            "opdash outgoing https://ilp.example/outgoing-payments/7d0c2e1a-… --follow",
            "opdash outgoing --list --wallet shop",
        ],
    )
    parser.add_argument("url", metavar="URL", nargs="?", default="", help="the payment's URL")
    parser.add_argument("--list", action="store_true", help="list a wallet's outgoing payments")
    parser.add_argument(
        "--first", metavar="N", type=whole_number, default=_FIRST, help="list so many (usually 20)"
    )
    parser.add_argument(
        "--follow", action="store_true", help="print every change until the payment is final"
    )
    parser.add_argument("--offline", action="store_true", help="ask no server; print what is known")
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    _check(options)
    with opened(options) as context:
        if options.list:
            from opdash.cli.outgoing_listing import list_outgoing

            return list_outgoing(context, options)
        url = parse_resource_url(options.url)
        profile = context.profiles_meant(options.wallet)[0]

        async def work(dashboard: Dashboard) -> int:
            named = bool(options.wallet)
            look = _Look(dashboard, profile, url, only=named, as_json=options.json)
            if options.offline:
                return look.remember()
            await learn_wallets(dashboard)
            return await (look.follow() if options.follow else look.once())

        return run_with_dashboard(context, work)


def _check(options: argparse.Namespace) -> None:
    if bool(options.url) == options.list:
        raise UsageError(
            "Give either the URL of an outgoing payment, or --list.",
            "For example: opdash outgoing --list --wallet shop",
        )
    if options.follow and (options.list or options.offline):
        raise UsageError("--follow asks for one payment again and again.", "Give its URL alone.")


class _Look:
    """Looks at one outgoing payment."""

    def __init__(
        self, dashboard: Dashboard, profile: Profile, url: str, *, only: bool, as_json: bool
    ) -> None:
        self._dashboard = dashboard
        self._profile = profile
        self._only = only
        self._url = url
        self._as_json = as_json

    @property
    def _now(self) -> datetime:
        return self._dashboard.session(self._profile.name).now()

    async def once(self) -> int:
        """Fetch and print it; as it was last seen where the server does not answer."""
        try:
            payment, verdict = await self._ask()
        except (UnreachableError, ServerFaultError):
            if self._dashboard.reader.outgoing(self._url) is not None:
                self.remember()
            raise
        print_outgoing(payment, verdict, as_json=self._as_json)
        return 0

    def remember(self) -> int:
        """Print it as it was last seen."""
        seen = self._dashboard.reader.outgoing(self._url)
        if seen is None:
            raise OpdashError(
                "opdash has not seen this outgoing payment yet.",
                "Leave --offline out to ask for it.",
            )
        rows = self._dashboard.reader.find(seen.payment.receiver)
        settled = is_settled(rows[0], seen.payment) if rows else None
        verdict = judge(
            seen.payment,
            self._now,
            sent_changed_at=seen.sent_changed_at,
            receiver_settled=settled,
        )
        print_outgoing(seen.payment, verdict, as_json=self._as_json, seen_at=seen.last_seen_at)
        return 0

    async def follow(self) -> int:
        """Print every change until it is final, or until a signal ends it."""
        ended = asyncio.Event()
        shown: tuple[OutgoingState, int] | None = None
        with told_to_end(ended.set):
            while not ended.is_set():
                wait = self._interval
                try:
                    payment, verdict = await self._ask()
                except (UnreachableError, ServerFaultError) as error:
                    talk(f"{error.sentence} Trying again.")
                else:
                    now = (verdict.state, payment.sent_amount.minor_units)
                    if now != shown:
                        shown = now
                        self._print_step(payment, verdict)
                    if verdict.state is not OutgoingState.SENDING:
                        break
                    wait = self._pause(payment)
                await self._sleep(ended, wait)
        return 0

    @property
    def _interval(self) -> timedelta:
        return timedelta(seconds=self._profile.poll_interval)

    def _pause(self, payment: OutgoingPayment) -> timedelta:
        seen = self._dashboard.reader.outgoing(self._url)
        changed_at = None if seen is None else seen.sent_changed_at
        return look_again_after(payment, self._now, self._interval, sent_changed_at=changed_at)

    async def _sleep(self, ended: asyncio.Event, wait: timedelta) -> None:
        """Wait, but not beyond the end."""
        waits = {
            asyncio.ensure_future(self._dashboard.clock.sleep(wait.total_seconds())),
            asyncio.ensure_future(ended.wait()),
        }
        _, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for one in rest:
            one.cancel()

    async def _ask(self) -> tuple[OutgoingPayment, OutgoingVerdict]:
        payment = await self._dashboard.outgoing_payment(
            self._url, first=self._profile.name, only=self._only
        )
        seen = self._dashboard.reader.outgoing(payment.id)
        verdict = judge(
            payment,
            self._now,
            sent_changed_at=None if seen is None else seen.sent_changed_at,
            receiver_settled=await self._settled(payment),
        )
        return payment, verdict

    async def _settled(self, payment: OutgoingPayment) -> bool | None:
        """Return whether the receiver has the money; None where it is none of ours."""
        for row in self._dashboard.reader.find(payment.receiver):
            session = session_of(self._dashboard, row)
            if session is not None:
                with contextlib.suppress(OpdashError):  # then what was known must do
                    row = await session.refresh_payment(row.id) or row
                return is_settled(row, payment)
        return None

    def _print_step(self, payment: OutgoingPayment, verdict: OutgoingVerdict) -> None:
        final = verdict.state is not OutgoingState.SENDING
        if self._as_json or final:
            print_outgoing(payment, verdict, as_json=self._as_json)
            return
        sent = wording.number(payment.sent_amount.minor_units, payment.sent_amount.asset)
        print_lines(
            f"{wording.to_the_second(self._now)}  {state_words(verdict)}  "
            f"sent {sent} of {_money(payment.debit_amount)}"
        )


def state_words(verdict: OutgoingVerdict) -> str:
    """Return a state's sign and word, and whether it is certain."""
    state = f"{OUTGOING_GLYPHS[verdict.state]} {verdict.state.value}"
    return state if verdict.certain else f"{state} (as far as can be known)"


def print_outgoing(
    payment: OutgoingPayment,
    verdict: OutgoingVerdict,
    *,
    as_json: bool,
    seen_at: datetime | None = None,
) -> None:
    """Print all that is known of an outgoing payment.

    Args:
        payment: As its server sent it.
        verdict: Its state.
        as_json: As one line for a program.
        seen_at: When it was last seen, where that is not now.
    """
    if as_json:
        print_json(shapes.outgoing(payment, verdict, seen_at))
        return
    debit, receive, sent = payment.debit_amount, payment.receive_amount, payment.sent_amount
    cost = outgoing_cost(verdict.state, debit.minor_units, sent.minor_units)
    rate = effective_rate(receive.minor_units, debit.minor_units)
    in_words = "" if rate is None else rate_text(rate, debit.asset, receive.asset)
    exactly = "" if rate is None else exact_rate(rate, debit.asset, receive.asset)
    print_fields(
        [
            ("state", state_words(verdict)),
            ("debit", _money(debit)),
            ("receive", _money(receive)),
            ("sent", _money(sent)),
            ("cost", wording.money(cost, debit.asset) if debit.asset == sent.asset else ""),
            ("rate", in_words),
            ("exactly", exactly),
            ("failed", "yes" if payment.failed else "no"),
            ("created", wording.local(payment.created_at)),
            ("receiver", payment.receiver),
            ("wallet", payment.wallet_address),
            ("quote", payment.quote_id or ""),
            ("payment", payment.id),
            ("as of", wording.local(seen_at)),
        ]
    )
    metadata = shapes.metadata(payment.metadata_json)
    if metadata:
        print_lines("", "metadata")
        print_fields([(f"  {path}", text) for path, text in wording.leaves(metadata)])


def _money(amount: Amount) -> str:
    return wording.money(amount.minor_units, amount.asset)
