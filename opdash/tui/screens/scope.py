"""Asks before opdash sees more of a wallet, or less, and says what each means."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button

from opdash.ledger.records import Scope
from opdash.safetext import safe_text
from opdash.settings import Profile
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.header import SCOPE_WORDS
from opdash.tui.widgets.sheet import Entry, SheetView, facts, row

_BUTTONS = {
    Scope.EVERYTHING: "Ask for consent (Ctrl+Y)",
    Scope.OWN: "See less (Ctrl+Y)",
}


class ScopeScreen(FormScreen[Scope]):
    """Says what is seen now and what would be; ends with the scope that is wanted, or nothing."""

    PLACE = Place.SCOPE
    CSS_PATH = sheets("modals", "forms", "remove_wallet")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.SCOPE)
    AUTO_FOCUS = "#leave"

    def __init__(self, profile: Profile) -> None:
        super().__init__()
        self._profile = profile
        self._other = Scope.OWN if profile.scope is Scope.EVERYTHING else Scope.EVERYTHING

    def title_content(self) -> Content:
        """Return the question."""
        title = safe_text(self._profile.title, limit=40)
        more = self._other is Scope.EVERYTHING
        what = "everything on this wallet" if more else "only what opdash created"
        return Content.styled(f"“{title}”: see {what}?", "bold")

    def compose_body(self) -> ComposeResult:
        """Yield what it means."""
        yield SheetView(id="facts")

    def compose_buttons(self) -> ComposeResult:
        """Yield the way back first: it has the focus."""
        yield Button("Leave it", id="leave", compact=True)
        yield Button(_BUTTONS[self._other], id="change", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Say what it means."""
        self.query_one("#facts", SheetView).show(scope_entries(self._profile.scope, self._other))

    def action_change_scope(self) -> None:
        """Leave with the other scope."""
        self.dismiss(self._other)

    @on(Button.Pressed, "#change")
    def _change_pressed(self) -> None:
        self.action_change_scope()

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()


def scope_entries(now: Scope, other: Scope) -> list[Entry]:
    """Return what is seen now, what would be, and what the change takes."""
    if other is Scope.EVERYTHING:
        takes = "the account holder's consent, in a browser; until they give it, all stays as it is"
        after = "payments that other applications created appear, too"
    else:
        takes = "nothing; opdash gives the wider right back"
        after = (
            "what others created stays in the ledger as it was last seen, marked as not visible "
            "under this scope; it is neither refreshed nor taken for gone"
        )
    return [
        *facts(
            [
                ("now", SCOPE_WORDS[now]),
                ("then", SCOPE_WORDS[other]),
                ("takes", takes),
                ("after that", after),
            ]
        ),
        row("", ""),
        row("", Content.styled("The choice is kept in the configuration.", "$muted")),
    ]
