"""Waiting for the account holder's consent, which is given in a browser."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from opdash.safetext import safe_text
from opdash.service.events import ConsentEnded, ConsentNeeded, Event
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashModal
from opdash.tui.widgets.key_line import KeyLine


class ConsentScreen(OpdashModal[None]):
    """Shows where to consent, and closes when the wait is over."""

    PLACE = Place.CONSENT
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.CONSENT)

    def __init__(self, request: ConsentNeeded) -> None:
        super().__init__()
        self.request = request

    def compose(self) -> ComposeResult:
        """Name the purpose, the host and the whole address."""
        host = safe_text(urlsplit(self.request.url).netloc, limit=120)
        purpose = safe_text(self.request.purpose, limit=120)
        title = safe_text(self._title(), limit=60)
        with Vertical(classes="dialog"):
            yield Static("Your consent is needed", classes="dialog-title", markup=False)
            yield Static(
                Content.assemble(
                    f"opdash asks to {purpose}. The account holder of {title} decides at ",
                    (host, "bold $primary"),
                    ". Open this address in a browser:",
                ),
                classes="dialog-text",
            )
            yield Static(Content(safe_text(self.request.url)), id="consent-url")
            if self.opdash.demo:
                yield Static(
                    "In the demo nobody has to: consent comes by itself in a few seconds.",
                    classes="dialog-text",
                    markup=False,
                )
            yield Static(id="consent-wait", classes="dialog-text", markup=False)
            yield KeyLine(Place.CONSENT)

    def _title(self) -> str:
        for profile in self.dashboard.profiles:
            if profile.name == self.request.profile:
                return profile.title
        return self.request.profile

    def on_mount(self) -> None:
        """Count the time down."""
        self._wait()
        self.set_interval(1.0, self._wait)

    def _wait(self) -> None:
        left = self.request.until - self.dashboard.clock.now()
        self.query_one("#consent-wait", Static).update(
            f"◌ Waiting for the answer; the chance is over in {fmt.age(left)}."
        )

    def hear(self, event: Event) -> None:
        """Close when the wait is over."""
        if isinstance(event, ConsentEnded) and event.profile == self.request.profile:
            self.dismiss(None)

    def action_copy_consent_url(self) -> None:
        """Copy the address."""
        self.app.copy_to_clipboard(self.request.url)
        self.tell("Copied the address. Open it in a browser.")

    def action_hide(self) -> None:
        """Stop showing this; the wait goes on."""
        self.dismiss(None)
