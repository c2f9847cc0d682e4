"""Invoices that are to be billed, and what became of them, as the lines of a list."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from opdash.books.bills import Cause, LeftOut, Plan, Planned
from opdash.openpayments.amounts import Asset
from opdash.safetext import ELLIPSIS, safe_text
from opdash.service.bill_reports import Billed, Outcome
from opdash.tui import format as fmt
from opdash.tui.widgets.line import Span

_NUMBER = 16
_UNTIL = 14
_SIGNS = {
    Outcome.CREATED: ("✓", "good"),
    Outcome.BILLED_BEFORE: ("✓", "muted"),
    Outcome.FAILED: ("✗", "bad"),
    Outcome.UNKNOWN: ("?", "attention"),
    Outcome.NOT_TRIED: ("○", "muted"),
}
_WORDS = {
    Outcome.CREATED: "created",
    Outcome.BILLED_BEFORE: "billed before",
    Outcome.FAILED: "failed",
    Outcome.UNKNOWN: "unknown",
    Outcome.NOT_TRIED: "not tried",
}


class BillRows(NamedTuple):
    """The rows of a plan, and what has become of them.

    Attributes:
        planned: What is to be billed, by the row's name.
        checking: The numbers of the invoices whose payment got no answer.
        left_out: What is not, by the row's name.
        billed: What became of invoices, by number.
        asset: What the wallet holds.
        now: The present instant.
        amount_cells: How wide the widest amount is.
    """

    planned: Mapping[str, Planned]
    checking: Set[str]
    left_out: Mapping[str, LeftOut]
    billed: Mapping[str, Billed]
    asset: Asset
    now: datetime
    amount_cells: int

    @property
    def names(self) -> list[str]:
        """The rows' names in the order of the file: their lines in it."""
        return sorted((*self.planned, *self.left_out), key=int)

    def payment_id(self, name: str) -> str:
        """Return the URL of the payment of a row, or an empty string."""
        planned = self.planned.get(name)
        if planned is None:
            left = self.left_out.get(name)
            return "" if left is None else left.payment_id
        billed = self.billed.get(planned.bill.invoice)
        return "" if billed is None else billed.payment_id

    def line(self, name: str, width: int) -> list[Span]:
        """Return a row as pieces of so many cells."""
        planned = self.planned.get(name)
        if planned is not None:
            return self._planned(planned, width=width)
        return self._left_out(self.left_out[name])

    def _planned(self, one: Planned, *, width: int) -> list[Span]:
        is_open = one.bill.invoice in self.checking
        billed = self.billed.get(one.bill.invoice)
        sign, tone = ("?", "attention") if is_open else ("○", "plain")
        if billed is not None:
            sign, tone = _SIGNS[billed.outcome]
        amount = fmt.money(one.bill.amount, self.asset)
        room = self.amount_cells
        spans = [
            Span(f"{sign} ", tone),
            Span(_fit(one.bill.invoice, _NUMBER) + " "),
            Span(" " * max(room - cell_len(amount), 0) + amount, "strong"),
            Span("  "),
        ]
        if billed is not None:
            return [*spans, *_became(billed, tone)]
        until = "server's limit" if one.ends_at is None else fmt.moment(one.ends_at, self.now)
        spans.append(Span(_fit(until, _UNTIL) + "  ", "muted"))
        if is_open:
            return [*spans, Span("unknown, checking", "attention")]
        if one.remark:
            return [*spans, Span(one.remark, "attention")]
        return [*spans, Span(safe_text(one.bill.description, limit=max(width, 1)), "muted")]

    def _left_out(self, one: LeftOut) -> list[Span]:
        sign, tone = ("▲", "attention") if one.needs_look else ("·", "muted")
        number = one.number or f"row {one.row}"
        shown = Span(_fit(number, _NUMBER) + " ", "plain" if one.needs_look else "muted")
        return [Span(f"{sign} ", tone), shown, Span(safe_text(one.reason), tone)]


def rows_of(
    plan: Plan, billed: Mapping[str, Billed], checking: Set[str], asset: Asset, now: datetime
) -> BillRows:
    """Return the rows of a plan; what changes in ``billed`` and ``checking`` is shown too."""
    planned = (*plan.bills, *plan.checking)
    amounts = (fmt.money(one.bill.amount, asset) for one in planned)
    return BillRows(
        planned={str(one.row): one for one in planned},
        checking=checking,
        left_out={str(one.row): one for one in plan.left_out},
        billed=billed,
        asset=asset,
        now=now,
        amount_cells=max(map(cell_len, amounts), default=0),
    )


def sum_line(plan: Plan, asset: Asset) -> list[Span]:
    """Return what is to be created together, and how many are not."""
    spans = [
        Span(fmt.count(len(plan.bills), "payment"), "strong"),
        Span(" · "),
        Span(fmt.money(plan.total, asset), "strong"),
    ]
    if plan.checking:
        spans.append(Span(f" · {len(plan.checking):,} unknown, checking", "attention"))
    there = sum(one.cause is Cause.HAS_PAYMENT for one in plan.left_out)
    if len(plan.left_out) > there:
        spans.append(Span(f" · {len(plan.left_out) - there:,} left out", "attention"))
    if there:
        spans.append(Span(f" · {there:,} with a payment", "muted"))
    return spans


def _became(billed: Billed, tone: str) -> list[Span]:
    spans = [Span(_WORDS[billed.outcome], tone)]
    if billed.payment_id:
        spans.append(Span(f"  …/{safe_text(billed.payment_id.rpartition('/')[2])}", "muted"))
    if billed.reason:
        spans.append(Span(f"  {safe_text(billed.reason)}", "attention"))
    return spans


def _fit(text: str, cells: int) -> str:
    shown = safe_text(text, limit=4 * cells)
    if cell_len(shown) > cells:
        return set_cell_size(shown, cells - 1) + ELLIPSIS
    return set_cell_size(shown, cells)
