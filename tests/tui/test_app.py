"""What the app does instead of Textual: pictures, copying, and ending after a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from opdash.errors import LedgerError
from opdash.tui.actions import Place
from opdash.tui.app import Example, OpdashApp
from opdash.tui.screens.outgoing import OutgoingScreen
from tests.tui.doubles import World, make_payment, shop_payments
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


def pay(world: World, *numbers: int) -> None:
    """Let payments come in one after the other."""
    for number in numbers:
        payment = make_payment(900 + number, asked=1999, reference=f"NEW-{number}")
        world.record(payment)
        world.record(replace(payment, received_amount=payment.incoming_amount, completed=True))


def told(app: OpdashApp) -> list[str]:
    return [notification.message for notification in app._notifications]


async def test_payments_that_come_in_are_told_when_the_dialog_is_closed(world: World) -> None:
    app = app_of(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.show_scope(world.session.profile.name)
        await pilot.pause()
        pay(world, 1)
        app.tell("Copied.")
        app.show_help(Place.SCOPE)
        await pilot.pause()
        pay(world, 2)
        await pilot.pause()
        assert told(app) == ["Copied."]
        await pilot.press("escape")
        await pilot.pause()
        assert told(app) == ["Copied."], "one dialog is still open"
        await pilot.press("escape")
        await settled(pilot)
        assert told(app)[1:] == ["● Paid: 19.99 USD · NEW-1", "● Paid: 19.99 USD · NEW-2"]
        pay(world, 3)
        await pilot.pause()
        assert len(told(app)) == 4


async def test_many_that_came_in_behind_a_dialog_are_one_sentence(world: World) -> None:
    app = app_of(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.show_scope(world.session.profile.name)
        await pilot.pause()
        pay(world, 1, 2, 3, 4)
        await pilot.pause()
        assert told(app) == []
        await pilot.press("escape")
        await settled(pilot)
        assert told(app) == ["4 payments came in."]
