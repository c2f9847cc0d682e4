"""Payments that the present scope does not show: known from a wider one, and not gone."""

from __future__ import annotations

from opdash.ledger.records import PaymentRow, Scope

BEYOND = "‡"
"""Follows the state of a payment that can still change and is not visible under the scope."""


def is_beyond(row: PaymentRow, view: Scope) -> bool:
    """Return whether a payment may have changed unseen, because the scope does not show it.

    What is final or gone cannot change any more, so it is nobody's loss not to see it.
    """
    return not (row.final or row.no_longer_at_server or view.covers(row.scope))
