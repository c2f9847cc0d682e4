"""Which payments match, without an order: a mark for each; and what those add up to."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Final

from opdash.ledger.notes import Note
from opdash.ledger.records import AssetTotals
from opdash.ledger.rows import Assets
from opdash.ledger.search.batches import Batch, both, either, flipped, read_batches
from opdash.ledger.search.masking import Tester
from opdash.ledger.search.terms import Term
from opdash.ledger.sheets import SLOTS, Outlines

_PIECE: Final = 1 << 14
_FEW_ASSETS: Final = 16


class Selection:
    """Payments, picked by their numbers.

    Attributes:
        count: How many they are.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Pick none, of all payments that the ledger knows by now."""
        (top,) = connection.execute("SELECT MAX(payment_key) FROM payment").fetchone()
        self.count = 0
        self._marks = bytearray(((top or 0) // SLOTS + 1) * SLOTS)

    def __len__(self) -> int:
        """Return how many they are."""
        return self.count

    def add(self, batch: Batch, mask: bytes) -> None:
        """Pick those of a batch that a mask picks, beside those that were picked before."""
        self.count += mask.count(1)
        for place, first in enumerate(batch.firsts):
            own = mask[place * SLOTS : (place + 1) * SLOTS]
            before = bytes(self._marks[first : first + SLOTS])
            self._marks[first : first + SLOTS] = either(own, before) if 1 in before else own

    def add_keys(self, keys: Iterable[int]) -> None:
        """Pick payments by their numbers, none of which is picked yet."""
        for key in keys:
            self._marks[key] = 1
            self.count += 1

    def mask(self, batch: Batch) -> bytes:
        """Return the mask of what is picked of a batch."""
        return b"".join([self._marks[first : first + SLOTS] for first in batch.firsts])

    def of(self, keys: Sequence[int]) -> array[int]:
        """Return those of some numbers that are picked, in their order."""
        found = array("I")
        for start in range(0, len(keys), _PIECE):
            piece = keys[start : start + _PIECE]
            found.extend(compress(piece, map(self._marks.__getitem__, piece)))
        return found

    def but(self, keys: Sequence[int]) -> array[int]:
        """Return those of some numbers that are not picked, in their order."""
        others = flipped(bytes(self._marks))
        found = array("I")
        for start in range(0, len(keys), _PIECE):
            piece = keys[start : start + _PIECE]
            found.extend(compress(piece, map(others.__getitem__, piece)))
        return found

    def keys(self) -> Iterator[int]:
        """Return the numbers, ascending."""
        key = self._marks.find(1)
        while key >= 0:
            yield key
            key = self._marks.find(1, key + 1)


def select(
    connection: sqlite3.Connection,
    wallet_key: int,
    terms: Sequence[Term],
    noted: Mapping[int, Note],
) -> Selection:
    """Pick the payments of a wallet address that match all terms; inside a transaction.

    Args:
        connection: The ledger.
        wallet_key: The wallet address's number.
        terms: What payments must match.
        noted: What people wrote, by payments' numbers.
    """
    outlines = Outlines(connection)
    tests = Tester(connection, wallet_key, outlines, noted).tests(terms)
    columns = [column for test in tests for column in test.columns]
    texts = any(test.texts for test in tests)
    selection = Selection(connection)
    for batch in read_batches(connection, wallet_key, columns, outlines, texts=texts):
        mask = batch.present
        for test in tests:
            if 1 in mask:
                mask = both(mask, test.mask(batch, mask))
        selection.add(batch, mask)
    return selection


def add_up(
    connection: sqlite3.Connection, wallet_key: int, selection: Selection, assets: Assets
) -> tuple[AssetTotals, ...]:
    """Return what payments add up to, asset by asset, the most used first.

    Amounts are integers of Python throughout: no sum can overflow, and none is rounded.
    """
    columns = ("received_asset", "received", "asked_asset", "asked")
    sums = _Sums()
    for batch in read_batches(connection, wallet_key, columns, Outlines(connection), texts=False):
        mask = selection.mask(batch)
        if 1 in mask:
            sums.add(batch, mask)
    return sums.totals(assets)


class _Sums:
    """Adds batches up, by the numbers of assets: count, asked, received, difference."""

    def __init__(self) -> None:
        self._of: dict[int, list[int]] = {}

    def add(self, batch: Batch, mask: bytes) -> None:
        received_in = set(compress(batch.numbers("received_asset"), mask))
        asked_in = set(compress(batch.numbers("asked_asset"), mask)) - {0}
        if len(received_in | asked_in) > _FEW_ASSETS:
            self._add_each(batch, mask)
            return
        asked, received = batch.numbers("asked"), batch.numbers("received")
        in_asset: dict[int, tuple[bytes, int]] = {}
        for asset in received_in:
            own = both(mask, batch.where("received_asset", asset.__eq__))
            in_asset[asset] = own, sum(compress(received, own))
            self._add(asset, own.count(1), 0, in_asset[asset][1], 0)
        for asset in asked_in:
            own = both(mask, batch.where("asked_asset", asset.__eq__))
            asked_sum = sum(compress(asked, own))
            self._add(asset, 0, asked_sum, 0, 0)
            if asset in in_asset:
                other, received_sum = in_asset[asset]
                shared = both(both(own, other), bytes(map(bool, asked)))
                if shared != own:
                    asked_sum = sum(compress(asked, shared))
                if shared != other:
                    received_sum = sum(compress(received, shared))
                self._add(asset, 0, 0, 0, received_sum - asked_sum)

    def totals(self, assets: Assets) -> tuple[AssetTotals, ...]:
        """Return the sums under the assets themselves."""
        found = [AssetTotals(assets[key], *four) for key, four in self._of.items()]
        return tuple(sorted(found, key=lambda one: (-one.count, one.asset.code, one.asset.scale)))

    def _add_each(self, batch: Batch, mask: bytes) -> None:
        names = ("received_asset", "received", "asked_asset", "asked")
        rows = zip(*(batch.numbers(name) for name in names), strict=True)
        for received_asset, received, asked_asset, asked in compress(rows, mask):
            same = asked and asked_asset == received_asset
            self._add(received_asset, 1, 0, received, received - asked if same else 0)
            self._add(asked_asset, 0, asked, 0, 0)

    def _add(self, asset: int, count: int, asked: int, received: int, difference: int) -> None:
        if count or asked:
            own = self._of.setdefault(asset, [0, 0, 0, 0])
        elif difference:
            own = self._of[asset]
        else:
            return
        for place, number in enumerate((count, asked, received, difference)):
            own[place] += number
