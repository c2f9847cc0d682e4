"""A key is replaced on the screen, step by step, and taken up again where it was left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Button

from opdash.errors import KeyFileError
from opdash.sandbox.process import SandboxProcess
from opdash.service.key_change import Stage
from opdash.tui.screens.replace_key import ReplaceKeyScreen
from opdash.tui.screens.wallets import WalletsScreen
from opdash.tui.widgets.form_field import Note, NoteLine
from opdash.tui.widgets.sheet import SheetView
from tests.service.client_server import client_server
from tests.tui.form_doubles import FakeDashboard, settled
from tests.tui.form_doubles import Stage as Screens
from tests.tui.key_doubles import NEXT_KEY, standing
from tests.tui.test_forms_on_sandbox import person


class Form:
    def __init__(self, dashboard: FakeDashboard, app: Screens, pilot: Pilot[None]) -> None:
        self.dashboard = dashboard
        self.app = app
        self.pilot = pilot

    @property
    def told(self) -> str:
        return self.app.screen.query_one("#outcome", NoteLine).sentence

    @property
    def button(self) -> str:
        return str(self.app.screen.query_one("#go-on", Button).label)

    def sheet(self, name: str) -> str:
        return self.app.screen.query_one(f"#{name}", SheetView).text

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await settled(self.pilot)


@asynccontextmanager
async def form(
    tmp_path: Path, stage: Stage = Stage.NOTHING, *, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Form]:
    dashboard = FakeDashboard(tmp_path)
    profile = at_stage(dashboard, stage)
    app = Screens(dashboard, lambda: ReplaceKeyScreen(profile))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield Form(dashboard, app, pilot)


def at_stage(dashboard: FakeDashboard, stage: Stage) -> str:
    profile = dashboard.profile
    if stage is Stage.NEXT:
        profile = replace(profile, next_key_id=NEXT_KEY.key_id, next_key_file=NEXT_KEY.file)
    elif stage is Stage.FORMER:
        profile = replace(
            profile,
            key_id=NEXT_KEY.key_id,
            key_file=NEXT_KEY.file,
            former_key_id=profile.key_id,
            former_key_file=profile.key_file,
        )
    dashboard.settings = dashboard.settings.replacing(profile)
    return profile.name


async def test_it_goes_from_one_key_to_the_next(tmp_path: Path) -> None:
    async with form(tmp_path) as shop:
        assert "It signs with “k1”." in shop.sheet("words")
        assert shop.button == "Make the next key (Ctrl+Y)"
        assert not shop.app.screen.query_one("#discard").display

        await shop.press("ctrl+y")
        assert "until the next key works" in shop.sheet("words")
        assert "✗ Key" in shop.sheet("checks")
        assert "To register the key" in shop.sheet("steps")
        await shop.press("f2", "f6")
        assert shop.app.copied == [NEXT_KEY.jwk_json.replace("\n", ""), NEXT_KEY.jwk_base64]
        await shop.press("ctrl+y")
        assert "does not work yet" in shop.told
        assert shop.dashboard.keys.did == ["begin"]

        shop.dashboard.keys.found = standing()
        await shop.press("ctrl+r")
        assert shop.told == "The next key works: Ctrl+Y switches to it."
        await shop.press("ctrl+y")
        assert "It signs with “next-key” now." in shop.sheet("words")
        assert "Remove the former key, “k1”" in shop.sheet("words")
        assert shop.sheet("checks") == shop.sheet("steps") == ""
        assert shop.told == "The next key is in use."

        await shop.press("ctrl+y")
        assert shop.dashboard.keys.did == ["begin", "switch", "retire"]
        assert "retired/k1.pem" in shop.told
        assert "The provider still serves it" in shop.told
        assert shop.button == "Make the next key (Ctrl+Y)"
        await shop.press("escape")
        assert shop.app.left_with == [None]


async def test_it_is_taken_up_where_it_was_left(tmp_path: Path) -> None:
    async with form(tmp_path, Stage.NEXT) as shop:
        assert '"kid": "next-key"' in shop.sheet("steps")
        assert shop.button == "Switch to it (Ctrl+Y)"


@pytest.mark.parametrize(
    ("stage", "did", "question", "told"),
    [
        (Stage.NEXT, "cancel", "is given up", "is given up; the one in use stays"),
        (Stage.FORMER, "delete", "deleted for good", "file of the former key is gone"),
    ],
)
async def test_a_key_is_discarded_after_asking(
    tmp_path: Path, stage: Stage, did: str, question: str, told: str
) -> None:
    async with form(tmp_path, stage) as shop:
        await shop.press("ctrl+t")
        assert question in shop.told
        assert did not in shop.dashboard.keys.did
        await shop.press("ctrl+t")
        assert shop.dashboard.keys.did[-1] == did
        assert told in shop.told


async def test_without_a_next_key_nothing_is_discarded(tmp_path: Path) -> None:
    async with form(tmp_path) as shop:
        await shop.press("ctrl+t", "ctrl+t", "f2", "f6", "ctrl+r")
        assert shop.dashboard.keys.did == []
        assert shop.app.copied == []


@pytest.mark.parametrize("stage", Stage)
async def test_a_step_that_fails_is_told_and_can_be_tried_again(
    tmp_path: Path, stage: Stage
) -> None:
    async with form(tmp_path, stage) as shop:
        if stage is Stage.NEXT:
            shop.dashboard.keys.found = standing()
            await shop.press("ctrl+r")
        shop.dashboard.keys.failure = KeyFileError("The disk is full.", "Make room.")
        await shop.press("ctrl+y")
        assert shop.told == "The disk is full. Make room."
        assert shop.app.screen.query_one("#outcome", NoteLine).kind is Note.BAD
        before = shop.dashboard.keys.did[:]
        await shop.press("ctrl+y")
        assert len(shop.dashboard.keys.did) == len(before) + 1


async def test_the_buttons_do_what_the_keys_do(tmp_path: Path) -> None:
    async with form(tmp_path, size=(120, 40)) as shop:
        for button in ("#go-on", "#discard", "#discard"):
            shop.app.screen.query_one(button, Button).press()
            await settled(shop.pilot)
        assert shop.dashboard.keys.did == ["begin", "cancel"]
        shop.app.screen.query_one("#leave", Button).press()
        await settled(shop.pilot)
        assert shop.app.left_with == [None]


async def test_a_key_is_replaced_on_the_sandbox(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with client_server() as provider:
        async with person(
            sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=(100, 40)
        ) as rosa:
            before = rosa.dashboard.profiles[0]
            changed = replace(before, client_wallet_address=provider.address)
            await rosa.dashboard.save_profile(changed)
            await rosa.press("w")
            await rosa.on(WalletsScreen)
            await rosa.press("K")
            await rosa.on(ReplaceKeyScreen)
            await rosa.press("ctrl+y")
            await rosa.until(lambda: "serves no key" in rosa.text or "no key at all" in rosa.text)
            made = await rosa.dashboard.key_change(before.name).begin()
            provider.register(made.jwk_json)
            await rosa.press("ctrl+r")
            await rosa.until(lambda: "The next key works" in rosa.text)
            await rosa.press("ctrl+y")
            await rosa.until(lambda: "The next key is in use." in rosa.text)
            profile = rosa.dashboard.profiles[0]
            assert (profile.key_id, profile.former_key_id) == (made.key_id, before.key_id)
            assert before.key_file is not None
            assert before.key_file.exists()
            await rosa.dashboard.session(profile.name).poll_once()
