"""The kinds of files there are; each is one module, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Final, NamedTuple, Protocol

from opdash.exports.records import Entry, FormatName, Statement, Wanted
from opdash.ledger.payment_stream import Batch
from opdash.openpayments.amounts import Asset


class FormatInfo(NamedTuple):
    """What is known of a kind of file without importing it.

    Attributes:
        module: Holds it, as the class ``Format``.
        title: What people call it.
        suffix: The end of its files' names.
        has_receipts: Whether it holds receipts; payments otherwise.
        names_accounts: Whether `opdash.exports.records.Names` mean anything to it.
    """

    module: str
    title: str
    suffix: str
    has_receipts: bool = True
    names_accounts: bool = True


FORMATS: Final[dict[FormatName, FormatInfo]] = {
    FormatName.CSV: FormatInfo(
        "opdash.exports.csv_table", "CSV, a row for each payment", ".csv", False, False
    ),
    FormatName.JSONL: FormatInfo(
        "opdash.exports.json_lines", "JSON Lines, a line for each payment", ".jsonl", False, False
    ),
    FormatName.HLEDGER: FormatInfo(
        "opdash.exports.hledger", "hledger journal, an entry for each receipt", ".journal"
    ),
    FormatName.BEANCOUNT: FormatInfo(
        "opdash.exports.beancount", "beancount ledger, an entry for each receipt", ".beancount"
    ),
    FormatName.OFX: FormatInfo(
        "opdash.exports.ofx", "OFX bank statement, an entry for each receipt", ".ofx"
    ),
    FormatName.CAMT053: FormatInfo(
        "opdash.exports.camt053", "ISO 20022 bank statement, an entry for each receipt", ".xml"
    ),
}
"""All kinds, in the order in which they are offered."""


class Page(NamedTuple):
    """Some payments of one wallet address.

    Attributes:
        wallet: Its name.
        address: The wallet address.
        batch: The payments, and what is noted on them.
    """

    wallet: str
    address: str
    batch: Batch


class PaymentFormat(Protocol):
    """A kind of file with a row for each payment."""

    def write(self, pages: Iterator[Page], asset: Callable[[int], Asset]) -> Iterator[str]:
        """Yield the file's text bit by bit.

        Args:
            pages: All payments; each is read once.
            asset: Returns the asset of a number.
        """
        ...


class ReceiptFormat(Protocol):
    """A kind of file with an entry for each receipt.

    Attributes:
        has_balances: Whether statements must know what was there before.
    """

    has_balances: bool

    def why_no_asset(self, asset: Asset, /) -> str:
        """Return why the format cannot hold an asset, the end of a sentence; empty if it can."""
        ...

    def why_not(self, entry: Entry, balance: int, /) -> str:
        """Return why the format cannot hold an entry, the end of a sentence; empty if it can.

        Args:
            entry: The entry.
            balance: Minor units of all entries of its statement up to it.
        """
        ...

    def write(
        self,
        statements: Sequence[Statement],
        entries: Callable[[Statement | None], Iterator[Entry]],
    ) -> Iterator[str]:
        """Yield the file's text bit by bit.

        Args:
            statements: The wallet addresses and assets that it holds.
            entries: Yields the entries of one of them, or of all, oldest first.
        """
        ...


def payment_format(wanted: Wanted) -> PaymentFormat:
    """Return the kind of file for payments that is wanted."""
    made: PaymentFormat = import_module(FORMATS[wanted.format].module).Format(wanted)
    return made


def receipt_format(wanted: Wanted) -> ReceiptFormat:
    """Return the kind of file for receipts that is wanted.

    Raises:
        InputError: The names of its accounts cannot be used.
    """
    made: ReceiptFormat = import_module(FORMATS[wanted.format].module).Format(wanted)
    return made
