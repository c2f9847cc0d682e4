"""The adversarial corpus: nothing is matched wrongly, and all that can be read is matched."""

from __future__ import annotations

import pytest

from opdash.books.reconciling import book_payment, reconcile
from opdash.books.records import InvoiceClass, Rule
from tests.books.corpus import Corpus, corpus


@pytest.fixture(scope="module")
def shop() -> Corpus:
    return corpus(2_000)


def test_nothing_is_matched_wrongly(shop: Corpus) -> None:
    found = reconcile(shop.invoices, [book_payment(row) for row in shop.rows])
    pairs = {(match.payment_id, match.row) for one in found.payments for match in one.matches}
    rules = {match.rule for one in found.payments for match in one.matches}

    assert pairs == set(shop.named.items())
    assert rules == {*Rule} - {Rule.LINK, Rule.AMOUNT}


def test_what_is_swapped_is_never_paid(shop: Corpus) -> None:
    found = reconcile(shop.invoices, [book_payment(row) for row in shop.rows])
    kinds = {one.invoice.row: one.kind for one in found.invoices}

    assert shop.swapped
    assert {kinds[row] for row in shop.swapped} <= {InvoiceClass.OVERPAID, InvoiceClass.UNDERPAID}


def test_the_rest_is_only_suggested(shop: Corpus) -> None:
    found = reconcile(shop.invoices, [book_payment(row) for row in shop.rows])
    suggested = [one.suggestion for one in found.invoices if one.suggestion is not None]

    assert shop.spoilt
    assert {one.payment_id for one in suggested} <= shop.spoilt.keys()
    assert {one.rule for one in suggested} <= {Rule.AMOUNT}


def test_another_seed_is_another_shop() -> None:
    assert corpus(50, 1) == corpus(50, 1)
    assert corpus(50, 1).named != corpus(50, 2).named
