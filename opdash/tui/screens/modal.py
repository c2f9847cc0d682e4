"""What every dialog shares."""

from __future__ import annotations

from typing import Generic

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

from opdash.tui.screens.base import R, _Shared
from opdash.tui.stylesheets import sheets


class OpdashModal(_Shared[R], ModalScreen[R], Generic[R]):
    """A dialog over another screen."""

    CSS_PATH = sheets("modals")
    HOLDS_NEWS = True

    def __init__(self) -> None:
        super().__init__()
        self._waits_with: list[R | None] = []

    def dismiss(self, result: R | None = None) -> AwaitComplete:
        """Leave with a result, at once or when nothing lies over this dialog any more."""
        if self.app.screen is self:
            return super().dismiss(result)
        self._waits_with = [result]
        return AwaitComplete()

    def on_screen_resume(self) -> None:
        """Leave, if that was meant to happen while something lay over this dialog."""
        if self._waits_with:
            self.dismiss(self._waits_with.pop())

    def action_explain(self) -> None:
        """Show the keys that work in this dialog."""
        self.opdash.show_help(self.PLACE)
