from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from opdash.errors import LedgerError
from opdash.ledger.records import Creation, CreationStatus, Sort, SortColumn
from opdash.openpayments.errors import UnreachableError
from opdash.openpayments.resources import IncomingPayment
from opdash.service.status import Phase
from opdash.table_view import TableView
from opdash.tui.app import OpdashApp
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.payments_frame import why_not_completable
from opdash.tui.screens.sort import SortScreen
from opdash.tui.widgets.demo_banner import DemoBanner
from opdash.tui.widgets.header import HeaderLine
from opdash.tui.widgets.line import Line
from opdash.tui.widgets.notices import Notices
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.status_line import StatusLine
from opdash.tui.widgets.summary import SummaryLine
from tests.tui.doubles import NOW, World, make_payment, many_payments, payment_id, shop_payments
from tests.tui.form_doubles import payment, settled


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


class Told(OpdashApp):
    """The app, which keeps what it told and copied."""

    def __init__(self, world: World, *, demo: bool = False) -> None:
        super().__init__(world.dashboard.real, demo=demo)
        self.told: list[str] = []
        self.copied: list[str] = []
        self.bells = 0

    def tell(self, sentence: str, advice: str = "", **options: object) -> None:
        self.told.append(f"{sentence} {advice}".strip())

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    def bell(self) -> None:
        self.bells += 1


def screen(app: OpdashApp) -> PaymentsScreen:
    assert isinstance(app.screen, PaymentsScreen)
    return app.screen


def table(app: OpdashApp) -> PaymentTable:
    return app.screen_stack[0].query_one(PaymentTable)


def line(app: OpdashApp, kind: type[Line]) -> str:
    return app.screen_stack[0].query_one(kind).text


def empty(app: OpdashApp) -> str:
    shown = app.screen_stack[0].query_one("#empty", Static)
    return str(shown.content) if shown.display else ""


def notices(app: OpdashApp) -> str:
    shown = app.screen_stack[0].query_one(Notices)
    return str(shown.content) if shown.display else ""


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def test_the_screen_tells_whose_payments_how_many_and_how_fresh(world: World) -> None:
    world.record(*shop_payments())
    app = Told(world)
    async with app.run_test(size=(120, 40)) as pilot:
        world.live()
        await settle(pilot)
        assert line(app, HeaderLine).startswith(" opdash  Rosa's Shop  ilp.example/rosa  USD")
        assert "created by opdash only   ● live · updated 3 s ago" in line(app, HeaderLine)
        assert "Open 4" not in line(app, SummaryLine)
        assert line(app, SummaryLine).startswith(" Open 3 · 210.00 due")
        assert "rows 1–10 of 10 known · page 1 of 1" in line(app, StatusLine)
        assert world.dashboard.started
    assert world.dashboard.stopped


async def test_news_before_the_screen_is_built_do_no_harm(world: World) -> None:
    world.record(*shop_payments())

    class Eager(Told):
        def on_mount(self) -> None:
            super().on_mount()
            world.live()
            world.record(make_payment(101))

    app = Eager(world)
    async with app.run_test(size=(120, 40)) as pilot:
        world.live()
        await settle(pilot)
        assert table(app).row_count == 11


async def test_the_details_stand_beside_the_table_where_there_is_room(world: World) -> None:
    world.record(*shop_payments())
    app = Told(world)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert not app.screen.query("#detail")
        await pilot.resize_terminal(120, 30)
        await settle(pilot)
        assert app.screen.query_one("#detail").region.width >= 36
        await pilot.press("tab")
        assert app.screen.query_one("#detail").has_focus
        await pilot.press("j", "k", "tab")
        assert table(app).has_focus
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert not app.screen.query_one("#detail").display


async def test_arriving_payments_are_shown_marked_and_never_move_the_cursor(world: World) -> None:
    world.record(*many_payments(30))
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("down", "down")
        before = table(app).selected
        world.record(
            make_payment(1, ago=timedelta(0)),
            make_payment(1005, received=50, ago=timedelta(days=12, minutes=5)),
        )
        await settle(pilot)
        after = table(app).selected
        assert before is not None
        assert after is not None
        assert after.id == before.id
        assert table(app).marks == {payment_id(1), payment_id(1005)}
        assert "↑ 1 new above" in line(app, StatusLine)
        await pilot.press("g")
        await settle(pilot)
        assert payment_id(1) not in table(app).marks


async def test_money_is_announced_once_with_one_ring_of_the_bell(world: World) -> None:
    world.record(make_payment(1, reference="INV-7", asked=1999))
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        world.record(make_payment(1, reference="INV-7", asked=1999, received=1999, completed=True))
        await settle(pilot)
        world.record(make_payment(1, reference="INV-7", asked=1999, received=1999, completed=True))
        await settle(pilot)
    assert app.told == ["● Paid: 19.99 USD · INV-7"]
    assert app.bells == 1


async def test_walking_past_the_last_known_page_fetches_older_ones(world: World) -> None:
    world.record(*many_payments(50))
    world.set_complete(False)
    world.session.older_pages = [_older(50, 30)]
    world.session.gate.clear()
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "1–50 of 50 known · page 1 of 1 · more" in line(app, StatusLine)
        await pilot.press("right_square_bracket", "right_square_bracket")
        assert "fetching older payments…" in line(app, StatusLine)
        world.session.gate.set()
        await settle(pilot)
        assert table(app).row_count == 80
        assert (table(app).page, table(app).cursor) == (1, 50)
        assert "51–80 of 80 · page 2 of 2" in line(app, StatusLine)
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert app.told == ["This is the last payment; the server has no older ones."]


def _older(first: int, count: int) -> list[IncomingPayment]:
    return [
        make_payment(1000 + number, ago=timedelta(days=12, minutes=number))
        for number in range(first, first + count)
    ]


async def test_going_down_from_the_last_row_fetches_and_goes_one_further(world: World) -> None:
    world.record(*many_payments(30))
    world.session.older_pages = [_older(30, 30)]
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("end", "down")
        await settle(pilot)
        assert table(app).cursor == 30


async def test_older_payments_that_cannot_be_fetched_leave_the_table_as_it_was(
    world: World,
) -> None:
    world.record(*many_payments(20))
    world.session.older_failure = UnreachableError("The server does not answer.", "Try later.")
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("end", "down")
        await settle(pilot)
        assert app.told == ["The server does not answer. Try later."]
        assert "fetching" not in line(app, StatusLine)
        assert table(app).cursor == 19


async def test_the_keys_page_sort_and_change_the_page_size(world: World) -> None:
    world.record(*many_payments(45))
    settings = world.dashboard.settings
    world.dashboard.settings = settings.viewing("shop", TableView(page_size=20))
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("right_square_bracket")
        assert "21–40 of 45" in line(app, StatusLine)
        await pilot.press("left_square_bracket", "G")
        assert "41–45 of 45" in line(app, StatusLine)
        await pilot.press("z")
        assert "1–45 of 45" in line(app, StatusLine)
        await pilot.press("2")
        assert table(app).sort == Sort(SortColumn.ASKED, descending=True)
        assert "by Asked, largest first" in line(app, StatusLine)
        await pilot.press("s")
        assert isinstance(app.screen, SortScreen)
        await pilot.press("2")
        await settle(pilot)
        assert table(app).sort == Sort(SortColumn.ASKED, descending=False)


async def test_the_url_is_copied_and_the_cursor_held(world: World) -> None:
    world.record(*many_payments(3))
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("y")
        world.record(make_payment(1, ago=timedelta(0)))
        await settle(pilot)
        selected = table(app).selected
    assert app.copied == [payment_id(1000)]
    assert app.told == ["Copied the URL of INV-1000."]
    assert selected is not None
    assert selected.id == payment_id(1000)


async def test_refresh_asks_at_once(world: World) -> None:
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
    assert world.session.polls_asked_for == 1


async def test_what_is_on_the_screen_is_refreshed_first(world: World) -> None:
    world.record(*many_payments(50))
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        screen(app)._tick()
        assert payment_id(1000) in world.session.watched
        assert len(world.session.watched) == table(app).height_in_rows


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"expires_at": None}, ""),
        ({"completed": True}, "This payment is completed already."),
        ({"expires_at": NOW - timedelta(days=1)}, "This payment has expired"),
        ({"no_longer_at_server": True}, "This payment is no longer at the server"),
    ],
)
def test_only_an_open_payment_can_be_completed(changes: dict[str, object], reason: str) -> None:
    said = why_not_completable(payment(**changes), NOW - timedelta(hours=1))
    assert said.startswith(reason)
    assert bool(said) is bool(reason)


async def test_a_payment_that_cannot_be_completed_gets_a_reason(world: World) -> None:
    world.record(make_payment(1, received=1000, completed=True))
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("c")
        assert app.told == ["This payment is completed already."]
        assert isinstance(app.screen, PaymentsScreen)


# Nothing to show


async def test_a_first_connection_says_that_it_connects(tmp_path: Path) -> None:
    world = World(tmp_path, known=False)
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        world.set_status(Phase.CONNECTING)
        await settle(pilot)
        assert empty(app).startswith("◌ Connecting to ilp.example/rosa…")
        world.meet()
        world.live()
        await settle(pilot)
        assert empty(app).startswith("○ No incoming payments yet.")
        world.record(make_payment(1))
        await settle(pilot)
        assert empty(app) == ""
        assert table(app).row_count == 1
        assert table(app).has_focus
    world.close()


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (Phase.OFFLINE, "Offline"),
        (Phase.REFUSED, "The server said no"),
        (Phase.FAILED, "opdash cannot ask"),
    ],
)
async def test_without_data_it_is_said_why_and_when_the_next_try_is(
    tmp_path: Path, phase: Phase, words: str
) -> None:
    world = World(tmp_path, known=False)
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        world.set_status(
            phase,
            problem="ilp.example does not answer.",
            advice="Check the network.",
            next_poll_at=NOW + timedelta(seconds=8),
        )
        await settle(pilot)
        text = empty(app)
        await pilot.press("down", "enter", "c", "y", "s", "n", "tab", "o", "escape")
    assert f"{words}, and nothing is known yet." in text
    assert "ilp.example does not answer. Check the network." in text
    assert "Next try in 8 s" in text
    assert app.told == ["The wallet address is not known yet. Wait until it has answered once."]
    world.close()


async def test_offline_with_data_keeps_it_and_says_how_old_it_is(world: World) -> None:
    world.record(*shop_payments())
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        world.set_status(
            Phase.OFFLINE,
            last_ok_at=NOW - timedelta(minutes=3),
            problem="ilp.example does not answer.",
            next_poll_at=NOW + timedelta(seconds=8),
        )
        await settle(pilot)
        assert "▲ offline · as of 3 min ago · next try in 8 s" in line(app, HeaderLine)
        assert notices(app) == "▲ ilp.example does not answer. D finds out why."
        assert table(app).row_count == 10
        world.set_status(Phase.LIVE, problem="")
        await settle(pilot)
        assert notices(app) == ""


async def test_what_another_opdash_wrote_appears_with_the_next_poll(world: World) -> None:
    world.record(*shop_payments())
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        known = table(app).row_count
        world.write(make_payment(4321))
        await settle(pilot)
        assert table(app).row_count == known
        world.set_status(Phase.LIVE, last_ok_at=NOW)
        await settle(pilot)
        assert table(app).row_count == known + 1


async def test_a_ledger_that_cannot_be_read_is_a_sentence_and_no_crash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.record(*shop_payments())
    app = Told(world)

    def fail(*_: object, **__: object) -> None:
        raise LedgerError("The ledger cannot be read.", "Check the disk.")

    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        with monkeypatch.context() as patch:
            for method in ("window", "count", "summary", "position", "wallet", "wallets"):
                patch.setattr(type(world.reader), method, fail)
            world.record(make_payment(101))
            await settle(pilot)
            await pilot.press("down", "end", "right_square_bracket", "3")
            await settle(pilot)
            assert notices(app) == "▲ The ledger cannot be read. Check the disk."
        world.record(make_payment(102))
        await settle(pilot)
        assert notices(app) == ""
        assert table(app).row_count == 12


# Creations


def creation(status: CreationStatus, payment: str | None = None) -> Creation:
    draft = {"incomingAmount": {"value": "2500"}, "metadata": {"externalRef": "INV-7"}}
    return Creation(
        request_id="r1",
        wallet="https://ilp.example/rosa",
        draft_json=json.dumps(draft),
        status=status,
        created_at=NOW,
        updated_at=NOW,
        payment_id=payment,
    )


async def test_an_unanswered_creation_stays_on_the_screen_until_it_is_resolved(
    world: World,
) -> None:
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        world.creation_news(creation(CreationStatus.SENT))
        world.creation_news(creation(CreationStatus.UNKNOWN))
        await settle(pilot)
        assert notices(app) == "◌ Creating 25.00 USD INV-7: no answer yet, checking the list…"
        world.creation_news(creation(CreationStatus.CREATED, payment_id(1)))
        await settle(pilot)
        assert notices(app) == ""
    # It is not selected: y would copy another payment's URL.
    assert app.told == ["Created 25.00 USD INV-7."]


@pytest.mark.parametrize("hears_too", [False, True])
async def test_the_end_of_a_creation_that_another_opdash_found_out_is_told_once(
    world: World, hears_too: bool
) -> None:
    world.ledger.begin_creation(creation(CreationStatus.INTENDED))
    world.ledger.update_creation("r1", CreationStatus.UNKNOWN, at=NOW)
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "checking the list…" in notices(app)
        world.ledger.update_creation("r1", CreationStatus.CREATED, at=NOW, payment_id=payment_id(1))
        world.set_status(Phase.LIVE)
        await settle(pilot)
        if hears_too:
            world.creation_news(creation(CreationStatus.CREATED, payment_id(1)))
            await settle(pilot)
        assert notices(app) == ""
    assert app.told == ["Created 25.00 USD INV-7."]


async def test_a_creation_left_over_from_an_earlier_run_is_shown_at_once(world: World) -> None:
    world.ledger.begin_creation(creation(CreationStatus.INTENDED))
    world.ledger.update_creation("r1", CreationStatus.UNKNOWN, at=NOW)
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "checking the list…" in notices(app)
        world.creation_news(creation(CreationStatus.NOT_FOUND))
        await settle(pilot)
        assert notices(app) == ""
    assert "it was not created" in app.told[0]


async def test_a_created_payment_is_selected(world: World) -> None:
    world.record(*many_payments(30))
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("down")
        world.record(make_payment(1, ago=timedelta(0), reference="INV-7"))
        screen(app)._created(creation(CreationStatus.CREATED, payment_id(1)))
        await settle(pilot)
        selected = table(app).selected
    assert selected is not None
    assert selected.id == payment_id(1)
    assert app.told == ["Created 25.00 USD INV-7. Press y to copy its URL."]


# The demo, the look


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
async def test_the_demo_cannot_be_mistaken(world: World, width: int, height: int) -> None:
    app = Told(world, demo=True)
    async with app.run_test(size=(width, height)) as pilot:
        await settle(pilot)
        banner = app.screen.query_one(DemoBanner)
        assert banner.text.startswith(" DEMO – no real money")
        assert banner.region.y == 0
        assert banner.region.width == width
        await pilot.press("w")
        await settle(pilot)
        assert app.screen.query_one(DemoBanner).region.y == 0


async def test_the_theme_is_toggled_and_remembered(world: World) -> None:
    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.theme == "opdash-dark"
        await pilot.press("t")
        await settle(pilot)
        assert app.theme == "opdash-light"
        await pilot.press("t")
        await settle(pilot)
    assert world.dashboard.themes == ["light", "dark"]


async def test_nobody_looking_is_passed_on(world: World) -> None:
    from textual import events

    app = Told(world)
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(events.AppBlur())
        await settle(pilot)
        assert not world.session.focused
        app.post_message(events.AppFocus())
        await settle(pilot)
        assert world.session.focused


async def test_the_status_line_says_the_scope_once_the_header_has_no_room(world: World) -> None:
    app = Told(world)
    world.record(*shop_payments())
    async with app.run_test(size=(120, 40)) as pilot:
        now = world.clock.now()
        world.set_status(
            Phase.LIVE,
            last_ok_at=now,
            next_poll_at=now + timedelta(hours=1),
            oldest_unrefreshed_at=now,
        )
        await settled(pilot)
        header, status = app.screen.query_one(HeaderLine), app.screen.query_one(StatusLine)
        words = "S created by opdash only"
        assert (words in header.text, words in status.text) == (True, False)
        world.clock.instant += timedelta(minutes=10)
        screen(app)._tick()
        await settled(pilot)
        assert (words in header.text, words in status.text) == (False, True)
