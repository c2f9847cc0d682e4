"""Which news of payments a person is told of, in a sentence each, and which rows it marks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from opdash.errors import LedgerError
from opdash.ledger.records import Change, ChangeKind
from opdash.ledger.states import State
from opdash.safetext import safe_text
from opdash.settings import NotifyWay
from opdash.tui import format as fmt

if TYPE_CHECKING:
    from opdash.service.dashboard import Dashboard

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


NEXT_WAY: Final[Mapping[NotifyWay, NotifyWay]] = MappingProxyType(
    {
        NotifyWay.BELL: NotifyWay.DESKTOP,
        NotifyWay.DESKTOP: NotifyWay.BOTH,
        NotifyWay.BOTH: NotifyWay.OFF,
        NotifyWay.OFF: NotifyWay.BELL,
    }
)
"""The order in which a person goes through the ways."""

WAY_WORDS: Final[Mapping[NotifyWay, str]] = MappingProxyType(
    {
        NotifyWay.BELL: "Payments that come in ring the bell.",
        NotifyWay.DESKTOP: "Payments that come in show a notification.",
        NotifyWay.BOTH: "Payments that come in ring the bell and show a notification.",
        NotifyWay.OFF: "Payments that come in are told on the screen only.",
    }
)
"""What each way means, a sentence."""


class Ringer:
    """Rings and shows notifications, once for each payment that was paid or received, ever.

    Several opdash at one ledger settle it there: who claims a payment first tells of it.
    """

    def __init__(self, dashboard: Dashboard, write: Callable[[str], bool]) -> None:
        self._dashboard = dashboard
        self._write = write

    async def ring(self, wallet_id: str, changes: Sequence[Change], elsewhere: str) -> None:
        """Tell of changes that are to be announced, as `sentences` does."""
        way = self._dashboard.settings.notify
        if way is NotifyWay.OFF:
            return
        claimed = [one for one in changes if await self._claim(wallet_id, one)]
        if not claimed:
            return
        import shutil

        from opdash.notices import Notifier, show_on_desktop

        notifier = Notifier(self._write, os.environ, shutil.which, show_on_desktop)
        await notifier.tell(
            sentences(claimed, elsewhere),
            bell=way is not NotifyWay.DESKTOP,
            desktop=way is not NotifyWay.BELL,
        )

    async def _claim(self, wallet_id: str, change: Change) -> bool:
        if change.announce is None:
            return False
        try:
            return await self._dashboard.claim_notice(wallet_id, change.payment.id, change.announce)
        except LedgerError:
            return True  # rather twice than never


def is_news(change: Change, looked_at: datetime) -> bool:
    """Return whether a change deserves a mark: not time's, one's own, or history's first sight.

    Args:
        change: What changed.
        looked_at: When a person last had the wallet address on the screen; a payment that is
            older and only now seen, such as those of a page fetched on request, is no news.
    """
    if change.kind is ChangeKind.NEW:
        return change.payment.created_at >= looked_at
    return change.kind not in (ChangeKind.TIME, ChangeKind.NOTE)


def _sentence(change: Change, where: str) -> str:
    row = change.payment
    amount = fmt.brief_number(row.received, row.received_asset)
    if row.state is State.OVERPAID and row.asked is not None:
        word, amount = "Overpaid", f"{amount} of {fmt.brief_number(row.asked, row.received_asset)}"
    else:
        word = "Paid" if change.announce == "paid" else "Received"
    code = fmt.asset_code(row.received_asset)
    return f"{fmt.glyph(row.state)} {word}{where}: {amount} {code} · {fmt.payment_name(row)}"
