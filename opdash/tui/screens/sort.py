"""Choosing the order of the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from opdash.ledger.records import Sort
from opdash.table_view import FURTHER, STANDARD, Column, next_order
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.modal import OpdashModal
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.status_line import order_words

_AROUND = 8
"""Lines of the dialog, and around it, that are no options."""


class SortScreen(OpdashModal[Sort | None]):
    """A list of the columns; dismisses with the order chosen, or None.

    Args:
        current: The order that is there now.
        shown: The columns of the table; those of metadata values are offered beside all others.
    """

    PLACE = Place.SORT
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.SORT)

    def __init__(self, current: Sort, shown: Sequence[Column] = ()) -> None:
        super().__init__()
        self._current = current
        sorted_by = Column(current.column, current.path)
        self._columns = tuple(dict.fromkeys((*STANDARD, *FURTHER, *shown, sorted_by)))

    def compose(self) -> ComposeResult:
        """List the orders that each column leads to."""
        with Vertical(classes="dialog"):
            yield Static("Sort", classes="dialog-title", markup=False)
            yield OptionList(*(self._prompt(column) for column in self._columns))
            yield KeyLine(Place.SORT)

    def on_mount(self) -> None:
        """Begin at the present order."""
        sorted_by = Column(self._current.column, self._current.path)
        self.query_one(OptionList).highlighted = self._columns.index(sorted_by)

    def on_resize(self) -> None:
        """Leave room for the title and the key line."""
        self.query_one(OptionList).styles.max_height = max(self.size.height - _AROUND, 3)

    def _prompt(self, column: Column) -> Content:
        number = str(STANDARD.index(column) + 1) if column in STANDARD else " "
        words = order_words(next_order(column, self._current))
        line = Content.assemble((number, "$primary"), f"  {words}")
        if (column.kind, column.path) != (self._current.column, self._current.path):
            return Content.assemble("  ", line)
        now = order_words(self._current).rpartition(", ")[2].removesuffix(" first")
        return Content.assemble(("● ", "$primary"), line, (f"  now {now}", "$muted"))

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Take the order that was chosen."""
        self._choose(self._columns[message.option_index])

    def on_key(self, event: events.Key) -> None:
        """Take a column by its number."""
        if event.key in {str(number) for number in range(1, len(STANDARD) + 1)}:
            event.stop()
            self._choose(STANDARD[int(event.key) - 1])

    def _choose(self, column: Column) -> None:
        self.dismiss(next_order(column, self._current))

    def action_cancel(self) -> None:
        """Leave the order as it is."""
        self.dismiss(None)
