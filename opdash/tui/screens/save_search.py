"""The form that keeps a search under a name: a new one, or one that is changed."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button, Input

from opdash.ledger.search.saved import BUILT_IN, SavedSearch
from opdash.ledger.search.terms import SearchError
from opdash.safetext import safe_text
from opdash.service.session import WalletSession
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import FormField, Note

_LONGEST_NAME = 40
_LONGEST_QUERY = 500


class SaveSearchScreen(FormScreen[SavedSearch | None]):
    """Asks for name, wallets and folding; ends with what was saved, or None.

    Args:
        session: Whose payments are searched.
        search: What the form begins with.
        known: Whether that is one of the person's own, to be changed or renamed.
    """

    PLACE = Place.SAVE_SEARCH
    CSS_PATH = sheets("modals", "forms")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.SAVE_SEARCH)
    AUTO_FOCUS = "#name Input"

    def __init__(self, session: WalletSession, search: SavedSearch, *, known: bool = False) -> None:
        super().__init__()
        self._session = session
        self._before = search
        self._known = known
        self._saving = False

    # Layout

    def title_content(self) -> Content:
        """Return the title."""
        name = safe_text(self._before.name, limit=_LONGEST_NAME)
        return Content.styled(f"Change “{name}”" if self._known else "Save a search", "bold")

    def compose_body(self) -> ComposeResult:
        """Yield the fields."""
        before = self._before
        yield FormField(
            "Search",
            Input(before.query, compact=True, max_length=_LONGEST_QUERY, select_on_focus=False),
            id="query",
        )
        yield FormField(
            "Name",
            Input(
                before.name,
                placeholder="what you call it",
                compact=True,
                max_length=_LONGEST_NAME,
                select_on_focus=False,
            ),
            id="name",
        )
        title = safe_text(self._session.profile.title, limit=24)
        chosen = 0 if before.wallet or not self._known else 1
        yield FormField("For", ChoiceLine(f"only {title}", "all wallets", chosen=chosen), id="for")
        yield FormField(
            "Table",
            ChoiceLine("a row each", "folded", chosen=int(before.fold)),
            hint="Folded: a line for each source and day, with count and sum.",
            id="fold",
        )

    def compose_buttons(self) -> ComposeResult:
        """Yield what the keys do, for the mouse."""
        yield Button("Save", id="save", variant="primary", compact=True)
        yield Button("Back", id="leave", compact=True)

    def on_mount(self) -> None:
        """Begin with the search where there is none yet."""
        if not self._before.query:
            self.query_one("#query Input", Input).focus()

    # What is typed

    @property
    def search(self) -> SavedSearch:
        """What the form says."""
        only_this = self.query_one("#for ChoiceLine", ChoiceLine).index == 0
        return SavedSearch(
            self._text("name"),
            self._text("query"),
            self._session.profile.name if only_this else "",
            bool(self.query_one("#fold ChoiceLine", ChoiceLine).index),
            self._before.not_invoice,
        )

    @on(Input.Changed, "#query Input")
    def _query_typed(self) -> None:
        self._check_query()

    @on(Input.Changed, "#name Input")
    def _name_typed(self) -> None:
        self._check_name()

    @on(ChoiceLine.Changed, "#for ChoiceLine")
    def _wallets_chosen(self) -> None:
        self._check_name()

    def _check_query(self, *, at_the_end: bool = False) -> bool:
        from opdash.ledger.search.reading import read_query
        from opdash.ledger.search.values import Moment

        field = self.query_one("#query", FormField)
        field.say()
        try:
            nothing = read_query(self._text("query"), Moment(self._session.now())).is_empty
        except SearchError as error:
            field.say_error(error)
            return False
        if nothing and at_the_end:
            field.say("Type what to search for, such as state:short.", Note.BAD)
        return not nothing

    def _check_name(self, *, at_the_end: bool = False) -> bool:
        from opdash.settings_file import why_no_name

        field, search = self.query_one("#name", FormField), self.search
        field.say()
        if not search.name:
            if at_the_end:
                field.say("Give it a name.", Note.BAD)
            return False
        if reason := why_no_name(search.name):
            field.say(reason, Note.BAD)
            return False
        if taken := self._taken(search):
            field.say(taken, Note.WARN)
        return True

    def _taken(self, search: SavedSearch) -> str:
        """Return what a name would be taken from, a sentence, or nothing."""
        if self._known and search.key == self._before.key:
            return ""
        for one in self.dashboard.settings.searches:
            if one.key == search.key:
                return f"Takes the place of the one that reads {safe_text(one.query, limit=60)}"
        if any(one.name.casefold() == search.name.casefold() for one in BUILT_IN):
            return "Stands in the place of the built-in one until you delete it."
        return ""

    def _text(self, field: str) -> str:
        return self.query_one(f"#{field} Input", Input).value.strip()

    # Actions

    def question(self) -> str:
        """Return what would be lost."""
        before = self._before
        same = (before.name, before.query, before.fold)
        search = self.search
        return "" if (search.name, search.query, search.fold) == same else "Nothing is saved yet."

    def action_save(self) -> None:
        """Keep it in the configuration file."""
        checks = self._check_query(at_the_end=True), self._check_name(at_the_end=True)
        if all(checks) and not self._saving:
            self._saving = True
            self.outcome.say("Saving …", Note.WAIT)
            self._save(self.search)

    @work(group="save-search", exit_on_error=False)
    async def _save(self, search: SavedSearch) -> None:
        try:
            await self.dashboard.save_search(search, self._before if self._known else None)
        except Exception as error:
            self._saving = False
            self.outcome.say_error(error)
            return
        self.dismiss(search)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_save()

    @on(Button.Pressed, "#save")
    def _save_pressed(self) -> None:
        self.action_save()

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()
