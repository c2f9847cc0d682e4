"""The request inspector as a person uses it."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from opdash.openpayments.traces import Trace
from opdash.service.inspection import RequestLog
from opdash.settings import Profile, Settings
from opdash.tui.app import OpdashApp
from opdash.tui.screens.help import HelpScreen
from opdash.tui.screens.inspector import InspectorScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.request import RequestScreen
from opdash.tui.widgets.line import Line
from opdash.tui.widgets.line_list import LineList
from opdash.tui.widgets.request_facts import Part
from opdash.tui.widgets.request_pane import RequestPane
from tests.tui.doubles import FakeSession, World, shop_payments
from tests.tui.request_doubles import TOKEN, a_morning, fill, traced

Compare: TypeAlias = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 40)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    fill(world.dashboard.requests)
    yield world
    world.close()


class Viewer:
    """Somebody who looks at requests.

    Attributes:
        app: What they look at.
        copied: What they copied.
    """

    def __init__(self, app: OpdashApp, pilot: Pilot[None], world: World) -> None:
        self.app = app
        self.copied: list[str] = []
        self._pilot = pilot
        self._world = world

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self._pilot.press(key)
            await self._pilot.pause()

    async def send(self, trace: Trace, profile: str = "shop") -> None:
        """Let one more request end, and the screen look."""
        self._world.dashboard.requests.add(profile, trace)
        await self._pilot.pause(0.4)

    async def settle(self) -> None:
        await self.app.workers.wait_for_complete()
        await self._pilot.pause()

    @property
    def lines(self) -> tuple[str, ...]:
        return self.app.screen.query_one(LineList).texts

    @property
    def selected(self) -> str:
        return self.app.screen.query_one(LineList).selected

    def is_on(self, kind: type[Any]) -> bool:
        return isinstance(self.app.screen, kind)

    @property
    def part(self) -> int:
        return self.pane.part.value

    @property
    def pane(self) -> RequestPane:
        return self.app.screen.query_one(RequestPane)

    @property
    def title(self) -> str:
        return self.app.screen.query_one("#title", Line).text

    @property
    def heading(self) -> str:
        return self.app.screen.query_one("#columns", Line).text

    @property
    def status(self) -> str:
        return self.app.screen.query_one("#status", Line).text

    @property
    def toast(self) -> str:
        return [toast.message for toast in self.app._notifications][-1]


@asynccontextmanager
async def inspecting(
    world: World, *keys: str, size: tuple[int, int] = LARGE
) -> AsyncIterator[Viewer]:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=size) as pilot:
        viewer = Viewer(app, pilot, world)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "textual.app.App.copy_to_clipboard", lambda _, text: viewer.copied.append(text)
            )
            await pilot.pause()
            await viewer.press("I", *keys)
            yield viewer


async def test_the_requests_are_listed_newest_first_and_the_newest_is_told(world: World) -> None:
    async with inspecting(world) as viewer:
        assert viewer.is_on(InspectorScreen)
        assert [line[:8] for line in viewer.lines] == [
            "14:06:59",
            "14:06:56",
            "14:06:54",
            "14:06:52",
            "14:06:51",
        ]
        assert viewer.selected == "5"
        assert "To list incoming payments" in viewer.pane.text
        assert "5 requests of the last 200 · ✗ 2" in viewer.status


async def test_the_newest_is_followed_until_the_cursor_leaves_it(world: World) -> None:
    async with inspecting(world) as viewer:
        assert "● follows the newest" in viewer.title
        await viewer.send(traced(number=6))
        assert viewer.selected == "6"
        await viewer.press("down")
        await viewer.send(traced(number=7))
        assert viewer.selected == "5"
        assert "↑ 2 newer above" in viewer.title
        await viewer.press("g")
        assert viewer.selected == "7"
        await viewer.send(traced(number=8))
        assert viewer.selected == "8"


async def test_what_is_read_stays_where_it_is_while_others_arrive(world: World) -> None:
    log = world.dashboard.requests
    for number in range(100):
        log.add("shop", traced(number=number))
    async with inspecting(world, *["pagedown"] * 2) as viewer:
        rows = viewer.app.screen.query_one(LineList)
        place = int(viewer.selected)
        before = round(rows.scroll_y)
        await viewer.send(traced())
        assert int(viewer.selected) == place
        assert round(rows.scroll_y) == before + 1


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_lines_end_before_the_scroll_bar(world: World, size: tuple[int, int]) -> None:
    for number in range(100):
        world.dashboard.requests.add("shop", traced(number=number))
    async with inspecting(world, size=size) as viewer:
        await viewer.send(traced())
        line = viewer.app.screen.query_one(LineList).render_line(0).text
        assert line.rstrip().endswith("Rosa's Shop")


async def test_a_request_that_is_no_longer_kept_leaves_the_cursor_on_the_list(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    world.dashboard.requests = RequestLog(3)
    fill(world.dashboard.requests)
    async with inspecting(world, "end") as viewer:
        assert viewer.selected == "3"
        await viewer.send(traced())
        assert int(viewer.selected) == 4
        assert len(viewer.lines) == 3
    world.close()


async def test_a_pause_holds_the_list_still_and_counts_what_waits(world: World) -> None:
    async with inspecting(world, "p") as viewer:
        await viewer.send(traced())
        held, title = viewer.lines, viewer.title
        await viewer.press("space")
        assert (len(held), len(viewer.lines)) == (5, 6)
        assert "‖ paused, 1 newer " in title
        assert "follows" in viewer.title


async def test_errors_only(world: World) -> None:
    async with inspecting(world, "e") as viewer:
        assert len(viewer.lines) == 2
        assert all("✗" in line for line in viewer.lines)
        assert "errors only" in viewer.title
        await viewer.press("e")
        assert len(viewer.lines) == 5


async def test_where_nothing_failed_the_list_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.dashboard.requests.add("shop", traced())
    async with inspecting(world, "e") as viewer:
        assert "Nothing has failed here." in viewer.heading
        await viewer.press("e")
        assert "Method" in viewer.heading
    world.close()


async def test_one_wallet_after_the_other(world: World) -> None:
    tips = FakeSession(Profile("tips", "https://other.example/tips"), world.clock, None)
    world.dashboard.sessions.append(tips)
    world.dashboard.settings = Settings((*world.dashboard.profiles, tips.profile))
    world.dashboard.requests.add("tips", traced())
    world.dashboard.requests.add("", traced())
    async with inspecting(world) as viewer:
        seen = []
        for _ in range(4):
            seen.append((viewer.title.split("  ")[2].strip(), len(viewer.lines)))
            await viewer.press("w")
        assert seen == [
            ("all wallets", 7),
            ("Rosa's Shop", 5),
            ("tips", 1),
            ("not set up yet", 1),
        ]
        assert "all wallets" in viewer.title


async def test_nothing_to_show_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with inspecting(world) as viewer:
        assert viewer.lines == ()
        assert viewer.pane.text == ""
        assert "No request yet" in viewer.heading
        await viewer.press("enter", "y", "Y", "s", "down", "e", "w")
        assert viewer.copied == []
        assert viewer.is_on(InspectorScreen)
    world.close()


async def test_switched_off_it_says_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.dashboard.requests = RequestLog(0)
    async with inspecting(world) as viewer:
        assert "switched off in the settings" in viewer.title
        assert "inspector_requests is 0" in viewer.heading
    world.close()


async def test_the_parts_are_chosen_by_number_arrow_and_mouse(world: World) -> None:
    async with inspecting(world) as viewer:
        for key, part in (("2", Part.SIGNATURE), ("3", Part.BODY), ("4", Part.ANSWER)):
            await viewer.press(key)
            assert viewer.part == part
        assert '"pagination": {' in viewer.pane.text
        await viewer.press("right")
        assert viewer.part == Part.REQUEST
        await viewer.press("left")
        assert viewer.part == Part.ANSWER
        parts = viewer.pane.query_one("#parts", Line)
        await viewer._pilot.click(parts, offset=(parts.text.index("2 Sig"), 0))
        assert viewer.part == Part.SIGNATURE


async def test_the_part_stays_as_the_cursor_moves(world: World) -> None:
    async with inspecting(world, "2", "end") as viewer:
        assert "This request is not signed." in viewer.pane.text
        await viewer.press("up")
        assert "opdash wrote these lines" in viewer.pane.text


async def test_the_details_are_scrolled_when_they_have_the_focus(world: World) -> None:
    async with inspecting(world, "4", "tab", "down", "pagedown") as viewer:
        assert viewer.pane.scroll.scroll_y > 1
        assert viewer.selected == "5"
        await viewer.press("home")
        assert viewer.pane.scroll.scroll_y == 0
        await viewer.press("end")
        assert viewer.pane.scroll.scroll_y > 1
        await viewer.press("tab", "down")
        assert viewer.selected == "4"
        assert viewer.pane.scroll.scroll_y == 0


async def test_a_narrow_screen_opens_a_request_by_itself(world: World) -> None:
    async with inspecting(world, "tab", "down", size=SMALL) as viewer:
        assert not viewer.pane.display
        assert viewer.selected == "4"
        await viewer.press("enter")
        assert viewer.is_on(RequestScreen)
        assert "2 of 5" in viewer.title
        await viewer.press("4", "n", "n")
        assert "4 of 5" in viewer.title
        assert "401 Unauthorized" in viewer.pane.text
        await viewer.press("N", "escape")
        assert viewer.selected == "3"
        assert viewer.part == Part.ANSWER
        assert "↑ 2 newer above" in viewer.title


async def test_one_request_ends_at_the_ends_of_the_list_and_scrolls(world: World) -> None:
    async with inspecting(world, "enter", "N", "N", "4", size=SMALL) as viewer:
        assert "1 of 5" in viewer.title
        scroll = viewer.pane.scroll
        await viewer.press("j", "down")
        assert scroll.scroll_y == 2
        await viewer.press("k", "pagedown")
        assert scroll.scroll_y > 5
        await viewer.press("end")
        assert scroll.scroll_y == scroll.max_scroll_y
        await viewer.press("pageup", "home")
        assert scroll.scroll_y == 0
        await viewer.press(*"nnnnnn")
        assert "5 of 5" in viewer.title
        await viewer.press("I")
        assert viewer.is_on(InspectorScreen)


async def test_one_request_is_copied_as_a_report(world: World) -> None:
    async with inspecting(world, "y") as viewer:
        (text,) = viewer.copied
        assert a_morning()[-1][1].report() in text
        assert "wallet: shop" in text
        assert TOKEN not in text
        assert viewer.toast == "Copied 1 request; secrets are masked."
        await viewer.press("enter", "y")
        assert viewer.copied == [text, text]


async def test_all_that_are_shown_are_copied(world: World) -> None:
    async with inspecting(world, "e", "Y") as viewer:
        (text,) = viewer.copied
        assert text.count("ask for a grant") == 1
        assert "#1 " not in text
        assert viewer.toast == "Copied 2 requests; secrets are masked."


async def test_a_long_copy_is_cut_and_says_so(world: World) -> None:
    for number in range(9):
        world.dashboard.requests.add("shop", traced(number=number, answer=b"x" * 20_000))
    async with inspecting(world, "Y") as viewer:
        assert len(viewer.copied[0]) < 50_000
        assert viewer.copied[0].count("wallet: shop") == 14
        assert "s saves all" in viewer.toast


async def test_a_report_is_saved_for_oneself_alone(world: World) -> None:
    async with inspecting(world, "s") as viewer:
        await viewer.settle()
        (path,) = (world.dashboard.data_dir / "requests").iterdir()
        assert path.name == "requests-20261120T140700Z.txt"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        text = path.read_text(encoding="utf-8")
        assert text.count("wallet: shop") == 5
        assert TOKEN not in text
        assert str(path).replace("\n", "") in viewer.toast
        await viewer.press("enter", "s")
        await viewer.settle()
        second = path.with_name("requests-20261120T140700Z-2.txt")
        assert second.read_text(encoding="utf-8").count("wallet: shop") == 1


async def test_a_report_that_cannot_be_saved_says_why(world: World) -> None:
    (world.dashboard.data_dir / "requests").write_text("in the way", encoding="utf-8")
    async with inspecting(world, "s") as viewer:
        await viewer.settle()
        assert "Nothing could be saved in" in viewer.toast


async def test_a_hostile_answer_harms_neither_screen_nor_clipboard(world: World) -> None:
    evil = b'{"[/bold]": "\x1b[2J\x1b]52;c;AAAA\x07", "\xe2\x80\xae": "' + b"z" * 2_000_000
    headers = (("x-\x1b[31m", "\r\nSet-Cookie: a"), ("set-cookie", "s3cr3t-cookie"))
    world.dashboard.requests.add("shop", traced(answer=evil, answer_headers=headers, status=599))
    async with inspecting(world, "4", "y", "enter", size=SMALL) as viewer:
        drawn = viewer.app.export_screenshot()
        for text in (drawn, viewer.copied[0], viewer.pane.text):
            assert "\x1b" not in text
            assert "\u202e" not in text
            assert "s3cr3t-cookie" not in text
        assert "✗ 599" in viewer.pane.text
        assert len(viewer.copied[0]) < 50_000


async def test_a_screen_never_shows_a_token(world: World) -> None:
    async with inspecting(world) as viewer:
        for _ in range(5):
            for part in "1234":
                await viewer.press(part)
                assert TOKEN not in viewer.app.export_screenshot()
            await viewer.press("down")


async def test_it_opens_from_everywhere_but_over_dialogs_and_goes_back(world: World) -> None:
    async with inspecting(world) as viewer:
        await viewer.press("I")
        assert viewer.is_on(PaymentsScreen)
        await viewer.press("w", "I")
        assert viewer.is_on(InspectorScreen)
        await viewer.press("question_mark")
        assert viewer.is_on(HelpScreen)
        await viewer.press("escape", "escape")
        assert not viewer.is_on(InspectorScreen)


async def test_a_wallet_that_is_gone_keeps_its_name(world: World) -> None:
    world.dashboard.requests.add("gone\x1b", traced())
    async with inspecting(world) as viewer:
        assert "gone␛" in viewer.lines[0]
        assert "wallet   gone␛" in viewer.pane.text


async def test_another_size_fits_the_lines_anew(world: World) -> None:
    async with inspecting(world, size=LARGE) as viewer:
        before = viewer.lines
        await viewer._pilot.resize_terminal(*SMALL)
        await viewer._pilot.pause(0.2)
        assert viewer.lines != before
        assert not viewer.pane.display


# What it looks like


def look(
    compare: Compare, world: World, *keys: str, size: tuple[int, int], theme: str = "dark"
) -> bool:
    world.dashboard.settings = replace(world.dashboard.settings, theme=theme)

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        for key in ("I", *keys):
            await pilot.press(key)
            await pilot.pause()
        await pilot.pause(0.3)

    app = OpdashApp(world.dashboard.real)
    return compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_the_list(snap_compare: Compare, world: World, size: tuple[int, int], theme: str) -> None:
    assert look(snap_compare, world, "2", "down", size=size, theme=theme)


@pytest.mark.parametrize("part", Part, ids=lambda part: part.name)
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_one_request(
    snap_compare: Compare, world: World, size: tuple[int, int], part: Part
) -> None:
    assert look(snap_compare, world, "enter", "n", "n", str(part.value), size=size)


def test_the_list_without_colour(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, world, "e", "p", "2", size=LARGE)
