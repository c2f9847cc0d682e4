"""What the keys of the payments' screen open: forms, other screens, other wallets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opdash.ledger.records import Creation, PaymentRow
from opdash.service.rights import check_may_write
from opdash.service.session import WalletSession
from opdash.tui import format as fmt
from opdash.tui.screens.payments_frame import why_not_completable
from opdash.tui.screens.wallet_ways import WalletWays, open_payers

if TYPE_CHECKING:
    from opdash.tui.screens.base import OpdashScreen
    from opdash.tui.widgets.payment_detail import PaymentDetail
    from opdash.tui.widgets.payment_table import PaymentTable

    _Screen = OpdashScreen[None]
else:
    _Screen = object  # Textual takes a quarter of a millisecond for each class of a screen


class PaymentsWays(WalletWays, _Screen):
    """The ways out of the table of payments, for `PaymentsScreen`, whose the table itself is.

    Attributes:
        session: The wallet session whose payments are shown.
    """

    session: WalletSession
    _table: PaymentTable | None
    _pane: PaymentDetail | None

    @property
    def _selected(self) -> PaymentRow | None:
        raise NotImplementedError

    @property
    def _filter(self) -> str:
        """What the payments are filtered by; empty where all are shown."""
        raise NotImplementedError

    def _hold(self) -> None:
        """Keep the cursor on its payment: a person acts on it."""
        if self._table is not None:
            self._table.hold()

    def _reload(self) -> None:
        raise NotImplementedError

    def action_open(self) -> None:
        """Show all about the selected payment, or the payments that stand in one line."""
        raise NotImplementedError

    def _created(self, creation: Creation | None) -> None:
        raise NotImplementedError

    # One payment

    def _open(self, row: PaymentRow) -> None:
        from opdash.tui.screens.detail import DetailScreen

        self._hold()
        self.app.push_screen(DetailScreen(self.session, row.id))

    def action_copy_url(self) -> None:
        """Copy the selected payment's URL."""
        row = self._selected
        if row is not None:
            self._hold()
            self.app.copy_to_clipboard(row.id)
            self.tell(f"Copied the URL of {fmt.payment_name(row)}.")

    def action_methods(self) -> None:
        """Fetch the ways to pay the selected payment, and show them with its details."""
        if self._selected is None:
            return
        if self._pane is not None and self._pane.display:
            self._hold()
            self._pane.fetch_methods()
        else:
            self.action_open()

    def action_receipt(self) -> None:
        """Show the selected payment as its payer may see it."""
        from opdash.tui.screens.receipt import ReceiptScreen

        row = self._selected
        if row is not None:
            self._hold()
            self.app.push_screen(ReceiptScreen(self.session, row.id))

    def action_note(self) -> None:
        """Write on the selected payment, or say how it was settled."""
        from opdash.tui.screens.note import NoteScreen

        row = self._selected
        if row is not None:
            self._hold()
            self.app.push_screen(NoteScreen(self.session, row), lambda _row: self._reload())

    def action_new_payment(self) -> None:
        """Open the form for a new payment."""
        if self.session.wallet is None:
            advice = "Wait until it has answered once."
            self.tell("The wallet address is not known yet.", advice, severity="warning")
            return
        if not self._may_write("create"):
            return
        from opdash.tui.screens.create import CreateScreen

        self.app.push_screen(CreateScreen(self.session), self._created)

    def action_till(self) -> None:
        """Open the till."""
        if not self._may_write("create"):
            return
        from opdash.tui.screens.till import TillScreen

        self.app.push_screen(TillScreen(self.session), lambda _: self._reload())

    def _may_write(self, deed: str) -> bool:
        """Return whether the wallet is set up for more than reading; say so if not."""
        from opdash.service.errors import ReadOnlyError

        try:
            check_may_write(self.session.profile, deed)
        except ReadOnlyError as error:
            self.tell(error.sentence, error.advice, severity="warning")
            return False
        return True

    def action_complete(self) -> None:
        """Ask whether to close the selected payment for good."""
        row = self._selected
        if row is None or not self._may_write("complete"):
            return
        reason = why_not_completable(row, self.session.now())
        if reason:
            self.tell(reason, severity="warning")
            return
        from opdash.tui.screens.complete import CompleteScreen

        self._hold()
        self.app.push_screen(CompleteScreen(self.session, row), lambda _row: self._reload())

    # Elsewhere

    def action_outgoing(self) -> None:
        """Open what pays the selected payment, or look up a payment by its URL.

        In the demo that is the last one that the payer made.
        """
        if self._selected is not None and open_payers(self, self._selected):
            return
        self.background(self._look_up, "look-up")

    async def _look_up(self) -> None:
        from opdash.tui.screens.outgoing import OutgoingScreen

        example = await self.opdash.example_outgoing()
        if example is None:
            self.app.push_screen(OutgoingScreen(self.session))
        else:
            session = self.dashboard.session(example.profile)
            self.app.push_screen(OutgoingScreen(session, example.url))

    def wallet_in_view(self) -> str:
        """Return the name of the profile whose payments these are."""
        return self.session.profile.name

    def action_receipts(self) -> None:
        """Show what arrived per hour and day."""
        from opdash.tui.screens.receipts import ReceiptsScreen

        if self._table is not None:
            self.app.push_screen(ReceiptsScreen(self.session))

    def action_statement(self) -> None:
        """Show what arrived this month."""
        from opdash.tui.screens.statement import StatementScreen

        self.app.push_screen(StatementScreen(self.session))

    def action_export(self) -> None:
        """Write what is shown to a file for the bookkeeper."""
        from opdash.ledger.search.reading import read_query
        from opdash.ledger.search.values import Moment
        from opdash.tui.screens.export import ExportScreen

        text = self._filter
        query = read_query(text, Moment(self.session.now())) if text else None
        self.app.push_screen(ExportScreen(self.session, query))

    def action_refresh(self) -> None:
        """Ask the server now."""
        self.session.poll_soon()

    def action_pause_scan(self) -> None:
        """Pause the reading of the whole list, or let it go on."""
        paused = not self.session.status.scan.paused

        async def pause() -> None:
            await self.session.pause_scan(paused)
            what = "is paused; p lets it go on" if paused else "goes on"
            self.tell(f"Reading the list in the background {what}.")

        self.background(pause, "pause-scan")

    def action_grants(self) -> None:
        """Show the grants, those of this wallet address first."""
        self.opdash.show_grants(self.session.profile.name)

    def action_doctor(self) -> None:
        """Find out what is wrong between opdash and this wallet."""
        self.opdash.show_doctor(self.session.profile.name)

    def action_scope(self) -> None:
        """Choose what is seen of this wallet address."""
        self.opdash.show_scope(self.session.profile.name)

    def action_wallets(self) -> None:
        """Choose among the wallet addresses."""
        from opdash.tui.screens.wallets import WalletsScreen

        self.app.push_screen(WalletsScreen(current=self.session.profile.name))
