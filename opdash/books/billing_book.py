"""What is to be billed of a file, by all that the ledger knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from opdash.books.billed_file import Beside
from opdash.books.bills import LeftOut, Plan, Setting, Terms, plan_bills, telling_payment
from opdash.books.book import Book
from opdash.books.records import BookPayment
from opdash.ledger.billings import Bill, Billing
from opdash.ledger.reader import LedgerReader


class BillingBook(msgspec.Struct, frozen=True, kw_only=True):
    """A file held against the ledger, and what is to be billed of it.

    Attributes:
        book: What reconciling found.
        billings: The latest attempt to bill each invoice, by its number.
        plan: What is to be done.
    """

    book: Book
    billings: Mapping[str, Billing]
    plan: Plan

    @property
    def checking(self) -> dict[str, Bill]:
        """The bills that wait for an earlier attempt, by its request id."""
        bills = (one.bill for one in self.plan.checking)
        return {self.billings[bill.invoice].creation.request_id: bill for bill in bills}


def plan_book(
    book: Book,
    reader: LedgerReader,
    wallet_id: str,
    terms: Terms,
    setting: Setting,
    refusal: Callable[[Bill], str],
) -> BillingBook:
    """Say what is to be billed of a file.

    Args:
        book: What reconciling found.
        reader: The ledger.
        wallet_id: The wallet address that is to receive.
        terms: What a person asks for.
        setting: What that wallet address is like, and when.
        refusal: Says why a bill cannot be sent at all, empty when it can.
    """
    billings = reader.billings(wallet_id)
    plan = plan_bills(
        book.found.invoices,
        payments_of(book),
        billings,
        terms,
        setting,
        problems=book.file.problems,
        refusal=refusal,
    )
    return BillingBook(book=book, billings=billings, plan=plan)


def as_agreed(found: BillingBook, shown: BillingBook) -> BillingBook:
    """Return what is to be done by now, without any payment that a person was not shown before."""
    seen = {
        (one.bill.invoice, one.bill.amount) for one in (*shown.plan.bills, *shown.plan.checking)
    }
    bills = tuple(one for one in found.plan.bills if (one.bill.invoice, one.bill.amount) in seen)
    return replace(found, plan=replace(found.plan, bills=bills))


def payments_of(book: Book) -> dict[str, BookPayment]:
    """Return the payments of a book by URL."""
    return {one.id: one for one in book.ledger.payments}


def written_beside(
    book: Book, made: Mapping[str, str], errors: Mapping[str, str], left_out: Mapping[int, LeftOut]
) -> dict[int, Beside]:
    """Return what is written beside each invoice of a file.

    Args:
        book: The file, held against the ledger after all is done.
        made: The URL of the payment that was created, by invoice number.
        errors: Why none was, by invoice number.
        left_out: Why rows were left out, by row.
    """
    payments = payments_of(book)
    beside: dict[int, Beside] = {}
    for result in book.found.invoices:
        invoice = result.invoice
        url = made.get(invoice.number, "")
        if not url and result.matches:
            url = telling_payment(result, payments).id
        error = errors.get(invoice.number, "")
        left = left_out.get(invoice.row)
        if left is not None and left.needs_look and not error:
            error = left.reason
        if not url and left is not None:
            url = left.payment_id
        payment = payments.get(url)
        beside[invoice.row] = Beside(url, "" if payment is None else payment.state.value, error)
    for row, left in left_out.items():
        if row not in beside:
            beside[row] = Beside(error=left.reason)
    return beside
