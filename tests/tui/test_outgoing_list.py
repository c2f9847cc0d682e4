"""The list of outgoing payments: what the server tells, what it refuses, what the ledger keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from opdash.openpayments.amounts import Amount
from opdash.openpayments.errors import UnreachableError
from opdash.service.errors import NotListedError
from opdash.tui.app import OpdashApp
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.outgoing import OutgoingScreen
from opdash.tui.screens.outgoing_list import OutgoingListScreen
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import Line
from opdash.tui.widgets.line_list import LineList
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.sheet import SheetView
from tests.tui.doubles import NOW, payment_id
from tests.tui.wallet_doubles import Providers, sent_payment

_Shown = TypeVar("_Shown", bound=Screen[Any])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Providers]:
    world = Providers(tmp_path)
    world.shop.listed = [sent_payment(number) for number in range(1, 4)]
    yield world
    world.close()


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def shown(app: OpdashApp, kind: type[_Shown]) -> _Shown:
    """Return the screen, which must be of that kind."""
    assert isinstance(app.screen, kind)
    return app.screen


async def opened(pilot: Pilot[None]) -> OutgoingListScreen:
    await pilot.pause()
    await pilot.press("O")
    await settle(pilot)
    assert isinstance(pilot.app.screen, OutgoingListScreen)
    return pilot.app.screen


def texts(app: OpdashApp) -> tuple[str, ...]:
    return app.screen.query_one(LineList).texts


def status(app: OpdashApp) -> str:
    return app.screen.query_one("#status", Line).text


def notice(app: OpdashApp) -> str:
    return str(app.screen.query_one(Notices).content)


async def test_the_newest_are_fetched_and_shown_with_their_amounts(world: Providers) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert [line.split()[:2] for line in texts(app)] == [["◐", "SENDING"]] * 3
        assert "today 14:06   93.84 USD  80.00 EUR  92.00 USD" in texts(app)[0]
        assert "3 outgoing payments known" in status(app)
        assert "as of now" in status(app)
        assert "r Refresh" in app.screen.query_one(KeyLine).text


async def test_a_payment_of_ones_own_that_is_paid_is_named_and_makes_it_certain(
    world: Providers,
) -> None:
    paid = sent_payment(1, receiver=payment_id(2), receive_amount=Amount("2000", "USD", 2))
    failed = sent_payment(2, failed=True, sent_amount=Amount("0", "USD", 2))
    old = sent_payment(3, created_at=NOW - timedelta(hours=2))
    world.shop.listed = [paid, failed, old]
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        first, second, third = texts(app)
        assert first.startswith("● SENT  ")
        assert first.rstrip().endswith("INV-2026-0411")
        assert second.startswith("✕ FAILED")
        assert third.startswith("● SENT?")
        assert "elsewhere.example/incoming-payments/1" in third
        await pilot.press("i")
        await settle(pilot)
        assert isinstance(app.screen, DetailScreen)
        assert "● SENT  20.00 USD from ilp.example/rosa" in app.screen.pane.text
        await pilot.press("escape")
        await settle(pilot)
        await pilot.press("j", "i")
        await settle(pilot)
        assert isinstance(app.screen, OutgoingListScreen)


@pytest.mark.parametrize(
    "refusal",
    [
        NotListedError("This server does not list outgoing payments (405).", "Look one up."),
        NotListedError("The grant does not permit to list outgoing payments (403).", "Ask."),
        UnreachableError("No answer.", "Try again."),
    ],
)
async def test_what_is_refused_is_said_and_what_was_seen_stays(
    world: Providers, refusal: NotListedError | UnreachableError
) -> None:
    world.ledger.record_outgoing(world.wallet.id, [sent_payment(9)], at=NOW - timedelta(hours=5))
    world.shop.refusal = refusal
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert refusal.sentence in notice(app)
        assert refusal.advice in notice(app)
        assert len(texts(app)) == 1
        assert "as of 5 h ago" in status(app)
        world.shop.refusal = None
        await pilot.press("r")
        await settle(pilot)
        assert notice(app) == ""
        assert len(texts(app)) == 4


async def test_nothing_known_says_so(world: Providers) -> None:
    world.shop.listed = []
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert "No outgoing payment is known yet." in screen.query_one("#empty", SheetView).text
        await pilot.press("enter", "y", "i")
        assert app.screen is screen


async def test_pages_are_known_or_fetched(world: Providers) -> None:
    world.shop.listed = [sent_payment(number) for number in range(1, 121)]
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert len(texts(app)) == 50
        assert "the server has older ones" in status(app)
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert world.shop.asked == [None, world.shop.listed[49].id]
        assert "51–100" in status(app)
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert "101–120" in status(app)
        assert len(texts(app)) == 20
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert "101–120" in status(app)
        assert len(world.shop.asked) == 3
        await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        await settle(pilot)
        assert "1–50" in status(app)


async def test_one_under_way_is_followed_until_it_is_final(world: Providers) -> None:
    moving = sent_payment(0, sent_amount=Amount("100", "USD", 2))
    world.shop.listed = [moving]
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert "1 moving, looks again in" in status(app)
        world.shop.listed = [sent_payment(0, failed=True)]
        world.clock.instant = NOW + timedelta(seconds=30)
        screen._tick()
        await settle(pilot)
        assert texts(app)[0].startswith("▲ FAILED PARTIAL")
        asked = len(world.shop.asked)
        world.clock.instant = NOW + timedelta(hours=1)
        screen._tick()
        await settle(pilot)
        assert len(world.shop.asked) == asked


async def test_the_keys_lead_to_one_payment_and_back(
    world: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        copied: list[str] = []
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await pilot.press("down", "y")
        assert copied == [sent_payment(2).id]
        await pilot.press("u")
        await settle(pilot)
        shown(app, OutgoingScreen)
        await pilot.press("escape")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert not isinstance(app.screen, OutgoingListScreen)


async def test_several_that_pay_one_payment_are_listed_from_the_ledger(world: Providers) -> None:
    payers = [sent_payment(number, receiver=payment_id(1)) for number in (1, 2)]
    world.ledger.record_outgoing(
        world.wallet.id, [*payers, sent_payment(3)], at=NOW - timedelta(minutes=1)
    )
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("o")
        await settle(pilot)
        assert isinstance(app.screen, OutgoingListScreen)
        assert len(texts(app)) == 2
        assert "2 outgoing payments seen to pay this one" in status(app)
        await pilot.press("r", "right_square_bracket")
        await settle(pilot)
        assert world.shop.asked == []
