"""Choosing the order of the table."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from opdash.ledger.records import Sort, SortColumn
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashModal
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.status_line import order_words
from opdash.tui.widgets.table_layout import COLUMNS, next_order


class SortScreen(OpdashModal[Sort | None]):
    """A list of the columns; dismisses with the order chosen, or None."""

    PLACE = Place.SORT
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.SORT)

    def __init__(self, current: Sort) -> None:
        super().__init__()
        self._current = current

    def compose(self) -> ComposeResult:
        """List the orders that each column leads to."""
        with Vertical(classes="dialog"):
            yield Static("Sort", classes="dialog-title", markup=False)
            yield OptionList(
                *(
                    Option(self._prompt(number, column), id=str(number))
                    for number, column in enumerate(COLUMNS, start=1)
                )
            )
            yield KeyLine(Place.SORT)

    def on_mount(self) -> None:
        """Begin at the present order."""
        self.query_one(OptionList).highlighted = COLUMNS.index(self._current.column)

    def _prompt(self, number: int, column: SortColumn) -> Content:
        words = order_words(next_order(column, self._current))
        line = Content.assemble((str(number), "$primary"), f"  {words}")
        if column is not self._current.column:
            return Content.assemble("  ", line)
        now = order_words(self._current).rpartition(", ")[2].removesuffix(" first")
        return Content.assemble(("● ", "$primary"), line, (f"  now {now}", "$muted"))

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Take the order that was chosen."""
        self._choose(message.option_index)

    def on_key(self, event: events.Key) -> None:
        """Take a column by its number."""
        if event.key in {str(number) for number in range(1, len(COLUMNS) + 1)}:
            event.stop()
            self._choose(int(event.key) - 1)

    def _choose(self, index: int) -> None:
        self.dismiss(next_order(COLUMNS[index], self._current))

    def action_cancel(self) -> None:
        """Leave the order as it is."""
        self.dismiss(None)
