"""Which payment belongs to which invoice, stage by stage."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from opdash.books.matching import match
from opdash.books.records import BookPayment, Decisions, Invoice, Link, Match, Rule
from tests.books.builders import EUR, SERVER, USD, invoice, payment


def pairs(
    invoices: list[Invoice], payments: list[BookPayment], decisions: Decisions | None = None
) -> dict[tuple[int, str], Rule]:
    """Return row and payment of all matches, with the rule."""
    found = match(invoices, payments, decisions or Decisions())
    return {(one.row, one.payment_id.rsplit("/", 1)[1]): one.rule for one in found.matches}


@pytest.mark.parametrize(
    ("found_by", "rule"),
    [
        (payment("p", references=("INV-0001",)), Rule.REFERENCE),
        (payment("p", references=("other", "INV-0001")), Rule.REFERENCE),
        (payment("p", references=("inv 0001",)), Rule.NORMALISED),
        (payment("p", description="for inv-0001, thanks"), Rule.DESCRIPTION),
    ],
)
def test_each_stage_names_its_rule(found_by: BookPayment, rule: Rule) -> None:
    assert pairs([invoice(1), invoice(2)], [found_by]) == {(1, "p"): rule}


def test_a_payment_url_on_the_invoice_wins_over_a_reference() -> None:
    invoices = [invoice(1), invoice(2, payment_url=f"{SERVER}/p/")]

    assert pairs(invoices, [payment("p", references=("INV-0001",))]) == {(2, "p"): Rule.URL}


def test_a_person_wins_over_everything() -> None:
    invoices = [invoice(1), invoice(2, payment_url=f"{SERVER}/p"), invoice(3)]
    linked = Decisions(links=(Link("INV-0003", f"{SERVER}/p"),))

    assert pairs(invoices, [payment("p", references=("INV-0001",))], linked) == {
        (3, "p"): Rule.LINK
    }


def test_a_link_to_an_invoice_of_another_file_keeps_rules_away() -> None:
    linked = Decisions(links=(Link("INV-9999", f"{SERVER}/p"),))

    assert pairs([invoice(1)], [payment("p", references=("INV-0001",))], linked) == {}


def test_a_rejected_pair_never_matches_again() -> None:
    rejected = Decisions(rejected=frozenset({("INV-0001", f"{SERVER}/p")}))
    one = payment("p", references=("INV-0001",), description="INV-0001")

    assert pairs([invoice(1)], [one], rejected) == {}


def test_a_rejected_pair_leaves_the_payment_to_the_next_stage() -> None:
    rejected = Decisions(rejected=frozenset({("INV-0001", f"{SERVER}/p")}))
    one = payment("p", references=("INV-0001",), description="INV-0002")

    assert pairs([invoice(1), invoice(2)], [one], rejected) == {(2, "p"): Rule.DESCRIPTION}


def test_two_references_to_two_invoices_are_ambiguous() -> None:
    found = match(
        [invoice(1), invoice(2)],
        [payment("p", references=("INV-0001", "INV-0002"))],
        Decisions(),
    )

    assert found.matches == ()
    assert found.ambiguous == {f"{SERVER}/p": (1, 2)}


def test_spellings_that_collide_are_ambiguous() -> None:
    invoices = [invoice(1, "INV-10 1"), invoice(2, "INV-101")]
    found = match(invoices, [payment("p", references=("inv/101",))], Decisions())

    assert found.ambiguous == {f"{SERVER}/p": (1, 2)}


def test_an_exact_reference_is_not_ambiguous_for_a_spelling_that_collides() -> None:
    invoices = [invoice(1, "INV-10 1"), invoice(2, "INV-101")]

    assert pairs(invoices, [payment("p", references=("INV-101",))]) == {(2, "p"): Rule.REFERENCE}


def test_a_description_that_names_two_invoices_is_ambiguous() -> None:
    found = match(
        [invoice(1), invoice(2)], [payment("p", description="INV-0001 and INV-0002")], Decisions()
    )

    assert found.ambiguous == {f"{SERVER}/p": (1, 2)}


def test_an_ambiguous_payment_is_not_settled_by_a_weaker_stage() -> None:
    one = payment("p", references=("INV-0001", "INV-0002"), description="INV-0003")

    assert pairs([invoice(1), invoice(2), invoice(3)], [one]) == {}


def test_split_links_give_no_minor_unit_away_twice() -> None:
    url = f"{SERVER}/p"
    split = Decisions(
        links=(Link("INV-0001", url, 600), Link("INV-0002", url, 700), Link("INV-0003", url))
    )
    found = match([invoice(1), invoice(2), invoice(3)], [payment("p", 1000)], split)

    assert [(one.row, one.amount) for one in found.matches] == [(1, 600), (2, 400), (3, 0)]


# Suggestions


def suggestions(
    invoices: list[Invoice], payments: list[BookPayment], decisions: Decisions | None = None
) -> tuple[Match, ...]:
    """Return what is suggested, having made sure that nothing is matched by itself."""
    found = match(invoices, payments, decisions or Decisions())
    assert found.matches == ()
    return found.suggestions


def test_amount_and_date_only_suggest() -> None:
    (one,) = suggestions([invoice(1, issued=date(2026, 10, 10))], [payment("p")])

    assert (one.row, one.payment_id, one.rule) == (1, f"{SERVER}/p", Rule.AMOUNT)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (invoice(1), payment("p", 999)),
        (invoice(1, asset=EUR), payment("p", asset=USD)),
        (invoice(1, issued=date(2026, 10, 16)), payment("p")),
        (invoice(1, issued=date(2026, 9, 1), due=date(2026, 9, 11)), payment("p")),
    ],
)
def test_another_amount_asset_or_time_suggests_nothing(first: Invoice, second: BookPayment) -> None:
    assert suggestions([first], [second]) == ()


def test_two_payments_or_two_invoices_of_one_amount_suggest_nothing() -> None:
    assert suggestions([invoice(1)], [payment("p"), payment("q")]) == ()
    assert suggestions([invoice(1), invoice(2)], [payment("p")]) == ()


def test_dates_tell_equal_amounts_apart() -> None:
    invoices = [invoice(1, issued=date(2026, 10, 10)), invoice(2, issued=date(2026, 5, 1))]
    spring = payment("q", created_at=datetime(2026, 5, 2, tzinfo=UTC))

    found = suggestions(invoices, [payment("p"), spring])

    assert {(one.row, one.payment_id[-1]) for one in found} == {(1, "p"), (2, "q")}


def test_a_rejected_suggestion_does_not_come_back() -> None:
    rejected = Decisions(rejected=frozenset({("INV-0001", f"{SERVER}/p")}))

    assert suggestions([invoice(1)], [payment("p")], rejected) == ()


def test_what_is_no_invoice_is_not_suggested() -> None:
    found = match([invoice(1)], [payment("p")], Decisions(), not_invoices={f"{SERVER}/p"})

    assert found.suggestions == ()


def test_days_are_those_of_the_zone() -> None:
    late = payment("p", created_at=datetime(2026, 10, 6, 23, 30, tzinfo=UTC))
    invoices = [invoice(1, issued=date(2026, 10, 10))]

    assert match(invoices, [late], Decisions()).suggestions == ()
    assert match(invoices, [late], Decisions(), zone_offset=timedelta(hours=2)).suggestions
