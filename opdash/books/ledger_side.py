"""What the ledger puts into the books: payments, decisions, and how much of the truth it knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from opdash.books.reconciling import book_payment
from opdash.books.records import BookPayment, Decisions, Link
from opdash.ledger.decisions import Decision, DecisionKind
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, PaymentRow, Scope
from opdash.ledger.search.reading import read_query
from opdash.ledger.search.saved import SavedSearch, searches_for
from opdash.ledger.search.terms import Query
from opdash.ledger.search.values import Moment

_AT_ONCE = 2_000


class BookWallet(msgspec.Struct, frozen=True):
    """A wallet address whose payments are looked at.

    Attributes:
        name: What a person calls it.
        address: The wallet address.
        scope: What opdash may see of it.
    """

    name: str
    address: str
    scope: Scope


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """How much the ledger knows of a wallet address.

    Attributes:
        wallet: The wallet address.
        known: How many payments are known.
        looked_at: How many of them were held against invoices.
        complete: Whether the server's whole list is known.
        last_poll_at: When the server last answered, or None.
    """

    wallet: BookWallet
    known: int
    looked_at: int
    complete: bool
    last_poll_at: datetime | None


class LedgerSide(msgspec.Struct, frozen=True):
    """The ledger's side of the books.

    Attributes:
        payments: All payments looked at; each URL once.
        decisions: What people decided, as it stands.
        not_invoices: URLs of payments that saved searches name as no invoice's.
        known: How much is known, for each wallet address.
        decided: All that was ever decided, oldest first.
    """

    payments: tuple[BookPayment, ...]
    decisions: Decisions
    not_invoices: frozenset[str]
    known: tuple[Known, ...]
    decided: tuple[Decision, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing that opdash may see."""
        return bool(self.known) and all(one.complete for one in self.known)


def read_ledger(
    reader: LedgerReader,
    wallets: Sequence[BookWallet],
    searches: Sequence[SavedSearch],
    moment: Moment,
    query: Query | None = None,
) -> LedgerSide:
    """Read all that invoices are held against.

    Args:
        reader: The ledger.
        wallets: Whose payments.
        searches: A person's own saved searches; those that say so name what pays no invoice.
        moment: When and where saved searches are read.
        query: Which payments, or None for all.

    Raises:
        SearchError: A saved search cannot be read.
    """
    payments: dict[str, BookPayment] = {}
    decided: list[Decision] = []
    not_invoices: set[str] = set()
    known: list[Known] = []
    for wallet in wallets:
        before = len(payments)
        for row in _rows(reader, wallet.address, query):
            payments.setdefault(row.id, book_payment(row))
        decided += reader.decisions(wallet.address)
        for search in searches_for(searches, wallet.name):
            if search.not_invoice:
                wanted = read_query(search.query, moment)
                not_invoices |= {row.id for row in _rows(reader, wallet.address, wanted)}
        known.append(_known(reader, wallet, len(payments) - before))
    return LedgerSide(
        tuple(payments.values()),
        standing_decisions(decided),
        frozenset(not_invoices),
        tuple(known),
        tuple(sorted(decided, key=lambda one: one.id)),
    )


def standing_decisions(decided: Iterable[Decision]) -> Decisions:
    """Return what of all decisions stands."""
    stand = [one for one in decided if one.stands]
    return Decisions(
        links=tuple(
            Link(one.invoice, one.payment_id, one.amount)
            for one in stand
            if one.kind is DecisionKind.LINK
        ),
        rejected=frozenset(
            (one.invoice, one.payment_id) for one in stand if one.kind is DecisionKind.REJECTION
        ),
    )


def _known(reader: LedgerReader, wallet: BookWallet, looked_at: int) -> Known:
    row = reader.wallet(wallet.address)
    return Known(
        wallet=wallet,
        known=0 if row is None else row.known,
        looked_at=looked_at,
        complete=row is not None and row.complete,
        last_poll_at=None if row is None else row.last_poll_at,
    )


def _rows(reader: LedgerReader, address: str, query: Query | None) -> Iterator[PaymentRow]:
    """Yield payments, newest first; one twice where others arrive meanwhile."""
    offset = 0
    while rows := reader.window(address, NEWEST_FIRST, offset, _AT_ONCE, query):
        yield from rows
        offset += len(rows)
