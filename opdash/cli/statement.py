"""``opdash statement``: what arrived in a month, for the bookkeeper."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence

from opdash.cli import shapes
from opdash.cli.context import Context, opened
from opdash.cli.options import CommandParser, add_wallet_option
from opdash.cli.output import talk
from opdash.cli.papers import add_paper_options, check_paper_options, deliver
from opdash.cli.running import run_with_dashboard
from opdash.errors import ExitCode
from opdash.openpayments.errors import OpenPaymentsError
from opdash.periods import read_zone
from opdash.service.dashboard import Dashboard
from opdash.service.session import WalletSession
from opdash.statements.periods import read_month, read_span
from opdash.statements.reading import Subject, read_statement
from opdash.statements.records import (
    AssetStatement,
    Span,
    Statement,
)
from opdash.statements.statement_document import completeness, statement_document
from opdash.statements.wording import why_action


def run(arguments: list[str]) -> int:
    """Run ``opdash statement``."""
    parser = CommandParser(
        "statement",
        "Tell what arrived in a month or another period, for each wallet and asset: opening and "
        "closing totals, receipts per day and by reference, payments by state, and what needs "
        "action. Totals are sums of what was observed to be received, not the account's balance. "
        "Exit code: 0, or 3 where the ledger does not know the server's whole list.",
        [
            "opdash statement --month 2026-10",
            "opdash statement --period 2026-10-01..2026-10-15 --zone Europe/Berlin",
            "opdash statement --month last --output october.html",
            "opdash statement --month 2026-10 --json | jq 'select(.type == \"asset\")'",
        ],
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--month", metavar="MONTH", help="such as 2026-10, this or last; this month unless given"
    )
    which.add_argument(
        "--period", metavar="PERIOD", help="a day, month, year or range: 2026-10-01..2026-10-15"
    )
    add_paper_options(parser)
    parser.add_argument(
        "--all", action="store_true", help="name all references and payments, however many"
    )
    parser.add_argument("--offline", action="store_true", help="ask no server; use what is known")
    add_wallet_option(parser)
    options = parser.parse(arguments)
    check_paper_options(options)
    with opened(options) as context:
        span = _span(options, context)
        profiles = context.profiles_meant(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            sessions = [dashboard.session(profile.name) for profile in profiles]
            failure = None if options.offline else await _ask(sessions)
            subjects = [_subject(session) for session in sessions]
            names = {one.address: s.profile.name for one, s in zip(subjects, sessions, strict=True)}
            statement = read_statement(dashboard.reader, subjects, span, context.clock.now())
            document = statement_document(statement, whole=options.all)
            deliver(
                options,
                document,
                _records(statement, names),
                f"the statement for {span.title}",
            )
            talk(*filter(None, map(completeness, statement.wallets)))
            if failure is not None:
                talk("A server did not answer; this is as last known.")
                raise failure
            return int(ExitCode.DONE if statement.is_complete else ExitCode.EXCEPTIONS)

        return run_with_dashboard(context, work)


def _span(options: argparse.Namespace, context: Context) -> Span:
    zone, now = read_zone(options.zone), context.clock.now()
    if options.period is not None:
        return read_span(options.period, now, zone)
    return read_month(options.month or "this", now, zone)


async def _ask(sessions: Sequence[WalletSession]) -> OpenPaymentsError | None:
    """Fetch what is new of each wallet; return why one of them could not be asked."""
    failure: OpenPaymentsError | None = None
    for session in sessions:
        try:
            await session.poll_once()
        except OpenPaymentsError as error:
            failure = failure or error
    return failure


def _subject(session: WalletSession) -> Subject:
    profile = session.profile
    return Subject(profile.title, session.wallet_id or profile.wallet_address, profile.scope)


# For programs


def _records(statement: Statement, names: Mapping[str, str]) -> Iterator[shapes.Record]:
    """Yield the objects of a statement, one a line; nothing is left out, however many there are."""
    span = statement.span
    yield {
        "type": "statement",
        "title": span.title,
        "firstDay": span.first.isoformat(),
        "lastDay": span.last.isoformat(),
        "start": shapes.instant(span.start),
        "end": shapes.instant(span.end),
        "zone": span.zone_name,
        "madeAt": shapes.instant(statement.made_at),
        "over": statement.is_over,
        "complete": statement.is_complete,
    }
    for wallet in statement.wallets:
        of = {"wallet": names[wallet.address], "walletAddress": wallet.address}
        known = wallet.knowledge
        yield {
            "type": "wallet",
            **of,
            "publicName": wallet.public_name,
            "scope": None if known is None else known.scope.value,
            "known": 0 if known is None else known.payments,
            "complete": known is not None and known.complete,
            "lastPollAt": None if known is None else shapes.instant(known.last_poll_at),
            "otherActions": wallet.other_actions,
        }
        for asset in wallet.assets:
            yield from _asset_records(asset, of)
        for one in wallet.states:
            yield {
                "type": "state",
                **of,
                "state": one.state.value,
                "count": one.count,
                "asked": shapes.amount(one.asked, one.asset),
                "received": shapes.amount(one.received, one.asset),
                "difference": shapes.amount(one.difference, one.asset),
            }
        for kind, rows in (("action", wallet.actions), ("settled", wallet.settled)):
            for row in rows:
                payment = shapes.payment(row, names[wallet.address])
                yield {"type": kind, **of, "matter": why_action(row), "payment": payment}


def _asset_records(one: AssetStatement, of: shapes.Record) -> Iterator[shapes.Record]:
    asset = one.asset
    yield {
        "type": "asset",
        **of,
        "opening": shapes.amount(one.opening, asset),
        "received": shapes.amount(one.received, asset),
        "corrected": shapes.amount(one.corrected, asset),
        "closing": shapes.amount(one.closing, asset),
        "receipts": one.receipts,
        "payments": one.payments,
        "estimatedReceipts": one.estimated,
        "estimated": shapes.amount(one.estimated_received, asset),
    }
    for day in one.days:
        yield {
            "type": "day",
            **of,
            "day": day.day.isoformat(),
            "received": shapes.amount(day.received, asset),
            "receipts": day.receipts,
            "payments": day.payments,
            "estimatedReceipts": day.estimated,
        }
    for reference in one.references:
        yield {
            "type": "reference",
            **of,
            "reference": reference.reference,
            "received": shapes.amount(reference.received, asset),
            "receipts": reference.receipts,
            "payments": reference.payments,
        }
    for step in one.corrections:
        yield {
            "type": "correction",
            **of,
            "payment": step.payment_id,
            "at": shapes.instant(step.at),
            "delta": shapes.amount(step.delta, asset),
            "why": step.why,
        }
