"""Replacing a wallet's key on the screen: make the next, register it, switch, put the old away."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button

from opdash.safetext import safe_text
from opdash.service.key_change import Retired, Stage
from opdash.service.onboarding import Readiness
from opdash.settings import Profile
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.key_checks import KeyChecksScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.form_field import Note
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.sheet import SheetView, row

_GO_ON = {
    Stage.NOTHING: "Make the next key (Ctrl+Y)",
    Stage.NEXT: "Switch to it (Ctrl+Y)",
    Stage.FORMER: "Put its file away (Ctrl+Y)",
}
_DISCARD = {
    Stage.NOTHING: "",
    Stage.NEXT: "Give it up (Ctrl+T)",
    Stage.FORMER: "Delete its file (Ctrl+T)",
}
_ASKS = {
    Stage.NEXT: "The next key is given up, and the one in use stays. Ctrl+T once more does it.",
    Stage.FORMER: "The former key's file is deleted for good. Ctrl+T once more does it.",
}


class ReplaceKeyScreen(KeyChecksScreen[None]):
    """Goes through the replacing of one wallet's key; can be left and taken up at any step.

    Args:
        profile: The wallet's name.
    """

    PLACE = Place.REPLACE_KEY
    CSS_PATH = sheets("modals", "forms", "add_wallet")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.REPLACE_KEY)
    AUTO_FOCUS = "#leave"

    def __init__(self, profile: str) -> None:
        super().__init__()
        self._wallet_name = profile
        self._busy = False
        self._asked = False

    def title_content(self) -> Content:
        """Return the title."""
        return Content.styled(f"The key of “{safe_text(self._wallet_name, limit=40)}”", "bold")

    def compose_buttons(self) -> ComposeResult:
        """Yield the way back first: it has the focus."""
        yield Button("Back", id="leave", compact=True)
        yield Button("", id="go-on", variant="primary", compact=True)
        yield Button("", id="discard", compact=True)

    def on_mount(self) -> None:
        """Take up where it was left."""
        super().on_mount()
        self._change = self.dashboard.key_change(self._wallet_name)
        self._show_stage()
        if self._change.stage is Stage.NEXT:
            self._run_begin()

    def _show_stage(self) -> None:
        stage, profile = self._change.stage, self._change.profile
        words = _words(stage, profile)
        sheet = self.query_one("#words", SheetView)
        sheet.display = True
        sheet.show([*(row("", text) for text in words), row("", "")])
        self.query_one("#go-on", Button).label = _GO_ON[stage]
        discard = self.query_one("#discard", Button)
        discard.label, discard.display = _DISCARD[stage], bool(_DISCARD[stage])
        is_next = stage is Stage.NEXT
        self.query_one(KeyLine).set_off(
            *([] if _DISCARD[stage] else ["discard"]),
            *([] if is_next else ["copy_key", "copy_base64", "check_again"]),
        )

    def stands(self, now: Readiness) -> None:
        """Say when the next key works."""
        if now.key_works and not self._busy:
            self.outcome.say("The next key works: Ctrl+Y switches to it.", Note.GOOD)

    def action_go_on(self) -> None:
        """Do what comes next."""
        self._asked = False
        if self._busy:
            return
        match self._change.stage:
            case Stage.NOTHING:
                self._run_begin()
            case Stage.NEXT:
                self._run_switch()
            case Stage.FORMER:
                self._run_retire(delete=False)

    def action_discard(self) -> None:
        """Give up the next key, or delete the former one's file; asks first."""
        stage = self._change.stage
        if self._busy or stage is Stage.NOTHING:
            return
        if not self._asked:
            self._asked = True
            self.outcome.say(_ASKS[stage], Note.WARN)
        elif stage is Stage.NEXT:
            self._run_cancel()
        else:
            self._run_retire(delete=True)

    # Each in a worker that goes on where the screen is left

    @work(group="key-change", exit_on_error=False)
    async def _run_begin(self) -> None:
        if not self._begin_work("Making the next key …"):
            return
        try:
            made = await self._change.begin()
            candidate = self._change.candidate
        except Exception as error:
            self._end_work()
            self.outcome.say_error(error)
            return
        self._end_work()
        self.check_key(candidate, made)

    @work(group="key-change", exit_on_error=False)
    async def _run_switch(self) -> None:
        seen = self.readiness
        if seen is None or not seen.key_works:
            self.outcome.say("The next key does not work yet; see above what is missing.", Note.BAD)
            return
        if not self._begin_work("Switching …"):
            return
        try:
            switched = await self._change.switch(seen)
        except Exception as error:
            self._end_work()
            self.outcome.say_error(error)
            return
        self._end_work()
        self.stop_checking()
        failed = [told.sentence for told in switched.given_back if told.failure is not None]
        self.outcome.say(" ".join(["The next key is in use.", *failed]), Note.GOOD)

    @work(group="key-change", exit_on_error=False)
    async def _run_cancel(self) -> None:
        if not self._begin_work("Giving it up …"):
            return
        try:
            await self._change.cancel()
        except Exception as error:
            self._end_work()
            self.outcome.say_error(error)
            return
        self._end_work()
        self.stop_checking()
        self.outcome.say("The next key is given up; the one in use stays.", Note.GOOD)

    @work(group="key-change", exit_on_error=False)
    async def _run_retire(self, *, delete: bool) -> None:
        if not self._begin_work("Putting it away …"):
            return
        try:
            is_served = await self._change.former_is_served()
            retired = await self._change.retire(delete=delete)
        except Exception as error:
            self._end_work()
            self.outcome.say_error(error)
            return
        self._end_work()
        self.outcome.say(_retired_words(retired, is_served is True), Note.GOOD)

    def _begin_work(self, words: str) -> bool:
        if self._busy:
            return False
        self._busy, self._asked = True, False
        self.outcome.say(words, Note.WAIT)
        return True

    def _end_work(self) -> None:
        self._busy = False
        self.outcome.say()
        self._show_stage()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        match event.button.id:
            case "go-on":
                self.action_go_on()
            case "discard":
                self.action_discard()
            case _:
                self.action_leave()


def _words(stage: Stage, profile: Profile) -> tuple[str, str]:
    """Return which key a wallet signs with, and what comes next."""
    used, former = safe_text(profile.key_id, limit=80), safe_text(profile.former_key_id, limit=80)
    if stage is Stage.NOTHING:
        advice = (
            "opdash can make the next key beside it. Nothing changes until the provider serves "
            "that one and a grant with it works; you can stop and go on at any time."
        )
        return f"It signs with “{used}”.", advice
    if stage is Stage.NEXT:
        advice = (
            "Then what the key in use got is given back. Consent that was given has to be given "
            "anew."
        )
        return f"It signs with “{used}” until the next key works.", advice
    client = safe_text(profile.client_wallet_address, limit=120)
    advice = (
        f"Remove the former key, “{former}”, at the provider of {client}, and put its file away: "
        "it is moved to where opdash looks for no keys."
    )
    return f"It signs with “{used}” now.", advice


def _retired_words(retired: Retired, is_served: bool) -> str:
    key_id = safe_text(retired.key_id, limit=80)
    if retired.used_by:
        words = f"“{retired.used_by}” signs with “{key_id}”, so its file stays."
    elif retired.file is not None:
        words = f"The former key is now in {retired.file}."
    else:
        words = "The file of the former key is gone."
    return f"{words} The provider still serves it: remove it there." if is_served else words
