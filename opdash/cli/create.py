"""``opdash create``: create an incoming payment, once."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from datetime import datetime

from opdash.cli import shapes, wording
from opdash.cli.context import opened
from opdash.cli.options import CommandParser, UsageError, add_json_option, add_wallet_option
from opdash.cli.output import print_fields, print_json, print_lines, talk
from opdash.cli.running import run_with_dashboard
from opdash.cli.when import parse_duration, parse_instant
from opdash.errors import InputError, OpdashError
from opdash.ledger.records import UNRESOLVED, Creation, CreationStatus
from opdash.openpayments.amounts import MAX_CREATE_VALUE, Asset, parse_minor
from opdash.openpayments.errors import OpenPaymentsError, UnansweredError
from opdash.openpayments.resources import WalletAddress
from opdash.safetext import safe_text
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft, check_draft, draft_json
from opdash.service.session import WalletSession


def run(arguments: list[str]) -> int:
    """Run ``opdash create``."""
    options = _parser().parse(arguments)
    metadata = _metadata(options.metadata)
    with opened(options) as context:
        profile = context.choose_profile(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            session = dashboard.session(profile.name)
            wallet = await session.discover()
            draft = _draft(options, metadata, wallet.asset, session.now())
            check_draft(draft, session.now())
            if options.dry_run:
                _show_draft(draft, wallet, as_json=options.json)
                return 0
            creation = await _create(dashboard, session, draft)
            return _report(dashboard, session, creation, as_json=options.json)

        return run_with_dashboard(context, work)


def _parser() -> CommandParser:
    parser = CommandParser(
        "create",
        "Create an incoming payment and print its URL, which the payer needs. Without an amount "
        "the payer chooses it.",
        [
            "opdash create --amount 12.50 --reference INV-7 --expires-in 2d",
            "opdash create --amount 80 --description 'Two lamps' --metadata table=4 --dry-run",
        ],
    )
    parser.add_argument("--amount", metavar="N", help="in the wallet's asset, such as 12.50")
    parser.add_argument("--description", metavar="TEXT", default="", help="what the payer reads")
    parser.add_argument(
        "--reference", metavar="TEXT", default="", help="your own reference (externalRef)"
    )
    expiry = parser.add_mutually_exclusive_group()
    expiry.add_argument("--expires-in", metavar="DURATION", help="such as 30m, 12h or 2d")
    expiry.add_argument(
        "--expires-at", metavar="TIME", help="such as 2026-12-01 or 2026-12-01T18:00 (local time)"
    )
    parser.add_argument(
        "--metadata",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="further metadata; may be given several times",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the JSON that would be sent, and send nothing"
    )
    add_wallet_option(parser)
    add_json_option(parser)
    return parser


def _metadata(pairs: Sequence[str]) -> dict[str, str]:
    metadata: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        shown = safe_text(key, limit=40)
        if not equals:
            raise UsageError(f"“{shown}” is no KEY=VALUE.", "Write it as --metadata key=value.")
        if key in metadata:
            raise UsageError(
                f"The metadata key “{shown}” is given twice.", "Leave one of them out."
            )
        metadata[key] = value
    return metadata


def _draft(
    options: argparse.Namespace, metadata: dict[str, str], asset: Asset, now: datetime
) -> PaymentDraft:
    amount, expires_at = None, None
    if options.amount is not None:
        amount = parse_minor(options.amount, asset.scale, maximum=MAX_CREATE_VALUE)
    if options.expires_in is not None:
        expires_at = now + parse_duration(options.expires_in)
    elif options.expires_at is not None:
        expires_at = parse_instant(options.expires_at)
    return PaymentDraft(
        amount=amount,
        description=_utf8(options.description),
        reference=_utf8(options.reference),
        expires_at=expires_at,
        metadata={_utf8(key): _utf8(value) for key, value in metadata.items()},
    )


def _utf8(text: str) -> str:
    """Refuse bytes of the command line that are no UTF-8; Python hands them on as surrogates."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError(
            f"“{safe_text(text, limit=40)}” is not UTF-8 text.", "Check the terminal's encoding."
        )
    return text


def _show_draft(draft: PaymentDraft, wallet: WalletAddress, *, as_json: bool) -> None:
    text = draft_json(draft, wallet)
    if as_json:
        print_json(json.loads(text))
    else:
        print_lines(*text.splitlines())
        talk("Nothing was sent. opdashRequestId is filled in with a new id when it is.")


async def _create(dashboard: Dashboard, session: WalletSession, draft: PaymentDraft) -> Creation:
    """Create the payment, and wait until it is known whether it exists."""
    try:
        creation = await session.create_payment(draft)
        if creation.status in UNRESOLVED:
            talk("No answer came: it is unknown whether the payment was created. Checking …")
        while creation.status in UNRESOLVED:
            creation = await _look_again(dashboard, session, creation)
    except asyncio.CancelledError:
        talk("Interrupted; “opdash list” tells whether the payment was created all the same.")
        raise
    return creation


async def _look_again(dashboard: Dashboard, session: WalletSession, creation: Creation) -> Creation:
    await dashboard.clock.sleep(session.profile.poll_interval)
    try:
        await session.poll_once()
    except OpenPaymentsError as error:
        unknown = UnansweredError(
            f"It is unknown whether the payment was created. {error.sentence}",
            "opdash looks for it when it next starts; do not create it again before that.",
        )
        unknown.exit_code = error.exit_code
        raise unknown from error
    return dashboard.reader.creation(creation.request_id) or creation


def _report(
    dashboard: Dashboard, session: WalletSession, creation: Creation, *, as_json: bool
) -> int:
    row = None
    if creation.payment_id is not None:
        row = dashboard.reader.payment(creation.wallet, creation.payment_id)
    if as_json:
        request = json.loads(creation.draft_json)
        print_json(shapes.creation(creation, row, request, session.profile.name))
    elif row is not None:
        print_fields(wording.payment_fields(row))
    if creation.status is not CreationStatus.CREATED:
        raise OpdashError(creation.error or "The payment was not created.", "Try once more.")
    talk(creation.error or "The payment is created; give its URL to the payer.")
    return 0
