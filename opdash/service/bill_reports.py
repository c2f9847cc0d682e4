"""What a run that bills invoices says: how far it has come, and what became of each."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

import msgspec

from opdash.errors import OpdashError
from opdash.ledger.billings import Bill
from opdash.safetext import safe_text


class Outcome(StrEnum):
    """What became of an invoice in a run; the value is for programs."""

    CREATED = "created"
    BILLED_BEFORE = "billed-before"
    """There is a payment of an earlier run, or another process made one meanwhile."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Sent and not answered; the next run finds out."""
    NOT_TRIED = "not-tried"
    """The run ended before."""


UNFINISHED: Final = frozenset({Outcome.UNKNOWN, Outcome.NOT_TRIED})
"""After these another run has something to do."""


class Billed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one invoice.

    Attributes:
        bill: As it was to be billed.
        outcome: What became of it.
        payment_id: The URL of its payment, where there is one.
        reason: Why there is none, or what is odd about it, a sentence; otherwise empty.
    """

    bill: Bill
    outcome: Outcome
    payment_id: str = ""
    reason: str = ""


class BillingProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run has come.

    Attributes:
        done: Invoices of which it is known what became of them.
        total: Invoices in all.
        checking: Numbers of the invoices whose payment got no answer and is being looked for.
        per_second: Invoices done a second, lately, or None.
        left: How long the rest takes at that rate, or None.
        waiting: Why nothing is created at present, a sentence; empty while it goes on.
        pause: Seconds until it goes on or is tried again, where it waits.
    """

    done: int = 0
    total: int = 0
    checking: tuple[str, ...] = ()
    per_second: float | None = None
    left: timedelta | None = None
    waiting: str = ""
    pause: float = 0.0

    @property
    def words(self) -> str:
        """How far it has come, for people: ``12 of 30 · 9.8 a second · 2 s left``."""
        parts = [f"{self.done:,} of {self.total:,}"]
        if self.checking:
            parts.append(f"{len(self.checking):,} unknown, checking")
        if self.waiting:
            wait = f" ({self.pause:.0f} s)" if self.pause >= 1 else ""
            return " · ".join([*parts, f"{safe_text(self.waiting, limit=120)}{wait}"])
        if self.per_second:
            parts.append(f"{self.per_second:,.1f} a second")
        if self.left is not None and self.done < self.total:
            minutes, seconds = divmod(round(self.left.total_seconds()), 60)
            parts.append(f"{minutes:,} min {seconds} s left" if minutes else f"{seconds} s left")
        return " · ".join(parts)


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended.

    Attributes:
        billed: What became of each invoice, those that were done first.
        was_stopped: Whether a person stopped it.
        failure: What kept it from going on, or None.
    """

    billed: tuple[Billed, ...]
    was_stopped: bool = False
    failure: OpdashError | None = None

    def count(self, *outcomes: Outcome) -> int:
        """Return how many invoices had one of these outcomes."""
        return sum(one.outcome in outcomes for one in self.billed)

    @property
    def is_whole(self) -> bool:
        """Whether it came to its end, however single invoices fared."""
        return not self.was_stopped and self.failure is None
