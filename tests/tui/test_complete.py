from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from textual.pilot import Pilot
from textual.widgets import Button, Input

from opdash.ledger.records import PaymentRow
from opdash.ledger.states import State
from opdash.openpayments.amounts import format_minor
from opdash.openpayments.errors import GoneError, UnansweredError, UnreachableError
from opdash.service.completions import ChangedMeanwhile, Seen
from opdash.tui.screens.complete import (
    CompleteScreen,
    Step,
    is_received_amount,
    needs_typing,
)
from opdash.tui.widgets.form_field import NoteLine
from opdash.tui.widgets.sheet import SheetView
from tests.tui.form_doubles import NOW, FakeDashboard, Stage, payment, settled, write

COVERED = payment(received=25000, difference=0, state=State.SETTLING)
SHORT_CLOSED = payment(completed=True, final=True, state=State.CLOSED_SHORT, needs_action=True)


class Form:
    """The complete form on its stage."""

    def __init__(self, dashboard: FakeDashboard, app: Stage, pilot: Pilot[None]) -> None:
        self.dashboard = dashboard
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> CompleteScreen:
        screen = self.app.screen
        assert isinstance(screen, CompleteScreen)
        return screen

    def is_open_to_complete(self) -> bool:
        return not self.screen.query_one("#complete", Button).disabled

    @property
    def step(self) -> Step:
        return self.screen.step

    @property
    def asked(self) -> list[object]:
        return self.dashboard.shop.asked_for("complete")

    @property
    def told(self) -> str:
        return self.screen.query_one("#outcome", NoteLine).sentence

    @property
    def shown(self) -> str:
        return self.screen.query_one("#facts", SheetView).text

    @property
    def focused(self) -> str:
        return str(self.app.focused and self.app.focused.id)

    def answer(self, answer: object) -> None:
        self.dashboard.shop.answers["complete"] = answer

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await settled(self.pilot)

    async def write(self, text: str) -> None:
        self.screen.query_one("#typed", Input).value = ""
        await write(self.pilot, text)


@asynccontextmanager
async def complete_form(
    tmp_path: Path,
    row: PaymentRow | None = None,
    *,
    fetched: object = None,
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Form]:
    dashboard = FakeDashboard(tmp_path)
    known = row or payment()
    dashboard.reader.payments[known.id] = known
    dashboard.shop.answers["refresh"] = fetched
    app = Stage(dashboard, lambda: CompleteScreen(dashboard.session_, known))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield Form(dashboard, app, pilot)


async def test_the_payment_is_fetched_anew_and_told_plainly(tmp_path: Path) -> None:
    fetched = payment(received=13000, difference=-12000)
    async with complete_form(tmp_path, fetched=fetched) as form:
        assert form.dashboard.shop.asked_for("refresh") == [fetched.id]
        for part in ("PARTIAL  52 %", "250.00 USD", "130.00 USD", "shortfall", "120.00 USD"):
            assert part in form.shown
        warning = str(form.screen.query_one("#warning").render())
        assert "cannot be undone" in warning


async def test_nothing_can_be_completed_while_it_is_fetched(tmp_path: Path) -> None:
    dashboard = FakeDashboard(tmp_path)
    dashboard.shop.gate.clear()
    app = Stage(dashboard, lambda: CompleteScreen(dashboard.session_, COVERED))
    async with app.run_test() as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, CompleteScreen)
        assert "Fetching" in screen.outcome.sentence
        await pilot.press("ctrl+y")
        assert dashboard.shop.asked_for("complete") == []
        dashboard.shop.gate.set()


async def test_a_covered_payment_takes_the_deliberate_key_only(tmp_path: Path) -> None:
    async with complete_form(tmp_path, COVERED) as form:
        assert form.focused == "leave"
        done = payment(received=25000, difference=0, completed=True, final=True, state=State.PAID)
        form.answer(done)
        await form.press("y", "c", "space_bar", "ctrl+s")
        assert form.asked == []
        await form.press("ctrl+y")
        assert form.asked == [Seen(received=25000, completed=False)]
        assert "Completed with 250.00 USD." in form.told
        assert form.step is Step.DONE
        await form.press("escape")
        assert form.app.left_with == [done]


async def test_enter_on_the_form_as_it_opens_completes_nothing(tmp_path: Path) -> None:
    for row in (COVERED, payment()):
        async with complete_form(tmp_path, row) as form:
            assert form.focused != "complete"
            await form.press("enter")
            assert form.asked == []


async def test_a_shortfall_takes_the_received_amount(tmp_path: Path) -> None:
    async with complete_form(tmp_path) as form:
        assert form.focused == "typed"
        assert not form.is_open_to_complete()
        await form.press("ctrl+y")
        assert "Type the received amount first" in form.told
        await form.write("250.00")
        await form.press("ctrl+y")
        assert form.asked == []
        await form.write("120.00")
        assert form.is_open_to_complete()
        form.answer(SHORT_CLOSED)
        await form.press("ctrl+y")
        assert form.asked == [Seen(received=12000, completed=False)]
        assert form.step is Step.DONE


async def test_an_unpaid_payment_takes_typing_zero(tmp_path: Path) -> None:
    unpaid = payment(received=0, difference=-25000, state=State.UNPAID)
    async with complete_form(tmp_path, unpaid) as form:
        demand = str(form.screen.query_one("#demand").render())
        assert "Nothing has arrived." in demand
        assert "0.00 USD" in demand
        form.answer(unpaid)
        await form.write("0.00")
        await form.press("ctrl+y")
        assert len(form.asked) == 1


async def test_the_button_works_with_the_mouse(tmp_path: Path) -> None:
    async with complete_form(tmp_path, COVERED, size=(120, 40)) as form:
        form.answer(COVERED)
        await form.pilot.click("#complete")
        await settled(form.pilot)
        assert len(form.asked) == 1


async def test_the_server_is_asked_once(tmp_path: Path) -> None:
    async with complete_form(tmp_path, COVERED) as form:
        form.answer(COVERED)
        form.dashboard.shop.gate.clear()
        form.screen.query_one("#complete").focus()
        await form.pilot.press("enter", "enter", "ctrl+y", "ctrl+r")
        assert len(form.asked) == 1
        assert "waiting for the server" in form.told
        await form.pilot.press("escape")
        assert "not taken back" in form.told
        form.dashboard.shop.gate.set()
        await settled(form.pilot)
        assert len(form.asked) == 1


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (SHORT_CLOSED, "completed already"),
        (payment(expires_at=NOW - timedelta(seconds=1)), "has expired"),
        (payment(gone_at=NOW, no_longer_at_server=True), "no longer has"),
    ],
)
async def test_what_cannot_be_completed_says_why(
    tmp_path: Path, row: PaymentRow, told: str
) -> None:
    async with complete_form(tmp_path, row) as form:
        assert told in form.told
        assert form.focused == "leave"
        assert not form.screen.query_one("#received").display
        await form.press("ctrl+y")
        assert form.asked == []


async def test_a_payment_that_cannot_be_fetched_cannot_be_completed(tmp_path: Path) -> None:
    failure = UnreachableError("The server does not answer.", "Try again.")
    async with complete_form(tmp_path, COVERED, fetched=failure) as form:
        assert form.told == "The server does not answer. Try again."
        await form.press("ctrl+y")
        assert form.asked == []
        form.dashboard.shop.answers.clear()
        form.answer(COVERED)
        await form.press("ctrl+r")
        await form.press("ctrl+y")
        assert len(form.asked) == 1


async def test_a_payment_that_has_gone_says_so(tmp_path: Path) -> None:
    failure = GoneError("The server no longer has this payment.", status=401)
    async with complete_form(tmp_path, fetched=failure) as form:
        assert form.told == "The server no longer has this payment."


async def test_money_that_arrived_meanwhile_makes_the_person_decide_again(tmp_path: Path) -> None:
    async with complete_form(tmp_path) as form:
        more = payment(received=13000, difference=-12000)
        form.answer(ChangedMeanwhile("Money has arrived meanwhile.", "Decide again.", more))
        await form.write("120.00")
        await form.press("ctrl+y")
        assert form.told == "Money has arrived meanwhile. Decide again."
        assert "130.00 USD" in form.shown
        assert form.screen.query_one("#typed", Input).value == ""
        await form.write("120.00")
        await form.press("ctrl+y")
        assert len(form.asked) == 1


async def test_a_conflict_refreshes_and_explains(tmp_path: Path) -> None:
    async with complete_form(tmp_path, COVERED) as form:
        done = payment(received=25000, difference=0, completed=True, state=State.PAID)
        form.answer(ChangedMeanwhile("It can no longer be completed.", "", done))
        await form.press("ctrl+y")
        assert form.told == "It can no longer be completed."
        assert "PAID" in form.shown
        assert form.step is Step.BLOCKED


async def test_money_that_arrives_while_the_form_is_open_is_shown(tmp_path: Path) -> None:
    async with complete_form(tmp_path) as form:
        await form.write("120.00")
        form.dashboard.know(payment(received=13000, difference=-12000))
        await settled(form.pilot)
        assert "130.00 USD" in form.shown
        assert "look again" in form.told
        await form.press("ctrl+y")
        assert form.asked == []


async def test_a_key_that_was_meant_for_another_amount_completes_nothing(tmp_path: Path) -> None:
    nothing_asked = payment(asked=None, asked_asset=None, received=0, difference=None)
    async with complete_form(tmp_path, nothing_asked) as form:
        await form.write("0.00")
        form.dashboard.know(structs.replace(nothing_asked, received=700))
        await settled(form.pilot)
        await form.press("ctrl+y")
        assert form.asked == []
        assert "once more" in form.told
        await form.press("ctrl+y")
        assert len(form.asked) == 1


async def test_no_answer_is_unknown_until_a_poll_tells(tmp_path: Path) -> None:
    async with complete_form(tmp_path, COVERED) as form:
        form.answer(UnansweredError("No answer: unknown, checking.", "opdash looks again."))
        await form.press("ctrl+y")
        assert "unknown, checking" in form.told
        await form.press("ctrl+y")
        assert len(form.asked) == 1
        form.dashboard.know(payment(received=25000, difference=0, completed=True, state=State.PAID))
        await settled(form.pilot)
        assert form.step is Step.DONE
        assert "Completed" in form.told


async def test_a_refusal_can_be_tried_again(tmp_path: Path) -> None:
    async with complete_form(tmp_path, COVERED) as form:
        form.answer(UnreachableError("The server does not answer.", "Try again."))
        await form.press("ctrl+y")
        assert form.told == "The server does not answer. Try again."
        form.answer(COVERED)
        await form.press("ctrl+y")
        assert len(form.asked) == 2


async def test_an_open_amount_says_that_only_the_person_knows(tmp_path: Path) -> None:
    free = payment(asked=None, asked_asset=None, difference=None, state=State.RECEIVING)
    async with complete_form(tmp_path, free) as form:
        assert "only you know" in str(form.screen.query_one("#demand").render())
        form.answer(free)
        await form.press("ctrl+y")
        assert len(form.asked) == 1


async def test_a_payment_that_expires_under_ones_eyes_can_no_longer_be_completed(
    tmp_path: Path,
) -> None:
    async with complete_form(tmp_path, COVERED) as form:
        form.dashboard.clock.instant += timedelta(days=3)
        form.screen.tick()
        assert "has expired" in form.told
        await form.press("ctrl+y")
        assert form.asked == []


async def test_leaving_leaves_the_payment_as_it_is(tmp_path: Path) -> None:
    for how in ("escape", "enter"):
        async with complete_form(tmp_path, COVERED) as form:
            await form.press(how)
            assert form.asked == []
            assert form.app.left_with == [None]


@given(st.integers(0, 2**64 - 1), st.integers(0, 30))
def test_only_the_received_amount_counts_as_typed(received: int, scale: int) -> None:
    from opdash.openpayments.amounts import Asset

    row = payment(received=received, received_asset=Asset("XYZ", scale))
    assert is_received_amount(format_minor(received, scale), row)
    assert not is_received_amount(format_minor(received + 1, scale), row)
    assert not is_received_amount("", row)
    assert not is_received_amount("x", row)


@pytest.mark.parametrize(
    ("row", "typing"),
    [
        (payment(), True),
        (COVERED, False),
        (payment(received=26000, difference=1000), False),
        (payment(asked=None, asked_asset=None, difference=None), False),
        (payment(asked=None, asked_asset=None, difference=None, received=0), True),
        (payment(difference=None), True),
    ],
)
def test_typing_is_asked_for_where_something_is_missing(row: PaymentRow, typing: bool) -> None:
    assert needs_typing(row) is typing
