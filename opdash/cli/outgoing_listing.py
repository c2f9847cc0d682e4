"""``opdash outgoing --list``: a wallet's outgoing payments, from its server and the ledger."""

from __future__ import annotations

import argparse
from datetime import datetime

from opdash.cli import shapes, wording
from opdash.cli.context import Context
from opdash.cli.outgoing import state_words
from opdash.cli.output import Cell, Column, Style, print_json, print_table, talk
from opdash.cli.running import run_with_dashboard
from opdash.errors import OpdashError
from opdash.ledger.outgoing import OutgoingState, OutgoingVerdict, SeenOutgoing, is_settled, judge
from opdash.openpayments.amounts import Amount
from opdash.openpayments.errors import OpenPaymentsError
from opdash.service.dashboard import Dashboard
from opdash.service.errors import NotListedError
from opdash.service.session import WalletSession


def list_outgoing(context: Context, options: argparse.Namespace) -> int:
    """List outgoing payments, the newest first; what is known is printed even if a server fails."""
    profile = context.choose_profile(options.wallet)

    async def work(dashboard: Dashboard) -> int:
        session = dashboard.session(profile.name)
        failure = None if options.offline else await _fetch(session, options.first)
        wallet_id = session.wallet_id
        rows: tuple[SeenOutgoing, ...] = ()
        if wallet_id is not None:
            rows = dashboard.reader.outgoing_window(wallet_id, 0, options.first)
        _print(dashboard, rows, session.now(), as_json=options.json)
        if not options.json:
            known = 0 if wallet_id is None else dashboard.reader.outgoing_count(wallet_id)
            talk(_footer(rows, known, is_stale=options.offline or failure is not None))
        if failure is not None:
            raise failure
        return 0

    return run_with_dashboard(context, work)


async def _fetch(session: WalletSession, wanted: int) -> OpdashError | None:
    """Read the server's list as far as is wanted; return why it could not be read, or None."""
    read, cursor = 0, None
    try:
        while True:
            page = await session.outgoing_page(cursor)
            read, cursor = read + len(page.result), page.pagination.end_cursor
            if read >= wanted or not page.result or not page.pagination.has_next_page:
                return None
    except (OpenPaymentsError, NotListedError) as error:
        return error


def _footer(rows: tuple[SeenOutgoing, ...], known: int, *, is_stale: bool) -> str:
    words = f"{len(rows):,} of {known:,} known outgoing payments"
    if is_stale and rows:
        oldest = min(seen.last_seen_at for seen in rows)
        words += f", as last seen, the oldest on {wording.local(oldest)}"
    return words


def _print(
    dashboard: Dashboard, rows: tuple[SeenOutgoing, ...], now: datetime, *, as_json: bool
) -> None:
    judged = [(seen, _verdict(dashboard, seen, now)) for seen in rows]
    if as_json:
        for seen, verdict in judged:
            print_json(shapes.outgoing(seen.payment, verdict, seen.last_seen_at))
        return
    if not rows:
        return
    columns = [
        Column("State"),
        Column("Debit", right=True),
        Column("Receive", right=True),
        Column("Sent", right=True),
        Column("Created"),
        Column("Last seen", spare=1),
        Column("Payment", shrinks=True),
    ]
    print_table(columns, [_cells(seen, verdict) for seen, verdict in judged])


def _verdict(dashboard: Dashboard, seen: SeenOutgoing, now: datetime) -> OutgoingVerdict:
    receivers = dashboard.reader.find(seen.payment.receiver)
    return judge(
        seen.payment,
        now,
        sent_changed_at=seen.sent_changed_at,
        receiver_settled=is_settled(receivers[0], seen.payment) if receivers else None,
    )


def _cells(seen: SeenOutgoing, verdict: OutgoingVerdict) -> list[Cell]:
    failed = verdict.state in (OutgoingState.FAILED, OutgoingState.FAILED_PARTIAL)
    style = Style.ATTENTION if failed else Style.PLAIN
    payment = seen.payment
    return [
        Cell(state_words(verdict), Style.GOOD if verdict.state is OutgoingState.SENT else style),
        Cell(_money(payment.debit_amount)),
        Cell(_money(payment.receive_amount)),
        Cell(_money(payment.sent_amount)),
        Cell(wording.local(payment.created_at)),
        Cell(wording.local(seen.last_seen_at)),
        Cell(payment.id),
    ]


def _money(amount: Amount) -> str:
    return wording.money(amount.minor_units, amount.asset)
