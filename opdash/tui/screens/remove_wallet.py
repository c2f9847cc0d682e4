"""Asks before a wallet address is removed, and says what that keeps."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button

from opdash.safetext import safe_text
from opdash.service.dashboard import Dashboard
from opdash.settings import Profile
from opdash.tui.actions import Place, bindings
from opdash.tui.format import count
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.form_field import Note
from opdash.tui.widgets.sheet import Entry, SheetView, facts, row


class RemoveWalletScreen(FormScreen[bool]):
    """Removes one profile; ends with whether it did."""

    PLACE = Place.REMOVE_WALLET
    CSS_PATH = sheets("modals", "forms", "remove_wallet")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.REMOVE_WALLET)
    AUTO_FOCUS = "#leave"

    def __init__(self, dashboard: Dashboard, profile: Profile) -> None:
        super().__init__()
        self._service = dashboard
        self._profile = profile
        self._removing = False

    def title_content(self) -> Content:
        """Return the question."""
        return Content.styled(f"Remove “{safe_text(self._profile.title, limit=40)}”?", "bold")

    def compose_body(self) -> ComposeResult:
        """Yield what is removed and what is kept."""
        yield SheetView(id="facts")

    def compose_buttons(self) -> ComposeResult:
        """Yield the way back first: it has the focus."""
        yield Button("Keep it", id="leave", compact=True)
        yield Button("Remove (Ctrl+Y)", id="remove", variant="error", compact=True)

    def on_mount(self) -> None:
        """Say what removing means."""
        wallet_id = self._service.session(self._profile.name).wallet_id
        known = 0 if wallet_id is None else self._service.reader.count(wallet_id)
        self.query_one("#facts", SheetView).show(removal_entries(self._profile, known))

    def action_remove_for_good(self) -> None:
        """Remove the profile."""
        if not self._removing:
            self._removing = True
            self.outcome.say("Removing …", Note.WAIT)
            self._remove()

    @work(group="remove-wallet", exit_on_error=False)
    async def _remove(self) -> None:
        try:
            await self._service.remove_profile(self._profile.name)
        except Exception as error:
            self._removing = False
            self.outcome.say_error(error)
            return
        self.dismiss(True)

    @on(Button.Pressed, "#remove")
    def _remove_pressed(self) -> None:
        self.action_remove_for_good()

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()


def removal_entries(profile: Profile, known: int) -> list[Entry]:
    """Return what removing a profile removes and what it keeps.

    Args:
        profile: The profile.
        known: How many of its payments are in the ledger.
    """
    key = "" if profile.key_file is None else f"the key file {safe_text(str(profile.key_file))}"
    kept = [f"{count(known, 'payment')} in the ledger", *([key] if key else [])]
    address, *rest = facts(
        [
            ("address", safe_text(profile.wallet_address)),
            ("removed", "the entry in opdash's configuration; opdash stops watching it"),
            ("kept", "; ".join(kept)),
            ("untouched", "the wallet and its payments at the provider"),
        ]
    )
    return [
        address,
        row("", ""),
        *rest,
        row("", ""),
        row("", Content.styled("Adding it again brings everything back.", "$muted")),
    ]
