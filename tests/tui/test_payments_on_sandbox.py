"""The payments screen over the real service and a real ledger, against the sandbox by HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from opdash.sandbox.process import SandboxProcess
from opdash.service.status import Phase
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.wallets import WalletsScreen
from opdash.tui.widgets.header import HeaderLine
from opdash.tui.widgets.payment_table import PaymentTable
from opdash.tui.widgets.status_line import StatusLine
from opdash.tui.widgets.wallet_list import WalletList
from tests.tui.test_forms_on_sandbox import Person, person


def rows(somebody: Person) -> int:
    found = list(somebody.app.screen.query(PaymentTable))
    return found[0].row_count if found else 0


def line(somebody: Person, kind: Any) -> str:
    return str(somebody.app.screen.query_one(kind).text)


async def test_a_long_list_is_walked_page_by_page_sorted_and_followed(
    start_sandbox: Callable[..., SandboxProcess], tmp_path: Path
) -> None:
    sandbox = start_sandbox(payments=230, seed=7)
    async with person(sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=(120, 40)) as rosa:
        await rosa.on(PaymentsScreen)
        await rosa.until(lambda: rows(rosa) > 0)
        await rosa.until(lambda: "● live" in line(rosa, HeaderLine))
        table = rosa.app.screen.query_one(PaymentTable)
        known = rows(rosa)
        assert known < 230
        assert "the server has more" in line(rosa, StatusLine)

        walked = 0
        while rows(rosa) < 230 and walked < 20:
            walked += 1
            page = table.page
            await rosa.press("right_square_bracket")
            await rosa.until(lambda page=page: table.page > page)  # type: ignore[misc]
        assert rows(rosa) == 230
        await rosa.press("G")
        assert table.cursor == 229
        await rosa.press("2")
        selected = table.selected
        assert selected is not None
        await rosa.press("g")
        largest = table.selected
        assert largest is not None
        shown = [row.asked or 0 for row in table.rows_in_view()]
        assert shown == sorted(shown, reverse=True)


async def test_a_server_that_goes_away_leaves_its_payments_and_a_sentence(
    start_sandbox: Callable[..., SandboxProcess], tmp_path: Path
) -> None:
    sandbox = start_sandbox(payments=30)
    wallets = (sandbox.main_wallet, sandbox.wallet_addresses[1])
    async with person(sandbox, tmp_path, wallets=wallets, size=(80, 24)) as rosa:
        await rosa.on(PaymentsScreen)
        await rosa.until(lambda: rows(rosa) > 0)
        await rosa.press("w")
        await rosa.on(WalletsScreen)
        listed = rosa.app.screen.query_one(WalletList)
        await rosa.until(lambda: "● live" in listed.render_line(0).text)
        await rosa.until(lambda: "● live" in listed.render_line(3).text)
        await rosa.press("escape")
        sandbox.stop()
        await rosa.press("r")
        session = rosa.dashboard.session("shop")
        await rosa.until(lambda: session.status.phase is Phase.OFFLINE)
        await rosa.until(lambda: "▲ offline" in line(rosa, HeaderLine))
        assert rows(rosa) > 0
        await rosa.press("down", "end", "home", "3")
