"""A column of amounts aligned at the decimal point, whatever their size and scale.

A figure that does not fit is never shortened silently: decimals that were cut are followed by
``…``, and a whole part that is too long is written as a power of ten, ``1.8446…×10¹⁷``. Decimals
beyond the second that are zero in every amount take no room.
"""

from __future__ import annotations

import msgspec

from opdash.openpayments.amounts import MINUS, Asset, format_minor
from opdash.safetext import ELLIPSIS, safe_text

NARROWEST = 9
"""Cells that an amount column always has."""

WIDEST = 30
"""Cells that it never exceeds: enough for 2^64−1 at scale 2 or 9."""

USUAL = 13
"""Cells that it takes at the most where the screen is narrow."""

_ALWAYS = 2
"""Decimals that are shown even where they are zero."""

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class AmountWidths:
    """How wide the amounts seen so far are; it only grows, so that columns do not jump about.

    Attributes:
        asset: What they count.
        version: Another number whenever an amount was wider than those before.
    """

    def __init__(self, asset: Asset) -> None:
        self.asset = asset
        self.version = 0
        self._whole = 1
        self._usual_whole = 1
        self._decimals = min(asset.scale, _ALWAYS)

    def take(self, minor_units: int) -> None:
        """Take note of an amount."""
        whole, decimals = _measure(minor_units, self.asset.scale)
        if whole <= self._usual_whole and decimals <= self._decimals:
            return
        before = (self._whole, self._decimals, self._usual_whole)
        self._whole = max(self._whole, whole)
        self._decimals = max(self._decimals, decimals)
        if whole + 1 + min(self.asset.scale, _ALWAYS) <= USUAL:
            self._usual_whole = max(self._usual_whole, whole)
        if (self._whole, self._decimals, self._usual_whole) != before:
            self.version += 1

    @property
    def full(self) -> int:
        """Cells of a column in which every amount can be written in full, up to `WIDEST`."""
        return max(NARROWEST, min(_cells(self._whole, self._decimals), WIDEST))

    @property
    def usual(self) -> int:
        """Cells of a column for a narrow screen."""
        return max(NARROWEST, min(_cells(self._usual_whole, self._decimals), USUAL))

    def column(self, width: int) -> AmountColumn:
        """Return a column of that width for the amounts seen so far.

        Two decimals stay readable: a rare huge amount becomes a power of ten rather than hiding
        the decimals of all others.
        """
        if _cells(self._whole, self._decimals) <= width:
            return AmountColumn(self.asset, width, self._decimals, hides=False)
        least = min(self.asset.scale, _ALWAYS)
        if self._decimals == least or _cells(self._usual_whole, self._decimals) <= width:
            return AmountColumn(self.asset, width, self._decimals, hides=False)
        decimals = min(self._decimals, max(width - self._usual_whole - 2, least))
        return AmountColumn(self.asset, width, decimals, hides=True)


class AmountColumn(msgspec.Struct, frozen=True):
    """How the amounts of one asset are written in a column.

    Attributes:
        asset: What the column counts.
        width: Cells of the column.
        decimals: How many decimals are shown.
        hides: Whether there may be others; then a cell is kept for the sign that says so.
    """

    asset: Asset
    width: int
    decimals: int
    hides: bool

    def cell(self, minor_units: int | None, asset: Asset | None) -> str:
        """Write one amount, exactly as wide as the column; None is blank."""
        if minor_units is None or asset is None:
            return " " * self.width
        if asset != self.asset:
            return self._foreign(minor_units, asset)
        text = format_minor(minor_units, asset.scale, grouped=True)
        whole, point, fraction = text.partition(".")
        rest = fraction[self.decimals :].strip("0")
        end = "" if not self.hides else ELLIPSIS if rest else " "
        shown = f"{whole}{point}{fraction[: self.decimals]}{end}"
        if len(shown) > self.width or (rest and not self.hides):
            return power_of_ten(minor_units, asset.scale, self.width).rjust(self.width)
        return shown.rjust(self.width)

    def signed(self, minor_units: int | None, asset: Asset | None) -> str:
        """Write a difference in one cell more than the column has, for its sign."""
        text = self.cell(None if minor_units is None else abs(minor_units), asset)
        if minor_units is None or minor_units >= 0:
            return f" {text}"
        return f"{MINUS}{text.lstrip()}".rjust(self.width + 1)

    def _foreign(self, minor_units: int, asset: Asset) -> str:
        code = safe_text(asset.code, limit=5)
        room = self.width - len(code) - 1
        text = format_minor(minor_units, asset.scale, grouped=True)
        if len(text) > room:
            text = power_of_ten(minor_units, asset.scale, room)
        if len(text) > room:
            text = ELLIPSIS
        return f"{text} {code}".rjust(self.width)[-self.width :]


def _measure(minor_units: int, scale: int) -> tuple[int, int]:
    """Return the cells of the whole part, separators included, and the decimals that count."""
    digits = str(minor_units)
    whole = max(len(digits) - scale, 1)
    zeros = scale if minor_units == 0 else len(digits) - len(digits.rstrip("0"))
    return whole + (whole - 1) // 3, max(scale - zeros, 0)


def _cells(whole: int, decimals: int) -> int:
    return whole + 1 + decimals if decimals else whole


def power_of_ten(minor_units: int, scale: int, width: int) -> str:
    """Write an amount by its first digits and its size: ``1.8446…×10¹⁷``.

    Args:
        minor_units: Zero or more.
        scale: Decimal places.
        width: The most cells to take, as far as that is possible.
    """
    digits = str(minor_units)
    exponent = len(digits) - 1 - scale if minor_units else 0
    sign = "⁻" if exponent < 0 else ""
    tail = f"×10{sign}{str(abs(exponent)).translate(_SUPERSCRIPTS)}"
    room = max(width - len(tail) - 2, 0)
    mantissa = digits[1:].rstrip("0")
    if len(mantissa) > room:
        mantissa = mantissa[: max(room - 1, 0)] + ELLIPSIS
    return f"{digits[0]}.{mantissa}{tail}" if mantissa else f"{digits[0]}{tail}"
