"""What ``opdash bill`` prints: tables for people, JSON Lines for programs.

With ``--json`` each line has a ``type``; new types and fields may be added, amounts and instants
are those of `opdash.cli.shapes`:

invoice  ``row, number, status, amount, reference, description, expiresAt, remark, paymentId,
         cause, reason``. ``status`` is ``would-create`` or ``would-check`` (an earlier attempt has
         no answer yet) without ``--yes``; ``left-out`` with its ``cause``; else what became of it:
         ``created, billed-before, failed, unknown, not-tried``.
result   ``created, leftOut, failed, unknown, notTried, totals, output, exitCode``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from opdash.books.billing_book import BillingBook
from opdash.books.bills import Cause, LeftOut, Plan, Planned
from opdash.cli import shapes, wording
from opdash.cli.output import Cell, Column, Style, print_json, print_lines, print_table, talk
from opdash.errors import ExitCode
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text
from opdash.service.bill_reports import Billed, Ended, Outcome

_WORDS = {
    Outcome.CREATED: "created",
    Outcome.BILLED_BEFORE: "billed before",
    Outcome.FAILED: "FAILED",
    Outcome.UNKNOWN: "UNKNOWN",
    Outcome.NOT_TRIED: "not tried",
}
_STYLES = {
    Outcome.CREATED: Style.GOOD,
    Outcome.BILLED_BEFORE: Style.PLAIN,
    Outcome.NOT_TRIED: Style.PLAIN,
}


class Report(NamedTuple):
    """All that is to be printed.

    Attributes:
        found: What is to be done.
        asset: What the wallet holds.
    """

    found: BillingBook
    asset: Asset

    @property
    def planned(self) -> dict[str, Planned]:
        """What is to be billed, by invoice number."""
        plan = self.found.plan
        return {one.bill.invoice: one for one in (*plan.bills, *plan.checking)}


def code_of(plan: Plan, ended: Ended | None) -> ExitCode:
    """Return the exit code of a run, or of what was only shown."""
    if ended is not None and ended.was_stopped:
        return ExitCode.INTERRUPTED
    if ended is not None and ended.failure is not None:
        return ended.failure.exit_code
    if any(one.needs_look for one in plan.left_out) or (ended is None and plan.checking):
        return ExitCode.EXCEPTIONS
    if ended is not None and ended.count(Outcome.FAILED, Outcome.UNKNOWN, Outcome.NOT_TRIED):
        return ExitCode.EXCEPTIONS
    return ExitCode.DONE


def totals(report: Report) -> str:
    """Say how much is to be created: ``12 payments for 1,204.00 USD``."""
    plan = report.found.plan
    count = len(plan.bills)
    said = f"{count:,} payment{'' if count == 1 else 's'}"
    said += f" for {wording.money(plan.total, report.asset)}"
    if plan.checking:
        said += f", and up to {len(plan.checking):,} more once it is known that they do not exist"
    return said


# Before


def show_plan(report: Report, *, as_json: bool) -> None:
    """Print what would be created, and what would not."""
    plan = report.found.plan
    if as_json:
        for one in plan.bills:
            print_json(_record(report, one, "would-create"))
        for one in plan.checking:
            print_json(_record(report, one, "would-check"))
        for left in plan.left_out:
            print_json(_left_record(left))
        print_json(_result(report, None, None, code_of(plan, None)))
        return
    if plan.bills or plan.checking:
        _print_bills(report)
    _print_left_out(plan)
    print_lines(f"To be created: {totals(report)}.")
    _advise(plan)


def _advise(plan: Plan) -> None:
    if any(one.cause is Cause.OVER_UNPAID for one in plan.left_out):
        talk("What ended unpaid is billed again with --again NUMBER.")


def _print_bills(report: Report) -> None:
    plan = report.found.plan
    checking = {one.row for one in plan.checking}
    print_table(
        [
            Column("Row", right=True),
            Column("Invoice"),
            Column("Amount", right=True),
            Column("Reference", spare=1),
            Column("Description", shrinks=True, spare=2),
            Column("Expires"),
            Column("Remark", shrinks=True, spare=3),
        ],
        [
            [
                Cell(str(one.row)),
                Cell(one.bill.invoice),
                Cell(wording.money(one.bill.amount, report.asset)),
                Cell(one.bill.invoice),
                Cell(one.bill.description),
                Cell(wording.local(one.ends_at) or "server's limit"),
                Cell(_remark(one, is_open=one.row in checking)),
            ]
            for one in sorted((*plan.bills, *plan.checking), key=lambda one: one.row)
        ],
    )
    print_lines("")


def _remark(one: Planned, *, is_open: bool) -> str:
    if not is_open:
        return one.remark
    return "unknown, checking: created only if an earlier attempt made none"


def _print_left_out(plan: Plan, *, only_to_look_at: bool = False) -> None:
    shown = [one for one in plan.left_out if one.needs_look or not only_to_look_at]
    if not shown:
        return
    print_lines("Left out:")
    print_table(
        [Column("Row", right=True), Column("Invoice"), Column("Why", shrinks=True)],
        [
            [
                Cell(str(one.row)),
                Cell(one.number),
                Cell(one.reason, Style.ATTENTION if one.needs_look else Style.PLAIN),
            ]
            for one in shown
        ],
    )
    print_lines("")


# Meanwhile and after


def begin(report: Report, *, as_json: bool) -> None:
    """Print what is left out; the rest follows as it is done."""
    if as_json:
        for left in report.found.plan.left_out:
            print_json(_left_record(left))


def teller(report: Report, *, as_json: bool) -> Callable[[Billed], None]:
    """Return what prints what became of an invoice, as soon as that is known."""
    planned = report.planned

    def tell(one: Billed) -> None:
        if as_json:
            record = _record(report, planned[one.bill.invoice], one.outcome.value)
            print_json({**record, "paymentId": one.payment_id or None, "reason": one.reason})

    return tell


def finish(
    report: Report, ended: Ended, written: Path | None, code: ExitCode, *, as_json: bool
) -> None:
    """Print what became of all of them."""
    if as_json:
        print_json(_result(report, ended, written, code))
    else:
        _print_billed(report, ended)
        _print_left_out(report.found.plan, only_to_look_at=True)
    for line in _summary(report, ended):
        talk(line)
    _advise(report.found.plan)
    if written is not None:
        talk(f"Written with the payments' URLs: {safe_text(str(written))}")
        if not report.found.book.table.has_header:
            place = max(len(cells) for _, cells in report.found.book.table.rows) + 1
            talk(f"  To reconcile it, add --column payment={place}.")


def _print_billed(report: Report, ended: Ended) -> None:
    if not ended.billed:
        return
    print_table(
        [
            Column("Invoice"),
            Column("Amount", right=True),
            Column("Outcome"),
            Column("Payment"),
        ],
        [
            [
                Cell(one.bill.invoice),
                Cell(wording.money(one.bill.amount, report.asset)),
                Cell(_WORDS[one.outcome], _STYLES.get(one.outcome, Style.ATTENTION)),
                Cell(" ".join(filter(None, (one.payment_id, one.reason)))),
            ]
            for one in ended.billed
        ],
    )
    print_lines("")


def _summary(report: Report, ended: Ended) -> list[str]:
    made = sum(one.bill.amount for one in ended.billed if one.outcome is Outcome.CREATED)
    said = f"{ended.count(Outcome.CREATED):,} of {len(ended.billed):,} created"
    said += f", {wording.money(made, report.asset)}"
    for outcome in (Outcome.BILLED_BEFORE, Outcome.FAILED, Outcome.UNKNOWN, Outcome.NOT_TRIED):
        if ended.count(outcome):
            said += f"; {ended.count(outcome):,} {_WORDS[outcome].lower()}"
    left_out = report.found.plan.left_out
    there = sum(not one.needs_look for one in left_out)
    if there:
        said += f"; {there:,} had a payment"
    if there < len(left_out):
        said += f"; {len(left_out) - there:,} left out"
    return [f"{said}."]


# Records


def _record(report: Report, one: Planned, status: str) -> dict[str, object]:
    return {
        "type": "invoice",
        "row": one.row,
        "number": one.bill.invoice,
        "status": status,
        "amount": shapes.amount(one.bill.amount, report.asset),
        "reference": one.bill.invoice,
        "description": one.bill.description,
        "expiresAt": shapes.instant(one.ends_at),
        "remark": one.remark,
        "paymentId": None,
        "cause": None,
        "reason": "",
    }


def _left_record(one: LeftOut) -> dict[str, object]:
    return {
        "type": "invoice",
        "row": one.row,
        "number": one.number,
        "status": "left-out",
        "paymentId": one.payment_id or None,
        "cause": one.cause.value,
        "reason": one.reason,
    }


def _result(
    report: Report, ended: Ended | None, written: Path | None, code: ExitCode
) -> dict[str, object]:
    plan = report.found.plan
    counted = ended or Ended(billed=())
    if ended is None:
        sums = plan.total
    else:
        sums = sum(one.bill.amount for one in ended.billed if one.outcome is Outcome.CREATED)
    return {
        "type": "result",
        "created": counted.count(Outcome.CREATED),
        "billedBefore": counted.count(Outcome.BILLED_BEFORE),
        "leftOut": len(plan.left_out),
        "failed": counted.count(Outcome.FAILED),
        "unknown": counted.count(Outcome.UNKNOWN),
        "notTried": counted.count(Outcome.NOT_TRIED),
        "totals": [shapes.amount(sums, report.asset)],
        "output": None if written is None else str(written),
        "exitCode": int(code),
    }
