"""Making an export: from the ledger to a file that is whole, and what it holds to the mark.

Everything is read inside one snapshot. What was written is added up while it is written and held
against the ledger's own totals, which are added up in another way; where the two differ, there is
no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from opdash.exports.choosing import Choice
from opdash.exports.entries import Entries
from opdash.exports.formats import FORMATS, Page, payment_format, receipt_format
from opdash.exports.records import (
    AssetSum,
    Entry,
    Exported,
    ExportError,
    ExportWallet,
    Known,
    Statement,
    Sums,
    Wanted,
    added,
)
from opdash.ledger.export_marks import ExportMark
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope

Write = Callable[[str], object]
"""Takes some of a file's text."""


class Destination(Protocol):
    """Where an export goes.

    Attributes:
        path: The file, or None for standard output.
    """

    path: Path | None

    def opened(self) -> AbstractContextManager[Write]:
        """Let the body write; what it wrote is there when it has ended without an exception."""
        ...


class MarkKeeper(Protocol):
    """Whoever can write to the ledger how far exports have come; `Ledger` can."""

    def mark_export(self, wallet_id: str, kind: str, mark: ExportMark, before: ExportMark) -> bool:
        """Write down how far a kind of export of a wallet address has come."""
        ...


class Marks:
    """The marks that a whole export moves.

    Attributes:
        kind: The kind of export.
        moves: For each wallet address how far it had come, and how far it has come now.
    """

    def __init__(self, kind: str, moves: dict[str, tuple[ExportMark, ExportMark]]) -> None:
        self.kind = kind
        self.moves = moves

    def keep(self, keeper: MarkKeeper) -> bool:
        """Write them down; return whether no other export of the kind was quicker."""
        moved = [
            keeper.mark_export(address, self.kind, mark, before)
            for address, (before, mark) in self.moves.items()
        ]
        return all(moved)


def export(
    reader: LedgerReader, wanted: Wanted, destination: Destination
) -> tuple[Exported, Marks]:
    """Write what is wanted.

    Args:
        reader: The ledger; nobody else uses this reader meanwhile.
        wanted: What is to be exported.
        destination: Where it goes.

    Returns:
        What was written, and the marks to move by now; there are none without ``since_last``.

    Raises:
        ExportError: Nothing was written.
        InputError: Names of accounts, or the destination, cannot be used; nothing was written.
        LedgerError: The ledger cannot be read; nothing was written.
        OSError: The destination cannot be written; a file is as it was.
    """
    with reader.snapshot():
        choice = Choice(reader, wanted)
        has_receipts = FORMATS[wanted.format].has_receipts
        writing = _write_receipts if has_receipts else _write_payments
        exported = writing(reader, wanted, choice, destination)
        now = ExportMark(choice.last_entry, wanted.now)
        moves = {
            address: (before, now)
            for address, before in choice.marks.items()
            if reader.wallet(address) is not None
        }
    return exported, Marks(wanted.kind, moves if wanted.since_last else {})


def _write_payments(
    reader: LedgerReader, wanted: Wanted, choice: Choice, destination: Destination
) -> Exported:
    kind = payment_format(wanted)
    counted = _Counted()
    with destination.opened() as write:
        for text in kind.write(counted.through(choice.pages()), reader.asset):
            write(text)
        sums = counted.sums(reader)
        if not any(mark.entry for mark in choice.marks.values()):
            query = choice.payments_query
            _check(
                sums,
                added(_totals(reader, wallet, choice) for wallet in wanted.wallets),
                "payments" if query is None else "payments that match",
            )
    return Exported(
        wanted=wanted,
        path=destination.path,
        rows=sum(one.count for one in sums),
        sums=sums,
        left_out=(),
        may_be_several=0,
        taken_back=0,
        known=_known(reader, wanted, choice),
    )


def _write_receipts(
    reader: LedgerReader, wanted: Wanted, choice: Choice, destination: Destination
) -> Exported:
    kind = receipt_format(wanted)
    entries = Entries(reader, wanted, choice, kind)
    statements = entries.statements()
    if wanted.period is None and not any(mark.entry for mark in choice.marks.values()):
        written = added([entries.sums, *(left.sums for left in entries.left_out)])
        known = added(_totals(reader, wallet, choice) for wallet in wanted.wallets)
        _check(_amounts(written), _amounts(known), "receipts")
    counted = _CountedEntries(entries)
    with destination.opened() as write:
        for text in kind.write(statements, counted.through):
            write(text)
        _check(counted.sums.all(), entries.sums, "receipts")
    return Exported(
        wanted=wanted,
        path=destination.path,
        rows=entries.rows,
        sums=entries.sums,
        left_out=entries.left_out,
        may_be_several=entries.may_be_several,
        taken_back=entries.taken_back,
        known=_known(reader, wanted, choice),
    )


class _Counted:
    """Adds up payments on their way into a file."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._amounts: dict[int, int] = {}

    def through(self, pages: Iterator[Page]) -> Iterator[Page]:
        counts, amounts = self._counts, self._amounts
        for page in pages:
            for payment in page.batch.payments:
                number = payment.received_asset
                amounts[number] = amounts.get(number, 0) + int(payment.received[2:])
                counts[number] = counts.get(number, 0) + 1
            yield page

    def sums(self, reader: LedgerReader) -> tuple[AssetSum, ...]:
        sums = Sums()
        for number, amount in self._amounts.items():
            sums.add(reader.asset(number), amount, self._counts[number])
        return sums.all()


class _CountedEntries:
    """Adds up entries on their way into a file."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self.sums = Sums()

    def through(self, statement: Statement | None) -> Iterator[Entry]:
        for entry in self._entries.entries(statement):
            self.sums.add(entry.asset, entry.step.delta)
            yield entry


def _totals(reader: LedgerReader, wallet: ExportWallet, choice: Choice) -> tuple[AssetSum, ...]:
    """Return what the ledger says that a wallet address's payments have received."""
    totals = reader.totals(wallet.address, choice.payments_query)
    return tuple(AssetSum(one.asset, one.count, one.received) for one in totals)


def _amounts(sums: tuple[AssetSum, ...]) -> tuple[AssetSum, ...]:
    """Return sums without counts: a payment has any number of receipts."""
    return tuple(AssetSum(one.asset, 0, one.amount) for one in sums if one.amount)


def _check(written: tuple[AssetSum, ...], known: tuple[AssetSum, ...], what: str) -> None:
    if written != known:
        raise _does_not_add_up(what)


def _does_not_add_up(what: str) -> ExportError:
    return ExportError(
        f"The {what} do not add up to the ledger's totals; nothing was written.",
        "Run “opdash ledger check”: it finds out what is wrong with the ledger.",
    )


def _known(reader: LedgerReader, wanted: Wanted, choice: Choice) -> tuple[Known, ...]:
    return tuple(_known_of(reader, wallet, choice) for wallet in wanted.wallets)


def _known_of(reader: LedgerReader, wallet: ExportWallet, choice: Choice) -> Known:
    row = reader.wallet(wallet.address)
    walks = [reader.walk_state(wallet.address, scope) for scope in Scope]
    has_gaps = any(walk is not None and walk.gaps for walk in walks)
    return Known(
        wallet=wallet,
        known=0 if row is None else row.known,
        complete=row is not None and row.complete and not has_gaps,
        last_poll_at=None if row is None else row.last_poll_at,
        told_until=choice.marks[wallet.address].at,
    )
