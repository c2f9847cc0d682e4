"""The doctor's screen: steps as they come, what one of them found, the report to copy."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.containers import VerticalScroll
from textual.pilot import Pilot

from opdash.clock import SystemClock
from opdash.errors import ExitCode
from opdash.openpayments.traces import Body, Trace
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.service.doctor.steps import Finding, Step, StepName
from opdash.settings import Profile, Settings, SettingsStore
from opdash.tui.app import OpdashApp
from opdash.tui.screens import doctor as doctor_module
from opdash.tui.screens.doctor import DoctorScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.widgets.line import Line
from opdash.tui.widgets.line_list import LineList
from opdash.tui.widgets.sheet import SheetView
from tests.service.conftest import profile_of
from tests.tui.doubles import NOW, World, grant_view, shop_payments

Compare = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 40)

TRACE = Trace(
    number=4,
    at=NOW,
    method="POST",
    url="https://auth.ilp.example/tenant",
    purpose="ask for a grant",
    headers=(("Host", "auth.ilp.example"), ("Signature", "sig1=:AAAA:")),
    sent=Body('{"client":"https://ilp.example/opdash"}'),
    signature_base='"@method": POST\n"@target-uri": https://auth.ilp.example/tenant',
    status=401,
    answer_headers=(("Date", "Fri, 20 Nov 2026 14:07:00 GMT"),),
    answered=Body('{"error":{"code":"invalid_client","description":"invalid signature"}}'),
    seconds=0.012,
)
WRONG = {
    StepName.KEY: Finding(
        False,
        "Under the key id “till-1” the client serves another key.",
        "Register the key of the key file anew (“opdash key show” prints it).",
        code=ExitCode.NOT_PERMITTED,
    ),
    StepName.GRANT: Finding(
        False,
        "The server did not accept the signature: “invalid signature”.",
        "Register the key of the key file anew (“opdash key show” prints it).",
        (
            "opdash signed (the signature base):",
            '  "@method": POST',
            '  "@target-uri": https://auth.ilp.example/tenant',
            '  "@signature-params": ("@method" "@target-uri");created=1795183620;keyid="till-1"',
            "The server most likely saw:",
            "  the same request, signed as “till-1”, and these keys of the client:",
            "    “till-1”  OKP Ed25519 EdDSA  x kf9Q2mZa…",
            "Broken rule: “keyid” must name a key that the client's jwks.json serves.",
        ),
        ExitCode.NOT_PERMITTED,
    ),
}
AFTER_GRANT = (StepName.TOKEN, StepName.LIST, StepName.SCOPE, StepName.GIVE_BACK)


def step(name: StepName, *, well: bool) -> Step:
    if not well and name in WRONG:
        return Step(name, WRONG[name], (TRACE,) if name is StepName.GRANT else ())
    if not well and name in AFTER_GRANT:
        skipped = Finding(None, "Skipped, because “Grant” came to no result.")
        return Step(name, skipped, is_skipped=True)
    return Step(name, Finding(True, f"All is well with this: {name.value}."))


class Script:
    """An examination that goes on when it is told to."""

    def __init__(self, *, well: bool = False, stops_before: StepName | None = None) -> None:
        self.well = well
        self.stops_before = stops_before
        self.goes_on = asyncio.Event()
        self.asked: list[str] = []
        self.ended = 0

    async def examine(self, profile: Profile) -> AsyncGenerator[Step]:
        self.asked.append(profile.name)
        try:
            for name in StepName:
                if name is self.stops_before:
                    await self.goes_on.wait()
                yield step(name, well=self.well)
        finally:
            self.ended += 1


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    yield world
    world.close()


@asynccontextmanager
async def shown(
    world: World, script: Script, *, size: tuple[int, int] = LARGE
) -> AsyncIterator[tuple[OpdashApp, Pilot[None]]]:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=size) as pilot:
        await app.push_screen(DoctorScreen(world.session.profile, script.examine))
        await pilot.pause()
        if script.stops_before is None:
            await app.workers.wait_for_complete()
            await pilot.pause()
        yield app, pilot


def lines(app: OpdashApp) -> list[str]:
    return [text.rstrip() for text in app.screen.query_one(LineList).texts]


def title(app: OpdashApp) -> str:
    return app.screen.query_one("#title", Line).text


def found(app: OpdashApp) -> str:
    return app.screen.query_one(SheetView).text


def selected(app: OpdashApp) -> str:
    return app.screen.query_one(LineList).selected


async def test_steps_are_shown_as_they_come(world: World) -> None:
    script = Script(well=True, stops_before=StepName.CONNECTION)
    async with shown(world, script) as (app, pilot):
        assert [line[0] for line in lines(app)] == ["✓"] * 3 + ["◌"] + ["○"] * 11
        assert lines(app)[3].endswith("looking…")
        assert lines(app)[4].endswith("waits")
        assert title(app).rstrip().endswith("◌ 4 of 15")
        assert selected(app) == "connection"
        script.goes_on.set()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert [line[0] for line in lines(app)] == ["✓"] * 15
        assert title(app).rstrip().endswith("✓ nothing is wrong")


async def test_at_its_end_the_first_failure_is_shown(world: World) -> None:
    async with shown(world, Script()) as (app, _):
        assert [line[0] for line in lines(app)] == [*"✓✓✓✓✓✓✓✓✗✓✗––––"]
        assert title(app).rstrip().endswith("✗ 2 wrong")
        assert selected(app) == "key"
        assert found(app).startswith("✗ Under the key id “till-1” the client serves another key.")
        assert "→ Register the key of the key file anew" in found(app)


async def test_a_cursor_that_was_moved_stays_where_it_is(world: World) -> None:
    script = Script(stops_before=StepName.KEY)
    async with shown(world, script) as (app, pilot):
        await pilot.press("home", "down")
        assert (selected(app), "key-file" in found(app)) == ("key-file", True)
        script.goes_on.set()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert selected(app) == "key-file"


async def test_the_signature_base_and_the_broken_rule_are_told(world: World) -> None:
    async with shown(world, Script()) as (app, pilot):
        await pilot.press("down", "down")
        assert '"@target-uri": https://auth.ilp.example/tenant' in found(app)
        assert "Broken rule: “keyid” must name" in found(app)
        assert "sent       POST https://auth.ilp.example/tenant (signed)" in found(app)
        assert "came back  401 Unauthorized in 0.012 s: {" in found(app)
        assert "Signature: sig1=:AAAA:" not in found(app)
        await pilot.press("v")
        assert "Signature: sig1=:AAAA:" in found(app)
        await pilot.press("v")
        assert "Signature: sig1=:AAAA:" not in found(app)


async def test_the_report_is_copied_whole_once_it_is_whole(world: World) -> None:
    script = Script(stops_before=StepName.LIST)
    async with shown(world, script) as (app, pilot):
        await pilot.press("y")
        assert app.clipboard == ""
        script.goes_on.set()
        await app.workers.wait_for_complete()
        await pilot.press("y")
        assert app.clipboard.startswith(f"opdash doctor: {world.session.profile.title}")
        assert "✗ Key match" in app.clipboard
        assert "    Signature: sig1=:AAAA:" in app.clipboard
        assert app.clipboard.endswith("Begin with: Key match.\n")


async def test_it_can_be_run_again_and_again(world: World) -> None:
    script = Script(stops_before=StepName.LIST)
    async with shown(world, script) as (app, pilot):
        await pilot.press("r")
        await pilot.pause()
        assert (len(script.asked), script.ended) == (2, 1)
        script.goes_on.set()
        await app.workers.wait_for_complete()
        await pilot.press("r")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert (len(script.asked), script.ended) == (3, 3)
        assert selected(app) == "key"


async def test_leaving_ends_the_examination(world: World) -> None:
    script = Script(stops_before=StepName.LIST)
    async with shown(world, script) as (app, pilot):
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, PaymentsScreen)
        assert script.ended == 1


async def test_what_was_found_can_be_scrolled(world: World) -> None:
    async with shown(world, Script(), size=SMALL) as (app, pilot):
        await pilot.press("down", "down", "tab", "down")
        pane = app.screen.query_one("#found", VerticalScroll)
        assert (selected(app), pane.scroll_y) == ("grant", 1)
        await pilot.press("end")
        assert pane.scroll_y == pane.max_scroll_y > 1
        await pilot.press("tab", "down")
        assert (selected(app), pane.scroll_y) == ("token", 0)


async def test_a_click_shows_a_step(world: World) -> None:
    async with shown(world, Script()) as (app, pilot):
        await pilot.click(LineList, offset=(10, 1))
        assert selected(app) == "key-file"


async def test_what_a_server_sent_is_made_harmless(world: World) -> None:
    class Hostile(Script):
        async def examine(self, profile: Profile) -> AsyncGenerator[Step]:
            trace = dataclasses.replace(TRACE, answered=Body("\x1b[2J[bold]x[/bold]\x07"))
            yield Step(StepName.CONFIGURATION, Finding(False, "\x1b[31m[/bold]", "\x07"), (trace,))

    async with shown(world, Hostile()) as (app, pilot):
        told = "".join(lines(app)) + found(app)
        assert "[/bold]" in told
        assert "[bold]x" in told
        assert not set(told) & {"\x1b", "\x07"}
        await pilot.press("y")
        assert "\x1b" not in app.clipboard
        assert app.clipboard


@pytest.mark.parametrize("keys", [["D"], ["w", "D"], ["T", "D"]], ids=["rows", "wallets", "grants"])
async def test_it_is_offered_wherever_a_wallet_is(
    world: World, monkeypatch: pytest.MonkeyPatch, keys: list[str]
) -> None:
    script = Script(well=True)
    world.dashboard.grants.shown = (grant_view(),)
    monkeypatch.setattr(doctor_module, "examined", lambda _, profile: script.examine(profile))
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        assert isinstance(app.screen, DoctorScreen)
        assert script.asked == ["shop"]


async def test_it_examines_a_real_wallet(fresh_sandbox: SandboxProcess, tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "config.toml")
    store.load()
    store.save(Settings((profile_of(fresh_sandbox, fresh_sandbox.main_wallet),)))
    app = OpdashApp(Dashboard(store, tmp_path / "data", SystemClock()))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await pilot.press("D")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert title(app).rstrip().endswith("✓ nothing is wrong")
        assert [line[0] for line in lines(app)] == ["✓"] * 15


# How it looks


def look(
    compare: Compare, world: World, script: Script, *keys: str, size: tuple[int, int], theme: str
) -> bool:
    world.dashboard.settings = replace(world.dashboard.settings, theme=theme)

    async def before(pilot: Pilot[Any]) -> None:
        profile = world.session.profile
        await pilot.app.push_screen(DoctorScreen(profile, script.examine))
        await pilot.pause()
        if script.stops_before is None:
            await pilot.app.workers.wait_for_complete()
        for key in keys:
            await pilot.press(key)
        await pilot.pause()

    return compare(OpdashApp(world.dashboard.real), terminal_size=size, run_before=before)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_a_refused_signature(
    snap_compare: Compare, world: World, size: tuple[int, int], theme: str
) -> None:
    assert look(snap_compare, world, Script(), "down", "down", size=size, theme=theme)


def test_under_way(snap_compare: Compare, world: World) -> None:
    script = Script(stops_before=StepName.JWKS)
    assert look(snap_compare, world, script, size=SMALL, theme="dark")


def test_without_colour(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, world, Script(), size=SMALL, theme="dark")
