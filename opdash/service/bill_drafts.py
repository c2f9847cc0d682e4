"""Invoices as the payments that are to be created for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from opdash.errors import InputError, OpdashError
from opdash.ledger.billings import Bill
from opdash.ledger.reader import LedgerReader
from opdash.openpayments.resources import WalletAddress
from opdash.service.drafts import MAX_EXPIRY, PaymentDraft, check_draft, wire_draft
from opdash.service.session import WalletSession

LONGEST: Final = MAX_EXPIRY - timedelta(minutes=1)
"""How long a payment may last; the minute allows for clocks that differ."""


def draft_of(bill: Bill, session: WalletSession) -> PaymentDraft:
    """Return a bill as the payment that is created for it now."""
    expires_at = bill.expires_at
    if bill.lasts is not None:
        expires_at = session.now() + timedelta(seconds=bill.lasts)
    return PaymentDraft(
        amount=bill.amount,
        description=bill.description,
        reference=bill.invoice,
        expires_at=expires_at,
    )


def refusal(bill: Bill, wallet: WalletAddress, session: WalletSession) -> str:
    """Return why a bill cannot be sent, a sentence without its full stop; empty when it can."""
    draft = draft_of(bill, session)
    try:
        check_draft(draft, session.now())
        wire_draft(draft, wallet, "").body(wallet)
    except InputError as error:
        return error.sentence.rstrip(".")
    return ""


async def look_first(session: WalletSession, reader: LedgerReader) -> WalletAddress:
    """Learn all payments that there are, so that none is created a second time.

    Polls once; where the ledger does not know the server's whole list, that is read to its end.

    Raises:
        OpdashError: The server could not be asked.
    """
    await session.poll_once()
    wallet = session.wallet
    if wallet is None:
        raise OpdashError("The wallet address did not describe itself.", "Try again.")
    if not reader.is_complete(wallet.id):
        await session.read_all()
    await session.follow_time()
    return wallet
