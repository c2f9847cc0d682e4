"""A payment looked up by its URL: an outgoing one of one's own, or what anyone may read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlsplit

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input

from opdash.errors import InputError, OpdashError
from opdash.ledger.outgoing import (
    OutgoingState,
    OutgoingVerdict,
    SeenOutgoing,
    is_settled,
    judge,
    look_again_after,
    may_have_brought_all,
)
from opdash.ledger.records import PaymentRow
from opdash.openpayments.addresses import parse_resource_url
from opdash.openpayments.amounts import Amount
from opdash.openpayments.resources import OutgoingPayment
from opdash.service.events import Event, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.base import OpdashScreen
from opdash.tui.screens.wallet_ways import known_payment, open_incoming
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.demo_banner import DemoBanner
from opdash.tui.widgets.form_field import FormField, Note
from opdash.tui.widgets.header import OUTGOING_WORDS
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.outgoing_facts import outgoing_entries, public_entries
from opdash.tui.widgets.payment_facts import head_entries
from opdash.tui.widgets.session_header import SessionHeader
from opdash.tui.widgets.sheet import Entry, SheetView

_TICK = 1.0
_HINT = "Paste the URL of an outgoing payment, or of any incoming payment, and press Enter."


class OutgoingScreen(OpdashScreen[None]):
    """Asks for a payment's URL and shows what may be known of it."""

    PLACE = Place.OUTGOING
    CSS_PATH = sheets("forms", "outgoing")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.OUTGOING)
    AUTO_FOCUS = "#url Input"

    def __init__(self, session: WalletSession, url: str = "") -> None:
        super().__init__()
        self._session = session
        self._first_url = url
        self._asked_url = ""
        self._payment: OutgoingPayment | None = None
        self._seen_at: datetime | None = None
        self._sent_changed_at: datetime | None = None
        self._look_at: datetime | None = None
        self._answers = True
        self._receiver: PaymentRow | None = None
        self._arrived: Amount | None = None

    def compose(self) -> ComposeResult:
        """Lay the parts out."""
        if self.opdash.demo:
            yield DemoBanner()
        yield SessionHeader(self._session, lambda: OUTGOING_WORDS[self._session.may_read_outgoing])
        yield FormField(
            "Look up",
            Input(self._first_url, placeholder="https://…", compact=True),
            hint=_HINT,
            id="url",
        )
        with VerticalScroll(id="result"):
            yield SheetView()
        yield KeyLine(Place.OUTGOING)

    def on_mount(self) -> None:
        """Look up the URL that was handed in, and keep what is shown up to date."""
        self.set_interval(_TICK, self._tick)
        if self._first_url:
            self.action_look_up()

    # Asking

    @on(Input.Submitted)
    def action_look_up(self) -> None:
        """Ask for the payment at the typed URL."""
        typed = self.query_one("#url Input", Input).value
        if not typed.strip():
            self._field.say("There is no URL yet.", Note.BAD)
            return
        try:
            url = parse_resource_url(typed)
        except InputError as error:
            self._field.say_error(error)
            return
        if url != self._asked_url:
            self._forget()
            self._remember(self.dashboard.reader.outgoing(url))
        self._asked_url = url
        self._field.say("Asking …", Note.WAIT)
        self._look_up(url, asked=True)

    def action_refresh(self) -> None:
        """Ask again for the payment that is shown."""
        if self._asked_url:
            self._look_up(self._asked_url)

    def _tick(self) -> None:
        self._paint()
        if self._look_at is not None and self._session.now() >= self._look_at:
            self._follow()

    def _follow(self) -> None:
        """Ask again for a payment that is under way; one that is final is left alone."""
        self._look_at = None
        if self._payment is not None and self._judge(self._payment).state is OutgoingState.SENDING:
            self._look_up(self._asked_url)

    def _plan_next_look(self) -> None:
        payment, now = self._payment, self._session.now()
        self._look_at = None
        if payment is None or self._judge(payment).state is not OutgoingState.SENDING:
            return
        interval = timedelta(seconds=self._session.profile.poll_interval)
        self._look_at = now + look_again_after(
            payment, now, interval, sent_changed_at=self._sent_changed_at
        )

    @work(group="lookup", exclusive=True, exit_on_error=False)
    async def _look_up(self, url: str, *, asked: bool = False) -> None:
        try:
            entries = await self._ask(url)
        except Exception as error:
            self._field.say_error(error)
            self._answers = False
            self._plan_next_look()
            if self._payment is None:
                self._view.show(())
            self._paint()
            return
        self._answers = True
        self._field.say()
        if entries:
            self._forget()
            self._view.show(entries)
        self._plan_next_look()
        self._paint()
        if asked:
            self.query_one("#result").focus()

    async def _ask(self, url: str) -> list[Entry]:
        if not names_incoming(url):
            payment = await self.dashboard.outgoing_payment(url, first=self._session.profile.name)
            self._take(payment)
            await self._ask_receiver(payment)
            return []
        known = known_payment(self.dashboard, url)
        if known is not None:
            return head_entries(known, self._session.now(), whole=True)
        return public_entries(url, await self._session.public_payment(url))

    async def _ask_receiver(self, payment: OutgoingPayment) -> None:
        """Learn what anyone may read of a receiver that is somebody else's.

        The sender's server never says that it is done, so what has arrived is the best sign.
        """
        if self._judge(payment).state is not OutgoingState.SENDING or self._receiver is not None:
            return
        try:
            public = await self._session.public_payment(payment.receiver)
        except OpdashError:
            return
        self._arrived = public.received_amount

    def _take(self, payment: OutgoingPayment) -> None:
        known = self.dashboard.reader.outgoing(payment.id)
        before = self._payment
        if known is not None:
            self._sent_changed_at = known.sent_changed_at
        elif before is not None and before.sent_amount != payment.sent_amount:
            self._sent_changed_at = self._session.now()
        self._payment, self._seen_at = payment, self._session.now()
        self._receiver = known_payment(self.dashboard, payment.receiver)

    def _remember(self, seen: SeenOutgoing | None) -> None:
        """Show what was seen before, until the server has answered, or where it does not."""
        if seen is not None:
            self._payment, self._seen_at = seen.payment, seen.last_seen_at
            self._sent_changed_at = seen.sent_changed_at
            self._receiver = known_payment(self.dashboard, seen.payment.receiver)
            self._paint()
            self.query_one("#result").focus()

    def _forget(self) -> None:
        self._payment, self._seen_at, self._receiver = None, None, None
        self._sent_changed_at, self._arrived, self._look_at = None, None, None
        self._view.show(())

    def hear(self, event: Event) -> None:
        """Take note of what becomes of the receiver, where it is one of one's own."""
        if isinstance(event, PaymentsChanged) and self._payment is not None:
            for change in event.changes:
                if change.payment.id == self._payment.receiver:
                    self._receiver = change.payment

    # Showing

    @property
    def _field(self) -> FormField:
        return self.query_one("#url", FormField)

    @property
    def _view(self) -> SheetView:
        return self.query_one("#result SheetView", SheetView)

    def _paint(self) -> None:
        keys = self.query_one(KeyLine)
        keys.set_off(*(["copy_url"] if self._payment is None else []), *self._no_receiver())
        if self._payment is None:
            return
        now = self._session.now()
        name = "" if self._receiver is None else self._wallet_name(self._receiver.wallet)
        self._view.show(
            outgoing_entries(
                self._payment,
                self._judge(self._payment),
                now,
                receiver=self._receiver,
                receiver_name=name,
                seen_at=self._seen_at,
                answers=self._answers,
                look_at=self._look_at,
            )
        )

    def _no_receiver(self) -> list[str]:
        return ["open_receiver"] if self._receiver is None else []

    def _judge(self, payment: OutgoingPayment) -> OutgoingVerdict:
        return judge(
            payment,
            self._session.now(),
            sent_changed_at=self._sent_changed_at,
            receiver_settled=self._settled(payment),
        )

    def _settled(self, payment: OutgoingPayment) -> bool | None:
        if self._receiver is not None:
            return is_settled(self._receiver, payment)
        arrived, due = self._arrived, payment.receive_amount
        if arrived is None or arrived.asset != due.asset:
            return None
        covers = arrived.minor_units >= due.minor_units and may_have_brought_all(payment)
        return True if covers else None

    def _wallet_name(self, wallet_id: str) -> str:
        for profile in self.dashboard.profiles:
            if self.dashboard.session(profile.name).wallet_id == wallet_id:
                return profile.title
        return ""

    # Keys

    def action_edit_url(self) -> None:
        """Type another URL."""
        typed = self.query_one("#url Input", Input)
        typed.focus()
        typed.select_all()

    def action_open_receiver(self) -> None:
        """Open the incoming payment that it pays."""
        if self._payment is not None:
            open_incoming(self, self._payment.receiver)

    def action_copy_url(self) -> None:
        """Copy the URL of the outgoing payment."""
        if self._payment is not None:
            self.app.copy_to_clipboard(self._payment.id)
            self.tell("Copied the outgoing payment's URL.")

    def action_back(self) -> None:
        """Go back to the payments."""
        self.dismiss(None)

    def action_line_up(self) -> None:
        """Scroll one line up."""
        self.query_one("#result").scroll_up(animate=False)

    def action_line_down(self) -> None:
        """Scroll one line down."""
        self.query_one("#result").scroll_down(animate=False)

    def action_screen_up(self) -> None:
        """Scroll one screenful up."""
        self.query_one("#result").scroll_page_up(animate=False)

    def action_screen_down(self) -> None:
        """Scroll one screenful down."""
        self.query_one("#result").scroll_page_down(animate=False)

    def action_top(self) -> None:
        """Scroll to the top."""
        self.query_one("#result").scroll_home(animate=False)

    def action_bottom(self) -> None:
        """Scroll to the bottom."""
        self.query_one("#result").scroll_end(animate=False)


def names_incoming(url: str) -> bool:
    """Return whether a payment's URL is one of an incoming payment, by its path."""
    return "incoming-payments" in urlsplit(url).path.split("/")
