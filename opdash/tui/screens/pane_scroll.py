"""Moving in the details beside the table with the keys of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opdash.tui.widgets.payment_detail import PaymentDetail


class PaneScroll:
    """Moves the details as if they were a list, while they have the focus."""

    def __init__(self, pane: PaymentDetail) -> None:
        self._pane = pane

    def move(self, rows: int) -> None:
        """Scroll by so many lines."""
        self._pane.scroll_relative(y=rows, animate=False)

    def move_screen(self, screens: int) -> None:
        """Scroll by so many screenfuls."""
        self._pane.scroll_relative(y=screens * self._pane.size.height, animate=False)

    def go_first(self) -> None:
        """Scroll to the top."""
        self._pane.scroll_home(animate=False)

    def go_last(self) -> None:
        """Scroll to the bottom."""
        self._pane.scroll_end(animate=False)
