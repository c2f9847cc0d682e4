"""Receipts as entries of a file: looked through once to add them up, and once to write them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from opdash.exports.choosing import Choice
from opdash.exports.formats import ReceiptFormat
from opdash.exports.records import (
    AssetSum,
    Entry,
    ExportError,
    ExportWallet,
    LeftOut,
    NothingFitsError,
    Statement,
    Sums,
    Wanted,
)
from opdash.ledger.reader import LedgerReader
from opdash.ledger.receipt_steps import ReceiptStep
from opdash.ledger.records import Anomaly
from opdash.ledger.search.terms import All, Flag, Is, Query
from opdash.openpayments.amounts import Asset
from opdash.periods import local_date

ASSET_CHANGED = "their asset changed at the server, so what arrived is not known for sure"
"""Why entries of some payments are in no file."""

_EXAMPLES = 3
_AT_ONCE = 500
_CLOCKS_DIFFER = timedelta(days=1)

_Account = tuple[str, Asset]
"""A wallet address and an asset."""


class Adding(msgspec.Struct):
    """A statement while it is added up; `Statement` has the same names."""

    wallet: ExportWallet
    asset: Asset
    opening: int = 0
    balance: int = 0
    count: int = 0
    came: int = 0
    came_count: int = 0
    first: date | None = None
    last: date | None = None


class _Leaving:
    """What is left out for one reason."""

    def __init__(self) -> None:
        self.sums = Sums()
        self.examples: list[str] = []

    def add(self, what: str, asset: Asset, amount: int) -> None:
        self.sums.add(asset, amount)
        if len(self.examples) < _EXAMPLES:
            self.examples.append(what)


class Entries:
    """The entries of one export; made and read inside one snapshot of the ledger.

    Attributes:
        left_out: What the file does not hold although it was asked for.
        may_be_several: How many entries may each be several receipts.
        taken_back: How many entries are negative.
    """

    def __init__(
        self, reader: LedgerReader, wanted: Wanted, choice: Choice, kind: ReceiptFormat
    ) -> None:
        """Look through all steps and add them up."""
        self._reader = reader
        self._wanted = wanted
        self._choice = choice
        self._kind = kind
        self._accounts: dict[_Account, Adding] = {}
        self._leaving: dict[str, _Leaving] = {}
        self.may_be_several = 0
        self.taken_back = 0
        for wallet in wanted.wallets:
            for step in choice.steps(wallet, from_the_beginning=kind.has_balances):
                self._add(wallet, step)
            self._leave_changed(wallet)

    @property
    def rows(self) -> int:
        """How many entries there are."""
        return sum(account.count for account in self._accounts.values())

    @property
    def sums(self) -> tuple[AssetSum, ...]:
        """What they add up to."""
        sums = Sums()
        for account in self._accounts.values():
            if account.count:
                sums.add(account.asset, account.balance - account.opening, account.count)
        return sums.all()

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What is not in the file."""
        return tuple(
            LeftOut(why, leaving.sums.all(), tuple(leaving.examples))
            for why, leaving in self._leaving.items()
        )

    def statements(self) -> tuple[Statement, ...]:
        """Return the wallet addresses and assets that the file is about.

        Raises:
            ExportError: There must be one, and the format can hold none.
        """
        today = local_date(self._wanted.now, self._wanted.zone)
        period = self._wanted.period
        accounts = [*self._accounts.values(), *self._empty()]
        if not accounts and self._kind.has_balances:
            raise self._nothing_fits()
        return tuple(
            Statement(
                wallet=account.wallet,
                asset=account.asset,
                opening=account.opening,
                closing=account.balance,
                count=account.count,
                came=account.came,
                came_count=account.came_count,
                first=period.first if period is not None else account.first or today,
                last=period.last if period is not None else account.last or today,
            )
            for account in accounts
        )

    def _nothing_fits(self) -> ExportError:
        """Return why there is nothing that a statement could be about."""
        reasons = dict.fromkeys([*self._leaving, *self._own_assets_left_out()])
        if reasons:
            return NothingFitsError(
                f"This format can hold nothing of what is asked for: {'; '.join(reasons)}.",
                "Nothing was written; choose another format, such as hledger or csv.",
            )
        return ExportError(
            "Nothing is known yet of what is asked for.", "Run “opdash sync”, then export again."
        )

    def _empty(self) -> Iterator[Adding]:
        """Yield wallets of which there is nothing to tell, with the asset that they hold."""
        for wallet, asset in self._own_assets():
            is_told = any(address == wallet.address for address, _ in self._accounts)
            if not is_told and not self._kind.why_no_asset(asset):
                yield Adding(wallet, asset)

    def _own_assets(self) -> Iterator[tuple[ExportWallet, Asset]]:
        for wallet in self._wanted.wallets:
            row = self._reader.wallet(wallet.address)
            if row is not None:
                yield wallet, row.asset

    def _own_assets_left_out(self) -> list[str]:
        return [why for _, asset in self._own_assets() if (why := self._kind.why_no_asset(asset))]

    def entries(self, statement: Statement | None) -> Iterator[Entry]:
        """Yield the entries of a statement, or of all, oldest first."""
        if statement is not None:
            wallet, balance = statement.wallet, statement.opening
            for step in self._choice.steps(wallet):
                if step.asset != statement.asset:
                    continue
                entry = self._entry(wallet, step)
                if not self._why_not(entry, balance + step.delta):
                    balance += step.delta
                    yield entry
            return
        for wallet, step in self._choice.all_steps():
            entry = self._entry(wallet, step)
            if not self._why_not(entry, 0):
                yield entry

    def _add(self, wallet: ExportWallet, step: ReceiptStep) -> None:
        if step.asset_changed:
            return
        entry = self._entry(wallet, step)
        key = wallet.address, step.asset
        account = self._accounts.get(key)
        balance = step.delta + (0 if account is None else account.balance)
        why = self._why_not(entry, balance)
        is_asked_for = self._choice.is_asked_for(wallet, step)
        if why:
            if is_asked_for:
                self._leave(why, entry.id, step.asset, step.delta)
            return
        if account is None:
            account = self._accounts[key] = Adding(wallet, step.asset)
        account.balance = balance
        if not is_asked_for:
            account.opening += step.delta
            return
        account.count += 1
        account.first = account.first or entry.day
        account.last = entry.day
        self.may_be_several += step.may_be_several
        if step.delta > 0:
            account.came += step.delta
            account.came_count += 1
        else:
            self.taken_back += 1

    def _why_not(self, entry: Entry, balance: int) -> str:
        if entry.step.asset_changed:
            return ASSET_CHANGED
        return self._kind.why_no_asset(entry.asset) or self._kind.why_not(entry, balance)

    def _entry(self, wallet: ExportWallet, step: ReceiptStep) -> Entry:
        return Entry(wallet, step, local_date(step.at, self._wanted.zone))

    def _leave(self, why: str, what: str, asset: Asset, amount: int) -> None:
        self._leaving.setdefault(why, _Leaving()).add(what, asset, amount)

    def _leave_changed(self, wallet: ExportWallet) -> None:
        """Name the payments whose asset changed; they count with what they have received by now."""
        odd = Query("", All((Is(Flag.ODD),)))
        keys = self._reader.matches(wallet.address, odd).keys
        self._reader.forget_answers()  # a byte or two for each payment
        mark, period = self._choice.marks[wallet.address], self._wanted.period
        for start in range(0, len(keys), _AT_ONCE):
            numbers = keys[start : start + _AT_ONCE]
            for number, row in zip(numbers, self._reader.rows(numbers), strict=True):
                if Anomaly.ASSET_CHANGED not in row.anomalies or not row.received:
                    continue
                if not self._choice.matches(wallet, number):
                    continue
                if period is not None and row.changed_at not in period:
                    continue
                if mark.at is not None and row.changed_at < mark.at - _CLOCKS_DIFFER:
                    continue
                self._leave(ASSET_CHANGED, row.id, row.received_asset, row.received)
