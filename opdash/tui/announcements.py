"""Which news of payments a person is told of, in a sentence each."""

from __future__ import annotations

from datetime import datetime

from opdash.errors import OpdashError
from opdash.ledger.records import Change, ChangeKind
from opdash.service.dashboard import Dashboard
from opdash.service.events import PaymentsChanged
from opdash.tui import format as fmt

_SINGLY = 3
"""So many are told one by one; more at once become one sentence."""


class Announcer:
    """Turns the ledger's announcements into sentences.

    The ledger announces each payment once, ever. What was settled before opdash last looked at its
    wallet address, such as the history that a first connection finds, is no news and stays quiet.
    """

    def __init__(self) -> None:
        self._looked_at: dict[str, datetime] = {}
        self._began_at: datetime | None = None

    def begin(self, dashboard: Dashboard) -> None:
        """Note when each wallet address was last looked at."""
        self._began_at = dashboard.clock.now()
        try:
            wallets = dashboard.reader.wallets()
        except OpdashError:
            return
        for wallet in wallets:
            if wallet.last_poll_at is not None:
                self._looked_at[wallet.address] = wallet.last_poll_at

    def is_news(self, wallet_id: str, change: Change) -> bool:
        """Return whether a change is something that a person has not slept through for long."""
        if change.kind is not ChangeKind.NEW:
            return True
        since = self._looked_at.get(wallet_id, self._began_at)
        return since is None or change.payment.created_at >= since

    def sentences(self, event: PaymentsChanged) -> list[str]:
        """Return what to tell of an event; empty for nothing."""
        news = [
            change
            for change in event.changes
            if change.announce and self.is_news(event.wallet_id, change)
        ]
        if len(news) > _SINGLY:
            return [f"{fmt.count(len(news), 'payment')} came in."]
        return [_sentence(change) for change in news]


def _sentence(change: Change) -> str:
    row = change.payment
    word = "Paid" if change.announce == "paid" else "Received"
    amount = fmt.money(row.received, row.received_asset)
    return f"{fmt.glyph(row.state)} {word}: {amount} · {fmt.payment_name(row)}"
