"""What the app does instead of Textual: pictures, copying, and ending after a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input

from opdash.errors import LedgerError
from opdash.tui.app import Example, OpdashApp
from opdash.tui.screens.outgoing import OutgoingScreen
from tests.tui.doubles import World, shop_payments
from tests.tui.form_doubles import settled


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    yield world
    world.close()


def app_of(world: World, **options: object) -> OpdashApp:
    return OpdashApp(world.dashboard.real, **options)  # type: ignore[arg-type]


async def test_a_picture_loads_nothing_from_another_server(world: World) -> None:
    app = app_of(world)
    async with app.run_test(size=(80, 24)):
        picture = app.export_screenshot()
    assert "INV-" in picture
    assert "@font-face" not in picture
    assert 'url("http' not in picture


async def test_what_could_act_when_pasted_is_not_copied(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of(world)
    told: list[str] = []
    monkeypatch.setattr(app, "tell", lambda sentence, **_: told.append(sentence))
    async with app.run_test(size=(80, 24)):
        app.copy_to_clipboard("https://ilp.example/1")
        assert (app.clipboard, told) == ("https://ilp.example/1", [])
        app.copy_to_clipboard("https://ilp.example/1\nrm -rf x")
        assert app.clipboard == "https://ilp.example/1"
    assert told[0].startswith("Not copied")


async def test_a_ledger_that_cannot_be_written_after_all_ends_the_app(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = LedgerError("The ledger cannot grow: the disk is full.")

    async def fail() -> None:
        raise failure

    monkeypatch.setattr(world.dashboard, "start", fail)
    app = app_of(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
    assert app.failure is failure
    assert app.return_code == 1
    assert world.dashboard.stopped


async def test_ctrl_c_says_how_to_leave(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(world)
    told: list[str] = []
    monkeypatch.setattr(app, "tell", lambda sentence, **_: told.append(sentence))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+c")
        assert told == ["Press q to leave opdash."]
        await pilot.press("q")
        assert app.return_value is None
        assert not app.is_running


async def fail(app: OpdashApp) -> None:
    token = "GNAP-token-4711"
    async with app.run_test(size=(80, 24)) as pilot:
        app.call_later(lambda: (token, 1 // 0))
        await pilot.pause()


async def test_a_mistake_of_its_own_shows_no_variables(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    app = app_of(world)
    with pytest.raises(ZeroDivisionError):
        await fail(app)
    shown = "".join(capsys.readouterr())
    assert "Nothing in the ledger is lost" in shown
    assert "4711" not in shown
    assert app.return_code == 1


async def test_the_demo_shows_an_example_of_an_outgoing_payment(world: World) -> None:
    url = "https://ilp.example/outgoing-payments/1"
    app = app_of(world, demo=True, example=lambda: Example("shop", url))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("o")
        await settled(pilot)
        assert isinstance(app.screen, OutgoingScreen)
        assert app.screen.query_one("#url Input", Input).value == url
