"""The last step of adding a wallet: register its key, while opdash checks, and save."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button

from opdash.safetext import safe_text
from opdash.service.client_keys import KeyOnDisk
from opdash.service.onboarding import Readiness
from opdash.settings import Profile
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.key_checks import KeyChecksScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.form_field import Note


class RegisterKeyScreen(KeyChecksScreen[Profile | None]):
    """Checks a wallet that is to be added; ends with the profile once it is saved.

    Args:
        profile: The wallet with its key.
        key: The key's public half.
    """

    PLACE = Place.REGISTER_KEY
    CSS_PATH = sheets("modals", "forms", "add_wallet")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.REGISTER_KEY)
    AUTO_FOCUS = "#save"

    def __init__(self, profile: Profile, key: KeyOnDisk) -> None:
        super().__init__()
        self._profile = profile
        self._own_key = key
        self._saving = False

    def title_content(self) -> Content:
        """Return the title."""
        name = safe_text(self._profile.title, limit=40)
        return Content.styled(f"Is “{name}” ready?", "bold")

    def compose_buttons(self) -> ComposeResult:
        """Yield what the keys do, for the mouse."""
        yield Button("Save", id="save", variant="primary", compact=True)
        yield Button("Copy key", id="copy-key", compact=True)
        yield Button("Check now", id="check-again", compact=True)
        yield Button("Back", id="leave", compact=True)

    def on_mount(self) -> None:
        """Begin to check."""
        super().on_mount()
        self.check_key(self._profile, self._own_key)

    def stands(self, now: Readiness) -> None:
        """Say when nothing is left to do."""
        if now.is_ready and not self._saving:
            self.outcome.say("Everything is ready: Ctrl+S saves it.", Note.GOOD)

    def action_save(self) -> None:
        """Save the wallet, ready or not."""
        if not self._saving:
            self._saving = True
            self.outcome.say("Saving …", Note.WAIT)
            self._save()

    @work(group="add-wallet", exit_on_error=False)
    async def _save(self) -> None:
        now = self.readiness
        try:
            await self.dashboard.add_profile(self._profile)
        except Exception as error:
            self._saving = False
            self.outcome.say_error(error)
            return
        if now is not None and not now.is_ready:
            line = now.first_to_do
            name = safe_text(self._profile.title, limit=40)
            self.tell(
                f"“{name}” is saved, and not ready yet.",
                "" if line is None else line.sentence,
                severity="warning",
            )
        self.dismiss(self._profile)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        match event.button.id:
            case "save":
                self.action_save()
            case "copy-key":
                self.action_copy_key()
            case "check-again":
                self.action_check_again()
            case _:
                self.action_leave()
