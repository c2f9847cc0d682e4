"""Which payments and receipts an export holds, read from the ledger in a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import merge

from msgspec.structs import replace

from opdash.exports.formats import Page
from opdash.exports.records import ExportWallet, Wanted
from opdash.ledger.export_marks import NO_MARK, ExportMark
from opdash.ledger.reader import LedgerReader
from opdash.ledger.receipt_steps import ReceiptStep
from opdash.ledger.search.terms import All, InstantField, InstantIn, Query

Chosen = Callable[[int], bool]
"""Tells of a payment's number whether the query matches it."""


class Choice:
    """What one export is about; lives as long as one snapshot of the ledger.

    Args:
        reader: The ledger, inside of `LedgerReader.snapshot`.
        wanted: What is to be exported.

    Attributes:
        marks: How far exports of this kind have come, for each wallet address; as before the first
            where all is wanted.
        last_entry: The number of the ledger's last step.
    """

    def __init__(self, reader: LedgerReader, wanted: Wanted) -> None:
        self._reader = reader
        self._wanted = wanted
        self._chosen: dict[str, Chosen] = {}
        self.last_entry = reader.last_entry()
        self.marks: dict[str, ExportMark] = {
            wallet.address: reader.export_mark(wallet.address, wanted.kind)
            if wanted.since_last
            else NO_MARK
            for wallet in wanted.wallets
        }

    @property
    def payments_query(self) -> Query | None:
        """Which payments were created in the period and match the query; None for all."""
        query, period = self._wanted.query, self._wanted.period
        if period is None:
            return query
        created = InstantIn(InstantField.CREATED, period.start, period.end)
        terms = () if query is None else query.tree.terms
        return Query("" if query is None else query.text, All((*terms, created)))

    def pages(self) -> Iterator[Page]:
        """Yield the payments, wallet by wallet, oldest first."""
        query = self.payments_query
        for wallet in self._wanted.wallets:
            after = self.marks[wallet.address].entry
            for batch in self._reader.payment_batches(wallet.address, query, after=after):
                yield Page(wallet.name, wallet.address, batch)

    def steps(
        self, wallet: ExportWallet, *, from_the_beginning: bool = False
    ) -> Iterator[ReceiptStep]:
        """Yield the steps of a wallet address's payments that match the query, oldest first.

        Args:
            wallet: Whose.
            from_the_beginning: Whether to yield all until the period ends, also those of before and
                those that were exported; `is_asked_for` tells them apart.
        """
        period, chosen = self._wanted.period, self._chosen_of(wallet)
        found = self._reader.receipt_steps(
            wallet.address,
            start=None if period is None or from_the_beginning else period.start,
            end=None if period is None else period.end,
            after=0 if from_the_beginning else self.marks[wallet.address].entry,
        )
        if self._wanted.query is None:
            return found
        return (step for step in found if chosen(step.payment_number))

    def all_steps(self) -> Iterator[tuple[ExportWallet, ReceiptStep]]:
        """Yield the steps that are asked for of all wallet addresses, oldest first."""
        return merge(*map(self._told, self._wanted.wallets), key=lambda told: told[1].at)

    def is_asked_for(self, wallet: ExportWallet, step: ReceiptStep) -> bool:
        """Return whether a step lies in the period and was not exported before."""
        period = self._wanted.period
        return step.entry > self.marks[wallet.address].entry and (
            period is None or step.at >= period.start
        )

    def matches(self, wallet: ExportWallet, number: int) -> bool:
        """Return whether a payment matches the query."""
        return self._chosen_of(wallet)(number)

    def _told(self, wallet: ExportWallet) -> Iterator[tuple[ExportWallet, ReceiptStep]]:
        return ((wallet, step) for step in self.steps(wallet))

    def _chosen_of(self, wallet: ExportWallet) -> Chosen:
        chosen = self._chosen.get(wallet.address)
        if chosen is None:
            query = self._wanted.query
            if query is None:
                chosen = _any
            else:
                chosen = _among(self._reader.matches(wallet.address, query).keys)
            self._chosen[wallet.address] = chosen
        return chosen


def _any(_number: int) -> bool:
    return True


def _among(keys: Sequence[int]) -> Chosen:
    """Return whether a number is one of these: a byte for each payment, however many match."""
    marked = bytearray(max(keys, default=-1) + 1)
    for key in keys:
        marked[key] = 1
    return lambda number: number < len(marked) and bool(marked[number])


def without_doubles(wallets: Sequence[ExportWallet]) -> tuple[ExportWallet, ...]:
    """Return wallets, each address once, with the wider scope where two profiles share one."""
    kept: dict[str, ExportWallet] = {}
    for wallet in wallets:
        known = kept.setdefault(wallet.address, wallet)
        if not known.scope.covers(wallet.scope):
            kept[wallet.address] = replace(known, scope=wallet.scope)
    return tuple(kept.values())
