"""The form that completes a payment: fetched anew, told plainly, and never by accident."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from opdash.ledger.records import PaymentRow
from opdash.openpayments.amounts import AmountError, parse_minor
from opdash.openpayments.errors import UnansweredError
from opdash.service.completions import (
    ChangedMeanwhile,
    NotCompletable,
    Seen,
    check_completable,
)
from opdash.service.events import Event, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.tui.actions import Place, bindings
from opdash.tui.format import asset_code, money, payment_name
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.form_field import FormField, Note
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.payment_facts import completion_entries
from opdash.tui.widgets.sheet import SheetView


class Step(Enum):
    """How far the form has come."""

    FETCHING = "fetching"
    """The payment is being fetched anew."""
    BLOCKED = "blocked"
    """It cannot be completed, or not before it has been fetched anew; the outcome says why."""
    READY = "ready"
    """The person decides."""
    ASKING = "asking"
    """The server has been asked to complete it."""
    UNKNOWN = "unknown"
    """The server was asked, and nobody knows what became of it."""
    DONE = "done"
    """It is completed."""


_SURPRISE = "Money has arrived meanwhile: look again."
"""A key that was on its way was meant for another amount, and must not complete this one."""


class CompleteScreen(FormScreen[PaymentRow | None]):
    """Completes one payment; ends with it when it is completed, otherwise with None."""

    PLACE = Place.COMPLETE
    CSS_PATH = sheets("modals", "forms", "complete")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.COMPLETE)
    AUTO_FOCUS = "#leave"

    def __init__(self, session: WalletSession, payment: PaymentRow) -> None:
        super().__init__()
        self._session = session
        self._payment = payment
        self.step = Step.FETCHING
        self._surprised = False

    # Layout

    def title_content(self) -> Content:
        """Return the title; the payment's name follows once it is known."""
        return Content.styled("Complete a payment", "bold")

    def compose_body(self) -> ComposeResult:
        """Yield the facts, the warning, and what must be typed where money is missing."""
        yield SheetView(id="facts")
        yield Static(
            "Completing closes the payment for good: it takes no more money. "
            "This cannot be undone.",
            id="warning",
            markup=False,
        )
        yield Static("", id="demand", markup=False)
        yield FormField(
            "Received",
            Input(compact=True, id="typed"),
            Label("", classes="unit", markup=False),
            id="received",
        )

    def compose_buttons(self) -> ComposeResult:
        """Yield the way back first: it has the focus."""
        yield Button("Leave it open", id="leave", compact=True)
        yield Button("Complete (Ctrl+Y)", id="complete", variant="error", compact=True)

    def on_mount(self) -> None:
        """Show what is known and fetch the payment anew."""
        self._show(self._payment)
        self.set_interval(1.0, self.tick)
        self.action_fetch_again()

    def tick(self) -> None:
        """Keep the times true, and notice when the payment expires under one's eyes."""
        self._show(self._payment)
        if self.step is Step.READY:
            try:
                check_completable(self._payment, self._session.now())
            except NotCompletable as error:
                self._block(error)

    # The payment

    def action_fetch_again(self) -> None:
        """Fetch the payment anew."""
        if self.step in (Step.ASKING, Step.DONE):
            return
        self._enter(Step.FETCHING)
        self.outcome.say("Fetching the payment anew …", Note.WAIT)
        self._fetch()

    @work(group="complete-fetch", exclusive=True, exit_on_error=False)
    async def _fetch(self) -> None:
        try:
            payment = await self._session.refresh_payment(self._payment.id)
        except Exception as error:
            self._reread()
            self._block(error)
            return
        self._show(payment)
        self._decide()

    def _reread(self) -> None:
        if self._payment is not None:
            self._show(self.dashboard.reader.payment(self._payment.wallet, self._payment.id))

    def _show(self, payment: PaymentRow | None) -> None:
        if payment is None:
            return
        self._payment = payment
        name = payment_name(payment)
        self.query_one(".dialog-title", Static).update(
            Content.assemble(("Complete a payment", "bold"), (f"  {name}", "not bold $muted"))
        )
        self.query_one("#facts", SheetView).show(completion_entries(payment, self._session.now()))

    def _decide(self) -> None:
        """Let the person decide, or say why there is nothing to decide."""
        try:
            check_completable(self._payment, self._session.now())
        except NotCompletable as error:
            self._block(error)
            return
        self._enter(Step.READY)
        self.outcome.say()
        self._ask_for_amount(self._payment)

    def _ask_for_amount(self, payment: PaymentRow) -> None:
        demand = self.query_one("#demand", Static)
        if not needs_typing(payment):
            demand.update(f"{_enough(payment)} Ctrl+Y completes it.")
            self.query_one("#leave").focus()
            return
        amount = money(payment.received, payment.received_asset)
        demand.update(
            Content.assemble(_why(payment), " Type the received amount, ", (amount, "bold"), ":")
        )
        typed = self.query_one("#typed", Input)
        with self.prevent(Input.Changed):  # it is not the person who goes on
            typed.value = ""
        self.query_one("#received", FormField).say()
        self.query_one("#received .unit", Label).update(asset_code(payment.received_asset))
        typed.focus()

    # The decision

    @on(Input.Changed, "#typed")
    def _check_typed(self) -> None:
        if self.step is not Step.READY:
            return
        field = self.query_one("#received", FormField)
        if not self.query_one("#typed", Input).value:
            field.say()
        elif self._may_complete():
            field.say("That is the received amount. Ctrl+Y completes the payment.", Note.GOOD)
        else:
            field.say("This is not the received amount.", Note.BAD)
        self._enter(Step.READY)

    def _may_complete(self) -> bool:
        """Whether the deliberate key works now."""
        if self.step is not Step.READY:
            return False
        typed = self.query_one("#typed", Input).value
        return not needs_typing(self._payment) or is_received_amount(typed, self._payment)

    def action_complete_for_good(self) -> None:
        """Complete the payment, if the person has done what it takes."""
        if self.step is not Step.READY:
            return
        if self._surprised:
            self._surprised = False
            self.outcome.say(f"{_SURPRISE} Ctrl+Y once more completes it.", Note.BAD)
            return
        if not self._may_complete():
            self.outcome.say("Type the received amount first; nothing was done.", Note.BAD)
            self.query_one("#typed").focus()
            return
        self._enter(Step.ASKING)
        self.outcome.say("Completing; waiting for the server's answer …", Note.WAIT)
        self._complete(Seen(self._payment.received, self._payment.completed))

    @work(group="complete", exit_on_error=False)
    async def _complete(self, seen: Seen) -> None:
        # The session owns the request: leaving the form cancels this waiting and not the POST.
        try:
            payment = await self._session.complete_payment(self._payment.id, seen=seen)
        except ChangedMeanwhile as error:
            self._show(error.payment)
            self._decide()
            self.outcome.say(str(error), Note.BAD)
        except UnansweredError as error:
            self._enter(Step.UNKNOWN)
            self.outcome.say(str(error), Note.WAIT)
        except NotCompletable as error:
            self._reread()
            self._block(error)
        except Exception as error:
            self._decide()
            self.outcome.say_error(error)
        else:
            self._done(payment)

    def _done(self, payment: PaymentRow) -> None:
        self._show(payment)
        self._enter(Step.DONE)
        self.outcome.say(
            f"Completed with {money(payment.received, payment.received_asset)}.", Note.GOOD
        )
        leave = self.query_one("#leave", Button)
        leave.label = "Back"
        leave.focus()

    def _block(self, error: Exception) -> None:
        self._enter(Step.BLOCKED)
        self.outcome.say_error(error)
        self.query_one("#leave").focus()

    def _enter(self, step: Step) -> None:
        """Show what belongs to a step; nothing but READY lets anybody complete."""
        self.step = step
        ready = step is Step.READY
        typing = ready and needs_typing(self._payment)
        self.query_one("#warning").display = step in (Step.READY, Step.ASKING)
        self.query_one("#demand").display = ready
        self.query_one("#received").display = typing
        self.query_one(".buttons").disabled = step is Step.ASKING  # a second Enter finds nothing
        possible = self._may_complete()
        self.query_one("#complete", Button).disabled = not possible
        off = [] if possible else ["complete_for_good"]
        off += ["fetch_again"] if step in (Step.ASKING, Step.DONE) else []
        self.query_one(KeyLine).set_off(*off)
        self.query_one("#complete").display = step in (Step.FETCHING, Step.READY, Step.ASKING)

    # News, keys and buttons

    def hear(self, event: Event) -> None:
        """Take note of what becomes of the payment while the form is open."""
        if not isinstance(event, PaymentsChanged) or self.step in (Step.FETCHING, Step.ASKING):
            return
        for change in event.changes:
            if change.payment.id == self._payment.id:
                self._changed(change.payment)

    def _changed(self, payment: PaymentRow) -> None:
        before = self._payment
        if self.step is Step.UNKNOWN and payment.completed:
            self._done(payment)
            return
        self._show(payment)
        if self.step is Step.READY and before.received != payment.received:
            self._decide()
            if self.step is Step.READY:
                self._surprised = not needs_typing(payment)
                self.outcome.say(_SURPRISE, Note.BAD)

    def question(self) -> str:
        """Return what leaving now would hide."""
        return (
            "The server is being asked; it is not taken back." if self.step is Step.ASKING else ""
        )

    def action_leave(self) -> None:
        """Leave; with the payment where it was completed."""
        if self.step is Step.DONE:
            self.dismiss(self._payment)
        else:
            super().action_leave()

    @on(Button.Pressed, "#complete")
    def _complete_pressed(self) -> None:
        self.action_complete_for_good()

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()


def needs_typing(payment: PaymentRow) -> bool:
    """Return whether completing takes more than a key: money is missing, or none has come."""
    if payment.received == 0:
        return True
    return (payment.difference is None and payment.asked is not None) or (
        payment.difference or 0
    ) < 0


def is_received_amount(text: str, payment: PaymentRow) -> bool:
    """Return whether a typed amount is exactly what the payment has received."""
    try:
        return parse_minor(text, payment.received_asset.scale) == payment.received
    except AmountError:
        return False


def _enough(payment: PaymentRow) -> str:
    if payment.asked is None:
        return "It asks for no fixed amount: only you know whether this is all."
    return "All that was asked for has arrived."


def _why(payment: PaymentRow) -> str:
    if payment.received == 0:
        return "Nothing has arrived."
    if payment.difference is None:
        return "Asked and received cannot be compared."
    return f"{money(-payment.difference, payment.received_asset)} are missing."
