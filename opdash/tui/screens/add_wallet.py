"""The form that adds a wallet address: who it is, and the key that signs for it."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Button, Input

from opdash.errors import InputError, OpdashError
from opdash.openpayments.addresses import parse_wallet_address
from opdash.openpayments.resources import WalletAddress
from opdash.safetext import safe_text
from opdash.service.dashboard import Dashboard
from opdash.service.naming import free_name
from opdash.settings import Profile
from opdash.tui.actions import Place, bindings
from opdash.tui.format import asset_code
from opdash.tui.screens.form_screen import FormScreen, first_wrong
from opdash.tui.screens.register_key import RegisterKeyScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets import key_picker
from opdash.tui.widgets.form_field import FormField, Note
from opdash.tui.widgets.key_picker import KeyPicker
from opdash.tui.widgets.wallet_options import WalletOptions


class AddWalletScreen(FormScreen[Profile | None]):
    """Asks for address, key and name; ends with the new profile, once that is saved."""

    PLACE = Place.ADD_WALLET
    CSS_PATH = sheets("modals", "forms", "add_wallet")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.ADD_WALLET)
    AUTO_FOCUS = "#address Input"

    def __init__(self, dashboard: Dashboard) -> None:
        super().__init__()
        self._service = dashboard
        self._wallet: WalletAddress | None = None
        self._named_by_person = False
        self._suggested = ""
        self._pause: Timer | None = None

    # Layout

    def title_content(self) -> Content:
        """Return the title."""
        return Content.styled("Add a wallet address", "bold")

    def compose_body(self) -> ComposeResult:
        """Yield the fields; what most people leave as it is comes last, when asked for."""
        yield FormField(
            "Address",
            Input(
                placeholder="https://wallet.example/alice or $wallet.example/alice", compact=True
            ),
            hint="The address that receives the payments.",
            id="address",
        )
        yield KeyPicker(self._service.data_dir, id="key")
        yield FormField("Name", Input(placeholder="what you call it", compact=True), id="name")
        with Vertical(id="more"):
            yield WalletOptions(id="options")

    def compose_buttons(self) -> ComposeResult:
        """Yield what the keys do, for the mouse."""
        yield Button("Next", id="next", variant="primary", compact=True)
        yield Button("New key", id="make-key", compact=True)
        yield Button("More", id="show-more", compact=True)
        yield Button("Back", id="leave", compact=True)

    def on_mount(self) -> None:
        """Begin with what everybody needs."""
        self.query_one("#more").display = False

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
            self._suggested = free_name(url, self._service.settings)
            self.query_one("#name Input", Input).value = self._suggested
        self._stop_pause()
        self._pause = self.set_timer(key_picker.PAUSE, self._ask)

    @on(Input.Changed, "#name Input")
    def _name_typed(self) -> None:
        self._named_by_person = self._text("name") != self._suggested and bool(self._text("name"))
        self._check_name()

    @on(WalletOptions.CertificatesChanged)
    def _certificates_changed(self) -> None:
        if self._text("address") and (self._wallet is None or not self._field("address").is_wrong):
            self._address_typed()

    def _stop_pause(self) -> None:
        if self._pause is not None:
            self._pause.stop()
            self._pause = None

    @property
    def is_waiting(self) -> bool:
        """Whether something was typed that nobody has been asked about yet."""
        return self._pause is not None or self._picker.is_waiting

    # The address

    def _ask(self) -> None:
        self._stop_pause()
        if self._text("address") and not self._field("address").is_wrong:
            self._probe(self._text("address"))

    @work(group="probe", exclusive=True, exit_on_error=False)
    async def _probe(self, typed: str) -> None:
        field = self._field("address")
        try:
            wallet = await self._service.probe(typed, ca_file=self._options.ca_file)
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

    def _twin(self, wallet: WalletAddress) -> Profile | None:
        for profile in self._service.profiles:
            if profile.wallet_address == wallet.id:
                return profile
        return None

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

    # Keys and buttons

    def action_make_key(self) -> None:
        """Make a new private key."""
        self._picker.make()

    def action_next_key(self) -> None:
        """Take the next of the keys that are there."""
        self._picker.take_next()

    def action_show_more(self) -> None:
        """Show what most people leave as it is, or hide it again."""
        more = self.query_one("#more")
        more.display = not more.display
        if more.display:
            first = self.query_one("#client Input", Input)
            self.set_focus(first)
            self.call_after_refresh(first.scroll_visible, animate=False)

    def action_check_again(self) -> None:
        """Ask the address, and read the key, once more."""
        self._wallet = None
        self._picker.look_again()
        self._ask()

    def question(self) -> str:
        """Return what leaving now would lose."""
        typed = any(self._text(name) for name in ("address", "client"))
        return "What you typed has not been saved." if typed else ""

    def action_next_step(self) -> None:
        """Go on to registering the key, if everything that takes is there."""
        missing = self._missing()
        if missing:
            if self._options.has_wrong:
                self.query_one("#more").display = True
            self.outcome.say(missing, Note.BAD)
            wrong = first_wrong(self)
            if wrong is not None:
                wrong.focus()
            return
        wallet, key = self._wallet, self._picker.key
        if wallet is None or key is None:
            return
        if self._picker.passphrase is not None:
            self._service.keyring.remember(key.file, self._picker.passphrase)
        profile = self._options.applied_to(
            Profile(
                name=self._text("name"),
                wallet_address=wallet.id,
                key_id=self._text("key-id") or key.key_id,
                key_file=key.file,
            )
        )
        self.app.push_screen(RegisterKeyScreen(profile, key), self._came_back)

    def _came_back(self, saved: Profile | None) -> None:
        if saved is not None:
            self.dismiss(saved)

    def _missing(self) -> str:
        if not self._text("address"):
            return "Type the wallet address."
        if self._wallet is None:
            return "The wallet address has not answered yet."
        if self._picker.key is None:
            return "Name a key file, or make a key with F3."
        if not self._check_name():
            return "Give it a name that is free."
        return "See what is wrong below." if self._options.has_wrong else ""

    @property
    def _picker(self) -> KeyPicker:
        return self.query_one(KeyPicker)

    @property
    def _options(self) -> WalletOptions:
        return self.query_one(WalletOptions)

    def _field(self, name: str) -> FormField:
        return self.query_one(f"#{name}", FormField)

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name} Input", Input).value.strip()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        match event.button.id:
            case "next":
                self.action_next_step()
            case "make-key":
                self.action_make_key()
            case "show-more":
                self.action_show_more()
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
