from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from opdash.errors import OpdashError
from opdash.keyfiles import read_key
from opdash.openpayments.errors import NotFoundError, ProtocolError, UnreachableError
from opdash.openpayments.resources import WalletAddress
from opdash.service.dashboard import KeyCheck
from opdash.settings import Profile
from opdash.tui.screens import add_wallet
from opdash.tui.screens.add_wallet import AddWalletScreen
from opdash.tui.widgets.form_field import FormField, Note, NoteLine
from opdash.tui.widgets.sheet import SheetView
from tests.tui.form_doubles import WALLET, FakeDashboard, Stage, asked, settled, write

BEN = msgspec.structs.replace(WALLET, id="https://ilp.example/ben", public_name="Ben's Books")
TYPED = "https://ilp.example/ben"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(add_wallet, "PAUSE", 0.001)


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

    @property
    def jwk(self) -> str:
        return self.app.screen.query_one("#jwk", SheetView).text

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


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


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
        assert "Nothing was saved" in form.told


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


async def test_a_name_that_is_taken_is_told(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.write("name", "SHOP")
        assert "There is a wallet “shop” already" in form.note("name").sentence
        await form.press("f3", "ctrl+s")
        assert form.app.left_with == []


async def test_a_new_key_is_made_kept_shown_and_used(tmp_path: Path) -> None:
    async with add_form(tmp_path, size=(120, 40)) as form:
        form.dashboard.key_check = KeyCheck(False, "ben does not serve a key “x”.", "Register it.")
        await form.write("address", TYPED)
        await form.press("f3")
        key_id = form.input("key-id").value
        path = Path(form.input("key-file").value)
        assert path.parent == tmp_path / "keys"
        assert mode_of(path) == 0o600
        assert form.dashboard.calls[-1] == ("check_key", (BEN.id, key_id, path))
        note = form.note("key-id")
        assert note.kind is Note.WARN
        assert "does not serve a key" in note.sentence
        assert "Register the public key below" in note.sentence
        await form.press("f2")
        (copied,) = form.app.copied
        assert json.loads(copied) == read_key(path, key_id).public_jwk()
        assert f'"x": "{json.loads(copied)["x"]}"' in form.jwk
        await form.press("ctrl+s")
        assert form.app.left_with == [
            Profile("ben", BEN.id, key_id=key_id, key_file=path),
        ]


async def test_a_registered_key_says_so(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.press("f3")
        assert form.note("key-id").sentence == "The key is registered."
        assert form.note("key-id").kind is Note.GOOD


async def test_a_jwks_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        form.dashboard.key_check = UnreachableError("No answer.", "Try again.")
        await form.write("address", TYPED)
        await form.press("f3")
        assert form.note("key-id").sentence == "No answer. Try again."
        await form.write("client", "https://ilp.example/app")
        assert form.note("client").sentence == "No answer. Try again."
        assert form.note("key-id").sentence == ""
        form.dashboard.key_check = KeyCheck(True, "The key is registered.")
        await form.press("ctrl+r")
        assert form.note("client").kind is Note.HINT


async def test_checking_again_asks_address_and_key_again(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        form.dashboard.key_check = KeyCheck(False, "Not served.")
        await form.write("address", TYPED)
        await form.press("f3")
        form.dashboard.key_check = KeyCheck(True, "The key is registered.")
        await form.press("ctrl+r")
        assert form.note("key-id").sentence == "The key is registered."
        assert [name for name, _ in form.dashboard.calls].count("probe") == 2


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
        assert form.dashboard.calls[-1] == ("check_key", (BEN.id, "my-key", mine))
        await form.press("ctrl+s")
        assert form.app.left_with == [Profile("ben", BEN.id, key_id="my-key", key_file=mine)]


async def test_the_only_key_there_is_is_offered(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.press("f3")
        path = form.input("key-file").value
    async with add_form(tmp_path) as form:
        await form.wait()
        assert form.input("key-file").value == path
        assert '"kty": "OKP"' in form.jwk


async def test_another_client_address_is_checked_and_saved(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.press("f3")
        await form.write("client", "nonsense")
        assert "is no wallet address" in form.note("client").sentence
        await form.press("ctrl+s")
        assert form.app.left_with == []
        await form.write("client", "$client.example/opdash")
        assert form.dashboard.calls[-1][1][0] == "$client.example/opdash"  # type: ignore[index]
        await form.press("ctrl+s")
        (profile,) = form.app.left_with
        assert isinstance(profile, Profile)
        assert profile.client_wallet_address == "https://client.example/opdash"


async def test_what_the_configuration_refuses_is_told_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opdash.errors import ConfigError

    async def refuse(profile: Profile) -> object:
        raise ConfigError("The file cannot be written.", "Check its directory.")

    async with add_form(tmp_path) as form:
        monkeypatch.setattr(form.dashboard, "add_profile", refuse)
        await form.write("address", TYPED)
        await form.press("f3", "ctrl+s")
        assert form.told == "The file cannot be written. Check its directory."
        assert form.input("address").value == TYPED
        monkeypatch.undo()
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
        await form.pilot.click("#make-key")
        await form.wait()
        await form.pilot.click("#copy-key")
        await form.wait()
        assert len(form.app.copied) == 1
        await form.pilot.click("#save")
        await form.wait()
        assert len(form.app.left_with) == 1


async def test_copying_without_a_key_says_what_to_do(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.press("f2")
        assert "press F3" in form.told
        assert form.app.copied == []


async def test_the_whole_form_is_reached_by_key_on_a_small_screen(tmp_path: Path) -> None:
    async with add_form(tmp_path) as form:
        await form.write("address", TYPED)
        await form.press("f3")
        keys = form.app.screen.query_one("KeyLine")
        assert keys.region.bottom <= 24
        body = form.app.screen.query_one(".body")
        await form.press("pagedown", "pagedown")
        assert form.app.screen.query_one("#jwk").region.bottom <= body.region.bottom


async def test_hostile_names_are_harmless(tmp_path: Path) -> None:
    hostile = msgspec.structs.replace(BEN, public_name="\x1b[2J[/nope]\u202e")
    async with add_form(tmp_path, hostile) as form:
        await form.write("address", TYPED)
        said = str(form.note("address").render())
        assert "␛[2J[/nope]" in said
        assert "\x1b" not in said
