"""What is said about one invoice, or one payment, of a book: entries of a sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from textual.content import Content

from opdash.books.book_index import BookIndex
from opdash.books.records import (
    BookPayment,
    InvoiceClass,
    InvoiceResult,
    Match,
    PaymentClass,
    PaymentResult,
    Rule,
)
from opdash.ledger.decisions import Decision, DecisionKind
from opdash.ledger.states import GLYPHS
from opdash.safetext import safe_text
from opdash.tui import format as fmt
from opdash.tui.book_view import payment_name
from opdash.tui.widgets.book_lines import (
    INVOICE_GLYPHS,
    PAYMENT_GLYPHS,
    day_words,
    match_words,
    short_id,
    tone_of,
)
from opdash.tui.widgets.sheet import Entry, facts, heading, row

_STYLES = {
    "plain": "bold",
    "muted": "bold $muted",
    "accent": "bold $accent",
    "good": "bold $good",
    "attention": "bold $attention",
    "bad": "bold $bad",
}
_MOST = 8
_WHY = {
    InvoiceClass.DUPLICATE_NUMBER: "The file has this number more than once.",
    InvoiceClass.DUPLICATE_PAYMENT: "Several payments each cover it: one of them is too many.",
    InvoiceClass.WRONG_CURRENCY: "What was paid is in another currency.",
    InvoiceClass.AMBIGUOUS: "Several invoices fit these payments; l says whose they are.",
    InvoiceClass.CHECK: "The payment contradicts itself or is no longer at the server.",
    InvoiceClass.EXPIRED_UNPAID: "Its payment takes no more money, and nothing was paid.",
    InvoiceClass.UNDERPAID: "Its payment takes no more money, and some is missing.",
    InvoiceClass.OVERPAID: "More was paid than is due.",
}


def invoice_entries(
    one: InvoiceResult, index: BookIndex, now: datetime, *, whole: bool
) -> list[Entry]:
    """Return what an invoice is, what was paid, why that is believed, and what else may be.

    Args:
        one: The invoice.
        index: The book that it is in.
        now: The present instant, UTC.
        whole: Whether there is a whole screen for it, or only a pane.
    """
    invoice = one.invoice
    entries: list[Entry] = [
        row("", Content.styled(safe_text(invoice.number, limit=80), "bold")),
        row("", _class_words(INVOICE_GLYPHS[one.kind], one.kind, one.remarks(fmt.money))),
    ]
    if one.kind in _WHY:
        entries.append(row("", Content.styled(_WHY[one.kind], "$muted")))
    entries += facts([*_invoice_facts(one, index, now)])
    if one.matches:
        entries += heading("Paid by")
        for found in one.matches:
            entries += _match(found, index, whole=whole)
    if one.suggestion is not None:
        entries += heading("Suggested: a accepts, x rejects")
        entries += _match(one.suggestion, index, whole=whole)
    if one.candidates:
        entries += heading("May be its own: l links one")
        for url in one.candidates[: None if whole else _MOST]:
            entries += _payment_rows(index.payments.get(url), url)
    entries += _decision_rows(index, index.decisions_about(number=invoice.number), now, whole)
    return entries


def _invoice_facts(
    one: InvoiceResult, index: BookIndex, now: datetime
) -> Iterator[tuple[str, Content | str]]:
    invoice = one.invoice
    yield "asked", fmt.money(invoice.amount, invoice.asset)
    yield "received", fmt.money(one.received, invoice.asset)
    if one.difference is not None:
        style = "bold $attention" if one.difference else ""
        yield "difference", Content.styled(fmt.money(one.difference, invoice.asset), style)
    if invoice.customer:
        yield "customer", safe_text(invoice.customer, limit=200)
    if invoice.issued is not None:
        yield "issued", day_words(invoice.issued, now)
    if invoice.due is not None:
        yield "due", day_words(invoice.due, now)
    yield "row", f"{invoice.row:,} of {safe_text(index.book.path.name, limit=60)}"


def raw_entries(one: InvoiceResult, index: BookIndex) -> list[Entry]:
    """Return the row of the file that an invoice stands in, cell by cell."""
    table = index.book.table
    cells = next((cells for line, cells in table.rows if line == one.invoice.row), ())
    fields = {place: field.value for field, place in index.book.columns.places.items()}
    pairs: list[tuple[str, Content | str]] = []
    for place, cell in enumerate(cells):
        name = table.header[place] if place < len(table.header) else f"column {place + 1}"
        label = safe_text(name, limit=24) or f"column {place + 1}"
        read_as = Content.styled(f"  ← {fields[place]}", "$muted") if place in fields else ""
        text = safe_text(cell, limit=400)
        pairs.append((label, Content.assemble(Content(text), read_as)))
    return [*heading(f"Row {one.invoice.row:,} of the file"), *facts(pairs)]


def payment_entries(
    one: PaymentResult, index: BookIndex, now: datetime, *, whole: bool = False
) -> list[Entry]:
    """Return what a payment is, for which invoices it counts, and for which it may."""
    payment = one.payment
    name = safe_text(payment_name(one), limit=80) or f"…{short_id(payment.id)}"
    known: list[tuple[str, Content | str]] = [
        ("state", f"{GLYPHS[payment.state]} {payment.state.value}"),
        ("received", fmt.money(payment.received, payment.asset)),
    ]
    if payment.asked is not None:
        known.append(("asked", fmt.money(payment.asked, payment.asset)))
    left = fmt.money(one.unallocated, payment.asset)
    known.append(("left over", Content.styled(left, "bold $attention" if one.unallocated else "")))
    if payment.references:
        known.append(("reference", safe_text(", ".join(payment.references), limit=200)))
    if payment.description:
        known.append(("description", safe_text(payment.description, limit=200)))
    known.append(("created", fmt.moment(payment.created_at, now)))
    known.append(("payment", fmt.short_address(payment.id)))
    entries: list[Entry] = [
        row("", Content.styled(name, "bold")),
        row("", _class_words(PAYMENT_GLYPHS[one.kind], one.kind, ())),
        *facts(known),
    ]
    if one.matches:
        entries += heading("Counts for")
        for found in one.matches:
            number = index.invoices[index.rows[found.row]].invoice.number
            money = fmt.money(found.amount, payment.asset)
            entries.append(row("  ", f"{safe_text(number, limit=60)}  {money}"))
            entries.append(row("  ", Content.styled(f"by {match_words(found)}", "$muted")))
    if one.candidates:
        entries += heading("Several invoices fit: l links one")
        for at in one.candidates[: None if whole else _MOST]:
            invoice = index.invoices[index.rows[at]].invoice
            money = fmt.money(invoice.amount, invoice.asset)
            entries.append(row("  ", f"{safe_text(invoice.number, limit=60)}  {money}"))
    if payment.id in index.suggested:
        number = index.invoices[index.suggested[payment.id]].invoice.number
        entries += heading("Suggested: a accepts, x rejects")
        entries.append(row("  ", safe_text(number, limit=60)))
        entries.append(row("  ", Content.styled("by amount and date alone", "$muted")))
    entries += _elsewhere(one, index)
    entries += _decision_rows(index, index.decisions_about(payment_id=payment.id), now, whole)
    return entries


def _elsewhere(one: PaymentResult, index: BookIndex) -> list[Entry]:
    """Return the numbers that a person linked a payment to which this file does not have."""
    if one.kind is PaymentClass.MATCHED:
        return []
    links = [
        link for link in index.book.ledger.decisions.links if link.payment_id == one.payment.id
    ]
    missing = [link.number for link in links if link.number not in index.invoices]
    return [
        row("▲ ", f"Linked by hand to {safe_text(number, limit=60)}, which is not in this file.")
        for number in missing
    ]


def _class_words(glyph: str, kind: InvoiceClass | PaymentClass, remarks: Sequence[str]) -> Content:
    words = Content.styled(f"{glyph} {kind.value}", _STYLES[tone_of(kind)])
    return Content.assemble(words, *(f" · {said}" for said in remarks))


def _match(found: Match, index: BookIndex, *, whole: bool) -> list[Entry]:
    known = index.payments.get(found.payment_id)
    asset = None if known is None else known.payment.asset
    entries = _payment_rows(known, found.payment_id)
    if asset is not None and known is not None and found.amount != known.payment.received:
        entries.append(row("  ", f"{fmt.money(found.amount, asset)} of it count"))
    said = f"by {match_words(found)}"
    if found.rule is Rule.URL or whole:
        said += f"  {fmt.short_address(found.payment_id)}" if whole else ""
    entries.append(row("  ", Content.styled(said, "$muted")))
    return entries


def _payment_rows(one: PaymentResult | None, url: str) -> list[Entry]:
    if one is None:
        return [row("  ", f"{short_id(url)}  not known any more")]
    payment: BookPayment = one.payment
    words = f"{GLYPHS[payment.state]} {payment.state.value}"
    money = fmt.money(payment.received, payment.asset)
    name = safe_text(payment_name(one), limit=40)
    return [row("  ", f"{short_id(url)}  {words}  {money}  {name}".rstrip())]


def _decision_rows(
    index: BookIndex, decided: Sequence[Decision], now: datetime, whole: bool
) -> list[Entry]:
    shown = [one for one in decided if whole or one.stands]
    if not shown:
        return []
    entries: list[Entry] = list(heading("Decided"))
    for one in shown:
        text = decision_words(one, index)
        undone = "" if one.undone_at is None else f" · undone {fmt.moment(one.undone_at, now)}"
        style = "" if one.stands else "$muted"
        when = fmt.moment(one.decided_at, now)
        entries.append(row(f"{one.id:>3}  ", Content.styled(f"{text} · {when}{undone}", style)))
    return entries


def decision_words(one: Decision, index: BookIndex) -> str:
    """Say what a person decided: ``INV-7 is paid by 2f1b6c0e, 12.50 USD of it``."""
    number = safe_text(one.invoice, limit=40)
    is_link = one.kind is DecisionKind.LINK
    verb = "is paid by" if is_link else "is not paid by"
    known = index.payments.get(one.payment_id)
    name = short_id(one.payment_id)
    if one.amount is None or known is None:
        return f"{number} {verb} {name}"
    return f"{number} {verb} {name}, {fmt.money(one.amount, known.payment.asset)} of it"
