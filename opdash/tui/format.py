"""How figures, instants, addresses and states are written on the screen.

Pure functions from records to safe text; nothing here knows a widget.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from opdash.ledger.records import PaymentRow
from opdash.ledger.states import GLYPHS, State
from opdash.openpayments.amounts import MINUS, Asset, format_minor
from opdash.safetext import safe_text

Tone: TypeAlias = Literal["plain", "muted", "accent", "good", "attention", "bad"]
"""What a colour means; it always goes with a word or a glyph that says the same."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BARS = "▁▂▃▄▅▆▇█"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

_TONES: dict[State, Tone] = {
    State.PAID: "good",
    State.RECEIVED: "good",
    State.PARTIAL: "accent",
    State.SETTLING: "accent",
    State.RECEIVING: "accent",
    State.UNPAID: "plain",
    State.OPEN: "plain",
    State.ANOMALY: "bad",
}


def state_tone(row: PaymentRow) -> Tone:
    """Return what the colour of a payment's state says: what needs a person stands out."""
    if (row.state is State.ANOMALY or row.anomalies) and (row.needs_action or not row.note.bits):
        return "bad"
    if row.needs_action:
        return "attention"
    return _TONES.get(row.state, "muted")


def glyph(state: State) -> str:
    """Return a state's sign, one cell wide."""
    return GLYPHS[state]


def state_word(row: PaymentRow) -> str:
    """Return a state's word; ``*`` says that the server has not completed it."""
    return f"{row.state.value}*" if row.not_completed_by_server else row.state.value


def money(minor_units: int, asset: Asset) -> str:
    """Write an amount with its asset code, exactly: ``1,204.50 USD``, ``−130.00 USD``."""
    return f"{number(minor_units, asset.scale)} {asset_code(asset)}"


def number(minor_units: int, scale: int) -> str:
    """Write minor units as a grouped decimal number, exactly."""
    return format_minor(minor_units, scale, grouped=True, minus=MINUS)


def brief_number(minor_units: int, asset: Asset) -> str:
    """Write minor units exactly, without the zeros that a fine scale ends in: ``4.80``."""
    text = number(minor_units, asset.scale)
    if asset.scale <= 2:
        return text
    end = len(text) - asset.scale + 2
    return text[:end] + text[end:].rstrip("0")


def asset_code(asset: Asset) -> str:
    """Return an asset's code, safe to show."""
    return safe_text(asset.code, limit=12)


def age(span: timedelta) -> str:
    """Write how long something is: ``30 s``, ``12 min``, ``5 h``, ``2 d``; never rounded up."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h"
    return f"{seconds // _DAY} d"


def relative(instant: datetime, now: datetime) -> str:
    """Write an instant as seen from now: ``in 2 d``, ``3 s ago``, ``now``."""
    if instant > now:
        return f"in {age(instant - now)}" if instant - now >= timedelta(seconds=1) else "now"
    return f"{age(now - instant)} ago" if now - instant >= timedelta(seconds=1) else "now"


def relative_short(instant: datetime, now: datetime) -> str:
    """Write the same in fewer cells: ``59m ago``, ``in 12m``."""
    return relative(instant, now).replace(" min", "m").replace(" h", "h").replace(" d", "d")


def moment(instant: datetime, now: datetime) -> str:
    """Write an instant on this machine's clock: ``today 14:02``, ``14 Nov 14:02``, ``14 Nov 2025``.

    Twelve cells at most.
    """
    local, today = instant.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"today {local:%H:%M}"
    if local.year == today.year:
        return f"{day(local)} {local:%H:%M}"
    return f"{day(local)} {local.year}"


def moment_short(instant: datetime, now: datetime) -> str:
    """Write the same in six cells, or in eleven for another year: ``14:02``, ``14 Nov``."""
    local, today = instant.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return day(local) if local.year == today.year else f"{day(local)} {local.year}"


def instant_long(instant: datetime) -> str:
    """Write an instant in full on this machine's clock: ``22 Nov 2026 14:02:09``."""
    local = instant.astimezone()
    return f"{day(local)} {local.year} {local:%H:%M:%S}"


def day(local: datetime) -> str:
    """Write a local day: ``14 Nov``."""
    return f"{local.day} {_MONTHS[local.month - 1]}"


def day_word(on: date, now: datetime) -> str:
    """Write a local day: ``today``, ``14 Nov``, ``14 Nov 2025``."""
    today = now.astimezone().date()
    if on == today:
        return "today"
    short = f"{on.day} {_MONTHS[on.month - 1]}"
    return short if on.year == today.year else f"{short} {on.year}"


def short_address(url: str) -> str:
    """Return an address without what every address has: ``ilp.example/rosa``."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return safe_text(f"{parts.netloc}{path}" if parts.netloc else url)


def payment_name(row: PaymentRow) -> str:
    """Return what a person calls a payment: its reference, else description, else its id's end."""
    for text in (row.reference, row.description):
        if text.strip():
            return safe_text(text, limit=40)
    return f"…{safe_text(row.id.rstrip('/').rsplit('/', 1)[-1])[-8:]}"


def sparkline(values: Sequence[int]) -> str:
    """Draw whole numbers as bars of eight heights; only nothing has the lowest.

    Args:
        values: Numbers from zero upwards, of any size.
    """
    highest = max(values, default=0)
    if highest <= 0:
        return _BARS[0] * len(values)
    steps = len(_BARS) - 1
    return "".join(
        _BARS[1 + (value * steps - 1) // highest] if value > 0 else _BARS[0] for value in values
    )


def count(number_of: int, singular: str, plural: str = "") -> str:
    """Write ``1 payment``, ``5,000 payments``."""
    return f"{number_of:,} {singular if number_of == 1 else plural or singular + 's'}"
