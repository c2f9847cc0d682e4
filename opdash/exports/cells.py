"""Instants, days and amounts as texts, quickly: a table of payments has millions of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from opdash.ledger.encoding import NEVER, decode_instant
from opdash.periods import local_date

_SECOND: Final = 1_000_000
_DAY: Final = 86_400
_QUARTER: Final = 900 * _SECOND
_MOST_KEPT: Final = 512
_MINUTES: Final = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
_SECONDS: Final = tuple(f"{second:02}Z" for second in range(60))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MODERN: Final = 63_072_000 * _SECOND
"""From 1972 on, all zones are whole quarters of an hour away from UTC."""


class Instants:
    """Writes instants in RFC 3339 and UTC, and days of a time zone.

    Args:
        zone: Where days begin at midnight; None for this machine's zone.
    """

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._days: dict[int, str] = {}
        self._quarters: dict[int, str] = {}

    def text(self, microseconds: int | None) -> str:
        """Return an instant as the ledger keeps it, such as ``2026-10-05T12:00:00Z``.

        Fractions of a second are there where it has any; no instant is an empty text.
        """
        if microseconds is None or microseconds == NEVER:
            return ""
        seconds, fraction = divmod(microseconds, _SECOND)
        day, second = divmod(seconds, _DAY)
        date = self._days.get(day) or self._new_day(day)
        if date == "?":
            return decode_instant(microseconds).isoformat().replace("+00:00", "Z")
        minute, second = divmod(second, 60)
        if fraction:
            return f"{date}{_MINUTES[minute]}{second:02}.{fraction:06}".rstrip("0") + "Z"
        return date + _MINUTES[minute] + _SECONDS[second]

    def day(self, microseconds: int) -> str:
        """Return the day of an instant in the zone, such as ``2026-10-05``."""
        quarter = microseconds // _QUARTER
        return self._quarters.get(quarter) or self._new_quarter(microseconds, quarter)

    def _new_day(self, day: int) -> str:
        try:
            text = (_EPOCH + timedelta(days=day)).date().isoformat()
        except OverflowError:
            return "?"
        _keep(self._days, day, text)
        return text

    def _new_quarter(self, microseconds: int, quarter: int) -> str:
        text = local_date(decode_instant(microseconds), self._zone).isoformat()
        if microseconds > _MODERN:
            _keep(self._quarters, quarter, text)
        return text


def decimal(digits: str, scale: int) -> str:
    """Return minor units, written in digits, as a decimal number: ``1250`` at scale 2 is 12.50."""
    if not scale:
        return digits
    if len(digits) > scale:
        return f"{digits[:-scale]}.{digits[-scale:]}"
    return f"0.{digits.rjust(scale, '0')}"


def signed_decimal(minor_units: int, scale: int) -> str:
    """Return minor units as a decimal number."""
    if minor_units < 0:
        return "-" + decimal(str(-minor_units), scale)
    return decimal(str(minor_units), scale)


def _keep(kept: dict[int, str], key: int, text: str) -> None:
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = text
