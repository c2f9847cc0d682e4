from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from opdash.ledger.records import Creation, CreationStatus
from opdash.openpayments.errors import UnreachableError
from opdash.service.drafts import PaymentDraft, draft_json
from opdash.tui.screens.create import CreateScreen
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import FormField, Note, NoteLine
from opdash.tui.widgets.metadata_rows import MetadataRow, MetadataRows, read_rows
from opdash.tui.widgets.sheet import SheetView
from tests.tui.form_doubles import (
    NOW,
    PAYMENT_ID,
    WALLET,
    FakeDashboard,
    Stage,
    creation,
    settled,
    write,
)


class Form:
    """The create form on its stage."""

    def __init__(self, dashboard: FakeDashboard, app: Stage, pilot: Pilot[None]) -> None:
        self.dashboard = dashboard
        self.app = app
        self.pilot = pilot

    @property
    def sent(self) -> list[PaymentDraft]:
        return cast("list[PaymentDraft]", self.dashboard.shop.asked_for("create"))

    def note(self, field: str) -> NoteLine:
        return self.app.screen.query_one(f"#{field}", FormField).note

    @property
    def outcome(self) -> NoteLine:
        return self.app.screen.query_one("#outcome", NoteLine)

    @property
    def preview(self) -> str:
        return self.app.screen.query_one("#json", SheetView).text

    def input(self, field: str) -> Input:
        return self.app.screen.query_one(f"#{field} Input", Input)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def write(self, text: str) -> None:
        await write(self.pilot, text)


@asynccontextmanager
async def create_form(tmp_path: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Form]:
    dashboard = FakeDashboard(tmp_path)
    app = Stage(dashboard, lambda: CreateScreen(dashboard.session_))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Form(dashboard, app, pilot)


WRONG_AMOUNTS = {
    "12.505": "2 decimal places",
    "-5": "cannot be negative",
    "0": "greater than zero",
    "0.00": "greater than zero",
    "12,500": "two ways",
    "1e3": "is not a number",
    "abc": "is not a number",
    "92233720368547758.08": "too large",
    "99999999999999999999": "too large",
}


async def test_a_wrong_amount_is_told_under_its_field_at_once(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        for typed, told in WRONG_AMOUNTS.items():
            form.input("amount").value = ""
            await form.write(typed)
            assert told in form.note("amount").sentence
            assert form.note("amount").kind is Note.BAD


async def test_a_wrong_amount_is_not_sent(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        await form.write("12.505")
        await form.press("tab", "ctrl+s")
        assert form.sent == []
        assert "Nothing was sent" in form.outcome.sentence
        assert form.input("amount").value == "12.505"
        assert form.input("amount").has_focus


async def test_the_largest_amount_is_sent_exactly(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        await form.write("92233720368547758.07")
        await form.press("ctrl+s")
        assert form.sent[0].amount == 2**63 - 1


async def test_an_empty_amount_is_open_and_says_so(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        assert "any amount" in form.note("amount").sentence
        assert "incomingAmount" not in form.preview
        await form.press("ctrl+s")
        assert form.sent[0].amount is None


async def test_what_is_shown_is_what_is_sent(tmp_path: Path) -> None:
    async with create_form(tmp_path, (120, 40)) as form:
        await form.write("250")
        await form.press("tab")
        await form.write("Café")
        await form.press("tab")
        await form.write("INV-1")
        await form.press("tab", "left", "ctrl+n")
        await form.write("order")
        await form.press("tab")
        await form.write("=47")
        shown = form.preview
        await form.press("ctrl+s")
        (draft,) = form.sent
        assert json.loads(shown) == json.loads(draft_json(draft, WALLET))
        assert draft == PaymentDraft(
            amount=25000,
            description="Café",
            reference="INV-1",
            expires_at=(NOW + timedelta(days=1, seconds=55)),
            metadata={"order": 47},
        )


async def test_a_created_payment_closes_the_form_with_it(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        await form.press("ctrl+s")
        await settled(form.pilot)
        (left_with,) = form.app.left_with
        assert isinstance(left_with, Creation)
        assert left_with.payment_id == PAYMENT_ID


async def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        form.dashboard.shop.gate.clear()
        await form.write("5")
        form.app.screen.query_one("#send", Button).focus()
        await form.press("enter", "enter", "ctrl+s", "ctrl+s")
        assert len(form.sent) == 1
        assert "Sending" in form.outcome.sentence
        assert form.app.focused is None
        form.dashboard.shop.gate.set()
        await settled(form.pilot)
        assert len(form.sent) == 1
        assert len(form.app.left_with) == 1


async def test_a_refusal_is_told_and_nothing_typed_is_lost(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        form.dashboard.shop.answers["create"] = UnreachableError(
            "The server does not answer.", "Try again."
        )
        await form.write("5")
        await form.press("tab")
        await form.write("tea")
        await form.press("ctrl+s")
        await settled(form.pilot)
        assert form.outcome.sentence == "The server does not answer. Try again."
        assert form.input("amount").value == "5"
        assert form.input("description").value == "tea"
        form.dashboard.shop.answers.clear()
        await form.press("ctrl+s")
        await settled(form.pilot)
        assert len(form.sent) == 2
        assert len(form.app.left_with) == 1


async def test_an_unanswered_creation_is_unknown_until_it_is_found(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        unknown = creation(PaymentDraft(), CreationStatus.UNKNOWN)
        form.dashboard.shop.answers["create"] = unknown
        await form.press("ctrl+s")
        await settled(form.pilot)
        assert "unknown, checking" in form.outcome.sentence
        assert "never sends it a second time" in form.outcome.sentence
        await form.press("ctrl+s")
        assert len(form.sent) == 1
        form.dashboard.creation_news(creation(PaymentDraft()))
        await settled(form.pilot)
        assert form.app.left_with == [creation(PaymentDraft())]


async def test_an_unanswered_creation_that_is_not_found_can_be_sent_again(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        form.dashboard.shop.answers["create"] = creation(PaymentDraft(), CreationStatus.UNKNOWN)
        await form.write("5")
        await form.press("ctrl+s")
        await settled(form.pilot)
        form.dashboard.creation_news(
            creation(PaymentDraft(), CreationStatus.NOT_FOUND, "It was not created.")
        )
        await settled(form.pilot)
        assert "It was not created." in form.outcome.sentence
        assert form.input("amount").value == "5"
        await form.press("ctrl+s")
        assert len(form.sent) == 2


async def test_leaving_an_unknown_creation_hands_it_on(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        unknown = creation(PaymentDraft(), CreationStatus.UNKNOWN)
        form.dashboard.shop.answers["create"] = unknown
        await form.press("ctrl+s")
        await settled(form.pilot)
        await form.press("escape")
        assert form.app.left_with == [unknown]


async def test_escape_leaves_an_untouched_form(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        await form.press("escape")
        assert form.app.left_with == [None]


@pytest.mark.parametrize("field", ["amount", "description", "reference"])
async def test_escape_asks_before_typed_things_are_lost(tmp_path: Path, field: str) -> None:
    async with create_form(tmp_path) as form:
        form.input(field).focus()
        await form.write("5")
        await form.press("escape")
        assert form.app.left_with == []
        assert "Esc once more" in form.outcome.sentence
        await form.write("0")
        assert form.outcome.sentence == ""
        await form.press("escape")
        assert form.app.left_with == []
        await form.press("escape")
        assert form.app.left_with == [None]


async def test_escape_in_flight_asks_first(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        form.dashboard.shop.gate.clear()
        await form.press("ctrl+s", "escape")
        assert "not taken back" in form.outcome.sentence
        assert form.app.left_with == []
        await form.press("escape")
        assert form.app.left_with == [None]


async def test_enter_goes_to_the_next_field_and_sends_nothing(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        await form.write("5")
        await form.press("enter")
        assert form.input("description").has_focus
        assert form.sent == []


async def test_every_field_is_reached_by_tab_from_top_to_bottom(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        order = []
        for _ in range(7):
            focused = form.app.focused
            assert focused is not None
            order.append(focused.id or (focused.parent and focused.parent.parent.id))  # type: ignore[union-attr]
            await form.press("tab")
        assert order == [
            "amount",
            "description",
            "reference",
            "expires",
            "metadata-add",
            "send",
            "leave",
        ]


async def test_the_label_of_the_field_with_the_focus_stands_out(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:

        def bold() -> list[str]:
            labels = form.app.screen.query("FormField > .line > .label")
            return [str(label.render()) for label in labels if label.styles.text_style.bold]

        assert bold() == ["Amount"]
        await form.press("tab")
        assert bold() == ["Description"]
        await form.press("ctrl+n")
        assert bold() == ["Metadata"]


# Expiry


async def test_presets_are_chosen_with_the_arrows(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        form.app.screen.query_one(ChoiceLine).focus()
        seen = []
        for _ in range(4):
            await form.press("right")
            seen.append(form.app.screen.query_one(ChoiceLine).chosen)
        assert seen == ["30 d", "at …", "1 h", "1 d"]
        assert "30 days at most" in form.note("expires").sentence


async def test_a_choice_is_clicked(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        await form.pilot.click(ChoiceLine, offset=(2, 0))
        assert form.app.screen.query_one(ChoiceLine).chosen == "1 h"
        await form.pilot.click(ChoiceLine, offset=(9, 0))
        assert form.app.screen.query_one(ChoiceLine).chosen == "1 d"


async def test_a_wrong_date_is_told_under_its_field(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        form.app.screen.query_one(ChoiceLine).focus()
        await form.press("right", "right", "tab")
        assert form.input("expires-at").has_focus
        assert "is empty" in form.note("expires-at").sentence
        for typed, told in {
            "2026-11-01 10:00": "in the past",
            "2027-01-01 10:00": "more than 30 days",
            "tomorrow": "no date and time",
        }.items():
            form.input("expires-at").value = ""
            await form.write(typed)
            assert told in form.note("expires-at").sentence
        await form.press("ctrl+s")
        assert form.sent == []


async def test_a_typed_date_is_sent(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        local = (NOW + timedelta(days=3)).astimezone()
        form.app.screen.query_one(ChoiceLine).focus()
        await form.press("right", "right", "tab")
        await form.write(f"{local:%Y-%m-%d %H:%M}")
        assert str(local.tzname()) in form.note("expires-at").sentence
        await form.press("ctrl+s")
        assert form.sent[0].expires_at == (NOW + timedelta(days=3)).replace(second=0)


# Metadata


def test_rows_are_read_in_order_and_empty_ones_left_out() -> None:
    typed = read_rows([("b", "1"), ("", ""), ("a", "=1")])
    assert list(typed.metadata.items()) == [("b", "1"), ("a", 1)]
    assert typed.problems == {}


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        ([("a", "1"), ("a", "2")], {1: "given twice"}),
        ([("", "1")], {0: "key is missing"}),
        ([(" ", "1")], {0: "key is missing"}),
        ([("description", "x")], {0: "own field"}),
        ([("externalRef", "x")], {0: "own field"}),
        ([("opdashRequestId", "x")], {0: "itself"}),
        ([("a", "=1.5")], {0: "decimals"}),
        ([("a", "=nope")], {0: "no JSON"}),
        ([("a\x1b[2J", "1"), ("a\x1b[2J", "2")], {1: "a␛[2J"}),
    ],
)
def test_wrong_rows_are_told(rows: list[tuple[str, str]], problems: dict[int, str]) -> None:
    told = read_rows(rows).problems
    assert told.keys() == problems.keys()
    for index, part in problems.items():
        assert part in told[index]


async def test_metadata_rows_come_and_go_by_key(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        rows = form.app.screen.query_one(MetadataRows)
        await form.press("ctrl+n")
        await form.write("a")
        await form.press("enter")
        await form.write("=true")
        await form.press("ctrl+n")
        await form.write("a")
        kinds = [str(row.query_one(".kind").render()) for row in form.app.screen.query(MetadataRow)]
        assert kinds == ["true/false", "text"]
        assert "given twice" in rows.rows[1].query_one(NoteLine).sentence
        await form.press("ctrl+s")
        assert form.sent == []
        assert rows.rows[1].query_one(".key").has_focus
        await form.press("ctrl+t")
        assert len(rows.rows) == 1
        assert rows.rows[0].query_one(".key").has_focus
        await form.press("ctrl+s")
        assert form.sent[0].metadata == {"a": True}


async def test_metadata_rows_come_and_go_by_mouse(tmp_path: Path) -> None:
    async with create_form(tmp_path, (120, 40)) as form:
        rows = form.app.screen.query_one(MetadataRows)
        await form.pilot.click("#metadata-add")
        await form.pilot.pause()
        assert len(rows.rows) == 1
        await form.pilot.click(".remove")
        await form.pilot.pause()
        assert rows.rows == []


async def test_rows_can_be_read_while_they_come_and_go(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        rows = form.app.screen.query_one(MetadataRows)
        coming = MetadataRow()
        rows.query_one("#metadata-rows").mount(coming)
        assert rows.read().metadata == {}
        await form.pilot.pause()
        coming.remove()
        while coming in rows.rows:
            assert rows.read().metadata == {}
            await asyncio.sleep(0)


async def test_too_much_metadata_is_told(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        form.input("description").value = "x" * 70_000
        await form.pilot.pause()
        assert "64 kB" in form.note("metadata").sentence
        await form.press("ctrl+s")
        assert form.sent == []


# The rest


async def test_a_wallet_that_is_not_known_yet_cannot_be_paid(tmp_path: Path) -> None:
    dashboard = FakeDashboard(tmp_path)
    dashboard.shop.wallet = None
    app = Stage(dashboard, lambda: CreateScreen(dashboard.session_))
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("ctrl+s", "ctrl+n", "ctrl+t")
        assert dashboard.shop.asked_for("create") == []
        await pilot.press("escape")
        assert app.left_with == [None]


async def test_the_whole_json_is_reached_by_key_on_a_small_screen(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        await form.press("ctrl+n", "ctrl+n", "ctrl+n")
        form.input("amount").focus()
        await form.write("12")
        preview = form.app.screen.query_one("#json")
        body = form.app.screen.query_one(".body")
        assert preview.region.bottom > body.region.bottom
        await form.press("pagedown", "pagedown")
        assert preview.region.bottom <= body.region.bottom
        await form.press("pageup", "pageup")
        assert body.scroll_offset.y == 0


async def test_keys_and_buttons_work_with_the_mouse(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        await form.pilot.click("KeyLine", offset=(3, 0))
        await settled(form.pilot)
        assert len(form.sent) == 1
    async with create_form(tmp_path) as form:
        await form.pilot.click("#send")
        await settled(form.pilot)
        assert len(form.sent) == 1
    async with create_form(tmp_path) as form:
        await form.pilot.click("#leave")
        await form.pilot.pause()
        assert form.app.left_with == [None]


async def test_typed_markup_and_escapes_do_nothing(tmp_path: Path) -> None:
    async with create_form(tmp_path) as form:
        form.input("description").value = "[/nope] [red]x \x1b[2J \u202e"
        await form.pilot.pause()
        assert "[/nope] [red]x" in form.preview
        assert "\\u001b[2J" in form.preview
        assert "\\u202e" in form.preview
        assert "\x1b" not in form.preview
