"""How much of what was asked for has arrived, as a bar and a percentage, in whole numbers."""

from __future__ import annotations

from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual

FULL = "━"
EMPTY = "─"


def percent(received: int, asked: int) -> str:
    """Return the share received in whole per cent, rounded down, for example ``48 %``.

    What has begun is never called 0 %, and what is not covered never 100 %. Nothing asked has no
    share: an empty text.
    """
    if asked <= 0:
        return ""
    share = received * 100 // asked
    if received > 0 and share == 0:
        return "<1 %"
    return f"{share} %"


def filled(received: int, asked: int, width: int) -> int:
    """Return how many of ``width`` cells are full; all of them only when all is there."""
    if asked <= 0 or width <= 0 or received <= 0:
        return 0
    return width if received >= asked else min(max(received * width // asked, 1), width - 1)


class ProgressLine(Visual):
    """A bar over the whole width.

    Attributes:
        received: Minor units that arrived.
        asked: Minor units asked for; a bar needs some.
    """

    def __init__(self, received: int, asked: int) -> None:
        self.received = received
        self.asked = asked

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:  # noqa: ARG002
        """Return all the width there is."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:  # noqa: ARG002
        """Return 1."""
        return 1

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        """Return the bar, one line."""
        full = filled(self.received, self.asked, width)
        bar = Content.assemble((FULL * full, "$accent"), (EMPTY * (width - full), "$line"))
        return bar.render_strips(width, height, style, options)
