"""A file of invoices held against the ledger, once, and what differs from the time before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from opdash.books.columns import Columns
from opdash.books.invoice_file import InvoiceFile
from opdash.books.ledger_side import BookWallet, LedgerSide, read_ledger
from opdash.books.reconciling import has_exceptions, reconcile
from opdash.books.records import (
    Invoice,
    InvoiceResult,
    PaymentClass,
    PaymentResult,
    Reconciliation,
)
from opdash.books.sources import Source, read_source
from opdash.books.tabular import Table
from opdash.ledger.reader import LedgerReader
from opdash.ledger.search.saved import SavedSearch
from opdash.ledger.search.terms import Query
from opdash.ledger.search.values import Moment
from opdash.openpayments.amounts import Asset


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """Invoices and payments, and what became of both.

    Attributes:
        source: The file.
        columns: How it was read.
        file: Its invoices, and the rows that could not be read.
        assets: Those of the wallet addresses, the usual one first.
        ledger: The payments, decisions, and how much is known.
        found: What became of them.
    """

    source: Source
    columns: Columns
    file: InvoiceFile
    assets: tuple[Asset, ...]
    ledger: LedgerSide
    found: Reconciliation

    @property
    def path(self) -> Path:
        """The file."""
        return self.source.path

    @property
    def table(self) -> Table:
        """Its rows."""
        return self.source.table

    @property
    def is_clear(self) -> bool:
        """Whether nobody has to look: no exceptions, no row left out, nothing unknown."""
        unread = self.file.problems or not self.ledger.is_complete
        return not unread and not has_exceptions(self.found)


def wallet_assets(reader: LedgerReader, wallets: Sequence[BookWallet]) -> tuple[Asset, ...]:
    """Return what wallet addresses hold, each asset once, as far as they have answered."""
    rows = (reader.wallet(wallet.address) for wallet in wallets)
    return tuple(dict.fromkeys(row.asset for row in rows if row is not None))


def hold_against(
    source: Source,
    reader: LedgerReader,
    wallets: Sequence[BookWallet],
    searches: Sequence[SavedSearch],
    moment: Moment,
    *,
    query: Query | None = None,
    before: Book | None = None,
) -> Book:
    """Hold a file against what the ledger knows.

    Args:
        source: The file.
        reader: The ledger.
        wallets: Whose payments.
        searches: A person's saved searches; some name what pays no invoice.
        moment: When, and where the person is.
        query: Which payments, or None for all.
        before: What was found the last time; of the same file nothing is read twice.

    Raises:
        FileError: The file's columns or amounts are not understood.
        SearchError: A saved search cannot be read.
    """
    assets = wallet_assets(reader, wallets)
    if before is not None and before.source is source and before.assets == assets:
        columns, file = before.columns, before.file
    else:
        columns, file = read_source(source, assets)
    ledger = read_ledger(reader, wallets, searches, moment, query)
    now = moment.now.astimezone(moment.zone)
    found = reconcile(
        file.invoices,
        ledger.payments,
        ledger.decisions,
        not_invoices=ledger.not_invoices,
        zone_offset=now.utcoffset() or timedelta(0),
        today=now.date(),
    )
    return Book(
        source=source, columns=columns, file=file, assets=assets, ledger=ledger, found=found
    )


# What differs from before


class InvoiceChange(msgspec.Struct, frozen=True):
    """An invoice that is not as it was; None where it was, or is, not in the file.

    Attributes:
        name: What `invoice_names` calls it.
        before: What was found before.
        after: What is found now.
    """

    name: str
    before: InvoiceResult | None
    after: InvoiceResult | None


class PaymentChange(msgspec.Struct, frozen=True):
    """A payment that is not as it was; ``before`` is None for a new one."""

    before: PaymentResult | None
    after: PaymentResult


def invoice_names(invoices: Iterable[Invoice]) -> tuple[str, ...]:
    """Return a name for each invoice that rows moving up or down in the file do not change.

    That is its number, and which of several with that number it is.
    """
    times: defaultdict[str, int] = defaultdict(int)
    names = []
    for invoice in invoices:
        times[invoice.number] += 1
        count = times[invoice.number]
        names.append(invoice.number if count == 1 else f"{invoice.number}\n{count}")
    return tuple(names)


def changed_invoices(before: Book, after: Book) -> tuple[InvoiceChange, ...]:
    """Return the invoices that are told otherwise than before, in the order of the file."""
    then = _by_name(before)
    now = _by_name(after)
    moved = [
        InvoiceChange(name, then.get(name), one)
        for name, one in now.items()
        if name not in then or _said(then[name]) != _said(one)
    ]
    left = [InvoiceChange(name, one, None) for name, one in then.items() if name not in now]
    return (*moved, *left)


def changed_payments(before: Book, after: Book) -> tuple[PaymentChange, ...]:
    """Return the payments whose class is another, and those of no invoice that received more."""
    then = {one.payment.id: one for one in before.found.payments}
    changes = []
    for one in after.found.payments:
        known = then.get(one.payment.id)
        is_loose = one.kind is PaymentClass.UNMATCHED
        if known is None:
            changes.append(PaymentChange(None, one))
        elif known.kind is not one.kind or (
            is_loose and known.payment.received != one.payment.received
        ):
            changes.append(PaymentChange(known, one))
    return tuple(changes)


def _by_name(book: Book) -> dict[str, InvoiceResult]:
    names = invoice_names(book.file.invoices)
    return dict(zip(names, book.found.invoices, strict=True))


def _said(one: InvoiceResult) -> tuple[object, ...]:
    """Return what a person is told about an invoice."""
    paid_by = tuple((found.payment_id, found.rule, found.amount) for found in one.matches)
    suggested = one.suggestion and one.suggestion.payment_id
    due = (one.invoice.amount, one.invoice.asset)
    return one.kind, one.received, one.apart, one.flags, due, paid_by, one.candidates, suggested
