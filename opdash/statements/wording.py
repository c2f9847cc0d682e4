"""How statements and receipts put amounts, instants and states into words.

Nothing here is safe to show by itself: the forms of a document see to that.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import Final

from opdash.ledger.notes import is_outdated
from opdash.ledger.records import ANOMALY_TEXT, PaymentRow, Scope
from opdash.ledger.states import GLYPHS, State
from opdash.openpayments.amounts import MINUS, Asset, format_minor
from opdash.safetext import safe_text

LONGEST: Final = 120
"""Characters of a remote text that a table shows."""

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_SCOPES: Final = {
    Scope.OWN: "payments that were created by opdash only",
    Scope.EVERYTHING: "everything on this wallet address",
}


def number(minor_units: int, asset: Asset) -> str:
    """Write an amount without its asset code."""
    return format_minor(minor_units, asset.scale, grouped=True, minus=MINUS)


def money(minor_units: int, asset: Asset) -> str:
    """Write an amount with its asset code."""
    return f"{number(minor_units, asset)} {code(asset)}"


def code(asset: Asset) -> str:
    """Return an asset's code, cut where it is no reasonable one."""
    return safe_text(asset.code, limit=12)


def counted(how_many: int, singular: str, plural: str = "") -> str:
    """Write ``1 payment``, ``5,000 payments``."""
    return f"{how_many:,} {singular if how_many == 1 else plural or singular + 's'}"


def long_day(day: date) -> str:
    """Write a day: ``14 November 2026``."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def month_words(day: date) -> str:
    """Write the month that a day lies in: ``November 2026``."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def weekday(day: date) -> str:
    """Write a day so that it lines up with others: ``Sat 14 Nov 2026``."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day:>2} {_MONTHS[day.month - 1][:3]} {day.year}"


def moment(instant: datetime, zone: tzinfo | None) -> str:
    """Write an instant in a time zone, to the minute: ``14 November 2026 15:07``."""
    local = instant.astimezone(zone)
    return f"{long_day(local.date())} {local:%H:%M}"


def short_moment(instant: datetime, zone: tzinfo | None) -> str:
    """Write the same in few cells: ``2026-11-14 15:07``."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"


def scope(seen: Scope) -> str:
    """Say which payments opdash sees."""
    return _SCOPES[seen]


def state(of: State) -> str:
    """Write a state as glyph and word."""
    return f"{GLYPHS[of]} {of.value}"


def cut(remote: str) -> str:
    """Return a remote text, cut where it is longer than a table can show."""
    return safe_text(remote, limit=LONGEST)


def last_segment(url: str) -> str:
    """Return the last segment of a payment's URL, its short name."""
    return url.rstrip("/").rpartition("/")[2]


def payment_name(reference: str, url: str) -> str:
    """Return what a person finds a payment by: its reference, else the beginning of its id."""
    return cut(reference) if reference.strip() else safe_text(last_segment(url), limit=14)


def matter(row: PaymentRow) -> str:
    """Say why a person should look at a payment, how they settled it, and what they noted."""
    note = row.note
    words = why_action(row)
    if note.settlement is not None:
        changed = " before it changed" if is_outdated(row) else ""
        words = f"{note.resolution.words}{changed}: {words}"
    text = cut(" ".join(note.text.split()))
    return f"{words}; note: {text}" if text else words


def why_action(row: PaymentRow) -> str:
    """Say why a person should look at a payment."""
    reasons: list[str] = []
    if row.state in (State.CLOSED_SHORT, State.EXPIRED_PARTIAL) and row.difference is not None:
        ended = "closed" if row.state is State.CLOSED_SHORT else "expired"
        reasons.append(f"{ended} with {money(-row.difference, row.received_asset)} missing")
    elif row.state is State.OVERPAID and row.difference is not None:
        reasons.append(f"{money(row.difference, row.received_asset)} too much")
    elif row.state is State.SETTLING:
        reasons.append("all is there, and the server has not completed it")
    elif row.state is State.UNAVAILABLE:
        reasons.append(
            f"no longer at the server; {money(row.received, row.received_asset)} had arrived"
        )
    reasons += [ANOMALY_TEXT.get(anomaly, anomaly) for anomaly in row.anomalies]
    return "; ".join(reasons) or row.state.value.lower()
