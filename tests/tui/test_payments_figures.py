"""The figures above the table: at once where there are few payments, else on a thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opdash.errors import LedgerError
from opdash.ledger.reader import LedgerReader
from opdash.tui.app import OpdashApp
from opdash.tui.screens import payments_figures
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.summary import SummaryLine
from tests.tui.doubles import World, make_payment, shop_payments
from tests.tui.form_doubles import settled


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    yield world
    world.close()


@pytest.mark.parametrize("few", [0, 2_000])
async def test_both_ways_say_the_same(
    world: World, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments_figures, "FEW", few)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.screen.query_one(SummaryLine).text.startswith(" Open 3 · 210.00 due")
        world.record(make_payment(900, asked=1_000, received=0))
        await settled(pilot)
        assert app.screen.query_one(SummaryLine).text.startswith(" Open 4 · 220.00 due")


async def test_news_while_it_is_added_up_are_added_up_afterwards_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments_figures, "FEW", 0)
    read: list[int] = []
    summary = LedgerReader.summary

    def note(reader: LedgerReader, *arguments: object, **named: object) -> object:
        read.append(reader.count(world.wallet.id))
        return summary(reader, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(LedgerReader, "summary", note)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        before = len(read)
        known = read[-1]
        for number in range(900, 920):
            world.record(make_payment(number))
        await settled(pilot)
        assert read[-1] == known + 20
        assert len(read) - before <= 3


async def test_why_it_cannot_be_added_up_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments_figures, "FEW", 0)

    def fail(*_: object, **__: object) -> None:
        raise LedgerError("The ledger is damaged.", "Keep a copy.")

    monkeypatch.setattr(LedgerReader, "summary", fail)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "The ledger is damaged. Keep a copy." in str(app.screen.query_one(Notices).visual)
