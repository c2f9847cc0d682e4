"""The till in the real app, over a real ledger, against the sandbox by HTTP."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment

from opdash.ledger.records import PaymentRow
from opdash.ledger.states import State
from opdash.openpayments.errors import UnansweredError
from opdash.sandbox.process import SandboxProcess
from opdash.service.till import SPANS
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.till import TillScreen
from opdash.tui.screens.till_end import EndSaleScreen
from opdash.tui.screens.till_sale import SaleScreen
from opdash.tui.widgets.form_field import NoteLine
from opdash.tui.widgets.qr import QrView
from opdash.tui.widgets.till_sales import TillSales
from tests.tui.test_forms_on_sandbox import Person, person
from tests.tui.till_doubles import screen_text

SIZE = (120, 40)
_DOT = 8
"""Pixels to a module, in the picture that a reader is given."""


async def until(rosa: Person, happened: Callable[[], bool]) -> None:
    """Wait until something is to be seen, longer than a busy machine takes."""
    for _ in range(4):
        with contextlib.suppress(AssertionError):
            await rosa.until(happened)
            return
    raise AssertionError(screen_text(rosa.app))


async def opened(rosa: Person) -> TillScreen:
    """Open the till once the wallet has answered."""
    await rosa.on(PaymentsScreen)
    await until(rosa, lambda: rosa.dashboard.session("shop").wallet is not None)
    await rosa.press("P")
    return await rosa.on(TillScreen)


async def sell(rosa: Person, amount: str, reference: str) -> SaleScreen:
    await rosa.write(amount)
    await rosa.press("enter")
    await rosa.write(reference)
    await rosa.press("enter")
    return await rosa.on(SaleScreen)


def known(rosa: Person, reference: str) -> PaymentRow:
    row = rosa.payment(reference)
    assert row is not None
    return row


def note(rosa: Person) -> str:
    return rosa.app.screen.query_one("#till-note", NoteLine).sentence


async def seen(rosa: Person) -> None:
    """Press Enter until the end of the sale has stood there long enough."""
    for _ in range(200):
        await rosa.press("enter")
        if isinstance(rosa.app.screen, TillScreen):
            return
        await rosa.pilot.pause(0.05)
    raise AssertionError(screen_text(rosa.app))


async def test_a_sale_is_paid_in_parts_and_the_next_one_follows(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    async with person(sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=SIZE) as rosa:
        bells: list[int] = []
        rosa.app.bell = lambda: bells.append(1)  # type: ignore[method-assign]
        await opened(rosa)
        sale = await sell(rosa, "12.50", "TILL-1")
        bells.clear()
        url = known(rosa, "TILL-1").id
        sandbox.pay(url, 500)
        await until(rosa, lambda: "5.00 of 12.50 USD received" in screen_text(rosa.app))
        assert "7.50 USD are missing." in screen_text(rosa.app)
        sandbox.pay(url)
        await until(rosa, lambda: sale.has_class("-good"))
        await until(rosa, lambda: bells == [1])
        await seen(rosa)
        assert "Paid: 12.50 USD · TILL-1." in note(rosa)
        assert "● PAID" in rosa.app.screen.query_one(TillSales).text
        row = known(rosa, "TILL-1")
        assert row.state is State.PAID
        assert '"source":"till"' in row.metadata_json.replace(" ", "")
        await sell(rosa, "3", "TILL-2")
        assert known(rosa, "TILL-2").asked == 300


async def test_a_sale_expires_with_a_part_of_the_money(
    fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox = fresh_sandbox
    async with person(sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=SIZE) as rosa:
        await opened(rosa)
        sale = await sell(rosa, "12.50", "TILL-3")
        sandbox.pay(known(rosa, "TILL-3").id, 500)
        await until(rosa, lambda: known(rosa, "TILL-3").received == 500)
        sandbox.advance((SPANS[1] + timedelta(seconds=45)).total_seconds())
        await until(rosa, lambda: sale.has_class("-over"))
        assert sale.has_class("-attention")
        assert "7.50 USD are missing" in screen_text(rosa.app)
        assert known(rosa, "TILL-3").state is State.EXPIRED_PARTIAL


async def test_a_sale_that_nobody_pays_vanishes_and_is_told_as_unpaid(
    fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox = fresh_sandbox
    async with person(sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=SIZE) as rosa:
        await opened(rosa)
        sale = await sell(rosa, "12.50", "TILL-4")
        sandbox.advance((SPANS[1] + timedelta(seconds=45)).total_seconds())
        await until(rosa, lambda: sale.has_class("-over"))
        assert known(rosa, "TILL-4").state is State.EXPIRED_UNPAID
        await seen(rosa)
        assert "EXPIRED UNPAID" in note(rosa)


async def test_a_sale_is_completed_or_left_to_expire(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    async with person(sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=SIZE) as rosa:
        await opened(rosa)
        sale = await sell(rosa, "12.50", "TILL-5")
        sandbox.pay(known(rosa, "TILL-5").id, 500)
        await until(rosa, lambda: known(rosa, "TILL-5").received == 500)
        await rosa.press("escape")
        await rosa.on(EndSaleScreen)
        await rosa.press("ctrl+y")
        await until(rosa, lambda: sale.has_class("-over"))
        assert known(rosa, "TILL-5").state is State.CLOSED_SHORT
        await seen(rosa)
        await sell(rosa, "2", "TILL-6")
        await rosa.press("escape")
        await rosa.on(EndSaleScreen)
        await rosa.press("ctrl+e")
        await rosa.on(TillScreen)
        assert "Left to expire" in note(rosa)
        assert "0.00 of 2.00 USD" in note(rosa)
        sandbox.pay(known(rosa, "TILL-6").id)
        await until(rosa, lambda: rosa.app.screen.query_one(TillSales).text.count("● PAID") == 1)


async def test_money_that_arrives_at_the_very_moment_is_never_closed_away(
    sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with person(sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=SIZE) as rosa:
        await opened(rosa)
        await sell(rosa, "12.50", "TILL-7")
        url = known(rosa, "TILL-7").id
        await rosa.press("escape")
        await rosa.on(EndSaleScreen)
        complete = rosa.dashboard.session("shop").complete_payment

        async def pay_first(payment_id: str, *, seen: Any) -> PaymentRow:
            sandbox.pay(payment_id, 500)
            while sandbox.state(payment_id)["payment"]["receivedAmount"]["value"] != "500":
                await rosa.pilot.pause(0.05)
            return await complete(payment_id, seen=seen)

        monkeypatch.setattr(rosa.dashboard.session("shop"), "complete_payment", pay_first)
        await rosa.press("ctrl+y")
        await until(rosa, lambda: "Money has arrived meanwhile" in screen_text(rosa.app))
        assert isinstance(rosa.app.screen, EndSaleScreen)
        assert sandbox.state(url)["payment"]["completed"] is False


async def test_a_lost_answer_creates_one_payment_that_is_found(
    sandbox: SandboxProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with person(sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=SIZE) as rosa:
        await opened(rosa)
        client = await rosa.dashboard.session("shop").connection.client()
        ask = client.create_incoming_payment
        sent: list[object] = []

        async def lose_the_answer(*args: Any) -> object:
            sent.append(args)
            await ask(*args)
            raise UnansweredError("The server gave no answer.")

        monkeypatch.setattr(client, "create_incoming_payment", lose_the_answer)
        await rosa.write("4.20")
        await rosa.press("enter")
        await rosa.write("TILL-8")
        await rosa.press("enter", "enter")
        await rosa.on(SaleScreen)
        assert len(sent) == 1
        assert known(rosa, "TILL-8").asked == 420


async def test_a_server_that_is_down_keeps_the_form_as_it_is(
    fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sandbox = fresh_sandbox
    async with person(sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=SIZE) as rosa:
        await opened(rosa)
        sandbox.stop()
        await rosa.write("4.20")
        await rosa.press("enter")
        await rosa.write("TILL-9")
        await rosa.press("enter")
        await until(rosa, lambda: "✗" in screen_text(rosa.app))
        assert "Nothing was created" in note(rosa)
        assert "4.20" in screen_text(rosa.app)


# The code, as a reader sees it


def pixels(strips: list[list[Segment]]) -> list[list[bool]]:
    """Return what a camera sees of half blocks: a row of dots for each half row, dark or light."""
    rows: list[list[bool]] = []
    for strip in strips:
        above: list[bool] = []
        below: list[bool] = []
        for segment in strip:
            style = segment.style
            ink, ground = (style.color, style.bgcolor) if style else (None, None)
            dark = ink is None or sum(ink.get_truecolor()) < 384
            light = ground is not None and sum(ground.get_truecolor()) >= 384
            for cell in segment.text:
                above.append(dark if cell in "▀█" else not light)
                below.append(dark if cell in "▄█" else not light)
        rows += [above, below]
    return rows


def read_code(rows: list[list[bool]], path: Path) -> str:
    """Let a reader of codes read dots; return what it found."""
    lines = []
    for row in rows:
        line = bytes(0 if dot else 255 for dot in row for _ in range(_DOT))
        lines += [line] * _DOT
    path.write_bytes(b"P5 %d %d 255\n" % (len(lines[0]), len(lines)) + b"".join(lines))
    command = ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(path)]
    read = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return read.stdout.strip()


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="no reader of codes is installed")
@pytest.mark.parametrize(
    ("size", "look"),
    [((80, 24), "dark"), (SIZE, "light"), (SIZE, "none"), ((60, 50), "dark")],
)
async def test_a_phone_reads_the_url_off_the_whole_screen(
    sandbox: SandboxProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    look: str,
) -> None:
    if look == "none":
        monkeypatch.setenv("NO_COLOR", "1")
    async with person(sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=size) as rosa:
        rosa.app.theme = "opdash-light" if look == "light" else "opdash-dark"
        await opened(rosa)
        sale = await sell(rosa, "1.75", "TILL-QR")
        await until(rosa, lambda: sale.query_one(QrView).display)
        await rosa.pilot.pause()
        strips = [list(strip) for strip in sale._compositor.render_strips()]
        url = known(rosa, "TILL-QR").id
        assert read_code(pixels(strips), tmp_path / "screen.pgm") == url
