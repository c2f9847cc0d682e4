"""The form that creates an incoming payment."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from opdash.errors import InputError
from opdash.ledger.records import Creation, CreationStatus
from opdash.openpayments.resources import WalletAddress
from opdash.safetext import safe_text
from opdash.service.drafts import PaymentDraft, check_draft, check_expiry, draft_json
from opdash.service.events import CreationChanged, Event
from opdash.service.session import WalletSession
from opdash.tui.actions import Place, bindings
from opdash.tui.failures import told
from opdash.tui.format import asset_code, money, relative
from opdash.tui.screens.form_screen import FormScreen, first_wrong
from opdash.tui.stylesheets import sheets
from opdash.tui.typed import Expiry, minute_long, parse_instant, preset_expiry
from opdash.tui.widgets.amount_input import AmountInput
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import FormField, Note
from opdash.tui.widgets.json_preview import json_rows
from opdash.tui.widgets.metadata_rows import RULE, MetadataRows
from opdash.tui.widgets.sheet import SheetView

UNKNOWN = (
    "No answer came: unknown, checking. opdash looks for the payment in the wallet's list and "
    "never sends it a second time by itself. You can leave; the checking goes on."
)
"""What is told when nobody knows whether the payment exists."""

_PRESETS = tuple(Expiry)
_LIMIT = "Servers allow 30 days at most."
_READY = Content.assemble(("This will be sent", "bold"), ("  “…” is set when it is sent", "$muted"))
_NOT_READY = Content.styled("Not ready: see the marked fields", "bold $attention")
_OPEN_AMOUNT = "Empty: any amount, the payer chooses."


class CreateScreen(FormScreen[Creation | None]):
    """Asks for a payment's amount, texts, expiry and metadata.

    Ends with the creation once the payment exists, or once the person leaves while nobody knows
    whether it does; with None where nothing was sent.
    """

    PLACE = Place.CREATE
    CSS_PATH = sheets("modals", "forms", "create")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.CREATE)
    AUTO_FOCUS = "#amount Input"

    def __init__(self, session: WalletSession) -> None:
        super().__init__()
        self._session = session
        self._wallet: WalletAddress | None = session.wallet
        self._sending = False
        self._awaited: Creation | None = None

    # Layout

    def title_content(self) -> Content:
        """Return the title with the wallet that will be paid."""
        name = safe_text(self._session.profile.title, limit=40)
        return Content.assemble(
            ("New incoming payment", "bold"), (f"  to {name}", "not bold $muted")
        )

    def compose_body(self) -> ComposeResult:
        """Yield the fields and, beside or below them, the JSON."""
        if self._wallet is None:
            yield Static(
                "opdash does not know this wallet's asset yet. It asks again by itself; "
                "come back once the wallet is live.",
                markup=False,
            )
            return
        asset = self._wallet.asset
        with Vertical(id="fields"):
            yield FormField(
                "Amount",
                AmountInput(asset),
                Label(asset_code(asset), classes="unit", markup=False),
                hint=_OPEN_AMOUNT,
                id="amount",
            )
            yield FormField(
                "Description",
                Input(placeholder="what the payer reads", compact=True),
                id="description",
            )
            yield FormField(
                "Reference",
                Input(placeholder="your own number, sent as externalRef", compact=True),
                id="reference",
            )
            labels = [preset.value for preset in _PRESETS]
            yield FormField(
                "Expires",
                ChoiceLine(*labels, chosen=_PRESETS.index(Expiry.WEEK)),
                id="expires",
            )
            yield FormField(
                "Expires at", Input(placeholder="YYYY-MM-DD HH:MM", compact=True), id="expires-at"
            )
            yield FormField("Metadata", MetadataRows(), hint=RULE, id="metadata")
        with Vertical(id="preview"):
            yield Static("", id="preview-title", markup=False)
            yield SheetView(id="json")

    def compose_buttons(self) -> ComposeResult:
        """Yield the two ways out."""
        yield Button("Create", id="send", variant="primary", compact=True)
        yield Button("Back", id="leave", compact=True)

    def on_mount(self) -> None:
        """Show the first preview, and follow the clock."""
        if self._wallet is None:
            self.query_one("#send", Button).disabled = True
            return
        self.set_interval(1.0, self.check)
        self.check()

    # What is typed

    @on(Input.Changed)
    @on(ChoiceLine.Changed)
    @on(MetadataRows.Changed)
    def check(self) -> PaymentDraft | None:
        """Check everything typed, show what is wrong and what will be sent.

        Returns:
            What can be sent, or None while something is wrong.
        """
        if self._wallet is None or self._sending:
            return None
        now = self._session.now()
        amount = self._amount()
        expires_at = self._expires_at(now)
        typed = self.query_one(MetadataRows).read()
        draft = PaymentDraft(
            amount=amount,
            description=self._text("description"),
            reference=self._text("reference"),
            expires_at=expires_at,
            metadata=typed.metadata,
        )
        wrong = any(field.is_wrong for field in self.query(FormField)) or bool(typed.problems)
        wrong = not self._check_whole(draft, now) or wrong
        self._preview(draft, wrong=wrong)
        return None if wrong else draft

    @on(ChoiceLine.Changed)
    @on(MetadataRows.Changed)
    def _goes_on_too(self) -> None:
        self.stay()

    def _amount(self) -> int | None:
        field = self.query_one("#amount", FormField)
        try:
            amount = field.query_one(AmountInput).read()
        except InputError as error:
            field.say_error(error)
            return None
        asset = field.query_one(AmountInput).asset
        field.say("" if amount is None else f"Asks for exactly {money(amount, asset)}.")
        return amount

    def _expires_at(self, now: datetime) -> datetime | None:
        field = self.query_one("#expires", FormField)
        typed_field = self.query_one("#expires-at", FormField)
        preset = _PRESETS[field.query_one(ChoiceLine).index]
        typed_field.display = preset is Expiry.AT
        try:
            if preset is Expiry.AT:
                told, expires_at = typed_field, parse_instant(self._text("expires-at"))
            else:
                told, expires_at = field, preset_expiry(preset, now)
            check_expiry(expires_at, now)
        except InputError as error:
            field.say(_LIMIT)
            typed_field.say_error(error)
            return None
        field.say(_LIMIT)
        typed_field.say()
        told.say(f"{minute_long(expires_at)}, {relative(expires_at, now)}. {_LIMIT}")
        return expires_at

    def _check_whole(self, draft: PaymentDraft, now: datetime) -> bool:
        field = self.query_one("#metadata", FormField)
        try:
            check_draft(draft, now)
        except InputError as error:
            field.say_error(error)
            return False
        field.say()
        return True

    def _preview(self, draft: PaymentDraft, *, wrong: bool) -> None:
        if self._wallet is None:
            return
        self.query_one("#preview-title", Static).update(_NOT_READY if wrong else _READY)
        self.query_one("#json", SheetView).show(json_rows(draft_json(draft, self._wallet)))

    def _text(self, field_id: str) -> str:
        return self.query_one(f"#{field_id} Input", Input).value

    def question(self) -> str:
        """Return what leaving now would lose."""
        if self._sending:
            return (
                ""
                if self._awaited is not None
                else "The payment is being sent; it is not taken back."
            )
        if self._wallet is None:
            return ""
        texts = [self._text(name) for name in ("description", "reference", "expires-at")]
        texts.append(self.query_one(AmountInput).value)
        if any(texts) or not self.query_one(MetadataRows).is_empty:
            return "What you typed has not been sent."
        return ""

    def action_leave(self) -> None:
        """Leave; with the creation that nobody knows the end of, so that it is shown elsewhere."""
        if self._awaited is not None:
            self.dismiss(self._awaited)
        else:
            super().action_leave()

    # Sending

    def action_send(self) -> None:
        """Send the payment, once."""
        if self._sending:
            return
        draft = self.check()
        if draft is None:
            wrong = first_wrong(self)
            if wrong is not None:
                wrong.focus()
            self.outcome.say("Nothing was sent: see the marked fields.", Note.BAD)
            return
        self._lock(sending=True)
        self.outcome.say("Sending; waiting for the server's answer …", Note.WAIT)
        self._send(draft)

    @work(group="create", exit_on_error=False)
    async def _send(self, draft: PaymentDraft) -> None:
        # The session owns the request: leaving the form cancels this waiting and not the POST.
        try:
            creation = await self._session.create_payment(draft)
        except Exception as error:
            self._give_back(*told(error))
            return
        self._follow(creation)

    def _follow(self, creation: Creation) -> None:
        match creation.status:
            case CreationStatus.CREATED:
                self.dismiss(creation)
            case CreationStatus.FAILED | CreationStatus.NOT_FOUND:
                self._give_back(creation.error or "The payment was not created.", "Send it again.")
            case _:
                self._await(creation)

    def _await(self, creation: Creation) -> None:
        self._awaited = creation
        self.query_one(".buttons").disabled = False
        self.query_one("#send", Button).disabled = True
        self.outcome.say(UNKNOWN, Note.WAIT)

    def hear(self, event: Event) -> None:
        """Follow a payment whose creation got no answer."""
        if not isinstance(event, CreationChanged) or self._awaited is None:
            return
        if event.creation.request_id == self._awaited.request_id:
            self._follow(event.creation)

    def _give_back(self, sentence: str, advice: str) -> None:
        self._awaited = None
        self.query_one("#send", Button).disabled = False
        self._lock(sending=False)
        self.check()
        self.outcome.say(f"{sentence} {advice}".rstrip(), Note.BAD)
        self.query_one(AmountInput).focus()

    def _lock(self, *, sending: bool) -> None:
        self._sending = sending
        self._leaving = False
        self.query_one("#fields").disabled = sending
        self.query_one(".buttons").disabled = sending  # a second Enter must not find another one

    # Keys and buttons

    async def action_add_row(self) -> None:
        """Add a metadata key."""
        if not self._sending and self._wallet is not None:
            await self.query_one(MetadataRows).add_row()

    async def action_remove_row(self) -> None:
        """Remove the metadata key that has the focus."""
        if not self._sending and self._wallet is not None:
            await self.query_one(MetadataRows).remove_focused()

    @on(Button.Pressed, "#send")
    def _send_pressed(self) -> None:
        self.action_send()

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()
