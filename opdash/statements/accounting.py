"""Adding up: steps of payments into the lines of a statement. Pure, exact, one asset at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo

from opdash.openpayments.amounts import Asset
from opdash.periods import day_starts_at, local_date
from opdash.statements.records import AssetStatement, DaySum, ReferenceSum, Span, Step


class Days:
    """Says on which local day an instant lies; quick where instants come in their order.

    Args:
        zone: Where days begin at midnight; None for this machine's zone.
    """

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._day = date.min
        self._start = self._end = datetime.min.replace(tzinfo=UTC)

    def of(self, at: datetime) -> date:
        """Return the day of an aware instant."""
        if not self._start <= at < self._end:
            self._day = local_date(at, self._zone)
            self._start = day_starts_at(self._day, self._zone)
            self._end = day_starts_at(self._day + timedelta(days=1), self._zone)
        return self._day

    def has(self, at: datetime) -> bool:
        """Return whether an aware instant lies on the day that was told last."""
        return self._start <= at < self._end


def add_up(steps: Iterable[Step], span: Span, own: Asset) -> tuple[AssetStatement, ...]:
    """Return what steps add up to in each asset.

    Args:
        steps: All steps of a wallet address's payments, in any order; those after the period
            count for nothing.
        span: The period.
        own: The wallet address's asset, which comes first and is never missing.

    Returns:
        The other assets follow by their codes; one is missing where nothing of it was received up
        to the end of the period.
    """
    days = Days(span.zone)
    sums: dict[Asset, _Sums] = {own: _Sums(own, days)}
    start, end = span.start, span.end
    for step in steps:
        if step.at >= end:
            continue
        found = sums.get(step.asset)
        if found is None:
            found = sums[step.asset] = _Sums(step.asset, days)
        if step.at < start:
            found.opening += step.delta
        else:
            found.take(step)
    first, *others = sums.values()
    others.sort(key=lambda one: (one.asset.code, one.asset.scale))
    return tuple(one.statement() for one in (first, *others))


class _Tally:
    """A sum, how often it grew, and whose it is."""

    __slots__ = ("estimated", "payments", "receipts", "received")

    def __init__(self) -> None:
        self.received = 0
        self.receipts = 0
        self.estimated = 0
        self.payments: set[str] = set()

    def take(self, step: Step) -> None:
        self.received += step.delta
        self.receipts += 1
        self.payments.add(step.payment_id)


class _Sums:
    """One asset's sums while they grow."""

    def __init__(self, asset: Asset, days: Days) -> None:
        self.asset = asset
        self.opening = 0
        self._days = days
        self._whole = _Tally()
        self._estimated = 0
        self._by_day: dict[date, _Tally] = {}
        self._by_reference: dict[str, _Tally] = {}
        self._corrections: list[Step] = []

    def take(self, step: Step) -> None:
        """Take a step of the period."""
        if not step.is_receipt:
            self._corrections.append(step)
            return
        self._whole.take(step)
        day = self._by_day.setdefault(self._days.of(step.at), _Tally())
        day.take(step)
        if step.looked_at is not None and not self._days.has(step.looked_at):
            day.estimated += 1
            self._estimated += step.delta
        self._by_reference.setdefault(step.reference, _Tally()).take(step)

    def statement(self) -> AssetStatement:
        """Return what was added up."""
        whole = self._whole
        return AssetStatement(
            asset=self.asset,
            opening=self.opening,
            received=whole.received,
            receipts=whole.receipts,
            payments=len(whole.payments),
            corrections=tuple(
                sorted(self._corrections, key=lambda step: (step.at, step.payment_id))
            ),
            days=tuple(
                DaySum(day, one.receipts, len(one.payments), one.received, one.estimated)
                for day, one in sorted(self._by_day.items())
            ),
            references=tuple(
                sorted(
                    (
                        ReferenceSum(reference, one.receipts, len(one.payments), one.received)
                        for reference, one in self._by_reference.items()
                    ),
                    key=lambda one: (-one.received, one.reference),
                )
            ),
            estimated=sum(one.estimated for one in self._by_day.values()),
            estimated_received=self._estimated,
        )
