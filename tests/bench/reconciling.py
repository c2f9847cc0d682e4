"""Reconciling: from a merchant's file to the result, and whether every automatic match is right."""

from __future__ import annotations

import csv
import gc
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from time import process_time

import msgspec

from opdash.books.invoice_file import guess_places, read_invoices, settle
from opdash.books.reconciling import book_payment, invoice_sums, payment_sums, reconcile
from opdash.books.records import InvoiceClass, Reconciliation
from opdash.books.tabular import read_table
from opdash.ledger.records import PaymentRow
from opdash.openpayments.amounts import format_minor
from tests.bench.figures import Bar, Figure
from tests.books.corpus import USD, Corpus, corpus

_PAIRS = 10_000
_TIMES = 10
_ROUNDS = 4


def _reconcile(file: Path, rows: Sequence[PaymentRow]) -> Reconciliation:
    """Read a file, look through the payments' metadata, match, and add up."""
    table = read_table(file)
    columns = settle(table, guess_places(table), (USD,))
    invoices = read_invoices(table, columns, (USD,)).invoices
    result = reconcile(invoices, [book_payment(row) for row in rows])
    invoice_sums(result.invoices)
    payment_sums(result.payments)
    return result


def _spend(file: Path, rows: Sequence[PaymentRow]) -> float:
    gc.collect()
    started = process_time()
    result = _reconcile(file, rows)
    spent = process_time() - started
    assert len(result.payments) == len(rows)
    return spent


@cache
def _seconds() -> tuple[float, float]:
    """Return the least CPU of 10,000 and of 100,000 pairs, measured in turns."""
    with tempfile.TemporaryDirectory(prefix="opdash-bench-") as directory:
        some = _written(Path(directory) / "some.csv", corpus(_PAIRS, shuffled=False))
        many = _written(Path(directory) / "many.csv", corpus(_PAIRS * _TIMES, shuffled=False))
        spent = [(_spend(*some), _spend(*many)) for _ in range(_ROUNDS)]
    return min(few for few, _ in spent), min(much for _, much in spent)


def _written(path: Path, shop: Corpus) -> tuple[Path, list[PaymentRow]]:
    """Write a corpus's invoices as a file; return it with the payments as the ledger gives them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Invoice", "Amount", "Currency", "Date", "Payment URL"])
        writer.writerows(
            (one.number, format_minor(one.amount, 2), "USD", one.issued, one.payment_url)
            for one in shop.invoices
        )
    # Read from a ledger, rows that follow each other lie beside each other in memory.
    rows = msgspec.msgpack.decode(msgspec.msgpack.encode(shop.rows), type=list[PaymentRow])
    return path, rows


def _growth() -> float:
    few, many = _seconds()
    return many / few


@cache
def _judged() -> tuple[int, float]:
    """Return how many automatic matches are wrong, and the share of readable ones found, in %."""
    shop = corpus(_PAIRS)
    found = reconcile(shop.invoices, [book_payment(row) for row in shop.rows])
    pairs = {(match.payment_id, match.row) for one in found.payments for match in one.matches}
    true = set(shop.named.items())
    paid = {one.invoice.row for one in found.invoices if one.kind is InvoiceClass.PAID}
    return len(pairs - true) + len(shop.swapped & paid), 100 * len(pairs & true) / len(true)


FIGURES = (
    Figure(
        "reconcile_10k",
        "s of CPU from a file of 10,000 invoices to the result against as many payments",
        Bar.AT_MOST,
        1.0,
        lambda: _seconds()[0],
    ),
    Figure(
        "reconcile_growth",
        "× the CPU of 10,000 pairs for 100,000",
        Bar.AT_MOST,
        12.0,
        _growth,
    ),
    Figure(
        "reconcile_wrong",
        "automatic matches that are wrong, or swapped and PAID, of 10,000 adversarial pairs",
        Bar.AT_MOST,
        0.0,
        lambda: float(_judged()[0]),
    ),
    Figure(
        "reconcile_recall",
        "% of the pairs whose reference can be read",
        Bar.AT_LEAST,
        100.0,
        lambda: _judged()[1],
    ),
)
