"""The books over the real service, against the sandbox by HTTP: an invoice turns paid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from opdash.sandbox.process import SandboxProcess
from opdash.service.drafts import PaymentDraft
from opdash.tui.screens.invoices import InvoicesScreen
from opdash.tui.screens.payments import PaymentsScreen
from opdash.tui.screens.review import ReviewScreen
from opdash.tui.widgets.line import Line
from opdash.tui.widgets.row_list import RowList
from tests.tui.test_forms_on_sandbox import person


async def test_an_invoice_turns_paid_while_the_merchant_looks(
    start_sandbox: Callable[..., SandboxProcess], tmp_path: Path
) -> None:
    sandbox = start_sandbox()
    (empty,) = [one for one in sandbox.wallet_addresses if one.endswith("/new")]
    file = tmp_path / "invoices.csv"
    file.write_text("Invoice,Amount\nINV-1,12.50\nINV-2,7.00\nINV-3,9.99\n")
    async with person(sandbox, tmp_path, wallets=(empty,), size=(120, 40)) as rosa:
        await rosa.on(PaymentsScreen)
        session = rosa.dashboard.session("shop")
        await rosa.until(lambda: session.wallet is not None)
        first = await session.create_payment(PaymentDraft(amount=1250, reference="INV-1"))
        second = await session.create_payment(PaymentDraft(amount=700, description="a lamp"))
        assert first.payment_id is not None
        assert second.payment_id is not None

        await rosa.press("B")
        await rosa.on(InvoicesScreen)
        await rosa.write(str(file))
        await rosa.press("enter")
        await rosa.until(lambda: "3 invoices can be read." in rosa.text)
        await rosa.press("enter")
        screen = await rosa.on(ReviewScreen)

        def row(name: str) -> str:
            listed = screen.query_one(RowList)
            names = list(listed.names)
            return listed.texts()[names.index(name)] if name in names else ""

        await rosa.until(lambda: "○ OUTSTANDING" in row("INV-1"))
        await rosa.press("down")
        sandbox.pay(first.payment_id)
        sandbox.advance(2)
        await rosa.until(lambda: row("INV-1").startswith("• ● PAID"))
        assert screen.query_one(RowList).selected == "INV-2"

        sandbox.pay(second.payment_id)
        sandbox.advance(2)
        await rosa.until(lambda: row("INV-2").startswith("»"))
        await rosa.press("a")
        await rosa.until(lambda: "● PAID" in row("INV-2"))
        await rosa.press("u")
        await rosa.until(lambda: "○ OUTSTANDING" in row("INV-2"))
        assert "● live" in screen.query_one("#title", Line).text
