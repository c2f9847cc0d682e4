"""What a person decides about invoices and payments, on every screen of the books."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from opdash.books.book_index import BookIndex
from opdash.books.deciding import check_link
from opdash.books.desk import Desk
from opdash.books.records import InvoiceResult, Link, PaymentClass, PaymentResult
from opdash.errors import InputError
from opdash.ledger.decisions import Decision, DecisionKind, Verdict
from opdash.ledger.states import GLYPHS
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text
from opdash.tui import format as fmt
from opdash.tui.book_view import payment_name
from opdash.tui.screens.pick import Choices, PickScreen
from opdash.tui.widgets.book_facts import decision_words
from opdash.tui.widgets.book_lines import INVOICE_GLYPHS, short_id
from opdash.tui.widgets.line import Span

if TYPE_CHECKING:
    from opdash.tui.screens.base import OpdashScreen

_AT_ONCE = 3_000
"""So many choices are put in order between two key strokes."""

Pair = tuple[str, str]
"""An invoice's name and a payment's URL."""


class Deciding:
    """What the keys for decisions run, where an invoice or a payment is selected."""

    desk: Desk

    @property
    def index(self) -> BookIndex | None:
        """Ways into the book that is shown; None while there is none."""
        raise NotImplementedError

    @property
    def chosen_invoice(self) -> str:
        """The name of the selected invoice, or an empty string."""
        raise NotImplementedError

    @property
    def chosen_payment(self) -> str:
        """The URL of the selected payment where payments are listed, or an empty string."""
        raise NotImplementedError

    async def look(self) -> None:
        """Hold the file against the ledger again, and show it."""
        raise NotImplementedError

    @property
    def _own(self) -> OpdashScreen[None]:
        return cast("OpdashScreen[None]", self)

    # The keys

    def action_accept(self) -> None:
        """Link what is suggested."""
        index = self.index
        if index is None:
            return
        pairs = self._suggested(index)
        if not pairs:
            self._own.tell("Nothing is suggested here.", "l links by hand.")
            return
        self._one_of("Which is it?", pairs, index, self._link_pair)

    def action_reject(self) -> None:
        """Say that two do not belong together."""
        index = self.index
        if index is None:
            return
        pairs = [*self._matched(index), *self._suggested(index)]
        if not pairs:
            self._own.tell("Nothing is matched here that could be rejected.")
            return
        self._one_of("Which one is not it?", pairs, index, self._reject_pair)

    def action_link(self) -> None:
        """Choose what belongs to the selected one."""
        index = self.index
        if index is None:
            return
        if self.chosen_payment:
            url = self.chosen_payment
            title = f"Which invoice is paid by {short_id(url)}?"
            found = index.payments[url]
            self._pick_of(
                index,
                title,
                lambda: invoice_choices(index, found),
                lambda n: self._link_pair((n, url)),
            )
        elif self.chosen_invoice:
            name = self.chosen_invoice
            number = safe_text(index.invoices[name].invoice.number, limit=40)
            title, one = f"Which payment pays {number}?", index.invoices[name]
            self._pick_of(
                index,
                title,
                lambda: payment_choices(index, one),
                lambda u: self._link_pair((name, u)),
            )

    def action_split(self) -> None:
        """Split the selected one."""
        from opdash.tui.screens.split import SplitScreen, split_of_invoice, split_of_payment

        index = self.index
        if index is None or not (self.chosen_payment or self.chosen_invoice):
            return
        if self.chosen_payment:
            split = split_of_payment(index, self.chosen_payment)
        elif index.is_repeated(index.invoices[self.chosen_invoice].invoice.number):
            self._tell_repeated(index, self.chosen_invoice)
            return
        else:
            split = split_of_invoice(index, self.chosen_invoice)

        def saved(found: tuple[Sequence[Verdict], Sequence[Decision]] | None) -> None:
            if found is not None:
                verdicts, undone = found
                self._decide("Split.", verdicts, undone)

        self._own.app.push_screen(SplitScreen(split), saved)

    def action_undo(self) -> None:
        """Take back the last decision that stands."""
        index = self.index
        if index is None:
            return
        if not index.standing:
            self._own.tell("There is nothing to undo.")
            return
        self._undo(index.standing[-1], index)

    def action_undo_one(self) -> None:
        """Choose a decision to take back, the newest first."""
        index = self.index
        if index is None:
            return
        if not index.standing:
            self._own.tell("There is nothing to undo.")
            return
        known = {str(one.id): one for one in reversed(index.standing)}
        now = self._own.dashboard.clock.now()

        def text(name: str) -> str:
            one = known[name]
            return f"{one.id:>4}  {decision_words(one, index)}  {fmt.moment(one.decided_at, now)}"

        choices = Choices(tuple(known), text, lambda name: [Span(text(name))])
        self._pick(
            "Take back which decision?", choices, lambda name: self._undo(known[name], index)
        )

    def action_open_payment(self) -> None:
        """Open the payment of the selected one."""
        index = self.index
        if index is None:
            return
        urls = [self.chosen_payment] if self.chosen_payment else self._payments(index)
        if not urls:
            self._own.tell("It has no payment yet.", "l links one by hand.")
        elif len(urls) == 1:
            self.open_payment(urls[0])
        else:
            choices = payments_to_choose(index, urls)
            self._pick("Open which payment?", choices, self.open_payment)

    def action_copy(self) -> None:
        """Copy the number, or the URL."""
        index = self.index
        if self.chosen_payment:
            self._own.app.copy_to_clipboard(self.chosen_payment)
            self._own.tell("Copied the payment's URL.")
        elif index is not None and self.chosen_invoice:
            self._own.app.copy_to_clipboard(index.invoices[self.chosen_invoice].invoice.number)
            self._own.tell("Copied the invoice's number.")

    def open_payment(self, url: str) -> None:
        """Show a payment on its own screen."""
        from opdash.tui.screens.detail import DetailScreen
        from opdash.tui.screens.wallet_ways import session_at

        index = self.index
        known = None if index is None else index.payments.get(url)
        session = None
        if known is not None:
            session = session_at(self._own.dashboard, known.payment.wallet)
        if session is None:
            self._own.tell("opdash does not know this payment any more.")
            return
        self._own.app.push_screen(DetailScreen(session, url))

    # What is meant

    def _matched(self, index: BookIndex) -> list[Pair]:
        if self.chosen_payment:
            one = index.payments[self.chosen_payment]
            return [(index.rows[found.row], self.chosen_payment) for found in one.matches]
        if not self.chosen_invoice:
            return []
        name = self.chosen_invoice
        return [(name, found.payment_id) for found in index.invoices[name].matches]

    def _suggested(self, index: BookIndex) -> list[Pair]:
        if self.chosen_payment:
            url = self.chosen_payment
            names = [index.rows[row] for row in index.payments[url].candidates]
            if url in index.suggested:
                names.append(index.suggested[url])
            return [(name, url) for name in names]
        if not self.chosen_invoice:
            return []
        name = self.chosen_invoice
        one = index.invoices[name]
        urls = list(one.candidates)
        if one.suggestion is not None:
            urls.append(one.suggestion.payment_id)
        return [(name, url) for url in urls]

    def _payments(self, index: BookIndex) -> list[str]:
        pairs = [*self._matched(index), *self._suggested(index)]
        return list(dict.fromkeys(url for _, url in pairs))

    def _one_of(
        self, title: str, pairs: Sequence[Pair], index: BookIndex, then: Callable[[Pair], None]
    ) -> None:
        """Go on with the only pair, or with the one that a person chooses."""
        if len(pairs) == 1:
            then(pairs[0])
        elif self.chosen_payment:
            url = self.chosen_payment
            choices = invoices_to_choose(index, [name for name, _ in pairs])
            self._pick(title, choices, lambda name: then((name, url)))
        else:
            name = self.chosen_invoice
            choices = payments_to_choose(index, [url for _, url in pairs])
            self._pick(title, choices, lambda url: then((name, url)))

    def _pick_of(
        self,
        index: BookIndex,
        title: str,
        choices: Callable[[], Choices],
        then: Callable[[str], None],
    ) -> None:
        """Let a person choose; many choices are put in order on a thread."""
        if len(index.names) + len(index.payments) <= _AT_ONCE:
            self._pick(title, choices(), then)
            return

        async def work() -> None:
            self._pick(title, await asyncio.to_thread(choices), then)

        self._own.background(work, "choices")

    def _pick(self, title: str, choices: Choices, then: Callable[[str], None]) -> None:
        def chosen(name: str | None) -> None:
            if name is not None:
                then(name)

        self._own.app.push_screen(PickScreen(title, choices), chosen)

    # What is done

    def _link_pair(self, pair: Pair) -> None:
        index = self.index
        if index is None or self._is_unclear(index, pair):
            return
        name, url = pair
        number, payment = index.invoices[name].invoice.number, index.payments[url].payment
        links = index.book.ledger.decisions.links
        try:
            check_link(payment.received, payment.asked, payment.asset, links, Link(number, url))
        except InputError as error:
            self._own.tell(
                error.sentence, "S splits it: say how much is whose.", severity="warning"
            )
            return
        verdict = Verdict(payment.wallet, DecisionKind.LINK, number, url)
        self._decide(f"Linked {safe_text(number, limit=40)} and {short_id(url)}.", [verdict])

    def _reject_pair(self, pair: Pair) -> None:
        index = self.index
        if index is None or self._is_unclear(index, pair):
            return
        name, url = pair
        number, payment = index.invoices[name].invoice.number, index.payments[url].payment
        verdict = Verdict(payment.wallet, DecisionKind.REJECTION, number, url)
        said = f"{short_id(url)} is not {safe_text(number, limit=40)}."
        self._decide(said, [verdict])

    def _is_unclear(self, index: BookIndex, pair: Pair) -> bool:
        """Return whether a decision could not tell what it is about; says so."""
        name, url = pair
        if name not in index.invoices or url not in index.payments:
            self._own.tell("It has changed meanwhile.", severity="warning")
            return True
        if index.is_repeated(index.invoices[name].invoice.number):
            self._tell_repeated(index, name)
            return True
        return False

    def _tell_repeated(self, index: BookIndex, name: str) -> None:
        number = index.invoices[name].invoice.number
        rows = [one.row for one in index.book.file.invoices if one.number == number]
        shown = ", ".join(map(str, rows[:5]))
        self._own.tell(
            f"The file has {safe_text(number, limit=40)} in rows {shown}.",
            "A decision names the number: give each row one of its own first.",
            severity="warning",
        )

    def _undo(self, one: Decision, index: BookIndex) -> None:
        self._decide(f"Undone: {decision_words(one, index)}.", (), [one])

    def _decide(
        self, said: str, verdicts: Sequence[Verdict] = (), undone: Sequence[Decision] = ()
    ) -> None:
        about = [*(one.invoice for one in verdicts), *(one.invoice for one in undone)]

        async def work() -> None:
            await self._own.dashboard.decide(verdicts, undone)
            await self.look()
            index = self.index
            known = None if index is None or not about else index.invoices.get(about[0])
            now = "" if known is None else f"{known.invoice.number} is {known.kind.value} now."
            self._own.tell(said, safe_text(now, limit=100))

        self._own.background(work, "decide")


# What can be chosen


def payment_choices(index: BookIndex, one: InvoiceResult) -> Choices:
    """Return all payments but the invoice's own, the likeliest first.

    That is: those that it may be, those of its amount, what belongs to no invoice yet, the newest.
    """
    own = {found.payment_id for found in one.matches}
    likely = {*one.candidates}
    if one.suggestion is not None:
        likely.add(one.suggestion.payment_id)
    invoice = one.invoice

    def rank(found: PaymentResult) -> tuple[bool, bool, bool]:
        payment = found.payment
        fits = payment.asset == invoice.asset and invoice.amount in (
            payment.received,
            payment.asked,
        )
        is_free = found.kind is PaymentClass.UNMATCHED and payment.received > 0
        return payment.id not in likely, not fits, not is_free

    known = [found for url, found in index.payments.items() if url not in own]
    known.sort(key=rank)
    return payments_to_choose(index, [found.payment.id for found in known])


def payments_to_choose(index: BookIndex, urls: Sequence[str]) -> Choices:
    """Return payments as the rows of a choice."""
    kinds, largest = set(), dict[Asset, int]()
    for url in urls:
        one = index.payments[url]
        kinds.add(one.kind)
        asset, received = one.payment.asset, one.payment.received
        largest[asset] = max(received, largest.get(asset, 0))
    widest = max((len(kind.value) for kind in kinds), default=0)
    room = max((len(fmt.money(most, asset)) for asset, most in largest.items()), default=0)

    def words(url: str) -> tuple[str, str, str, str]:
        found = index.payments[url]
        payment = found.payment
        money = fmt.money(payment.received, payment.asset)
        state = f"{GLYPHS[payment.state]} {payment.state.value}"
        name = safe_text(payment_name(found), limit=60)
        kind = found.kind.value.ljust(widest)
        return short_id(url), f"{state:17}", money.rjust(room), f"{kind}  {name}"

    def line(url: str) -> list[Span]:
        id_, state, money, name = words(url)
        return [
            Span(id_, "muted"),
            Span(f"  {state}"),
            Span(f"  {money}", "strong"),
            Span(f"  {name}"),
        ]

    def text(url: str) -> str:
        return " ".join((url, *words(url), index.payments[url].payment.description))

    return Choices(urls, text, line)


def invoice_choices(index: BookIndex, one: PaymentResult) -> Choices:
    """Return all invoices but those that the payment counts for, the likeliest first."""
    own = {index.rows[found.row] for found in one.matches}
    likely = {index.rows[row] for row in one.candidates}
    likely.add(index.suggested.get(one.payment.id, ""))
    payment = one.payment

    def rank(name: str) -> tuple[bool, bool, bool]:
        found = index.invoices[name]
        amounts = (payment.received, payment.asked)
        fits = found.invoice.asset == payment.asset and found.invoice.amount in amounts
        return name not in likely, not fits, bool(found.matches)

    return invoices_to_choose(index, sorted((n for n in index.names if n not in own), key=rank))


def invoices_to_choose(index: BookIndex, names: Sequence[str]) -> Choices:
    """Return invoices as the rows of a choice."""

    def words(name: str) -> tuple[str, str, str]:
        found = index.invoices[name]
        invoice = found.invoice
        state = f"{INVOICE_GLYPHS[found.kind]} {found.kind.value}"
        number = safe_text(invoice.number, limit=24)
        money = fmt.money(invoice.amount, invoice.asset)
        return (
            f"{number:16}",
            f"{state:19}",
            f"{money:>14}  {safe_text(invoice.customer, limit=40)}",
        )

    def line(name: str) -> list[Span]:
        number, state, rest = words(name)
        return [Span(number, "strong"), Span(f"  {state}"), Span(f"  {rest}")]

    return Choices(names, lambda name: " ".join(words(name)), line)
