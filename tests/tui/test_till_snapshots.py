"""What the till looks like in each phase; the clock stands still."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from opdash.ledger.records import CreationStatus
from opdash.tui.app import OpdashApp
from tests.tui.test_till import DOWN
from tests.tui.till_doubles import MINUTE, Counter, Shop

Compare: TypeAlias = Callable[..., bool]
Deed: TypeAlias = Callable[[Counter], Awaitable[None]]
SMALL, LARGE = (80, 24), (120, 40)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    shop.sale(1250, "INV-2026-0411", ago=42 * MINUTE, received=1250, completed=True)
    shop.sale(480, ago=25 * MINUTE, received=480, completed=True)
    shop.sale(120450, "INV-2026-0412", ago=20 * MINUTE, received=60000)
    shop.sale(990, "T-17", ago=5 * MINUTE, received=990)
    yield shop
    shop.close()


def look(
    compare: Compare,
    shop: Shop,
    deed: Deed,
    *,
    size: tuple[int, int] = SMALL,
    theme: str = "dark",
    demo: bool = False,
) -> bool:
    """Compare the till with how it looked, after what a person does there."""
    shop.dashboard.settings = replace(shop.dashboard.settings, theme=theme)
    app = OpdashApp(shop.dashboard.real, demo=demo)

    async def before(pilot: Pilot[Any]) -> None:
        one = Counter(shop, app, pilot)
        await one.settle()
        await one.open()
        await deed(one)
        await one.settle()
        for typed in app.screen.query(Input):
            typed.cursor_blink = False
        await one.settle()

    return compare(app, terminal_size=size, run_before=before)


async def typing(one: Counter) -> None:
    await one.type("12.50")


async def waiting(one: Counter) -> None:
    await one.sell("12.50", "INV-7")
    await one.later(seconds=3)


def changed(**what: Any) -> Deed:
    async def deed(one: Counter) -> None:
        await waiting(one)
        one.shop.change(one.shop.url(5), **what)
        await one.settle()

    return deed


async def expired_partial(one: Counter) -> None:
    await changed(received=500)(one)
    one.shop.expire(one.shop.url(5))
    await one.later(seconds=1)


async def asking(one: Counter) -> None:
    await changed(received=500)(one)
    await one.press("escape")


async def unknown(one: Counter) -> None:
    one.session.refusals.append(CreationStatus.UNKNOWN)
    await one.sell("12.50", "INV-7")


async def offline(one: Counter) -> None:
    one.session.looking = DOWN
    await waiting(one)


PARTIAL = changed(received=500)
PAID = changed(received=1250, completed=True)


@SIZES
def test_typing(snap_compare: Compare, shop: Shop, size: tuple[int, int]) -> None:
    assert look(snap_compare, shop, typing, size=size)


@SIZES
def test_waiting(snap_compare: Compare, shop: Shop, size: tuple[int, int]) -> None:
    assert look(snap_compare, shop, waiting, size=size)


@SIZES
def test_partial(snap_compare: Compare, shop: Shop, size: tuple[int, int]) -> None:
    assert look(snap_compare, shop, PARTIAL, size=size, theme="light")


@SIZES
def test_paid(snap_compare: Compare, shop: Shop, size: tuple[int, int]) -> None:
    assert look(snap_compare, shop, PAID, size=size)


def test_paid_light(snap_compare: Compare, shop: Shop) -> None:
    assert look(snap_compare, shop, PAID, theme="light")


@pytest.mark.parametrize("deed", [PARTIAL, PAID], ids=["partial", "paid"])
def test_without_colour(
    snap_compare: Compare, shop: Shop, monkeypatch: pytest.MonkeyPatch, deed: Deed
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, shop, deed)


@SIZES
def test_expired_partial(snap_compare: Compare, shop: Shop, size: tuple[int, int]) -> None:
    assert look(snap_compare, shop, expired_partial, size=size)


def test_overpaid(snap_compare: Compare, shop: Shop) -> None:
    assert look(snap_compare, shop, changed(received=1300, completed=True))


@pytest.mark.parametrize("size", [(60, 17), (60, 44)], ids=["too-small", "below"])
def test_other_sizes(snap_compare: Compare, shop: Shop, size: tuple[int, int]) -> None:
    assert look(snap_compare, shop, PARTIAL, size=size)


def test_asking_how_to_end(snap_compare: Compare, shop: Shop) -> None:
    assert look(snap_compare, shop, asking)


def test_a_lost_answer(snap_compare: Compare, shop: Shop) -> None:
    assert look(snap_compare, shop, unknown)


def test_offline_in_the_demo(snap_compare: Compare, shop: Shop) -> None:
    assert look(snap_compare, shop, offline, demo=True)
