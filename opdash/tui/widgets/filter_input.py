"""The input that a filter is typed into; Enter and Esc are the screen's."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from opdash.tui.actions import Place, bindings


class FilterInput(Input):
    """An input with the keys of the filter."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.FILTER)
