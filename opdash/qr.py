"""QR codes out of half blocks, two modules to a character cell, black on white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

BLACK, WHITE = "#000000", "#ffffff"
"""What a code is drawn in, whatever the colours around it: readers need the contrast."""

QUIET = 4
"""Modules of white around a code, as the standard asks for."""

SMALL_QUIET = 2
"""As few as readers get along with, where the room is short."""

_HALVES = " ▄▀█"


@dataclass(frozen=True, slots=True)
class QrCode:
    """A code ready to be drawn, its white margin included.

    Attributes:
        lines: Its rows of characters; what is dark is the character, what is light its ground.
    """

    lines: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many columns it takes."""
        return len(self.lines[0])

    @property
    def height(self) -> int:
        """How many rows it takes."""
        return len(self.lines)


def qr_code(text: str, quiet: int = QUIET) -> QrCode | None:
    """Return the smallest code that holds a text; None where no code can.

    Args:
        text: What a reader shall read.
        quiet: Modules of white around it.
    """
    matrix = _matrix(text)
    if matrix is None:
        return None
    side = len(matrix) + 2 * quiet
    blank = [0] * side
    padded = [[0] * quiet + list(row) + [0] * quiet for row in matrix]
    rows = [blank] * quiet + padded + [blank] * (quiet + side % 2)
    return QrCode(
        tuple(
            "".join(_HALVES[2 * upper + lower] for upper, lower in zip(above, below, strict=True))
            for above, below in zip(rows[::2], rows[1::2], strict=True)
        )
    )


def fitting_code(text: str, width: int, height: int) -> QrCode | None:
    """Return a code that fits a number of columns and rows; None where none does."""
    for quiet in (QUIET, SMALL_QUIET):
        code = qr_code(text, quiet)
        if code is not None and code.width <= width and code.height <= height:
            return code
    return None


@lru_cache(maxsize=4)
def _matrix(text: str) -> Sequence[Sequence[int]] | None:
    import segno

    try:
        code = segno.make(text, error="l", micro=False, boost_error=False)
    except segno.DataOverflowError:
        return None
    return code.matrix
