"""Choosing among the saved searches; each tells how many payments it finds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from opdash.ledger.search.saved import SavedSearch
from opdash.safetext import safe_text
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashModal
from opdash.tui.widgets.key_line import KeyLine

_NAME_WIDTH = 22
_COUNT_WIDTH = 11

Counter = Callable[[SavedSearch], Awaitable[int | None]]
"""Counts what a search finds; None where that cannot be told."""


class SearchesScreen(OpdashModal[SavedSearch | None]):
    """A list of searches; dismisses with the one chosen, or None.

    Args:
        searches: What there is to choose from.
        current: The filter that is there now.
        count: Counts what a search finds.
    """

    PLACE = Place.SEARCHES
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.SEARCHES)

    def __init__(self, searches: Sequence[SavedSearch], current: str, count: Counter) -> None:
        super().__init__()
        self._searches = tuple(searches)
        self._current = current
        self._count = count

    def compose(self) -> ComposeResult:
        """List the searches."""
        with Vertical(classes="dialog"):
            yield Static("Saved searches", classes="dialog-title", markup=False)
            yield OptionList(*(Option(self._prompt(one, "…")) for one in self._searches))
            yield KeyLine(Place.SEARCHES)

    def on_mount(self) -> None:
        """Count, one search after the other."""
        queries = [one.query for one in self._searches]
        found = queries.index(self._current) if self._current in queries else 0
        self.query_one(OptionList).highlighted = found
        self.background(self._count_all, "count-searches")

    async def _count_all(self) -> None:
        for index, search in enumerate(self._searches):
            number = await self._count(search)
            words = "?" if number is None else f"{number:,}"
            prompt = self._prompt(search, words)
            self.query_one(OptionList).replace_option_prompt_at_index(index, prompt)

    def _prompt(self, search: SavedSearch, count: str) -> Content:
        mark = search.query == self._current
        return Content.assemble(
            Content.styled("●", "$primary") if mark else Content(" "),
            " ",
            Content(safe_text(search.name, limit=_NAME_WIDTH).ljust(_NAME_WIDTH)),
            Content(count.rjust(_COUNT_WIDTH)),
            "  ",
            Content.styled(safe_text(search.query, limit=34), "$muted"),
        )

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Take the search that was chosen."""
        self.dismiss(self._searches[message.option_index])

    def action_cancel(self) -> None:
        """Leave the filter as it is."""
        self.dismiss(None)
