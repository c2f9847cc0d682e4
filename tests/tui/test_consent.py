"""The question for consent on the screen: where, what for, how long, and a code for phones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets._toast import Toast

from opdash.openpayments.errors import GrantDeniedError
from opdash.qr import BLACK, WHITE, qr_code
from opdash.service.consent import ANOTHER_ASKS
from opdash.service.events import ConsentNoted
from opdash.settings import ConsentWay
from opdash.tui.app import OpdashApp
from opdash.tui.screens.consent import ConsentScreen
from opdash.tui.screens.help import HelpScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.qr import QrView
from tests.test_qr import CONSENT
from tests.tui.doubles import World, shop_payments

WIDE, NARROW = (120, 40), (80, 24)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.record(*shop_payments())
    world.live()
    yield world
    world.close()


def shows(app: OpdashApp, kind: type[Screen[Any]]) -> bool:
    return isinstance(app.screen, kind)


def words(app: OpdashApp) -> str:
    """Return all that is readable on the consent screen."""
    return "\n".join(
        str(static.content)
        for static in app.screen.query(Static)
        if static.display and static.size.height and not isinstance(static, QrView)
    )


def drawn(app: OpdashApp) -> bool:
    """Return whether a code is on the screen; one that is cut would be a failure."""
    view = app.screen.query_one(QrView)
    if not view.display or view.code is None or not view.region:
        return False
    assert (view.region.width, view.region.height) == (view.code.width, view.code.height)
    assert app.screen.region.contains_region(view.region)
    clip = app.screen.find_widget(view).clip
    assert clip.contains_region(view.region)
    shown = [toast.region for toast in app.screen.query(Toast) if toast.visible]
    assert not any(region.overlaps(view.region) for region in shown)
    return True


def toasts(app: OpdashApp) -> int:
    return sum(toast.visible and bool(toast.region) for toast in app.screen.query(Toast))


def told(app: OpdashApp) -> list[str]:
    return [notification.message for notification in app._notifications]


async def test_it_says_who_asks_for_what_where_and_for_how_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(OpdashApp, "copy_to_clipboard", lambda _, text: copied.append(text))
    app = OpdashApp(world.dashboard.real)
    url = "https://auth.example/interact/1?nonce=[b]2[/b]"
    async with app.run_test(size=NARROW) as pilot:
        world.ask_consent(url, rights=("read every outgoing payment",))
        await pilot.pause()
        assert shows(app, ConsentScreen)
        assert "opdash asks to read outgoing payments of Rosa's Shop:" in words(app)
        assert "· read every outgoing payment" in words(app)
        assert url in words(app)
        assert "◌ Waiting for the answer · 10:00 left" in words(app)
        assert app.screen.query_one(KeyLine).region.bottom <= 24
        world.clock.instant += timedelta(seconds=19)
        app.screen._wait()  # type: ignore[attr-defined]
        assert "9:41 left" in words(app)
        await pilot.press("y")
        assert copied == [url]
        world.end_consent("The account holder consented.")
        await pilot.pause()
        assert shows(app, PaymentsScreen)
        assert "The account holder consented." in told(app)


@pytest.mark.parametrize("size", [WIDE, (110, 34)])
async def test_what_is_told_meanwhile_leaves_the_code_whole(
    world: World, size: tuple[int, int]
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=size, notifications=True) as pilot:
        world.ask_consent(CONSENT)
        await pilot.pause()
        assert drawn(app)
        for number in range(9):
            app.tell(f"● Paid: 80.00 USD · INV-2026-000{number} of the shop at the corner")
        await pilot.pause()
        assert toasts(app)
        assert drawn(app)


async def test_a_code_on_the_whole_screen_is_not_covered_either(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 34), notifications=True) as pilot:
        world.ask_consent(CONSENT)
        await pilot.pause()
        app.tell("● Paid: 80.00 USD · INV-2026-0001")
        await pilot.pause()
        assert toasts(app)
        await pilot.press("z")
        await pilot.pause()
        assert drawn(app)
        assert not toasts(app)
        await pilot.press("escape")
        await pilot.pause()
        assert toasts(app)


async def test_the_address_is_a_terminals_link_with_its_host_set_off(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=WIDE) as pilot:
        world.ask_consent(CONSENT)
        await pilot.pause()
        strips = app.screen.query_one("#consent-url", Static).render_lines(
            app.screen.query_one("#consent-url", Static).region.reset_offset
        )
        segments = [segment for strip in strips for segment in strip if segment.text.strip()]
        assert all(segment.style and segment.style.link == CONSENT for segment in segments)
        assert "".join(segment.text for segment in segments).replace(" ", "") == CONSENT
        bold = "".join(s.text for s in segments if s.style is not None and s.style.bold)
        assert bold.strip() == "auth.wallet.example"


@pytest.mark.parametrize("theme", ["opdash-dark", "opdash-light"])
async def test_where_there_is_room_the_code_is_beside_the_words(world: World, theme: str) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=WIDE) as pilot:
        app.theme = theme
        world.ask_consent(CONSENT)
        await pilot.pause()
        assert drawn(app)
        assert "any browser, also on a phone" in words(app)
        view = app.screen.query_one(QrView)
        code = qr_code(CONSENT)
        assert code is not None
        assert view.code == code
        strips = view.render_lines(view.region.reset_offset)
        assert tuple(strip.text for strip in strips) == code.lines
        colours: set[str] = set()
        for strip in strips:
            for segment in strip:
                assert segment.style is not None
                assert segment.style.color is not None
                assert segment.style.bgcolor is not None
                colours.add(segment.style.color.get_truecolor().hex)
                colours.add("on " + segment.style.bgcolor.get_truecolor().hex)
        assert colours == {BLACK, f"on {WHITE}"}


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (100, 26), (56, 40), (40, 12)])
async def test_where_it_does_not_fit_there_is_none_and_a_word_why(
    world: World, size: tuple[int, int]
) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=size) as pilot:
        world.ask_consent(CONSENT + "x" * 120)
        await pilot.pause()
        assert not drawn(app)
        if size[1] >= 24:
            assert f"this terminal has {size[0]} and {size[1]}" in words(app)
            assert "make it larger" in words(app)
        await pilot.press("z")
        await pilot.pause()
        assert not drawn(app)


async def test_the_code_takes_the_whole_screen_where_it_needs_it(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(80, 30)) as pilot:
        world.ask_consent(CONSENT)
        await pilot.pause()
        assert not drawn(app)
        assert "Press z for the QR code" in words(app)
        await pilot.press("z")
        await pilot.pause()
        assert drawn(app)
        assert "Waiting" not in words(app)
        await pilot.press("escape")
        await pilot.pause()
        assert shows(app, ConsentScreen)
        assert not drawn(app)
        await pilot.press("z")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not drawn(app)
        assert "this terminal has 80 and 24" in words(app)


async def test_a_short_address_fits_an_ordinary_terminal(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=NARROW) as pilot:
        world.ask_consent("https://auth.example/interact/4b1c/f2")
        await pilot.pause()
        assert drawn(app) or "Press z" in words(app)
        if not drawn(app):
            await pilot.press("z")
            await pilot.pause()
        assert drawn(app)


@pytest.mark.parametrize("width", [60, 90, 108, 109, 120, 200])
async def test_a_code_is_never_cut(world: World, width: int) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=(width, 24)) as pilot:
        world.ask_consent(CONSENT, rights=("a", "b", "c", "d"), remark="A word. " * 12)
        for height in (24, 27, 29, 31, 32, 33, 34, 50):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            was_beside = drawn(app)
            await pilot.press("z")
            await pilot.pause()
            assert drawn(app) == (height >= 27)
            if drawn(app) and not was_beside:
                await pilot.press("z")


async def test_the_keys_stay_in_sight_however_much_there_is_to_say(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=NARROW) as pilot:
        world.ask_consent(CONSENT + "x" * 900, rights=("a",) * 6, remark="A word. " * 20)
        await pilot.pause()
        assert app.screen.query_one(KeyLine).region.bottom <= 24
        assert app.screen.query_one("#consent-facts").max_scroll_y > 0


async def test_for_a_browser_that_comes_back_there_is_no_code(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=WIDE) as pilot:
        world.ask_consent(CONSENT, number=7, way=ConsentWay.REDIRECT)
        await pilot.pause()
        assert not drawn(app)
        assert "Press o to open it in the browser on this machine" in words(app)
        await pilot.press("z")
        assert "A phone cannot come back to this machine. Press p first." in told(app)
        await pilot.press("p")
        await pilot.pause()
        assert world.session.consent_ways == [(7, ConsentWay.POLLING)]
        assert "Asking anew" in words(app)
        world.ask_consent(CONSENT + "2", number=7)
        await pilot.pause()
        assert drawn(app)
        assert CONSENT + "2" in words(app)
        assert len([s for s in app.screen_stack if isinstance(s, ConsentScreen)]) == 1
        await pilot.press("p")
        assert world.session.consent_ways[-1] == (7, ConsentWay.REDIRECT)


async def test_a_loopback_page_is_said_to_be_out_of_a_phones_reach(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=WIDE) as pilot:
        world.ask_consent("http://127.0.0.1:4100/auth/interact/1/2")
        await pilot.pause()
        assert "a phone does not reach it" in words(app)


async def test_the_page_is_opened_when_a_person_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    async def open_page(url: str) -> bool:
        opened.append(url)
        return len(opened) == 1

    monkeypatch.setattr("opdash.service.browsers.open_page", open_page)
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=NARROW) as pilot:
        world.ask_consent(CONSENT)
        await pilot.pause()
        assert opened == []
        await pilot.press("o")
        await pilot.app.workers.wait_for_complete()
        assert opened == [CONSENT]
        await pilot.click("#consent-url", offset=(3, 0))
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert opened == [CONSENT, CONSENT]
        assert any("No browser could be started" in message for message in told(app))


async def test_a_remark_and_a_stray_return_are_told(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=WIDE) as pilot:
        world.ask_consent(CONSENT, number=3, remark="opdash cannot listen here.")
        await pilot.pause()
        assert "opdash cannot listen here." in words(app)
        world.dashboard.events.publish(ConsentNoted("shop", "[b]A stranger came.", 2))
        await pilot.pause()
        assert "stranger" not in words(app)
        world.dashboard.events.publish(ConsentNoted("shop", "[b]A stranger came.", 3))
        await pilot.pause()
        assert "[b]A stranger came." in words(app)
        assert shows(app, ConsentScreen)


async def test_the_request_is_withdrawn(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=NARROW) as pilot:
        world.ask_consent(CONSENT, number=5)
        await pilot.pause()
        await pilot.press("x")
        assert world.session.withdrawn == [5]


async def test_it_can_be_hidden_and_shown_again_until_it_ends(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=NARROW) as pilot:
        world.ask_consent(CONSENT)
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert shows(app, PaymentsScreen)
        assert any("Press C" in message for message in told(app))
        await pilot.press("C")
        await pilot.pause()
        assert shows(app, ConsentScreen)
        await pilot.press("escape")
        world.end_consent("Consent was refused.", granted=False)
        await pilot.pause()
        await pilot.press("C")
        await pilot.pause()
        assert shows(app, PaymentsScreen)
        assert any("waits for nobody's consent" in message for message in told(app))


async def test_a_refusal_is_told_once_with_what_to_do(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=NARROW) as pilot:
        world.ask_consent(CONSENT)
        await pilot.pause()
        error = GrantDeniedError("They refused.", "Ask again.", status=401)
        error.is_told = True

        async def fail() -> None:
            world.end_consent(error.sentence, granted=False, advice=error.advice)
            raise error

        app.background(fail, "asked")
        await pilot.pause()
        assert [message for message in told(app) if "refused" in message] == [
            "They refused. Ask again."
        ]


async def test_a_wait_for_another_opdash_is_told(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=NARROW) as pilot:
        world.dashboard.events.publish(ConsentNoted("shop", ANOTHER_ASKS))
        await pilot.pause()
        assert any("Another opdash on this machine" in message for message in told(app))


async def test_one_under_another_dialog_is_closed_too(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=NARROW) as pilot:
        world.ask_consent(CONSENT)
        await pilot.pause()
        await pilot.press("f1")
        await pilot.pause()
        assert shows(app, HelpScreen)
        world.end_consent("The account holder consented.")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert shows(app, PaymentsScreen)


async def test_of_two_questions_each_ends_alone(world: World) -> None:
    app = OpdashApp(world.dashboard.real)
    async with app.run_test(size=NARROW) as pilot:
        world.ask_consent(CONSENT, number=1)
        world.ask_consent(CONSENT + "2", number=2)
        await pilot.pause()
        world.end_consent("Given.", number=1)
        await pilot.pause()
        assert shows(app, ConsentScreen)
        assert CONSENT + "2" in words(app)
        world.end_consent("Given.", number=2)
        await pilot.pause()
        assert shows(app, PaymentsScreen)
