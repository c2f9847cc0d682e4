"""What must hold of every reconciliation."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from opdash.books.reconciling import (
    has_exceptions,
    invoice_sums,
    is_clear,
    payment_sums,
    reconcile,
)
from opdash.books.records import (
    BookPayment,
    Decisions,
    Flag,
    Invoice,
    InvoiceClass,
    Link,
    PaymentClass,
    Reconciliation,
)
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from tests.books.builders import EUR, SERVER, USD, invoice, payment

_NUMBERS = ["INV-1001", "INV-1002", "inv 1001", "INV-1001A", "1002", "R-77"]
_AMOUNTS = st.sampled_from([500, 1000, 1500])
_ASSETS = st.sampled_from([USD, EUR])


@st.composite
def files(draw: st.DrawFn) -> list[Invoice]:
    """Files whose numbers are near each other, some twice."""
    numbers = draw(st.lists(st.sampled_from(_NUMBERS), max_size=7))
    return [
        invoice(row, number, draw(_AMOUNTS), draw(_ASSETS)) for row, number in enumerate(numbers, 2)
    ]


@st.composite
def ledgers(draw: st.DrawFn) -> list[BookPayment]:
    """Payments that name invoices in every way, or not at all."""
    references = st.lists(st.sampled_from([*_NUMBERS, "other"]), max_size=2, unique=True)
    descriptions = st.sampled_from(["", "a lamp", "for INV-1001", "INV-1001 and R-77", "R-77!"])
    return [
        payment(
            f"p{place}",
            draw(_AMOUNTS),
            references=tuple(draw(references)),
            description=draw(descriptions),
            state=draw(st.sampled_from(State)),
            asset=draw(_ASSETS),
        )
        for place in range(draw(st.integers(0, 7)))
    ]


@st.composite
def decided(draw: st.DrawFn) -> Decisions:
    """Some decisions of a person."""
    urls = st.sampled_from([f"{SERVER}/p{place}" for place in range(7)])
    numbers = st.sampled_from(_NUMBERS)
    amounts = st.none() | st.sampled_from([300, 700])
    links = draw(st.lists(st.builds(Link, numbers, urls, amounts), max_size=3))
    return Decisions(tuple(links), draw(st.frozensets(st.tuples(numbers, urls), max_size=3)))


def gist(result: Reconciliation) -> tuple[Counter[object], Counter[object]]:
    """Return what a result says, whatever the order and the rows' numbers."""
    numbers = {one.invoice.row: one.invoice.number for one in result.invoices}
    return (
        Counter(
            (one.invoice.number, one.invoice.amount, one.invoice.asset, one.kind)
            for one in result.invoices
        ),
        Counter(
            (one.payment.id, one.kind, tuple(sorted(numbers[found.row] for found in one.matches)))
            for one in result.payments
        ),
    )


@given(files(), ledgers(), decided(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    invoices: list[Invoice],
    payments: list[BookPayment],
    decisions: Decisions,
    chance: random.Random,
) -> None:
    shuffled = [
        msgspec.structs.replace(one, row=row)
        for row, one in enumerate(chance.sample(invoices, len(invoices)), 2)
    ]
    others = chance.sample(payments, len(payments))

    one = gist(reconcile(invoices, payments, decisions))

    assert gist(reconcile(shuffled, others, decisions)) == one
    assert gist(reconcile(invoices, payments, decisions)) == one


@given(files(), ledgers(), decided())
def test_no_minor_unit_counts_twice_and_none_is_lost(
    invoices: list[Invoice], payments: list[BookPayment], decisions: Decisions
) -> None:
    result = reconcile(invoices, payments, decisions)

    for one in result.payments:
        assert sum(found.amount for found in one.matches) + one.unallocated == one.payment.received
        assert 0 <= one.unallocated <= one.payment.received
    for asset in (USD, EUR):
        received = sum(one.received for one in payments if one.asset == asset)
        sums = [one for one in payment_sums(result.payments) if one.asset == asset]
        assert sum(one.received for one in sums) == received
        unmatched = sum(one.unallocated for one in result.payments if one.payment.asset == asset)
        assert sum(one.matched for one in sums) + unmatched == received


@given(files(), ledgers(), decided())
def test_an_unrelated_row_changes_nothing(
    invoices: list[Invoice], payments: list[BookPayment], decisions: Decisions
) -> None:
    before = reconcile(invoices, payments, decisions)
    stranger = invoice(99, "ZZ-4711", 77)
    tip = payment("tip", 78, description="thank you")

    after = reconcile([*invoices, stranger], [*payments, tip], decisions)

    assert after.invoices[:-1] == before.invoices
    assert after.payments[:-1] == before.payments
    assert after.invoices[-1].kind is InvoiceClass.OUTSTANDING
    assert after.payments[-1].kind is PaymentClass.UNMATCHED


@given(files(), ledgers(), decided())
def test_links_survive_whatever_the_rules_say(
    invoices: list[Invoice], payments: list[BookPayment], decisions: Decisions
) -> None:
    result = reconcile(invoices, payments, decisions)
    numbers = {one.number for one in invoices}
    by_row = {one.row: one.number for one in invoices}
    linked = {(link.number, link.payment_id) for link in decisions.links if link.number in numbers}

    for one in result.payments:
        mine = {number for number, url in linked if url == one.payment.id}
        if mine:
            assert {by_row[found.row] for found in one.matches} == mine


@given(files(), ledgers())
def test_the_sums_are_those_of_the_rows(
    invoices: list[Invoice], payments: list[BookPayment]
) -> None:
    result = reconcile(invoices, payments)
    sums = invoice_sums(result.invoices)

    assert sum(one.count for one in sums) == len(invoices)
    for asset in (USD, EUR):
        due = sum(one.amount for one in invoices if one.asset == asset)
        assert sum(one.due for one in sums if one.asset == asset) == due


def test_a_reference_never_hides_another_amount() -> None:
    result = reconcile(
        [invoice(2, amount=1000), invoice(3, amount=2000)],
        [
            payment("p", 2000, references=("INV-0002",)),
            payment("q", 1000, references=("INV-0003",)),
        ],
    )

    kinds = [one.kind for one in result.invoices]
    assert kinds == [InvoiceClass.OVERPAID, InvoiceClass.UNDERPAID]


def test_a_number_that_the_file_has_twice_is_said_so() -> None:
    result = reconcile(
        [invoice(2, "INV-7"), invoice(3, "INV-7")], [payment("p", references=("INV-7",))]
    )

    assert {one.kind for one in result.invoices} == {InvoiceClass.DUPLICATE_NUMBER}
    assert result.payments[0].kind is PaymentClass.AMBIGUOUS
    assert result.payments[0].candidates == (2, 3)


def test_what_a_saved_search_names_is_no_invoice_unless_it_says_so_itself() -> None:
    tips = {f"{SERVER}/tip", f"{SERVER}/paid"}
    result = reconcile(
        [invoice(2)],
        [payment("tip", 1000), payment("paid", 1000, references=("INV-0002",))],
        not_invoices=tips,
    )

    kinds = [one.kind for one in result.payments]
    assert kinds == [PaymentClass.NOT_AN_INVOICE, PaymentClass.MATCHED]


def test_an_invoice_is_late_the_day_after_it_was_due_while_money_is_waited_for() -> None:
    due = date(2026, 11, 4)
    invoices = [
        invoice(2, due=due),
        invoice(3, due=due),
        invoice(4, due=due),
        invoice(5, due=due),
        invoice(6),
    ]
    payments = [
        payment("part", 300, references=("INV-0003",), state=State.PARTIAL),
        payment("paid", 1000, references=("INV-0004",)),
        payment("over", 0, references=("INV-0005",), state=State.EXPIRED_UNPAID),
    ]

    def late(today: date | None) -> list[int]:
        found = reconcile(invoices, payments, today=today).invoices
        return [one.invoice.row for one in found if Flag.LATE in one.flags]

    assert late(due) == late(None) == []
    assert late(due + timedelta(days=1)) == [2, 3]
    assert has_exceptions(reconcile([invoices[0]], [], today=due + timedelta(days=1)))
    assert not has_exceptions(reconcile([invoices[0]], [], today=due))


def test_what_a_person_settled_needs_nobody_unless_the_rest_does() -> None:
    def judged(*payments: BookPayment) -> tuple[InvoiceClass, bool, bool]:
        result = reconcile([invoice(2, "INV-1")], payments)
        one = result.invoices[0]
        return one.kind, Flag.SETTLED in one.flags, has_exceptions(result)

    def paid(
        name: str, received: int, state: State = State.PAID, *, is_settled: bool = False
    ) -> BookPayment:
        references = ("INV-1",)
        return payment(name, received, references=references, state=state, is_settled=is_settled)

    over = paid("p", 1200, State.OVERPAID)
    accepted = paid("p", 1200, State.OVERPAID, is_settled=True)
    short = paid("p", 400, State.CLOSED_SHORT, is_settled=True)
    assert judged(over) == (InvoiceClass.OVERPAID, False, True)
    assert judged(accepted) == (InvoiceClass.OVERPAID, True, False)
    assert judged(short) == (InvoiceClass.UNDERPAID, True, False)
    assert judged(paid("p", 1000), paid("q", 1000)) == (InvoiceClass.DUPLICATE_PAYMENT, False, True)
    assert judged(paid("p", 1000, is_settled=True), paid("q", 1000)) == (
        InvoiceClass.DUPLICATE_PAYMENT,
        True,
        False,
    )
    assert judged(short, paid("q", 300)) == (InvoiceClass.UNDERPAID, False, True)
    assert judged(paid("p", 1000, is_settled=True)) == (InvoiceClass.PAID, False, False)
    twice = reconcile([invoice(2, "INV-1"), invoice(3, "INV-1")], [accepted])
    assert has_exceptions(twice)


def test_all_clear_or_not() -> None:
    paid = reconcile([invoice(2)], [payment("p", references=("INV-0002",))])
    short = reconcile([invoice(2)], [payment("p", 900, references=("INV-0002",))])

    assert not has_exceptions(paid)
    assert has_exceptions(short)


def test_money_in_another_currency_beside_needs_somebody_until_it_is_settled() -> None:
    paid = payment("p", references=("INV-0001",))
    beside = payment("q", 1200, references=("INV-0001",), asset=EUR)
    settled = msgspec.structs.replace(beside, is_settled=True)

    (open_,) = (found := reconcile([invoice(1)], [paid, beside])).invoices
    (done,) = reconcile([invoice(1)], [paid, settled]).invoices

    assert (open_.kind, is_clear(open_)) == (InvoiceClass.PAID, False)
    assert has_exceptions(found)
    words = open_.remarks(lambda amount, asset: f"{amount} {asset.code}")
    assert words == ["also 1200 EUR in another currency"]
    assert is_clear(done)


@given(files(), ledgers())
def test_requests_in_another_currency_without_money_change_no_class(
    invoices: list[Invoice], payments: list[BookPayment]
) -> None:
    before = reconcile(invoices, payments)
    by_row = {one.invoice.row: one for one in before.invoices}
    other = Asset("XRP", 9)
    asked_for = [
        payment(f"asked-{row}", 0, references=(one.invoice.number,), asset=other, asked=5)
        for row, one in by_row.items()
        if one.matches
    ]
    after = reconcile(invoices, [*payments, *asked_for])

    for one in after.invoices:
        known = by_row[one.invoice.row]
        assert (one.kind, one.received, one.flags) == (known.kind, known.received, known.flags)
