"""The till as a person, a barcode scanner and a customer meet it; the clock stands until moved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual import events
from textual.widgets import Button, Input

from opdash.errors import OpdashError
from opdash.ledger.records import CreationStatus, TimelineKind
from opdash.ledger.states import State
from opdash.openpayments.errors import UnansweredError, UnreachableError
from opdash.service.completions import ChangedMeanwhile, Seen
from opdash.service.till import till_draft
from opdash.settings import AccessLevel
from opdash.tui.app import OpdashApp
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.till import UNKNOWN, TillScreen
from opdash.tui.screens.till_end import EndSaleScreen
from opdash.tui.screens.till_sale import SaleScreen
from opdash.tui.till_app import TillApp
from opdash.tui.widgets.big_text import BigText
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import NoteLine
from opdash.tui.widgets.qr import QrView
from opdash.tui.widgets.till_sales import TillSales
from tests.tui.doubles import make_payment
from tests.tui.till_doubles import MINUTE, Counter, Shop

DOWN = UnreachableError("ilp.example cannot be reached.", "Check the network.")
SIZE = (100, 30)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.close()


@asynccontextmanager
async def counter(shop: Shop, size: tuple[int, int] = SIZE) -> AsyncIterator[Counter]:
    app = OpdashApp(shop.dashboard.real)
    async with app.run_test(size=size) as pilot:
        somebody = Counter(shop, app, pilot)
        app.bell = lambda: somebody.bells.append(1)  # type: ignore[method-assign]
        await somebody.settle()
        await somebody.open()
        yield somebody


def values(one: Counter) -> list[str]:
    return [typed.value for typed in one.on(TillScreen).query(Input)]


def note(one: Counter) -> str:
    return one.on(TillScreen).query_one("#till-note", NoteLine).sentence


def focused(one: Counter) -> str:
    widget = one.app.focused
    while widget is not None and widget.id is None and widget.parent is not None:
        widget = widget.parent  # type: ignore[assignment]
    return "" if widget is None else str(widget.id)


# Typing


async def test_an_amount_enter_a_reference_enter_creates_one_payment(shop: Shop) -> None:
    async with counter(shop) as one:
        await one.type("12.50")
        assert one.on(TillScreen).query_one("#till-amount", BigText).text == "12.50 USD"
        await one.press("enter")
        assert focused(one) == "reference"
        await one.type("INV-7")
        await one.press("enter")
        one.on(SaleScreen)
        (draft,) = one.session.created
        assert (draft.amount, draft.reference) == (1250, "INV-7")
        assert draft.expires_at == shop.clock.now() + 10 * MINUTE
        assert draft.metadata == {"source": "till"}


async def test_a_scanner_types_the_reference_and_enter_without_a_pause(shop: Shop) -> None:
    async with counter(shop) as one:
        await one.type("8")
        # One burst: no key waits for what the one before it does, as a scanner sends them.
        keys = ["tab", *"4006381333931", "enter", "enter", *"q77"]
        for key in keys:
            one.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await one.settle()
        await one.settle()
        one.on(SaleScreen)
        (draft,) = one.session.created
        assert (draft.amount, draft.reference) == (800, "4006381333931")


async def test_whole_sales_in_one_burst_lose_no_key(shop: Shop) -> None:
    async with counter(shop) as one:
        for number, amount in ((1, "12.50"), (2, "3.05")):
            for key in [*amount, "enter", *f"R-{number}", "enter", *"t7", "enter"]:
                one.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await one.settle()
            await one.settle()
            one.on(SaleScreen)
            shop.change(shop.url(number), received=shop.asked(number), completed=True)
            await one.later(seconds=1)
            one.app.post_message(events.Key("enter", None))
        await one.settle()
        sent = [(draft.amount, draft.reference) for draft in one.session.created]
        assert sent == [(1250, "R-1"), (305, "R-2")]


async def test_a_reference_that_is_scanned_first_waits_for_the_amount(shop: Shop) -> None:
    async with counter(shop) as one:
        await one.press("tab")
        await one.type("R1")
        await one.press("enter")
        assert focused(one) == "amount"
        assert "amount first" in note(one)
        await one.type("3")
        await one.press("enter")
        assert [(draft.amount, draft.reference) for draft in one.session.created] == [(300, "R1")]


async def test_a_sale_without_a_reference_takes_enter_twice(shop: Shop) -> None:
    async with counter(shop) as one:
        await one.type("3")
        await one.press("enter")
        assert "once more" in note(one)
        assert one.session.created == []
        await one.press("enter")
        assert [draft.reference for draft in one.session.created] == [""]


@pytest.mark.parametrize("typed", ["1.234", "abc", "0", "-5", "99999999999999999999"])
async def test_an_amount_that_is_none_is_not_sent(shop: Shop, typed: str) -> None:
    async with counter(shop) as one:
        for amount in one.on(TillScreen).query("#amount Input"):
            amount.value = typed  # type: ignore[attr-defined]
        await one.press("enter", "enter", "enter")
        assert one.session.created == []
        assert focused(one) == "amount"
        assert "✗" in one.text


async def test_a_barcode_in_the_amount_is_asked_about_first(shop: Shop) -> None:
    async with counter(shop) as one:
        await one.type("40063813")
        await one.press("enter")
        await one.type("R")
        await one.press("enter")
        assert one.session.created == []
        assert "Was that a barcode?" in note(one)
        assert "40,063,813.00 USD" in note(one)
        await one.press("enter")
        assert [draft.amount for draft in one.session.created] == [4006381300]


async def test_the_time_to_pay_is_chosen_and_stays(shop: Shop) -> None:
    async with counter(shop) as one:
        await one.press("tab", "tab", "right")
        assert one.on(TillScreen).query_one(ChoiceLine).chosen == "20 min"
        await one.press("tab")
        await one.sell("1", "A")
        assert one.session.created[0].expires_at == shop.clock.now() + 20 * MINUTE
        shop.change(shop.url(1), received=100, completed=True)
        await one.later(seconds=1)
        await one.press("enter")
        assert one.on(TillScreen).query_one(ChoiceLine).chosen == "20 min"


async def test_escape_empties_the_form_and_leaves_the_empty_one(shop: Shop) -> None:
    async with counter(shop) as one:
        await one.type("12")
        await one.press("escape")
        assert values(one) == ["", ""]
        await one.press("escape")
        one.on(PaymentsScreen)


# Never twice


async def test_enter_while_it_is_being_created_creates_nothing_more(shop: Shop) -> None:
    shop.session.gate.clear()
    async with counter(shop) as one:
        await one.sell("5", "A")
        await one.press("enter", "enter")
        assert len(one.session.created) == 1
        await one.press("escape")
        assert "not taken back" in note(one)
        shop.session.gate.set()
        await one.settle()
        one.on(SaleScreen)
        await one.press("enter", "enter")
        one.on(SaleScreen)
        assert len(one.session.created) == 1


async def test_leaving_while_it_is_being_created_finds_it_again(shop: Shop) -> None:
    shop.session.gate.clear()
    async with counter(shop) as one:
        await one.sell("5", "A")
        await one.press("escape", "escape")
        one.on(PaymentsScreen)
        shop.create(one.session.created[0])  # the session goes on by itself
        await one.press("P")
        assert "under way" in one.words
        one.on(SaleScreen)


async def test_a_network_that_is_down_keeps_what_was_typed(shop: Shop) -> None:
    async with counter(shop) as one:
        one.session.refusals.append(DOWN)
        await one.sell("5.25", "A7")
        assert values(one) == ["5.25", "A7"]
        assert "cannot be reached" in note(one)
        assert "Nothing was created" in note(one)
        await one.press("enter")
        one.on(SaleScreen)
        assert [draft.amount for draft in one.session.created] == [525, 525]


async def test_a_lost_answer_is_told_and_found(shop: Shop) -> None:
    async with counter(shop) as one:
        one.session.refusals.append(CreationStatus.UNKNOWN)
        await one.sell("5", "A")
        assert note(one) == UNKNOWN
        assert one.session.polls_asked_for == 1
        assert "unknown, checking" in one.text
        await one.press("enter")
        assert len(one.session.created) == 1
        made = shop.reader.creations_since(shop.wallet.id, shop.clock.now() - MINUTE)[0]
        found = shop.found(made, one.session.created[0], 1)
        shop.creation_news(found)
        await one.settle()
        one.on(SaleScreen)


async def test_a_lost_answer_that_another_process_finds(shop: Shop) -> None:
    async with counter(shop) as one:
        one.session.refusals.append(CreationStatus.UNKNOWN)
        await one.sell("5", "A")
        made = shop.reader.creations_since(shop.wallet.id, shop.clock.now() - MINUTE)[0]
        shop.found(made, one.session.created[0], 1)
        await one.later(seconds=1)
        one.on(SaleScreen)


async def test_a_lost_answer_that_was_no_payment_gives_the_form_back(shop: Shop) -> None:
    async with counter(shop) as one:
        one.session.refusals.append(CreationStatus.UNKNOWN)
        await one.sell("5", "A")
        made = shop.reader.creations_since(shop.wallet.id, shop.clock.now() - MINUTE)[0]
        shop.creation_news(
            shop.ledger.update_creation(
                made.request_id,
                CreationStatus.NOT_FOUND,
                at=shop.clock.now(),
                error="The server does not have this payment: it was not created.",
            )
        )
        await one.settle()
        assert values(one) == ["5", "A"]
        assert "was not created" in note(one)


async def test_a_person_may_go_on_while_the_answer_is_looked_for(shop: Shop) -> None:
    async with counter(shop) as one:
        one.session.refusals.append(CreationStatus.UNKNOWN)
        await one.sell("5", "A")
        await one.press("escape")
        assert "may exist" in note(one)
        assert values(one) == ["5", "A"]
        await one.press("escape")
        assert values(one) == ["", ""]
        await one.sell("6", "B")
        one.on(SaleScreen)


# A customer pays


async def waiting(one: Counter, amount: str = "12.50", reference: str = "INV-7") -> str:
    await one.sell(amount, reference)
    one.on(SaleScreen)
    return one.shop.url(len(one.session.created))


async def test_paid_in_parts_until_paid_with_one_bell(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        assert "0.00 of 12.50 USD received" in one.text
        assert "10:00 left, until 14:17:00" in one.text
        shop.change(url, received=500)
        await one.later(seconds=2)
        assert "5.00 of 12.50 USD received" in one.text
        assert "7.50 USD are missing." in one.text
        assert "9:58 left" in one.text
        assert one.bells == []
        shop.change(url, received=1250)
        await one.later(seconds=1)
        assert "Wait for PAID" in one.text
        assert not one.on(SaleScreen).query_one(QrView).display
        shop.change(url, completed=True)
        await one.settle()
        end = one.on(SaleScreen)
        assert end.query_one("#end-word", BigText).text == "● PAID"
        assert end.query_one("#end-amount", BigText).text == "12.50 USD received"
        assert end.has_class("-good")
        assert one.bells == [1]
        assert not one.app._notifications


async def test_enter_that_was_on_its_way_does_not_hide_paid(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        shop.change(url, received=1250, completed=True)
        await one.settle()
        await one.press("enter")
        one.on(SaleScreen)
        await one.later(seconds=1)
        await one.press("enter")
        assert values(one) == ["", ""]
        assert "Paid: 12.50 USD · INV-7." in note(one)
        assert one.session.remarks == ["At the till: PAID"]
        assert focused(one) == "amount"
        assert "Today 1 sale: 12.50 USD received" in one.text


async def test_the_next_customer_is_served_at_once(shop: Shop) -> None:
    async with counter(shop) as one:
        for number in (1, 2, 3):
            url = await waiting(one, "2", f"R{number}")
            shop.change(url, received=200, completed=True)
            await one.later(seconds=1)
            await one.press("enter")
        assert len(one.session.created) == 3
        assert "Today 3 sales: 6.00 USD received" in one.text


@pytest.mark.parametrize(
    ("received", "completed", "expires", "word", "told"),
    [
        (1300, True, False, "◉ OVERPAID", "0.50 USD too much"),
        (500, True, False, "▼ CLOSED SHORT", "7.50 USD are missing"),
        (0, True, False, "□ CLOSED UNPAID", "Nothing was paid"),
        (500, False, True, "▲ EXPIRED PARTIAL", "7.50 USD are missing"),
        (0, False, True, "✕ EXPIRED UNPAID", "Nothing was paid"),
        (1250, False, True, "● PAID*", "has not closed"),
    ],
)
async def test_every_end_says_what_to_do(
    shop: Shop, received: int, completed: bool, expires: bool, word: str, told: str
) -> None:
    async with counter(shop, (80, 24)) as one:
        url = await waiting(one)
        shop.change(url, received=received, completed=completed)
        if expires:
            shop.expire(url)
        await one.later(seconds=1)
        assert one.on(SaleScreen).query_one("#end-word", BigText).text == word
        assert told in one.text
        assert "Enter: the next customer" in one.text


async def test_an_anomaly_is_not_called_paid(shop: Shop) -> None:
    async with counter(shop, (80, 24)) as one:
        url = await waiting(one)
        shop.change(url, received=900)
        shop.change(url, received=500)
        await one.settle()
        assert one.on(SaleScreen).query_one("#end-word", BigText).text == "! LOOK FIRST"
        assert "the received amount went down" in one.text


async def test_time_that_is_over_while_the_server_is_silent_ends_nothing(shop: Shop) -> None:
    async with counter(shop) as one:
        one.session.looking = DOWN
        url = await waiting(one)
        shop.expire(url, told=False)
        await one.later(seconds=1)
        assert not one.on(SaleScreen).has_class("-over")
        assert "more may have arrived" in one.words
        assert "cannot be reached" in one.text
        assert not one.on(SaleScreen).query_one(QrView).display
        shop.change(url, received=1250, completed=True)
        await one.later(seconds=1)
        assert one.on(SaleScreen).has_class("-good")


async def test_the_rest_is_asked_for_in_a_new_sale(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        shop.change(url, received=500, completed=True)
        await one.later(seconds=1)
        await one.press("f4")
        assert values(one) == ["7.50", "INV-7"]
        await one.press("enter")
        assert [draft.amount for draft in one.session.created] == [1250, 750]


async def test_f4_asks_for_nothing_where_nothing_is_missing(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        await one.press("f4")
        shop.change(url, received=1250, completed=True)
        await one.later(seconds=1)
        await one.press("f4")
        one.on(SaleScreen)


async def test_a_scanner_at_the_wrong_moment_does_nothing(shop: Shop) -> None:
    async with counter(shop) as one:
        await waiting(one)
        await one.type("SEQ-ty97cex")
        await one.press("enter")
        one.on(SaleScreen)
        await one.press("escape")
        await one.type("SEQ-ty97cex")
        await one.press("enter")
        one.on(SaleScreen)
        assert one.session.completed == []
        assert one.app.is_running


async def test_the_url_is_copied(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        copied: list[str] = []
        one.app.copy_to_clipboard = copied.append  # type: ignore[assignment,method-assign]
        await one.press("f3")
        assert copied == [url]


async def test_other_payments_are_told_of_after_the_customer_has_gone(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        other = make_payment(77, asked=900, reference="other")
        shop.record(other)
        shop.record(make_payment(77, asked=900, received=900, completed=True, reference="other"))
        await one.settle()
        assert one.bells == []
        assert not one.app._notifications
        shop.change(url, received=1250, completed=True)
        await one.later(seconds=1)
        await one.press("enter")
        assert one.bells == [1, 1]
        assert [told.message for told in one.app._notifications] == ["● Paid: 9.00 USD · other"]


async def test_many_other_payments_are_told_in_one_sentence(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        for number in range(60, 72):
            shop.record(make_payment(number, asked=900))
            shop.record(make_payment(number, asked=900, received=900, completed=True))
        await one.settle()
        shop.change(url, received=1250, completed=True)
        await one.later(seconds=1)
        await one.press("enter")
        (told,) = one.app._notifications
        assert "12" in told.message


async def test_being_offline_is_said(shop: Shop) -> None:
    async with counter(shop) as one:
        one.session.looking = DOWN
        await waiting(one)
        one.on(SaleScreen).tick()
        await one.settle()
        assert "cannot be reached" in one.text
        assert "as of 14:07:00" in one.words


# The code


@pytest.mark.parametrize(
    ("size", "where"),
    [
        ((120, 40), "-code-beside"),
        ((80, 24), "-code-beside"),
        ((60, 50), "-code-below"),
        ((60, 24), "-no-code"),
        ((80, 17), "-no-code"),
    ],
)
async def test_the_code_is_whole_or_not_there(
    shop: Shop, size: tuple[int, int], where: str
) -> None:
    async with counter(shop, size) as one:
        url = await waiting(one)
        screen = one.on(SaleScreen)
        known = ("-code-beside", "-code-below", "-no-code")
        assert [name for name in known if screen.has_class(name)] == [where]
        code = screen.query_one(QrView)
        assert code.display is (where != "-no-code")
        if code.display:
            assert code.code is not None
            assert code.region.size == (code.code.width, code.code.height)
            assert screen.region.contains_region(code.region)
        else:
            assert url in one.words


async def test_resizing_decides_anew(shop: Shop) -> None:
    async with counter(shop, (80, 24)) as one:
        await waiting(one)
        screen = one.on(SaleScreen)
        code = screen.query_one(QrView)
        assert code.display
        for size, shown in (((60, 24), False), ((120, 40), True), ((50, 15), False)):
            await one.pilot.resize_terminal(*size)
            await one.settle()
            assert code.display is shown
        assert "No room for the QR code" in one.words


async def test_words_that_do_not_fit_are_scrolled(shop: Shop) -> None:
    async with counter(shop, (40, 14)) as one:
        url = await waiting(one)
        facts = one.on(SaleScreen).query_one("#sale-facts")
        await one.press("pagedown")
        assert facts.scroll_y > 0
        await one.press("pageup")
        assert facts.scroll_y == 0
        shop.change(url, received=500, completed=True)
        await one.settle()
        await one.press("pagedown")
        assert one.on(SaleScreen).query_one("#sale-end").scroll_y > 0


async def test_a_code_that_fits_only_alone_takes_the_whole_screen(shop: Shop) -> None:
    async with counter(shop, (60, 24)) as one:
        await waiting(one)
        screen = one.on(SaleScreen)
        await one.press("f2")
        assert is_drawn(screen)
        assert screen.region.contains_region(screen.query_one(QrView).region)
        await one.press("escape")
        assert not is_drawn(one.on(SaleScreen))
        await one.pilot.resize_terminal(30, 12)
        await one.press("f2")
        assert not is_drawn(screen)


def is_drawn(screen: SaleScreen) -> bool:
    return screen.query_one(QrView).display


# The end before it is paid


async def ending(one: Counter) -> EndSaleScreen:
    await one.press("escape")
    return one.on(EndSaleScreen)


async def test_escape_asks_and_goes_on_waiting(shop: Shop) -> None:
    async with counter(shop) as one:
        await waiting(one)
        await ending(one)
        assert "0.00 of 12.50 USD received" in one.text
        assert "Let it expire at 14:17" in one.text
        await one.press("escape")
        one.on(SaleScreen)
        await ending(one)
        await one.press("enter")
        one.on(SaleScreen)
        assert one.session.completed == []


async def test_completing_closes_it_with_what_has_arrived(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        shop.change(url, received=500)
        await ending(one)
        await one.press("ctrl+y")
        assert one.session.completed == [Seen(500, False)]
        assert one.on(SaleScreen).query_one("#end-word", BigText).text == "▼ CLOSED SHORT"
        await one.later(seconds=1)
        await one.press("enter")
        assert one.session.remarks == ["At the till: completed with 5.00 of 12.50 USD"]
        assert "CLOSED SHORT: 5.00 of 12.50 USD · INV-7 arrived." in note(one)


async def test_letting_it_expire_says_until_when_and_what_had_arrived(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        shop.change(url, received=500)
        await ending(one)
        await one.press("ctrl+e")
        assert "Left to expire at 14:17: 5.00 of 12.50 USD · INV-7 had arrived." in note(one)
        assert one.session.completed == []
        assert one.session.remarks == ["At the till: left to expire with 5.00 of 12.50 USD"]
        shop.change(url, received=1250, completed=True)
        await one.later(seconds=1)
        assert "● PAID" in one.on(TillScreen).query_one(TillSales).text
        await one.press("escape", "P")
        one.on(TillScreen)


async def test_money_that_arrives_while_the_question_is_open_is_not_passed_over(
    shop: Shop,
) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        await ending(one)
        shop.change(url, received=500)
        await one.settle()
        assert "Money has arrived meanwhile" in one.text
        await one.press("ctrl+y")
        assert one.session.completed == []
        await one.press("ctrl+y")
        assert one.session.completed == [Seen(500, False)]


async def test_money_that_arrives_at_the_very_moment(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        await ending(one)
        row = shop.reader.payment(shop.wallet.id, url)
        assert row is not None
        now = replace(row, received=500, difference=-750, state=State.PARTIAL)
        changed = ChangedMeanwhile("Money has arrived meanwhile.", "Look again.", now)
        one.session.completing.append(changed)
        await one.press("ctrl+y")
        one.on(EndSaleScreen)
        assert "5.00 of 12.50 USD received" in one.words
        assert "look again" in one.words


async def test_a_payment_that_is_paid_meanwhile_closes_the_question(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        await ending(one)
        shop.change(url, received=1250, completed=True)
        await one.settle()
        assert one.on(SaleScreen).has_class("-good")
        assert one.bells == [1]


async def test_letting_a_payment_expire_that_was_just_paid_shows_paid(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        await ending(one)
        shop.session.gate.clear()
        await one.press("ctrl+e")
        await one.press("ctrl+e", "ctrl+y", "escape")
        shop.change(url, received=1250, completed=True)
        shop.session.gate.set()
        await one.settle()
        assert one.on(SaleScreen).has_class("-good")


@pytest.mark.parametrize(
    "failure",
    [UnansweredError("The server gave no answer to “complete”.", "Look again."), DOWN],
)
async def test_completing_that_fails_is_told_and_the_sale_goes_on(
    shop: Shop, failure: OpdashError
) -> None:
    async with counter(shop) as one:
        await waiting(one)
        await ending(one)
        one.session.completing.append(failure)
        await one.press("ctrl+y")
        assert failure.sentence in one.text
        await one.press("escape")
        one.on(SaleScreen)


async def test_letting_expire_while_nobody_answers(shop: Shop) -> None:
    async with counter(shop) as one:
        await waiting(one)
        one.session.looking = DOWN
        await ending(one)
        await one.press("ctrl+e")
        assert "Left to expire" in note(one)


async def test_an_expired_payment_cannot_be_completed(shop: Shop) -> None:
    async with counter(shop) as one:
        await waiting(one)
        shop.clock.instant += timedelta(minutes=10, seconds=5)
        await one.later(seconds=0)
        await ending(one)
        assert one.app.screen.query_one("#complete", Button).disabled
        await one.press("ctrl+y")
        assert one.session.completed == []


# Beginning again


async def test_the_sale_under_way_is_shown_again_after_a_crash(shop: Shop) -> None:
    url = shop.sale(1250, "INV-7", ago=2 * MINUTE, seen=False)
    async with counter(shop) as one:
        one.on(SaleScreen)
        assert "under way" in one.words
        assert "8:00 left" in one.text
        shop.change(url, received=1250, completed=True)
        await one.later(seconds=1)
        await one.press("enter")
        await one.press("escape", "P")
        assert values(one) == ["", ""]


async def test_an_unknown_sale_is_taken_up_again(shop: Shop) -> None:
    draft = till_draft(500, "A", shop.clock.now() + 10 * MINUTE)
    made = shop.create(draft, status=CreationStatus.INTENDED)
    async with counter(shop) as one:
        assert note(one) == UNKNOWN
        assert values(one) == ["5.00", "A"]
        shop.creation_news(shop.found(made, draft, 1))
        await one.settle()
        one.on(SaleScreen)


async def test_a_wallet_that_is_read_only_has_no_till(shop: Shop) -> None:
    shop.set_profile(replace(shop.session.profile, access=AccessLevel.READ_ONLY))
    app = OpdashApp(shop.dashboard.real)
    async with app.run_test(size=SIZE) as pilot:
        one = Counter(shop, app, pilot)
        await one.settle()
        await one.press("P")
        one.on(PaymentsScreen)
        (told,) = one.app._notifications
        assert "read only" in told.message
        assert 'access = "full"' in told.message


async def test_a_wallet_that_has_never_answered(tmp_path: Path) -> None:
    shop = Shop(tmp_path, known=False)
    try:
        async with counter(shop) as one:
            assert "does not know this wallet's asset" in one.text
            await one.press("enter", "pageup", "pagedown")
            shop.meet()
            await one.later(seconds=1)
            await one.sell("5", "A")
            one.on(SaleScreen)
    finally:
        shop.close()


async def test_many_sales_are_scrolled(shop: Shop) -> None:
    for number in range(40):
        shop.sale(100 + number, f"R{number}", ago=timedelta(minutes=number))
    async with counter(shop, (80, 24)) as one:
        rows = one.on(TillScreen).query_one("#sales-rows")
        await one.press("pagedown")
        assert rows.scroll_y > 0
        await one.press("pageup")
        assert rows.scroll_y == 0
        await one.press("tab", "shift+tab")
        assert focused(one) == "amount"


async def test_what_a_reference_hides_is_shown(shop: Shop) -> None:
    shop.sale(100, "a\x1b[31mred\u202e", ago=MINUTE)
    async with counter(shop) as one:
        assert "␛[31mred" in one.text


async def test_opdash_till_begins_at_the_till(shop: Shop) -> None:
    app = TillApp(shop.dashboard.real)
    async with app.run_test(size=SIZE) as pilot:
        one = Counter(shop, app, pilot)
        await one.settle()
        await one.pilot.pause(0.1)
        await one.settle()
        one.on(TillScreen)
        assert shop.dashboard.started
        await one.press("escape")
        one.on(PaymentsScreen)


async def test_that_a_sale_was_seen_stands_in_its_time_line(shop: Shop) -> None:
    async with counter(shop) as one:
        url = await waiting(one)
        shop.change(url, received=1250, completed=True)
        await one.later(seconds=1)
        await one.press("enter")
        steps = shop.reader.timeline(shop.wallet.id, url)
        notes = [step.text for step in steps if step.kind is TimelineKind.NOTE]
        assert notes == ["At the till: PAID"]
