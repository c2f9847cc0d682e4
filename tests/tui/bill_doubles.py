"""A desk that bills without a server: what becomes of each invoice is what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import cast

from opdash.books.billing_book import BillingBook
from opdash.books.bills import Plan, Setting, Terms, plan_bills
from opdash.books.book import Book
from opdash.books.reconciling import reconcile
from opdash.books.records import BookPayment, Invoice
from opdash.books.sources import Source, open_source
from opdash.errors import OpdashError
from opdash.ledger.billings import Billing
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Creation, CreationStatus
from opdash.ledger.states import State
from opdash.openpayments.resources import WalletAddress
from opdash.service.bill_reports import Billed, BillingProgress, Ended, Outcome
from opdash.service.billing import Biller
from opdash.service.billing_desk import BillingDesk
from tests.books.builders import EUR, USD, invoice, payment
from tests.tui.form_doubles import NOW

CONTENT = "number,amount,due,text\nINV-1,12.50,2026-12-01,Two lamps\n"

INVOICES: tuple[Invoice, ...] = (
    Invoice(row=2, number="INV-1", amount=1250, asset=USD, description="Two lamps"),
    invoice(3, "INV-2", 120_400, due=date(2026, 11, 30)),
    invoice(4, "INV-3", 7000, due=date(2026, 11, 1)),
    invoice(5, "PAID-1", 500),
    invoice(6, "OVER-1", 2500, due=date(2026, 12, 5)),
    invoice(7, "EUR-1", 1000, EUR),
    invoice(8, "TWICE"),
    invoice(9, "TWICE"),
    invoice(10, "LOST-1", 990, due=date(2027, 3, 1)),
    invoice(11, "INV-2026-0000000000017", 100, due=date(2026, 11, 29)),
)
PAYMENTS: tuple[BookPayment, ...] = (
    payment("paid", 500, references=("PAID-1",)),
    payment("over", 0, references=("OVER-1",), state=State.EXPIRED_UNPAID, asked=2500),
)


def billing(number: str) -> Billing:
    """Return an attempt to bill an invoice that got no answer."""
    creation = Creation(
        request_id=f"request {number}",
        wallet="https://ilp.example/rosa",
        draft_json="{}",
        status=CreationStatus.UNKNOWN,
        created_at=NOW,
        updated_at=NOW,
    )
    return Billing(invoice=number, creation=creation, at=NOW)


def source(home: Path, content: str = CONTENT) -> Source:
    """Return a file of invoices; what is in it matters only where it is written back."""
    path = home / "invoices.csv"
    path.write_text(content)
    return open_source(path, home)


class FakeBiller:
    """Stops when it is told to."""

    def __init__(
        self, tell: Callable[[BillingProgress], None], told: Callable[[Billed], None]
    ) -> None:
        self.tell = tell
        self.told = told
        self.stopped = asyncio.Event()

    def stop(self) -> None:
        self.stopped.set()


class FakeDesk:
    """Plans as the real one does, and creates nothing.

    Attributes:
        outcomes: What becomes of invoices by number; the others are created.
        gate: Is waited for before each payment.
        failure: What planning meets, or None.
        waiting: Why it waits at the end, or empty.
    """

    def __init__(
        self,
        invoices: Sequence[Invoice] = INVOICES,
        payments: Sequence[BookPayment] = PAYMENTS,
        *,
        outcomes: Mapping[str, Outcome] | None = None,
    ) -> None:
        self.invoices = invoices
        self.payments = payments
        self.outcomes = dict(outcomes or {})
        self.gate = asyncio.Semaphore(1_000)
        self.failure: OpdashError | None = None
        self.ends_with: OpdashError | None = None
        self.write_failure: OpdashError | None = None
        self.looked = 0
        self.asked: list[Terms] = []
        self.written: list[tuple[Path, Ended]] = []
        self.billers: list[FakeBiller] = []

    @property
    def real(self) -> BillingDesk:
        """Itself, as the type that the screen expects."""
        return cast(BillingDesk, self)

    async def prepare(self, terms: Terms, reader: LedgerReader) -> BillingBook:
        self.looked += 1
        return self._planned(terms)

    async def plan(self, terms: Terms, wallet: WalletAddress) -> BillingBook:
        return self._planned(terms)

    def _planned(self, terms: Terms) -> BillingBook:
        self.asked.append(terms)
        if self.failure is not None:
            raise self.failure
        lost = {one.number: billing(one.number) for one in self.invoices if "LOST" in one.number}
        plan = plan_bills(
            reconcile(self.invoices, self.payments).invoices,
            {one.id: one for one in self.payments},
            lost,
            terms,
            Setting(asset=USD, now=NOW, longest=timedelta(days=30), zone=UTC),
        )
        return BillingBook(book=cast(Book, None), billings=lost, plan=plan)

    def biller(
        self,
        reader: LedgerReader,
        *,
        tell: Callable[[BillingProgress], None],
        told: Callable[[Billed], None],
    ) -> Biller:
        self.billers.append(FakeBiller(tell, told))
        return cast(Biller, self.billers[-1])

    async def carry_out(self, book: BillingBook, biller: Biller) -> Ended:
        by = cast(FakeBiller, biller)
        plan = book.plan
        bills = [one.bill for one in (*plan.bills, *plan.checking)]
        done: list[Billed] = []
        for number, bill in enumerate(bills):
            passing, stopping = (
                asyncio.ensure_future(one) for one in (self.gate.acquire(), by.stopped.wait())
            )
            await asyncio.wait({passing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            passing.cancel()
            stopping.cancel()
            outcome = self.outcomes.get(bill.invoice, Outcome.CREATED)
            if by.stopped.is_set() or (self.ends_with is not None and number == 1):
                outcome = Outcome.NOT_TRIED
            is_there = outcome in (Outcome.CREATED, Outcome.BILLED_BEFORE)
            done.append(
                Billed(
                    bill=bill,
                    outcome=outcome,
                    payment_id=f"https://rs.example/t1/incoming-payments/{number}b0c4e" * is_there,
                    reason="" if is_there else "The server refused the amount.",
                )
            )
            by.told(done[-1])
            by.tell(
                BillingProgress(
                    done=len(done),
                    total=len(bills),
                    per_second=4.0,
                    left=timedelta(seconds=(len(bills) - len(done)) // 4) or None,
                )
            )
            await asyncio.sleep(0)
        return Ended(billed=tuple(done), was_stopped=by.stopped.is_set(), failure=self.ends_with)

    async def write_beside(
        self, plan: Plan, ended: Ended, path: Path, *, overwrite: bool = False
    ) -> None:
        if self.write_failure is not None:
            raise self.write_failure
        self.written.append((path, ended))
