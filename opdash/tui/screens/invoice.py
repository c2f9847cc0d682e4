"""One invoice: its row in the file, what was paid, why that is believed, what was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from opdash.books.book_index import BookIndex
from opdash.safetext import safe_text
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.deciding import Deciding
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.book_facts import invoice_entries, raw_entries
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import GAP, Line, Span, cut
from opdash.tui.widgets.rule import Rule
from opdash.tui.widgets.sheet import SheetView, row

if TYPE_CHECKING:
    from opdash.tui.screens.review import ReviewScreen

_TICK = 0.5


class InvoiceScreen(Deciding, OpdashScreen[None]):
    """Shows everything about one invoice and follows its changes.

    Args:
        review: The screen it was opened from, which keeps the book true.
        name: The invoice's name there.
    """

    PLACE = Place.INVOICE
    CSS_PATH = sheets("books")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.INVOICE)
    AUTO_FOCUS = "#sheet"

    def __init__(self, review: ReviewScreen, name: str) -> None:
        super().__init__()
        self.desk = review.desk
        self._review = review
        self._invoice_name = name
        self._seen: BookIndex | None = None

    def compose(self) -> ComposeResult:
        """Lay the parts out."""
        yield Line(id="title")
        yield Rule(id="upper-rule")
        with VerticalScroll(id="sheet"):
            yield SheetView()
        yield Rule(id="lower-rule")
        yield KeyLine(Place.INVOICE)

    def on_mount(self) -> None:
        """Show the invoice, and follow it."""
        self.set_interval(_TICK, self._follow)
        self._follow()

    def _follow(self) -> None:
        if self._review.index is not self._seen:
            self._seen = self._review.index
            self._fill()

    def _fill(self) -> None:
        index = self._seen
        title = [Span(" opdash", "accent"), GAP, Span("Invoice", "strong"), GAP]
        title.append(Span(safe_text(self._invoice_name.partition("\n")[0], limit=60), "strong"))
        self.query_one("#title", Line).show(cut(title, self.size.width or 80))
        view = self.query_one(SheetView)
        if index is None or self._invoice_name not in index.invoices:
            view.show([row("", "This invoice is no longer in the file.")])
            return
        one, now = index.invoices[self._invoice_name], self.dashboard.clock.now()
        view.show([*invoice_entries(one, index, now, whole=True), *raw_entries(one, index)])

    # What is decided here

    @property
    def index(self) -> BookIndex | None:
        """Ways into the book."""
        return self._review.index

    @property
    def chosen_invoice(self) -> str:
        """The invoice's name, while it is in the file."""
        index = self.index
        return (
            self._invoice_name if index is not None and self._invoice_name in index.invoices else ""
        )

    @property
    def chosen_payment(self) -> str:
        """None: an invoice is shown."""
        return ""

    async def look(self) -> None:
        """Hold the file against the ledger again, and show it."""
        await self._review.look()
        if self.is_mounted:
            self._follow()

    # Keys

    def action_back(self) -> None:
        """Go back to the invoices."""
        self.dismiss(None)

    def action_line_up(self) -> None:
        """Scroll one line up."""
        self.query_one("#sheet").scroll_up(animate=False)

    def action_line_down(self) -> None:
        """Scroll one line down."""
        self.query_one("#sheet").scroll_down(animate=False)

    def action_screen_up(self) -> None:
        """Scroll one screenful up."""
        self.query_one("#sheet").scroll_page_up(animate=False)

    def action_screen_down(self) -> None:
        """Scroll one screenful down."""
        self.query_one("#sheet").scroll_page_down(animate=False)

    def action_top(self) -> None:
        """Scroll to the top."""
        self.query_one("#sheet").scroll_home(animate=False)

    def action_bottom(self) -> None:
        """Scroll to the bottom."""
        self.query_one("#sheet").scroll_end(animate=False)
