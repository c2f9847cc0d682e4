"""A payment split over several invoices, or an invoice over several payments, amounts typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label

from opdash.books.book_index import BookIndex
from opdash.books.deciding import room_left
from opdash.books.records import BookPayment
from opdash.errors import InputError
from opdash.ledger.decisions import Decision, DecisionKind, Verdict
from opdash.openpayments.amounts import Asset, format_minor
from opdash.safetext import safe_text
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.book_view import payment_name
from opdash.tui.screens.deciding import invoice_choices, payment_choices
from opdash.tui.screens.form_screen import FormScreen, first_wrong
from opdash.tui.screens.pick import Choices, PickScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.amount_input import AmountInput, read_amount
from opdash.tui.widgets.book_lines import short_id
from opdash.tui.widgets.form_field import FormField, Note, NoteLine

Saved = tuple[Sequence[Verdict], Sequence[Decision]]
"""What is decided, and what is taken back by it."""


class Part(msgspec.Struct, frozen=True):
    """One line of a split: how much of a payment is an invoice's.

    Attributes:
        name: What tells it from the other lines.
        label: What it is called, made safe.
        about: What is to know of it.
        number: The invoice's number.
        payment: The payment.
        amount: Minor units to begin with, or None.
        due: Minor units of the payment's asset that fill the invoice up, or None where the
            currencies differ.
    """

    name: str
    label: str
    about: str
    number: str
    payment: BookPayment
    amount: int | None
    due: int | None


class Split(msgspec.Struct, frozen=True):
    """What is to be split.

    Attributes:
        title: What is asked.
        index: The book.
        parts: The lines to begin with.
        more: What else may be added.
        add: Makes a line of what was chosen.
        target: What the amounts should come to: minor units and asset, and in words.
    """

    title: str
    index: BookIndex
    parts: tuple[Part, ...]
    more: Callable[[], Choices]
    add: Callable[[str], Part]
    target: tuple[int, Asset, str]


def split_of_payment(index: BookIndex, url: str) -> Split:
    """Return how a payment may be given to several invoices."""
    one = index.payments[url]
    payment = one.payment
    whole = max(payment.received, payment.asked or 0)
    begun = {index.rows[found.row]: found.amount for found in one.matches}
    names = [*begun, *(index.rows[row] for row in one.candidates)]
    if url in index.suggested:
        names.append(index.suggested[url])

    def part(name: str, amount: int | None) -> Part:
        found = index.invoices[name]
        invoice = found.invoice
        same = invoice.asset == payment.asset
        due = invoice.amount - found.received + begun.get(name, 0) if same else None
        money = fmt.money(invoice.amount, invoice.asset)
        about = f"asks for {money}, has {fmt.number(found.received, invoice.asset.scale)}"
        label = safe_text(invoice.number, limit=24)
        return Part(name, label, about, invoice.number, payment, amount, due)

    left, parts = whole, []
    for name in dict.fromkeys(names):
        empty = part(name, None)
        amount = min(begun.get(name) or empty.due or 0, left)
        left -= amount
        parts.append(part(name, amount or None))
    asset = payment.asset
    return Split(
        f"Split {fmt.money(whole, asset)} of {short_id(url)} over invoices",
        index,
        tuple(parts),
        lambda: invoice_choices(index, one),
        lambda name: part(name, None),
        (whole, asset, "of the payment"),
    )


def split_of_invoice(index: BookIndex, name: str) -> Split:
    """Return how an invoice may be paid by several payments."""
    one = index.invoices[name]
    invoice = one.invoice
    begun = {found.payment_id: found.amount for found in one.matches}
    links = index.book.ledger.decisions.links
    urls = [*begun, *one.candidates]
    if one.suggestion is not None:
        urls.append(one.suggestion.payment_id)

    def part(url: str, amount: int | None) -> Part:
        found = index.payments[url]
        payment = found.payment
        room = room_left(payment.received, payment.asked, links, url, (invoice.number,))
        about = f"received {fmt.money(payment.received, payment.asset)}"
        if room != payment.received:
            about += f", {fmt.number(room, payment.asset.scale)} of it free"
        if name_ := safe_text(payment_name(found), limit=30):
            about += f" · {name_}"
        due = room if payment.asset == invoice.asset else None
        return Part(url, short_id(url), about, invoice.number, payment, amount, due)

    return Split(
        f"Pay {safe_text(invoice.number, limit=40)} by several payments",
        index,
        tuple(part(url, begun.get(url) or None) for url in dict.fromkeys(urls)),
        lambda: payment_choices(index, one),
        lambda url: part(url, None),
        (invoice.amount, invoice.asset, "of the invoice"),
    )


class PartField(FormField):
    """One line of a split."""

    def __init__(self, part: Part) -> None:
        asset = part.payment.asset
        self.part = part
        self.input = AmountInput(asset)
        self.input.placeholder = "nothing"
        self._begun = "" if part.amount is None else format_minor(part.amount, asset.scale)
        self.input.value = self._begun
        unit = Label(fmt.asset_code(asset), classes="unit", markup=False)
        super().__init__(part.label, self.input, unit, hint=part.about)

    @property
    def is_touched(self) -> bool:
        """Whether something else is typed than what it began with."""
        return self.input.value != self._begun

    def read(self) -> int | None:
        """Return the minor units that are typed, or None for nothing; says what is wrong."""
        typed = self.input.value
        if typed.strip().strip("0.,") == "":
            self.say()
            return None
        try:
            amount = read_amount(typed, self.part.payment.asset.scale)
        except InputError as error:
            self.say_error(error)
            return None
        self.say()
        return amount


class SplitScreen(FormScreen[Saved | None]):
    """Asks how much of which payment is which invoice's; ends with what is to be decided."""

    PLACE = Place.SPLIT
    CSS_PATH = sheets("modals", "forms", "books")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.SPLIT)
    AUTO_FOCUS = "PartField Input"

    def __init__(self, split: Split) -> None:
        super().__init__()
        self._split = split

    def title_content(self) -> Content:
        """Return what is asked."""
        return Content.styled(self._split.title, "bold")

    def compose_body(self) -> ComposeResult:
        """Yield a line for each part, and what they come to."""
        with Vertical(id="parts"):
            yield from (PartField(part) for part in self._split.parts)
        yield NoteLine(id="sum")

    def compose_buttons(self) -> ComposeResult:
        """Yield the ways out."""
        yield Button("Save", id="save", variant="primary", compact=True)
        yield Button("Add", id="add", compact=True)
        yield Button("Back", id="leave", compact=True)

    def on_mount(self) -> None:
        """Add up."""
        self.check()

    @on(Input.Changed)
    def _changed(self) -> None:
        self.check()

    def check(self) -> list[tuple[Part, int]] | None:
        """Say what the amounts come to; returns them, or None while something is wrong."""
        amounts: list[tuple[Part, int]] = []
        for field in self.query(PartField):
            amount = field.read()
            if amount is not None:
                amounts.append((field.part, amount))
        wrong = any(field.is_wrong for field in self.query(PartField))
        wrong = self._is_too_much(amounts) or wrong
        self._add_up(amounts)
        return None if wrong else amounts

    def _is_too_much(self, amounts: Sequence[tuple[Part, int]]) -> bool:
        """Say where more of a payment is given away than there is."""
        numbers = {field.part.number for field in self.query(PartField)}
        links = self._split.index.book.ledger.decisions.links
        given: dict[str, int] = {}
        is_wrong = False
        for field in self.query(PartField):
            amount = next((one for part, one in amounts if part is field.part), 0)
            payment = field.part.payment
            room = room_left(payment.received, payment.asked, links, payment.id, numbers)
            given[payment.id] = given.get(payment.id, 0) + amount
            if amount and given[payment.id] > room:
                left = max(room - given[payment.id] + amount, 0)
                field.say(f"Only {fmt.money(left, payment.asset)} is left.", Note.BAD)
                is_wrong = True
        return is_wrong

    def _add_up(self, amounts: Sequence[tuple[Part, int]]) -> None:
        target, asset, of = self._split.target
        line = self.query_one("#sum", NoteLine)
        if any(part.payment.asset != asset for part, _ in amounts):
            line.say("The currencies differ; the sum is for you to judge.", Note.WARN)
            return
        total = sum(amount for _, amount in amounts)
        words = f"{fmt.number(total, asset.scale)} {of}'s {fmt.money(target, asset)}"
        rest = target - total
        if rest:
            words += f"; {fmt.number(abs(rest), asset.scale)} {'left' if rest > 0 else 'too much'}"
        line.say(words, Note.GOOD if not rest else Note.HINT)

    def question(self) -> str:
        """Return what leaving now would lose."""
        fields = list(self.query(PartField))
        is_as_it_was = [field.part for field in fields] == list(self._split.parts)
        if is_as_it_was and not any(field.is_touched for field in fields):
            return ""
        return "The split has not been saved."

    # Keys

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Keep the split."""
        amounts = self.check()
        if amounts is None:
            wrong = first_wrong(self)
            if wrong is not None:
                wrong.focus()
            self.outcome.say("Nothing was saved: see the marked lines.", Note.BAD)
            return
        if not amounts and not self._present():
            self.outcome.say("No amount is typed, so there is nothing to save.", Note.BAD)
            return
        self.dismiss(self._verdicts(amounts))

    @on(Button.Pressed, "#leave")
    def _leave(self) -> None:
        self.action_leave()

    @on(Button.Pressed, "#add")
    def action_add_row(self) -> None:
        """Choose one more invoice, or payment."""
        there = {field.part.name for field in self.query(PartField)}
        more = self._split.more()
        choices = more._replace(names=[name for name in more.names if name not in there])

        def chosen(name: str | None) -> None:
            if name is not None:
                field = PartField(self._split.add(name))
                self.query_one("#parts").mount(field)
                self.call_after_refresh(field.input.focus)
                self.call_after_refresh(self.check)

        self.app.push_screen(PickScreen("Add which one?", choices), chosen)

    def _present(self) -> list[Part]:
        return [field.part for field in self.query(PartField) if field.part.amount is not None]

    def _verdicts(self, amounts: Sequence[tuple[Part, int]]) -> Saved:
        """Return the links; what is matched and was emptied is rejected or taken back."""
        kept = {part.name for part, _ in amounts}
        verdicts = [
            Verdict(part.payment.wallet, DecisionKind.LINK, part.number, part.payment.id, amount)
            for part, amount in amounts
        ]
        undone: list[Decision] = []
        for part in self._present():
            if part.name in kept:
                continue
            pair = (part.number, part.payment.id)
            linked = [
                one
                for one in self._split.index.standing
                if one.kind is DecisionKind.LINK and (one.invoice, one.payment_id) == pair
            ]
            undone += linked
            if not linked:
                wallet = part.payment.wallet
                verdicts.append(Verdict(wallet, DecisionKind.REJECTION, *pair))
        return verdicts, undone
