"""What the dialogs about a key share: its public half, how to register it, and live checks."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic

from textual import work
from textual.app import ComposeResult
from textual.content import Content

from opdash.service.client_keys import KeyOnDisk
from opdash.service.onboarding import Check, Mark, Readiness, ReadinessWatch
from opdash.service.registering import registering_steps
from opdash.settings import Profile
from opdash.tui.failures import told
from opdash.tui.screens.base import R
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.widgets.form_field import Note, NoteLine
from opdash.tui.widgets.json_preview import json_rows
from opdash.tui.widgets.readiness_view import ReadinessView
from opdash.tui.widgets.sheet import Entry, SheetView, heading, row

_COPYING = "F2 copies the one below; F6 copies it as base64, for pages that ask for that."


class KeyChecksScreen(FormScreen[R], Generic[R]):
    """A dialog that checks a key again and again until it works."""

    def __init__(self) -> None:
        super().__init__()
        self._watch: ReadinessWatch | None = None
        self._key: KeyOnDisk | None = None
        self._client = ""
        self._look_at = 0.0

    def compose_body(self) -> ComposeResult:
        """Yield the checks, how to register the key, and the key."""
        yield SheetView(id="words")
        yield ReadinessView(id="checks")
        yield NoteLine(id="again")
        yield SheetView(id="steps")

    def on_mount(self) -> None:
        """Keep the countdown true."""
        self.query_one("#words").display = False
        self.set_interval(1.0, self._count_down)

    # The checks

    def check_key(self, profile: Profile, key: KeyOnDisk) -> None:
        """Begin to check a profile with a key, and say how to register that."""
        self._key, self._client = key, profile.client_wallet_address
        self.add_class("-long")
        self._watch = self.dashboard.readiness(profile, self._stands)
        self._show_steps(registered=False)
        self.query_one(ReadinessView).show_readiness(self._watch.now)
        self._check(self._watch)

    def stop_checking(self) -> None:
        """Check no more, and show nothing of it."""
        self._watch = self._key = None
        self.remove_class("-long")
        self.workers.cancel_group(self, "readiness")
        for name in ("#checks", "#steps"):
            self.query_one(name, SheetView).show(())
        self.query_one("#again", NoteLine).say()

    @property
    def readiness(self) -> Readiness | None:
        """How the checks stand, if any are made."""
        return None if self._watch is None else self._watch.now

    @work(group="readiness", exclusive=True, exit_on_error=False)
    async def _check(self, watch: ReadinessWatch) -> None:
        try:
            await watch.run()
        except Exception as error:
            self.query_one("#again", NoteLine).say(" ".join(told(error)).rstrip(), Note.BAD)

    def _stands(self, now: Readiness) -> None:
        if not self.is_mounted or self._watch is None or now.key_id != self._watch.now.key_id:
            return
        self.query_one(ReadinessView).show_readiness(now)
        self._show_steps(registered=now.line(Check.KEY).mark is Mark.DONE)
        self._look_at = self.dashboard.clock.monotonic() + (now.pause or 0.0)
        self._count_down()
        self.stands(now)

    def _count_down(self) -> None:
        now, line = self.readiness, self.query_one("#again", NoteLine)
        if now is None or now.pause is None:
            line.say("Looking …" if now is not None and now.is_looking else "")
            return
        left = max(round(self._look_at - self.dashboard.clock.monotonic()), 0)
        line.say(f"opdash looks again by itself in {left} s; Ctrl+R looks now.")

    @abstractmethod
    def stands(self, now: Readiness) -> None:
        """Take note of how the checks stand."""

    # The key

    def _show_steps(self, *, registered: bool) -> None:
        key = self._key
        steps: list[Entry] = []
        if key is not None and not registered:
            steps += heading("To register the key")
            for number, step in enumerate(registering_steps(self._client, _COPYING), 1):
                steps.append(row(f"{number} ", step, "  "))
        if key is not None:
            steps += heading("Its public half (JWK)")
            steps += json_rows(key.jwk_json)
            steps.append(row("", Content.styled(f"private half: {key.file}", "$muted")))
        self.query_one("#steps", SheetView).show(steps)

    def action_copy_key(self) -> None:
        """Copy the public key as JSON."""
        if self._key is not None:
            self.app.copy_to_clipboard(self._key.jwk_json.replace("\n", ""))
            self.outcome.say("Copied the public key; register it with the provider.", Note.GOOD)

    def action_copy_base64(self) -> None:
        """Copy the public key as base64 of its JSON."""
        if self._key is not None:
            self.app.copy_to_clipboard(self._key.jwk_base64)
            self.outcome.say("Copied the public key as base64.", Note.GOOD)

    def action_check_again(self) -> None:
        """Check now."""
        if self._watch is None or self._key is None:
            return
        if self._watch.now.pause is not None:
            self._watch.again()
        elif not self._watch.now.is_looking:
            self._check(self._watch)
