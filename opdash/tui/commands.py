"""The command palette's commands, made from the registry of actions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from opdash.tui.actions import Action, Place, actions_at


class RegistryCommands(Provider):
    """Every action that works on the screen the palette was opened on."""

    async def discover(self) -> Hits:
        """Offer all of them before anything is typed."""
        for action in self._actions():
            yield DiscoveryHit(Content(_title(action)), self._runner(action), help=action.help)

    async def search(self, query: str) -> Hits:
        """Offer those whose name matches what was typed."""
        matcher = self.matcher(query)
        for action in self._actions():
            title = _title(action)
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), self._runner(action), help=action.help)

    def _actions(self) -> list[Action]:
        place = getattr(self.screen, "PLACE", Place.ANYWHERE)
        return [action for action in actions_at(place) if action.in_palette]

    def _runner(self, action: Action) -> Callable[[], Awaitable[bool]]:
        return partial(self.app.run_action, action.run, self.screen)


def _title(action: Action) -> str:
    return f"{action.label}  ({action.shown_key})"
