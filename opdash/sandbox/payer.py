"""A simulated public that pays: fully, in parts, in packets, too much, late, or never.

It decides by the seed and acts at instants of the sandbox's clock. Every one to three seconds
something happens; what a person creates is paid within about ten seconds. A payment may say how it
wants to be paid with the metadata key ``sandboxPayer``: ``full``, ``parts``, ``part`` (one part and
no more), ``over``, ``late`` or ``never``.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

import msgspec

from opdash.openpayments.amounts import Asset
from opdash.sandbox.clock import MINUTE, SECOND, to_datetime
from opdash.sandbox.fiction import Draft, Fiction
from opdash.sandbox.payments import IncomingPayments, IncomingRow
from opdash.sandbox.transfers import Transfer, Transfers, pace
from opdash.sandbox.wallets import CLIENT, RECEIVERS, Wallet

METADATA_KEY = "sandboxPayer"
"""With it a payment says how it wants to be paid."""

_PAYABLE = tuple(wallet for wallet in RECEIVERS if wallet.path != "/new")
_WALLET_WEIGHTS = (9, 1, 1, 1)
_CANDIDATES = 40
_FAILURES = 0.1
_MOST_MISSED = 2 * MINUTE
_FIRST_NUMBER = 1000


class Habit(StrEnum):
    """How a payment gets paid."""

    FULL = "full"
    PARTS = "parts"
    PART = "part"
    OVER = "over"
    LATE = "late"
    NEVER = "never"


_HABITS = (Habit.FULL, Habit.PARTS, Habit.PART, Habit.OVER, Habit.LATE, Habit.NEVER)
_HABIT_WEIGHTS = (34, 34, 8, 8, 6, 10)

Send = Callable[[IncomingRow, Asset, Transfer, int], object]
"""Sends money to a payment at an instant."""


@dataclass(frozen=True, slots=True, order=True)
class _Plan:
    due: int
    payment_id: str
    transfer_amount: int
    packets: int
    gap: int


class Payer:
    """Pays by itself.

    Args:
        seed: What its decisions follow from.
        payments: The incoming payments.
        transfers: Tells which of them are being paid already.
        send: Sends money.
        now: The instant at which it begins, in microseconds.
    """

    def __init__(
        self, seed: int, payments: IncomingPayments, transfers: Transfers, send: Send, now: int
    ) -> None:
        self._seed = seed
        self._payments = payments
        self._transfers = transfers
        self._send = send
        self._fiction = Fiction(f"{seed}payer{transfers.count()}")
        self._random = self._fiction.random
        self._plans: list[_Plan] = []
        self._next_turn = now + 2 * SECOND
        self._number = _FIRST_NUMBER

    @property
    def next_due(self) -> int:
        """When it acts next, in microseconds."""
        return min(self._next_turn, self._plans[0].due) if self._plans else self._next_turn

    def catch_up_to(self, now: int) -> None:
        """Skip turns that lie too far back, so that a skipped month costs no more than a minute."""
        self._next_turn = max(self._next_turn, now - _MOST_MISSED)

    def act(self) -> None:
        """Do what is due next."""
        if self._plans and self._plans[0].due <= self._next_turn:
            self._carry_out(heapq.heappop(self._plans))
            return
        at = self._next_turn
        self._next_turn += self._random.randint(1 * SECOND, 5 * SECOND // 2)
        wallet = self._random.choices(_PAYABLE, _WALLET_WEIGHTS)[0]
        chance = self._random.random()
        if chance < 0.15:
            self._stream_money(wallet, at)
        elif chance < 0.3:
            self._write_invoice(wallet, at)
        else:
            self._pay_something(wallet, at)

    def payment_created(self, row: IncomingRow, wallet: Wallet) -> None:
        """Make plans for a payment that a client has just created."""
        habit = _wish(row) or Habit.PARTS
        fiction = Fiction(f"{self._seed}{row.id}")
        if row.asked is None:
            self._plan_gifts(fiction, row, wallet.asset, habit)
        else:
            self._plan_payment(fiction.random, row, row.asked, habit)

    def _plan_gifts(self, fiction: Fiction, row: IncomingRow, asset: Asset, habit: Habit) -> None:
        if habit is Habit.NEVER:
            return
        due = row.created + (40 * SECOND if habit is Habit.LATE else 0)
        for _ in range(1 if habit in (Habit.FULL, Habit.PART) else 2):
            due += fiction.random.randint(2 * SECOND, 4 * SECOND)
            self._plan(due, row, fiction.small_amount(asset), 1)

    def _plan_payment(self, random: Random, row: IncomingRow, asked: int, habit: Habit) -> None:
        start = row.created + random.randint(2 * SECOND, 3 * SECOND)
        first = max(1, asked * random.randint(3, 6) // 10)
        match habit:
            case Habit.NEVER:
                return
            case Habit.PART:
                self._plan(start, row, min(first, asked), 1)
            case Habit.FULL:
                self._plan(start, row, asked, 3)
            case Habit.LATE:
                self._plan(row.created + 45 * SECOND, row, asked, 2)
            case Habit.PARTS | Habit.OVER:
                surplus = max(1, asked // 10) if habit is Habit.OVER else 0
                self._plan(start, row, min(first, asked), 1)
                rest = asked - first + surplus
                if rest > 0:
                    packets = 1 if surplus else 2
                    self._plan(start + 4 * SECOND, row, rest, packets)

    def _plan(self, due: int, row: IncomingRow, amount: int, packets: int) -> None:
        packets = max(1, min(packets, amount))
        heapq.heappush(self._plans, _Plan(due, row.id, amount, packets, pace(packets, 2)))

    def _carry_out(self, plan: _Plan) -> None:
        row = self._payments.get(plan.payment_id, plan.due)
        if row is not None and row.is_open(plan.due):
            transfer = Transfer(plan.transfer_amount, plan.packets, plan.gap)
            self._send(row, _asset_of(row), transfer, plan.due)

    def _pay_something(self, wallet: Wallet, at: int) -> None:
        candidates = [
            row
            for row in self._payments.open_ones(wallet.path, at, _CANDIDATES)
            if not self._transfers.is_being_paid(row.id) and not self._is_planned(row.id)
        ]
        self._random.shuffle(candidates)
        for row in candidates:
            transfer = self._next_transfer(row, wallet.asset, at)
            if transfer is not None:
                self._send(row, wallet.asset, transfer, at)
                return
        self._write_invoice(wallet, at)

    def _next_transfer(self, row: IncomingRow, asset: Asset, at: int) -> Transfer | None:
        habit = _wish(row) or self._habit(row)
        if row.asked is None:
            amount = Fiction(f"{row.id}{row.received}").small_amount(asset)
            return Transfer(amount) if habit is not Habit.NEVER else None
        rest = row.asked - row.received
        waits = habit is Habit.LATE and at < row.created + 2 * MINUTE
        if habit is Habit.NEVER or waits or (habit is Habit.PART and row.received):
            return None
        if habit is Habit.OVER:
            return Transfer(rest + max(1, row.asked // 20))
        if habit in (Habit.PARTS, Habit.PART) and not row.received:
            return Transfer(max(1, row.asked * self._random.randint(2, 7) // 10))
        packets = min(rest, self._random.randint(1, 4))
        fails = packets > 1 and self._random.random() < _FAILURES
        return Transfer(rest, packets, pace(packets, 3), fails=fails)

    def _stream_money(self, wallet: Wallet, at: int) -> None:
        is_tip = self._random.random() < 0.5
        draft = self._fiction.tip() if is_tip else self._fiction.monetization()
        row = self._create(draft, wallet, at, self._random.randint(30, 240) * SECOND)
        amount = self._fiction.small_amount(wallet.asset)
        packets = 1 if is_tip else min(amount, self._random.randint(4, 9))
        self._send(row, wallet.asset, Transfer(amount, packets, SECOND), at)

    def _write_invoice(self, wallet: Wallet, at: int) -> None:
        self._number += 1
        draft = self._fiction.invoice(wallet.asset, self._number, to_datetime(at).year)
        life = self._random.choice(
            (40 * SECOND, 10 * MINUTE, 24 * 60 * MINUTE, 7 * 24 * 60 * MINUTE)
        )
        self._create(draft, wallet, at, life)

    def _create(self, draft: Draft, wallet: Wallet, at: int, life: int) -> IncomingRow:
        row = IncomingRow(
            id=self._fiction.payment_id(),
            wallet=wallet.path,
            client=CLIENT,
            asked=draft.asked,
            received=0,
            completed=False,
            metadata=draft.metadata,
            created=at,
            expires=at + life,
        )
        self._payments.add(row)
        return row

    def _habit(self, row: IncomingRow) -> Habit:
        random = Random(f"{self._seed}{row.id}")  # noqa: S311 - decides what is played
        return random.choices(_HABITS, _HABIT_WEIGHTS)[0]

    def _is_planned(self, payment_id: str) -> bool:
        return any(plan.payment_id == payment_id for plan in self._plans)


def _wish(row: IncomingRow) -> Habit | None:
    if row.metadata is None or METADATA_KEY not in row.metadata:
        return None
    wish = msgspec.json.decode(row.metadata).get(METADATA_KEY)
    return Habit(wish) if wish in list(Habit) else None


def _asset_of(row: IncomingRow) -> Asset:
    return next(wallet.asset for wallet in RECEIVERS if wallet.path == row.wallet)
