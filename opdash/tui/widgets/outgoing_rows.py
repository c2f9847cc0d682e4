"""Outgoing payments as the lines of a list; pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.cells import cell_len, set_cell_size

from opdash.ledger.outgoing import (
    OUTGOING_GLYPHS,
    OutgoingState,
    OutgoingVerdict,
    SeenOutgoing,
    is_settled,
    judge,
)
from opdash.ledger.records import PaymentRow
from opdash.openpayments.amounts import Amount
from opdash.tui import format as fmt
from opdash.tui.widgets.line import Span
from opdash.tui.widgets.line_list import LineEntry

OUTGOING_TONES = {
    OutgoingState.SENDING: "accent",
    OutgoingState.SENT: "good",
    OutgoingState.FAILED: "bad",
    OutgoingState.FAILED_PARTIAL: "bad",
}
"""What the colour of a state says; the word and the sign say the same."""

_STATE = 16
_CREATED = 12
_GAP = "  "
_LEAST = 6

Receivers = Mapping[str, PaymentRow]
"""Incoming payments of one's own, by their URLs."""


def verdict_of(seen: SeenOutgoing, receivers: Receivers, now: datetime) -> OutgoingVerdict:
    """Return the state of an outgoing payment as far as the ledger tells.

    Args:
        seen: The payment.
        receivers: Those of one's own incoming payments that are known to be paid by some.
        now: The server's present instant, UTC.
    """
    receiver = receivers.get(seen.payment.receiver)
    return judge(
        seen.payment,
        now,
        sent_changed_at=seen.sent_changed_at,
        receiver_settled=None if receiver is None else is_settled(receiver, seen.payment),
    )


def outgoing_lines(
    rows: Sequence[SeenOutgoing], receivers: Receivers, now: datetime, width: int
) -> tuple[list[Span], list[LineEntry]]:
    """Return the names of the columns, and a line for each payment; no amount is ever cut.

    Args:
        rows: What to show.
        receivers: As for `verdict_of`.
        now: The server's present instant, UTC.
        width: Cells of the list, the cursor's two included.
    """
    amounts = [[_money(amount) for amount in _amounts(seen)] for seen in rows]
    names = ("DEBIT", "RECEIVE", "SENT")
    columns = [
        max(len(name), *(len(line[n]) for line in amounts)) if amounts else len(name)
        for n, name in enumerate(names)
    ]
    room = width - 2 - _STATE - len(_GAP) * 5 - _CREATED - sum(columns)
    heading = [Span("  "), Span(_fit("STATE", _STATE), "muted")]
    heading.append(Span(_GAP + _fit("CREATED", _CREATED), "muted"))
    heading += [
        Span(f"{_GAP}{name:>{column}}", "muted")
        for name, column in zip(names, columns, strict=True)
    ]
    if room >= _LEAST:
        heading.append(Span(_GAP + "PAYS", "muted"))
    entries = [
        LineEntry(seen.payment.id, tuple(_spans(seen, line, columns, receivers, now, max(room, 0))))
        for seen, line in zip(rows, amounts, strict=True)
    ]
    return heading, entries


def _spans(
    seen: SeenOutgoing,
    amounts: Sequence[str],
    columns: Sequence[int],
    receivers: Receivers,
    now: datetime,
    room: int,
) -> list[Span]:
    verdict = verdict_of(seen, receivers, now)
    state = f"{OUTGOING_GLYPHS[verdict.state]} {verdict.state.value}"
    state += "" if verdict.certain else "?"
    spans = [
        Span(_fit(state, _STATE), OUTGOING_TONES[verdict.state]),
        Span(_GAP + _fit(fmt.moment(seen.payment.created_at, now), _CREATED), "muted"),
    ]
    spans += [
        Span(f"{_GAP}{text:>{column}}") for text, column in zip(amounts, columns, strict=True)
    ]
    if room >= _LEAST:
        spans.append(_receiver(seen, receivers, room))
    return spans


def _receiver(seen: SeenOutgoing, receivers: Receivers, room: int) -> Span:
    """Return what is paid: one's own payment by its name, any other by its address."""
    own = receivers.get(seen.payment.receiver)
    if own is not None:
        return Span(_GAP + _fit(fmt.payment_name(own), room))
    return Span(_GAP + _fit(fmt.short_address(seen.payment.receiver), room), "muted")


def _amounts(seen: SeenOutgoing) -> tuple[Amount, Amount, Amount]:
    payment = seen.payment
    return payment.debit_amount, payment.receive_amount, payment.sent_amount


def _money(amount: Amount) -> str:
    return fmt.money(amount.minor_units, amount.asset)


def _fit(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)
