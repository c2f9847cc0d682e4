"""The payments of several wallets as one list, newest first, read in small pieces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import merge
from typing import TypeAlias

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, PaymentRow

PIECE = 64
"""Rows that are read at a time."""

_Split: TypeAlias = tuple[int, ...]
"""How many rows of each wallet stand above a place of the list."""

_Key: TypeAlias = tuple[float, int, int]
"""Orders rows: what is newer is less, then by wallet, then as the wallet's own list has them."""


class MergedRows:
    """A list of which no more is read than what is looked at.

    A piece that follows one that was read begins where that one ended. Any other place is found by
    halving: of the rows that stand a stride ahead in each wallet's list, the newest and all above
    it in its list belong to what comes before, as long as the strides together are no longer than
    what is left of the way.
    """

    def __init__(self, reader: LedgerReader, wallets: Sequence[str]) -> None:
        """Prepare; nothing is read.

        Args:
            reader: The ledger.
            wallets: The ids of the wallet addresses, in the order of equal rows.
        """
        self._reader = reader
        self.wallets = tuple(wallets)
        self._counts: _Split = ()
        self._pieces: dict[int, tuple[PaymentRow, ...]] = {}
        self._splits: dict[int, _Split] = {}
        self._keys: dict[tuple[int, int], _Key] = {}

    @property
    def count(self) -> int:
        """How many payments there are, as of the last `reload`."""
        return sum(self._counts)

    def reload(self) -> None:
        """Forget what was read, and count again."""
        self._pieces, self._keys = {}, {}
        self._splits = {0: (0,) * len(self.wallets)}
        self._counts = tuple(map(self._reader.count, self.wallets))

    def rows(self, first: int, limit: int) -> list[PaymentRow]:
        """Return the payments from a place on."""
        last = min(first + limit, self.count)
        found: list[PaymentRow] = []
        for piece in range(first // PIECE, -(-last // PIECE)):
            begin = piece * PIECE
            found += self._piece(piece)[max(first - begin, 0) : max(last - begin, 0)]
        return found

    def position(self, row: PaymentRow) -> int | None:
        """Return where a payment stands, or None if it is not in the list."""
        if row.wallet not in self.wallets:
            return None
        own = self.wallets.index(row.wallet)
        rank = self._reader.position(row.wallet, NEWEST_FIRST, row.id)
        if rank is None:
            return None
        key = _key(row.created_at, own, rank)
        others = (wallet for wallet in range(len(self.wallets)) if wallet != own)
        return rank + sum(self._above(wallet, key) for wallet in others)

    def _piece(self, piece: int) -> tuple[PaymentRow, ...]:
        if piece not in self._pieces:
            split = self._splits.get(piece * PIECE) or self._split(piece * PIECE)
            rows = list(merge(*(self._ahead(n, at) for n, at in enumerate(split))))[:PIECE]
            taken = list(split)
            for (_, wallet, _), _ in rows:
                taken[wallet] += 1
            self._splits[(piece + 1) * PIECE] = tuple(taken)
            self._pieces[piece] = tuple(row for _, row in rows)
        return self._pieces[piece]

    def _ahead(self, wallet: int, at: int) -> Iterable[tuple[_Key, PaymentRow]]:
        rows = self._reader.window(self.wallets[wallet], NEWEST_FIRST, at, PIECE)
        return [(_key(row.created_at, wallet, at + n), row) for n, row in enumerate(rows)]

    def _split(self, place: int) -> _Split:
        taken, left = [0] * len(self.wallets), min(place, self.count)
        while left > 0:
            ahead = [n for n, count in enumerate(self._counts) if taken[n] < count]
            stride = 1 << max((left // len(ahead)).bit_length() - 1, 0)
            steps = {n: min(stride, self._counts[n] - taken[n]) for n in ahead}
            newest = min(ahead, key=lambda n: self._key_at(n, taken[n] + steps[n] - 1))
            taken[newest] += steps[newest]
            left -= steps[newest]
        self._splits[place] = tuple(taken)
        return self._splits[place]

    def _above(self, wallet: int, key: _Key) -> int:
        low, high = 0, self._counts[wallet]
        while low < high:
            middle = (low + high) // 2
            if self._key_at(wallet, middle) < key:
                low = middle + 1
            else:
                high = middle
        return low

    def _key_at(self, wallet: int, at: int) -> _Key:
        if (wallet, at) not in self._keys:
            rows = self._reader.window(self.wallets[wallet], NEWEST_FIRST, at, 1)
            # Another process may have taken rows away since they were counted.
            made = _key(rows[0].created_at, wallet, at) if rows else (float("inf"), wallet, at)
            self._keys[wallet, at] = made
        return self._keys[wallet, at]


def _key(created_at: datetime, wallet: int, at: int) -> _Key:
    return -created_at.timestamp(), wallet, at
