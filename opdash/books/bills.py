"""Which invoices of a file are to be billed, on what terms, and why the others are left out.

A pure function of what reconciling found, of earlier attempts, and of what a person asks for, so
that what is shown before is what is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

import msgspec

from opdash.books.invoice_file import Problem
from opdash.books.records import BookPayment, InvoiceClass, InvoiceResult
from opdash.ledger.billings import Bill, Billing
from opdash.ledger.states import State
from opdash.openpayments.amounts import MAX_CREATE_VALUE, Asset, format_minor
from opdash.safetext import safe_text

_OVER_UNPAID: Final = frozenset({State.EXPIRED_UNPAID, State.CLOSED_UNPAID})
_END_OF_DAY: Final = time(23, 59, 59)


class Until(StrEnum):
    """Until when a payment takes money."""

    SERVER = "server"
    """As long as the server lets it."""
    DUE = "due"
    """To the end of the day on which the invoice is due."""
    LASTING = "lasting"
    """For so long from its creation."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for.

    Attributes:
        only: The numbers of the invoices to bill; empty for all without a payment.
        again: Those to bill again although their payment is over unpaid.
        until: Until when the payments take money.
        lasts: For how long, where that is `Until.LASTING`.
    """

    only: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()
    until: Until = Until.SERVER
    lasts: timedelta = timedelta(0)

    def means(self, number: str) -> bool:
        """Return whether an invoice is among those that are meant."""
        return not self.only or number in self.only or number in self.again


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where invoices are billed.

    Attributes:
        asset: What the wallet address holds.
        now: The server's present instant, UTC.
        longest: How far ahead servers let a payment end.
        zone: Where the person is, whose days end there; None for this machine's own.
    """

    asset: Asset
    now: datetime
    longest: timedelta
    zone: tzinfo | None = None


class Cause(StrEnum):
    """Why an invoice is left out; the value is for programs."""

    HAS_PAYMENT = "has-payment"
    """It has been billed, or paid, by whoever."""
    OVER_UNPAID = "over-unpaid"
    """Its payment expired, or was closed, without any money."""
    AMBIGUOUS = "ambiguous"
    """Several payments may be its own."""
    DUPLICATE_NUMBER = "duplicate-number"
    OTHER_ASSET = "other-asset"
    """It is in another currency than the wallet."""
    UNREADABLE = "unreadable"
    """Its row cannot be read: no amount, a scale that does not fit, and the like."""
    PAST_DUE = "past-due"
    """It was due before now, and the payment is to end when it is due."""
    REFUSED = "refused"
    """No server would take it."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice that is to be billed.

    Attributes:
        row: Its line in the file.
        bill: As it is to be billed.
        ends_at: When the payment ends if it is created now; None for the server's own limit.
        remark: What a person should know of it, a sentence without its full stop; or empty.
    """

    row: int
    bill: Bill
    ends_at: datetime | None = None
    remark: str = ""


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice that is not billed.

    Attributes:
        row: Its line in the file.
        number: Its number; empty where the row cannot be read.
        cause: Why, for programs.
        reason: Why, for people, a sentence without its full stop.
        payment_id: The URL of its newest payment, where it has one.
    """

    row: int
    number: str
    cause: Cause
    reason: str
    payment_id: str = ""

    @property
    def needs_look(self) -> bool:
        """Whether a person should see to it; not where it simply has been billed."""
        return self.cause is not Cause.HAS_PAYMENT


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with the invoices that are meant, each in one place, in file order.

    Attributes:
        bills: To be billed.
        checking: Billed before, and nobody knows yet whether a payment came of it: that is found
            out first, and only if none did they are billed.
        left_out: Not to be billed.
    """

    bills: tuple[Planned, ...] = ()
    checking: tuple[Planned, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def total(self) -> int:
        """What the payments to be created ask for together, in minor units."""
        return sum(one.bill.amount for one in self.bills)


def missing_numbers(results: Iterable[InvoiceResult], terms: Terms) -> tuple[str, ...]:
    """Return the numbers that a person named and the file does not have, in order."""
    known = {one.invoice.number for one in results}
    return tuple(sorted((terms.only | terms.again) - known))


def plan_bills(
    results: Sequence[InvoiceResult],
    payments: Mapping[str, BookPayment],
    billings: Mapping[str, Billing],
    terms: Terms,
    setting: Setting,
    *,
    problems: Sequence[Problem] = (),
    refusal: Callable[[Bill], str] = lambda _: "",
) -> Plan:
    """Say which invoices are to be billed.

    Args:
        results: All invoices of the file, as they were reconciled.
        payments: The payments that they were held against, by URL.
        billings: The latest attempt for each invoice number.
        terms: What a person asks for.
        setting: Where.
        problems: The rows of the file that cannot be read; they are left out.
        refusal: Says why a bill cannot be sent at all, empty when it can.
    """
    planner = _Planner(payments, billings, terms, setting, refusal)
    for result in results:
        if terms.means(result.invoice.number):
            planner.place(result)
    unread = () if terms.only else _unreadable(problems)
    left_out = sorted((*planner.left_out, *unread), key=lambda one: one.row)
    return Plan(
        bills=tuple(planner.bills), checking=tuple(planner.checking), left_out=tuple(left_out)
    )


def telling_payment(result: InvoiceResult, payments: Mapping[str, BookPayment]) -> BookPayment:
    """Return the payment that tells how an invoice with payments stands.

    That is the one that brought the most, else the newest that can still be paid, else the newest:
    beside an invoice that was paid, no customer shall find one that is still to be.
    """
    found = [payments[match.payment_id] for match in reversed(result.matches)]
    standing = [payment for payment in found if payment.state not in _OVER_UNPAID]
    return max(standing or found, key=lambda one: one.received)


class _Left(Exception):
    """An invoice is left out."""

    def __init__(self, cause: Cause, reason: str, payment_id: str = "") -> None:
        super().__init__(reason)
        self.cause, self.reason, self.payment_id = cause, reason, payment_id


class _Planner:
    def __init__(
        self,
        payments: Mapping[str, BookPayment],
        billings: Mapping[str, Billing],
        terms: Terms,
        setting: Setting,
        refusal: Callable[[Bill], str],
    ) -> None:
        self._payments = payments
        self._billings = billings
        self._terms = terms
        self._setting = setting
        self._refusal = refusal
        self.bills: list[Planned] = []
        self.checking: list[Planned] = []
        self.left_out: list[LeftOut] = []

    def place(self, result: InvoiceResult) -> None:
        """Put an invoice where it belongs."""
        invoice = result.invoice
        try:
            planned, is_open = self._planned(result)
        except _Left as left:
            self.left_out.append(
                LeftOut(
                    row=invoice.row,
                    number=invoice.number,
                    cause=left.cause,
                    reason=left.reason,
                    payment_id=left.payment_id,
                )
            )
            return
        (self.checking if is_open else self.bills).append(planned)

    def _planned(self, result: InvoiceResult) -> tuple[Planned, bool]:
        """Return how an invoice is billed, and whether an earlier attempt is open.

        Raises:
            _Left: It is left out.
        """
        invoice = result.invoice
        if result.kind is InvoiceClass.DUPLICATE_NUMBER:
            raise _Left(Cause.DUPLICATE_NUMBER, "the file has this number twice")
        if result.candidates:
            raise _Left(Cause.AMBIGUOUS, "several payments may be its own")
        remarks = [self._earlier_payment(result)]
        billing = self._billings.get(invoice.number)
        is_open = billing is not None and billing.is_unresolved
        instead_of = ""
        if billing is not None and not is_open and not billing.made_none:
            self._check_over(billing, invoice.number)
            instead_of = billing.creation.request_id
        self._check_amount(result)
        if result.suggestion is not None:
            remarks.append("a payment of this amount is there without its number: look at it first")
        ends_at, lasts, remark = self._end(invoice.due)
        bill = Bill(
            invoice=invoice.number,
            amount=invoice.amount,
            description=invoice.description,
            expires_at=None if lasts is not None else ends_at,
            lasts=lasts,
            instead_of=instead_of,
        )
        refused = self._refusal(bill)
        if refused:
            raise _Left(Cause.REFUSED, refused)
        shown = "; ".join(filter(None, (*remarks, remark)))
        return Planned(row=invoice.row, bill=bill, ends_at=ends_at, remark=shown), is_open

    def _earlier_payment(self, result: InvoiceResult) -> str:
        """Return what to remark of payments that the invoice has had; raise if one stands."""
        if not result.matches:
            return ""
        telling = telling_payment(result, self._payments)
        if telling.state not in _OVER_UNPAID:
            raise _Left(Cause.HAS_PAYMENT, f"has a payment: {telling.state.value}", telling.id)
        if result.invoice.number not in self._terms.again:
            raise _Left(
                Cause.OVER_UNPAID,
                "its payment ended unpaid; billed again if asked",
                telling.id,
            )
        return "billed again"

    def _check_over(self, billing: Billing, number: str) -> None:
        """Raise unless a billing's payment is over unpaid and a person wants another one."""
        payment_id = billing.creation.payment_id or ""
        payment = self._payments.get(payment_id)
        if payment is None:
            raise _Left(Cause.HAS_PAYMENT, "was billed before", payment_id)
        if payment.state not in _OVER_UNPAID:
            raise _Left(Cause.HAS_PAYMENT, f"was billed before: {payment.state.value}", payment_id)
        if number not in self._terms.again:
            raise _Left(
                Cause.OVER_UNPAID,
                "its payment ended unpaid; billed again if asked",
                payment_id,
            )

    def _check_amount(self, result: InvoiceResult) -> None:
        asset, invoice = self._setting.asset, result.invoice
        if invoice.asset != asset:
            there, here = (safe_text(one.code, limit=12) for one in (invoice.asset, asset))
            what = f"{there}, the wallet holds {here}"
            if there == here:
                what = (
                    f"{there} with {invoice.asset.scale} decimals, the wallet's has {asset.scale}"
                )
            raise _Left(Cause.OTHER_ASSET, f"is in {what}")
        if not 0 < invoice.amount <= MAX_CREATE_VALUE:
            most = format_minor(MAX_CREATE_VALUE, asset.scale, grouped=True)
            raise _Left(Cause.REFUSED, f"servers take amounts up to {most} {asset.code}")

    def _end(self, due: date | None) -> tuple[datetime | None, int | None, str]:
        """Return when a payment ends, after how many seconds where that counts, and a remark."""
        terms, setting = self._terms, self._setting
        if terms.until is Until.LASTING:
            lasts = min(terms.lasts, setting.longest)
            return setting.now + lasts, int(lasts.total_seconds()), ""
        if terms.until is Until.SERVER:
            return None, None, ""
        if due is None:
            return None, None, "no due date; the server's own limit holds"
        ends_at = _end_of(due, setting.zone)
        if ends_at <= setting.now:
            raise _Left(Cause.PAST_DUE, f"was due on {due.isoformat()}, which is past")
        if ends_at > setting.now + setting.longest:
            lasts = setting.longest
            return (
                setting.now + lasts,
                int(lasts.total_seconds()),
                f"due on {due.isoformat()}; servers let a payment last {_days(lasts)} at the most",
            )
        return ends_at, None, ""


def _end_of(day: date, zone: tzinfo | None) -> datetime:
    local = datetime.combine(day, _END_OF_DAY, tzinfo=zone)
    return local if zone is not None else local.astimezone()


def _days(span: timedelta) -> str:
    return f"{round(span / timedelta(days=1))} days"


def _unreadable(problems: Sequence[Problem]) -> list[LeftOut]:
    """Return one line for each row with problems, with the first of them."""
    first: dict[int, Problem] = {}
    for problem in problems:
        first.setdefault(problem.row, problem)
    return [
        LeftOut(
            row=row,
            number="",
            cause=Cause.UNREADABLE,
            reason=_about(problem),
        )
        for row, problem in first.items()
    ]


def _about(problem: Problem) -> str:
    column = f"column {safe_text(problem.column, limit=40)}: " if problem.column else ""
    return column + problem.sentence.rstrip(".")
