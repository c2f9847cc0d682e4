"""Tones follow the theme, from the first frame on and when it changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.theme import Theme

from opdash.tui.app import OpdashApp
from opdash.tui.inks import GROUNDS, LINE_INKS, TABLE_INKS
from opdash.tui.themes import DARK, LIGHT, THEMES
from tests.tui.doubles import World, shop_payments
from tests.tui.form_doubles import settled


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    yield world
    world.close()


def colours(app: OpdashApp) -> set[str]:
    """Return which of both themes' own colours are on the screen."""
    picture = app.export_screenshot().lower()
    both = {
        colour
        for theme in THEMES
        for colour in (theme.primary, theme.background, theme.foreground, *theme.variables.values())
        if colour and colour.startswith("#") and " " not in colour
    }
    return {colour for colour in both if colour.lower() in picture}


async def test_the_first_frame_is_in_the_theme_of_the_settings(world: World) -> None:
    world.dashboard.settings = replace(world.dashboard.settings, theme="light")
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)):
        assert app.theme == LIGHT.name
        assert app.has_class("-light-mode")
        assert not app.has_class("-dark-mode")
        shown = colours(app)
        assert {LIGHT.primary, LIGHT.background, LIGHT.variables["cursor-row"]} <= shown
        assert not {DARK.primary, DARK.background, DARK.variables["muted"]} & shown


async def test_everything_changes_with_the_theme(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert not {LIGHT.primary, LIGHT.background, LIGHT.variables["muted"]} & colours(app)
        app.action_toggle_theme()
        await settled(pilot)
        assert {LIGHT.primary, LIGHT.background, LIGHT.variables["cursor-row"]} <= colours(app)
        assert not {DARK.primary, DARK.background, DARK.variables["muted"]} & colours(app)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_tone_has_a_colour_in_every_theme(theme: Theme) -> None:
    names = {ink.colour for inks in (LINE_INKS, TABLE_INKS) for ink in inks.values()}
    own = names | set(GROUNDS.values())
    assert own - {"", "primary", "foreground"} <= theme.variables.keys()
