"""The statement of a month, the receipt of a payment, and saving either."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from opdash.service.status import Phase
from opdash.tui.app import OpdashApp
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.receipt import ReceiptScreen
from opdash.tui.screens.save_paper import SavePaperScreen
from opdash.tui.screens.statement import StatementScreen
from opdash.tui.widgets.bar_chart import BarChart
from opdash.tui.widgets.form_field import FormField
from opdash.tui.widgets.line import Line
from opdash.tui.widgets.paper_view import PaperView
from tests.tui.doubles import NOW, World, make_payment

Compare: TypeAlias = Callable[..., bool]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SMALL, LARGE = (80, 24), (120, 40)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    world = World(tmp_path)
    world.record(
        make_payment(1, asked=25_000, received=12_000, ago=0.1 * HOUR, reference="INV-2026-0412"),
        *(
            make_payment(
                100 + number,
                asked=1_000 + 37 * number,
                received=1_000 + 37 * number + (number == 5),
                completed=True,
                ago=number * 1.7 * DAY,
                reference=f"INV-{number % 9:04}" if number % 4 else "",
            )
            for number in range(24)
        ),
        make_payment(2, received=400, completed=True, ago=3 * DAY, reference="お茶 [b]tea[/b]"),
    )
    world.set_complete(True)
    world.live()
    yield world
    world.close()


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def shows(app: OpdashApp, screen: type[Screen[Any]]) -> bool:
    return isinstance(app.screen, screen)


def paper(app: OpdashApp) -> str:
    return app.screen.query_one(PaperView).text


def title(app: OpdashApp) -> str:
    return next(line.text for line in app.screen.query(Line) if line.text.startswith(" Statement"))


def day(app: OpdashApp) -> str:
    return " ".join(app.screen.query_one(BarChart).text.splitlines()[0].split())


def toasts(app: OpdashApp) -> list[str]:
    return [toast.message for toast in app._notifications]


async def test_the_statement_of_this_month(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("M")
        await settle(pilot)
        assert shows(app, StatementScreen)
        assert title(app) == " Statement  [ November 2026 ]  so far"
        assert paper(app).startswith("USD\n\nReceived in November 2026")
        assert "Closing total, received so far" in paper(app)
        assert "お茶 [b]tea[/b]" in paper(app)
        assert "All totals are sums of what opdash observed" in paper(app)
        await pilot.press("M")
        assert shows(app, PaymentsScreen)


async def test_months_follow_each_other_up_to_this_one(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("M", "left_square_bracket")
        await settle(pilot)
        assert title(app) == " Statement  [ October 2026 ]"
        assert "Closing total, received up to 31 October 2026" in paper(app)
        await pilot.press("comma")
        await settle(pilot)
        assert "Nothing was received in September 2026." in paper(app)
        await pilot.press("full_stop", "right_square_bracket")
        await settle(pilot)
        assert title(app) == " Statement  [ November 2026 ]  so far"
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert title(app) == " Statement  [ November 2026 ]  so far"
        assert toasts(app) == ["December 2026 has not begun: its first day is 1 December 2026."]


async def test_a_day_is_told_and_can_be_clicked(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("M")
        await settle(pilot)
        assert day(app) == "Fri 20 Nov 2026 130.00 USD 2 receipts"
        await pilot.press("left")
        assert day(app) == "Thu 19 Nov 2026 0.00 USD 0 receipts"
        await pilot.press("left")
        assert day(app) == "Wed 18 Nov 2026 10.37 USD 1 receipt"
        await pilot.press(*["right"] * 20)
        assert day(app) == "Mon 30 Nov 2026 0.00 USD 0 receipts"
        await pilot.click(BarChart, offset=(1 + 2 * 16, 2))
        assert day(app) == "Tue 17 Nov 2026 14.74 USD 2 receipts"
        await pilot.press(*["left"] * 40)
        assert day(app).startswith("Sun 1 Nov 2026")


async def test_the_text_is_scrolled(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("M")
        await settle(pilot)
        view = app.screen.query_one(PaperView)
        seen = []
        for key in ("down", "j", "pagedown", "up", "end", "pageup", "home"):
            await pilot.press(key)
            await pilot.pause()
            seen.append(view.scroll_offset.y)
        room = view.size.height
        assert seen[:4] == [1, 2, 2 + room, 1 + room]
        assert seen[4] == view.max_scroll_y > room
        assert seen[5:] == [seen[4] - room, 0]


async def test_news_are_added_up(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("M")
        await settle(pilot)
        world.record(make_payment(3, received=555, ago=0.01 * HOUR, reference="INV-NEWS"))
        await pilot.pause(1.1)
        await settle(pilot)
        assert "INV-NEWS" in paper(app)
        assert day(app) == "Fri 20 Nov 2026 135.55 USD 3 receipts"


async def test_a_wallet_that_never_answered_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, known=False)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("M", "left", "left_square_bracket")
        await settle(pilot)
        assert "Nothing is known of Rosa's Shop yet" in paper(app)
        assert day(app) == "Sat 31 Oct 2026"
    world.close()


async def test_the_receipt_from_the_table_and_from_the_payment(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("down", "R")
        await settle(pilot)
        assert shows(app, ReceiptScreen)
        assert paper(app).startswith("Receipt for INV-2026-0412\n")
        assert "Paid 120.00 of 250.00 USD; 130.00 USD missing." in paper(app)
        await pilot.press("R")
        assert shows(app, PaymentsScreen)
        await pilot.press("enter", "R")
        await settle(pilot)
        assert paper(app).startswith("Receipt for INV-2026-0412\n")
        await pilot.press("escape")
        assert shows(app, DetailScreen)


async def test_a_receipt_follows_its_payment(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("down", "R")
        await settle(pilot)
        world.record(
            make_payment(
                1, asked=25_000, received=25_000, ago=0.1 * HOUR, reference="INV-2026-0412"
            )
        )
        await settle(pilot)
        assert "Paid in full on 20 November 2026 14:07." in paper(app)
        assert "The wallet has yet to confirm it." in paper(app)
        assert "What arrived when" in paper(app)


async def test_copying_gives_text(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("M")
        await settle(pilot)
        await pilot.press("y")
        assert app.clipboard.startswith("Statement for November 2026\n")
        assert toasts(app)[-1].startswith("Copied ")
        await pilot.press("escape", "down", "R", "y")
        assert app.clipboard.startswith("Receipt for INV-2026-0412\n")


@pytest.mark.parametrize(
    ("steps", "suffix", "begins"),
    [(0, "html", "<!DOCTYPE html>"), (1, "md", "# Receipt for"), (2, "txt", "Receipt for")],
)
async def test_saving_in_each_form(world: World, steps: int, suffix: str, begins: str) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("down", "R", "s")
        await settle(pilot)
        assert shows(app, SavePaperScreen)
        await pilot.press(*["right"] * steps)
        await pilot.pause()
        assert app.screen.query_one(Input).value == f"~/receipt-2f1b0c4e.{suffix}"
        await pilot.press("ctrl+s")
        await settle(pilot)
        path = Path.home() / f"receipt-2f1b0c4e.{suffix}"
        assert shows(app, ReceiptScreen)
        assert toasts(app) == [f"Saved {path}."]
    assert path.read_text().startswith(begins)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_file_that_exists_is_replaced_on_the_second_wish_only(world: World) -> None:
    path = Path.home() / "statement-shop-2026-11.html"
    path.write_text("the former one")
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("M")
        await settle(pilot)
        await pilot.press("s", "ctrl+s")
        await settle(pilot)
        note = app.screen.query_one("#file", FormField).note
        assert note.sentence == "This file exists. Ctrl+S once more replaces it."
        assert path.read_text() == "the former one"
        await pilot.press("ctrl+s")
        await settle(pilot)
        assert shows(app, StatementScreen)
    assert path.read_text().startswith("<!DOCTYPE html>")


async def test_what_cannot_be_written_is_told_under_the_field(world: World) -> None:
    directory = Path.home() / "closed"
    directory.mkdir()
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("down", "R", "s")
        await settle(pilot)
        field = app.screen.query_one("#file", FormField)
        typed = app.screen.query_one(Input)
        for value, said in (
            ("", "Type the file's name."),
            ("~/closed", "That is a directory; add a file's name."),
            ("~/nowhere/x.html", f"There is no directory {Path.home() / 'nowhere'}."),
            (f"~/{'x' * 300}.html", "Nothing was written: File name too long."),
        ):
            typed.value = value
            await pilot.press("ctrl+s")
            await settle(pilot)
            assert field.note.sentence.startswith(said), value
        await pilot.press("escape")
        assert shows(app, ReceiptScreen)
    assert list(Path.home().iterdir()) == [directory]


async def test_what_is_not_added_up_yet_is_not_saved(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("M")
        await settle(pilot)
        monkeypatch.setattr(StatementScreen, "_read_anew", lambda _: None)
        await pilot.press("left_square_bracket", "y", "s")
        await settle(pilot)
        assert shows(app, StatementScreen)
        assert toasts(app) == ["It is not added up yet."]
        assert app.clipboard == ""


async def test_saving_with_the_mouse(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("down", "R", "s")
        await settle(pilot)
        await pilot.click("#leave")
        await settle(pilot)
        assert shows(app, ReceiptScreen)
        await pilot.press("s")
        await settle(pilot)
        await pilot.click("#save")
        await settle(pilot)
        assert shows(app, ReceiptScreen)
    assert (Path.home() / "receipt-2f1b0c4e.html").exists()


async def test_all_references_can_be_saved(world: World) -> None:
    world.record(
        *(
            make_payment(500 + number, received=5, ago=HOUR, reference=f"REF-{number:03}")
            for number in range(30)
        )
    )
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("M")
        await settle(pilot)
        assert "further references)" in paper(app)
        await pilot.press("s")
        await pilot.pause()
        await pilot.press("right", "tab", "right", "ctrl+s")
        await settle(pilot)
    text = (Path.home() / "statement-shop-2026-11.md").read_text()
    assert all(f"REF-{number:03}" in text for number in range(30))
    assert "further references" not in text


# What they look like


def look(
    compare: Compare,
    world: World,
    *keys: str,
    size: tuple[int, int],
    theme: str = "dark",
    happening: Callable[[], None] = lambda: None,
) -> bool:
    world.dashboard.settings = replace(world.dashboard.settings, theme=theme)
    happening()

    async def before(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await settle(pilot)

    return compare(OpdashApp(world.dashboard.real), terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_statement(snap_compare: Compare, world: World, size: tuple[int, int], theme: str) -> None:
    assert look(snap_compare, world, "M", "left", "left", size=size, theme=theme)


def test_statement_further_down(snap_compare: Compare, world: World) -> None:
    assert look(snap_compare, world, "M", "end", size=LARGE)


def test_statement_without_colour(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, world, "M", size=SMALL)


def test_statement_of_an_incomplete_ledger(snap_compare: Compare, world: World) -> None:
    def forget() -> None:
        world.set_complete(False)
        world.set_status(Phase.OFFLINE, last_ok_at=NOW - 3 * HOUR, problem="No answer.")

    assert look(snap_compare, world, "M", size=SMALL, happening=forget)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_receipt(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    assert look(snap_compare, world, "down", "R", size=size)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_saving(snap_compare: Compare, world: World, size: tuple[int, int]) -> None:
    assert look(snap_compare, world, "down", "R", "s", size=size)
