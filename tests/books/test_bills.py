"""Which invoices are billed, and why the others are not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from opdash.books.bills import (
    Cause,
    Plan,
    Setting,
    Terms,
    Until,
    missing_numbers,
    plan_bills,
)
from opdash.books.invoice_file import Problem
from opdash.books.reconciling import reconcile
from opdash.books.records import BookPayment, Invoice
from opdash.ledger.billings import Bill, Billing
from opdash.ledger.records import Creation, CreationStatus
from opdash.ledger.states import State
from opdash.openpayments.amounts import MAX_CREATE_VALUE, Asset
from tests.books.builders import EUR, USD, invoice, payment

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONGEST = timedelta(days=30)
SETTING = Setting(asset=USD, now=NOW, longest=LONGEST, zone=UTC)
ALL = Terms()


def plan(
    invoices: Sequence[Invoice],
    payments: Sequence[BookPayment] = (),
    billings: Sequence[Billing] = (),
    terms: Terms = ALL,
    problems: Sequence[Problem] = (),
    refuses: str = "",
) -> Plan:
    found = reconcile(invoices, payments)
    return plan_bills(
        found.invoices,
        {one.id: one for one in payments},
        {one.invoice: one for one in billings},
        terms,
        SETTING,
        problems=problems,
        refusal=lambda bill: "it cannot be sent" if bill.invoice == refuses else "",
    )


def billing(number: str, status: CreationStatus, payment_id: str | None = None) -> Billing:
    creation = Creation(
        request_id=f"request {number}",
        wallet="https://wallet.example/shop",
        draft_json="{}",
        status=status,
        created_at=NOW,
        updated_at=NOW,
        payment_id=payment_id,
    )
    return Billing(invoice=number, creation=creation, at=NOW)


def causes(found: Plan) -> dict[str, Cause]:
    return {one.number: one.cause for one in found.left_out}


def numbers(found: Plan) -> list[str]:
    return [one.bill.invoice for one in found.bills]


def test_what_has_no_payment_is_billed_as_the_file_says() -> None:
    one = replace(invoice(2, "INV-1", 1250), description="Two lamps")

    found = plan([one])

    (planned,) = found.bills
    assert planned.bill == Bill(invoice="INV-1", amount=1250, description="Two lamps")
    assert (planned.row, planned.ends_at, planned.remark) == (2, None, "")
    assert found.total == 1250
    assert found.left_out == ()


@pytest.mark.parametrize(
    "state", [one for one in State if one.value[-6:] != "UNPAID" or one == State.UNPAID]
)
def test_what_has_a_payment_is_left_alone(state: State) -> None:
    paid = payment("p", references=("INV-1",), state=state)

    for terms in (ALL, Terms(again=frozenset({"INV-1"}))):
        (left,) = plan([invoice(2, "INV-1")], [paid], terms=terms).left_out
        assert (left.cause, left.payment_id) == (Cause.HAS_PAYMENT, paid.id)
        assert not left.needs_look


def test_of_several_payments_the_one_that_brought_money_is_told() -> None:
    older, paid, newer, over = (
        payment(
            name,
            received,
            references=("INV-1",),
            state=state,
            asked=1000,
            created_at=NOW + timedelta(days=day),
        )
        for day, (name, received, state) in enumerate(
            (
                ("older", 0, State.UNPAID),
                ("paid", 1000, State.PAID),
                ("newer", 0, State.UNPAID),
                ("over", 0, State.EXPIRED_UNPAID),
            )
        )
    )
    for several, told in (
        ((older, paid, newer, over), paid),
        ((older, newer, over), newer),
        ((older, over), older),
    ):
        (left,) = plan([invoice(2, "INV-1")], several).left_out
        assert (left.cause, left.payment_id) == (Cause.HAS_PAYMENT, told.id)
        assert left.reason == f"has a payment: {told.state.value}"


@pytest.mark.parametrize("state", [State.EXPIRED_UNPAID, State.CLOSED_UNPAID])
def test_what_ended_unpaid_is_billed_again_only_when_asked_for(state: State) -> None:
    over = payment("p", 0, references=("INV-1",), state=state, asked=1000)
    known = billing("INV-1", CreationStatus.CREATED, over.id)
    again = Terms(again=frozenset({"INV-1"}))

    (left,) = plan([invoice(2, "INV-1")], [over], [known]).left_out
    assert (left.cause, left.payment_id, left.needs_look) == (Cause.OVER_UNPAID, over.id, True)

    (planned,) = plan([invoice(2, "INV-1")], [over], [known], again).bills
    assert planned.bill.instead_of == "request INV-1"
    assert planned.remark == "billed again"

    (planned,) = plan([invoice(2, "INV-1")], [over], terms=again).bills
    assert planned.bill.instead_of == "", "opdash did not bill it the first time"


def test_of_two_payments_one_that_stands_is_enough() -> None:
    over = payment("p", 0, references=("INV-1",), state=State.EXPIRED_UNPAID, asked=1000)
    stands = payment("q", 0, references=("INV-1",), state=State.UNPAID, asked=1000)

    found = plan([invoice(2, "INV-1")], [over, stands], terms=Terms(again=frozenset({"INV-1"})))

    assert causes(found) == {"INV-1": Cause.HAS_PAYMENT}


def test_a_billing_whose_payment_was_matched_elsewhere_still_counts() -> None:
    known = billing("INV-1", CreationStatus.CREATED, "https://wallet.example/lost")
    again = Terms(again=frozenset({"INV-1"}))

    for terms in (ALL, again):
        (left,) = plan([invoice(2, "INV-1")], [], [known], terms).left_out
        assert (left.cause, left.payment_id) == (Cause.HAS_PAYMENT, "https://wallet.example/lost")

    open_one = payment("p", 0, state=State.UNPAID, asked=77, references=("INV-9",))
    known = billing("INV-1", CreationStatus.CREATED, open_one.id)
    assert causes(plan([invoice(2, "INV-1")], [open_one], [known], again)) == {
        "INV-1": Cause.HAS_PAYMENT
    }
    over = payment("p", 0, state=State.EXPIRED_UNPAID, asked=77, references=("INV-9",))
    assert causes(plan([invoice(2, "INV-1")], [over], [known])) == {"INV-1": Cause.OVER_UNPAID}
    assert numbers(plan([invoice(2, "INV-1")], [over], [known], again)) == ["INV-1"]


@pytest.mark.parametrize("status", [CreationStatus.INTENDED, CreationStatus.UNKNOWN])
def test_an_attempt_without_an_answer_is_checked_first(status: CreationStatus) -> None:
    found = plan([invoice(2, "INV-1")], [], [billing("INV-1", status)])

    assert found.bills == ()
    (planned,) = found.checking
    assert planned.bill.invoice == "INV-1"


@pytest.mark.parametrize("status", [CreationStatus.FAILED, CreationStatus.NOT_FOUND])
def test_an_attempt_that_made_none_is_made_again(status: CreationStatus) -> None:
    assert numbers(plan([invoice(2, "INV-1")], [], [billing("INV-1", status)])) == ["INV-1"]


def test_what_is_wrong_is_named() -> None:
    fine = Asset("USD", 3)
    found = plan(
        [
            invoice(2, "EUR-1", 500, EUR),
            invoice(3, "FINE-1", 500, fine),
            invoice(4, "TWICE"),
            invoice(5, "TWICE", 7),
            invoice(6, "HUGE-1", MAX_CREATE_VALUE + 1),
            invoice(7, "MOST-1", MAX_CREATE_VALUE),
            invoice(8, "BAD-1"),
        ],
        problems=[Problem(9, "Betrag", "“1.234,5” is no amount."), Problem(9, "", "x")],
        refuses="BAD-1",
    )

    assert numbers(found) == ["MOST-1"]
    assert [(one.row, one.cause, one.reason) for one in found.left_out] == [
        (2, Cause.OTHER_ASSET, "is in EUR, the wallet holds USD"),
        (3, Cause.OTHER_ASSET, "is in USD with 3 decimals, the wallet's has 2"),
        (4, Cause.DUPLICATE_NUMBER, "the file has this number twice"),
        (5, Cause.DUPLICATE_NUMBER, "the file has this number twice"),
        (6, Cause.REFUSED, "servers take amounts up to 92,233,720,368,547,758.07 USD"),
        (8, Cause.REFUSED, "it cannot be sent"),
        (9, Cause.UNREADABLE, "column Betrag: “1.234,5” is no amount"),
    ]
    assert all(one.needs_look for one in found.left_out)


def test_what_may_be_several_invoices_own_is_left_out() -> None:
    spelled = payment("p", references=("inv1",))

    found = plan([invoice(2, "INV-1"), invoice(3, "INV/1")], [spelled])

    assert causes(found) == {"INV-1": Cause.AMBIGUOUS, "INV/1": Cause.AMBIGUOUS}


def test_a_payment_of_the_same_amount_is_remarked() -> None:
    nameless = payment("p", 1000, created_at=datetime(2026, 11, 19, tzinfo=UTC))
    one = invoice(2, "INV-1", 1000, issued=date(2026, 11, 18))

    (planned,) = plan([one], [nameless]).bills

    assert "a payment of this amount is there without its number" in planned.remark


class TestUntil:
    """When the payments end."""

    def test_for_so_long(self) -> None:
        terms = Terms(until=Until.LASTING, lasts=timedelta(days=14))
        (planned,) = plan([invoice(2)], terms=terms).bills
        assert planned.ends_at == NOW + timedelta(days=14)
        assert (planned.bill.expires_at, planned.bill.lasts) == (None, 14 * 86_400)

    def test_never_longer_than_servers_let_them(self) -> None:
        terms = Terms(until=Until.LASTING, lasts=timedelta(days=31))
        (planned,) = plan([invoice(2)], terms=terms).bills
        assert planned.ends_at == NOW + LONGEST

    def test_to_the_end_of_the_day_on_which_it_is_due(self) -> None:
        (planned,) = plan([invoice(2, due=date(2026, 11, 20))], terms=Terms(until=Until.DUE)).bills
        assert planned.bill.expires_at == datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
        assert planned.remark == ""

    def test_past_due_dates_are_named(self) -> None:
        found = plan([invoice(2, "INV-1", due=date(2026, 11, 19))], terms=Terms(until=Until.DUE))
        (left,) = found.left_out
        assert (left.cause, left.reason) == (
            Cause.PAST_DUE,
            "was due on 2026-11-19, which is past",
        )
        assert numbers(plan([invoice(2, "INV-1", due=date(2026, 11, 19))])) == ["INV-1"]

    def test_due_later_than_servers_let_them_last(self) -> None:
        (planned,) = plan([invoice(2, due=date(2027, 2, 1))], terms=Terms(until=Until.DUE)).bills
        assert planned.ends_at == NOW + LONGEST
        assert planned.bill.lasts == LONGEST.total_seconds()
        assert "30 days at the most" in planned.remark

    def test_without_a_due_date_the_server_decides(self) -> None:
        (planned,) = plan([invoice(2)], terms=Terms(until=Until.DUE)).bills
        assert (planned.ends_at, planned.remark) == (
            None,
            "no due date; the server's own limit holds",
        )


def test_only_what_is_named_is_looked_at() -> None:
    over = payment("p", 0, references=("INV-3",), state=State.EXPIRED_UNPAID, asked=1000)
    invoices = [invoice(row, f"INV-{row}") for row in (1, 2, 3)]
    broken = [Problem(4, "", "x")]

    found = plan(invoices, [over], terms=Terms(only=frozenset({"INV-2"})), problems=broken)
    assert (numbers(found), found.left_out) == (["INV-2"], ())

    terms = Terms(only=frozenset({"INV-2"}), again=frozenset({"INV-3"}))
    assert numbers(plan(invoices, [over], terms=terms)) == ["INV-2", "INV-3"]
    assert numbers(plan(invoices, [over], terms=Terms(again=frozenset({"INV-3"})))) == [
        "INV-1",
        "INV-2",
        "INV-3",
    ]
    results = reconcile(invoices, ()).invoices
    assert missing_numbers(results, Terms(only=frozenset({"INV-9", "INV-1"}))) == ("INV-9",)


_NUMBERS = st.sampled_from(["INV-1", "INV-2", "INV/1", "inv 3", "A"])
_INVOICES = st.lists(
    st.tuples(_NUMBERS, st.integers(1, 3), st.sampled_from([USD, EUR])), max_size=6
)
_PAYMENTS = st.lists(
    st.tuples(_NUMBERS, st.sampled_from(list(State)), st.integers(0, 3)), max_size=4
)
_BILLINGS = st.dictionaries(_NUMBERS, st.sampled_from(list(CreationStatus)), max_size=4)
_TERMS = st.builds(
    Terms,
    only=st.frozensets(_NUMBERS, max_size=2),
    again=st.frozensets(_NUMBERS, max_size=2),
    until=st.sampled_from(list(Until)),
    lasts=st.just(timedelta(days=3)),
)


@given(_INVOICES, _PAYMENTS, _BILLINGS, _TERMS)
def test_every_invoice_that_is_meant_has_one_place(
    rows: list[tuple[str, int, Asset]],
    paid: list[tuple[str, State, int]],
    billed: dict[str, CreationStatus],
    terms: Terms,
) -> None:
    invoices = [
        invoice(row, number, amount, asset)
        for row, (number, amount, asset) in enumerate(rows, start=2)
    ]
    payments = [
        payment(str(place), amount, references=(number,), state=state)
        for place, (number, state, amount) in enumerate(paid)
    ]
    billings = [billing(number, status) for number, status in billed.items()]

    found = plan(invoices, payments, billings, terms)

    places = [one.row for one in (*found.bills, *found.checking)]
    places += [one.row for one in found.left_out]
    assert sorted(places) == [one.row for one in invoices if terms.means(one.number)]
    made = [one.bill.invoice for one in (*found.bills, *found.checking)]
    assert len(set(made)) == len(made), "no number is billed twice"
    stands = {one.number for one in invoices} & {
        reference
        for one in payments
        for reference in one.references
        if one.state not in (State.EXPIRED_UNPAID, State.CLOSED_UNPAID)
    }
    assert not stands & set(made)
    unknown = {one.invoice for one in billings if one.is_unresolved}
    assert not unknown & set(numbers(found))
    assert found == plan(invoices, payments, billings, terms)
