"""How much of what a sale asks for has arrived, as a line."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from opdash.ledger.records import PaymentRow
from opdash.tui.till_words import progress

_WIDEST = 60


class SaleBar(Widget):
    """A line, as wide as there is room."""

    _row: PaymentRow | None = None

    def show(self, row: PaymentRow) -> None:
        """Show another payment, or more of it."""
        if row != self._row:
            self._row = row
            self.refresh()

    def render(self) -> RenderResult:
        """Return the line."""
        if self._row is None:
            return ""
        return Content(progress(self._row, min(self.size.width, _WIDEST)))
