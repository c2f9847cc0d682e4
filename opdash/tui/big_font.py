"""Letters and figures out of half blocks, so large that they are read from a metre away.

A dot is one column wide and half a row high, which is about square. Each letter is drawn on five by
seven dots, and figures also on three by five; both are enlarged as far as there is room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

_HALVES = " ▄▀█"
_LARGEST = 6
"""How many times a dot is enlarged at the most; beyond that nothing is read better."""

_TALL: Final[Mapping[str, str]] = {
    "0": ".###. #...# #...# #...# #...# #...# .###.",
    "1": "..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.",
    "2": ".###. #...# ....# ..##. .#... #.... #####",
    "3": ".###. #...# ....# ..##. ....# #...# .###.",
    "4": "...#. ..##. .#.#. #..#. ##### ...#. ...#.",
    "5": "##### #.... ####. ....# ....# #...# .###.",
    "6": ".###. #.... #.... ####. #...# #...# .###.",
    "7": "##### ....# ...#. ...#. ..#.. ..#.. ..#..",
    "8": ".###. #...# #...# .###. #...# #...# .###.",
    "9": ".###. #...# #...# .#### ....# ....# .###.",
    ".": ". . . . . . #",
    ",": ".. .. .. .. .. .# #.",
    "-": "... ... ... ### ... ... ...",
    "−": "... ... ... ### ... ... ...",
    " ": ".. .. .. .. .. .. ..",
    "!": ".##. .##. .##. .##. .##. .... .##.",
    "?": ".###. #...# ....# ...#. ..#.. ..... ..#..",
    "*": "..... #.#.# .###. ##### .###. #.#.# .....",
    "●": ".###. ##### ##### ##### ##### ##### .###.",
    "◉": ".###. #...# #.#.# #.#.# #.#.# #...# .###.",
    "▲": "..... ..#.. ..#.. .###. .###. ##### #####",
    "▼": "##### ##### .###. .###. ..#.. ..#.. .....",
    "✕": "..... #...# .#.#. ..#.. .#.#. #...# .....",
    "□": "..... ##### #...# #...# #...# ##### .....",
    "A": ".###. #...# #...# ##### #...# #...# #...#",
    "B": "####. #...# #...# ####. #...# #...# ####.",
    "C": ".###. #...# #.... #.... #.... #...# .###.",
    "D": "####. #...# #...# #...# #...# #...# ####.",
    "E": "##### #.... #.... ####. #.... #.... #####",
    "F": "##### #.... #.... ####. #.... #.... #....",
    "G": ".###. #...# #.... #.### #...# #...# .####",
    "H": "#...# #...# #...# ##### #...# #...# #...#",
    "I": "### .#. .#. .#. .#. .#. ###",
    "J": "..### ...#. ...#. ...#. ...#. #..#. .##..",
    "K": "#...# #..#. #.#.. ##... #.#.. #..#. #...#",
    "L": "#.... #.... #.... #.... #.... #.... #####",
    "M": "#...# ##.## #.#.# #.#.# #...# #...# #...#",
    "N": "#...# ##..# ##..# #.#.# #..## #..## #...#",
    "O": ".###. #...# #...# #...# #...# #...# .###.",
    "P": "####. #...# #...# ####. #.... #.... #....",
    "Q": ".###. #...# #...# #...# #.#.# #..#. .##.#",
    "R": "####. #...# #...# ####. #.#.. #..#. #...#",
    "S": ".#### #.... #.... .###. ....# ....# ####.",
    "T": "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#..",
    "U": "#...# #...# #...# #...# #...# #...# .###.",
    "V": "#...# #...# #...# #...# #...# .#.#. ..#..",
    "W": "#...# #...# #...# #.#.# #.#.# ##.## #...#",
    "X": "#...# #...# .#.#. ..#.. .#.#. #...# #...#",
    "Y": "#...# #...# .#.#. ..#.. ..#.. ..#.. ..#..",
    "Z": "##### ....# ...#. ..#.. .#... #.... #####",
}

_SHORT: Final[Mapping[str, str]] = {
    "0": "### #.# #.# #.# ###",
    "1": ".#. ##. .#. .#. ###",
    "2": "### ..# ### #.. ###",
    "3": "### ..# .## ..# ###",
    "4": "#.# #.# ### ..# ..#",
    "5": "### #.. ### ..# ###",
    "6": "### #.. ### #.# ###",
    "7": "### ..# ..# .#. .#.",
    "8": "### #.# ### #.# ###",
    "9": "### #.# ### ..# ###",
    ".": ". . . . #",
    ",": "... ... ... .#. #..",
    "-": "... ... ### ... ...",
    "−": "... ... ### ... ...",
    " ": ".. .. .. .. ..",
}

_FONTS = (_TALL, _SHORT)


def big_lines(text: str, width: int, height: int) -> tuple[str, ...]:
    """Return a text drawn as large as a number of columns and rows allows.

    Args:
        text: One line of figures, capital letters and the signs of states.
        width: Columns there are.
        height: Rows there are.

    Returns:
        Rows of equal width; none where the text does not fit even at its smallest, or has a
        character that is not drawn.
    """
    best: tuple[str, ...] = ()
    for font in _FONTS:
        if not text or not set(text) <= font.keys():
            continue
        for scale in range(1, _LARGEST + 1):
            lines = _drawn(text, _FONTS.index(font), scale)
            if len(lines) > height or len(lines[0]) > width:
                break
            if len(lines) > len(best):
                best = lines
    return best


@lru_cache(maxsize=64)
def _drawn(text: str, font: int, scale: int) -> tuple[str, ...]:
    """Return a text in one of the fonts, each dot as many columns and half rows as ``scale``."""
    dots = _dots(text, _FONTS[font])
    wide = ["".join(dot * scale for dot in row) for row in dots for _ in range(scale)]
    if len(wide) % 2:
        wide.append("." * len(wide[0]))
    return tuple(
        "".join(
            _HALVES[2 * (upper == "#") + (lower == "#")]
            for upper, lower in zip(above, below, strict=True)
        )
        for above, below in zip(wide[::2], wide[1::2], strict=True)
    )


def _dots(text: str, font: Mapping[str, str]) -> Sequence[str]:
    """Return the rows of dots of a text, a column of blank between two characters."""
    drawn = [font[character].split(" ") for character in text]
    return [".".join(rows) for rows in zip(*drawn, strict=True)]
