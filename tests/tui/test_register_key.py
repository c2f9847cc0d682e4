"""The last step before a wallet is saved: its key is registered while opdash checks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from opdash.settings import Profile
from opdash.tui.screens.register_key import RegisterKeyScreen
from opdash.tui.widgets.form_field import Note, NoteLine
from opdash.tui.widgets.sheet import SheetView
from tests.tui.form_doubles import FakeDashboard, Stage, settled
from tests.tui.key_doubles import NEXT_KEY, FakeWatch, standing, waiting_for_the_key

BEN = Profile(
    "ben", "https://ilp.example/ben", key_id=NEXT_KEY.key_id, key_file=NEXT_KEY.file, label="Ben"
)


class Form:
    def __init__(self, dashboard: FakeDashboard, app: Stage, pilot: Pilot[None]) -> None:
        self.dashboard = dashboard
        self.app = app
        self.pilot = pilot

    @property
    def watch(self) -> FakeWatch:
        return self.dashboard.keys.watches[-1]

    def sheet(self, name: str) -> str:
        return self.app.screen.query_one(f"#{name}", SheetView).text

    def note(self, name: str) -> NoteLine:
        return self.app.screen.query_one(f"#{name}", NoteLine)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await settled(self.pilot)


@asynccontextmanager
async def form(tmp_path: Path, *, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Form]:
    dashboard = FakeDashboard(tmp_path)
    app = Stage(dashboard, lambda: RegisterKeyScreen(BEN, NEXT_KEY))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield Form(dashboard, app, pilot)


async def test_each_line_waits_is_done_or_says_what_to_do(tmp_path: Path) -> None:
    async with form(tmp_path) as ben:
        lines = ben.sheet("checks").split("\n")
        assert lines[0].startswith("✓ Wallet address")
        assert lines[1].startswith("✗ Key")
        assert "serves no key" in lines[1]
        assert "→ Register it as told below" in lines[2]
        assert lines[-1] == "· Signed list     waits for the grant"
        assert "To register the key" in ben.sheet("steps")
        assert "Developer keys" in ben.sheet("steps")
        assert '"kid": "next-key"' in ben.sheet("steps")
        assert ben.note("outcome").sentence == ""

        ben.watch.find(standing())
        await settled(ben.pilot)
        assert [line[0] for line in ben.sheet("checks").split("\n")] == ["✓"] * 5
        assert "To register the key" not in ben.sheet("steps")
        assert ben.note("outcome").sentence == "Everything is ready: Ctrl+S saves it."


async def test_the_next_look_is_counted_down_to(tmp_path: Path) -> None:
    async with form(tmp_path) as ben:
        assert "by itself in 5 s" in ben.note("again").sentence
        ben.dashboard.clock.instant += timedelta(seconds=3)
        ben.watch.find(msgspec.structs.replace(waiting_for_the_key(), pause=None, is_looking=True))
        assert ben.note("again").sentence == "Looking …"


async def test_checking_now_asks_at_once(tmp_path: Path) -> None:
    async with form(tmp_path) as ben:
        ben.dashboard.keys.found = standing()
        await ben.press("ctrl+r")
        assert ben.watch.asked_again == 1
        assert "Everything is ready" in ben.note("outcome").sentence
        await ben.press("ctrl+r")  # what is ready can be checked once more
        assert len(ben.dashboard.keys.watches) == 1


@pytest.mark.parametrize("is_ready", [False, True])
async def test_it_can_be_saved_at_any_time(tmp_path: Path, is_ready: bool) -> None:
    async with form(tmp_path) as ben:
        if is_ready:
            ben.watch.find(standing())
        await ben.press("ctrl+s")
        assert ben.app.left_with == [BEN]
        assert [told for told in ben.app.told if "not ready yet" in told] == (
            []
            if is_ready
            else ["“Ben” is saved, and not ready yet. " + waiting_for_the_key().lines[1].sentence]
        )


async def test_going_back_saves_nothing(tmp_path: Path) -> None:
    async with form(tmp_path) as ben:
        await ben.press("escape")
        assert ben.app.left_with == [None]
        assert len(ben.dashboard.profiles) == 1


async def test_a_check_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: FakeWatch) -> None:
        raise RuntimeError("boo")

    monkeypatch.setattr(FakeWatch, "run", fail)
    async with form(tmp_path) as ben:
        assert ben.note("again").kind is Note.BAD
        assert "fault of its own" in ben.note("again").sentence


async def test_the_key_is_reached_on_a_small_screen(tmp_path: Path) -> None:
    async with form(tmp_path) as ben:
        body = ben.app.screen.query_one(".body")
        assert ben.app.screen.query_one("#checks").region.bottom <= body.region.bottom
        await ben.press("pagedown", "pagedown", "pagedown")
        assert ben.app.screen.query_one("#steps").region.bottom <= body.region.bottom


async def test_what_is_copied_is_what_providers_ask_for(tmp_path: Path) -> None:
    async with form(tmp_path) as ben:
        await ben.press("f2", "f6")
        assert ben.app.copied == [NEXT_KEY.jwk_json.replace("\n", ""), NEXT_KEY.jwk_base64]
