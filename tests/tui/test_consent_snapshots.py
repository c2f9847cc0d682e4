"""What the question for consent looks like; the clock stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opdash.settings import ConsentWay
from tests.test_qr import CONSENT
from tests.tui.doubles import World, shop_payments
from tests.tui.test_screen_snapshots import LARGE, SMALL, Compare, look

RIGHTS = ("list every incoming payment, whoever created it", "read every incoming payment")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    yield world
    world.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_with_a_code(snap_compare: Compare, world: World, theme: str) -> None:
    def ask() -> None:
        world.ask_consent(CONSENT, rights=RIGHTS)

    assert look(snap_compare, world, size=LARGE, theme=theme, happening=ask)


def test_where_no_code_fits(snap_compare: Compare, world: World) -> None:
    assert look(snap_compare, world, size=SMALL, happening=lambda: world.ask_consent(CONSENT))


def test_for_a_browser_that_comes_back(snap_compare: Compare, world: World) -> None:
    def ask() -> None:
        world.ask_consent(CONSENT, rights=RIGHTS, way=ConsentWay.REDIRECT)

    assert look(snap_compare, world, size=SMALL, happening=ask)


def test_a_code_on_the_whole_screen(
    snap_compare: Compare, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    def ask() -> None:
        world.ask_consent(CONSENT)

    assert look(snap_compare, world, "z", size=(80, 30), happening=ask)
