"""The form that adds a wallet address: checked live, saved with the key that signs for it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Button, Input

from opdash.errors import InputError, OpdashError
from opdash.openpayments.addresses import parse_wallet_address
from opdash.openpayments.resources import WalletAddress
from opdash.paths import key_id_of, keys
from opdash.safetext import safe_text
from opdash.service.client_keys import KeyOnDisk, make_key, read_public_key
from opdash.service.dashboard import Dashboard, KeyCheck
from opdash.service.naming import free_name
from opdash.settings import Profile
from opdash.tui.actions import Place, bindings
from opdash.tui.failures import told
from opdash.tui.format import asset_code
from opdash.tui.screens.form_screen import FormScreen, first_wrong
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.form_field import FormField, Note
from opdash.tui.widgets.json_preview import json_rows
from opdash.tui.widgets.sheet import SheetView, heading

PAUSE = 0.5
"""Seconds without a keystroke before a server is asked about what was typed."""


class AddWalletScreen(FormScreen[Profile | None]):
    """Asks for address, name and key; ends with the new profile."""

    PLACE = Place.ADD_WALLET
    CSS_PATH = sheets("modals", "forms", "add_wallet")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.ADD_WALLET)
    AUTO_FOCUS = "#address Input"

    def __init__(self, dashboard: Dashboard) -> None:
        super().__init__()
        self._service = dashboard
        self._wallet: WalletAddress | None = None
        self._key: KeyOnDisk | None = None
        self._named_by_person = False
        self._pause: Timer | None = None
        self._saving = False

    # Layout

    def title_content(self) -> Content:
        """Return the title."""
        return Content.styled("Add a wallet address", "bold")

    def compose_body(self) -> ComposeResult:
        """Yield the fields, and the public key that the provider must know."""
        known = keys(self._service.data_dir)
        key_file = str(known[0]) if len(known) == 1 else ""
        key_id = key_id_of(known[0]) if len(known) == 1 else ""
        yield FormField(
            "Address",
            Input(
                placeholder="https://wallet.example/alice or $wallet.example/alice", compact=True
            ),
            hint="The address that receives the payments.",
            id="address",
        )
        yield FormField("Name", Input(placeholder="what you call it", compact=True), id="name")
        yield FormField(
            "Client",
            Input(placeholder="the same address", compact=True),
            hint="Whose jwks.json serves the key; empty: the same address.",
            id="client",
        )
        yield FormField(
            "Key file",
            Input(key_file, placeholder="path of a private Ed25519 key (PEM)", compact=True),
            hint="The private key that signs requests; F3 makes a new one.",
            id="key-file",
        )
        yield FormField(
            "Key id",
            Input(key_id, placeholder="the key's id at the provider (kid)", compact=True),
            id="key-id",
        )
        yield SheetView(id="jwk")

    def compose_buttons(self) -> ComposeResult:
        """Yield what the keys do, for the mouse."""
        yield Button("Save", id="save", variant="primary", compact=True)
        yield Button("New key", id="make-key", compact=True)
        yield Button("Copy public key", id="copy-key", compact=True)
        yield Button("Back", id="leave", compact=True)

    def on_mount(self) -> None:
        """Look at the key that is there already."""
        self.query_one("#copy-key", Button).disabled = True
        if self._text("key-file"):
            self._look_at_key()

    # What is typed

    @on(Input.Changed, "#address Input")
    def _address_typed(self) -> None:
        self._wallet = None
        field = self._field("address")
        try:
            url = parse_wallet_address(self._text("address"))
        except InputError as error:
            if self._text("address"):
                field.say_error(error)
            else:
                field.say()
            self._stop_pause()
            return
        field.say(f"{url}: asking …", Note.WAIT)
        if not self._named_by_person:
            self._suggest_name(url)
        self._after_pause()

    @on(Input.Changed, "#name Input")
    def _name_typed(self) -> None:
        self._named_by_person = self._text("name") != self._suggested and bool(self._text("name"))
        self._check_name()

    @on(Input.Changed, "#client Input")
    def _client_typed(self) -> None:
        field = self._field("client")
        try:
            if self._text("client"):
                parse_wallet_address(self._text("client"))
        except InputError as error:
            field.say_error(error)
            return
        field.say()
        self._after_pause()

    @on(Input.Changed, "#key-file Input")
    @on(Input.Changed, "#key-id Input")
    def _key_typed(self) -> None:
        self._forget_key()
        self._field("key-file").say()
        self._field("key-id").say()
        self._after_pause()

    def _after_pause(self) -> None:
        self._stop_pause()
        self._pause = self.set_timer(PAUSE, self._ask)

    def _stop_pause(self) -> None:
        if self._pause is not None:
            self._pause.stop()
            self._pause = None

    @property
    def is_waiting(self) -> bool:
        """Whether something was typed that nobody has been asked about yet."""
        return self._pause is not None

    def _ask(self) -> None:
        """Ask about whatever is complete and not yet answered."""
        self._stop_pause()
        if self._wallet is None and self._text("address") and not self._field("address").is_wrong:
            self._probe(self._text("address"))
        if self._text("key-file"):
            self._look_at_key()

    # The address

    @work(group="probe", exclusive=True, exit_on_error=False)
    async def _probe(self, typed: str) -> None:
        field = self._field("address")
        try:
            wallet = await self._service.probe(typed)
        except Exception as error:
            field.say_error(error)
            return
        if typed != self._text("address"):
            return
        twin = self._twin(wallet)
        if twin is not None:
            field.say(f"It is set up already, as “{safe_text(twin.title, limit=40)}”.", Note.BAD)
            return
        self._wallet = wallet
        field.say(described(wallet), Note.GOOD)
        self._check_name()
        if self._key is not None:
            self._check_key(self._key)

    def _twin(self, wallet: WalletAddress) -> Profile | None:
        for profile in self._service.profiles:
            if profile.wallet_address == wallet.id:
                return profile
        return None

    @property
    def _suggested(self) -> str:
        try:
            url = parse_wallet_address(self._text("address"))
        except InputError:
            return ""
        return free_name(url, self._service.settings)

    def _suggest_name(self, url: str) -> None:
        self.query_one("#name Input", Input).value = free_name(url, self._service.settings)

    def _check_name(self) -> bool:
        field = self._field("name")
        name = self._text("name")
        if not name:
            field.say()
            return False
        address = self._wallet.id if self._wallet is not None else ""
        try:
            self._service.settings.adding(Profile(name, address))
        except OpdashError as error:
            field.say_error(error)
            return False
        field.say()
        return True

    # The key

    def _look_at_key(self) -> None:
        path = Path(self._text("key-file")).expanduser()
        typed_id = self._text("key-id")
        self._read_key(path, typed_id or key_id_of(path))

    @work(group="key", exclusive=True, exit_on_error=False)
    async def _read_key(self, path: Path, key_id: str) -> None:
        try:
            key = await read_public_key(path, key_id)
        except Exception as error:
            self._field("key-file").say_error(error)
            return
        self._take_key(key)

    def action_make_key(self) -> None:
        """Make a new private key."""
        self._field("key-file").say("Making a key …", Note.WAIT)
        self._make_key()

    @work(group="key", exclusive=True, exit_on_error=False)
    async def _make_key(self) -> None:
        try:
            key = await make_key(self._service.data_dir)
        except Exception as error:
            self._field("key-file").say_error(error)
            return
        with self.prevent(Input.Changed):
            self.query_one("#key-file Input", Input).value = str(key.file)
            self.query_one("#key-id Input", Input).value = key.key_id
        self._take_key(key)
        self._field("key-file").say("Made just now; only you can read it.", Note.GOOD)

    def _take_key(self, key: KeyOnDisk) -> None:
        self._key = key
        if not self._text("key-id"):
            with self.prevent(Input.Changed):
                self.query_one("#key-id Input", Input).value = key.key_id
        self._field("key-file").say("The key can be used.", Note.GOOD)
        self.query_one("#jwk", SheetView).show(
            [*heading("Public key, for the provider (F2 copies it)"), *json_rows(key.jwk_json)]
        )
        self.query_one("#copy-key", Button).disabled = False
        if self._wallet is not None:
            self._check_key(key)

    def _forget_key(self) -> None:
        self._key = None
        self.query_one("#jwk", SheetView).show(())
        self.query_one("#copy-key", Button).disabled = True

    @work(group="check-key", exclusive=True, exit_on_error=False)
    async def _check_key(self, key: KeyOnDisk) -> None:
        if self._wallet is None:
            return
        client = self._text("client") or self._wallet.id
        field, asked = self._field("key-id"), self._field("client")
        if not asked.is_wrong:
            asked.say()
        field.say(f"Looking whether {client} serves it …", Note.WAIT)
        try:
            check = await self._service.check_key(client, key.key_id, key.file)
        except Exception as error:
            if self._text("client"):
                field.say()
                asked.say(" ".join(told(error)).rstrip(), Note.WARN)
            else:
                field.say_error(error)
            return
        say_check(field, check)

    # Keys and buttons

    def action_check_again(self) -> None:
        """Ask address and key once more."""
        self._wallet = None
        self._forget_key()
        self._ask()

    def action_copy_key(self) -> None:
        """Copy the public key as the provider wants it."""
        if self._key is None:
            self.outcome.say("There is no key yet: name a key file, or press F3.", Note.BAD)
            return
        self.app.copy_to_clipboard(self._key.jwk_json)
        self.outcome.say("Copied the public key; register it with the provider.", Note.GOOD)

    def question(self) -> str:
        """Return what leaving now would lose."""
        typed = any(self._text(name) for name in ("address", "client"))
        return "What you typed has not been saved." if typed else ""

    def action_save(self) -> None:
        """Save the wallet address, if everything it takes is there."""
        if self._saving:
            return
        missing = self._missing()
        if missing:
            self.outcome.say(f"Nothing was saved. {missing}", Note.BAD)
            wrong = first_wrong(self)
            if wrong is not None:
                wrong.focus()
            return
        self._saving = True
        self.outcome.say("Saving …", Note.WAIT)
        self._save()

    def _missing(self) -> str:
        if not self._text("address"):
            return "Type the wallet address."
        if self._wallet is None:
            return "The wallet address has not answered yet."
        if self._key is None:
            return "Name a key file, or make a key with F3."
        if not self._check_name():
            return "Give it a name that is free."
        return "See the client address." if self._field("client").is_wrong else ""

    @work(group="add-wallet", exit_on_error=False)
    async def _save(self) -> None:
        if self._wallet is None or self._key is None:
            return
        client = self._text("client")
        profile = Profile(
            name=self._text("name"),
            wallet_address=self._wallet.id,
            client_wallet_address=parse_wallet_address(client) if client else "",
            key_id=self._text("key-id") or self._key.key_id,
            key_file=self._key.file,
        )
        try:
            await self._service.add_profile(profile)
        except Exception as error:
            self._saving = False
            self.outcome.say_error(error)
            return
        self.dismiss(profile)

    def _field(self, name: str) -> FormField:
        return self.query_one(f"#{name}", FormField)

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name} Input", Input).value.strip()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        match event.button.id:
            case "save":
                self.action_save()
            case "make-key":
                self.action_make_key()
            case "copy-key":
                self.action_copy_key()
            case _:
                self.action_leave()


def described(wallet: WalletAddress) -> str:
    """Return who a wallet address says that it is: name, asset and servers."""
    name = safe_text(wallet.public_name or "no public name", limit=60)
    places = "place" if wallet.asset_scale == 1 else "places"
    return (
        f"{name}: {asset_code(wallet.asset)} with {wallet.asset_scale} decimal {places}. "
        f"Payments at {safe_text(wallet.resource_server, limit=120)}, "
        f"grants at {safe_text(wallet.auth_server, limit=120)}."
    )


def say_check(field: FormField, check: KeyCheck) -> None:
    """Show whether a key is registered, and what to do if it is not."""
    if check.served:
        field.say(f"{check.sentence} {check.advice}".rstrip(), Note.GOOD)
        return
    advice = "Register the public key below with the provider; you can save before that."
    field.say(f"{check.sentence} {advice}", Note.WARN)
