"""Which invoices opdash set out to bill: written down with the intent, before anything is sent.

An invoice of a wallet address is billed once. It may be billed again when it is certain that the
attempt before made no payment, or when a person asks for it after that payment was over unpaid;
who reads and who writes are one transaction, so of two processes only one gets to bill it.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

import msgspec

from opdash.errors import OpdashError
from opdash.ledger.creations import insert_creation, read_creation
from opdash.ledger.encoding import decode_instant, encode_instant
from opdash.ledger.records import UNRESOLVED, Creation, CreationStatus
from opdash.safetext import safe_text

_MADE_NONE: Final = frozenset({CreationStatus.FAILED, CreationStatus.NOT_FOUND})


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice as it is to be billed.

    Attributes:
        invoice: Its number, which becomes the payment's reference.
        amount: Minor units of the wallet address's asset.
        description: What the payer reads, or empty.
        expires_at: When the payment ends, an aware instant; None for the server's own limit.
        lasts: Seconds from its creation until it ends; goes before ``expires_at``.
        instead_of: The request id of an earlier billing whose payment is over unpaid, where a
            person asked for another one; empty otherwise.
    """

    invoice: str
    amount: int
    description: str = ""
    expires_at: datetime | None = None
    lasts: int | None = None
    instead_of: str = ""


class Billing(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to bill an invoice.

    Attributes:
        invoice: The invoice's number, as written in the merchant's file.
        creation: The payment that was to be created, and how far that has come.
        at: When it was written down, UTC.
    """

    invoice: str
    creation: Creation
    at: datetime

    @property
    def is_unresolved(self) -> bool:
        """Whether it is not known yet whether there is a payment."""
        return self.creation.status in UNRESOLVED

    @property
    def made_none(self) -> bool:
        """Whether it is certain that there is no payment of it."""
        return self.creation.status in _MADE_NONE


class AlreadyBilledError(OpdashError):
    """An invoice has been billed before, perhaps by another process a moment ago.

    Attributes:
        billing: What was found.
    """

    def __init__(self, billing: Billing) -> None:
        shown = safe_text(billing.invoice, limit=60)
        super().__init__(
            f"Invoice {shown} has been billed already; nothing was sent.",
            "Look at its payment, or wait until it is known whether there is one.",
        )
        self.billing = billing


def insert_billing(
    connection: sqlite3.Connection, wallet_key: int, bill: Bill, creation: Creation
) -> None:
    """Write down that an invoice is about to be billed, together with the intent to create.

    Raises:
        AlreadyBilledError: There is a payment of it, or may be one.
        LedgerError: The request id is taken.
    """
    latest = _latest(connection, wallet_key, bill.invoice)
    if latest is not None and not latest.made_none:
        is_replaced = latest.creation.request_id == bill.instead_of
        if latest.is_unresolved or not is_replaced:
            raise AlreadyBilledError(latest)
    insert_creation(connection, wallet_key, creation)
    connection.execute(
        "INSERT INTO billing (wallet_key, invoice, request_id, at) VALUES (?, ?, ?, ?)",
        (wallet_key, bill.invoice, creation.request_id, encode_instant(creation.created_at)),
    )


def read_billings(connection: sqlite3.Connection, address: str) -> dict[str, Billing]:
    """Return the latest attempt for each invoice of a wallet address, by invoice number."""
    found = connection.execute(
        """SELECT invoice, request_id, at FROM billing JOIN wallet USING (wallet_key)
           WHERE address = ? ORDER BY billing_key""",
        (address,),
    ).fetchall()
    latest = {invoice: (request_id, at) for invoice, request_id, at in found}
    billings = (_billing(connection, invoice, *one) for invoice, one in latest.items())
    return {one.invoice: one for one in billings if one is not None}


def _latest(connection: sqlite3.Connection, wallet_key: int, invoice: str) -> Billing | None:
    found = connection.execute(
        """SELECT request_id, at FROM billing WHERE wallet_key = ? AND invoice = ?
           ORDER BY billing_key DESC LIMIT 1""",
        (wallet_key, invoice),
    ).fetchone()
    return None if found is None else _billing(connection, invoice, *found)


def _billing(
    connection: sqlite3.Connection, invoice: str, request_id: str, at: int
) -> Billing | None:
    creation = read_creation(connection, request_id)
    if creation is None:  # a repair could not read it: whether it was sent is not known either
        return None
    return Billing(invoice=invoice, creation=creation, at=decode_instant(at))
