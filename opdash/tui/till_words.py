"""What the till says: how a sale stands, in a word to be read from afar, and what to do then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from opdash.ledger.records import ANOMALY_TEXT, PaymentRow
from opdash.ledger.states import State
from opdash.safetext import safe_text
from opdash.service.till import Sale, Standing, missing, standing
from opdash.tui import format as fmt

_BAR = "━"
_REST = "─"

_WORDS: Final[Mapping[Standing, tuple[str, ...]]] = MappingProxyType(
    {
        Standing.PAID: ("● PAID",),
        Standing.OVERPAID: ("◉ OVERPAID",),
        Standing.SHORT: ("▼ CLOSED", "SHORT"),
        Standing.CLOSED: ("□ CLOSED", "UNPAID"),
        Standing.EXPIRED_PART: ("▲ EXPIRED", "PARTIAL"),
        Standing.EXPIRED: ("✕ EXPIRED", "UNPAID"),
        Standing.STRANGE: ("! LOOK", "FIRST"),
    }
)


def big_words(row: PaymentRow) -> tuple[str, ...]:
    """Return how a sale ended, in words for the whole screen; none while it goes on."""
    star = "*" if row.not_completed_by_server else ""
    words = _WORDS.get(standing(row), ())
    return (*words[:-1], words[-1] + star) if words else ()


def advice(row: PaymentRow) -> str:
    """Return what a person does about a sale that ended as this one."""
    rest = fmt.money(missing(row), row.received_asset)
    match standing(row):
        case Standing.PAID:
            return (
                "All of it has arrived. The wallet has not closed the payment, which is usual "
                "for some; the money is there."
                if row.not_completed_by_server
                else "All of it has arrived. Hand over the goods."
            )
        case Standing.OVERPAID:
            over = fmt.money(row.difference or 0, row.received_asset)
            return (
                f"{over} too much have arrived; nothing goes back by itself. "
                "Settle it with the customer now: give change, or send it back from your wallet."
            )
        case Standing.SHORT | Standing.EXPIRED_PART:
            return (
                f"{rest} are missing, and nothing more can be paid here. F4 asks for the rest in "
                "a new sale; else give back what has arrived, and keep the goods."
            )
        case Standing.CLOSED | Standing.EXPIRED:
            return "Nothing was paid, and nothing can be paid here any more. F4 asks again."
        case Standing.STRANGE:
            return _strange(row)
        case _:
            return ""


def hint(row: PaymentRow, now: datetime) -> str:
    """Return what to know while a sale goes on."""
    match standing(row):
        case Standing.PART:
            return f"{fmt.money(missing(row), row.received_asset)} are missing."
        case Standing.ARRIVED:
            return "All of it has arrived. Wait for PAID: the wallet closes it in a moment."
        case Standing.ENDING if row.state is not State.EXPIRING:
            return (
                "The time is over, and the server has not answered since "
                f"{clock(row.last_seen_at, seconds=True)}: more may have arrived. Wait for it."
            )
        case Standing.ENDING:
            at = "" if row.next_change_at is None else f", for {left(row.next_change_at, now)} more"
            return f"The time is over. The server's last word is waited for{at}: wait."
        case _:
            return "Nothing has arrived yet."


def progress(row: PaymentRow, width: int) -> str:
    """Draw how much of what was asked has arrived; full only when all of it has."""
    asked = row.asked or 0
    done = width * min(row.received, asked) // asked if asked else 0
    if row.received and not done:
        done = 1
    return _BAR * done + _REST * (width - done)


def left(until: datetime, now: datetime) -> str:
    """Write the time that is left: ``9:41``, ``1:04:09``; never less than ``0:00``."""
    seconds = max(-((now - until) // timedelta(seconds=1)), 0)
    hours, rest = divmod(seconds, 3600)
    minutes = f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{minutes:0>5}" if hours else minutes


def clock(instant: datetime, *, seconds: bool = False) -> str:
    """Write an instant on this machine's clock: ``14:17``."""
    local = instant.astimezone()
    return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"


def sale_name(sale: Sale) -> str:
    """Return what a person calls a sale."""
    return safe_text(sale.reference, limit=40) or "no reference"


def sale_state(sale: Sale) -> str:
    """Return a sale's state by sign and word."""
    row = sale.payment
    if row is not None:
        return f"{fmt.glyph(row.state)} {fmt.state_word(row)}"
    return "? unknown, checking" if sale.is_unknown else "? not in the ledger"


def received_of(row: PaymentRow) -> str:
    """Write what has arrived of what was asked: ``3.00 of 12.50 USD``."""
    received = fmt.brief_number(row.received, row.received_asset)
    if row.asked is None or row.difference is None:
        return f"{received} {fmt.asset_code(row.received_asset)}"
    asked = fmt.brief_number(row.asked, row.received_asset)
    return f"{received} of {asked} {fmt.asset_code(row.received_asset)}"


def ended_sentence(row: PaymentRow, *, is_left: bool) -> tuple[bool, str]:
    """Return whether a sale ended well, and what became of it in a sentence."""
    name = f" · {safe_text(row.reference, limit=40)}" if row.reference.strip() else ""
    what = f"{received_of(row)}{name}"
    if is_left and row.expires_at is not None:
        return False, (
            f"Left to expire at {clock(row.expires_at)}: {what} had arrived. It can be paid until "
            "then; the list shows what becomes of it."
        )
    stands = standing(row)
    if stands is Standing.PAID:
        return True, f"Paid: {fmt.money(row.received, row.received_asset)}{name}."
    return False, f"{fmt.state_word(row)}: {what} arrived."


def _strange(row: PaymentRow) -> str:
    told = [ANOMALY_TEXT.get(code, safe_text(code, limit=60)) for code in row.anomalies]
    if row.state is State.UNAVAILABLE:
        told.append("the server no longer has the payment")
    reasons = "; ".join(told) or "the server contradicts itself"
    return (
        f"Something is wrong: {reasons}. Look into your wallet before you hand over the goods; "
        "opdash keeps what it was told."
    )
