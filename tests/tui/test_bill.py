"""The dialog that creates payments for invoices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Button

from opdash.books.bills import Terms, Until
from opdash.books.sources import open_source
from opdash.errors import OpdashError
from opdash.openpayments.errors import UnreachableError
from opdash.sandbox.process import SandboxProcess
from opdash.service.bill_reports import BillingProgress, Ended, Outcome
from opdash.settings import AccessLevel
from opdash.tui.screens.bill import BillScreen, Step
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import Note
from opdash.tui.widgets.line import Line
from opdash.tui.widgets.row_list import RowList
from tests.tui.bill_doubles import INVOICES, FakeDesk, source
from tests.tui.form_doubles import FakeDashboard, Stage, settled
from tests.tui.test_forms_on_sandbox import person

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["small", "large"])


@pytest.fixture
def dashboard(tmp_path: Path) -> FakeDashboard:
    return FakeDashboard(tmp_path)


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def stage(dashboard: FakeDashboard, desk: FakeDesk, tmp_path: Path) -> Stage:
    return Stage(dashboard, lambda: BillScreen(dashboard.profile, source(tmp_path), desk=desk.real))


def screen_of(stage: Stage) -> BillScreen:
    return cast(BillScreen, stage.screen)


def step_of(stage: Stage) -> Step:
    return screen_of(stage).step


def texts(stage: Stage) -> list[str]:
    return [text.rstrip() for text in stage.screen.query_one(RowList).texts()]


def said(stage: Stage) -> str:
    return screen_of(stage).outcome.sentence


async def until(pilot: Pilot[None], seen: Callable[[], bool]) -> None:
    for _ in range(400):
        if seen():
            return
        await pilot.pause(0.02)
    raise AssertionError(pilot.app.screen)


def row(stage: Stage, number: str) -> str:
    (found,) = [text for text in texts(stage) if f" {number} " in text]
    return found


@SIZES
async def test_it_shows_what_would_be_created_and_what_not(
    stage: Stage, desk: FakeDesk, size: tuple[int, int]
) -> None:
    async with stage.run_test(size=size) as pilot:
        await settled(pilot)

        assert step_of(stage) is Step.READY
        assert stage.screen.query_one("#sum", Line).text == (
            "4 payments · 1,287.50 USD · 1 unknown, checking · 4 left out · 1 with a payment"
            if size[0] > 80
            else "4 payments · 1,287.50 USD · 1 unknown, checking · 4 left out · 1 with a paym…"
        )
        assert row(stage, "INV-1").split() == [
            "○",
            "INV-1",
            "12.50",
            "USD",
            "server's",
            "limit",
            "Two",
            "lamps",
        ]
        assert "has a payment: PAID" in row(stage, "PAID-1")
        assert "ended unpaid" in row(stage, "OVER-1")
        assert "is in EUR, the wallet holds USD" in row(stage, "EUR-1")
        assert "unknown, checking" in row(stage, "LOST-1")
        assert len(texts(stage)) == len(INVOICES)
        assert "Nothing is sent yet" in said(stage)
        assert not desk.billers


async def test_only_the_invoices_that_were_picked(
    dashboard: FakeDashboard, desk: FakeDesk, tmp_path: Path
) -> None:
    picked = INVOICES[:2]
    stage = Stage(
        dashboard, lambda: BillScreen(dashboard.profile, source(tmp_path), picked, desk=desk.real)
    )
    async with stage.run_test() as pilot:
        await settled(pilot)
        assert desk.asked == [Terms(only=frozenset({"INV-1", "INV-2"}))]
        assert len(texts(stage)) == 2


@SIZES
async def test_ctrl_y_creates_them_and_writes_the_file(
    stage: Stage, desk: FakeDesk, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with stage.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+y")
        await settled(pilot)

        screen = screen_of(stage)
        assert step_of(stage) is Step.DONE
        assert desk.looked == 2, "what has happened since it was shown is looked for"
        ((path, ended),) = desk.written
        assert path == tmp_path / "invoices.billed.csv"
        assert ended.count(Outcome.CREATED) == 5
        assert said(stage) == f"5 of 5 payments created. Written: {path}"
        assert screen.outcome.kind is Note.GOOD
        assert "✓ INV-1" in row(stage, "INV-1")
        assert "…/0b0c4e" in row(stage, "INV-1")
        assert "5 of 5 · 4.0 a second" in screen.query_one("#progress", Line).text

        await pilot.press("ctrl+y")
        await settled(pilot)
        assert len(desk.billers) == 1, "once is once"
        await pilot.press("y")
        assert stage.copied == ["https://rs.example/t1/incoming-payments/0b0c4e"]
        await pilot.press("escape")
        await settled(pilot)
        assert stage.left_with == [ended]


async def test_a_file_that_is_there_is_never_replaced(
    stage: Stage, desk: FakeDesk, tmp_path: Path
) -> None:
    (tmp_path / "invoices.billed.csv").write_text("mine")
    (tmp_path / "invoices.billed-2.csv").write_text("mine too")
    async with stage.run_test() as pilot:
        await settled(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        ((path, ended),) = desk.written
        assert path == tmp_path / "invoices.billed-3.csv"
        assert ended == Ended(billed=())
        assert said(stage) == f"Written: {path}"
        assert not desk.billers


async def test_what_was_not_created_is_named(stage: Stage, desk: FakeDesk) -> None:
    desk.outcomes = {"INV-2": Outcome.FAILED, "INV-3": Outcome.UNKNOWN}
    async with stage.run_test() as pilot:
        await settled(pilot)
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert "3 of 5 payments created, 1 failed, 1 unknown." in said(stage)
        assert screen_of(stage).outcome.kind is Note.WARN
        assert "✗ INV-2" in row(stage, "INV-2")
        assert "The server refused the amount." in row(stage, "INV-2")


@pytest.mark.parametrize("key", ["x", "escape"])
async def test_it_stops_between_two_and_goes_on_when_asked(
    stage: Stage, desk: FakeDesk, key: str
) -> None:
    desk.gate = asyncio.Semaphore(2)
    async with stage.run_test() as pilot:
        await settled_but_working(pilot)
        await pilot.press("ctrl+y")
        await until(pilot, lambda: "2 of 5" in stage.screen.query_one("#progress", Line).text)
        screen = screen_of(stage)
        assert step_of(stage) is Step.CREATING
        assert str(screen.query_one("#leave", Button).label) == "Stop"
        await pilot.press("ctrl+r", "ctrl+s", "a")
        assert step_of(stage) is Step.CREATING, "nothing else begins meanwhile"

        await pilot.press(key)
        await until(pilot, lambda: step_of(stage) is Step.DONE)

        assert "2 of 5 payments created, 3 not tried." in said(stage)
        assert "Ctrl+R goes on with the rest" in said(stage)
        assert desk.written == []
        desk.gate = asyncio.Semaphore(100)
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert step_of(stage) is Step.READY
        assert "○ INV-1" in row(stage, "INV-1"), "what became of the first run is forgotten"


async def settled_but_working(pilot: Pilot[None]) -> None:
    stage = cast(Stage, pilot.app)
    await until(pilot, lambda: getattr(stage.screen, "step", None) is Step.READY)


async def test_the_progress_line_says_why_it_waits(stage: Stage, desk: FakeDesk) -> None:
    desk.gate = asyncio.Semaphore(1)
    async with stage.run_test() as pilot:
        await settled_but_working(pilot)
        await pilot.press("ctrl+y")
        await until(pilot, lambda: bool(desk.billers))
        await until(pilot, lambda: "1 of 5" in stage.screen.query_one("#progress", Line).text)
        desk.billers[0].tell(
            BillingProgress(
                done=1, total=5, checking=("INV-2",), waiting="There is no network.", pause=8.0
            )
        )
        await pilot.pause()
        line = stage.screen.query_one("#progress", Line).text
        assert "1 of 5 · 1 unknown, checking · There is no network. (8 s)" in line
        assert "unknown, checking" in row(stage, "INV-2")
        await pilot.press("x")
        await settled(pilot)


async def test_when_payments_end_can_be_chosen(stage: Stage, desk: FakeDesk) -> None:
    async with stage.run_test() as pilot:
        await settled(pilot)
        stage.screen.query_one(ChoiceLine).focus()
        await pilot.press("right")
        await settled(pilot)
        assert desk.asked[-1] == Terms(until=Until.LASTING, lasts=timedelta(days=7))
        assert "27 Nov" in row(stage, "INV-1")
        await pilot.press("right", "right")
        await settled(pilot)
        assert desk.asked[-1] == Terms(until=Until.DUE)
        assert "was due on 2026-11-01" in row(stage, "INV-3")
        assert desk.looked == 1, "the server is not asked again for that"


async def test_without_due_dates_none_can_be_chosen(
    dashboard: FakeDashboard, desk: FakeDesk, tmp_path: Path
) -> None:
    read = source(tmp_path, "number,amount\nINV-1,12.50\n")
    stage = Stage(dashboard, lambda: BillScreen(dashboard.profile, read, desk=desk.real))
    async with stage.run_test() as pilot:
        await settled(pilot)
        assert "due date" not in stage.screen.query_one(ChoiceLine).labels


async def test_a_payment_that_ended_unpaid_is_billed_again_by_a_key(
    stage: Stage, desk: FakeDesk
) -> None:
    async with stage.run_test() as pilot:
        await settled(pilot)
        await pilot.press("a")
        await settled(pilot)
        assert desk.asked == [Terms()], "the invoice under the cursor has none"
        listed = stage.screen.query_one(RowList)
        listed.select("6")
        await pilot.press("a")
        await settled(pilot)
        assert desk.asked[-1].again == frozenset({"OVER-1"})
        assert "billed again" in row(stage, "OVER-1")
        assert listed.selected == "6"
        await pilot.press("a")
        await settled(pilot)
        assert "ended unpaid" in row(stage, "OVER-1")


async def test_the_url_of_a_payment_that_is_there_can_be_copied(
    stage: Stage, desk: FakeDesk
) -> None:
    async with stage.run_test() as pilot:
        await settled(pilot)
        await pilot.press("y")
        assert stage.copied == []
        stage.screen.query_one(RowList).select("5")
        await pilot.press("y")
        assert stage.copied == [desk.payments[0].id]


async def test_moving_in_the_list(stage: Stage) -> None:
    async with stage.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        listed = stage.screen.query_one(RowList)
        for keys, name in (
            (("down", "j"), "4"),
            (("up",), "3"),
            (("k",), "2"),
            (("G",), "11"),
            (("g",), "2"),
            (("end",), "11"),
            (("home",), "2"),
            (("pagedown", "pagedown"), "11"),
            (("pageup", "pageup"), "2"),
        ):
            await pilot.press(*keys)
            assert listed.selected == name, keys


async def test_what_stands_in_the_way_is_said_and_tried_again(stage: Stage, desk: FakeDesk) -> None:
    desk.failure = UnreachableError("There is no network.", "Check the cable.")
    async with stage.run_test() as pilot:
        await settled(pilot)
        assert step_of(stage) is Step.BLOCKED
        assert said(stage) == "There is no network. Check the cable."
        await pilot.press("ctrl+y", "ctrl+s", "a", "y")
        assert (desk.billers, desk.written) == ([], [])
        desk.failure = None
        await pilot.press("ctrl+r")
        await settled(pilot)
        assert step_of(stage) is Step.READY
        await pilot.press("escape")
        await settled(pilot)
        assert stage.left_with == [None]


async def test_a_run_that_fails_says_what_became_of_it(stage: Stage, desk: FakeDesk) -> None:
    desk.ends_with = OpdashError("The right is missing.", "Ask for it.")
    async with stage.run_test() as pilot:
        await settled(pilot)
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert "The right is missing. Ctrl+R goes on with the rest" in said(stage)
        assert desk.written == []


async def test_a_file_that_cannot_be_written_hides_no_payment(stage: Stage, desk: FakeDesk) -> None:
    desk.write_failure = OpdashError("invoices.billed.csv could not be written: disk full.")
    async with stage.run_test() as pilot:
        await settled(pilot)
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert said(stage).startswith("5 of 5 payments created. invoices.billed.csv could not be")
        desk.write_failure = None
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert desk.written[0][1].count(Outcome.CREATED) == 5


async def test_a_wallet_that_is_read_only_creates_nothing(
    dashboard: FakeDashboard, desk: FakeDesk, tmp_path: Path
) -> None:
    profile = replace(dashboard.profile, access=AccessLevel.READ_ONLY)
    stage = Stage(dashboard, lambda: BillScreen(profile, source(tmp_path), desk=desk.real))
    async with stage.run_test() as pilot:
        await settled(pilot)
        assert "read only" in said(stage)
        await pilot.press("ctrl+y")
        assert desk.billers == []


async def test_nothing_to_create_is_said(stage: Stage, desk: FakeDesk) -> None:
    desk.invoices = INVOICES[3:4]
    async with stage.run_test() as pilot:
        await settled(pilot)
        assert "There is nothing to create" in said(stage)
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert desk.billers == []
        assert stage.screen.query_one("#create", Button).disabled


async def test_the_buttons_do_what_the_keys_do(stage: Stage, desk: FakeDesk) -> None:
    async with stage.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.click("#create")
        await settled(pilot)
        assert len(desk.written) == 1
        await pilot.click("#leave")
        await settled(pilot)
        assert stage.left_with == [desk.written[0][1]]


async def test_remote_and_written_text_is_no_markup(
    dashboard: FakeDashboard, tmp_path: Path
) -> None:
    evil = "[red]x[/] \x1b[31m\u202e"
    invoices = [replace(INVOICES[0], number=evil, description=evil)]
    desk = FakeDesk(invoices, ())
    stage = Stage(
        dashboard, lambda: BillScreen(dashboard.profile, source(tmp_path), desk=desk.real)
    )
    async with stage.run_test() as pilot:
        await settled(pilot)
        (line,) = texts(stage)
        assert "[red]x[/]" in line
        assert "\x1b" not in line
        assert "\u202e" not in line


async def test_invoices_become_payments_on_a_real_wallet(
    fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    (empty,) = [one for one in fresh_sandbox.wallet_addresses if one.endswith("/new")]
    path = tmp_path / "invoices.csv"
    path.write_text("number,amount,text\nINV-1,12.50,Lamp\nINV-2,3.00,Tea\n")
    async with person(fresh_sandbox, tmp_path, wallets=(empty,), size=(120, 40)) as rosa:
        await rosa.on(PaymentsScreen)
        read = open_source(path, tmp_path)
        rosa.app.push_screen(BillScreen(rosa.dashboard.profiles[0], read))
        screen = await rosa.on(BillScreen)
        await rosa.until(lambda: screen.step is Step.READY)
        await rosa.press("ctrl+y")
        await rosa.until(lambda: "Written" in screen.outcome.sentence)
        assert "2 of 2 payments created." in screen.outcome.sentence
        made = rosa.payment("INV-1")
        assert made is not None
        assert (made.asked, made.description) == (1250, "Lamp")
        assert made.id in (tmp_path / "invoices.billed.csv").read_text()
        await rosa.press("ctrl+r")
        await rosa.until(lambda: screen.step is Step.READY)
        assert "2 with a payment" in screen.query_one("#sum", Line).text
        await rosa.press("escape")
        await rosa.on(PaymentsScreen)
