"""The till: an amount and a reference become a payment, and the sales of today stand beside it."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.widgets import Input, Label, Static

from opdash.errors import InputError
from opdash.ledger.records import Change, Creation, CreationStatus
from opdash.openpayments.amounts import Asset, format_minor
from opdash.openpayments.errors import OpenPaymentsError
from opdash.service.drafts import PaymentDraft
from opdash.service.events import CreationChanged, Event, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.service.till import (
    SPANS,
    USUAL_SPAN,
    Sale,
    sale_of,
    sale_under_way,
    sales_today,
    seen_remark,
    till_draft,
)
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.failures import told
from opdash.tui.screens.modal import OpdashModal
from opdash.tui.screens.till_sale import SaleEnded, SaleScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.till_words import ended_sentence
from opdash.tui.widgets.big_text import BigText
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.demo_banner import DemoBanner
from opdash.tui.widgets.form_field import FormField, Note, NoteLine
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.session_header import SessionHeader
from opdash.tui.widgets.till_inputs import TillAmount, TillInput
from opdash.tui.widgets.till_sales import TillSales

UNKNOWN = (
    "No answer came: unknown, checking. opdash looks for the payment in the wallet's list and "
    "never sends it a second time by itself. Wait: its QR code comes up once it is found."
)
"""What is told when nobody knows whether the payment exists."""

_WITHOUT_REFERENCE = "Type or scan a reference, or press Enter once more to go without one."
_SCANNED = "Was that a barcode? Enter once more asks for this amount; Esc empties the form."
_NO_AMOUNT = "Type the amount first."
_UNKNOWN_WALLET = (
    "opdash does not know this wallet's asset yet. It asks again by itself; the till opens as soon "
    "as the wallet has answered once."
)
_BARCODE = 8
"""So many figures without a decimal mark may be a barcode that was read into the amount."""

_TALL = 34
"""From so many rows on the amount is as large as can be."""

_USUAL_ROWS, _MOST_ROWS = 5, 8


class TillScreen(OpdashModal[None]):
    """Takes one sale after the other.

    Args:
        session: The wallet that is paid.
    """

    PLACE = Place.TILL
    HOLDS_NEWS = False  # it stays open all day
    CSS_PATH = sheets("modals", "forms", "till")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.TILL)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (104, "-wide")]  # noqa: RUF012 - as Textual has it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (_TALL, "-tall")]  # noqa: RUF012 - likewise
    AUTO_FOCUS = "#amount Input"

    def __init__(self, session: WalletSession) -> None:
        super().__init__()
        self._session = session
        self._sending = False
        self._awaited: Creation | None = None
        self._confirmed = ""
        self._leaving = False
        self._shown: tuple[int, date] | None = None
        self._is_known = session.wallet is not None

    # Layout

    def compose(self) -> ComposeResult:
        """Lay the form beside or over the sales of today."""
        if self.opdash.demo:
            yield DemoBanner()
        yield SessionHeader(self._session, lambda: ("at the till", "till"))
        wallet = self._session.wallet
        if wallet is None:
            yield Static(_UNKNOWN_WALLET, id="till-unknown", markup=False)
        else:
            with Container(id="till-body"):
                with Vertical(id="till-form"):
                    yield BigText(id="till-amount")
                    yield from self._fields(wallet.asset)
                    yield NoteLine(id="till-note")
                yield TillSales(id="till-sales")
        yield KeyLine(self.PLACE)

    def _fields(self, asset: Asset) -> ComposeResult:
        code = Label(fmt.asset_code(asset), classes="unit", markup=False)
        yield FormField("Amount", TillAmount(asset), code, id="amount")
        yield FormField(
            "Reference", TillInput(placeholder="typed or scanned", compact=True), id="reference"
        )
        spans = ChoiceLine(*map(fmt.age, SPANS), chosen=SPANS.index(USUAL_SPAN))
        yield FormField("To pay within", spans, id="within")

    async def on_mount(self) -> None:
        """Show the sales, and the one that was under way when opdash ended."""
        self.set_interval(1.0, self._tick)
        self._begin()

    def _begin(self) -> None:
        if not self._is_known:
            return
        self._show_amount()
        self._reload()
        self._fit()
        self._take_up()

    def on_resize(self) -> None:
        """Choose the size of the figures anew."""
        self._fit()

    def _fit(self) -> None:
        for figures in self.query(BigText):
            figures.set_highest(_MOST_ROWS if self.size.height >= _TALL else _USUAL_ROWS)

    async def _tick(self) -> None:
        if self._session.wallet is None:
            return
        if self.query("#till-unknown") and not self._is_known:
            self._is_known = True
            await self.recompose()
            self._begin()
            self.set_focus(self.query_one(TillAmount))
        self._reload()
        if self._awaited is not None:
            # Another opdash may have found it: only the ledger tells of that.
            found = self.dashboard.reader.creation(self._awaited.request_id)
            if found is not None and found != self._awaited:
                self._follow(found)

    # The sales of today

    def _reload(self, *, anew: bool = False) -> None:
        wallet = self._session.wallet
        sales = self.query(TillSales)
        if wallet is None or not sales:
            return
        now, reader = self._session.now(), self.dashboard.reader
        shown = (reader.revision(wallet.id), now.astimezone().date())
        if anew or shown != self._shown:
            self._shown = shown
            sales.first().show(sales_today(reader, wallet, now))

    def _take_up(self) -> None:
        """Show the sale whose end nobody has seen, such as when opdash was killed."""
        wallet = self._session.wallet
        if wallet is None:
            return
        sale = sale_under_way(self.dashboard.reader, wallet, self._session.now())
        if sale is None:
            return
        self._fill(sale.asked, sale.reference)
        if sale.payment is not None:
            self._show_sale(sale, taken_up=True)
        else:
            self._lock(sending=True)
            self._await(sale.creation)

    # What is typed

    @on(Input.Changed)
    def _typed(self) -> None:
        if self._sending:
            return
        self._leaving = False
        self._confirmed = ""
        self._note.say()
        self._read_amount()
        self._show_amount()

    def _read_amount(self) -> int | None:
        field = self.query_one("#amount", FormField)
        try:
            amount = self.query_one(TillAmount).read()
        except InputError as error:
            field.say_error(error)
            return None
        field.say()
        return amount

    def _show_amount(self) -> None:
        figures = self.query_one("#till-amount", BigText)
        asset = self.query_one(TillAmount).asset
        try:
            amount = self.query_one(TillAmount).read()
        except InputError:
            amount = None
        figures.set_class(amount is None, "-nothing")
        figures.show(fmt.brief_number(amount or 0, asset), unit=fmt.asset_code(asset))

    def _fill(self, amount: int, reference: str) -> None:
        typed = self.query_one(TillAmount)
        with self.prevent(Input.Changed):
            typed.value = format_minor(amount, typed.asset.scale)
            self.query_one("#reference Input", Input).value = reference
        self._show_amount()

    @property
    def _note(self) -> NoteLine:
        return self.query_one("#till-note", NoteLine)

    @property
    def _reference(self) -> str:
        return self.query_one("#reference Input", Input).value.strip()

    # Creating

    def action_go_on(self) -> None:
        """Go to what is still empty; from the last field, create the payment."""
        if self._sending or not self._is_known:
            return
        typed = self.query_one(TillAmount)
        amount = self._read_amount()
        if amount is None:
            if not typed.value.strip():
                self._note.say(_NO_AMOUNT, Note.WARN)
            self.set_focus(typed)
        elif typed.has_focus and not self._reference:
            self._note.say(_WITHOUT_REFERENCE)
            self.set_focus(self.query_one("#reference Input"))
        elif _may_be_barcode(typed.value) and self._confirmed != typed.value:
            self._confirmed = typed.value
            self._note.say(f"{fmt.money(amount, typed.asset)}? {_SCANNED}", Note.WARN)
        else:
            self._send(amount)

    def _send(self, amount: int) -> None:
        span = SPANS[self.query_one(ChoiceLine).index]
        expires_at = self._session.now().replace(microsecond=0) + span
        draft = till_draft(amount, self._reference, expires_at)
        self._lock(sending=True)
        self._note.say("Creating; waiting for the server's answer …", Note.WAIT)
        self._create(draft)

    @work(group="till-create", exit_on_error=False)
    async def _create(self, draft: PaymentDraft) -> None:
        # The session owns the request: leaving the till cancels this waiting and not the POST.
        try:
            creation = await self._session.create_payment(draft)
        except OpenPaymentsError as error:
            advice = "Nothing was created; what you typed is still here: Enter sends it again."
            self._give_back(error.sentence, f"{error.advice} {advice}".lstrip())
        except Exception as error:
            self._give_back(*told(error))
        else:
            self._follow(creation)

    def _follow(self, creation: Creation) -> None:
        match creation.status:
            case CreationStatus.CREATED:
                self._created(creation)
            case CreationStatus.FAILED | CreationStatus.NOT_FOUND:
                self._give_back(
                    creation.error or "The payment was not created.",
                    "What you typed is still here: Enter sends it again.",
                )
            case _:
                self._await(creation)

    def _created(self, creation: Creation) -> None:
        wallet = self._session.wallet
        sale = None if wallet is None else sale_of(creation, self.dashboard.reader, wallet)
        self._awaited = None
        self._reload(anew=True)
        if sale is None or sale.payment is None:
            self._lock(sending=False)
            self._note.say("It was created; look for it among the payments.", Note.WARN)
            return
        self._show_sale(sale)

    def _await(self, creation: Creation) -> None:
        is_new = self._awaited is None
        self._awaited = creation
        self._note.say(UNKNOWN, Note.WAIT)
        if is_new:
            self._session.poll_soon()
            self._reload(anew=True)

    def _give_back(self, sentence: str, advice: str) -> None:
        self._awaited = None
        self._lock(sending=False)
        self._reload(anew=True)
        self._note.say(f"{sentence} {advice}".rstrip(), Note.BAD)
        self.set_focus(self.query_one(TillAmount))

    def _lock(self, *, sending: bool) -> None:
        self._sending = sending
        self._leaving = False
        if sending:
            self.set_focus(None)  # what is typed from now on is meant for nobody
        for field in self.query(FormField):
            field.disabled = sending
        self.query_one(KeyLine).set_off(*(["go_on"] if sending else []))

    # The sale on its own screen

    def _show_sale(self, sale: Sale, *, taken_up: bool = False) -> None:
        self._lock(sending=True)
        self._note.say()
        screen = SaleScreen(self._session, sale, taken_up=taken_up)
        self.app.push_screen(screen, self._sale_ended)

    def _sale_ended(self, ended: SaleEnded | None) -> None:
        self._lock(sending=False)
        self._clear()
        self._reload(anew=True)
        if ended is None:
            return
        row = ended.payment
        untold: dict[str, list[Change]] = {}
        for change in ended.untold:
            untold.setdefault(change.payment.wallet, []).append(change)
        for wallet_id, changes in untold.items():
            self.opdash.tell_news(wallet_id, changes)
        remark = seen_remark(row, ended.deed)
        self.opdash.background(lambda: self._session.remark(row.id, remark), "till-remark")
        good, sentence = ended_sentence(row, is_left=ended.is_left)
        self._note.say(sentence, Note.GOOD if good else Note.WARN)
        if ended.rest:
            self._fill(ended.rest, row.reference)
            self._note.say(f"{sentence} Enter twice asks for this.", Note.WARN)

    def _clear(self) -> None:
        with self.prevent(Input.Changed):
            for typed in self.query(Input):
                typed.value = ""
        self._confirmed = ""
        self.query_one("#amount", FormField).say()
        self._note.say()
        self._show_amount()
        self.set_focus(self.query_one(TillAmount))

    # News and keys

    def hear(self, event: Event) -> None:
        """Follow a payment whose creation got no answer, and what becomes of earlier sales."""
        match event:
            case CreationChanged() if (
                self._awaited is not None and event.creation.request_id == self._awaited.request_id
            ):
                self._follow(event.creation)
            case PaymentsChanged() if event.wallet_id == self._session.wallet_id:
                self._reload()
            case _:
                pass

    def action_leave(self) -> None:
        """Empty the form; leave where it is empty."""
        if self._awaited is not None:
            self._leave_unknown()
        elif self._sending:
            if self._leaving:
                self.dismiss(None)
            self._leaving = True
            self._note.say(
                "The payment is being created; it is not taken back. Esc once more leaves: the "
                "till shows it again when it is opened.",
                Note.WAIT,
            )
        elif any(typed.value for typed in self.query(Input)):
            self._clear()
        else:
            self.dismiss(None)

    def _leave_unknown(self) -> None:
        if not self._leaving:
            self._leaving = True
            self._note.say(
                "The payment may exist, though nobody has seen its code. Esc once more goes on to "
                "the next customer; the checking goes on.",
                Note.WARN,
            )
            return
        self._awaited = None
        self._lock(sending=False)
        self._clear()

    def action_next_field(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def action_previous_field(self) -> None:
        """Go to the previous field."""
        self.focus_previous()

    def action_screen_up(self) -> None:
        """Scroll the sales one screenful up."""
        for rows in self.query("#sales-rows"):
            rows.scroll_page_up(animate=False)

    def action_screen_down(self) -> None:
        """Scroll the sales one screenful down."""
        for rows in self.query("#sales-rows"):
            rows.scroll_page_down(animate=False)


def _may_be_barcode(text: str) -> bool:
    typed = text.strip()
    return typed.isdecimal() and len(typed) >= _BARCODE
