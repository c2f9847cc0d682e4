"""Exporting what the screen shows."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from opdash.exports.exporting import export
from opdash.exports.records import FormatName
from opdash.exports.turns import in_turn
from opdash.openpayments.amounts import Asset
from opdash.tui.app import OpdashApp
from opdash.tui.screens import export as screen_module
from opdash.tui.screens.export import ExportScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.widgets.form_field import FormField
from tests.disks import filled_up, small_disk
from tests.tui.doubles import World, make_payment

Compare: TypeAlias = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 40)
HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    world = World(tmp_path)
    world.dashboard.ledger = world.ledger
    world.record(
        make_payment(1, received=1000, completed=True, reference="INV-1", ago=50 * 24 * HOUR),
        make_payment(2, received=400, reference="INV-2", description="=1+1"),
        make_payment(3, reference="INV-3"),
    )
    world.set_complete(True)
    world.live()
    yield world
    world.close()


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def opened(pilot: Pilot[None], *keys: str) -> ExportScreen:
    await settle(pilot)
    await pilot.press(*keys, "e")
    await settle(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, ExportScreen)
    return screen


def result(screen: ExportScreen) -> str:
    shown = screen.query_one("#result", Static)
    return str(shown.render()) if shown.display else ""


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(), newline="")))


async def test_all_payments_are_written_and_told_of(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        assert result(screen) == ""
        await pilot.press("ctrl+s")
        await settle(pilot)
        path = Path.home() / "opdash-shop.csv"
        assert result(screen).splitlines() == [
            f"3 payments in {path}",
            "  14.00 USD received",
            "  shop; the payments that this client created",
        ]
        assert screen.outcome.sentence == "Written."
        await pilot.press("escape")
        assert isinstance(app.screen, PaymentsScreen)
    assert {row["reference"] for row in rows(path)} == {"INV-1", "INV-2", "INV-3"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_directory_that_was_deleted_meanwhile_is_not_needed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        assert screen.query_one("#file Input", Input).value == "~/opdash-shop.csv"
        screen.query_one("#file Input", Input).value = "mine.csv"
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert screen.outcome.sentence == "Written."
        await pilot.press("escape", "down", "R", "s")
        await settle(pilot)
        assert app.screen.query_one("#file Input", Input).value.startswith("~/")
    assert (Path.home() / "mine.csv").exists()


async def test_what_is_filtered_is_written(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"received>5", "enter")
        screen = await opened(pilot)
        assert "received>5" in str(screen.query_one(".dialog-title", Static).render())
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert "1 payment in" in result(screen)
    assert [row["reference"] for row in rows(Path.home() / "opdash-shop.csv")] == ["INV-1"]


async def test_the_format_ends_the_file_s_name(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        typed = screen.query_one("#file Input", Input)
        suffixes = []
        for _ in FormatName:
            suffixes.append(typed.value.rpartition(".")[2])
            await pilot.press("right")
            await pilot.pause()
        assert suffixes == ["csv", "jsonl", "journal", "beancount", "ofx", "xml"]
        typed.value = "~/my.books"
        await pilot.press("right")
        await pilot.pause()
        assert typed.value == "~/my.books", "a person ended it otherwise"
        assert screen.query_one("#format", FormField).note.sentence.startswith("JSON Lines")


async def test_a_period_chooses_and_a_wrong_one_is_told(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        period = screen.query_one("#period Input", Input)
        period.value = "october"
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert "“october” is no period." in screen.query_one("#period", FormField).note.sentence
        assert list(Path.home().iterdir()) == []

        period.value = "2026-11"
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert "created in 2026-11 (local time)" in result(screen)
    assert len(rows(Path.home() / "opdash-shop.csv")) == 2


async def test_what_is_new_since_the_last_time(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        for name, count in (("one", 3), ("two", 0)):
            screen.query_one("#file Input", Input).value = f"~/{name}.csv"
            if name == "one":
                await pilot.press("tab", "tab", "right")
            await pilot.press("ctrl+s")
            await settle(pilot)
            assert result(screen).startswith(f"{count} payments in")
        assert "shop: new since the export of 2026-11-20 14:07" in result(screen)


async def test_what_is_new_is_exported_one_after_the_other(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await pilot.press("tab", "tab", "right")
        with in_turn(world.dashboard.reader.path, lambda: None):
            await pilot.press("ctrl+s")
            while "begins when that has ended" not in screen.outcome.sentence:
                await pilot.pause(0.01)
            assert not (Path.home() / "opdash-shop.csv").exists()
        await settle(pilot)
        assert result(screen).startswith("3 payments in")


async def test_a_file_that_exists_is_replaced_on_the_second_wish_only(world: World) -> None:
    path = Path.home() / "opdash-shop.csv"
    path.write_text("the former one")
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)
        note = screen.query_one("#file", FormField).note
        assert note.sentence == "This file exists. Ctrl+S once more replaces it."
        assert path.read_text() == "the former one"
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert result(screen)
    assert path.read_text().startswith("schema,")


async def test_what_cannot_be_written_is_told(world: World, tmp_path: Path) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        field = screen.query_one("#file", FormField)
        for value, said in (
            ("", "Type the file's name."),
            ("a\0b", "Type the file's name."),
            ("~", "is no file"),
            ("~/nowhere/x.csv", "There is no directory"),
            (f"~/{'x' * 300}.csv", "cannot be written"),
        ):
            screen.query_one("#file Input", Input).value = value
            await pilot.press("ctrl+s")
            await settle(pilot)
            assert said in field.note.sentence, value
        assert list(Path.home().iterdir()) == []
        with small_disk(tmp_path / "disk", 1) as disk, filled_up(disk):
            screen.query_one("#file Input", Input).value = str(disk / "x.csv")
            await pilot.press("ctrl+s")
            await settle(pilot)
            assert "the disk is full" in screen.outcome.sentence
            assert [one.name for one in disk.iterdir()] == ["ballast"]


async def test_leaving_stops_what_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.record(*(make_payment(100 + n, received=1) for n in range(3000)))
    begun, go_on = Event(), Event()

    def slowly(*given: Any) -> Any:
        begun.set()
        assert go_on.wait(30)
        return export(*given)

    monkeypatch.setattr(screen_module, "export", slowly)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert begun.wait(30)
        await pilot.press("ctrl+s", "escape")
        go_on.set()
        await settle(pilot)
        assert isinstance(app.screen, PaymentsScreen)
        assert not screen.is_current
    left = [one.name for one in Path.home().iterdir()]
    assert left in ([], ["opdash-shop.csv"]), "it is there whole or not at all"


async def test_a_wallet_that_never_answered_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, known=False)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert screen.outcome.sentence == "The wallet address is not known yet."
    world.close()


async def test_exporting_with_the_mouse(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await pilot.click(screen.query_one("#write", Button))
        await settle(pilot)
        assert result(screen)
        await pilot.click(screen.query_one("#leave", Button))
        await settle(pilot)
        assert isinstance(app.screen, PaymentsScreen)


# What it looks like


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_export(
    snap_compare: Compare,
    world: World,
    size: tuple[int, int],
    theme: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.dashboard.settings = replace(world.dashboard.settings, theme=theme)
    world.record(make_payment(4, received=70, asset=Asset("USDC", 6)))
    world.set_complete(False)
    monkeypatch.setattr(Path, "cwd", lambda: Path("/srv/books"))

    async def before(pilot: Pilot[Any]) -> None:
        screen = await opened(pilot)
        await pilot.press("left")
        await pilot.pause()
        screen.query_one("#file Input", Input).value = "~/october.xml"
        await pilot.press("ctrl+s")
        await settle(pilot)
        shown = screen.query_one("#result", Static)
        told = str(shown.render()).replace(str(Path.home()), "/home/rosa")
        shown.update(told)
        await settle(pilot)

    assert snap_compare(OpdashApp(world.dashboard.real), terminal_size=size, run_before=before)
