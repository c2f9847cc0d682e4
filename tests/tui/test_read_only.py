"""A wallet that is set up to read only: the keys that would write say why they do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from opdash.settings import AccessLevel, Settings
from opdash.tui.app import OpdashApp
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.payments import PaymentsScreen
from tests.tui.doubles import World, shop_payments


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    profile = msgspec.structs.replace(world.session.profile, access=AccessLevel.READ_ONLY)
    world.session.profile = profile
    world.dashboard.settings = Settings((profile,))
    yield world
    world.close()


def told(app: OpdashApp) -> str:
    return " ".join(notification.message for notification in app._notifications)


@pytest.mark.parametrize(("key", "deed"), [("n", "create"), ("c", "complete")])
async def test_the_table_says_why_not(world: World, key: str, deed: str) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, PaymentsScreen)
        assert f"set up to read only: opdash may not {deed} payments" in told(app)


async def test_the_details_say_why_not(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        await pilot.press("c")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        assert "opdash may not complete payments" in told(app)
