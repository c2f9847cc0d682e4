"""What people wrote on a payment, as it is shown: in the details, and as a sign in the table."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from opdash.ledger.notes import is_outdated, why_outdated
from opdash.ledger.records import PaymentRow
from opdash.safetext import safe_text
from opdash.tui.format import moment, relative

_PANE_LINES = 4


def note_facts(
    payment: PaymentRow, now: datetime, *, whole: bool
) -> list[tuple[str, Content | str]]:
    """Return labels, note and resolution; nothing where there are none.

    Args:
        payment: As the ledger knows it.
        now: The server's present instant, UTC.
        whole: Whether there is room for all lines of the note.
    """
    note = payment.note
    said: list[tuple[str, Content | str]] = []
    if note.labels:
        names = (Content.styled(safe_text(name), "$accent") for name in note.names)
        said.append(("labels", Content("  ").join(names)))
    lines = note.text.split("\n") if note.text else []
    shown = lines if whole or len(lines) <= _PANE_LINES else lines[: _PANE_LINES - 1]
    said += [("" if number else "note", safe_text(line)) for number, line in enumerate(shown)]
    if len(shown) < len(lines):
        said.append(("", Content.styled(f"… {len(lines) - len(shown):,} more lines", "$muted")))
    if note.settlement is not None:
        said.append(("settled", _settled(payment, now, whole=whole)))
    return said


def outdated_sentence(payment: PaymentRow) -> str:
    """Return that a payment has changed since it was settled, and how; empty where it has not."""
    why = why_outdated(payment)
    if not why or not payment.needs_action:
        return why
    return f"Needs action again. {why}"


def _settled(payment: PaymentRow, now: datetime, *, whole: bool) -> Content:
    settlement = payment.note.settlement
    if settlement is None:
        return Content("")
    sign = ("! ", "$attention") if is_outdated(payment) else ("✓ ", "$good")
    ago = f" ({relative(settlement.at, now)})" if whole else ""
    when = f"  {moment(settlement.at, now)}{ago}"
    return Content.assemble(sign, settlement.resolution.words, (when, "$muted"))
