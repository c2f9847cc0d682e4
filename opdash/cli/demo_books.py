"""The invoices of the demo's shop: a file that fits what its wallet shows, with some mistakes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from opdash.atomic import write_atomic
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import PaymentRow
from opdash.openpayments.amounts import format_minor

FILE_NAME = "invoices.csv"

_LOOKED_AT = 60
_WRONG_AMOUNT = 7
_CUSTOMERS = ("Amara", "Bruno", "Chen", "Dalia", "Emeka", "Farah")


def write_invoices(directory: Path, ledger: Path, wallet_address: str) -> Path | None:
    """Write invoices for the newest payments of a wallet address.

    Each reference that no other wallet uses is one invoice. Every seventh asks for more than its
    payment did, and two have no payment yet.

    Args:
        directory: Where to write `FILE_NAME`.
        ledger: The ledger's file.
        wallet_address: Whose payments.

    Returns:
        The file, or None while no payment is known.
    """
    with LedgerReader.open(ledger) as reader:
        rows = reader.window(wallet_address, limit=_LOOKED_AT)
        others = [one.address for one in reader.wallets() if one.address != wallet_address]
        used = {row.reference for one in others for row in reader.window(one, limit=_LOOKED_AT)}
    billed = {
        row.reference: row
        for row in reversed(rows)
        if row.asked and row.reference and row.reference not in used
    }
    if not billed:
        return None
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("number", "amount", "currency", "issued", "customer"))
    for index, (reference, row) in enumerate(billed.items()):
        table.writerow(_invoice(reference, row, index))
    newest = next(iter(reversed(billed.values())))
    for number in ("INV-2026-0501", "INV-2026-0502"):
        table.writerow(_invoice(number, newest, 0))
    path = directory / FILE_NAME
    write_atomic(path, text.getvalue().encode())
    return path


def _invoice(number: str, row: PaymentRow, index: int) -> tuple[str, ...]:
    asset = row.received_asset
    more = 10**asset.scale * 5 if index % _WRONG_AMOUNT == _WRONG_AMOUNT - 1 else 0
    return (
        number,
        format_minor((row.asked or 0) + more, asset.scale),
        asset.code,
        row.created_at.date().isoformat(),
        _CUSTOMERS[index % len(_CUSTOMERS)],
    )
