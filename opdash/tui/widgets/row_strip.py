"""A line of a table that goes away at once when nobody needs it any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.strip import Strip


class RowStrip(Strip):
    """A strip that keeps no reference to itself.

    Textual notes with a strip how it was divided, also where it was not. Such a strip is left to
    the garbage collector, which stops the screen for a tenth of a second once thousands have gone
    by.
    """

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Return the parts between cuts; itself where the only cut is its end."""
        wanted = list(cuts)
        within = [cut for cut in wanted if cut <= self.cell_length]
        if within == [self.cell_length]:
            return [self]
        if wanted and self.cell_length not in within:  # the bar beside it is not painted yet
            return self.adjust_cell_length(wanted[-1]).divide(wanted)
        return super().divide(within)
