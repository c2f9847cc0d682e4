from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from opdash.errors import OpdashError
from opdash.keyfiles import is_encrypted, read_key, write_key, write_own_key
from opdash.ledger.records import Scope
from opdash.openpayments.errors import NotFoundError, ProtocolError, UnreachableError
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.resources import WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.settings import AccessLevel, Profile
from opdash.tui.screens.add_wallet import AddWalletScreen
from opdash.tui.screens.register_key import RegisterKeyScreen
from opdash.tui.widgets import key_picker
from opdash.tui.widgets.form_field import FormField, Note, NoteLine
from opdash.tui.widgets.sheet import SheetView
from tests.tui.form_doubles import WALLET, FakeDashboard, Stage, asked, settled, write

BEN = msgspec.structs.replace(WALLET, id="https://ilp.example/ben", public_name="Ben's Books")
TYPED = "https://ilp.example/ben"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_picker, "PAUSE", 0.001)


class Form:
    """The form on its stage."""

    def __init__(self, dashboard: FakeDashboard, app: Stage, pilot: Pilot[None]) -> None:
        self.dashboard = dashboard
        self.app = app
        self.pilot = pilot

    def note(self, field: str) -> NoteLine:
        return self.app.screen.query_one(f"#{field}", FormField).note

    def input(self, field: str) -> Input:
        return self.app.screen.query_one(f"#{field} Input", Input)

    @property
    def told(self) -> str:
        return self.app.screen.query_one("#outcome", NoteLine).sentence

    def sheet(self, name: str) -> str:
        return self.app.screen.query_one(f"#{name}", SheetView).text

    async def write(self, field: str, text: str) -> None:
        self.app.screen.set_focus(self.input(field))
        await self.pilot.pause()
        self.input(field).value = ""
        await write(self.pilot, text)
        await self.wait()

    async def wait(self) -> None:
        """Wait until the pause after typing is over and all is answered."""
        await asked(self.pilot)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.wait()


def shown_text(app: Stage) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def set_mode(path: Path, mode: int) -> None:
    path.chmod(mode)


def moved(path: Path, target: Path) -> Path:
    return path.rename(target)


@asynccontextmanager
async def add_form(
    tmp_path: Path,
    answer: WalletAddress | OpdashError = BEN,
    *,
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Form]:
    dashboard = FakeDashboard(tmp_path)
    dashboard.probes[TYPED] = answer
    app = Stage(dashboard, lambda: AddWalletScreen(dashboard.real))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield Form(dashboard, app, pilot)


async def test_a_malformed_address_is_told_at_once(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        for typed, told in {
            "ilp.example": "is no wallet address",
            "ftp://ilp.example/x": "does not begin with https",
            "http://ilp.example/x": "only used on this machine",
            "https://ilp.example:8443/x": "has no port",
            "https://a:b@ilp.example/x": "user name or password",
            "https://ilp.example/x?y=1": "no query",
            "$": "no valid",
        }.items():
            form.input("address").value = typed
            await form.pilot.pause()
            assert told in form.note("address").sentence
            assert form.note("address").kind is Note.BAD
        await form.press("ctrl+s")
        assert form.dashboard.calls == []
        assert form.app.left_with == []
        assert "has not answered" in form.told


@pytest.mark.parametrize(
    "failure",
    [
        UnreachableError("The server does not answer.", "Check the address."),
        NotFoundError("There is no such wallet address.", "Check it.", status=404),
        ProtocolError("The answer breaks the protocol.", "Tell the provider."),
    ],
)
async def test_an_address_that_nobody_describes_is_told(
    tmp_path: Path, failure: OpdashError
) -> None:
    async with add_form(tmp_path, failure) as form:
        await form.write("address", TYPED)
        assert form.note("address").sentence == str(failure)
        await form.press("f3", "ctrl+s")
        assert form.app.left_with == []
        assert "has not answered" in form.told


async def test_an_address_is_described_by_name_asset_and_servers(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        said = form.note("address").sentence
        assert form.note("address").kind is Note.GOOD
        for part in ("Ben's Books", "USD with 2 decimal places", "rs.example", "auth.example"):
            assert part in said
        assert form.input("name").value == "ben"


async def test_only_the_last_of_what_was_typed_counts(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        form.dashboard.probes["https://ilp.example/b"] = UnreachableError("No answer.")
        form.input("address").value = "https://ilp.example/b"
        form.input("address").value = TYPED
        await form.wait()
        assert form.note("address").kind is Note.GOOD


async def test_an_address_that_is_set_up_already_is_told(tmp_path: Path) -> None:
    async with add_form(tmp_path, WALLET) as form:
        await form.write("address", TYPED)
        assert form.note("address").sentence == "It is set up already, as “Rosa's Shop”."
        await form.press("f3", "ctrl+s")
        assert form.app.left_with == []


async def test_a_name_is_suggested_until_a_person_gives_one(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        form.dashboard.probes["https://ilp.example/other"] = BEN
        await form.write("name", "books")
        await form.write("address", TYPED)
        assert form.input("name").value == "books"


async def test_a_name_is_suggested_however_fast_an_address_is_typed(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        address, name = form.input("address"), form.input("name")

        def type_on(suggested: str) -> None:
            if suggested == "b":  # and nobody has heard of it yet
                address.value = TYPED

        form.app.screen.watch(name, "value", type_on, init=False)
        address.value = "https://ilp.example/b"
        await form.wait()
        assert form.input("name").value == "ben"


async def test_a_name_that_is_taken_is_told(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.write("name", "SHOP")
        assert "There is a wallet “shop” already" in form.note("name").sentence
        await form.press("f3", "ctrl+s")
        assert form.app.left_with == []


async def test_a_new_key_is_made_kept_shown_and_saved(tmp_path: Path) -> None:
    async with add_form(tmp_path, size=(120, 40)) as form:
        await form.write("address", TYPED)
        await form.press("f3")
        key_id = form.input("key-id").value
        path = Path(form.input("key-file").value)
        assert path.parent == tmp_path / "keys"
        assert mode_of(path) == 0o600
        await form.press("ctrl+s")
        assert isinstance(form.app.screen, RegisterKeyScreen)
        assert '"kty": "OKP"' in form.sheet("steps")
        await form.press("f2", "f6")
        copied, encoded = form.app.copied
        assert json.loads(copied) == read_key(path, key_id).public_jwk()
        assert json.loads(base64.b64decode(encoded)) == json.loads(copied)
        await form.press("ctrl+s")
        assert form.app.left_with == [Profile("ben", BEN.id, key_id=key_id, key_file=path)]
        assert "is saved, and not ready yet" in form.app.told[-1]


async def test_checking_again_asks_the_address_and_reads_the_key_again(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.press("f3")
        path = Path(form.input("key-file").value)
        set_mode(path, 0o644)
        await form.press("ctrl+r")
        assert "chmod 600" in form.note("key-file").sentence
        assert [name for name, _ in form.dashboard.calls].count("probe") == 2
        set_mode(path, 0o600)
        await form.press("ctrl+r")
        assert form.note("key-file").sentence == "The key can be used."


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (None, 0, "There is no key file"),
        (b"hello", 0o600, "key"),
        (b"hello", 0o644, "chmod 600"),
    ],
)
async def test_a_bad_key_file_is_told_under_its_field(
    tmp_path: Path, content: bytes | None, mode: int, told: str
) -> None:
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.write("key-file", str(path))
        assert told in form.note("key-file").sentence
        assert form.note("key-file").kind is Note.BAD
        await form.press("ctrl+s")
        assert form.app.left_with == []
        assert "Name a key file" in form.told


async def test_a_key_file_of_ones_own_is_used_under_the_typed_id(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.press("f3")
        path = Path(form.input("key-file").value)
        mine = moved(path, tmp_path / "mine.pem")
        await form.write("key-id", "my-key")
        await form.write("key-file", str(mine))
        await form.write("address", TYPED)
        await form.press("ctrl+s", "ctrl+s")
        assert form.app.left_with == [Profile("ben", BEN.id, key_id="my-key", key_file=mine)]


async def test_the_only_key_there_is_is_offered(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.press("f3")
        path = form.input("key-file").value
    async with add_form(tmp_path) as form:
        await form.wait()
        assert form.input("key-file").value == path
        assert form.note("key-file").sentence == "The key can be used."


async def test_of_several_keys_one_after_the_other_is_offered(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.press("f6")
        assert "F3 makes one" in form.note("key-file").sentence
    for name in ("one", "two"):
        write_own_key(tmp_path, ClientKey.generate(name))
    async with add_form(tmp_path) as form:
        assert form.input("key-file").value == ""
        assert "2 are here already: F6 takes the next." in form.note("key-file").sentence
        for name in ("one", "two", "one"):
            await form.press("f6")
            assert form.input("key-id").value == name
            assert form.note("key-file").sentence == "The key can be used."


async def test_a_key_with_a_passphrase_is_opened_and_nothing_of_it_is_saved(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.pem"
    write_key(path, ClientKey.generate("mine"), Secret("horse"))
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        assert not form.app.screen.query_one("#passphrase").display
        await form.write("key-file", str(path))
        assert form.note("key-file").sentence == "It has a passphrase: type it below."
        await form.write("passphrase", "house")
        assert form.note("passphrase").sentence == "That passphrase does not open it."
        await form.write("passphrase", "horse")
        assert form.note("key-file").sentence == "The key can be used."
        assert "horse" not in shown_text(form.app)
        await form.press("ctrl+s", "ctrl+s")
        (profile,) = form.app.left_with
        assert isinstance(profile, Profile)
        assert (profile.key_id, profile.key_file) == ("mine", path)
        assert form.dashboard.keys.remembered == [(path, "horse")]


@pytest.mark.parametrize("way", ["paste", "type"])
@pytest.mark.parametrize("encode", [bytes, base64.b64encode])
async def test_a_key_that_is_pasted_is_kept_and_never_shown(
    tmp_path: Path, encode: Callable[[bytes], bytes], way: str
) -> None:
    key = ClientKey.generate("mine")
    text = encode(key.to_pem()).decode()
    if way == "type" and "\n" in text:
        text = text.replace("\n", " ")  # as some terminals hand it over
    async with add_form(tmp_path) as form:
        await form.write("key-id", "mine")
        form.app.screen.set_focus(form.input("key-file"))
        if way == "paste":
            form.input("key-file").post_message(events.Paste(text))
        else:
            form.input("key-file").value = text
        await form.wait()
        path = tmp_path / "keys" / "mine.pem"
        assert form.input("key-file").value == str(path)
        assert "only you can read it" in form.note("key-file").sentence
        assert read_key(path, "mine").public_jwk() == key.public_jwk()
        assert text.split()[-1][:20] not in shown_text(form.app)


async def test_a_pasted_key_with_a_passphrase_is_kept_once_it_opens(tmp_path: Path) -> None:
    text = ClientKey.generate("mine").to_pem(b"horse").decode()
    async with add_form(tmp_path) as form:
        form.input("key-file").post_message(events.Paste(text))
        await form.wait()
        assert not (tmp_path / "keys").exists()
        await form.write("passphrase", "horse")
        (path,) = (tmp_path / "keys").iterdir()
        assert is_encrypted(path)
        assert form.input("key-file").value == str(path)
        assert form.input("key-id").value.startswith("imported-")


async def test_what_most_people_leave_as_it_is_comes_when_asked_for(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.press("f3")
        assert not form.app.screen.query_one("#more").display
        await form.press("f4")
        assert form.app.focused is form.input("client")
        await form.write("client", "$client.example/opdash")
        await form.press("tab", "right", "tab", "right")
        await form.write("poll-interval", "2.5")
        await form.write("ca-file", str(bundle))
        assert form.dashboard.calls[-1] == ("probe", (TYPED, bundle))
        await form.press("ctrl+s", "ctrl+s")
        (profile,) = form.app.left_with
        assert profile == Profile(
            "ben",
            BEN.id,
            client_wallet_address="https://client.example/opdash",
            key_id=profile.key_id,  # type: ignore[attr-defined]
            key_file=profile.key_file,  # type: ignore[attr-defined]
            poll_interval=2.5,
            ca_file=bundle,
            scope=Scope.EVERYTHING,
            access=AccessLevel.READ_ONLY,
        )


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("client", "nonsense", "is no wallet address"),
        ("poll-interval", "0.1", "from 0.2 to 3600"),
        ("poll-interval", "often", "A number of seconds"),
        ("ca-file", "/nowhere.pem", "no such file"),
    ],
)
async def test_what_cannot_be_chosen_is_told_and_shown(
    tmp_path: Path, field: str, text: str, told: str
) -> None:
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.press("f3", "f4")
        await form.write(field, text)
        assert told in form.note(field).sentence
        await form.press("f4", "ctrl+s")
        assert isinstance(form.app.screen, AddWalletScreen)
        assert form.app.screen.query_one("#more").display
        assert form.app.focused is form.input(field)


async def test_what_the_configuration_refuses_is_told_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opdash.errors import ConfigError

    async def refuse(profile: Profile) -> object:
        raise ConfigError("The file cannot be written.", "Check its directory.")

    async with add_form(tmp_path) as form:
        monkeypatch.setattr(form.dashboard, "add_profile", refuse)
        await form.write("address", TYPED)
        await form.press("f3", "ctrl+s", "ctrl+s")
        assert form.told == "The file cannot be written. Check its directory."
        await form.press("escape")
        assert form.input("address").value == TYPED
        monkeypatch.undo()
        await form.press("ctrl+s")
        await form.press("ctrl+s")
        assert len(form.app.left_with) == 1


async def test_escape_asks_before_typed_things_are_lost(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.press("escape")
        assert form.app.left_with == [None]
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.press("escape")
        assert form.app.left_with == []
        await form.press("escape")
        assert form.app.left_with == [None]


async def test_the_buttons_do_what_the_keys_do(tmp_path: Path) -> None:
    async with add_form(tmp_path, size=(120, 40)) as form:
        await form.write("address", TYPED)
        for button in ("#make-key", "#show-more", "#next"):
            await form.pilot.click(button)
            await form.wait()
        (watch,) = form.dashboard.keys.watches
        for button in ("#copy-key", "#check-again"):
            await form.pilot.click(button)
            await form.wait()
        assert (len(form.app.copied), watch.asked_again) == (1, 1)
        await form.pilot.click("#leave")
        await form.wait()
        assert isinstance(form.app.screen, AddWalletScreen)
        await form.pilot.click("#next")
        await form.wait()
        await form.pilot.click("#save")
        await form.wait()
        assert len(form.app.left_with) == 1


async def test_the_whole_form_is_reached_by_key_on_a_small_screen(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.press("f3")
        keys = form.app.screen.query_one("KeyLine")
        assert keys.region.bottom <= 24
        body = form.app.screen.query_one(".body")
        await form.press("f4")
        await form.press("pagedown", "pagedown", "pagedown")
        assert form.app.screen.query_one("#ca-file").region.bottom <= body.region.bottom


async def test_hostile_names_are_harmless(tmp_path: Path) -> None:
    hostile = msgspec.structs.replace(BEN, public_name="\x1b[2J[/nope]\u202e")
    async with add_form(tmp_path, hostile) as form:
        await form.write("address", TYPED)
        said = str(form.note("address").render())
        assert "␛[2J[/nope]" in said
        assert "\x1b" not in said
