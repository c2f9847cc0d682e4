"""What entries of a time line carry as text, read back."""

from __future__ import annotations

from datetime import datetime

from opdash.openpayments.amounts import Amount


def former_amount(text: str) -> Amount | None:
    """Return the amount that was asked for before, or None where none was.

    Args:
        text: The text of an entry that the amount asked for has changed.
    """
    value, _, rest = text.partition(" ")
    code, _, scale = rest.rpartition(" ")
    if not (value.isdecimal() and value.isascii() and scale.isdecimal() and scale.isascii()):
        return None
    return Amount(value, code, int(scale))


def former_instant(text: str) -> datetime | None:
    """Return the expiry of before, or None where there was none, or where it cannot be read.

    Args:
        text: The text of an entry that the expiry has changed.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
