from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from opdash.errors import ConfigError
from opdash.tui.screens.remove_wallet import RemoveWalletScreen
from opdash.tui.widgets.form_field import NoteLine
from opdash.tui.widgets.sheet import SheetView
from tests.tui.form_doubles import FakeDashboard, Stage, payment, settled


@asynccontextmanager
async def question(
    tmp_path: Path,
) -> AsyncIterator[tuple[FakeDashboard, Stage, Pilot[None]]]:
    dashboard = FakeDashboard(tmp_path)
    dashboard.know(payment(), payment(id="https://rs.example/2"))
    app = Stage(dashboard, lambda: RemoveWalletScreen(dashboard.real, dashboard.profile))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        yield dashboard, app, pilot


async def test_it_says_what_is_removed_and_what_is_kept(tmp_path: Path) -> None:
    async with question(tmp_path) as (dashboard, app, _):
        said = app.screen.query_one(SheetView).text
        assert "removed    the entry in opdash's configuration" in said
        assert "kept       2 payments in the ledger; the key file" in said
        assert str(dashboard.profile.key_file) in said


@pytest.mark.parametrize("key", ["enter", "escape", "y", "d"])
async def test_only_the_deliberate_key_removes(tmp_path: Path, key: str) -> None:
    async with question(tmp_path) as (dashboard, app, pilot):
        await pilot.press(key)
        await settled(pilot)
        assert dashboard.profiles == (dashboard.profile,)
        assert app.left_with in ([None], [])


async def test_the_deliberate_key_removes(tmp_path: Path) -> None:
    async with question(tmp_path) as (dashboard, app, pilot):
        await pilot.press("ctrl+y", "ctrl+y")
        await settled(pilot)
        assert dashboard.profiles == ()
        assert app.left_with == [True]


async def test_the_buttons_work_with_the_mouse(tmp_path: Path) -> None:
    async with question(tmp_path) as (_, app, pilot):
        await pilot.click("#leave")
        await settled(pilot)
        assert app.left_with == [None]
    async with question(tmp_path) as (_, app, pilot):
        await pilot.click("#remove")
        await settled(pilot)
        assert app.left_with == [True]


async def test_a_failure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(name: str) -> None:
        raise ConfigError("The file cannot be written.", "Check its directory.")

    async with question(tmp_path) as (dashboard, app, pilot):
        monkeypatch.setattr(dashboard, "remove_profile", refuse)
        await pilot.press("ctrl+y")
        await settled(pilot)
        told = app.screen.query_one("#outcome", NoteLine).sentence
        assert told == "The file cannot be written. Check its directory."
        assert app.left_with == []
