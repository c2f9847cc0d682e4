"""The screen of grants, the questions that it asks, and the choice of the scope."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from opdash.errors import OpdashError
from opdash.ledger.records import Scope, Source
from opdash.openpayments.errors import GrantDeniedError, UnreachableError
from opdash.service.events import ProfileChanged
from opdash.service.giving_back import GivenBack
from opdash.service.rights import Right
from opdash.service.session import WalletSession
from opdash.settings import Profile, Settings
from opdash.tui.app import OpdashApp
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.screens.give_back import GiveBackScreen
from opdash.tui.screens.grants import GrantsScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.scope import ScopeScreen
from opdash.tui.widgets.form_field import NoteLine
from opdash.tui.widgets.grant_facts import countdown, grant_entries, grant_entry
from opdash.tui.widgets.header import HeaderLine
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.sheet import Sheet, SheetView
from opdash.tui.widgets.status_line import StatusLine
from opdash.tui.widgets.wallet_list import WalletList
from tests.tui.doubles import (
    GRACE,
    NOW,
    FakeSession,
    World,
    grant_view,
    make_payment,
    shop_payments,
)

Compare = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 40)
NONE = grant_view(is_held=False, right=Right.OUTGOING)
CONSENTED = grant_view(
    rights=("list every incoming payment, whoever created it", "read every incoming payment"),
    actions=("read", "list", "read-all", "list-all"),
    identifiers=("https://ilp.example/rosa",),
    limits='{"interval": "R/2026-11-01T00:00:00Z/P1M"}',
    with_consent=True,
    is_kept=False,
    expires_at=NOW + timedelta(seconds=41),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    world.dashboard.grants.shown = (grant_view(), NONE)
    yield world
    world.close()


@asynccontextmanager
async def shown(
    world: World, *keys: str, size: tuple[int, int] = SMALL
) -> AsyncIterator[tuple[OpdashApp, Pilot[None]]]:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in ("T", *keys):
            await pilot.press(key)
            await pilot.pause()
        yield app, pilot


async def settled(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def is_on(app: OpdashApp, kind: type[Any]) -> bool:
    return isinstance(app.screen, kind)


def toasts(app: OpdashApp) -> list[str]:
    return [toast.message for toast in app._notifications]


# What is said of a grant


def text_of(view: Any) -> str:
    return Sheet(grant_entries(view, NOW)).plain


def test_all_of_a_grant_is_told() -> None:
    said = text_of(CONSENTED)
    assert "list every incoming payment, whoever created it" in said
    assert "read, list, read-all, list-all" in said
    assert "about       ilp.example/rosa" in said
    assert "R/2026-11-01" in said
    assert "with the account holder's consent" in said
    assert "41 s left, until 20 Nov 2026 14:07:41" in said
    assert "last used   3 s ago" in said
    assert "in memory only" in said
    plain = text_of(grant_view())
    assert "what opdash itself created" in plain
    assert "limits      none" in plain
    assert "without asking anybody" in plain
    assert "in a file that only you can read" in plain


def test_a_grant_that_is_not_held_says_how_to_get_it() -> None:
    assert "opdash holds no grant for this." in text_of(NONE)
    given_up = replace(NONE, is_given_up=True)
    assert "You gave this right back" in text_of(given_up)
    elsewhere = text_of(replace(given_up, given_up_elsewhere_at=NOW))
    assert f"Another opdash gave this right back at {NOW.astimezone():%H:%M:%S}" in elsewhere
    assert "r asks for it." in elsewhere


def test_a_token_without_end_and_one_at_its_end() -> None:
    endless = replace(grant_view(), expires_at=None, last_used_at=None)
    assert "the server does not say when it ends" in text_of(endless)
    assert "last used   not yet" in text_of(endless)
    ended = replace(grant_view(), expires_at=NOW - timedelta(minutes=2))
    assert "expired 2 min ago; it is exchanged when it is needed" in text_of(ended)
    assert "expired" in "".join(span.text for span in grant_entry(ended, NOW).first_right)


def test_what_a_server_sent_is_made_harmless() -> None:
    view = replace(
        CONSENTED, actions=("read\x1b[31m",), limits="[/bold]\x07", identifiers=("\x1b[2Jx",)
    )
    said = text_of(view) + "".join(span.text for span in grant_entry(view, NOW).second)
    assert "\x1b" not in said
    assert "\x07" not in said


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1:00"), (552, "9:12"), (3599, "59:59"), (7200, "2 h")],
)
def test_a_countdown(seconds: int, text: str) -> None:
    assert countdown(timedelta(seconds=seconds)) == text


# The screen


async def test_the_grants_are_listed_and_the_selected_one_is_told(world: World) -> None:
    async with shown(world) as (app, pilot):
        assert isinstance(app.screen, GrantsScreen)
        assert app.screen.query_one(WalletList).selected == "INCOMING shop"
        assert "create incoming payments" in app.screen.query_one(SheetView).text
        await pilot.press("down")
        await pilot.pause()
        assert "opdash holds no grant for this." in app.screen.query_one(SheetView).text


async def test_the_time_that_is_left_counts_down(world: World) -> None:
    async with shown(world) as (app, _):
        world.clock.instant += timedelta(seconds=13)
        app.screen._fill()  # type: ignore[attr-defined]
        assert "8:59 left" in app.screen.query_one(SheetView).text


async def test_why_kept_tokens_are_not_used_is_told(world: World) -> None:
    world.dashboard.grants.trouble = "Others can read the file."
    async with shown(world) as (app, _):
        assert app.screen.query_one(Notices).display


async def test_r_renews(world: World) -> None:
    async with shown(world, "r") as (app, pilot):
        await settled(pilot)
        assert world.dashboard.grants.calls == [("renew", "shop", Right.INCOMING)]
        assert toasts(app) == ["The token is renewed."]


async def test_r_asks_for_what_is_not_held(world: World) -> None:
    async with shown(world, "down", "r") as (app, pilot):
        await settled(pilot)
        assert world.dashboard.grants.calls == [("renew", "shop", Right.OUTGOING)]
        assert toasts(app) == ["opdash has the grant."]


async def test_a_refusal_is_told(world: World) -> None:
    world.dashboard.grants.answers = [GrantDeniedError("They refused.", "Ask them.", status=401)]
    async with shown(world, "r") as (app, pilot):
        await settled(pilot)
        assert toasts(app) == ["They refused. Ask them."]


@pytest.mark.parametrize(
    ("key", "call"),
    [
        ("d", ("revoke", "shop", Right.INCOMING)),
        ("x", ("cancel", "shop", Right.INCOMING)),
        ("o", ("sign out", "shop")),
    ],
)
async def test_giving_back_asks_first(world: World, key: str, call: tuple[object, ...]) -> None:
    async with shown(world, key) as (app, pilot):
        assert is_on(app, GiveBackScreen)
        for harmless in ("y", key, "enter"):
            await pilot.press(harmless)
            await settled(pilot)
            assert world.dashboard.grants.calls == []
        assert is_on(app, GrantsScreen)  # Enter was on “Keep it”
        await pilot.press(key)
        await pilot.pause()
        await pilot.press("ctrl+y", "ctrl+y")
        await settled(pilot)
        assert world.dashboard.grants.calls == [call]
        assert is_on(app, GrantsScreen)
        assert len(toasts(app)) == 1


async def test_what_remains_valid_is_told(world: World) -> None:
    failure = UnreachableError("auth.example does not answer.")
    until = NOW + timedelta(minutes=9)
    told = GivenBack(Right.INCOMING, failure=failure, valid_until=until)
    world.dashboard.grants.answers = [told]
    async with shown(world, "d", "ctrl+y") as (app, pilot):
        await settled(pilot)
        (toast,) = toasts(app)
        assert "could not revoke it (auth.example does not answer)" in toast
        assert "stays valid until 14:16:00" in toast


async def test_a_failure_stays_in_the_dialog(world: World) -> None:
    world.dashboard.grants.answers = [OpdashError("The disk is full.", "Make room.")]
    async with shown(world, "d", "ctrl+y") as (app, pilot):
        await settled(pilot)
        assert isinstance(app.screen, GiveBackScreen)
        outcome = app.screen.query_one("#outcome", NoteLine).sentence
        assert outcome == "The disk is full. Make room."


async def test_the_buttons_work_with_the_mouse(world: World) -> None:
    async with shown(world, "d") as (_, pilot):
        await pilot.click("#leave")
        await settled(pilot)
        assert world.dashboard.grants.calls == []
        await pilot.press("d")
        await pilot.pause()
        await pilot.click("#give-back")
        await settled(pilot)
        assert len(world.dashboard.grants.calls) == 1


@pytest.mark.parametrize("key", ["d", "x"])
async def test_what_is_not_held_cannot_be_given_back(world: World, key: str) -> None:
    async with shown(world, "down", key) as (app, _):
        assert isinstance(app.screen, GrantsScreen)
        assert toasts(app) == ["There is no grant to give back."]


async def test_a_grant_that_cannot_be_ended_says_so(world: World) -> None:
    world.dashboard.grants.shown = (grant_view(can_cancel=False),)
    async with shown(world, "x") as (app, _):
        assert isinstance(app.screen, GrantsScreen)
        assert "did not say how to end this grant" in toasts(app)[0]


async def test_m_keeps_tokens_or_not(world: World) -> None:
    async with shown(world, "m") as (app, pilot):
        await settled(pilot)
        assert world.dashboard.grants.calls == [("keep", "shop", False)]
        assert "stay in memory only" in toasts(app)[0]


async def test_a_long_grant_can_be_scrolled(world: World) -> None:
    many = tuple(f"do the thing of number {number}" for number in range(30))
    world.dashboard.grants.shown = (grant_view(rights=many), NONE)
    async with shown(world) as (app, pilot):
        grant = app.screen.query_one("#grant")
        await pilot.press("down")
        assert app.screen.query_one(WalletList).selected == "OUTGOING shop"
        await pilot.press("up", "tab", "down", "down")
        await pilot.pause(0.3)
        assert grant.scroll_y > 0
        assert app.screen.query_one(WalletList).selected == "INCOMING shop"
        await pilot.press("tab")
        assert app.screen.query_one(WalletList).has_focus


async def test_the_way_back(world: World) -> None:
    async with shown(world) as (app, pilot):
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, PaymentsScreen)


# The scope


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_the_scope_and_its_key_stand_on_the_screen(
    world: World, size: tuple[int, int]
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        lines = app.screen.query_one(HeaderLine).text + app.screen.query_one(StatusLine).text
        assert "S created by opdash only" in lines


async def test_the_scope_can_be_clicked(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        header = app.screen.query_one(HeaderLine)
        at = header.text.index("created by opdash")
        await pilot.click(HeaderLine, offset=(at, 0))
        await pilot.pause()
        assert isinstance(app.screen, ScopeScreen)


@pytest.mark.parametrize("way", [("S",), ("w", "S"), ("T", "S")], ids="".join)
async def test_more_is_asked_for(world: World, way: tuple[str, ...]) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        for key in way:
            await pilot.press(key)
            await pilot.pause()
        assert isinstance(app.screen, ScopeScreen)
        assert "the account holder's consent" in app.screen.query_one(SheetView).text
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert world.dashboard.grants.calls == [("scope", "shop", Scope.EVERYTHING)]
        assert toasts(app) == ["Rosa's Shop shows everything on this wallet from now on."]


async def test_less_is_told_with_what_remains(world: World) -> None:
    profile = replace(world.session.profile, scope=Scope.EVERYTHING)
    world.session.profile = profile
    world.dashboard.settings = Settings((profile,))
    failure = UnreachableError("auth.example does not answer.")
    world.dashboard.grants.answers = [GivenBack(Right.INCOMING, failure=failure)]
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "S everything on this wallet" in app.screen.query_one(StatusLine).text
        await pilot.press("S")
        await pilot.pause()
        assert "neither refreshed nor taken for gone" in app.screen.query_one(SheetView).text
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert world.dashboard.grants.calls == [("scope", "shop", Scope.OWN)]
        assert "could not revoke it" in toasts(app)[1]


@pytest.mark.parametrize("key", ["escape", "enter", "y"])
async def test_only_the_deliberate_key_changes_the_scope(world: World, key: str) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await pilot.press("S")
        await pilot.pause()
        await pilot.press(key)
        await settled(pilot)
        assert world.dashboard.grants.calls == []


async def rebuilt(pilot: Pilot[None]) -> None:
    """Wait until the table is there again, and what stands around it is written."""
    for _ in range(300):
        lines = [line.text for line in pilot.app.screen.query(HeaderLine)]
        if lines and all(lines) and pilot.app.screen.query(PaymentTable):
            return
        await pilot.pause(0.01)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_a_screen_goes_over_to_the_new_session(world: World, size: tuple[int, int]) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        profile = replace(world.session.profile, scope=Scope.EVERYTHING)
        session = FakeSession(profile, world.clock, world.wallet, world=world)
        world.dashboard.sessions[:] = [session]
        world.dashboard.settings = Settings((profile,))
        world.dashboard.events.publish(ProfileChanged("shop"))
        world.live()
        await settled(pilot)
        assert isinstance(app.screen, PaymentsScreen)
        await rebuilt(pilot)
        assert app.screen.session is cast(WalletSession, session)
        lines = app.screen.query_one(HeaderLine).text + app.screen.query_one(StatusLine).text
        assert "S everything on this wallet" in lines
        assert app.screen.query_one(PaymentTable).row_count == len(shop_payments())
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)


async def test_a_form_that_is_open_is_not_lost_for_it(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        await pilot.press("n")
        await pilot.pause()
        profile = replace(world.session.profile, scope=Scope.EVERYTHING)
        session = FakeSession(profile, world.clock, world.wallet, world=world)
        world.dashboard.sessions[:] = [session]
        world.dashboard.settings = Settings((profile,))
        world.dashboard.events.publish(ProfileChanged("shop"))
        await pilot.pause()
        assert isinstance(app.screen, FormScreen)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, PaymentsScreen)
        assert app.screen.session is cast(WalletSession, session)


# What it looks like


def look(
    compare: Compare,
    world: World,
    *keys: str,
    size: tuple[int, int] = SMALL,
    theme: str = "dark",
) -> bool:
    async def before(pilot: Pilot[Any]) -> None:
        world.live()
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await settled(pilot)

    world.dashboard.settings = replace(world.dashboard.settings, theme=theme)
    return compare(OpdashApp(world.dashboard.real), terminal_size=size, run_before=before)


@pytest.fixture
def two_wallets(world: World) -> World:
    tips = FakeSession(Profile("tips", "https://other.example/tips"), world.clock, None)
    world.dashboard.sessions.append(tips)
    world.dashboard.settings = Settings((*world.dashboard.profiles, tips.profile), "shop")
    world.dashboard.grants.shown = (
        CONSENTED,
        replace(NONE, is_given_up=True),
        grant_view(profile="tips", title="tips"),
        replace(NONE, profile="tips", title="tips"),
    )
    return world


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_grants_look(
    snap_compare: Compare, two_wallets: World, size: tuple[int, int], theme: str
) -> None:
    assert look(snap_compare, two_wallets, "T", size=size, theme=theme)


def test_grants_without_colour(
    snap_compare: Compare, two_wallets: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(snap_compare, two_wallets, "T", "down")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("key", ["d", "x", "o", "S"])
def test_questions_look(
    snap_compare: Compare, two_wallets: World, key: str, size: tuple[int, int]
) -> None:
    assert look(snap_compare, two_wallets, "T", key, size=size)


def test_no_button_is_pressed_by_accident(world: World) -> None:
    """The way back is the button that has the focus in every question."""
    assert {GiveBackScreen.AUTO_FOCUS, ScopeScreen.AUTO_FOCUS} == {"#leave"}


# What the narrower scope does not show


@pytest.fixture
def narrowed(world: World) -> World:
    """A wallet that showed everything until a minute ago."""
    others = [
        make_payment(301, asked=4200, ago=timedelta(minutes=3), reference="THEIRS-OPEN"),
        make_payment(302, asked=4200, received=4200, completed=True, reference="THEIRS-PAID"),
    ]
    world.ledger.record(
        world.wallet.id,
        others,
        at=NOW - timedelta(minutes=1),
        source=Source.LIST,
        scope=Scope.EVERYTHING,
        grace=GRACE,
    )
    return world


def line_of(app: OpdashApp, words: str) -> str:
    table = app.screen.query_one(PaymentTable)
    lines = ["".join(s.text for s in table.render_line(y)) for y in range(table.size.height)]
    return next(line for line in lines if words in line)


async def test_what_the_scope_does_not_show_is_marked_and_told(narrowed: World) -> None:
    app = OpdashApp(narrowed.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        assert "UNPAID‡" in line_of(app, "THEIRS-OPEN")
        assert "‡" not in line_of(app, "THEIRS-PAID")  # it cannot change any more
        assert "‡" not in line_of(app, "INV-2026-0412")
        said = app.screen.query(SheetView).first().text
        assert "Not visible under this scope, created by opdash only" in said
        assert "1 min ago" in said


async def test_nothing_is_marked_while_everything_is_seen(narrowed: World) -> None:
    profile = replace(narrowed.session.profile, scope=Scope.EVERYTHING)
    narrowed.session.profile = profile
    narrowed.dashboard.settings = Settings((profile,))
    app = OpdashApp(narrowed.dashboard.real)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        assert "‡" not in line_of(app, "THEIRS-OPEN")
