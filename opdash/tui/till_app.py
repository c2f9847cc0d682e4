"""The app that opens at the till; the payments of the same wallet lie below it."""

from __future__ import annotations

from opdash.tui.app import OpdashApp


class TillApp(OpdashApp):
    """The dashboard, begun at the till of its first wallet."""

    @property
    def first_wallet(self) -> str:
        """The name of the profile that it begins with; empty where a person has to choose."""
        return self._first

    async def _start(self) -> None:
        from opdash.tui.screens.till import TillScreen

        self.push_screen(TillScreen(self.dashboard.session(self._first)))
        await super()._start()
