"""A column of amounts aligned at the decimal point, whatever their size and scale.

A figure that does not fit is never shortened silently: decimals that were cut are followed by
``…``, and a whole part that is too long is written as a power of ten, ``1.8446…×10¹⁷``.
"""

from __future__ import annotations

from dataclasses import dataclass

from opdash.openpayments.amounts import Asset, format_minor
from opdash.safetext import ELLIPSIS, safe_text

NARROWEST = 9
"""Cells that an amount column always has."""

WIDEST = 30
"""Cells that it never exceeds: enough for 2^64−1 at scale 2 or 9."""

USUAL = 13
"""Cells that it takes at the most where the screen is narrow."""

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class AmountColumn:
    """How the amounts of one asset are written in a column.

    Attributes:
        asset: What the column counts.
        width: Cells of the column.
        whole: Cells for the whole part, separators included.
    """

    asset: Asset
    width: int
    whole: int

    @classmethod
    def fit(cls, asset: Asset, width: int, whole: int) -> AmountColumn:
        """Return a column for whole parts of up to so many cells.

        Two decimals stay readable: a rare huge amount becomes a power of ten instead of hiding the
        decimals of all others.
        """
        kept = min(asset.scale, 2)
        tail = 0 if asset.scale == 0 else 1 + kept + (1 if asset.scale > kept else 0)
        return cls(asset, width, max(min(whole, width - tail), 1))

    @property
    def decimals(self) -> int:
        """How many decimals are shown; the rest, if it is not zero, is an ellipsis."""
        scale = self.asset.scale
        if self.whole + 1 + scale <= self.width:
            return scale
        return max(self.width - self.whole - 2, 0)

    def cell(self, minor_units: int | None, asset: Asset | None) -> str:
        """Write one amount, exactly as wide as the column; None is blank."""
        if minor_units is None or asset is None:
            return " " * self.width
        if asset != self.asset:
            return self._foreign(minor_units, asset)
        text = format_minor(minor_units, asset.scale, grouped=True)
        whole, point, fraction = text.partition(".")
        if len(whole) > self._room_for_whole:
            return power_of_ten(minor_units, asset.scale, self.width).rjust(self.width)
        shown = fraction[: self.decimals]
        rest = "" if self.decimals == asset.scale else _rest(fraction[self.decimals :])
        return f"{whole}{point}{shown}{rest}".rjust(self.width)

    @property
    def _room_for_whole(self) -> int:
        if self.asset.scale == 0:
            return self.width
        hidden = 1 if self.decimals < self.asset.scale else 0
        return self.width - 1 - self.decimals - hidden

    def _foreign(self, minor_units: int, asset: Asset) -> str:
        code = safe_text(asset.code, limit=5)
        room = self.width - len(code) - 1
        text = format_minor(minor_units, asset.scale, grouped=True)
        if len(text) > room:
            text = power_of_ten(minor_units, asset.scale, room) if room >= 8 else ELLIPSIS
        return f"{text} {code}".rjust(self.width)[-self.width :]


def _rest(fraction: str) -> str:
    return ELLIPSIS if fraction.strip("0") else " "


def whole_width(minor_units: int, scale: int) -> int:
    """Return how many cells the whole part of an amount takes, separators included."""
    digits = max(len(str(minor_units)) - scale, 1)
    return digits + (digits - 1) // 3


class AmountWidths:
    """How wide the amounts seen so far are; it only grows, so that columns do not jump about.

    Attributes:
        whole: Cells of the longest whole part.
    """

    def __init__(self, scale: int) -> None:
        self.whole = 1
        self._scale = scale
        self._usual = 1

    def take(self, minor_units: int) -> None:
        """Take note of an amount."""
        cells = whole_width(minor_units, self._scale)
        self.whole = max(self.whole, cells)
        if self._cells(cells) <= USUAL:
            self._usual = max(self._usual, cells)

    @property
    def full(self) -> int:
        """Cells of a column in which every amount can be written in full."""
        return max(NARROWEST, min(self._cells(self.whole), WIDEST))

    @property
    def usual(self) -> int:
        """Cells of a column for a narrow screen."""
        return max(NARROWEST, min(self._cells(self._usual), USUAL))

    def _cells(self, whole: int) -> int:
        return whole + 1 + self._scale if self._scale else whole


def power_of_ten(minor_units: int, scale: int, width: int) -> str:
    """Write an amount by its first digits and its size: ``1.8446…×10¹⁷``.

    Args:
        minor_units: Zero or more.
        scale: Decimal places.
        width: The most cells to take; at least 8.
    """
    digits = str(minor_units)
    exponent = len(digits) - 1 - scale
    sign = "⁻" if exponent < 0 else ""
    tail = f"×10{sign}{str(abs(exponent)).translate(_SUPERSCRIPTS)}"
    room = max(width - len(tail) - 2, 0)
    mantissa = digits[1:].rstrip("0")
    if len(mantissa) > room:
        mantissa = mantissa[: max(room - 1, 0)] + ELLIPSIS
    return f"{digits[0]}.{mantissa}{tail}" if mantissa else f"{digits[0]}{tail}"
