from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen

from opdash.ledger.records import PaymentRow, Source, TimelineEntry, TimelineKind
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from opdash.openpayments.errors import UnreachableError
from opdash.tui.screens.complete import CompleteScreen
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.widgets.payment_detail import PaymentDetail
from opdash.tui.widgets.payment_facts import attention, head_entries, timeline_entries
from opdash.tui.widgets.sheet import Sheet
from tests.tui.form_doubles import (
    METHODS,
    NOW,
    PAYMENT_ID,
    FakeDashboard,
    Stage,
    payment,
    settled,
    timeline,
)


def head(row: PaymentRow, *, whole: bool = True) -> str:
    return Sheet(head_entries(row, NOW, whole=whole)).plain


def steps(*entries: TimelineEntry, whole: bool = True) -> list[str]:
    lines = Sheet(timeline_entries(entries, payment(), NOW, whole=whole)).plain.split("\n")
    return lines[2:]


# What is said


def test_amounts_and_difference_are_exact_and_aligned() -> None:
    lines = head(payment()).split("\n")
    amounts = [line for line in lines if line.startswith(("asked", "received", "difference"))]
    assert [line.split(maxsplit=1)[1] for line in amounts] == [
        "250.00 USD",
        "120.00 USD",
        "−130.00 USD",
    ]
    assert len({line.index(".") for line in amounts}) == 1


def test_more_than_asked_has_a_plus() -> None:
    row = payment(received=30000, difference=5000, state=State.OVERPAID, completed=True)
    assert "+50.00 USD" in head(row)
    assert attention(row, NOW) == ["50.00 USD more than asked for."]


def test_any_amount_has_neither_difference_nor_share() -> None:
    row = payment(asked=None, asked_asset=None, difference=None, state=State.RECEIVING)
    said = head(row)
    assert "any amount" in said
    assert "difference" not in said
    assert "%" not in said


def test_amounts_of_two_assets_are_not_compared() -> None:
    row = payment(
        received_asset=Asset("EUR", 2),
        difference=None,
        state=State.ANOMALY,
        anomalies=("assets-differ",),
    )
    said = head(row)
    assert "250.00 USD" in said
    assert "120.00 EUR" in said
    assert "%" not in said
    assert "! Asked and received are in different assets." in said


def test_times_are_absolute_in_a_named_zone_and_relative() -> None:
    said = head(payment())
    assert "22 Nov 2026 13:02:05 UTC (in 2 d)" in said
    assert "20 Nov 2026 12:02:05 UTC (1 h ago)" in said
    assert "today 12:02 UTC (1 h ago)" in head(payment(), whole=False)


def test_an_expiry_that_is_over_or_never_comes_says_so() -> None:
    assert "expired " in head(payment(expires_at=NOW - timedelta(days=1)))
    assert "never" in head(payment(expires_at=None))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": State.CLOSED_SHORT}, "Closed with 130.00 USD missing."),
        ({"state": State.EXPIRED_PARTIAL}, "Expired with 130.00 USD missing."),
        (
            {"state": State.UNAVAILABLE, "gone_at": NOW, "no_longer_at_server": True},
            "Money had arrived, and the server no longer shows the payment.",
        ),
        (
            {
                "state": State.SETTLING,
                "needs_action": True,
                "reached_at": NOW - timedelta(minutes=12),
            },
            "All of it arrived 12 min ago, and the server has not completed it.",
        ),
        (
            {"state": State.PAID, "not_completed_by_server": True},
            "* The server has not completed it.",
        ),
        ({"no_longer_at_server": True}, "No longer at the server."),
        ({"anomalies": ("received-fell",)}, "The received amount went down."),
        ({"anomalies": ("a-new-kind",)}, "A-new-kind."),
    ],
)
def test_what_a_person_should_know_is_said(changes: dict[str, Any], told: str) -> None:
    assert told in head(payment(**changes))


def test_a_healthy_payment_needs_no_words() -> None:
    assert attention(payment(), NOW) == []


# The time line


def test_the_time_line_tells_each_step() -> None:
    assert steps(*timeline()) == [
        "20 Nov 2026 12:02:05  created by opdash",
        "20 Nov 2026 12:05:05  +100.00",
        "20 Nov 2026 12:06:05  +20.00  = 120.00",
    ]


@pytest.mark.parametrize(
    ("kind", "more", "told"),
    [
        (TimelineKind.FIRST_SEEN, {}, "first seen"),
        (TimelineKind.FIRST_SEEN, {"received": 500}, "first seen with 5.00 USD"),
        (TimelineKind.FELL, {"received": 11000, "delta": -1000}, "−10.00  = 110.00"),
        (TimelineKind.COMPLETED, {"source": Source.LIST}, "completed"),
        (TimelineKind.COMPLETED, {"source": Source.COMPLETE}, "completed by opdash"),
        (TimelineKind.COMPLETED, {"received": 900}, "completed with 9.00 USD"),
        (TimelineKind.REOPENED, {}, "open again"),
        (TimelineKind.ASKED, {"text": "100 USD 2"}, "before: 1.00 USD"),
        (TimelineKind.ASKED, {"text": "100 \x1b[1m 0"}, "before: 100 ␛[1m"),
        (TimelineKind.ASKED, {"text": ""}, "before: any amount"),
        (TimelineKind.EXPIRY, {"text": ""}, "before: none"),
        (TimelineKind.EXPIRY, {"text": "2026-11-21T10:00:00Z"}, "21 Nov 2026 10:00:00"),
        (TimelineKind.EXPIRY, {"text": "\x1bsoon"}, "␛soon"),
        (TimelineKind.METADATA, {"text": '{"a":1}'}, 'metadata changed; before: {"a":1}'),
        (TimelineKind.METADATA, {"text": ""}, "metadata changed; before: none"),
        (TimelineKind.GONE, {"received": 120}, "no longer at the server; 1.20 USD had arrived"),
        (TimelineKind.BACK, {"received": 120}, "at the server again with 1.20 USD"),
        (TimelineKind.ANOMALY, {"text": "reopened"}, "a completed payment was open again"),
        (TimelineKind.GONE, {}, "no longer at the server"),
        (TimelineKind.BACK, {}, "at the server again"),
        (TimelineKind.COMPLETING, {}, "opdash asked to complete it"),
        (TimelineKind.NOTE, {"text": "no\x1b[2Jte"}, "no␛[2Jte"),
    ],
)
def test_every_kind_of_step_has_words(kind: TimelineKind, more: dict[str, Any], told: str) -> None:
    (line,) = steps(TimelineEntry(at=NOW, kind=kind, **more))
    assert told in line


def test_every_kind_of_step_is_known() -> None:
    for kind in TimelineKind:
        (line,) = steps(TimelineEntry(at=NOW, kind=kind, text="x"))
        assert len(line) > len("20 Nov 2026 13:02:05  ")


def test_the_pane_shows_the_last_steps_and_counts_the_others() -> None:
    many = [TimelineEntry(at=NOW, kind=TimelineKind.METADATA)] * 20
    lines = steps(*many, whole=False)
    assert lines[0] == "… 12 earlier"
    assert len(lines) == 9
    assert len(steps(*many)) == 20


# On the screen


class Beside(Screen[None]):
    """A screen with the pane alone."""

    def __init__(self, dashboard: FakeDashboard) -> None:
        super().__init__()
        self._dashboard = dashboard

    def compose(self) -> ComposeResult:
        yield PaymentDetail(self._dashboard.real, id="detail")


class Detail:
    """The detail screen on its stage."""

    def __init__(self, dashboard: FakeDashboard, app: Stage, pilot: Pilot[None]) -> None:
        self.dashboard = dashboard
        self.app = app
        self.pilot = pilot

    @property
    def pane(self) -> PaymentDetail:
        return self.app.screen.query_one(PaymentDetail)

    @property
    def shown(self) -> str:
        return self.pane.text.strip()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await settled(self.pilot)


@asynccontextmanager
async def detail(
    tmp_path: Path, row: PaymentRow | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Detail]:
    dashboard = FakeDashboard(tmp_path)
    known = row or payment()
    dashboard.reader.payments[known.id] = known
    dashboard.reader.steps = timeline()
    app = Stage(dashboard, lambda: DetailScreen(dashboard.session_, known.id))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield Detail(dashboard, app, pilot)


async def test_a_payment_is_shown_whole(tmp_path: Path) -> None:
    async with detail(tmp_path) as screen:
        for part in (
            "INV-2026-0412",
            "◐ PARTIAL  48 %",
            PAYMENT_ID,
            "+100.00",
            "description  Two bags of coffee",
            "id  4711",
            "paid  false",
        ):
            assert part in screen.shown


async def test_a_change_in_the_ledger_is_shown_at_once(tmp_path: Path) -> None:
    async with detail(tmp_path) as screen:
        screen.dashboard.know(payment(received=25000, difference=0, state=State.SETTLING))
        await settled(screen.pilot)
        assert "◕ SETTLING  100 %" in screen.shown
        screen.dashboard.know(payment(id="https://other.example/1", state=State.PAID))
        await settled(screen.pilot)
        assert "SETTLING" in screen.shown


async def test_the_clock_moves_what_is_relative(tmp_path: Path) -> None:
    async with detail(tmp_path) as screen:
        screen.dashboard.clock.instant += timedelta(hours=2)
        screen.pane.tick()
        assert "(3 h ago)" in screen.shown


async def test_methods_are_fetched_on_demand_and_secrets_masked(tmp_path: Path) -> None:
    async with detail(tmp_path) as screen:
        assert screen.dashboard.shop.asked_for("methods") == []
        screen.dashboard.shop.answers["methods"] = METHODS
        await screen.press("m")
        assert screen.dashboard.shop.asked_for("methods") == [PAYMENT_ID]
        assert "test.example.alice.T1b2" in screen.shown
        assert "shared secret  •••" in screen.shown
        assert "card" in screen.shown
        assert "c2VjcmV0" not in screen.shown


async def test_no_methods_and_failures_are_said(tmp_path: Path) -> None:
    async with detail(tmp_path) as screen:
        await screen.press("m")
        assert "it takes no more money" in screen.shown
        screen.dashboard.shop.answers["methods"] = UnreachableError("No answer.", "Try again.")
        await screen.press("m")
        assert "No answer. Try again." in screen.shown


async def test_copying_gives_the_url(tmp_path: Path) -> None:
    async with detail(tmp_path) as screen:
        await screen.press("y")
        assert screen.app.copied == [PAYMENT_ID]


async def test_refreshing_asks_for_this_payment(tmp_path: Path) -> None:
    async with detail(tmp_path) as screen:
        await screen.press("r")
        assert screen.dashboard.shop.asked_for("refresh") == [PAYMENT_ID]
        screen.dashboard.shop.answers["refresh"] = UnreachableError("No answer.", "Try again.")
        await screen.press("r")
        assert "No answer. Try again." in screen.app.told


async def test_completing_opens_the_form_or_says_why_not(tmp_path: Path) -> None:
    async with detail(tmp_path) as screen:
        await screen.press("c")
        assert isinstance(screen.app.screen, CompleteScreen)
    async with detail(tmp_path, payment(completed=True)) as screen:
        await screen.press("c")
        assert screen.app.told == ["This payment is completed already."]


async def test_everything_scrolls_by_key_on_a_small_screen(tmp_path: Path) -> None:
    async with detail(tmp_path, size=(80, 12)) as screen:
        pane = screen.pane
        for key, moved in (("j", 1), ("k", 0), ("down", 1), ("up", 0)):
            await screen.press(key)
            assert pane.scroll_offset.y == moved
        await screen.press("pagedown")
        assert pane.scroll_offset.y > 1
        await screen.press("pageup")
        assert pane.scroll_offset.y == 0
        await screen.press("G")
        assert pane.scroll_offset.y == pane.max_scroll_y > 0
        await screen.press("g")
        assert pane.scroll_offset.y == 0


@pytest.mark.parametrize("key", ["escape", "backspace"])
async def test_back_goes_back(tmp_path: Path, key: str) -> None:
    async with detail(tmp_path) as screen:
        await screen.press(key)
        assert screen.app.left_with == [None]


async def test_a_pane_shows_nothing_until_something_is_selected(tmp_path: Path) -> None:
    dashboard = FakeDashboard(tmp_path)
    app = Stage(dashboard, lambda: Beside(dashboard))
    async with app.run_test(size=(40, 30)) as pilot:
        await settled(pilot)
        screen = Detail(dashboard, app, pilot)
        assert screen.shown == "No payment is selected."
        screen.pane.show(dashboard.session_, payment())
        await settled(pilot)
        assert "…/2f1b0c4e…3f1d2b77" in screen.shown
        screen.pane.show(dashboard.session_, payment(id="https://rs.example/2", reference="two"))
        await settled(pilot)
        assert screen.shown.startswith("two")
        screen.pane.show(dashboard.session_, None)
        assert screen.shown == "No payment is selected."


async def test_methods_of_one_payment_never_stand_under_another(tmp_path: Path) -> None:
    dashboard = FakeDashboard(tmp_path)
    dashboard.shop.answers["methods"] = METHODS
    app = Stage(dashboard, lambda: Beside(dashboard))
    async with app.run_test(size=(40, 60)) as pilot:
        await settled(pilot)
        screen = Detail(dashboard, app, pilot)
        screen.pane.show(dashboard.session_, payment())
        dashboard.shop.gate.clear()
        screen.pane.fetch_methods()
        await pilot.pause()
        screen.pane.show(dashboard.session_, payment(id="https://rs.example/2"))
        dashboard.shop.gate.set()
        await settled(pilot)
        assert "Ways to pay" not in screen.shown


async def test_hostile_texts_are_harmless(tmp_path: Path) -> None:
    row = payment(
        reference="[/nope]\x1b[2J",
        metadata_json='{"[red]":"\\u001b]0;x\\u0007","deep":' + "[" * 50 + "]" * 50 + "}",
    )
    async with detail(tmp_path, row) as screen:
        assert "[/nope]␛[2J" in screen.shown
        assert "\x1b" not in screen.shown
        assert "… 1 more" in screen.shown or "[]" in screen.shown


async def test_metadata_of_any_size_is_bounded(tmp_path: Path) -> None:
    row = payment(metadata_json='{"list":[' + ",".join(["1"] * 100_000) + "]}")
    async with detail(tmp_path, row) as screen:
        assert "… 99,601 more" in screen.shown
