"""The index over the payments' texts: which payments hold three letters or more in a row.

``words`` is an FTS5 table of trigrams without contents of its own. Its rowids are the numbers of
``document``, which leads from them to payments. A number is made of the wallet address, the second
in which the payment was created, counted backwards, and a counter::

    | wallet address, 8 bits | 2^33 − 1 − second, 33 bits | counter, 22 bits |

Read in the order of rowids, the matches of a wallet address come newest first, second by second,
without sorting: so a first window is there before the last match is known.

A payment whose texts are not in the index stands in ``unindexed``; a search reads those one by one.
That is how a ledger of version 1 begins, and how all of it stays where SQLite has no trigrams.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import cache
from typing import Final

import msgspec

from opdash.ledger.sheet_writer import SheetWriter
from opdash.ledger.sheets import Contents, forget_sheets, read_gap

_COUNTERS: Final = 1 << 22
_SECONDS: Final = 1 << 33
_WALLETS: Final = 256
_MICROSECONDS: Final = 1_000_000
_TABLE: Final = """CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    reference, description, others,
    content = '', columnsize = 0, tokenize = 'trigram case_sensitive 1')"""


class Document(msgspec.Struct, frozen=True):
    """A payment's texts as sent, and where it stands in the order.

    Attributes:
        payment_key: Its number.
        created_at: When it was created, encoded.
        reference: Its reference.
        description: Its description.
        metadata_json: Its metadata.
    """

    payment_key: int
    created_at: int
    reference: str
    description: str
    metadata_json: str

    @property
    def contents(self) -> Contents:
        """What a search finds in them."""
        return Contents.of(self.reference, self.description, self.metadata_json)


@cache
def has_trigrams() -> bool:
    """Return whether this machine's SQLite can keep the index."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(_TABLE)
    except sqlite3.OperationalError:
        return False
    else:
        return True
    finally:
        connection.close()


def is_indexed(connection: sqlite3.Connection) -> bool:
    """Return whether a ledger has an index that this machine can read."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'words'")
    return found.fetchone() is not None and has_trigrams()


def wallet_span(wallet_key: int) -> tuple[int, int]:
    """Return the first and the last number that documents of a wallet address can have."""
    first = wallet_key % _WALLETS * _SECONDS * _COUNTERS
    return first, first + _SECONDS * _COUNTERS - 1


def second_of(document_key: int) -> int:
    """Return what documents of one second have in common."""
    return document_key // _COUNTERS


def _second_span(wallet_key: int, created_at: int) -> tuple[int, int]:
    second = min(max(created_at // _MICROSECONDS, 0), _SECONDS - 1)
    first = (wallet_key % _WALLETS * _SECONDS + _SECONDS - 1 - second) * _COUNTERS
    return first, first + _COUNTERS - 1


class TextIndex:
    """Keeps the texts of one wallet address's payments; lives as long as one transaction."""

    def __init__(self, connection: sqlite3.Connection, wallet_key: int) -> None:
        self._connection = connection
        self._wallet_key = wallet_key
        self._next: dict[int, int] = {}

    def add(self, documents: Iterable[tuple[Document, Contents]]) -> None:
        """Take in payments that are not in the index; those without any text need no place."""
        written = [(document, held.texts) for document, held in documents if any(held.texts)]
        if not written:
            return
        if not has_trigrams():
            self._connection.executemany(
                "INSERT OR IGNORE INTO unindexed VALUES (?)",
                [(document.payment_key,) for document, _ in written],
            )
            return
        self._connection.execute(_TABLE)
        # FTS5 gathers a transaction's rows in memory as long as their numbers ascend.
        rows = sorted((self._new_key(document), document, texts) for document, texts in written)
        self._connection.executemany(
            "INSERT INTO document VALUES (?, ?)",
            [(key, document.payment_key) for key, document, _ in rows],
        )
        self._connection.executemany(
            "INSERT INTO words (rowid, reference, description, others) VALUES (?, ?, ?, ?)",
            [(key, *texts) for key, _, texts in rows],
        )

    def remove(self, documents: Iterable[Document]) -> None:
        """Drop payments, given as they were when they were taken in."""
        for document in documents:
            self._connection.execute(
                "DELETE FROM unindexed WHERE payment_key = ?", (document.payment_key,)
            )
            found = self._connection.execute(
                "SELECT doc_key FROM document WHERE payment_key = ? AND doc_key BETWEEN ? AND ?",
                (document.payment_key, *_second_span(self._wallet_key, document.created_at)),
            ).fetchone()
            if found is None:
                continue
            self._connection.execute("DELETE FROM document WHERE doc_key = ?", found)
            if has_trigrams():
                self._connection.execute(
                    """INSERT INTO words (words, rowid, reference, description, others)
                       VALUES ('delete', ?, ?, ?, ?)""",
                    (*found, *document.contents.texts),
                )

    def _new_key(self, document: Document) -> int:
        first, last = _second_span(self._wallet_key, document.created_at)
        if first not in self._next:
            (taken,) = self._connection.execute(
                "SELECT MAX(doc_key) FROM document WHERE doc_key BETWEEN ? AND ?", (first, last)
            ).fetchone()
            self._next[first] = first if taken is None else taken + 1
        key = self._next[first]
        self._next[first] += 1
        return key


def is_waiting(connection: sqlite3.Connection) -> bool:
    """Return whether there are payments that searches do not find quickly yet."""
    unindexed = connection.execute("SELECT 1 FROM unindexed LIMIT 1").fetchone() is not None
    gap = read_gap(connection)
    return gap.first <= gap.last or (unindexed and has_trigrams())


def index_some(connection: sqlite3.Connection, limit: int) -> bool:
    """Take in payments that wait for it, about ``limit``; inside a transaction.

    Returns:
        Whether more are waiting that can be taken in.
    """
    more_sheets = SheetWriter(connection).take_in(limit)
    return _index_texts(connection, limit) or more_sheets


def _index_texts(connection: sqlite3.Connection, limit: int) -> bool:
    if not has_trigrams():
        return False
    found = connection.execute(
        """SELECT p.wallet_key, p.payment_key, p.created_at, p.reference, p.description, p.metadata
           FROM unindexed u JOIN payment p ON p.payment_key = u.payment_key
           ORDER BY u.payment_key LIMIT ?""",
        (limit,),
    ).fetchall()
    by_wallet: dict[int, list[Document]] = {}
    for wallet_key, *columns in found:
        by_wallet.setdefault(wallet_key, []).append(Document(*columns))
    for wallet_key, documents in by_wallet.items():
        TextIndex(connection, wallet_key).add((one, one.contents) for one in documents)
    connection.executemany("DELETE FROM unindexed WHERE payment_key = ?", [(f[1],) for f in found])
    return len(found) == limit


def forget_texts(connection: sqlite3.Connection, wallet_key: int) -> None:
    """Drop what searches read of a wallet address; in a transaction, before its payments go."""
    forget_sheets(connection, wallet_key)
    found = connection.execute(
        """SELECT payment_key, created_at, reference, description, metadata
           FROM payment WHERE wallet_key = ?""",
        (wallet_key,),
    )
    TextIndex(connection, wallet_key).remove(Document(*columns) for columns in found)
