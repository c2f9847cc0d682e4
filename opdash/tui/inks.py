"""What a piece of text may look like: tones made of the theme's colours.

Lines and tables name a tone for each piece. The colours come straight from the theme; as component
classes of the style sheets they would be matched against every rule, for every line, before the
first frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import msgspec
from rich.style import Style
from textual.app import App


class Ink(msgspec.Struct, frozen=True):
    """A tone.

    Attributes:
        colour: The theme's name of its colour; empty for the colour of what is around.
        bold: Whether it is set off by weight too.
    """

    colour: str = ""
    bold: bool = False


LINE_INKS: Final[Mapping[str, Ink]] = MappingProxyType(
    {
        "plain": Ink(),
        "muted": Ink("muted"),
        "strong": Ink(bold=True),
        "accent": Ink("primary"),
        "good": Ink("good"),
        "attention": Ink("attention", bold=True),
        "bad": Ink("bad", bold=True),
        "key": Ink("primary", bold=True),
        "off": Ink("line-strong"),
    }
)
"""The tones of a `Line`: few words, so what matters is bold."""

TABLE_INKS: Final[Mapping[str, Ink]] = MappingProxyType(
    {
        "plain": Ink(),
        "muted": Ink("muted"),
        "accent": Ink("primary"),
        "good": Ink("good"),
        "attention": Ink("attention"),
        "bad": Ink("bad"),
        "heading": Ink("muted"),
        "heading-sorted": Ink("foreground"),
    }
)
"""The tones in a table."""

GROUNDS: Final[Mapping[str, str]] = MappingProxyType(
    {"cursor": "cursor-row", "cursor-blurred": "cursor-row-blurred"}
)
"""The theme's names of what lies below a row; any other row lies on what is around."""


def style_of(app: App[Any], ink: Ink) -> Style:
    """Return a tone in the colours of the app's theme, to be added to what is around."""
    return _made(app.theme_variables[ink.colour] if ink.colour else None, None, ink.bold or None)


def ground_of(app: App[Any], row: str) -> Style:
    """Return what lies below a row, to be added to what is around."""
    name = GROUNDS.get(row)
    return _made(None, app.theme_variables[name] if name else None, None)


@lru_cache(maxsize=64)
def _made(colour: str | None, ground: str | None, bold: bool | None) -> Style:
    return Style(color=colour, bgcolor=ground, bold=bold)
