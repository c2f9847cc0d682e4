"""What the dialog that creates payments for invoices looks like; the clock stands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from textual.pilot import Pilot

from opdash.service.bill_reports import BillingProgress, Outcome
from opdash.tui.screens.bill import BillScreen
from opdash.tui.widgets.form_field import Note
from opdash.tui.widgets.line import Line
from tests.tui.bill_doubles import FakeDesk, source
from tests.tui.form_doubles import FakeDashboard, Stage, settled

Compare: TypeAlias = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 40)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def stage(desk: FakeDesk, tmp_path: Path) -> Stage:
    dashboard = FakeDashboard(tmp_path)
    read = source(tmp_path)
    return Stage(dashboard, lambda: BillScreen(dashboard.profile, read, desk=desk.real))


def look(
    compare: Compare,
    stage: Stage,
    size: tuple[int, int],
    act: Callable[[Pilot[None]], Awaitable[None]] | None = None,
    theme: str = "opdash-dark",
) -> bool:
    async def before(pilot: Pilot[None]) -> None:
        stage.theme = theme
        await settled(pilot)
        if act is not None:
            await act(pilot)
        await pilot.pause()

    return compare(stage, terminal_size=size, run_before=before)


@SIZES
def test_before(snap_compare: Compare, stage: Stage, size: tuple[int, int]) -> None:
    assert look(snap_compare, stage, size)


def test_before_in_light(snap_compare: Compare, stage: Stage) -> None:
    assert look(snap_compare, stage, SMALL, theme="opdash-light")


@SIZES
def test_meanwhile(
    snap_compare: Compare, stage: Stage, desk: FakeDesk, size: tuple[int, int]
) -> None:
    desk.gate = asyncio.Semaphore(2)

    async def act(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+y")
        while "2 of 5" not in stage.screen.query_one("#progress", Line).text:
            await pilot.pause(0.01)
        desk.billers[0].tell(
            BillingProgress(
                done=2,
                total=5,
                checking=("INV-3",),
                waiting="The server is in trouble (502 Bad Gateway).",
                pause=4.0,
            )
        )

    assert look(snap_compare, stage, size, act)


@SIZES
def test_after(snap_compare: Compare, stage: Stage, desk: FakeDesk, size: tuple[int, int]) -> None:
    desk.outcomes = {"INV-2": Outcome.FAILED, "LOST-1": Outcome.BILLED_BEFORE}

    async def act(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+y")
        await settled(pilot)
        screen = stage.screen
        assert isinstance(screen, BillScreen)
        screen.outcome.say("3 of 5 payments created. Written: ~/invoices.billed.csv", Note.GOOD)

    assert look(snap_compare, stage, size, act)


def test_before_without_colour(
    snap_compare: Compare, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, stage, SMALL)
