"""Rates in words: a decimal that says when it is cut, and the exact fraction."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from opdash.openpayments.amounts import Asset, format_minor
from opdash.safetext import safe_text

_DIGITS: Final = 6
_MOST_DIGITS: Final = 24
_CODE: Final = 12


def per_unit(rate: Fraction, debit: Asset, receive: Asset) -> Fraction:
    """Return what one whole unit debited brings, in whole units.

    Args:
        rate: Minor units received per minor unit debited.
        debit: What is debited.
        receive: What is received.
    """
    return rate * Fraction(10**debit.scale, 10**receive.scale)


def rate_text(rate: Fraction, debit: Asset, receive: Asset) -> str:
    """Write what one unit debited brings, such as ``1 USD = 0.917 EUR``; ``≈`` where it is cut.

    A small rate gets as many more digits as it needs to have six that count.
    """
    exact = per_unit(rate, debit, receive)
    digits = _DIGITS
    while exact and exact * 10**digits < 10 ** (_DIGITS - 1) and digits < _MOST_DIGITS:
        digits += 1
    scaled = exact * 10**digits
    text = format_minor(scaled.numerator // scaled.denominator, digits, grouped=True)
    if scaled.denominator == 1:
        text = text.rstrip("0").rstrip(".")
    sign = "=" if scaled.denominator == 1 else "≈"
    return f"1 {_code(debit)} {sign} {text} {_code(receive)}"


def exact_rate(rate: Fraction, debit: Asset, receive: Asset) -> str:
    """Write the rate as a fraction, ``44/49 EUR per USD``; empty where it is a whole number."""
    exact = per_unit(rate, debit, receive)
    if exact.denominator == 1:
        return ""
    return f"{exact.numerator}/{exact.denominator} {_code(receive)} per {_code(debit)}"


def _code(asset: Asset) -> str:
    return safe_text(asset.code, limit=_CODE)
