"""The keys that work here, on the last line of every screen; each can be clicked."""

from __future__ import annotations

from opdash.tui.actions import Action, Place, actions_at
from opdash.tui.widgets.line import Line, Span, cut, join, width_of

_GAP = Span("  ")


class KeyLine(Line):
    """The line of keys of one place.

    On a narrow terminal the actions that matter least go first; ``?`` is always there. An action
    that cannot be done right now is dimmed, not removed, so that nothing jumps.
    """

    def __init__(self, place: Place, *, id: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id)
        self._actions = _shown_at(place)
        self._off: frozenset[str] = frozenset()

    def set_place(self, place: Place) -> None:
        """Show the keys of another place."""
        if self._actions != (actions := _shown_at(place)):
            self._actions = actions
            self._fill()

    def set_off(self, *action_ids: str) -> None:
        """Dim the actions that cannot be done right now."""
        if self._off != (off := frozenset(action_ids)):
            self._off = off
            self._fill()

    def on_resize(self) -> None:
        """Choose again what fits."""
        self._fill()

    def _fill(self) -> None:
        width = self.size.width
        if width:
            self.show(cut([Span(" "), *key_spans(self._actions, width - 2, self._off)], width))


def _shown_at(place: Place) -> tuple[Action, ...]:
    return tuple(action for action in actions_at(place) if action.rank)


def key_spans(
    actions: tuple[Action, ...], width: int, off: frozenset[str] = frozenset()
) -> list[Span]:
    """Return the pieces of a key line: as many actions as fit, those of low rank first."""
    kept = [(action.rank, _spans(action, dim=action.id in off)) for action in actions]
    room = width + len(_GAP.text)
    taken = [_width(spans) for _, spans in kept]
    while len(kept) > 1 and sum(taken) > room:
        last = max(range(len(kept)), key=lambda place: kept[place][0])
        del kept[last], taken[last]
    return join([spans for _, spans in kept], _GAP.text)


def _width(spans: tuple[Span, ...]) -> int:
    return width_of(spans) + len(_GAP.text)


def _spans(action: Action, *, dim: bool) -> tuple[Span, ...]:
    run = action.run
    return (
        Span(action.shown_key, "off" if dim else "key", run),
        Span(f" {action.label}", "off" if dim else "muted", run),
    )
