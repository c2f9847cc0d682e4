"""Asks before a grant is given back, and says what that means."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button

from opdash.safetext import safe_text
from opdash.service.giving_back import GivenBack
from opdash.service.grant_office import GrantView
from opdash.service.rights import Right
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.form_field import Note
from opdash.tui.widgets.grant_facts import KINDS
from opdash.tui.widgets.sheet import Entry, SheetView, facts, row


class Kind(Enum):
    """What is given back."""

    ONE = "one"
    """The token; the grant may go on at the server."""
    GRANT = "grant"
    """The grant with its token."""
    ALL = "all"
    """All grants of the wallet, and its kept file."""


_QUESTIONS = {
    Kind.ONE: "Revoke the token for {}?",
    Kind.GRANT: "Cancel the grant for {}?",
    Kind.ALL: "Sign out of “{}”?",
}
_BUTTONS = {
    Kind.ONE: "Revoke (Ctrl+Y)",
    Kind.GRANT: "Cancel the grant (Ctrl+Y)",
    Kind.ALL: "Sign out (Ctrl+Y)",
}


class GiveBackScreen(FormScreen[bool]):
    """Gives one grant back, or all of a wallet; ends with whether it did."""

    PLACE = Place.GIVE_BACK
    CSS_PATH = sheets("modals", "forms", "remove_wallet")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.GIVE_BACK)
    AUTO_FOCUS = "#leave"

    def __init__(self, view: GrantView, kind: Kind) -> None:
        super().__init__()
        self._view = view
        self._kind = kind
        self._giving = False

    def title_content(self) -> Content:
        """Return the question."""
        of_all = self._kind is Kind.ALL
        what = safe_text(self._view.title, limit=40) if of_all else KINDS[self._view.right]
        return Content.styled(_QUESTIONS[self._kind].format(what), "bold")

    def compose_body(self) -> ComposeResult:
        """Yield what it means."""
        yield SheetView(id="facts")

    def compose_buttons(self) -> ComposeResult:
        """Yield the way back first: it has the focus."""
        yield Button("Keep it", id="leave", compact=True)
        yield Button(_BUTTONS[self._kind], id="give-back", variant="error", compact=True)

    def on_mount(self) -> None:
        """Say what it means."""
        self.query_one("#facts", SheetView).show(consequences(self._view, self._kind))

    def action_give_back(self) -> None:
        """Give it back."""
        if not self._giving:
            self._giving = True
            self.outcome.say("Asking the server …", Note.WAIT)
            self._give_back()

    @work(group="give-back", exit_on_error=False)
    async def _give_back(self) -> None:
        try:
            told = await self._asked()
        except Exception as error:
            self._giving = False
            self.outcome.say_error(error)
            return
        for one in told:
            self.opdash.tell(
                one.sentence, severity="information" if one.failure is None else "warning"
            )
        if not told:
            self.opdash.tell("opdash held no grant; its kept tokens are deleted.")
        self.dismiss(True)

    async def _asked(self) -> tuple[GivenBack, ...]:
        office, view = self.dashboard.grants, self._view
        match self._kind:
            case Kind.ONE:
                return (await office.revoke(view.profile, view.right),)
            case Kind.GRANT:
                return (await office.cancel(view.profile, view.right),)
            case Kind.ALL:
                return await office.sign_out(view.profile)

    @on(Button.Pressed, "#give-back")
    def _give_back_pressed(self) -> None:
        self.action_give_back()

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()


def consequences(view: GrantView, kind: Kind) -> list[Entry]:
    """Return what giving a grant back means."""
    stops = {
        Right.INCOMING: "polling, creating and completing",
        Right.OUTGOING: "looking up outgoing payments",
    }
    ends = {
        Kind.ONE: "the token, at the server and here; the server may keep the grant itself",
        Kind.GRANT: "the grant and its token, at the server and here",
        Kind.ALL: "all grants of this wallet, at the server and here, and the file of kept tokens",
    }
    everything = kind is Kind.ALL
    pauses = "all that asks its server" if everything else stops[view.right]
    again = "r on the screen of grants asks anew"
    if view.with_consent and not everything:
        again += ", and the account holder has to consent again"
    elif everything:
        again += "; for what needed consent, the account holder is asked again"
    return [
        *facts(
            [
                ("ends", ends[kind]),
                ("pauses", f"{pauses}, until you want it again"),
                ("kept", "payments in the ledger, the key, the wallet in the configuration"),
                ("afterwards", again),
            ]
        ),
        row("", ""),
        row(
            "",
            Content.styled(
                "If the server cannot be reached, opdash forgets the token all the same and says "
                "until when it stays valid there.",
                "$muted",
            ),
        ),
    ]
