"""The forms in the real app, over a real ledger, against the sandbox by HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from opdash.clock import SystemClock
from opdash.ledger.records import PaymentRow
from opdash.ledger.states import State
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.settings import Profile, Settings, SettingsStore
from opdash.tui.app import OpdashApp
from opdash.tui.passphrases import PassphraseDialogs
from opdash.tui.screens.add_wallet import AddWalletScreen
from opdash.tui.screens.complete import CompleteScreen, Step
from opdash.tui.screens.create import CreateScreen
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.outgoing import OutgoingScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.register_key import RegisterKeyScreen
from opdash.tui.widgets.form_field import FormField, Note, NoteLine
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.sheet import SheetView
from tests.sandbox.support import RawClient
from tests.tui.form_doubles import write

_TRIES = 400
_S = TypeVar("_S", bound=Screen[Any])


class HurriedClock(SystemClock):
    """The machine's clock, but nobody sleeps for long."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.2))


class Person:
    """Somebody at the keyboard of the app."""

    def __init__(self, dashboard: Dashboard, app: OpdashApp, pilot: Pilot[None]) -> None:
        self.dashboard = dashboard
        self.app = app
        self.pilot = pilot
        self.copied: list[str] = []

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def write(self, text: str) -> None:
        await write(self.pilot, text)

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until something is to be seen."""
        for _ in range(_TRIES):
            if seen():
                return
            await self.pilot.pause(0.03)
        raise AssertionError(self.text)

    async def on(self, kind: type[_S]) -> _S:
        """Wait until a screen is there."""
        await self.until(lambda: isinstance(self.app.screen, kind))
        screen = self.app.screen
        assert isinstance(screen, kind)
        return screen

    @property
    def text(self) -> str:
        """What the sheets and notes of the screen say."""
        sheets = [view.text for view in self.app.screen.query(SheetView)]
        notes = [note.sentence for note in self.app.screen.query(NoteLine)]
        return "\n".join(sheets + notes)

    def payment(self, reference: str) -> PaymentRow | None:
        """The payment of a reference, as the ledger knows it."""
        session = self.dashboard.session("shop")
        if session.wallet_id is None:
            return None
        from opdash.ledger.records import NEWEST_FIRST

        rows = self.dashboard.reader.window(session.wallet_id, NEWEST_FIRST, 0, 20)
        return next((row for row in rows if row.reference == reference), None)


def selected_id(payments: PaymentsScreen) -> str:
    table = payments.query_one(PaymentTable)
    return "" if table.selected is None else table.selected.id


@asynccontextmanager
async def person(
    sandbox: SandboxProcess,
    tmp_path: Path,
    *,
    wallets: tuple[str, ...],
    size: tuple[int, int],
    key_file: Path | None = None,
) -> AsyncIterator[Person]:
    client = sandbox.client
    names = ("shop", "payer")
    profiles = tuple(
        Profile(
            name,
            wallet,
            client_wallet_address=client.wallet_address,
            key_id=client.key_id,
            key_file=key_file or client.private_key,
            poll_interval=0.3,
        )
        for name, wallet in zip(names, wallets, strict=False)
    )
    store = SettingsStore(tmp_path / "config.toml")
    store.load()
    store.save(Settings(profiles, default_profile="shop" if profiles else ""))
    dashboard = Dashboard(store, tmp_path / "data", HurriedClock())
    app = OpdashApp(dashboard)
    dashboard.keyring.asker = PassphraseDialogs(app)
    async with app.run_test(size=size) as pilot:
        somebody = Person(dashboard, app, pilot)
        app.copy_to_clipboard = somebody.copied.append  # type: ignore[assignment,method-assign]
        yield somebody


async def test_a_payment_is_created_paid_in_parts_and_completed_short(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    wallets = (sandbox.main_wallet,)
    async with person(sandbox, tmp_path, wallets=wallets, size=(80, 24)) as rosa:
        payments = await rosa.on(PaymentsScreen)
        await rosa.until(lambda: rosa.dashboard.session("shop").wallet is not None)

        await rosa.press("n")
        await rosa.on(CreateScreen)
        await rosa.write("25.00")
        await rosa.press("tab", "tab")
        await rosa.write("T2-PARTS")
        await rosa.press("ctrl+s")
        await rosa.on(PaymentsScreen)
        await rosa.until(lambda: rosa.payment("T2-PARTS") is not None)
        created = rosa.payment("T2-PARTS")
        assert created is not None
        assert created.asked == 2500
        await rosa.until(lambda: selected_id(payments) == created.id)
        await rosa.press("y")
        assert rosa.copied == [created.id]

        await rosa.press("enter")
        await rosa.on(DetailScreen)
        sandbox.pay(created.id, 1000, packets=2)
        await rosa.until(lambda: "◐ PARTIAL  40 %" in rosa.text)
        assert "created by opdash" in rosa.text
        await rosa.press("m")
        await rosa.until(lambda: "shared secret  •••" in rosa.text)

        await rosa.press("c")
        form = await rosa.on(CompleteScreen)
        await rosa.until(lambda: form.step is Step.READY)
        await rosa.until(lambda: isinstance(rosa.app.focused, Input))
        await rosa.press("ctrl+y")
        assert sandbox.state(created.id)["payment"]["completed"] is False
        await rosa.write("10.00")
        await rosa.press("ctrl+y")
        await rosa.until(lambda: form.step is Step.DONE)
        assert sandbox.state(created.id)["payment"]["completed"] is True
        row = rosa.payment("T2-PARTS")
        assert row is not None
        assert row.state is State.CLOSED_SHORT
        await rosa.press("escape")
        await rosa.on(DetailScreen)
        await rosa.until(lambda: "completed by opdash" in rosa.text)
        assert "Closed with 15.00 USD missing." in rosa.text


async def test_money_that_arrives_behind_ones_back_stops_a_completion(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    wallets = (sandbox.main_wallet,)
    async with person(sandbox, tmp_path, wallets=wallets, size=(120, 40)) as rosa:
        await rosa.until(lambda: rosa.dashboard.session("shop").wallet is not None)
        await rosa.press("n")
        await rosa.on(CreateScreen)
        await rosa.press("tab", "tab")
        await rosa.write("T2-OPEN")
        await rosa.press("ctrl+s")
        await rosa.on(PaymentsScreen)
        await rosa.until(lambda: rosa.payment("T2-OPEN") is not None)
        created = rosa.payment("T2-OPEN")
        assert created is not None
        await rosa.press("c")
        form = await rosa.on(CompleteScreen)
        await rosa.until(lambda: isinstance(rosa.app.focused, Input))
        await rosa.write("0.00")
        sandbox.pay(created.id, 700)
        await rosa.until(
            lambda: sandbox.state(created.id)["payment"]["receivedAmount"]["value"] == "700"
        )
        await rosa.press("ctrl+y")
        await rosa.until(lambda: "meanwhile" in rosa.text)
        assert form.step is Step.READY
        assert "7.00 USD" in rosa.text
        assert sandbox.state(created.id)["payment"]["completed"] is False


async def test_outgoing_payments_of_ones_own_are_read_after_consent(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    raw = RawClient(sandbox)
    created = raw.create(
        sandbox.main_wallet,
        raw.token(),
        incomingAmount={"value": "500", "assetCode": "USD", "assetScale": 2},
    ).json()["id"]
    raw.close()
    url = sandbox.pay(created)
    async with person(sandbox, tmp_path, wallets=(sandbox.sender,), size=(80, 24)) as rosa:
        await rosa.until(lambda: rosa.dashboard.session("shop").wallet is not None)
        await rosa.press("o")
        await rosa.on(OutgoingScreen)
        await rosa.write(url)
        await rosa.press("enter")
        await rosa.until(lambda: "Consent" in type(rosa.app.screen).__name__)
        sandbox.advance(6)
        await rosa.on(OutgoingScreen)
        await rosa.until(lambda: "● SENT" in rosa.text)
        assert created in rosa.text
        assert "sent" in rosa.text


async def test_a_strangers_payment_gets_the_public_read(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    other = RawClient(sandbox, sandbox.other_client)
    url = other.create(sandbox.main_wallet, other.token()).json()["id"]
    other.close()
    sandbox.pay(url, 1234)
    async with person(sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=(80, 24)) as rosa:
        await rosa.until(lambda: rosa.dashboard.session("shop").wallet is not None)
        await rosa.press("o")
        await rosa.on(OutgoingScreen)
        await rosa.write(url)
        await rosa.press("enter")
        await rosa.until(lambda: "somebody else" in rosa.text)
        await rosa.until(lambda: sandbox.state(url)["payment"]["receivedAmount"]["value"] == "1234")
        await rosa.press("r")
        await rosa.until(lambda: "12.34 USD" in rosa.text)
        missing = sandbox.url + "/nowhere/incoming-payments/1"
        await rosa.press("u")
        await rosa.write(missing)
        await rosa.press("enter")
        field = rosa.app.screen.query_one("#url", FormField)
        await rosa.until(lambda: field.note.kind is Note.BAD)


async def test_a_wallet_is_added_and_removed(sandbox: SandboxProcess, tmp_path: Path) -> None:
    async with person(sandbox, tmp_path, wallets=(), size=(100, 40)) as rosa:
        await rosa.press("a")
        form = await rosa.on(AddWalletScreen)
        client = sandbox.client

        async def fill(field: str, text: str) -> None:
            form.set_focus(form.query_one(f"#{field} Input", Input))
            await rosa.pilot.pause()
            form.query_one(f"#{field} Input", Input).value = ""
            await rosa.write(text)

        await fill("address", sandbox.main_wallet)
        await rosa.until(lambda: "USD with 2 decimal places" in rosa.text)
        await rosa.press("f3")
        await rosa.until(lambda: "Made just now" in rosa.text)
        await rosa.press("ctrl+s")
        await rosa.on(RegisterKeyScreen)
        await rosa.until(lambda: "serves no key" in rosa.text)
        await rosa.press("escape")
        await rosa.on(AddWalletScreen)
        await fill("key-file", str(client.private_key))
        await fill("key-id", client.key_id)
        await rosa.press("f4")
        await fill("client", client.wallet_address)
        await rosa.until(lambda: "The key can be used." in rosa.text)
        await rosa.press("ctrl+s")
        await rosa.on(RegisterKeyScreen)
        await rosa.until(lambda: "Everything is ready" in rosa.text)
        await rosa.press("ctrl+s")
        await rosa.until(lambda: len(rosa.dashboard.profiles) == 1)
        (profile,) = rosa.dashboard.profiles
        assert profile.key_file == client.private_key
        session = rosa.dashboard.session(profile.name)
        await rosa.until(lambda: session.wallet_id is not None)
        known = rosa.dashboard.reader.count(str(session.wallet_id))
        await rosa.until(lambda: not isinstance(rosa.app.screen, AddWalletScreen))
        await rosa.press("d")
        await rosa.until(lambda: "kept" in rosa.text)
        await rosa.press("ctrl+y")
        await rosa.until(lambda: rosa.dashboard.profiles == ())
        assert rosa.dashboard.reader.count(str(session.wallet_id)) >= known
        assert client.private_key.is_file()
