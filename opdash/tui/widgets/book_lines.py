"""Invoices and payments of a book as the lines of a list; pure functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from rich.cells import cell_len, set_cell_size

from opdash.books.book_index import BookIndex
from opdash.books.records import (
    Flag,
    InvoiceClass,
    InvoiceResult,
    Match,
    PaymentClass,
    PaymentResult,
    Rule,
)
from opdash.ledger.states import GLYPHS
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text
from opdash.tui import format as fmt
from opdash.tui.book_view import Shown, Side, payment_name
from opdash.tui.widgets.line import Span

INVOICE_GLYPHS: Final[Mapping[InvoiceClass, str]] = MappingProxyType(
    {
        InvoiceClass.PAID: "●",
        InvoiceClass.OVERPAID: "◉",
        InvoiceClass.UNDERPAID: "▼",
        InvoiceClass.PARTIAL: "◐",
        InvoiceClass.OUTSTANDING: "○",
        InvoiceClass.EXPIRED_UNPAID: "✕",
        InvoiceClass.DUPLICATE_PAYMENT: "◈",
        InvoiceClass.DUPLICATE_NUMBER: "#",
        InvoiceClass.WRONG_CURRENCY: "≠",
        InvoiceClass.AMBIGUOUS: "?",
        InvoiceClass.CHECK: "!",
    }
)
PAYMENT_GLYPHS: Final[Mapping[PaymentClass, str]] = MappingProxyType(
    {
        PaymentClass.MATCHED: "●",
        PaymentClass.UNMATCHED: "○",
        PaymentClass.AMBIGUOUS: "?",
        PaymentClass.NOT_AN_INVOICE: "–",
    }
)
RULE_WORDS: Final[Mapping[Rule, str]] = MappingProxyType(
    {
        Rule.LINK: "hand",
        Rule.URL: "payment URL",
        Rule.REFERENCE: "reference",
        Rule.NORMALISED: "reference, spelt otherwise",
        Rule.DESCRIPTION: "description",
        Rule.AMOUNT: "amount and date",
    }
)
"""How a match was found, in a few words."""

CHANGED: Final = "•"
PICKED: Final = "✓"
SUGGESTED: Final = "»"

_TONES: Final[Mapping[InvoiceClass | PaymentClass, str]] = MappingProxyType(
    {
        InvoiceClass.PAID: "good",
        InvoiceClass.PARTIAL: "accent",
        InvoiceClass.OUTSTANDING: "plain",
        InvoiceClass.DUPLICATE_NUMBER: "bad",
        InvoiceClass.WRONG_CURRENCY: "bad",
        InvoiceClass.CHECK: "bad",
        PaymentClass.MATCHED: "good",
        PaymentClass.UNMATCHED: "plain",
        PaymentClass.NOT_AN_INVOICE: "muted",
    }
)
_GAP: Final = "  "
_STATE = 18
_MOST_NUMBER = 24
_LEAST_WORDS = 6
_FULL_WORDS = 9
_SHORT_WORDS: Final[Mapping[Rule, str]] = MappingProxyType(
    {
        Rule.LINK: "hand",
        Rule.URL: "URL",
        Rule.REFERENCE: "ref.",
        Rule.NORMALISED: "ref. ≈",
        Rule.DESCRIPTION: "text",
        Rule.AMOUNT: "amount",
    }
)
_MOST_WORDS = 26
_GIVE_WAY: Final = (
    ("Invoice", 12),
    ("Reference", 16),
    ("State", 12),
    ("Reference", 9),
    ("State", 10),
    ("Class", 9),
    ("Invoice", 6),
    ("Reference", 6),
    ("State", 1),
    ("Class", 1),
    ("Difference", 0),
    ("Left over", 0),
)
"""Columns that may become narrower, and down to what; at 1 a sign is left, at 0 nothing."""

_CUSTOMER = 18
_DUE = 11


def tone_of(kind: InvoiceClass | PaymentClass) -> str:
    """Return the tone of a class; its word and sign say the same."""
    return _TONES.get(kind, "attention")


def glyph_of(kind: InvoiceClass | PaymentClass) -> str:
    """Return the sign of a class."""
    return INVOICE_GLYPHS[kind] if isinstance(kind, InvoiceClass) else PAYMENT_GLYPHS[kind]


def how(one: InvoiceResult) -> str:
    """Say in a few words how an invoice's payments were found, and what is to be remarked."""
    words = list(dict.fromkeys(RULE_WORDS[found.rule] for found in one.matches))
    if len(one.matches) > 1:
        words.insert(0, f"{len(one.matches)} payments")
    words += [said for said in one.remarks(fmt.money) if said != Flag.SUGGESTED.value]
    if one.suggestion is not None:
        words.append(f"suggestion: {RULE_WORDS[one.suggestion.rule]}")
    if one.candidates and not one.matches:
        words.append(f"{len(one.candidates)} may be it")
    return " · ".join(words)


def short_id(url: str) -> str:
    """Return the beginning of a payment's id."""
    return safe_text(url.rstrip("/").rsplit("/", 1)[-1])[:8]


class Columns:
    """The columns that fit, and what stands in them.

    Args:
        shown: The rows.
        width: Cells of a row, the cursor's two not counted.
    """

    def __init__(self, shown: Shown, width: int) -> None:
        self._shown = shown
        is_invoices = shown.view.side is Side.INVOICES
        codes = [fmt.asset_code(one.asset) for one in shown.sums]
        self._code = 0 if len(set(codes)) < 2 else 1 + max(map(cell_len, codes))
        self._unit = f" {codes[0]}" if len(set(codes)) == 1 else ""
        kinds = [shown.view.kind] if shown.view.kind is not None else [*shown.counts]
        self._kind = 2 + max((len(kind.value) for kind in kinds), default=8)
        fixed = self._invoice_columns() if is_invoices else self._payment_columns()
        self._fixed = _narrowed(fixed, width - 2)
        self._sizes = {name: size for name, size, _ in self._fixed}
        self._words: list[tuple[str, int]] = []
        room = width - 2 - sum(size + len(_GAP) for _, size, _ in self._fixed)
        wanted = (
            (("By", _LEAST_WORDS, _MOST_WORDS), ("Customer", 10, _CUSTOMER), ("Due", 6, _DUE))
            if is_invoices
            else (("Description", 10, 40), ("Created", 6, 12))
        )
        for name, least, most in wanted:
            size = min(room - len(_GAP), most)
            if size < least:
                break
            self._words.append((name, size))
            room -= size + len(_GAP)
        if room > 0 and self._words:  # what is left goes to what can use it most
            name, size = self._words[0]
            self._words[0] = (name, size + min(room, 14))

    def _invoice_columns(self) -> list[tuple[str, int, bool]]:
        number, due, received, difference = self._shown.widest
        return [
            ("Class", self._kind, False),
            ("Invoice", min(max(number, 7), _MOST_NUMBER), False),
            ("Asked", max(due + self._code, 5 + len(self._unit)), True),
            ("Received", max(received, 8), True),
            ("Difference", max(difference, 10), True),
        ]

    def _payment_columns(self) -> list[tuple[str, int, bool]]:
        name, received, left = self._shown.widest
        return [
            ("Class", self._kind, False),
            ("State", _STATE, False),
            ("Reference", min(max(name, 9), _MOST_NUMBER), False),
            ("Received", max(received + self._code, 8 + len(self._unit)), True),
            ("Left over", max(left, 9), True),
        ]

    def heading(self) -> list[Span]:
        """Return the names of the columns; that which sorts carries an arrow."""
        view = self._shown.view
        unit_at = 2 if view.side is Side.INVOICES else 3
        sorted_by = view.columns[view.column]
        arrow = "▼" if view.descending else "▲"
        spans, spilt = [Span("    ")], 0
        names = [*self._fixed, *((name, size, False) for name, size in self._words)]
        for place, (name, size, is_right) in enumerate(names):
            is_sorted = name == sorted_by
            unit = self._unit if place == unit_at else ""
            text = f"{name.upper()}{arrow if is_sorted else ''}{unit}" if size > 1 else " "
            gap = (len(_GAP) if place else 0) - spilt
            spilt = max(cell_len(text) - size, 0)  # the arrow may take a cell of a gap
            if is_right:
                gap, spilt = gap - spilt, 0
                text = text.rjust(size)
            text = set_cell_size(text, max(size, cell_len(text)))
            spans.append(Span(" " * gap + text, "strong" if is_sorted else "muted"))
        return spans

    def invoice(self, one: InvoiceResult, mark: str, now: datetime) -> list[Span]:
        """Return the line of an invoice."""
        invoice, asset = one.invoice, one.invoice.asset
        sizes = self._sizes
        asked = fmt.number(invoice.amount, asset.scale)
        difference = "" if one.difference is None else fmt.number(one.difference, asset.scale)
        spans = [
            *_beginning(mark, one.kind, sizes["Class"]),
            Span(_GAP + _fit(safe_text(invoice.number), sizes["Invoice"])),
            Span(_GAP + f"{asked}{self._coded(asset)}".rjust(sizes["Asked"])),
            Span(_GAP + fmt.number(one.received, asset.scale).rjust(sizes["Received"])),
        ]
        if "Difference" in sizes:
            tone = "attention" if one.difference else "muted"
            spans.append(Span(_GAP + difference.rjust(sizes["Difference"]), tone))
        texts = {
            "By": (self._how(one), "accent" if one.suggestion else "muted"),
            "Customer": (safe_text(invoice.customer), "plain"),
            "Due": _due_words(one, now),
        }
        return spans + self._rest(texts)

    def payment(self, one: PaymentResult, mark: str, now: datetime) -> list[Span]:
        """Return the line of a payment."""
        payment, asset = one.payment, one.payment.asset
        sizes = self._sizes
        received = fmt.number(payment.received, asset.scale)
        state = f"{GLYPHS[payment.state]} {payment.state.value}"
        is_loose = one.kind is PaymentClass.UNMATCHED and payment.received > 0
        spans = [
            *_beginning(mark, one.kind, sizes["Class"], "attention" if is_loose else ""),
            Span(_GAP + _fit_signed(state, sizes["State"]), "muted"),
            Span(_GAP + _fit(safe_text(payment_name(one)), sizes["Reference"])),
            Span(_GAP + f"{received}{self._coded(asset)}".rjust(sizes["Received"])),
        ]
        if "Left over" in sizes:
            left = fmt.number(one.unallocated, asset.scale).rjust(sizes["Left over"])
            spans.append(Span(_GAP + left, "attention" if one.unallocated else "muted"))
        texts = {
            "Description": (safe_text(payment.description), "plain"),
            "Created": (fmt.moment(payment.created_at, now), "muted"),
        }
        return spans + self._rest(texts)

    def _how(self, one: InvoiceResult) -> str:
        """Return how it was matched; by one word where there is no room for more."""
        if dict(self._words).get("By", _FULL_WORDS) >= _FULL_WORDS:
            return how(one)
        if one.matches:
            return _SHORT_WORDS[one.matches[0].rule]
        return f"{_SHORT_WORDS[one.suggestion.rule]}?" if one.suggestion else ""

    def _coded(self, asset: Asset) -> str:
        return set_cell_size(f" {fmt.asset_code(asset)}", self._code) if self._code else ""

    def _rest(self, texts: Mapping[str, tuple[str, str]]) -> list[Span]:
        return [
            Span(_GAP + _fit(texts[name][0], size), texts[name][1]) for name, size in self._words
        ]


def _narrowed(columns: Sequence[tuple[str, int, bool]], width: int) -> list[tuple[str, int, bool]]:
    """Take from names and words what there is no room for: an amount that is cut is another one."""
    over = sum(size + len(_GAP) for _, size, _ in columns) - len(_GAP) - width
    narrowed = {name: size for name, size, _ in columns}
    for name, least in _GIVE_WAY:
        if over > 0 and name in narrowed:
            whole = narrowed[name] + len(_GAP)
            taken = min(over, max(narrowed[name] - least, 0)) if least else whole
            narrowed[name] -= taken
            over -= taken
    return [(name, narrowed[name], is_right) for name, _, is_right in columns if narrowed[name] > 0]


def _beginning(
    mark: str, kind: InvoiceClass | PaymentClass, size: int, tone: str = ""
) -> list[Span]:
    word = _fit_signed(f"{glyph_of(kind)} {kind.value}", size)
    return [Span(f"{mark or ' '} ", "accent"), Span(word, tone or tone_of(kind))]


def _due_words(one: InvoiceResult, now: datetime) -> tuple[str, str]:
    due = one.invoice.due
    if due is None:
        return "", "muted"
    is_late = Flag.LATE in one.flags
    return ("!" if is_late else "") + day_words(due, now), "attention" if is_late else "muted"


def day_words(day: date, now: datetime) -> str:
    """Write a day: ``today``, ``14 Nov``, ``14 Nov 2025``."""
    return fmt.day_word(day, now)


def painter(
    index: BookIndex,
    shown: Shown,
    width: int,
    now: datetime,
    *,
    changed: Collection[str],
    picked: Collection[str],
) -> Callable[[str, int], Sequence[Span]]:
    """Return what paints the rows of a list."""
    columns = Columns(shown, width)

    def mark(name: str) -> str:
        if name in picked:
            return PICKED
        if name in changed:
            return CHANGED
        if shown.view.side is Side.INVOICES:
            one = index.invoices[name]
            return SUGGESTED if one.suggestion or one.candidates else ""
        other = index.payments[name]
        return SUGGESTED if name in index.suggested or other.candidates else ""

    def paint(name: str, _: int) -> Sequence[Span]:
        if shown.view.side is Side.INVOICES:
            return columns.invoice(index.invoices[name], mark(name), now)
        return columns.payment(index.payments[name], mark(name), now)

    return paint


def sum_lines(shown: Shown, most: int = 3) -> list[list[Span]]:
    """Return what the rows add up to, a line for each asset."""
    is_invoices = shown.view.side is Side.INVOICES
    first, second = ("asked", "received") if is_invoices else ("received", "for invoices")
    lines = []
    for one in shown.sums[:most]:
        asset = one.asset
        what = fmt.count(one.count, "invoice" if is_invoices else "payment")
        line = [
            Span(f" {fmt.asset_code(asset)} ", "strong"),
            Span(what, "muted"),
            Span(f"   {first} ", "muted"),
            Span(fmt.number(one.first, asset.scale)),
            Span(f"   {second} ", "muted"),
            Span(fmt.number(one.second, asset.scale)),
        ]
        if is_invoices and one.is_comparable:
            line += [Span("   difference ", "muted"), _difference(one.second - one.first, asset)]
        elif not is_invoices:
            line += [Span("   left over ", "muted"), _difference(one.first - one.second, asset)]
        lines.append(line)
    if len(shown.sums) > most:
        lines[-1] = [Span(f" and {len(shown.sums) - most + 1} further assets", "muted")]
    return lines


def _difference(minor_units: int, asset: Asset) -> Span:
    tone = "attention" if minor_units else "plain"
    return Span(fmt.number(minor_units, asset.scale), tone)


def match_words(found: Match) -> str:
    """Say how a match was found, with what was found."""
    words = RULE_WORDS[found.rule]
    if found.evidence and found.rule not in (Rule.LINK, Rule.URL, Rule.AMOUNT):
        return f"{words} “{safe_text(found.evidence, limit=60)}”"
    return words


def _fit_signed(text: str, width: int) -> str:
    """Cut a sign and its words; with room for one cell the sign is what says most."""
    return set_cell_size(text, width) if width == 1 else _fit(text, width)


def _fit(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, max(width - 1, 0)).rstrip() + "…", width)
