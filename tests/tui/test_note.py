"""Labels, a note and a resolution, written on a payment on the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, TextArea

from opdash.errors import LedgerError
from opdash.ledger.notes import Edit, Resolution
from opdash.ledger.records import NEWEST_FIRST, PaymentRow, SortColumn
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.values import Moment
from opdash.table_view import STANDARD_CHOICE, Column, ColumnChoice, TableView
from opdash.tui.app import OpdashApp
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.note import NoteScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import FormField
from opdash.tui.widgets.note_mark import SETTLED, WRITTEN, note_mark
from opdash.tui.widgets.payment_detail import PaymentDetail
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.sheet import SheetView
from opdash.tui.widgets.summary import SummaryLine
from tests.tui.doubles import NOW, World, make_payment, payment_id

SHORT = 5
"""The number of the payment that expired with a part."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(
        make_payment(1, reference="INV-1"),
        make_payment(
            SHORT,
            asked=4500,
            received=3000,
            ago=timedelta(hours=2),
            expires_in=-timedelta(hours=1),
            reference="INV-5",
        ),
    )
    world.set_complete(True)
    world.live()
    yield world
    world.close()


class Form:
    """The form on the app, and what became of it."""

    def __init__(self, world: World, app: OpdashApp, pilot: Pilot[Any]) -> None:
        self.world, self.app, self.pilot = world, app, pilot

    @property
    def screen(self) -> NoteScreen:
        screen = self.app.screen
        assert isinstance(screen, NoteScreen)
        return screen

    @property
    def labels(self) -> Input:
        return self.screen.query_one("#labels Input", Input)

    @property
    def area(self) -> TextArea:
        return self.screen.query_one(TextArea)

    def focused(self) -> object:
        return self.app.focused

    @property
    def choice(self) -> ChoiceLine:
        return self.screen.query_one(ChoiceLine)

    @property
    def told(self) -> str:
        return self.screen.outcome.sentence

    def said(self, field: str) -> str:
        return self.screen.query_one(f"#{field}", FormField).note.sentence

    @property
    def row(self) -> PaymentRow:
        row = self.world.reader.payment(self.world.wallet.id, payment_id(SHORT))
        assert row is not None
        return row

    @property
    def is_open(self) -> bool:
        return isinstance(self.app.screen, NoteScreen)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.app.workers.wait_for_complete()
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*("space" if key == " " else key for key in text))


@asynccontextmanager
async def note_form(world: World, *, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Form]:
    """Open the form for the payment that expired with a part, from the table."""
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        form = Form(world, app, pilot)
        await form.press("down", "N")
        assert form.screen.query_one("#facts", SheetView).text.startswith("▲ EXPIRED PARTIAL")
        yield form


async def test_everything_is_saved_by_one_key(world: World) -> None:
    async with note_form(world) as form:
        assert form.focused() is form.labels
        await form.type("vip claim")
        await form.press("tab")
        assert form.focused() is form.area
        await form.type("one")
        await form.press("enter")
        await form.type("two")
        await form.press("tab", "right", "right")
        await form.press("ctrl+s")
        assert not form.is_open
        note = form.row.note
        assert (note.names, note.text) == (("vip", "claim"), "one\ntwo")
        assert note.resolution is Resolution.REFUNDED
        assert not form.row.needs_action
        summary = form.app.screen.query_one(SummaryLine)
        assert "Needs action 0" in summary.text
        table = form.app.screen.query_one(PaymentTable)
        assert table.selected is not None
        assert table.selected.id == payment_id(SHORT)


async def test_what_was_written_is_there_again(world: World) -> None:
    edit = Edit(add=("vip",), text="old\nlines", resolution=Resolution.ACCEPTED)
    world.write_note(payment_id(SHORT), edit)
    async with note_form(world) as form:
        assert (form.labels.value, form.area.text) == ("vip", "old\nlines")
        assert form.area.cursor_location == (1, 5)
        assert form.choice.chosen == "accepted"
        await form.press("escape")
        assert not form.is_open
        await form.press("N")
        form.labels.value = "other"
        form.area.text = ""
        form.choice.index = 0
        await form.press("ctrl+s")
        assert form.row.note.bits == 1
        assert form.row.note.names == ("other",)
        steps = world.reader.note_steps(world.wallet.id, payment_id(SHORT))
        assert len(steps) == 7
        assert form.row.needs_action


async def test_leaving_asks_once_if_something_changed(world: World) -> None:
    async with note_form(world) as form:
        await form.press("tab")
        await form.type("x")
        await form.press("escape")
        assert "Nothing is saved yet. Esc once more leaves." in form.told
        await form.type("y")
        assert form.told == ""
        await form.press("escape", "escape")
        assert not form.is_open
        assert form.row.note.bits == 0


async def test_nothing_changed_is_nothing_to_ask(world: World) -> None:
    async with note_form(world) as form:
        form.area.text = "x"
        form.area.text = ""
        await form.press("escape")
        assert not form.is_open


@pytest.mark.parametrize(
    ("labels", "text", "field", "said"),
    [
        ("x" * 33, "", "labels", "longer than 32 characters"),
        (" ".join(f"l{number}" for number in range(21)), "", "labels", "can have 20 labels"),
        ('a"b', "", "labels", "is no label"),
        ("vip", "x" * 4001, "text", "The note has 4,001 characters"),
    ],
)
async def test_what_is_wrong_is_said_and_not_saved(
    world: World, labels: str, text: str, field: str, said: str
) -> None:
    async with note_form(world) as form:
        form.labels.value, form.area.text = labels, text
        await form.press("ctrl+s")
        assert form.is_open
        assert said in form.said(field)
        assert form.row.note.bits == 0
        form.labels.value, form.area.text = "vip", "fine"
        await form.press("ctrl+s")
        assert form.row.note.names == ("vip",)


async def test_a_failure_keeps_what_was_typed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise LedgerError("The disk is full.", "Free some space.")

    async with note_form(world) as form:
        monkeypatch.setattr(world.session, "write_note", fail)
        await form.type("vip")
        await form.press("ctrl+s")
        assert "The disk is full. Free some space." in form.told
        monkeypatch.undo()
        await form.press("ctrl+s")
        assert form.row.note.names == ("vip",)


async def test_what_arrives_meanwhile_is_not_settled(world: World) -> None:
    async with note_form(world) as form:
        more = make_payment(SHORT, asked=4500, received=3500, expires_in=-timedelta(hours=1))
        world.record(more)
        form.choice.index = 1
        await form.press("ctrl+s")
        assert form.row.needs_action
        assert form.row.note.resolution is Resolution.ACCEPTED
        await form.press("N")
        facts = form.screen.query_one("#facts", SheetView).text
        assert "It was accepted with 30.00 USD received; 35.00 USD have" in facts
        assert form.choice.chosen == "not yet"
        form.choice.index = 1
        await form.press("ctrl+s")
        assert not form.row.needs_action


async def test_the_buttons_do_the_same(world: World) -> None:
    async with note_form(world) as form:
        form.labels.value = "vip"
        await form.press()
        form.screen.query_one("#leave", Button).press()
        await form.press()
        assert "Nothing is saved yet" in form.told
        form.screen.query_one("#save", Button).press()
        await form.press()
        assert form.row.note.names == ("vip",)


async def test_it_fits_a_small_terminal(world: World) -> None:
    async with note_form(world, size=(80, 24)) as form:
        for part in (form.labels, form.area, form.choice):
            assert form.screen.region.contains_region(part.region)
        assert form.area.region.height >= 4


async def test_the_details_have_the_key_too_and_show_it(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(DetailScreen(world.wallet_session, payment_id(SHORT)))
        await pilot.pause()
        form = Form(world, app, pilot)
        await form.press("N")
        await form.type("vip")
        form.area.text = "evil \x1b[31m\n\u202eline\n[b]bold[/b]"
        form.choice.index = 3
        await form.press("ctrl+s")
        assert isinstance(app.screen, DetailScreen)
        said = app.screen.pane.text
        for part in (
            "labels      vip",
            "✓ written off  today 14:07",
            "[b]bold[/b]",
            "labelled vip",
            "settled as written off",
            "· Expired with 15.00 USD missing.",
        ):
            assert part in said, part
        assert "\x1b" not in said
        assert "\u202e" not in said


async def test_the_pane_says_when_a_settled_one_changed(world: World) -> None:
    edit = Edit(text="1\n2\n3\n4\n5", resolution=Resolution.REFUNDED)
    world.write_note(payment_id(SHORT), edit)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down")
        await pilot.pause()
        pane = app.screen.query_one(PaymentDetail)
        assert "… 2 more lines" in pane.text
        assert "✓ refunded" in pane.text
        world.record(make_payment(SHORT, asked=4500, received=4600, completed=True))
        await pilot.pause()
        await pilot.pause()
        assert "! refunded" in pane.text
        assert "Needs action again. It was refunded with 30.00 USD received; 46.00 USD" in pane.text


async def test_a_sign_stands_before_the_payment(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, PaymentsScreen)

        def signs() -> list[str]:
            table = app.screen.query_one(PaymentTable)
            return [table.render_line(line).text[2] for line in (1, 2)]

        assert signs() == [" ", " "]
        world.write_note(payment_id(1), Edit(add=("vip",)))
        world.write_note(payment_id(SHORT), Edit(resolution=Resolution.ACCEPTED))
        await pilot.pause()
        await pilot.pause()
        assert signs() == [WRITTEN, SETTLED]
        more = make_payment(SHORT, asked=4500, received=3100, expires_in=-timedelta(hours=1))
        world.record(more)
        await pilot.pause()
        await pilot.pause()
        assert signs() == [WRITTEN, WRITTEN]


async def test_labels_can_be_a_column(world: World) -> None:
    world.write_note(payment_id(SHORT), Edit(add=("vip", "claim")))
    labels = ColumnChoice(Column(SortColumn.LABELS))
    view = TableView(columns=(*STANDARD_CHOICE[:4], labels))
    await world.dashboard.save_view("shop", view)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        table = app.screen.query_one(PaymentTable)
        assert "Labels" in table.render_line(0).text
        assert "vip claim" in table.render_line(2).text


def test_signs_follow_what_holds(world: World) -> None:
    def sign() -> str:
        row = world.reader.payment(world.wallet.id, payment_id(SHORT))
        assert row is not None
        return note_mark(row)

    assert sign() == ""
    world.write_note(payment_id(SHORT), Edit(text="x"))
    assert sign() == WRITTEN
    world.write_note(payment_id(SHORT), Edit(resolution=Resolution.WRITTEN_OFF))
    assert sign() == SETTLED
    world.write_note(payment_id(SHORT), Edit(text="", resolution=Resolution.NONE))
    assert sign() == ""


async def test_settled_ones_leave_the_search_for_what_needs_action(world: World) -> None:
    world.write_note(payment_id(SHORT), Edit(resolution=Resolution.ACCEPTED, add=("vip",)))
    for line, count in (("is:action", 0), ("label:vip", 1), ("resolution:accepted", 1)):
        query = read_query(line, Moment(NOW))
        assert len(world.reader.window(world.wallet.id, NEWEST_FIRST, query=query)) == count
