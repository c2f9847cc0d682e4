"""All about one incoming payment: beside the table, or on a screen of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content

from opdash.ledger.records import PaymentRow
from opdash.openpayments.resources import PaymentMethod
from opdash.openpayments.secrets import MASK
from opdash.safetext import safe_text
from opdash.service.dashboard import Dashboard
from opdash.service.events import Event, OutgoingChanged, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.tui.failures import told
from opdash.tui.widgets.metadata_tree import PANE, WHOLE, read_metadata, tree_rows
from opdash.tui.widgets.payment_facts import fold_entries, head_entries, timeline_entries
from opdash.tui.widgets.sheet import Entry, SheetView, facts, heading, row

if TYPE_CHECKING:
    from opdash.ledger.folds import FoldRow

TICK = 1.0
"""Seconds between two looks at the clock; what is relative to now is written anew."""


class PaymentDetail(VerticalScroll):
    """Shows a payment as the ledger knows it, and follows every change of it.

    Attributes:
        payment: What is shown, or None.
    """

    def __init__(
        self,
        dashboard: Dashboard,
        *,
        whole: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's own word
    ) -> None:
        """Prepare an empty pane.

        Args:
            dashboard: Where the ledger and the news come from.
            whole: Whether it has a screen of its own, and shows everything.
            id: The widget's id.
        """
        super().__init__(id=id)
        self.payment: PaymentRow | None = None
        self._fold: FoldRow | None = None
        self._dashboard = dashboard
        self._session: WalletSession | None = None
        self._whole = whole
        self._tail: list[Entry] = []
        self._methods: list[Entry] = []
        self._unsubscribe: Callable[[], None] | None = None

    def compose(self) -> ComposeResult:
        """Hold what follows the clock apart from what does not."""
        yield SheetView(classes="head")
        yield SheetView(classes="tail")

    @property
    def text(self) -> str:
        """All that it says."""
        return "\n".join(view.text for view in self.query(SheetView))

    def on_mount(self) -> None:
        """Listen for changes and to the clock."""
        self._unsubscribe = self._dashboard.events.subscribe(self._heard)
        if self._whole:  # beside the table the screen keeps it true, in one frame with all else
            self.set_interval(TICK, self.tick)
        self._paint()

    def on_unmount(self) -> None:
        """Stop listening."""
        if self._unsubscribe is not None:
            self._unsubscribe()

    def show(self, session: WalletSession | None, payment: PaymentRow | None) -> None:
        """Show a payment of a session's wallet address, or nothing."""
        other = payment is None or self.payment is None or payment.id != self.payment.id
        if other:
            self.workers.cancel_node(self)
            self._methods = []
            self.scroll_home(animate=False)
        self._session, self.payment, self._fold = session, payment, None
        self._tail = self._read_tail()
        self._paint()

    def show_fold(self, session: WalletSession, fold: FoldRow) -> None:
        """Show what several payments in one line are."""
        self.show(session, None)
        self._fold = fold
        self._paint()

    def reload(self) -> None:
        """Read the payment from the ledger again."""
        if self.payment is not None:
            known = self._dashboard.reader.payment(self.payment.wallet, self.payment.id)
            self.show(self._session, known or self.payment)

    def tick(self) -> None:
        """Write anew what is relative to now."""
        self._paint()

    def fetch_methods(self) -> None:
        """Ask the server for the ways to pay the payment shown."""
        if self._session is not None and self.payment is not None:
            self._tell_methods("asking the server …")
            self._fetch_methods(self._session, self.payment.id)

    @work(group="methods", exclusive=True, exit_on_error=False)
    async def _fetch_methods(self, session: WalletSession, payment_id: str) -> None:
        try:
            methods = await session.payment_methods(payment_id)
        except Exception as error:
            self._tell_methods(" ".join(told(error)))
            return
        self._show_methods(method_entries(methods))

    def _tell_methods(self, sentence: str) -> None:
        self._show_methods([row("", Content.styled(safe_text(sentence, limit=400), "$muted"))])

    def _show_methods(self, entries: list[Entry]) -> None:
        self._methods = [*heading("Ways to pay"), *entries]
        self._paint()
        self.call_after_refresh(self.scroll_end, animate=False)

    def _heard(self, event: Event) -> None:
        if isinstance(event, OutgoingChanged) and self.payment is not None:
            if any(seen.payment.receiver == self.payment.id for seen in event.payments):
                self.call_later(self.reload)
            return
        if self.payment is None or not isinstance(event, PaymentsChanged):
            return
        is_its_wallet = event.wallet_id == self.payment.wallet
        changed = {change.payment.id for change in event.changes}
        if self.payment.id in changed or (is_its_wallet and not changed):
            self.call_later(self.reload)

    def _read_tail(self) -> list[Entry]:
        if self.payment is None or self._session is None:
            return []
        now = self._session.now()
        steps = self._dashboard.reader.timeline(self.payment.wallet, self.payment.id)
        metadata = read_metadata(self.payment.metadata_json)
        return [
            *timeline_entries(steps, self.payment, now, whole=self._whole),
            *self._payers(now),
            *heading("Metadata"),
            *tree_rows(metadata, WHOLE if self._whole else PANE),
        ]

    def _payers(self, now: datetime) -> list[Entry]:
        """Return the outgoing payments that were seen to pay it; mostly there are none."""
        if self.payment is None:
            return []
        payers = self._dashboard.reader.paid_by(self.payment.id)
        if not payers:
            return []
        from opdash.tui.widgets.outgoing_facts import payer_entries

        return payer_entries(payers, self.payment, now)

    def _paint(self) -> None:
        views = self.query(SheetView)
        if not views:  # handed a payment before it is composed; painted again once it is
            return
        if self._fold is not None and self._session is not None:
            views.first().show(fold_entries(self._fold, self._session.now()))
            views.last().show(())
            return
        if self.payment is None or self._session is None:
            views.first().show([row("", Content.styled("No payment is selected.", "$muted"))])
            views.last().show(())
            return
        now, view = self._session.now(), self._session.profile.scope
        views.first().show(head_entries(self.payment, now, whole=self._whole, view=view))
        views.last().show([*self._tail, *self._methods])


def method_entries(methods: tuple[PaymentMethod, ...]) -> list[Entry]:
    """Return the ways to pay a payment; a secret is only said to be there."""
    if not methods:
        return [row("", Content.styled("None: it takes no more money.", "$muted"))]
    entries: list[Entry] = []
    for method in methods:
        entries.append(row("", safe_text(method.type, limit=40)))
        known = []
        if method.ilp_address is not None:
            known.append(("ilp address", safe_text(method.ilp_address, limit=400)))
        if method.shared_secret is not None:
            known.append(("shared secret", MASK))
        entries += facts(known)
    return entries
