"""What the books are made of: invoices, payments as the books see them, and what became of both.

Amounts are integers of minor units. Texts are as they were written or sent: only
`opdash.safetext.safe_text` may put them on a screen or a line.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum

import msgspec

from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset


class Rule(StrEnum):
    """Why an invoice and a payment belong together, the strongest first."""

    LINK = "link"
    """A person linked them."""
    URL = "payment-url"
    """The payment's URL is written on the invoice."""
    REFERENCE = "reference"
    """The payment's metadata carries the invoice's number."""
    NORMALISED = "normalised-reference"
    """The same, but for case, width and separators."""
    DESCRIPTION = "description"
    """The payment's description names the invoice."""
    AMOUNT = "amount"
    """Nothing but amount, asset and date: never more than a suggestion."""


class InvoiceClass(StrEnum):
    """What a merchant is told about an invoice; the value is the word to show."""

    PAID = "PAID"
    OVERPAID = "OVERPAID"
    UNDERPAID = "UNDERPAID"
    PARTIAL = "PARTIAL"
    OUTSTANDING = "OUTSTANDING"
    EXPIRED_UNPAID = "EXPIRED UNPAID"
    DUPLICATE_PAYMENT = "DUPLICATE PAYMENT"
    DUPLICATE_NUMBER = "DUPLICATE NUMBER"
    WRONG_CURRENCY = "WRONG CURRENCY"
    AMBIGUOUS = "AMBIGUOUS"
    CHECK = "CHECK"


class PaymentClass(StrEnum):
    """What a merchant is told about a payment; the value is the word to show."""

    MATCHED = "MATCHED"
    UNMATCHED = "UNMATCHED"
    AMBIGUOUS = "AMBIGUOUS"
    NOT_AN_INVOICE = "NOT AN INVOICE"


class Flag(StrEnum):
    """A remark beside an invoice's class; the value is the words to show."""

    SETTLING = "settling"
    """All that was asked is there; the server has not completed the payment yet."""
    STILL_OPEN = "still open"
    """The invoice is covered, and a payment of it still takes money."""
    SUGGESTED = "suggestion"
    """A payment fits by amount and date; a person has to accept it."""
    CLOSED = "closed, nothing paid"
    """Its payment did not run out: somebody completed it before anything arrived."""
    LATE = "late"
    """Money is still waited for, and the day on which it was due is over."""
    APART = "also paid in another currency"
    """Beside what decides, money arrived for it in another currency than its own."""
    SETTLED = "settled by you"
    """A person said how they settled its payments, or some, and the others alone pay it."""


class Invoice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of a merchant's file.

    Attributes:
        row: Its line in the file, from 1; the only thing that tells equal rows apart.
        number: The invoice number as written, without blanks around it.
        amount: What is due, in minor units of ``asset``.
        asset: The currency's code, with the scale of the wallet address that holds it, or the
            decimals that were written where none does.
        issued: Its date, or None.
        due: When it is due, or None.
        customer: As written; empty when there is none.
        description: What it is for, as written; empty when there is none.
        payment_url: The URL of its incoming payment as written; empty when there is none.
    """

    row: int
    number: str
    amount: int
    asset: Asset
    issued: date | None = None
    due: date | None = None
    customer: str = ""
    description: str = ""
    payment_url: str = ""


class BookPayment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An incoming payment, as far as the books look at it.

    Attributes:
        id: Its URL.
        wallet: The wallet address under which it was seen.
        state: The word for it.
        asset: What ``asked`` and ``received`` count.
        asked: Minor units asked for, or None.
        received: Minor units received.
        references: What its metadata names it by, as sent.
        description: From its metadata, as sent; empty when there is none.
        created_at: When the server created it, UTC.
        is_settled: Whether a person said how they settled it, and it is still as it was then.
    """

    id: str
    wallet: str
    state: State
    asset: Asset
    asked: int | None
    received: int
    references: tuple[str, ...]
    description: str
    created_at: datetime
    is_settled: bool = False


class Link(msgspec.Struct, frozen=True, gc=False):
    """A person's decision that a payment is an invoice's; it wins over every rule.

    Attributes:
        number: The invoice's number.
        payment_id: The payment's URL.
        amount: Minor units of the payment's asset that are the invoice's; None for all that no
            other link of the payment takes.
    """

    number: str
    payment_id: str
    amount: int | None = None


class Decisions(msgspec.Struct, frozen=True):
    """What people decided, as it stands.

    Attributes:
        links: Pairs that belong together.
        rejected: Pairs of invoice number and payment URL that do not.
    """

    links: tuple[Link, ...] = ()
    rejected: frozenset[tuple[str, str]] = frozenset()


class Match(msgspec.Struct, frozen=True, gc=False):
    """An invoice and a payment that belong together.

    Attributes:
        row: The invoice's row.
        payment_id: The payment's URL.
        rule: Why.
        evidence: What was found, as sent or written: the reference, the word, the URL.
        amount: Minor units of the payment's asset that count for the invoice.
    """

    row: int
    payment_id: str
    rule: Rule
    evidence: str
    amount: int


class InvoiceResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of an invoice.

    Attributes:
        invoice: The invoice.
        kind: The word for it.
        matches: Its payments, the oldest first.
        received: Minor units of the invoice's asset that arrived for it.
        difference: received − due in minor units; None in another currency.
        flags: Remarks.
        candidates: URLs of payments that may be its own, where nothing tells which.
        suggestion: A payment that fits by amount and date alone, or None.
        apart: What arrived for it in other currencies than its own, in minor units.
    """

    invoice: Invoice
    kind: InvoiceClass
    matches: tuple[Match, ...] = ()
    received: int = 0
    difference: int | None = None
    flags: tuple[Flag, ...] = ()
    candidates: tuple[str, ...] = ()
    suggestion: Match | None = None
    apart: tuple[tuple[Asset, int], ...] = ()

    def remarks(self, money: Callable[[int, Asset], str]) -> list[str]:
        """Return the words of the flags; of money in another currency how much.

        Args:
            money: Writes minor units of an asset.
        """
        sums = " and ".join(money(amount, asset) for asset, amount in self.apart)
        return [
            f"also {sums} in another currency" if flag is Flag.APART else flag.value
            for flag in self.flags
        ]


class PaymentResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of a payment.

    Attributes:
        payment: The payment.
        kind: The word for it.
        matches: The invoices that it pays, by row.
        unallocated: Minor units received that count for no invoice.
        candidates: Rows of the invoices that it may belong to, where nothing tells which.
    """

    payment: BookPayment
    kind: PaymentClass
    matches: tuple[Match, ...] = ()
    unallocated: int = 0
    candidates: tuple[int, ...] = ()


class Reconciliation(msgspec.Struct, frozen=True):
    """Invoices held against payments.

    Attributes:
        invoices: In the order of the file.
        payments: In the order in which they were given.
    """

    invoices: tuple[InvoiceResult, ...]
    payments: tuple[PaymentResult, ...]
