"""One payment as its payer may see it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from opdash.ledger.states import grace
from opdash.safetext import safe_text
from opdash.service.events import Event, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.statements.document import Document
from opdash.statements.receipt_document import receipt_document
from opdash.statements.receipts import make_receipt
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.paper import PaperScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.paper_view import PaperView
from opdash.tui.widgets.session_header import SessionHeader


class ReceiptScreen(PaperScreen):
    """A receipt that follows its payment.

    Args:
        session: The wallet that the payment belongs to.
        payment_id: The payment's URL.
    """

    PLACE = Place.RECEIPT
    CSS_PATH = sheets("statement")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.RECEIPT)

    def __init__(self, session: WalletSession, payment_id: str) -> None:
        super().__init__()
        self.session = session
        self._payment_id = payment_id

    def compose(self) -> ComposeResult:
        """Lay the parts out."""
        yield SessionHeader(self.session)
        yield PaperView()
        yield KeyLine(Place.RECEIPT)

    def on_mount(self) -> None:
        """Show the receipt as it is by now."""
        self._fill()

    def hear(self, event: Event) -> None:
        """Write it anew when the payment has changed."""
        if isinstance(event, PaymentsChanged) and any(
            change.payment.id == self._payment_id for change in event.changes
        ):
            self._fill()

    def document(self) -> Document | None:
        """Return the receipt; None for a payment that the ledger does not know."""
        reader, wallet_id = self.dashboard.reader, self.session.wallet_id
        row = None if wallet_id is None else reader.payment(wallet_id, self._payment_id)
        if row is None:
            return None
        wallet = reader.wallet_address(row.wallet)
        receipt = make_receipt(
            row,
            reader.timeline(row.wallet, row.id),
            None if wallet is None else wallet.public_name,
            now=self.session.now(),
            grace=grace(self.session.profile.poll_interval),
        )
        return receipt_document(receipt, None)

    def file_name(self) -> str:
        """Return a name from the beginning of the payment's id."""
        return f"receipt-{safe_text(self._payment_id.rstrip('/').rpartition('/')[2])[:8]}"

    def _fill(self) -> None:
        document = self.document()
        self.paper.show(() if document is None else document.blocks)
