"""How wide texts are on a terminal, and how they are folded there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator


def width_of(text: str) -> int:
    """Return how many cells of a terminal a safe text takes."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with blanks after it, or before it, up to a width."""
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def folded(text: str, width: int) -> list[str]:
    """Return a safe text in lines of at most so many cells, one at least.

    It is folded between words; a word that is wider than a line is folded where the line ends.

    Args:
        text: Safe text.
        width: Cells of a line, 2 at least: some characters take two.
    """
    if width_of(text) <= width:
        return [text]
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if width_of(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, width)
        lines += whole
    return [*lines, line]


def _pieces(word: str, width: int) -> Iterator[str]:
    piece, used = "", 0
    for character in word:
        cells = _width(character)
        if used + cells > width:
            yield piece
            piece, used = "", 0
        piece += character
        used += cells
    yield piece


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
