"""Saved searches from the screen: kept, renamed, replaced, deleted, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, OptionList

from opdash.errors import ConfigError
from opdash.ledger.search.saved import SavedSearch
from opdash.tui.app import OpdashApp
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.save_search import SaveSearchScreen
from opdash.tui.screens.searches import SearchesScreen
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import FormField, NoteLine
from tests.tui.doubles import World, shop_payments

TIPS = SavedSearch("Tips", "tip", "shop")
SHORT = SavedSearch("Short", "state:short")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    settings = replace(world.dashboard.settings, searches=(TIPS, SHORT))
    world.dashboard.settings = settings
    yield world
    world.close()


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def shows(app: OpdashApp, kind: type[Screen[Any]]) -> bool:
    return isinstance(app.screen, kind)


async def filtered(pilot: Pilot[None], text: str) -> None:
    await pilot.press("slash", *text)
    await settle(pilot)


def note(app: OpdashApp, field: str) -> str:
    return app.screen.query_one(field, FormField).note.sentence


def outcome(app: OpdashApp) -> str:
    return app.screen.query_one("#outcome", NoteLine).sentence


def own(world: World) -> list[SavedSearch]:
    return list(world.dashboard.settings.searches)


def rows(app: OpdashApp) -> list[str]:
    options = app.screen.query_one(OptionList).options
    return [" ".join(str(option.prompt).split()) for option in options]


async def test_a_filter_is_kept_under_a_name(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await filtered(pilot, "inv is:open")
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert shows(app, SaveSearchScreen)
        assert app.screen.query_one("#query Input", Input).value == "inv is:open"
        await pilot.press(*"Bills", "enter")
        await settle(pilot)
        assert shows(app, PaymentsScreen)
        assert own(world)[-1] == SavedSearch("Bills", "inv is:open", "shop")
        told = [notice.message for notice in app._notifications]
        assert "Saved as “Bills”; f finds it." in told
        await pilot.press("enter", "f")
        await settle(pilot)
        assert rows(app)[-1] == "● Bills 1 inv is:open"


async def test_it_can_be_for_all_wallets_and_fold(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await filtered(pilot, "tip")
        await pilot.press("enter", "ctrl+s")
        await settle(pilot)
        await pilot.press(*"All tips", "tab", "right", "tab", "right", "ctrl+s")
        await settle(pilot)
        saved = SavedSearch("All tips", "tip", "", fold=True)
        assert own(world)[-1] == saved


async def test_without_a_filter_there_is_nothing_to_save(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert shows(app, PaymentsScreen)
        told = [notice.message for notice in app._notifications]
        assert any("Type a filter" in message for message in told)


async def test_what_is_wrong_with_it_is_said(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "n")
        await settle(pilot)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert note(app, "#query").startswith("Type what to search for")
        assert note(app, "#name") == "Give it a name."
        app.screen.query_one("#query Input", Input).value = "stat:paid"
        app.screen.query_one("#name Input", Input).value = "[x]"
        await settle(pilot)
        assert note(app, "#query").startswith("“stat:” is not a term.")
        assert note(app, "#name").startswith("A name begins with a letter or digit")
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert shows(app, SaveSearchScreen)
        assert own(world) == [TIPS, SHORT]
        await pilot.press("escape")
        assert outcome(app) == "Nothing is saved yet. Esc once more leaves."
        await pilot.press("escape")
        await settle(pilot)
        assert shows(app, SearchesScreen)


async def test_a_name_that_is_taken_says_so_and_is_replaced(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await filtered(pilot, "thank")
        await pilot.press("ctrl+s", *"tips")
        await settle(pilot)
        assert note(app, "#name") == "Takes the place of the one that reads tip"
        await pilot.press("tab", "right")
        await settle(pilot)
        assert note(app, "#name") == ""
        await pilot.press("left")
        app.screen.query_one("#name Input", Input).value = "today"
        await settle(pilot)
        assert "built-in" in note(app, "#name")
        app.screen.query_one("#name Input", Input).value = "tips"
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert own(world) == [SavedSearch("tips", "thank", "shop"), SHORT]


async def test_one_is_renamed_where_it_stands(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "end", "e")
        await settle(pilot)
        assert shows(app, SaveSearchScreen)
        assert app.screen.query_one("#for ChoiceLine", ChoiceLine).chosen == "all wallets"
        field = app.screen.query_one("#name Input", Input)
        assert field.has_focus
        assert field.value == "Short"
        await pilot.press("end", *" ones", "ctrl+s")
        await settle(pilot)
        renamed = SavedSearch("Short ones", "state:short")
        assert own(world) == [TIPS, renamed]
        assert rows(app)[-1] == "Short ones 1 state:short"
        assert app.screen.query_one(OptionList).highlighted == 6


async def test_a_built_in_one_becomes_ones_own_and_comes_back(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "d")
        await settle(pilot)
        assert outcome(app) == "“Needs action” is built in; it stays."
        await pilot.press("e")
        await settle(pilot)
        query = app.screen.query_one("#query Input", Input)
        query.value = "is:action -is:gone"
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert rows(app)[0] == "Needs action 3 is:action -is:gone"
        await pilot.press("d")
        assert outcome(app) == "d once more deletes “Needs action”."
        await pilot.press("d")
        await settle(pilot)
        assert rows(app)[0] == "Needs action 3 is:action"
        assert own(world) == [TIPS, SHORT]


async def test_deleting_is_asked_for_each_time(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "end", "d", "up", "down", "d")
        await settle(pilot)
        assert own(world) == [TIPS, SHORT]
        assert outcome(app) == "d once more deletes “Short”."
        await pilot.press("d")
        await settle(pilot)
        assert own(world) == [TIPS]
        assert outcome(app) == ""
        assert rows(app)[-1] == "Tips 1 tip"
        await pilot.press("escape")
        assert shows(app, PaymentsScreen)


async def test_a_file_that_cannot_be_written_is_told(world: World) -> None:
    world.dashboard.save_failure = ConfigError("It cannot be written.", "Look at it.")
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await filtered(pilot, "tip")
        await pilot.press("ctrl+s", *"x", "ctrl+s")
        await settle(pilot)
        assert shows(app, SaveSearchScreen)
        assert outcome(app) == "It cannot be written. Look at it."
