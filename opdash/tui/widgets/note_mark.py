"""The sign before a payment in the table on which people wrote something."""

from __future__ import annotations

from opdash.ledger.notes import is_outdated
from opdash.ledger.records import PaymentRow

SETTLED = "✓"
"""Stands before a payment that a person has settled, while that holds."""

WRITTEN = "✎"
"""Stands before one with a label or a note, or one that has changed since it was settled."""


def note_mark(row: PaymentRow) -> str:
    """Return the sign, or an empty text; one cell at the most."""
    if not row.note.bits:
        return ""
    return SETTLED if row.note.settlement is not None and not is_outdated(row) else WRITTEN
