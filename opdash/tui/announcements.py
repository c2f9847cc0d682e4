"""Which news of payments a person is told of, in a sentence each, and which rows it marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opdash.ledger.records import Change, ChangeKind
from opdash.safetext import safe_text
from opdash.tui import format as fmt

_SINGLY = 3
"""So many are told one by one; more at once become one sentence."""


def sentences(changes: Sequence[Change], elsewhere: str = "") -> list[str]:
    """Return what to tell of changes; the ledger decides what is told, once per payment ever.

    Args:
        changes: What changed on one wallet address.
        elsewhere: The wallet's name where it is not the one on the screen.
    """
    news = [change for change in changes if change.announce]
    where = f" to {safe_text(elsewhere, limit=40)}" if elsewhere else ""
    if len(news) > _SINGLY:
        return [f"{fmt.count(len(news), 'payment')} came in{where}."]
    return [_sentence(change, where) for change in news]


def is_news(change: Change, looked_at: datetime) -> bool:
    """Return whether a change deserves a mark: all do but time's, and history's first sight.

    Args:
        change: What changed.
        looked_at: When a person last had the wallet address on the screen; a payment that is
            older and only now seen, such as those of a page fetched on request, is no news.
    """
    if change.kind is ChangeKind.NEW:
        return change.payment.created_at >= looked_at
    return change.kind is not ChangeKind.TIME


def _sentence(change: Change, where: str) -> str:
    row = change.payment
    word = "Paid" if change.announce == "paid" else "Received"
    amount = fmt.brief_number(row.received, row.received_asset)
    code = fmt.asset_code(row.received_asset)
    return f"{fmt.glyph(row.state)} {word}{where}: {amount} {code} · {fmt.payment_name(row)}"
