"""Help, the command palette and the sort order: what lies over another screen."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console
from rich.style import Style
from textual.command import CommandList, CommandPalette
from textual.screen import Screen

from opdash.ledger.records import NEWEST_FIRST, Sort, SortColumn
from opdash.ledger.states import State
from opdash.tui.actions import Place, actions_at
from opdash.tui.actions.registry import ACTIONS
from opdash.tui.app import OpdashApp
from opdash.tui.screens.help import HelpScreen, help_text
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.sort import SortScreen
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.payment_table import PaymentTable
from tests.tui.doubles import World, shop_payments


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    yield world
    world.close()


def shows(app: OpdashApp, kind: type[Screen[Any]]) -> bool:
    return isinstance(app.screen, kind)


def written(place: Place) -> str:
    console = Console(width=100, file=StringIO())
    with console.capture() as capture:
        console.print(help_text(place, Style(), Style()))
    return capture.get()


@pytest.mark.parametrize("place", Place, ids=lambda place: place.name)
def test_every_action_of_a_place_is_in_its_help(place: Place) -> None:
    text = " ".join(written(place).split())
    for action in actions_at(place):
        assert (action.help in text) or (action.family_help and action.family_help in text)
        assert action.shown_keys in text or action.argument is not None


def test_no_action_is_without_a_place_that_has_help() -> None:
    assert all(action.places for action in ACTIONS)


def test_the_help_of_the_table_explains_every_state_and_sign() -> None:
    text = written(Place.PAYMENTS)
    assert all(state.value in text for state in State)
    assert "no longer at the server" in text
    assert "1–7" in text


async def test_help_opens_on_what_is_there_and_closes(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert shows(app, HelpScreen)
        assert cast(HelpScreen, app.screen).about is Place.PAYMENTS
        assert app.screen.query_one(KeyLine).region.bottom <= 24
        await pilot.press("pagedown", "down", "escape")
        await pilot.pause()
        assert shows(app, PaymentsScreen)
        await pilot.press("w", "question_mark")
        await pilot.pause()
        assert shows(app, HelpScreen)
        assert cast(HelpScreen, app.screen).about is Place.WALLETS


async def test_the_palette_finds_an_action_and_runs_it(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("colon")
        await pilot.pause()
        assert shows(app, CommandPalette)
        await pilot.press(*"received")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert app.screen.query_one(CommandList).option_count >= 1
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen.query_one(PaymentTable).sort.column is SortColumn.RECEIVED


async def test_the_palette_offers_what_works_here(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        wanted = [action for action in actions_at(Place.PAYMENTS) if action.in_palette]
        assert app.screen.query_one(CommandList).option_count == len(wanted)


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        (["7"], Sort(SortColumn.EXPIRES, descending=True)),
        (["enter"], Sort(SortColumn.CREATED, descending=False)),
        (["up", "enter"], Sort(SortColumn.DESCRIPTION, descending=False)),
        (["end", "enter"], Sort(SortColumn.LABELS, descending=False)),
        (["escape"], NEWEST_FIRST),
    ],
)
async def test_an_order_is_chosen_by_number_or_with_the_arrows(
    world: World, keys: list[str], order: Sort
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("s")
        await pilot.pause()
        assert shows(app, SortScreen)
        await pilot.press(*keys)
        await pilot.pause()
        assert app.screen.query_one(PaymentTable).sort == order


async def test_the_key_line_can_be_clicked(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        x = app.screen.query_one(KeyLine).text.index("? Help")
        await pilot.click(KeyLine, offset=(x, 0))
        await pilot.pause()
        assert shows(app, HelpScreen)
