"""What is exported, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, tzinfo
from enum import StrEnum
from pathlib import Path

import msgspec

from opdash.errors import ExitCode, OpdashError
from opdash.ledger.receipt_steps import ReceiptStep
from opdash.ledger.records import Scope
from opdash.ledger.search.terms import Query
from opdash.openpayments.amounts import Asset, format_minor
from opdash.periods import Period


class ExportError(OpdashError):
    """An export could not be made; nothing was written and no mark was moved."""


class NothingFitsError(ExportError):
    """The format can hold nothing of what was asked for."""

    exit_code = ExitCode.EXCEPTIONS


class FormatName(StrEnum):
    """The kinds of files; the value is the word for the command line."""

    CSV = "csv"
    JSONL = "jsonl"
    HLEDGER = "hledger"
    BEANCOUNT = "beancount"
    OFX = "ofx"
    CAMT053 = "camt053"


class ExportWallet(msgspec.Struct, frozen=True):
    """A wallet address whose payments are exported.

    Attributes:
        name: What a person calls it.
        address: The wallet address.
        scope: What opdash may see of it.
    """

    name: str
    address: str
    scope: Scope


class Names(msgspec.Struct, frozen=True, omit_defaults=True):
    """What accounts are called in a file; ``{wallet}`` stands for the wallet's name.

    Attributes:
        account: Where money arrives: an account of the journal, or a bank account's number.
        income: Where it comes from, in a journal.
    """

    account: str = ""
    income: str = ""

    def changed_by(self, other: Names) -> Names:
        """Return these with those that ``other`` gives in their place."""
        return Names(other.account or self.account, other.income or self.income)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be exported.

    Attributes:
        format: The kind of file.
        wallets: Whose payments, each address once.
        now: The present, aware.
        zone: Where days begin at midnight; None for this machine's zone.
        query: Which payments, or None for all.
        period: When receipts arrived, or payments were created; None for always.
        since_last: Whether to leave out what exports of this kind have told.
        entries_only: Whether to leave out declarations, for a journal that another one includes.
        names: What accounts are called.
    """

    format: FormatName
    wallets: tuple[ExportWallet, ...]
    now: datetime
    zone: tzinfo | None = None
    query: Query | None = None
    period: Period | None = None
    since_last: bool = False
    entries_only: bool = False
    names: Names = Names()

    @property
    def kind(self) -> str:
        """What exports must have in common to follow on from each other: format and choice."""
        parts = [self.format.value]
        if self.query is not None:
            parts.append(f"filter {self.query.text.strip()}")
        if self.period is not None:
            parts.append(f"period {self.period.text} {self.period.zone}")
        return "\n".join(parts)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A receipt as it stands in a file.

    Attributes:
        wallet: Whose it is.
        step: What was observed.
        day: The day on which it arrived, in the zone of the export.
    """

    wallet: ExportWallet
    step: ReceiptStep
    day: date

    @property
    def id(self) -> str:
        """Its name for ever."""
        return self.step.id

    @property
    def asset(self) -> Asset:
        """What is counted."""
        return self.step.asset

    @property
    def amount(self) -> str:
        """The decimal number, exactly; negative where the server took something back."""
        return format_minor(self.step.delta, self.step.asset.scale)


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """The entries of one wallet address and asset, and its running sum from 0.

    Attributes:
        wallet: Whose.
        asset: What is counted.
        opening: Minor units of all entries before these.
        closing: Minor units of those and these.
        count: How many these are.
        came: Minor units that arrived.
        came_count: How many entries those are.
        first: The day of the first entry, or of the beginning of the period.
        last: The day of the last entry, or of the end of the period.
    """

    wallet: ExportWallet
    asset: Asset
    opening: int
    closing: int
    count: int
    came: int
    came_count: int
    first: date
    last: date

    @property
    def went(self) -> int:
        """Minor units that the server took back, as a positive number."""
        return self.came - (self.closing - self.opening)


class AssetSum(msgspec.Struct, frozen=True):
    """How many there are of an asset, and what they add up to in its minor units."""

    asset: Asset
    count: int
    amount: int


class Sums:
    """Counts and sums for each asset, while they are made."""

    def __init__(self) -> None:
        self._counts: Counter[Asset] = Counter()
        self._amounts: dict[Asset, int] = {}

    def add(self, asset: Asset, amount: int, count: int = 1) -> None:
        """Count something."""
        self._counts[asset] += count
        self._amounts[asset] = self._amounts.get(asset, 0) + amount

    def all(self) -> tuple[AssetSum, ...]:
        """Return them, by asset."""
        assets = sorted(self._amounts, key=lambda asset: (asset.code, asset.scale))
        return tuple(AssetSum(asset, self._counts[asset], self._amounts[asset]) for asset in assets)


class LeftOut(msgspec.Struct, frozen=True):
    """Entries that are not in the file.

    Attributes:
        why: The reason; the end of a sentence.
        sums: How many, and how much.
        examples: The ids of the first.
    """

    why: str
    sums: tuple[AssetSum, ...]
    examples: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many are left out."""
        return sum(one.count for one in self.sums)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """How much the ledger knows of a wallet address.

    Attributes:
        wallet: The wallet address.
        known: How many payments are known.
        complete: Whether all that the server has in that scope is known.
        last_poll_at: When the server last answered, or None.
        told_until: When the last export of that kind was made, or None.
    """

    wallet: ExportWallet
    known: int
    complete: bool
    last_poll_at: datetime | None
    told_until: datetime | None = None


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an export.

    Attributes:
        wanted: What was to be exported.
        path: The file, or None for standard output.
        rows: How many payments or receipts it holds.
        sums: What they received, for each asset.
        left_out: What is not in the file although it was asked for.
        may_be_several: How many receipts may each be several.
        taken_back: How many receipts are negative.
        known: How much the ledger knows of each wallet address.
    """

    wanted: Wanted
    path: Path | None
    rows: int
    sums: tuple[AssetSum, ...]
    left_out: tuple[LeftOut, ...]
    may_be_several: int
    taken_back: int
    known: tuple[Known, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing that opdash may see."""
        return all(one.complete for one in self.known)


def added(sums: Iterable[Sequence[AssetSum]]) -> tuple[AssetSum, ...]:
    """Return several lists of sums as one."""
    total = Sums()
    for some in sums:
        for one in some:
            total.add(one.asset, one.amount, one.count)
    return total.all()
