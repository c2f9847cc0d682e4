"""One incoming payment on a screen of its own, for terminals too narrow for two panes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from opdash.errors import OpdashError
from opdash.service.completions import check_completable
from opdash.service.rights import check_may_write
from opdash.service.session import WalletSession
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.demo_banner import DemoBanner
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.payment_detail import PaymentDetail
from opdash.tui.widgets.session_header import SessionHeader


class DetailScreen(OpdashScreen[None]):
    """Shows everything about one payment and follows its changes."""

    PLACE = Place.DETAIL
    CSS_PATH = sheets("detail")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.DETAIL)
    AUTO_FOCUS = "PaymentDetail"

    def __init__(self, session: WalletSession, payment_id: str) -> None:
        super().__init__()
        self._session = session
        self._payment_id = payment_id

    @property
    def pane(self) -> PaymentDetail:
        """What shows the payment."""
        return self.query_one(PaymentDetail)

    def compose(self) -> ComposeResult:
        """Lay the parts out."""
        if self.opdash.demo:
            yield DemoBanner()
        yield SessionHeader(self._session)
        yield PaymentDetail(self.dashboard, whole=True)
        yield KeyLine(Place.DETAIL)

    def on_mount(self) -> None:
        """Show the payment as it is known by now."""
        wallet_id = self._session.wallet_id
        if wallet_id is not None:
            payment = self.dashboard.reader.payment(wallet_id, self._payment_id)
            self.pane.show(self._session, payment)

    def action_back(self) -> None:
        """Go back to the table."""
        self.dismiss(None)

    def action_copy_url(self) -> None:
        """Copy the payment's URL."""
        self.app.copy_to_clipboard(self._payment_id)
        self.tell("Copied the payment's URL.")

    def action_refresh(self) -> None:
        """Fetch the payment anew."""
        self.background(self._refresh, "refresh")

    async def _refresh(self) -> None:
        await self._session.refresh_payment(self._payment_id)
        self.tell("Fetched anew.")

    def action_methods(self) -> None:
        """Fetch the ways to pay it."""
        self.pane.fetch_methods()

    def action_open_payer(self) -> None:
        """Open the outgoing payment that pays it, where opdash has seen one."""
        from opdash.tui.screens.wallet_ways import open_payers

        payment = self.pane.payment
        if payment is not None and not open_payers(self, payment):
            self.tell(
                "opdash has seen no outgoing payment that pays this one.",
                "It knows those of your own wallets that were looked up or listed.",
            )

    def action_receipt(self) -> None:
        """Show the payment as its payer may see it."""
        from opdash.tui.screens.receipt import ReceiptScreen

        self.app.push_screen(ReceiptScreen(self._session, self._payment_id))

    def action_note(self) -> None:
        """Write on the payment, or say how it was settled."""
        from opdash.tui.screens.note import NoteScreen

        payment = self.pane.payment
        if payment is not None:
            self.app.push_screen(NoteScreen(self._session, payment))

    def action_complete(self) -> None:
        """Open the complete form, or say why it cannot be completed."""
        from opdash.tui.screens.complete import CompleteScreen

        payment = self.pane.payment
        if payment is None:
            return
        try:
            check_may_write(self._session.profile, "complete")
            check_completable(payment, self._session.now())
        except OpdashError as error:
            self.tell(error.sentence, error.advice, severity="warning")
            return
        self.app.push_screen(CompleteScreen(self._session, payment))

    def action_line_up(self) -> None:
        """Scroll one line up."""
        self.pane.scroll_up(animate=False)

    def action_line_down(self) -> None:
        """Scroll one line down."""
        self.pane.scroll_down(animate=False)

    def action_screen_up(self) -> None:
        """Scroll one screenful up."""
        self.pane.scroll_page_up(animate=False)

    def action_screen_down(self) -> None:
        """Scroll one screenful down."""
        self.pane.scroll_page_down(animate=False)

    def action_top(self) -> None:
        """Scroll to the top."""
        self.pane.scroll_home(animate=False)

    def action_bottom(self) -> None:
        """Scroll to the bottom."""
        self.pane.scroll_end(animate=False)
