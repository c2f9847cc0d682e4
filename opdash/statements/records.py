"""What a statement says, before it has a form.

Amounts are integers of minor units of the asset they stand beside, never added up across assets;
instants are aware. Texts of payments are as the server sent them.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo

import msgspec

from opdash.ledger.records import PaymentRow, Scope
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset


class Step(msgspec.Struct, frozen=True, gc=False):
    """One observed change of what a payment received.

    Attributes:
        payment_id: The payment's URL.
        reference: The payment's reference, as sent; empty where there is none.
        asset: What it counts.
        at: When the money arrived, as far as can be told.
        delta: By how much received changed; negative where the server took something back.
        why: What is said about it where it is a correction; empty for a receipt.
        looked_at: When the payment was first looked at, where this was there by then, so that
            ``at`` is its payment's and not its own; else None.
    """

    payment_id: str
    reference: str
    asset: Asset
    at: datetime
    delta: int
    why: str = ""
    looked_at: datetime | None = None

    @property
    def is_receipt(self) -> bool:
        """Whether money arrived."""
        return not self.why


class DaySum(msgspec.Struct, frozen=True):
    """What arrived on one local day.

    Attributes:
        day: The day.
        receipts: How many times something arrived.
        payments: How many payments received something.
        received: How much it was.
        estimated: How many of the receipts were there at a first look on a later day, so that
            they may belong to another day.
    """

    day: date
    receipts: int
    payments: int
    received: int
    estimated: int = 0


class ReferenceSum(msgspec.Struct, frozen=True):
    """What arrived for one reference.

    Attributes:
        reference: As sent; empty for payments that have none.
        receipts: How many times something arrived.
        payments: How many payments received something.
        received: How much it was.
    """

    reference: str
    receipts: int
    payments: int
    received: int


class AssetStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of one wallet address in one period.

    ``opening + received + corrected == closing``, always.

    Attributes:
        asset: The asset.
        opening: What was received before the period.
        received: What arrived in it.
        receipts: How many times something arrived.
        payments: How many payments received something.
        corrections: What the server took back, or counts otherwise; oldest first.
        days: What arrived on each day on which something did, oldest first.
        references: What arrived for each reference, the greatest sums first.
        estimated: How many receipts were there at a first look on a later day, so that their day
            is the one of their payment.
        estimated_received: How much those were.
    """

    asset: Asset
    opening: int
    received: int
    receipts: int
    payments: int
    corrections: tuple[Step, ...]
    days: tuple[DaySum, ...]
    references: tuple[ReferenceSum, ...]
    estimated: int = 0
    estimated_received: int = 0

    @property
    def corrected(self) -> int:
        """What the corrections add up to; usually negative."""
        return sum(step.delta for step in self.corrections)

    @property
    def closing(self) -> int:
        """What was received up to the end of the period."""
        return self.opening + self.received + self.corrected


class StateSum(msgspec.Struct, frozen=True):
    """The payments of a period that are in one state now, in one asset.

    Attributes:
        state: The state.
        asset: What they receive.
        count: How many they are.
        asked: What they ask for.
        received: What they received, whenever that was.
        difference: received − asked, over those that ask for something in the same asset.
    """

    state: State
    asset: Asset
    count: int
    asked: int
    received: int
    difference: int


class Knowledge(msgspec.Struct, frozen=True):
    """How much of the truth the ledger knows of a wallet address.

    Attributes:
        scope: What opdash may see of it.
        payments: How many payments are known.
        complete: Whether the server's whole list is known.
        last_poll_at: When the server last answered, or None.
    """

    scope: Scope
    payments: int
    complete: bool
    last_poll_at: datetime | None


class WalletStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One wallet address in one period.

    Attributes:
        title: What a person calls it.
        public_name: What it calls itself, as sent; empty where it does not.
        address: The wallet address.
        knowledge: How much is known of it; None where it has never answered.
        assets: What arrived, asset by asset; the wallet's own first.
        states: The payments that were created in the period, by state.
        actions: Payments of the period that need a person's look, newest first.
        other_actions: How many of other times need one too.
        settled: Payments of the period that a person settled, newest first.
    """

    title: str
    public_name: str
    address: str
    knowledge: Knowledge | None
    assets: tuple[AssetStatement, ...] = ()
    states: tuple[StateSum, ...] = ()
    actions: tuple[PaymentRow, ...] = ()
    other_actions: int = 0
    settled: tuple[PaymentRow, ...] = ()


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The period of a statement.

    Attributes:
        title: What people call it, such as “October 2026”.
        within: The same in a sentence: “in October 2026”, “on 5 October 2026”.
        first: Its first local day.
        last: Its last local day.
        start: When it begins, UTC.
        end: When it is over, UTC.
        zone: The time zone in which days begin at midnight; None for this machine's.
        zone_name: What it is called.
    """

    title: str
    within: str
    first: date
    last: date
    start: datetime
    end: datetime
    zone: tzinfo | None
    zone_name: str


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What arrived in a period at one wallet address or more.

    Attributes:
        span: The period.
        made_at: When the statement was made.
        wallets: The wallet addresses.
    """

    span: Span
    made_at: datetime
    wallets: tuple[WalletStatement, ...]

    @property
    def is_complete(self) -> bool:
        """Whether the ledger knows all that the servers know of these wallets."""
        return all(
            wallet.knowledge is not None and wallet.knowledge.complete for wallet in self.wallets
        )

    @property
    def is_over(self) -> bool:
        """Whether the period was over when the statement was made."""
        return self.span.end <= self.made_at
