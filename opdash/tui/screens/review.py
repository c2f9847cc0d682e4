"""A merchant's invoices beside the payments, kept true while money arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Static

from opdash.books.book_index import BookIndex
from opdash.books.desk import Desk, Look
from opdash.books.records import InvoiceClass, PaymentClass
from opdash.errors import OpdashError
from opdash.safetext import safe_text
from opdash.service.events import Event, PaymentsChanged, ProfileChanged
from opdash.service.session import WalletSession
from opdash.service.status import Phase
from opdash.tui import format as fmt
from opdash.tui.actions import Place, actions_at, bindings
from opdash.tui.book_view import Shown, Side, View, arrange
from opdash.tui.failures import told
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.cursor import CursorActions, Movable
from opdash.tui.screens.deciding import Deciding
from opdash.tui.screens.request import Scrolled
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.book_facts import invoice_entries, payment_entries
from opdash.tui.widgets.book_lines import Columns, glyph_of, painter, sum_lines, tone_of
from opdash.tui.widgets.freshness import freshness
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import GAP, Line, Span, cut, spread, width_of
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.row_list import RowList
from opdash.tui.widgets.rule import Rule
from opdash.tui.widgets.sheet import SheetView, row
from opdash.tui.widgets.span_lines import SpanLines

if TYPE_CHECKING:
    from opdash.tui.screens.invoices import WalletChoice

_TICK: Final = 1.0
_WIDE: Final = 116
_AT_ONCE: Final = 3_000
"""So many rows are put in order between two key strokes; more of them on a thread."""

_LETTERS: Final = tuple(
    action.id
    for action in actions_at(Place.REVIEW)
    if len(action.keys[0]) == 1 or action.keys[0] in ("space", "slash", "colon", "question_mark")
)
_NEED_A_ROW: Final = ("open", "accept", "reject", "link", "split", "open_payment", "copy", "pick")


class ReviewScreen(Deciding, CursorActions, OpdashScreen[None]):
    """The invoices of a file, or the payments, by class; with the evidence beside them.

    Args:
        desk: Holds the file against the ledger; it is closed with this screen.
        wallets: Whose payments.
    """

    PLACE = Place.REVIEW
    CSS_PATH = sheets("books")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.REVIEW)
    AUTO_FOCUS = "RowList"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012 - as Textual has it

    def __init__(self, desk: Desk, wallets: WalletChoice) -> None:
        super().__init__()
        self.desk = desk
        self._wallets = wallets
        self._index: BookIndex | None = None
        self._view = View()
        self._shown: Shown | None = None
        self._kept: dict[Side, tuple[View, str]] = {}
        self._changed: set[str] = set()
        self._picked: dict[str, None] = {}
        self._asked = 0
        self._is_looking = False
        self._looks_again = False
        self._problem = ""

    def compose(self) -> ComposeResult:
        """Place the classes above the rows, and the details beside them."""
        yield Line(id="title")
        yield Notices()
        yield Line(id="classes")
        yield Rule(id="upper-rule")
        with Horizontal(id="body"):
            with Vertical(id="rows"):
                yield Line(id="columns")
                yield RowList()
                yield SheetView(id="empty")
            with VerticalScroll(id="details"):
                yield SheetView()
        yield Rule(id="lower-rule")
        yield SpanLines(id="sums")
        with Horizontal(id="filter-row"):
            yield Static("/", id="filter-mark")
            yield Input(
                placeholder="lamp  paid  -late  12.50",
                compact=True,
                max_length=200,
                id="filter-input",
            )
        yield Line(id="status")
        yield KeyLine(Place.REVIEW)

    def on_mount(self) -> None:
        """Look, and go on looking."""
        self.query_one("#filter-row").display = False
        self.set_interval(_TICK, self._tick)
        self._look_soon()
        self._fill()

    def on_unmount(self) -> None:
        """Clear the desk."""
        self.desk.close()

    def on_resize(self) -> None:
        """Fit every line, once the list knows its width."""
        self.call_after_refresh(self._fill)

    def hear(self, event: Event) -> None:
        """Look again where payments changed."""
        if isinstance(event, PaymentsChanged | ProfileChanged):
            self._look_soon()
        else:
            self._fill_title()

    # Looking

    def _tick(self) -> None:
        self._fill_title()
        self._look_soon()

    def _look_soon(self) -> None:
        if self._is_looking:
            self._looks_again = True
            return
        self._is_looking = True
        self.background(self._look_until_done, "look")

    async def _look_until_done(self) -> None:
        try:
            await self.look()
        finally:
            self._is_looking = False
        if self._looks_again and self.is_attached:
            self._looks_again = False
            self._look_soon()

    async def look(self) -> None:
        """Hold the file against the ledger again, and show what has changed."""
        try:
            found = await self.desk.look()
        except OpdashError as error:
            self._tell(" ".join(told(error)).strip())
            return
        self._tell(f"{self.desk.trouble} This is the file as it was." if self.desk.trouble else "")
        if found is not None and self.is_attached:
            index = await asyncio.to_thread(BookIndex, found.book)
            await self._take(found, index)

    async def _take(self, found: Look, index: BookIndex) -> None:
        self._index = index
        known = index.invoices
        if not found.is_first:
            self._changed |= {change.name for change in found.invoices}
            self._changed |= {change.after.payment.id for change in found.payments}
        self._changed = {one for one in self._changed if one in known or one in index.payments}
        self._changed.discard(self._list.selected)
        self._picked = {name: None for name in self._picked if name in known}
        if found.has_read_again:
            count = fmt.count(len(index.names), "invoice")
            self.tell(f"{found.book.path.name} has changed and was read again: {count}.")
        await self._arrange()

    def _tell(self, problem: str) -> None:
        if problem != self._problem and self.is_attached:
            self._problem = problem
            self.query_one(Notices).tell(problem, ())

    # Arranging

    async def _arrange(self) -> None:
        """Put the rows in order; many of them on a thread, where only the last wish counts."""
        index, view = self._index, self._view
        if index is None:
            return
        self._asked += 1
        number = self._asked
        if len(index.names) + len(index.payments) <= _AT_ONCE:
            shown = arrange(index, view)
        else:
            shown = await asyncio.to_thread(arrange, index, view)
        if number == self._asked and self.is_attached:
            self._shown = shown
            self._fill()

    def _see(self, **changes: object) -> None:
        self._view = replace(self._view, **changes)
        index = self._index
        if index is not None and len(index.names) + len(index.payments) <= _AT_ONCE:
            self._asked += 1
            self._shown = arrange(index, self._view)
            self._fill()
        else:
            self.background(self._arrange, "arrange")

    # What is there

    @property
    def index(self) -> BookIndex | None:
        """Ways into the book."""
        return self._index

    @property
    def _list(self) -> RowList:
        return self.query_one(RowList)

    @property
    def _is_of_invoices(self) -> bool:
        return self._shown is None or self._shown.view.side is Side.INVOICES

    @property
    def chosen_invoice(self) -> str:
        """The name of the invoice under the cursor."""
        name = self._list.selected
        known = self._index is not None and name in self._index.invoices
        return name if known and self._is_of_invoices else ""

    @property
    def chosen_payment(self) -> str:
        """The URL of the payment under the cursor."""
        name = self._list.selected
        known = self._index is not None and name in self._index.payments
        return name if known and not self._is_of_invoices else ""

    @property
    def picked(self) -> tuple[str, ...]:
        """The names of the picked invoices, in the order of the file."""
        index = self._index
        return () if index is None else tuple(n for n in index.names if n in self._picked)

    def movable(self) -> Movable:
        """Return the list, or the details while they have the focus."""
        details = self.query_one("#details", VerticalScroll)
        if details.has_focus:
            return Scrolled(details)
        if self._filter.has_focus:
            self._list.focus()
        return self._list

    @property
    def _filter(self) -> Input:
        return self.query_one("#filter-input", Input)

    def _sessions(self) -> list[WalletSession]:
        return [self.dashboard.session(name) for name in self._wallets.names]

    # Showing

    def _fill(self) -> None:
        if not self.is_attached:
            return
        shown, index, listed = self._shown, self._index, self._list
        self._fill_title()
        if shown is None or index is None:
            self._fill_empty("Holding the invoices against the payments …")
            return
        now = self.dashboard.clock.now()
        changed, picked = self._changed, self._picked
        paint = painter(index, shown, listed.room, now, changed=changed, picked=picked)
        listed.show(shown.names, paint)
        if shown.names:
            self._fill_empty("")
            heading = Columns(shown, listed.room).heading()
            self.query_one("#columns", Line).show(cut(heading, listed.room + 2))
        else:
            self._fill_empty(self._why_none(shown))
        self._fill_classes(shown)
        self.query_one("#sums", SpanLines).show(sum_lines(shown))
        self._fill_status(shown, index)
        self._fill_details()

    def _fill_empty(self, words: str) -> None:
        empty = self.query_one("#empty", SheetView)
        empty.display = bool(words)
        self._list.display = not words
        self.query_one("#columns", Line).display = not words
        empty.show([row("", words)])

    def _why_none(self, shown: Shown) -> str:
        view = shown.view
        if view.words.strip():
            return f"Nothing has all of: {safe_text(view.words, limit=80)}. Esc shows all again."
        if view.kind is not None:
            return f"Nothing is {view.kind.value} any more. ← and → show other classes."
        if view.exceptions:
            return "● Nothing needs anybody. e shows everything."
        if view.side is Side.INVOICES:
            return "The file has no invoice that can be read."
        return "No payment of these wallets is known yet."

    def _fill_title(self) -> None:
        if not self.is_attached:
            return
        source = self.desk.source
        name = "" if source is None else safe_text(source.path.name, limit=40)
        left = [Span(" opdash", "accent"), GAP, Span(name, "strong"), GAP]
        left.append(Span(f"against {self._wallets.words}", "muted"))
        if len(self.dashboard.profiles) > 1:
            left += [GAP, Span("w", "accent", "screen.wallets")]
            left.append(Span(" others", "muted", "screen.wallets"))
        width = self.size.width
        self.query_one("#title", Line).show(spread(left, self._standing(width), width))

    def _standing(self, width: int) -> list[Span]:
        """Say how fresh it is: of one wallet in full, of several how many answer."""
        sessions = self._sessions()
        if len(sessions) == 1:
            one = sessions[0]
            interval = timedelta(seconds=one.profile.poll_interval)
            short = width < _WIDE
            return [*freshness(one.status, one.now(), interval, short=short), Span(" ")]
        live = sum(one.status.phase is Phase.LIVE for one in sessions)
        if live == len(sessions):
            return [Span(f"● {live} wallets live ", "good")]
        return [Span(f"▲ {live} of {len(sessions)} wallets live ", "attention")]

    def _fill_classes(self, shown: Shown) -> None:
        view, width = shown.view, self.size.width
        total = sum(shown.counts.values())
        what = "Invoices" if view.side is Side.INVOICES else "Payments"
        tabs: list[list[Span]] = [self._tab(f"{what} {total:,}", view.kind is None, "plain", 0)]
        for place, kind in enumerate(self._kinds(), 1):
            count = shown.counts.get(kind, 0)
            if count or kind is view.kind:
                words = f"{glyph_of(kind)} {kind.value} {count:,}"
                tabs.append(self._tab(words, kind is view.kind, tone_of(kind), place))
        chosen = next((n for n, tab in enumerate(tabs) if tab[0].text.startswith("[")), 0)
        while chosen > 1 and width_of(chain(*tabs[: chosen + 1])) > width - 1:
            del tabs[1]  # those before the chosen one give way, and the rest is cut
            chosen -= 1
        self.query_one("#classes", Line).show(cut([Span(" "), *chain(*tabs)], width))

    @staticmethod
    def _tab(words: str, is_chosen: bool, tone: str, place: int) -> list[Span]:
        action = f"screen.show_class({place})"
        if is_chosen:
            return [
                Span("[", "accent", action),
                Span(words, "strong", action),
                Span("] ", "accent"),
            ]
        return [Span(" "), Span(words, "muted" if tone == "plain" else tone, action), Span("  ")]

    def _fill_status(self, shown: Shown, index: BookIndex) -> None:
        book, view = index.book, shown.view
        left = [Span(" "), Span(f"{self._list.position + 1:,}/{len(shown.names):,}", "muted")]
        if not shown.names:
            left = [Span(" 0", "muted")]
        if view.exceptions:
            left += [GAP, Span("exceptions only", "attention")]
        elif shown.exceptions:
            words = "need a look" if shown.exceptions > 1 else "needs a look"
            left += [GAP, Span(f"▲ {shown.exceptions:,} {words}", "attention")]
        elif book.is_clear:
            left += [GAP, Span("● all clear", "good")]
        if self._picked:
            left += [GAP, Span(f"✓ {len(self._picked):,} picked", "accent")]
        if book.file.problems:
            count = fmt.count(len(book.file.problems), "row")
            left += [GAP, Span(f"▲ {count} left out", "attention")]
        if not book.ledger.is_complete:
            left += [GAP, Span(self._incomplete(index), "attention")]
        signs = [("» suggestion ", bool(index.suggested)), ("• changed ", bool(self._changed))]
        right = [Span(words, "muted") for words, is_there in signs if is_there]
        self.query_one("#status", Line).show(spread(left, right, self.size.width))

    @staticmethod
    def _incomplete(index: BookIndex) -> str:
        known = index.book.ledger.known
        if any(one.last_poll_at is None and not one.known for one in known):
            return "▲ a wallet was never reached"
        return "▲ the server has older payments"

    def _fill_details(self) -> None:
        index, now = self._index, self.dashboard.clock.now()
        view = self.query_one("#details SheetView", SheetView)
        if index is not None and self.chosen_invoice:
            one = index.invoices[self.chosen_invoice]
            view.show(invoice_entries(one, index, now, whole=False))
        elif index is not None and self.chosen_payment:
            view.show(payment_entries(index.payments[self.chosen_payment], index, now))
        else:
            view.show([])
        self._fill_keys()

    def _fill_keys(self) -> None:
        """Dim what does nothing: without a row, or while letters are typed into the filter."""
        off = () if self.chosen_invoice or self.chosen_payment else _NEED_A_ROW
        self.query_one(KeyLine).set_off(*(_LETTERS if self._filter.has_focus else off))

    def on_descendant_focus(self) -> None:
        """Show which keys work now."""
        self._fill_keys()

    def on_descendant_blur(self) -> None:
        """Show which keys work now."""
        self._fill_keys()

    def on_row_list_moved(self) -> None:
        """Show the row under the cursor; it has been looked at now."""
        self._changed.discard(self._list.selected)
        if self._shown is not None and self._index is not None:
            self._fill_status(self._shown, self._index)
        self._fill_details()

    def on_row_list_chosen(self) -> None:
        """Open the row that was clicked on twice."""
        self.action_open()

    # Choosing what is shown

    def action_other_side(self) -> None:
        """Change between invoices and payments; each side stays as it was left."""
        self._kept[self._view.side] = (self._view, self._list.selected)
        side = Side(1 - self._view.side)
        self._view, name = self._kept.get(side, (View(side=side), ""))
        self._set_filter(self._view.words)
        self._see()
        self._list.select(name)
        self._fill_details()

    def action_show_class(self, place: int) -> None:
        """Show one class; 0 is all of them."""
        every: Sequence[InvoiceClass | PaymentClass] = self._kinds()
        self._see(kind=every[place - 1] if place else None)

    def _kinds(self) -> Sequence[InvoiceClass | PaymentClass]:
        return tuple(InvoiceClass) if self._view.side is Side.INVOICES else tuple(PaymentClass)

    def action_next_class(self) -> None:
        """Show the next class that has any; after the last all."""
        self._step_class(1)

    def action_previous_class(self) -> None:
        """Show the class before."""
        self._step_class(-1)

    def _step_class(self, by: int) -> None:
        counts = {} if self._shown is None else self._shown.counts
        there = [None, *(kind for kind in self._kinds() if counts.get(kind))]
        place = there.index(self._view.kind) if self._view.kind in there else 0
        self._see(kind=there[(place + by) % len(there)])

    def action_exceptions(self) -> None:
        """Show only what needs somebody, or everything again."""
        self._see(exceptions=not self._view.exceptions)

    def action_sort(self) -> None:
        """Sort by the next column."""
        column = (self._view.column + 1) % len(self._view.columns)
        self._see(column=column, descending=False)
        self.tell(f"Sorted by {self._view.columns[column].lower()}.")

    def action_sort_by(self, number: int) -> None:
        """Sort by a column; once more turns the order round."""
        if number <= len(self._view.columns):
            again = self._view.column == number - 1
            self._see(column=number - 1, descending=again and not self._view.descending)

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one("#filter-row").display = True
        self._filter.focus()

    def _set_filter(self, words: str) -> None:
        with self.prevent(Input.Changed):
            self._filter.value = words
        self.query_one("#filter-row").display = bool(words)

    @on(Input.Changed, "#filter-input")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._see(words=event.value)

    @on(Input.Submitted, "#filter-input")
    def _kept_filter(self, event: Input.Submitted) -> None:
        event.stop()
        self._list.focus()
        if not event.value.strip():
            self._set_filter("")

    def action_switch_pane(self) -> None:
        """Change between the list and the details, where both are there."""
        details = self.query_one("#details")
        if self._list.has_focus and details.display:
            details.focus()
        else:
            self._list.focus()

    # Picking

    def action_pick(self) -> None:
        """Pick the invoice under the cursor, or let go of it, and go on to the next."""
        name = self.chosen_invoice
        if not name:
            return
        if name in self._picked:
            del self._picked[name]
        else:
            self._picked[name] = None
        self._list.move(1)
        self._fill()

    def action_pick_all(self) -> None:
        """Pick all invoices shown that have no payment, or let go of all."""
        index, shown = self._index, self._shown
        if index is None or shown is None or not self._is_of_invoices:
            return
        if self._picked:
            self._picked = {}
        else:
            free = (name for name in shown.names if not index.invoices[name].matches)
            self._picked = dict.fromkeys(free)
        self._fill()

    def action_bill(self) -> None:
        """Create payments for the picked invoices, or for all that have none."""
        from opdash.tui.screens.bill import BillScreen

        index, source = self._index, self.desk.source
        if index is None or source is None:
            return
        profile = self.dashboard.settings.profile(self._wallets.names[0])
        invoices = [index.invoices[name].invoice for name in self.picked]

        def ended(how: object) -> None:
            if how is not None:
                self._picked = {}
            self._look_soon()

        self.app.push_screen(BillScreen(profile, source, invoices), ended)

    # Elsewhere

    def action_open(self) -> None:
        """Show the whole invoice, or the payment."""
        from opdash.tui.screens.invoice import InvoiceScreen

        if self._filter.has_focus:
            self._list.focus()
        elif self.chosen_payment:
            self.open_payment(self.chosen_payment)
        elif self.chosen_invoice:
            self.app.push_screen(InvoiceScreen(self, self.chosen_invoice))

    def action_wallets(self) -> None:
        """Hold the file against one wallet after the other, or against all."""
        if len(self.dashboard.profiles) < 2:
            self.tell("There is only one wallet.")
            return
        self._wallets.next()
        self._fill_title()
        self._look_soon()

    def action_file(self) -> None:
        """Choose another file, or change how this one is read."""
        from opdash.tui.screens.invoices import InvoicesScreen

        def taken(is_so: bool | None) -> None:
            if is_so:
                self._index, self._shown = None, None
                self._changed, self._picked = set(), {}
                self._fill()
                self._look_soon()

        self.app.push_screen(InvoicesScreen(self.desk, self._wallets.first), taken)

    def action_refresh(self) -> None:
        """Ask the servers now."""
        for session in self._sessions():
            session.poll_soon()
        self._look_soon()

    def action_back(self) -> None:
        """Clear the filter; without one, go back."""
        if self._filter.has_focus or self._view.words:
            self._set_filter("")
            self._list.focus()
            self._see(words="")
        else:
            self.dismiss(None)
