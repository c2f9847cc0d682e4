from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import Input

from opdash.errors import OpdashError
from opdash.ledger.outgoing import SeenOutgoing, is_settled
from opdash.ledger.rates import exact_rate, rate_text
from opdash.openpayments.amounts import Amount, Asset
from opdash.openpayments.errors import InsufficientGrantError, UnreachableError
from opdash.openpayments.resources import OutgoingPayment, PublicIncomingPayment
from opdash.tui.screens.detail import DetailScreen
from opdash.tui.screens.outgoing import OutgoingScreen, names_incoming
from opdash.tui.widgets.form_field import FormField
from opdash.tui.widgets.sheet import SheetView
from tests.tui.form_doubles import (
    NOW,
    OUTGOING_ID,
    PAYMENT_ID,
    WALLET,
    FakeDashboard,
    Stage,
    outgoing,
    payment,
    settled,
    write,
)

STRANGER = "https://elsewhere.example/incoming-payments/1"


class Lookup:
    """The look-up screen on its stage."""

    def __init__(self, dashboard: FakeDashboard, app: Stage, pilot: Pilot[None]) -> None:
        self.dashboard = dashboard
        self.app = app
        self.pilot = pilot

    @property
    def shown(self) -> str:
        return self.app.screen.query_one(SheetView).text

    @property
    def told(self) -> str:
        return self.app.screen.query_one("#url", FormField).note.sentence

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await settled(self.pilot)

    async def look_up(self, url: str) -> None:
        await write(self.pilot, url)
        await self.press("enter")


@asynccontextmanager
async def lookup(
    tmp_path: Path,
    found: OutgoingPayment | OpdashError | None = None,
    url: str = "",
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Lookup]:
    dashboard = FakeDashboard(tmp_path)
    dashboard.outgoing = found or outgoing()
    app = Stage(dashboard, lambda: OutgoingScreen(dashboard.session_, url))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield Lookup(dashboard, app, pilot)


def facts_of(shown: str) -> dict[str, str]:
    """Return the labelled lines of a sheet."""
    lines = [line.split("  ", 1) for line in shown.split("\n")]
    return {parts[0]: parts[1].strip() for parts in lines if len(parts) == 2}


async def test_an_outgoing_payment_is_shown_with_all_its_amounts(tmp_path: Path) -> None:
    async with lookup(tmp_path) as screen:
        await screen.look_up(OUTGOING_ID)
        assert screen.dashboard.calls == [("outgoing", OUTGOING_ID)]
        facts = facts_of(screen.shown)
        assert facts["debit"] == "122.50 USD"
        assert facts["receive"] == "120.00 USD"
        assert facts["sent"] == "120.00 USD"
        assert facts["cost"] == "2.50 USD"
        assert facts["failed"] == "no"
        assert facts["receiver"] == PAYMENT_ID
        assert "● SENT  as far as can be known" in screen.shown
        assert "description  coffee" in screen.shown


async def test_a_prefilled_url_is_looked_up_at_once(tmp_path: Path) -> None:
    async with lookup(tmp_path, url=OUTGOING_ID) as screen:
        assert "Outgoing payment" in screen.shown


async def test_a_receiver_of_ones_own_is_named_and_makes_it_certain(tmp_path: Path) -> None:
    async with lookup(tmp_path) as screen:
        screen.dashboard.know(payment(completed=True))
        await screen.look_up(OUTGOING_ID)
        assert facts_of(screen.shown)["receiver"] == f"Rosa's Shop: {PAYMENT_ID}"
        assert "as far as can be known" not in screen.shown


async def test_a_payment_under_way_has_no_cost_yet(tmp_path: Path) -> None:
    moving = outgoing(sent_amount=Amount("6000", "USD", 2), created_at=NOW - timedelta(seconds=5))
    async with lookup(tmp_path, moving) as screen:
        screen.dashboard.shop.answers["public"] = PublicIncomingPayment("https://a.example")
        await screen.look_up(OUTGOING_ID)
        assert "◐ SENDING  48 % sent" in screen.shown
        assert "cost" not in screen.shown
        screen.dashboard.outgoing = outgoing()
        await screen.press("r")
        assert "120.00 USD" in facts_of(screen.shown)["sent"]


@pytest.mark.parametrize(
    ("arrived", "state"),
    [
        (PublicIncomingPayment("https://a.example", Amount("12000", "USD", 2)), "● SENT"),
        (PublicIncomingPayment("https://a.example", Amount("11999", "USD", 2)), "◐ SENDING"),
        (PublicIncomingPayment("https://a.example", Amount("12000", "EUR", 2)), "◐ SENDING"),
        (PublicIncomingPayment("https://a.example"), "◐ SENDING"),
        (UnreachableError("No answer."), "◐ SENDING"),
    ],
)
async def test_what_has_arrived_at_a_strangers_tells_whether_it_is_sent(
    tmp_path: Path, arrived: object, state: str
) -> None:
    young = outgoing(created_at=NOW - timedelta(seconds=5))
    async with lookup(tmp_path, young) as screen:
        screen.dashboard.shop.answers["public"] = arrived
        await screen.look_up(OUTGOING_ID)
        assert screen.dashboard.shop.asked_for("public") == [PAYMENT_ID]
        assert state in screen.shown


async def test_a_failed_payment_says_how_far_it_came(tmp_path: Path) -> None:
    async with lookup(tmp_path, outgoing(failed=True)) as screen:
        await screen.look_up(OUTGOING_ID)
        assert "▲ FAILED PARTIAL" in screen.shown
        assert facts_of(screen.shown)["failed"] == "yes"


async def test_two_assets_have_a_rate(tmp_path: Path) -> None:
    crossed = outgoing(receive_amount=Amount("11000", "EUR", 2))
    async with lookup(tmp_path, crossed) as screen:
        await screen.look_up(OUTGOING_ID)
        assert facts_of(screen.shown)["rate"] == "1 USD ≈ 0.897959 EUR"


async def test_a_strangers_incoming_payment_gets_the_public_read(tmp_path: Path) -> None:
    async with lookup(tmp_path) as screen:
        screen.dashboard.shop.answers["public"] = PublicIncomingPayment(
            "https://auth.elsewhere.example", Amount("1250", "EUR", 2)
        )
        await screen.look_up(STRANGER)
        assert screen.dashboard.shop.asked_for("public") == [STRANGER]
        assert screen.dashboard.calls == []
        assert facts_of(screen.shown)["received"] == "12.50 EUR"
        assert "without a token" in screen.shown


async def test_a_public_read_without_an_amount_says_so(tmp_path: Path) -> None:
    async with lookup(tmp_path) as screen:
        screen.dashboard.shop.answers["public"] = PublicIncomingPayment("https://a.example")
        await screen.look_up(STRANGER)
        assert facts_of(screen.shown)["received"] == "its server does not say"


async def test_an_incoming_payment_of_ones_own_comes_from_the_ledger(tmp_path: Path) -> None:
    async with lookup(tmp_path) as screen:
        screen.dashboard.know(payment())
        await screen.look_up(PAYMENT_ID)
        assert "◐ PARTIAL  48 %" in screen.shown
        assert screen.dashboard.shop.asked_for("public") == []


async def test_what_the_server_refuses_is_a_sentence(tmp_path: Path) -> None:
    refusal = InsufficientGrantError(
        "The server does not let opdash read it.", "Ask for the right.", status=403
    )
    async with lookup(tmp_path, refusal) as screen:
        await screen.look_up("https://elsewhere.example/outgoing-payments/1")
        assert screen.told == "The server does not let opdash read it. Ask for the right."
        assert screen.shown == ""


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "no URL yet"),
        ("hello", "does not begin with https"),
        ("http://rs.example/outgoing-payments/1", "only used on this machine"),
        ("https://rs.example", "names no payment"),
        ("https://user:pw@rs.example/outgoing-payments/1", "user name or password"),
    ],
)
async def test_a_bad_url_gets_a_sentence_and_asks_nobody(
    tmp_path: Path, typed: str, told: str
) -> None:
    async with lookup(tmp_path) as screen:
        await screen.look_up(typed)
        assert told in screen.told
        assert "pw" not in screen.told
        assert screen.dashboard.calls == []
        assert screen.dashboard.shop.asked == []


async def test_another_url_takes_the_place_of_the_first(tmp_path: Path) -> None:
    async with lookup(tmp_path, url=OUTGOING_ID) as screen:
        await screen.press("u")
        screen.dashboard.shop.answers["public"] = PublicIncomingPayment("https://a.example")
        await screen.look_up(STRANGER)
        assert "Outgoing payment" not in screen.shown
        assert "somebody else" in screen.shown


async def test_the_result_scrolls_by_key(tmp_path: Path) -> None:
    long = msgspec.Raw(b'{"list":[' + b",".join([b'"x"'] * 60) + b"]}")
    async with lookup(tmp_path, outgoing(raw_metadata=long), url=OUTGOING_ID) as screen:
        result = screen.app.screen.query_one("#result")
        for key, moved in (
            ("j", 1),
            ("k", 0),
            ("down", 1),
            ("up", 0),
        ):
            await screen.press(key)
            assert result.scroll_offset.y == moved
        await screen.press("pagedown")
        assert result.scroll_offset.y > 1
        await screen.press("pageup")
        assert result.scroll_offset.y == 0
        await screen.press("G")
        assert result.scroll_offset.y == result.max_scroll_y
        await screen.press("g")
        assert result.scroll_offset.y == 0


async def test_escape_goes_back(tmp_path: Path) -> None:
    async with lookup(tmp_path) as screen:
        await screen.press("escape")
        assert screen.app.left_with == [None]


async def test_hostile_texts_are_harmless(tmp_path: Path) -> None:
    hostile = outgoing(
        receiver="https://x.example/\x1b[2J[/nope]",
        raw_metadata=msgspec.Raw(b'{"a\\u202e":"[red]\\u001b[31m"}'),
    )
    async with lookup(tmp_path, hostile) as screen:
        await screen.look_up(OUTGOING_ID)
        assert "␛[2J[/nope]" in screen.shown
        assert "[red]␛[31m" in screen.shown
        assert "\x1b" not in screen.shown


@pytest.mark.parametrize(
    ("url", "incoming"),
    [
        (PAYMENT_ID, True),
        (OUTGOING_ID, False),
        (f"{WALLET.id}/x", False),
        ("https://a.example/incoming-payments-not/1", False),
    ],
)
def test_a_url_says_which_way_the_money_goes(url: str, incoming: bool) -> None:
    assert names_incoming(url) is incoming


@pytest.mark.parametrize(
    ("rate", "debit", "receive", "text"),
    [
        (Fraction(1), Asset("USD", 2), Asset("EUR", 2), "1 USD = 1 EUR"),
        (Fraction(1, 3), Asset("USD", 2), Asset("EUR", 2), "1 USD ≈ 0.333333 EUR"),
        (Fraction(3, 200), Asset("JPY", 0), Asset("USD", 2), "1 JPY = 0.00015 USD"),
        (Fraction(150, 100), Asset("USD", 2), Asset("JPY", 0), "1 USD = 150 JPY"),
    ],
)
def test_rates_are_exact_or_say_that_they_are_not(
    rate: Fraction, debit: Asset, receive: Asset, text: str
) -> None:
    assert rate_text(rate, debit, receive) == text


def test_what_a_decimal_cannot_hold_is_written_as_a_fraction_too() -> None:
    assert exact_rate(Fraction(1, 3), Asset("USD", 2), Asset("EUR", 2)) == "1/3 EUR per USD"
    assert exact_rate(Fraction(3, 200), Asset("JPY", 0), Asset("USD", 2)) == "3/20000 USD per JPY"
    assert exact_rate(Fraction(150, 100), Asset("USD", 2), Asset("JPY", 0)) == ""


@given(st.fractions(min_value=0, max_value=10**12), st.integers(0, 18), st.integers(0, 18))
def test_a_rate_is_never_rounded_up(rate: Fraction, debit: int, receive: int) -> None:
    shown = rate_text(rate, Asset("A", debit), Asset("B", receive))
    value = Fraction(shown.split()[3].replace(",", ""))
    exact = rate * Fraction(10**debit, 10**receive)
    assert value <= exact
    assert (value == exact) == (" = " in shown)


async def test_following_a_payment_leaves_the_cursor_in_the_field(tmp_path: Path) -> None:
    moving = outgoing(sent_amount=Amount("6000", "USD", 2), created_at=NOW - timedelta(seconds=5))
    async with lookup(tmp_path, moving) as screen:
        screen.dashboard.shop.answers["public"] = PublicIncomingPayment("https://a.example")
        await screen.look_up(OUTGOING_ID)
        await screen.press("u")
        assert isinstance(screen.app.screen, OutgoingScreen)
        screen.app.screen._follow()
        await settled(screen.pilot)
        await screen.press("x")
        assert screen.app.screen.query_one("#url Input", Input).value == "x"


def seen(found: OutgoingPayment, ago: timedelta) -> SeenOutgoing:
    at = NOW - ago
    return SeenOutgoing(payment=found, wallet=WALLET.id, first_seen_at=at, last_seen_at=at)


async def test_what_was_seen_is_there_while_the_server_is_not_and_tells_its_age(
    tmp_path: Path,
) -> None:
    away = UnreachableError("No answer.", "Try again.")
    async with lookup(tmp_path, away) as screen:
        screen.dashboard.reader.outgoings[OUTGOING_ID] = seen(outgoing(), timedelta(hours=3))
        await screen.look_up(OUTGOING_ID)
        assert screen.told == "No answer. Try again."
        facts = facts_of(screen.shown)
        assert facts["sent"] == "120.00 USD"
        assert facts["as of"] == "3 h ago; the server does not show it now"


async def test_a_key_opens_the_incoming_payment_that_is_paid(tmp_path: Path) -> None:
    async with lookup(tmp_path) as screen:
        screen.dashboard.know(payment(completed=True))
        await screen.look_up(OUTGOING_ID)
        assert "INV-2026-0412" in facts_of(screen.shown)["pays"]
        await screen.press("i")
        assert isinstance(screen.app.screen, DetailScreen)


async def test_the_receiver_of_a_stranger_cannot_be_opened(tmp_path: Path) -> None:
    async with lookup(tmp_path) as screen:
        await screen.look_up(OUTGOING_ID)
        await screen.press("i")
        assert isinstance(screen.app.screen, OutgoingScreen)
        assert "none of your incoming payments" in screen.app.told[-1]
        await screen.press("y")
        assert screen.app.copied == [OUTGOING_ID]


async def test_it_is_followed_while_it_moves_and_left_alone_when_it_is_final(
    tmp_path: Path,
) -> None:
    moving = outgoing(sent_amount=Amount("6000", "USD", 2), created_at=NOW - timedelta(seconds=5))
    async with lookup(tmp_path, moving) as screen:
        screen.dashboard.shop.answers["public"] = PublicIncomingPayment("https://a.example")
        await screen.look_up(OUTGOING_ID)
        shown = screen.app.screen
        assert isinstance(shown, OutgoingScreen)
        assert facts_of(screen.shown)["followed"].startswith("looks again in")
        shown._tick()
        await settled(screen.pilot)
        assert len(screen.dashboard.calls) == 1, "not before it is due"
        screen.dashboard.outgoing = outgoing(failed=True)
        screen.dashboard.clock.instant = NOW + timedelta(minutes=1)
        shown._tick()
        await settled(screen.pilot)
        assert "FAILED PARTIAL" in screen.shown
        assert "followed" not in facts_of(screen.shown)
        asked = len(screen.dashboard.calls)
        screen.dashboard.clock.instant = NOW + timedelta(hours=1)
        shown._tick()
        await settled(screen.pilot)
        assert len(screen.dashboard.calls) == asked == 2


async def test_an_incoming_payment_names_who_pays_it_and_opens_that(tmp_path: Path) -> None:
    dashboard = FakeDashboard(tmp_path)
    dashboard.outgoing = outgoing()
    dashboard.know(payment(completed=True))
    dashboard.reader.outgoings[OUTGOING_ID] = seen(outgoing(), timedelta(minutes=2))
    app = Stage(dashboard, lambda: DetailScreen(dashboard.session_, PAYMENT_ID))
    async with app.run_test(size=(80, 40)) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, DetailScreen)
        assert "● SENT  120.00 USD from" in app.screen.pane.text
        await pilot.press("o")
        await settled(pilot)
        assert isinstance(app.screen, OutgoingScreen)
        assert app.screen.query_one("#url Input", Input).value == OUTGOING_ID


async def test_an_incoming_payment_of_which_no_payer_was_seen_says_so(tmp_path: Path) -> None:
    dashboard = FakeDashboard(tmp_path)
    dashboard.know(payment())
    app = Stage(dashboard, lambda: DetailScreen(dashboard.session_, PAYMENT_ID))
    async with app.run_test(size=(80, 40)) as pilot:
        await settled(pilot)
        await pilot.press("o")
        assert isinstance(app.screen, DetailScreen)
        assert "seen no outgoing payment" in app.told[-1]


def paying(due: Amount, sent: str) -> OutgoingPayment:
    return outgoing(receive_amount=due, sent_amount=Amount(sent, "USD", 2))


def test_a_receiver_that_asked_for_nothing_is_settled_by_what_arrived() -> None:
    whole = paying(Amount("500", "USD", 2), sent="500")
    assert is_settled(payment(asked=None, received=500), whole)
    assert not is_settled(payment(asked=None, received=499), whole)
    in_euro = paying(Amount("500", "EUR", 2), sent="500")
    assert not is_settled(payment(asked=None, received=500), in_euro)
    assert not is_settled(payment(asked=1000, received=500, difference=-500), whole)
    assert is_settled(payment(asked=1000, received=1000, difference=0), whole)


def test_what_others_paid_to_an_open_receiver_settles_no_payment_under_way() -> None:
    under_way = paying(Amount("500", "USD", 2), sent="499")
    assert not is_settled(payment(asked=None, received=9000), under_way)
    assert is_settled(payment(asked=None, received=9000, completed=True), under_way)
    converted = paying(Amount("500", "EUR", 2), sent="499")
    in_euro = payment(asked=None, received=9000, received_asset=Asset("EUR", 2))
    assert is_settled(in_euro, converted)  # what was sent says nothing of what arrives
