"""A sale is to end before it is paid: complete it now, or let it expire."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button, Static

from opdash.ledger.records import PaymentRow
from opdash.openpayments.errors import UnansweredError
from opdash.service.completions import ChangedMeanwhile, NotCompletable, Seen, check_completable
from opdash.service.events import Event, PaymentsChanged
from opdash.service.session import WalletSession
from opdash.service.till import standing
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.till_words import clock, received_of
from opdash.tui.widgets.form_field import Note
from opdash.tui.widgets.key_line import KeyLine


class How(Enum):
    """How a person ended a sale."""

    COMPLETED = "completed"
    LEFT = "left to expire"


_SURPRISE = "Money has arrived meanwhile: look again."
"""A key that was on its way was meant for another amount, and must not complete this one."""


class EndSaleScreen(FormScreen[How | None]):
    """Asks how to end a sale; ends with None where it goes on, or has ended by itself.

    Args:
        session: The wallet that is paid.
        payment: The sale's payment as it was seen last.
    """

    PLACE = Place.END_SALE
    CSS_PATH = sheets("modals", "forms", "till")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.END_SALE)
    AUTO_FOCUS = "#wait"

    def __init__(self, session: WalletSession, payment: PaymentRow) -> None:
        super().__init__()
        self._session = session
        self._row = payment
        self._working = False
        self._surprised = False

    # Layout

    def title_content(self) -> Content:
        """Return the question."""
        return Content.styled("End this sale before it is paid?", "bold")

    def compose_body(self) -> ComposeResult:
        """Yield what has arrived, and what each way means."""
        yield Static("", id="ending-facts", markup=False)
        yield Static("", id="ending-ways", markup=False)

    def compose_buttons(self) -> ComposeResult:
        """Yield the harmless way first: it has the focus, so a scanner's Enter harms nothing."""
        yield Button("Go on waiting", id="wait", compact=True)
        yield Button("Complete (Ctrl+Y)", id="complete", variant="error", compact=True)
        yield Button("Let expire (Ctrl+E)", id="expire", compact=True)

    def on_mount(self) -> None:
        """Show what is known."""
        self.set_interval(1.0, self._tick)
        self._show(self._row)

    def _show(self, row: PaymentRow) -> None:
        self._row = row
        facts = Content.assemble((f"{received_of(row)} received", "bold"))
        self.query_one("#ending-facts", Static).update(facts)
        stays = "What has arrived stays with you." if row.received else "Nothing has arrived."
        until = "" if row.expires_at is None else f" at {clock(row.expires_at)}"
        self.query_one("#ending-ways", Static).update(
            f"Complete now: closes it; nothing more can be paid. {stays}\n"
            f"Let it expire{until}: it can be paid until then, and opdash goes on watching it."
        )
        self._allow()

    def _allow(self) -> None:
        possible = not self._working and self._why_not() is None
        self.query_one("#complete", Button).disabled = not possible
        self.query_one("#expire", Button).disabled = self._working
        off = [] if possible else ["complete_for_good"]
        self.query_one(KeyLine).set_off(*off, *(["let_expire"] if self._working else []))

    def _why_not(self) -> NotCompletable | None:
        try:
            check_completable(self._row, self._session.now())
        except NotCompletable as error:
            return error
        return None

    # What becomes of it meanwhile

    def _tick(self) -> None:
        self._changed(self.dashboard.reader.payment(self._row.wallet, self._row.id))

    def hear(self, event: Event) -> None:
        """Take note of what arrives while the question is open."""
        if isinstance(event, PaymentsChanged) and event.wallet_id == self._row.wallet:
            self._tick()

    def _changed(self, row: PaymentRow | None) -> None:
        if row is None or self._working:
            return
        before, self._row = self._row, row
        if standing(row).is_over:
            self.dismiss(None)  # the screen below tells how it ended
            return
        self._show(row)
        if before.received != row.received:
            self._surprise()

    def _surprise(self) -> None:
        self._surprised = True
        self.outcome.say(_SURPRISE, Note.BAD)

    # The decision

    def action_complete_for_good(self) -> None:
        """Complete the payment as it is shown."""
        if self._working:
            return
        why_not = self._why_not()
        if why_not is not None:
            self.outcome.say_error(why_not)
            return
        if self._surprised:
            self._surprised = False
            self.outcome.say(f"{_SURPRISE} Ctrl+Y once more completes it.", Note.BAD)
            return
        self._begin("Completing; waiting for the server's answer …")
        self._complete(Seen(self._row.received, self._row.completed))

    @work(group="till-complete", exit_on_error=False)
    async def _complete(self, seen: Seen) -> None:
        # The session owns the request: leaving the dialog does not cancel the POST.
        try:
            await self._session.complete_payment(self._row.id, seen=seen)
        except ChangedMeanwhile as error:
            self._working = False
            self._changed(error.payment)
        except UnansweredError as error:
            self._end(Note.WAIT, str(error))
        except Exception as error:
            self._working = False
            self._allow()
            self.outcome.say_error(error)
        else:
            self.dismiss(How.COMPLETED)

    def action_let_expire(self) -> None:
        """Go on to the next customer; say what had arrived."""
        if self._working:
            return
        self._begin("Looking once more what has arrived …")
        self._look()

    @work(group="till-expire", exit_on_error=False)
    async def _look(self) -> None:
        try:
            row = await self._session.refresh_payment(self._row.id)
        except Exception as error:
            self.log(error)  # the sale screen and the header say that nobody answers
            row = self.dashboard.reader.payment(self._row.wallet, self._row.id)
        self._working = False
        self.dismiss(None if row is not None and standing(row).is_over else How.LEFT)

    def _begin(self, sentence: str) -> None:
        self._working = True
        self._allow()
        self.outcome.say(sentence, Note.WAIT)

    def _end(self, note: Note, sentence: str) -> None:
        self._working = False
        self._allow()
        self.outcome.say(sentence, note)

    # Keys and buttons

    def question(self) -> str:
        """Return what leaving now would hide."""
        return "The server is being asked; it is not taken back." if self._working else ""

    @on(Button.Pressed, "#wait")
    def _wait_pressed(self) -> None:
        self.action_leave()

    @on(Button.Pressed, "#complete")
    def _complete_pressed(self) -> None:
        self.action_complete_for_good()

    @on(Button.Pressed, "#expire")
    def _expire_pressed(self) -> None:
        self.action_let_expire()
