"""What ``opdash reconcile`` prints: tables for people, Markdown, and JSON Lines.

With ``--json`` each line has a ``type``; new types and fields may be added, amounts and instants
are those of `opdash.cli.shapes`:

file        ``path, encoding, delimiter, hasHeader, columns`` (field to column name), ``decimal,
            dates, datesAssumed, invoices, problems`` (``row, column, sentence``).
ledger      how much is known, a line for each wallet: ``wallet, walletAddress, scope, known,
            lookedAt, complete, lastPollAt``.
invoice     ``row, number, class, due, received, difference, issued, dueOn, customer, flags,
            apart`` (received in other currencies than its own), ``matches`` (``paymentId, rule,
            evidence, amount``), ``candidates`` (payment URLs), ``suggestion`` (like a match, or
            null).
payment     ``id, walletAddress, class, state, received, unallocated, createdAt, references,
            description, rows`` (of the invoices that it pays), ``candidates`` (rows).
invoiceSum  ``class, count, due, received``; for each class and asset.
paymentSum  ``class, count, received, matched``; likewise.
result      ``clear, exitCode``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from opdash.books.book import Book, InvoiceChange, PaymentChange
from opdash.books.columns import Columns, Field
from opdash.books.dates import DateOrder
from opdash.books.decimals import DecimalMark
from opdash.books.invoice_file import InvoiceFile
from opdash.books.ledger_side import LedgerSide
from opdash.books.reconciling import CLEAR, invoice_sums, is_clear, payment_sums
from opdash.books.records import (
    BookPayment,
    Flag,
    InvoiceClass,
    InvoiceResult,
    Match,
    PaymentClass,
    PaymentResult,
)
from opdash.books.tabular import Table
from opdash.cli import shapes, wording
from opdash.cli.output import Cell, Column, Style, print_json, print_lines, print_table
from opdash.errors import ExitCode
from opdash.ledger.records import Scope
from opdash.ledger.states import GLYPHS
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text

_MOST_UNMATCHED = 10
_MARKS = {DecimalMark.POINT: "decimal point", DecimalMark.COMMA: "decimal comma"}
_ORDERS = {DateOrder.DAY_FIRST: "days first", DateOrder.MONTH_FIRST: "months first"}
_SCOPES = {Scope.OWN: "what opdash created", Scope.EVERYTHING: "everything on the wallet"}
_DELIMITERS = {"\t": "tabs", "": "JSON Lines"}


# What is said beside


def guess(
    path: Path, table: Table, columns: Columns, file: InvoiceFile, assets: Sequence[Asset]
) -> list[str]:
    """Say how a file is read."""
    parted = _DELIMITERS.get(table.delimiter, f"parted by “{table.delimiter}”")
    lines = [f"{path.name}: {_count(len(file.invoices), 'invoice')} · {table.encoding} · {parted}"]
    if not table.has_header:
        lines[0] += " · no header"
    for field in Field:
        place = columns.places.get(field)
        if place is not None:
            name = safe_text(table.header[place], limit=40)
            lines.append(f"  {field.value:11} {name}{_how(field, columns)}")
    if Field.CURRENCY not in columns.places and assets:
        lines.append(f"  {Field.CURRENCY.value:11} all in {safe_text(assets[0].code, limit=12)}")
    lines.append("  Wrong? Say otherwise with --column, --decimal, --dates.")
    return lines


def _how(field: Field, columns: Columns) -> str:
    if field is Field.AMOUNT:
        return f" ({_MARKS[columns.mark]})"
    if field in (Field.ISSUED, Field.DUE) and not columns.are_dates_plain:
        return f" ({_ORDERS[columns.dates]}, assumed)"
    return ""


def completeness(ledger: LedgerSide) -> list[str]:
    """Say how much of the truth the ledger knows."""
    lines = []
    for one in ledger.known:
        if one.last_poll_at is None and not one.known:
            why = "never reached, so nothing is known of its payments; “opdash doctor” says why"
            lines.append(f"{one.wallet.name}: {why}")
            continue
        said = f"{one.wallet.name}: {one.looked_at:,} of {_count(one.known, 'known payment')}"
        said += f", {_SCOPES[one.wallet.scope]}"
        if not one.complete:
            said += "; INCOMPLETE, the server has more: run “opdash sync” first"
        lines.append(said)
    return lines


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


# For people


def print_report(report: Book, *, whole: bool = False) -> None:
    """Print what became of invoices and payments, and at the end what they add up to.

    Args:
        report: What was found.
        whole: Whether every payment without an invoice is listed.
    """
    payments = {one.payment.id: one.payment for one in report.found.payments}
    names = short_names(payments.values())
    print_table(
        [
            Column("Row", right=True),
            Column("Invoice", shrinks=True),
            Column("Class"),
            Column("Due", right=True),
            Column("Received", right=True),
            Column("Difference", right=True),
            Column("Payment", spare=2),
            Column("By", spare=3),
            Column("Evidence", shrinks=True, spare=1),
        ],
        [line for one in report.found.invoices for line in _invoice_lines(one, names)],
    )
    _print_suggestions(report.found.invoices, payments, names)
    _print_ambiguous(report.found.payments, names)
    _print_unmatched(report.found.payments, names, None if whole else _MOST_UNMATCHED)
    print_lines("")
    print_table(
        [
            Column("Invoices"),
            Column("Count", right=True),
            Column("Due", right=True),
            Column("Received", right=True),
            Column("Difference", right=True),
        ],
        [
            [
                Cell(one.kind.value, _style(one.kind)),
                Cell(f"{one.count:,}"),
                Cell(wording.money(one.due, one.asset)),
                Cell(wording.money(one.received, one.asset)),
                Cell(_difference(one.kind, one.received - one.due, one.asset)),
            ]
            for one in invoice_sums(report.found.invoices)
        ],
    )
    print_lines("")
    print_table(
        [
            Column("Payments"),
            Column("Count", right=True),
            Column("Received", right=True),
            Column("For invoices", right=True),
            Column("Left over", right=True),
        ],
        [
            [
                Cell(one.kind.value),
                Cell(f"{one.count:,}"),
                Cell(wording.money(one.received, one.asset)),
                Cell(wording.money(one.matched, one.asset)),
                Cell(wording.money(one.received - one.matched, one.asset)),
            ]
            for one in payment_sums(report.found.payments)
        ],
    )


def _invoice_lines(one: InvoiceResult, names: Mapping[str, str]) -> Iterable[list[Cell]]:
    asset = one.invoice.asset
    first, *others = [_match_cells(found, names) for found in one.matches] or [[Cell("")] * 3]
    yield [
        Cell(str(one.invoice.row)),
        Cell(one.invoice.number),
        Cell(_class_words(one), _style_of(one)),
        Cell(wording.money(one.invoice.amount, asset)),
        Cell(wording.money(one.received, asset)),
        Cell(wording.money(one.difference, asset)),
        *first,
    ]
    for cells in others:
        yield [*[Cell("")] * 6, *cells]


def _class_words(one: InvoiceResult) -> str:
    return " · ".join([one.kind.value, *one.remarks(wording.money)])


def _match_cells(found: Match, names: Mapping[str, str]) -> list[Cell]:
    evidence = "" if found.evidence == found.payment_id else found.evidence
    return [Cell(names[found.payment_id]), Cell(found.rule.value), Cell(evidence)]


def _print_suggestions(
    invoices: Iterable[InvoiceResult],
    payments: Mapping[str, BookPayment],
    names: Mapping[str, str],
) -> None:
    rows = []
    for one in invoices:
        if one.suggestion is not None:
            payment = payments[one.suggestion.payment_id]
            rows.append(
                [
                    Cell(str(one.invoice.row)),
                    Cell(one.invoice.number),
                    Cell(wording.money(one.invoice.amount, one.invoice.asset)),
                    Cell(names[payment.id]),
                    Cell(wording.money(payment.received, payment.asset)),
                    Cell(wording.local(payment.created_at)),
                    Cell(payment.description),
                ]
            )
    if rows:
        print_lines("", "Suggestions, by amount and date alone (opdash reconcile link, or reject):")
        columns = [Column("Row", right=True), Column("Invoice"), Column("Due", right=True)]
        columns += [Column("Payment"), Column("Received", right=True), Column("Created")]
        print_table([*columns, Column("Description", shrinks=True, spare=1)], rows)


def _print_ambiguous(payments: Iterable[PaymentResult], names: Mapping[str, str]) -> None:
    some = [one for one in payments if one.kind is PaymentClass.AMBIGUOUS]
    if some:
        print_lines("", "Ambiguous: several invoices fit (opdash reconcile link NUMBER PAYMENT):")
        columns = [Column("Payment"), Column("Received", right=True), Column("Rows")]
        print_table(
            columns,
            [
                [
                    Cell(names[one.payment.id]),
                    Cell(wording.money(one.payment.received, one.payment.asset)),
                    Cell(", ".join(map(str, one.candidates))),
                ]
                for one in some
            ],
        )


def _unmatched(payments: Iterable[PaymentResult]) -> list[PaymentResult]:
    """Return the payments that brought money and belong to no invoice."""
    return [one for one in payments if one.kind is PaymentClass.UNMATCHED and one.payment.received]


def _print_unmatched(
    payments: Iterable[PaymentResult], names: Mapping[str, str], most: int | None
) -> None:
    some = _unmatched(payments)
    if not some:
        return
    print_lines("", "Money that belongs to no invoice of this file:")
    columns = [Column("Payment"), Column("State"), Column("Received", right=True)]
    columns += [Column("Reference", shrinks=True), Column("Description", shrinks=True, spare=1)]
    print_table(
        [*columns, Column("Created", spare=2)],
        [
            [
                Cell(names[one.payment.id]),
                Cell(f"{GLYPHS[one.payment.state]} {one.payment.state.value}"),
                Cell(wording.money(one.payment.received, one.payment.asset)),
                Cell(", ".join(one.payment.references)),
                Cell(one.payment.description),
                Cell(wording.local(one.payment.created_at)),
            ]
            for one in some[:most]
        ],
    )
    if most is not None and len(some) > most:
        print_lines(f"… and {len(some) - most:,} more; --all lists them")


def short_names(payments: Iterable[BookPayment]) -> dict[str, str]:
    """Return for each payment the shortest beginning of its id that tells it apart."""
    ids = {one.id: wording.last_segment(one.id) for one in payments}
    length = 8
    while len({text[:length] for text in ids.values()}) < len(ids) and length < 64:
        length += 4
    return {url: text[:length] for url, text in ids.items()}


def _style_of(one: InvoiceResult) -> Style:
    needs_look = Flag.LATE in one.flags or Flag.APART in one.flags
    return Style.ATTENTION if needs_look else _style(one.kind)


def _style(kind: InvoiceClass) -> Style:
    if kind is InvoiceClass.PAID:
        return Style.GOOD
    return Style.PLAIN if kind in CLEAR else Style.ATTENTION


def _difference(kind: InvoiceClass, minor_units: int, asset: Asset) -> str:
    """Write a difference; what arrived in another currency cannot be taken from what is due."""
    return "" if kind is InvoiceClass.WRONG_CURRENCY else wording.money(minor_units, asset)


# Markdown

_SPECIAL = re.compile(
    r"[\\`*{}\[\]<#|~@]|^>|&(?=[#a-z])|(?<![a-z0-9])_|_(?![a-z0-9])|:(?=//)|(?<=www)\.",
    re.IGNORECASE,
)
_SAFE_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#%=&+,;@!$()*\[\]'-]{1,500}")


def print_markdown(report: Book, now: datetime, *, whole: bool = False) -> None:
    """Print a summary in Markdown; nothing that others wrote can format or link anything.

    Args:
        report: What was found.
        now: The present instant, UTC.
        whole: Whether every payment without an invoice is listed.
    """
    found = report.found
    unmatched = _unmatched(found.payments)
    shown = unmatched if whole else unmatched[:_MOST_UNMATCHED]
    lines = [f"# Reconciliation of {_plain(report.path.name)}", ""]
    lines += [f"{_plain(wording.local(now))}", "", "## Invoices", ""]
    lines += _markdown_table(
        ["Class", "Count", "Due", "Received", "Difference"],
        [
            [
                one.kind.value,
                f"{one.count:,}",
                wording.money(one.due, one.asset),
                wording.money(one.received, one.asset),
                _difference(one.kind, one.received - one.due, one.asset),
            ]
            for one in invoice_sums(found.invoices)
        ],
    )
    lines += ["", "## Payments", ""]
    lines += _markdown_table(
        ["Class", "Count", "Received", "For invoices"],
        [
            [
                one.kind.value,
                f"{one.count:,}",
                wording.money(one.received, one.asset),
                wording.money(one.matched, one.asset),
            ]
            for one in payment_sums(found.payments)
        ],
    )
    lines += _markdown_part(
        "Needs a look",
        ["Row", "Invoice", "Class", "Due", "Received", "Difference"],
        [
            [
                str(one.invoice.row),
                one.invoice.number,
                _class_words(one),
                wording.money(one.invoice.amount, one.invoice.asset),
                wording.money(one.received, one.invoice.asset),
                wording.money(one.difference, one.invoice.asset),
            ]
            for one in found.invoices
            if not is_clear(one)
        ],
    )
    lines += _markdown_part(
        "Suggestions",
        ["Row", "Invoice", "Due", "Payment"],
        [
            [
                str(one.invoice.row),
                one.invoice.number,
                wording.money(one.invoice.amount, one.invoice.asset),
                one.suggestion.payment_id,
            ]
            for one in found.invoices
            if one.suggestion is not None
        ],
    )
    lines += _markdown_part(
        "Money without an invoice",
        ["Payment", "Received", "Reference", "Description"],
        [
            [
                one.payment.id,
                wording.money(one.payment.received, one.payment.asset),
                ", ".join(one.payment.references),
                one.payment.description,
            ]
            for one in shown
        ],
    )
    if len(unmatched) > len(shown):
        lines += ["", f"… and {len(unmatched) - len(shown):,} more; `--all` lists them."]
    lines += ["", "## What this is based on", ""]
    lines += [f"- {_plain(one)}" for one in completeness(report.ledger)]
    if report.file.problems:
        lines += [f"- {_plain(_count(len(report.file.problems), 'problem'))} in the file:"]
        lines += [f"  - {_plain(str(one))}" for one in report.file.problems]
    print_lines(*lines)


def _markdown_part(title: str, head: Sequence[str], rows: list[list[str]]) -> list[str]:
    return ["", f"## {title}", "", *_markdown_table(head, rows)] if rows else []


def _markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return lines + [f"| {' | '.join(map(_plain, row))} |" for row in rows]


def _plain(text: str) -> str:
    """Write a text so that it is nothing but text; an address of usual letters as code."""
    if _SAFE_ADDRESS.fullmatch(text):
        return f"`{text}`"
    return _SPECIAL.sub(r"\\\g<0>", safe_text(text))


# For programs


def print_records(report: Book) -> None:
    """Print everything as JSON Lines."""
    table, columns, found = report.table, report.columns, report.found
    print_json(
        {
            "type": "file",
            "path": str(report.path),
            "encoding": table.encoding,
            "delimiter": table.delimiter,
            "hasHeader": table.has_header,
            "columns": {field.value: table.header[at] for field, at in columns.places.items()},
            "decimal": columns.mark.value,
            "dates": columns.dates.value,
            "datesAssumed": not columns.are_dates_plain,
            "invoices": len(report.file.invoices),
            "problems": [
                {"row": one.row, "column": one.column, "sentence": one.sentence}
                for one in report.file.problems
            ],
        }
    )
    for one in report.ledger.known:
        print_json(
            {
                "type": "ledger",
                "wallet": one.wallet.name,
                "walletAddress": one.wallet.address,
                "scope": one.wallet.scope.value,
                "known": one.known,
                "lookedAt": one.looked_at,
                "complete": one.complete,
                "lastPollAt": shapes.instant(one.last_poll_at),
            }
        )
    assets = {one.payment.id: one.payment.asset for one in found.payments}
    for invoice in found.invoices:
        print_json(_invoice_record(invoice, assets))
    for payment in found.payments:
        print_json(_payment_record(payment))
    for due in invoice_sums(found.invoices):
        print_json(
            {
                "type": "invoiceSum",
                "class": due.kind.value,
                "count": due.count,
                "due": shapes.amount(due.due, due.asset),
                "received": shapes.amount(due.received, due.asset),
            }
        )
    for came in payment_sums(found.payments):
        print_json(
            {
                "type": "paymentSum",
                "class": came.kind.value,
                "count": came.count,
                "received": shapes.amount(came.received, came.asset),
                "matched": shapes.amount(came.matched, came.asset),
            }
        )
    code = ExitCode.DONE if report.is_clear else ExitCode.EXCEPTIONS
    print_json({"type": "result", "clear": report.is_clear, "exitCode": int(code)})


def _invoice_record(one: InvoiceResult, assets: Mapping[str, Asset]) -> dict[str, object]:
    invoice = one.invoice
    return {
        "type": "invoice",
        "row": invoice.row,
        "number": invoice.number,
        "class": one.kind.value,
        "due": shapes.amount(invoice.amount, invoice.asset),
        "received": shapes.amount(one.received, invoice.asset),
        "difference": shapes.amount(one.difference, invoice.asset),
        "issued": None if invoice.issued is None else invoice.issued.isoformat(),
        "dueOn": None if invoice.due is None else invoice.due.isoformat(),
        "customer": invoice.customer,
        "flags": [flag.value for flag in one.flags],
        "apart": [shapes.amount(amount, asset) for asset, amount in one.apart],
        "matches": [_match_record(found, assets) for found in one.matches],
        "candidates": list(one.candidates),
        "suggestion": None if one.suggestion is None else _match_record(one.suggestion, assets),
    }


def invoice_change_record(change: InvoiceChange, assets: Mapping[str, Asset]) -> dict[str, object]:
    """Return an invoice that is not as it was, for JSON."""
    before = None if change.before is None else change.before.kind.value
    one = change.after or change.before
    record = {} if one is None else _invoice_record(one, assets)
    changed = {"type": "invoiceChange", "before": before}
    return record | changed | ({"class": None} if change.after is None else {})


def payment_change_record(change: PaymentChange) -> dict[str, object]:
    """Return a payment that is not as it was, for JSON."""
    before = None if change.before is None else change.before.kind.value
    return _payment_record(change.after) | {"type": "paymentChange", "before": before}


def _match_record(found: Match, assets: Mapping[str, Asset]) -> dict[str, object]:
    return {
        "paymentId": found.payment_id,
        "rule": found.rule.value,
        "evidence": found.evidence,
        "amount": shapes.amount(found.amount, assets[found.payment_id]),
    }


def _payment_record(one: PaymentResult) -> dict[str, object]:
    payment = one.payment
    return {
        "type": "payment",
        "id": payment.id,
        "walletAddress": payment.wallet,
        "class": one.kind.value,
        "state": payment.state.value,
        "received": shapes.amount(payment.received, payment.asset),
        "unallocated": shapes.amount(one.unallocated, payment.asset),
        "createdAt": shapes.instant(payment.created_at),
        "references": list(payment.references),
        "description": payment.description,
        "rows": [found.row for found in one.matches],
        "candidates": list(one.candidates),
    }
