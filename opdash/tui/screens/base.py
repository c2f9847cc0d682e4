"""What every screen shares: its place in the registry, toasts, and named background work.

The threading rule: the ledger is read on the screen's thread, in small windows; the network is only
awaited in workers of a named group, never in Textual's default one, which cancels across purposes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from textual.notifications import SeverityLevel
from textual.screen import Screen

from opdash.errors import OpdashError
from opdash.ledger.records import Change
from opdash.service.events import Event
from opdash.tui.actions import Place
from opdash.tui.failures import run_in_background

if TYPE_CHECKING:
    from opdash.service.dashboard import Dashboard
    from opdash.tui.app import OpdashApp

R = TypeVar("R")


class _Shared(Screen[R], Generic[R]):
    """The common part of full screens and dialogs."""

    PLACE: ClassVar[Place]
    HOLDS_NEWS: ClassVar[bool] = False
    """Whether payments that come in are told only when this screen is closed."""

    @property
    def opdash(self) -> OpdashApp:
        """The app, by its own type."""
        return cast("OpdashApp", self.app)

    @property
    def dashboard(self) -> Dashboard:
        """The service."""
        return self.opdash.dashboard

    def tell(
        self, sentence: str, advice: str = "", *, severity: SeverityLevel = "information"
    ) -> None:
        """Show a sentence for a moment; it is never read as markup."""
        self.opdash.tell(sentence, advice, severity=severity)

    def tell_error(self, error: OpdashError) -> None:
        """Show what went wrong and what to do."""
        self.opdash.tell(error.sentence, error.advice, severity="error")

    def background(self, work: Callable[[], Awaitable[object]], group: str) -> None:
        """Await something without holding the screen up; a failure becomes a sentence.

        Args:
            work: What to call and await; it is cancelled when this screen goes.
            group: A name for its purpose; work of other purposes is left alone.
        """
        run_in_background(self, work, group, self.opdash.tell_failure)

    def takes_over(self, change: Change) -> bool:  # noqa: ARG002
        """Return whether this screen tells of a payment itself, so that the app does not."""
        return False

    def hear(self, event: Event) -> None:
        """Take note of what the service announces; each screen as it needs."""


class OpdashScreen(_Shared[R], Generic[R]):
    """A full screen; in the demo it says at its top that no money is real."""

    def on_mount(self) -> None:
        """Put the banner up."""
        if self.opdash.demo:
            from opdash.tui.widgets.demo_banner import DemoBanner

            self.mount(DemoBanner())
