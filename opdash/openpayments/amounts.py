"""Amounts: an integer of minor units, an asset code and a scale. No float comes near them."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from opdash.errors import InputError
from opdash.safetext import safe_text

MAX_VALUE = 2**64 - 1
"""The largest value the protocol can carry (a uint64)."""

MAX_CREATE_VALUE = 2**63 - 1
"""The largest value that real servers store; more ends as an error 500 there."""

MINUS = "\u2212"
"""The minus sign shown to people, as wide as a digit."""

_PLAIN_DECIMAL = r"([0-9]*)(?:\.([0-9]*))?"
_DECIMAL_COMMA = r"^([0-9]*),([0-9]{1,2})$"


class AmountError(InputError):
    """A typed amount cannot be used; the sentence says why."""


class Asset(msgspec.Struct, frozen=True, gc=False):
    """What a wallet address holds.

    Attributes:
        code: The asset code, as sent; usually ISO 4217.
        scale: How many decimal places one unit has, 0 to 255.
    """

    code: str
    scale: int


class Amount(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An amount as Open Payments carries it (specification 1.3.0, schema ``amount``).

    Attributes:
        value: Minor units, a decimal uint64 as text, as sent.
        asset_code: The asset code, as sent.
        asset_scale: Decimal places of one unit, 0 to 255.
    """

    value: str
    asset_code: str
    asset_scale: Annotated[int, msgspec.Meta(ge=0, le=255)]

    @property
    def minor_units(self) -> int:
        """The value as an integer of minor units."""
        return int(self.value)

    @property
    def asset(self) -> Asset:
        """The asset that the value counts."""
        return Asset(self.asset_code, self.asset_scale)

    @classmethod
    def of(cls, minor_units: int, asset: Asset) -> Amount:
        """Return the amount of so many minor units of an asset.

        Raises:
            AmountError: The number is negative or does not fit a uint64.
        """
        if not 0 <= minor_units <= MAX_VALUE:
            raise AmountError(
                "The amount does not fit: it must be between 0 and 2^64−1 minor units."
            )
        return cls(str(minor_units), asset.code, asset.scale)


def format_minor(minor_units: int, scale: int, *, grouped: bool = False, minus: str = "-") -> str:
    """Write minor units as a decimal number, exactly.

    Args:
        minor_units: Any integer; totals may exceed a uint64 and differences may be negative.
        scale: Decimal places, 0 to 255.
        grouped: Whether to part thousands with a comma, as shown to people.
        minus: The sign of a negative number.

    Returns:
        For example ``1,204.50`` for 120450 at scale 2, or ``500`` at scale 0.
    """
    digits = str(abs(minor_units)).rjust(scale + 1, "0")
    whole, fraction = (digits[:-scale], digits[-scale:]) if scale else (digits, "")
    if grouped and len(whole) > 3:
        whole = f"{int(whole):,}"
    sign = minus if minor_units < 0 else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def format_amount(amount: Amount, *, grouped: bool = True) -> str:
    """Write an amount with its asset code, for example ``1,204.50 USD``, safe to show."""
    number = format_minor(amount.minor_units, amount.asset_scale, grouped=grouped)
    return f"{number} {safe_text(amount.asset_code, limit=12)}"


def parse_minor(text: str, scale: int, *, maximum: int = MAX_VALUE) -> int:
    """Read a typed decimal number into minor units, exactly.

    Accepts digits with at most one ``.``, or one ``,`` with one or two digits after it; no sign,
    exponent, grouping or other comma, because each of those has two readings somewhere.

    Args:
        text: What a person typed; blanks around it are ignored.
        scale: Decimal places of the asset, 0 to 255.
        maximum: The largest number of minor units to accept.

    Raises:
        AmountError: The text is no such number, has too many decimals, or is too large.
    """
    typed = text.strip()
    if not typed:
        raise AmountError("The amount is empty.", "Type a number such as 12.50.")
    if typed[0] in "-\u2212":
        raise AmountError("An amount cannot be negative.", "Type a number greater than zero.")
    match = re.fullmatch(_PLAIN_DECIMAL, re.sub(_DECIMAL_COMMA, r"\1.\2", typed, flags=re.ASCII))
    if match is None or not (match[1] or match[2]):
        raise AmountError(_why_not_a_number(typed), _example(scale))
    fraction = match[2] or ""
    if len(fraction) > scale:
        raise AmountError(_too_many_decimals(scale), _example(scale))
    whole = match[1].lstrip("0")
    if len(whole) + scale > 400:
        raise AmountError("The amount is too large.")
    minor_units = int((whole + fraction.ljust(scale, "0")) or "0")
    if minor_units > maximum:
        largest = format_minor(maximum, scale)
        raise AmountError(
            "The amount is too large.", f"The most that can be asked for is {largest}."
        )
    return minor_units


def _why_not_a_number(typed: str) -> str:
    shown = safe_text(typed, limit=24)
    if "," in typed:
        return f"“{shown}” can be read in two ways; leave out grouping, and write cents after “.”."
    return f"“{shown}” is not a number."


def _too_many_decimals(scale: int) -> str:
    if scale == 0:
        return "This asset has no decimals."
    places = "place" if scale == 1 else "places"
    return f"This asset has {scale} decimal {places}, and the amount has more."


def _example(scale: int) -> str:
    return f"Type a number such as {format_minor(1250 * 10 ** max(scale - 2, 0), scale)}."
