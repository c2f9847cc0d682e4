"""Amounts as people write them in files: decimal comma or point, groups, currency signs.

What ``1,234`` means cannot be told from itself. So a whole column is looked at: a mark is taken for
the decimal mark only if every amount of the column makes sense that way, and where both ways make
sense and differ, nobody guesses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from opdash.errors import InputError
from opdash.safetext import safe_text

_SIGNS: Final = "€$£¥₹₽₩₺₴฿₿"
_BLANKS: Final = " \u00a0\u2007\u2009\u202f"
_GROUPS: Final = {".": f",'’{_BLANKS}", ",": f".'’{_BLANKS}"}
_LONGEST: Final = 60


class DecimalMark(StrEnum):
    """What parts whole units from fractions."""

    POINT = "."
    COMMA = ","


class DecimalError(InputError):
    """An amount cannot be read; the sentence is the rest of “row 3, column Amount: …”."""


def _pattern(mark: DecimalMark) -> re.Pattern[str]:
    groups = "|".join(rf"[0-9]{{1,3}}(?:{re.escape(one)}[0-9]{{3}})+" for one in _GROUPS[mark])
    return re.compile(rf"({groups}|[0-9]*)(?:{re.escape(mark)}([0-9]*))?")


_PATTERNS: Final = {mark: _pattern(mark) for mark in DecimalMark}
_NOT_A_DIGIT: Final = re.compile(r"[^0-9]")


def parse_written(text: str, scale: int | None, mark: DecimalMark, code: str = "") -> int:
    """Read an amount as written into minor units, exactly.

    Args:
        text: For example ``1.234,56``, ``$ 1,204.50`` or ``12 EUR``.
        scale: Decimal places of the asset; None to take as many as are written.
        mark: The decimal mark.
        code: The currency code that may stand before or behind.

    Raises:
        DecimalError: It is no amount greater than zero, or has more decimals than the asset.
    """
    typed = _bare(text, code)
    shown = safe_text(text, limit=24)
    if not typed:
        raise DecimalError("the amount is empty.")
    if typed[0] in "-\u2212(" or typed[-1] == "-":
        raise DecimalError(f"“{shown}” is negative; credit notes cannot be reconciled.")
    match = _PATTERNS[mark].fullmatch(typed) if len(typed) <= _LONGEST else None
    if match is None or not (match[1] or match[2]):
        raise DecimalError(f"“{shown}” is no amount.")
    whole, fraction = _NOT_A_DIGIT.sub("", match[1]), match[2] or ""
    places = len(fraction) if scale is None else scale
    if len(fraction.rstrip("0")) > places:
        raise DecimalError(f"“{shown}” has more than {places} decimal places.")
    minor_units = int(whole + fraction[:places].ljust(places, "0") or "0")
    if minor_units == 0:
        raise DecimalError(f"“{shown}” is zero.")
    return minor_units


def decimals_written(text: str, mark: DecimalMark) -> int:
    """Return how many decimal places an amount is written with."""
    _, found, fraction = text.rpartition(mark)
    return sum(letter.isdigit() for letter in fraction) if found else 0


def guess_mark(amounts: Iterable[tuple[str, int | None, str]]) -> Sequence[DecimalMark]:
    """Return the decimal marks with which all amounts of a column make sense.

    Args:
        amounts: Text, scale and currency code of each row.

    Returns:
        One mark; both where they read every amount differently or neither reads all, with the one
        that reads more first. Where both read every amount alike, the point alone.
    """
    read = dict.fromkeys(DecimalMark, 0)
    differ = False
    for text, scale, code in amounts:
        if text.isdecimal():
            continue
        values = {mark: _or_none(text, scale, mark, code) for mark in DecimalMark}
        for mark, value in values.items():
            read[mark] += value is not None
        differ |= values[DecimalMark.POINT] != values[DecimalMark.COMMA]
    if not differ:
        return (DecimalMark.POINT,)
    best = sorted(DecimalMark, key=lambda mark: -read[mark])
    is_plain = read[best[0]] > read[best[1]]
    return best[:1] if is_plain else best


def _or_none(text: str, scale: int | None, mark: DecimalMark, code: str) -> int | None:
    try:
        return parse_written(text, scale, mark, code)
    except DecimalError:
        return None


def _bare(text: str, code: str) -> str:
    bare = text.strip(_BLANKS + "\t")
    folded, sign = bare.casefold(), code.casefold()
    if sign and folded.startswith(sign):
        bare = bare[len(sign) :]
    elif sign and folded.endswith(sign):
        bare = bare[: -len(sign)]
    return bare.strip(_BLANKS + _SIGNS + "\t")
