"""How much of what was asked for has arrived, as a bar and a percentage, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

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


@dataclass(frozen=True, slots=True)
class ProgressLine:
    """A bar over the whole width of a sheet.

    Attributes:
        received: Minor units that arrived.
        asked: Minor units asked for.
    """

    received: int
    asked: int

    @property
    def plain(self) -> str:
        """Nothing: the percentage beside it says the same."""
        return ""

    @property
    def widest(self) -> int:
        """It takes what it is given."""
        return 0

    def fold(self, width: int) -> list[Content]:
        """Return the bar, one line."""
        full = filled(self.received, self.asked, width)
        return [Content.assemble((FULL * full, "$accent"), (EMPTY * (width - full), "$line"))]
