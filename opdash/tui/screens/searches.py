"""The saved searches: each tells how many payments it finds; a person's own can be changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from opdash.ledger.search.saved import SavedSearch, searches_for
from opdash.safetext import safe_text
from opdash.service.session import WalletSession
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.modal import OpdashModal
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.form_field import Note, NoteLine
from opdash.tui.widgets.key_line import KeyLine

_NAME_WIDTH = 22
_COUNT_WIDTH = 11
_QUERY_WIDTH = 26
_COMING = "…"

Counter = Callable[[SavedSearch], Awaitable[int | None]]
"""Counts what a search finds; None where that cannot be told."""


class SearchesScreen(OpdashModal[SavedSearch | None]):
    """A list of searches; dismisses with the one chosen, or None.

    Args:
        session: Whose payments are searched.
        current: The filter that is there now.
        count: Counts what a search finds.
    """

    PLACE = Place.SEARCHES
    CSS_PATH = sheets("modals", "forms")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.SEARCHES)

    def __init__(self, session: WalletSession, current: str, count: Counter) -> None:
        super().__init__()
        self._session = session
        self._current = current
        self._count = count
        self._searches: tuple[SavedSearch, ...] = ()
        self._counted: dict[str, str] = {}
        self._counting = 0
        self._deleting: SavedSearch | None = None

    def compose(self) -> ComposeResult:
        """Hold the list."""
        with Vertical(classes="dialog"):
            yield Static("Saved searches", classes="dialog-title", markup=False)
            yield OptionList()
            yield NoteLine(id="outcome")
            yield KeyLine(Place.SEARCHES)

    def on_mount(self) -> None:
        """List the searches, beginning at the one that is there now."""
        self._list()
        queries = [one.query for one in self._searches]
        found = queries.index(self._current) if self._current in queries else 0
        self.query_one(OptionList).highlighted = found

    @property
    def highlighted(self) -> SavedSearch | None:
        """The search under the cursor."""
        index = self.query_one(OptionList).highlighted
        return None if index is None else self._searches[index]

    def _list(self) -> None:
        profile = self._session.profile.name
        self._searches = searches_for(self.dashboard.settings.searches, profile)
        options = self.query_one(OptionList)
        index = options.highlighted
        options.clear_options()
        options.add_options(Option(self._prompt(one)) for one in self._searches)
        options.highlighted = min(index or 0, len(self._searches) - 1)
        self._counting += 1
        number = self._counting
        self.background(lambda: self._count_all(number), "count-searches")

    async def _count_all(self, number: int) -> None:
        """Count, one search after the other."""
        for index, search in enumerate(self._searches):
            if number != self._counting:
                return
            if search.query not in self._counted:
                count = await self._count(search)
                self._counted[search.query] = "?" if count is None else f"{count:,}"
            if number == self._counting:
                prompt = self._prompt(search)
                self.query_one(OptionList).replace_option_prompt_at_index(index, prompt)

    def _prompt(self, search: SavedSearch) -> Content:
        mark = search.query == self._current
        count = self._counted.get(search.query, _COMING)
        return Content.assemble(
            Content.styled("●", "$primary") if mark else Content(" "),
            " ",
            Content(safe_text(search.name, limit=_NAME_WIDTH).ljust(_NAME_WIDTH)),
            Content(count.rjust(_COUNT_WIDTH)),
            "  ",
            Content.styled(safe_text(search.query, limit=_QUERY_WIDTH), "$muted"),
            Content.styled("  folded", "$muted") if search.fold else "",
        )

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Take the search that was chosen."""
        self.dismiss(self._searches[message.option_index])

    def on_option_list_option_highlighted(self) -> None:
        """Forget that another one was about to be deleted."""
        self._ask_to_delete(None)

    def action_cancel(self) -> None:
        """Leave the filter as it is."""
        self.dismiss(None)

    # A person's own searches

    def _is_own(self, search: SavedSearch) -> bool:
        return any(one.key == search.key for one in self.dashboard.settings.searches)

    def action_new_search(self) -> None:
        """Type a search and give it a name."""
        self._open(SavedSearch("", self._current), known=False)

    def action_edit_search(self) -> None:
        """Change the search under the cursor; a built-in one becomes a person's own."""
        search = self.highlighted
        if search is not None:
            self._open(search, known=self._is_own(search))

    def _open(self, search: SavedSearch, *, known: bool) -> None:
        from opdash.tui.screens.save_search import SaveSearchScreen

        self._ask_to_delete(None)
        self.app.push_screen(SaveSearchScreen(self._session, search, known=known), self._saved)

    def _saved(self, search: SavedSearch | None) -> None:
        if search is None:
            return
        self._list()
        keys = [one.key for one in self._searches]
        if search.key in keys:
            self.query_one(OptionList).highlighted = keys.index(search.key)

    def action_delete_search(self) -> None:
        """Delete the search under the cursor, once that was pressed twice."""
        search = self.highlighted
        if search is None:
            return
        name = safe_text(search.name, limit=40)
        if not self._is_own(search):
            self.query_one(NoteLine).say(f"“{name}” is built in; it stays.", Note.WARN)
        elif search is self._deleting:
            self._ask_to_delete(None)
            self.background(lambda: self._delete(search), "delete-search")
        else:
            self._ask_to_delete(search)

    def _ask_to_delete(self, search: SavedSearch | None) -> None:
        self._deleting = search
        if search is None:
            self.query_one(NoteLine).say()
            return
        name = safe_text(search.name, limit=40)
        self.query_one(NoteLine).say(f"d once more deletes “{name}”.", Note.WARN)

    async def _delete(self, search: SavedSearch) -> None:
        await self.dashboard.remove_search(search)
        self._list()
