"""The ledger against a model that keeps everything in Python and derives it anew each time."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Change, PaymentRow, Scope, Source
from opdash.ledger.states import OPEN_STATES, PAID_STATES, Facts, State, Verdict, derive
from opdash.openpayments.resources import IncomingPayment
from tests.ledger.builders import ADDRESS, GRACE, NOW, Book, names, payment

NAMES = ["a", "b", "c", "d"]
STEPS = [timedelta(seconds=1), timedelta(seconds=20), timedelta(minutes=11), timedelta(hours=13)]


@dataclass
class Known:
    """What the model knows of a payment."""

    seen: IncomingPayment
    scope: Scope
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None = None
    reached_at: datetime | None = None
    anomalous: bool = False
    announced: Counter[str] = field(default_factory=Counter)

    def verdict(self, now: datetime) -> Verdict:
        asked = self.seen.incoming_amount
        facts = Facts(
            received=self.seen.received_amount.minor_units,
            received_asset=self.seen.received_amount.asset,
            asked=None if asked is None else asked.minor_units,
            asked_asset=None if asked is None else asked.asset,
            completed=self.seen.completed,
            expires_at=self.seen.expires_at,
            gone_at=self.gone_at,
            reached_at=self.reached_at,
            anomalous=self.anomalous,
        )
        return derive(facts, now, GRACE)


class LedgerMachine(RuleBasedStateMachine):
    """Answers, absences, hours and restarts in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "ledger.sqlite3"
        self.book = Book(self.path)
        self.reader = LedgerReader.open(self.path)
        self.now = NOW
        self.known: dict[str, Known] = {}
        self.watching_since: datetime | None = None

    def teardown(self) -> None:
        self.reader.close()
        self.book.ledger.close()
        self.directory.cleanup()

    @initialize()
    def begin(self) -> None:
        self.book.record(at=self.now)
        self.watching_since = self.now

    @rule(
        chosen=st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True),
        asked=st.sampled_from([None, 10, 10, 10, 0]),
        received=st.integers(0, 12),
        completed=st.booleans(),
        age=st.sampled_from([timedelta(0), timedelta(days=3)]),
        lasts=st.sampled_from([None, timedelta(seconds=40), timedelta(hours=2)]),
        source=st.sampled_from([Source.LIST, Source.GET]),
        scope=st.sampled_from(Scope),
    )
    def answer(
        self,
        chosen: list[str],
        asked: int | None,
        received: int,
        completed: bool,
        age: timedelta,
        lasts: timedelta | None,
        source: Source,
        scope: Scope,
    ) -> None:
        """The server answers; creation, expiry and what was asked stay as they were."""
        answered: list[IncomingPayment] = []
        for name in chosen:
            fresh = payment(
                name,
                asked=asked,
                received=received,
                completed=completed,
                created=self.now - age,
                expires=None if lasts is None else self.now + lasts,
            )
            before = self.known.get(name)
            if before is not None:
                fresh = msgspec.structs.replace(
                    fresh,
                    created_at=before.seen.created_at,
                    expires_at=before.seen.expires_at,
                    incoming_amount=before.seen.incoming_amount,
                )
            answered.append(fresh)
        rows = {name: self.row(name) for name in chosen}
        changes = self.book.record(*answered, at=self.now, source=source, scope=scope)
        for name, fresh in zip(chosen, answered, strict=True):
            self.learn(name, fresh, scope)
        self.check_changes(changes, rows)

    def learn(self, name: str, fresh: IncomingPayment, scope: Scope) -> None:
        asked = fresh.incoming_amount.minor_units if fresh.incoming_amount else 0
        received = fresh.received_amount.minor_units
        if name not in self.known:
            self.known[name] = Known(fresh, scope, self.now, self.now)
        known = self.known[name]
        fell = received < known.seen.received_amount.minor_units
        reopened = known.seen.completed and not fresh.completed
        known.anomalous |= fell or reopened or (fresh.incoming_amount is not None and not asked)
        if asked and received >= asked:
            known.reached_at = known.reached_at or self.now
        known.seen, known.scope, known.last_seen_at = fresh, scope, self.now
        known.gone_at = None

    @rule(name=st.sampled_from(NAMES), scope=st.sampled_from(Scope))
    def absence(self, name: str, scope: Scope) -> None:
        rows = {name: self.row(name)}
        changes = self.book.mark_gone(name, at=self.now, scope=scope)
        known = self.known.get(name)
        is_news = known is not None and known.gone_at is None and scope.covers(known.scope)
        assert bool(changes) is is_news
        if known is not None and is_news:
            known.gone_at = self.now
        self.check_changes(changes, rows)

    @rule(step=st.sampled_from(STEPS))
    def time_passes(self, step: timedelta) -> None:
        self.now += step
        rows = {name: self.row(name) for name in self.known}
        self.check_changes(self.book.advance(self.now), rows)

    @rule()
    def restart(self) -> None:
        self.reader.close()
        self.book.ledger.close()
        self.book = Book(self.path)
        self.reader = LedgerReader.open(self.path)

    def row(self, name: str) -> PaymentRow | None:
        return next(iter(self.reader.find(name)), None)

    def check_changes(
        self, changes: tuple[Change, ...], before: dict[str, PaymentRow | None]
    ) -> None:
        """Every change is told once, with what was and what is, and nothing else is."""
        told = dict(zip(names([change.payment for change in changes]), changes, strict=True))
        assert len(told) == len(changes)
        for name, old in before.items():
            new = self.row(name)
            if name in told:
                assert told[name].payment == new
                assert told[name].previous == old
                assert told[name].payment != told[name].previous
            elif old is not None and new is not None:
                assert (old.state, old.needs_action, old.gone_at, old.received, old.completed) == (
                    new.state,
                    new.needs_action,
                    new.gone_at,
                    new.received,
                    new.completed,
                )
        for name, change in told.items():
            self.check_announcement(name, change)

    def check_announcement(self, name: str, change: Change) -> None:
        known = self.known[name]
        assert self.watching_since is not None
        if change.payment.state in PAID_STATES:
            due = "paid"
        elif change.payment.state is State.RECEIVED:
            due = "received"
        else:
            assert change.announce is None
            return
        is_old = change.previous is None and known.seen.created_at < self.watching_since
        first_time = not known.announced[due]
        known.announced[due] += 1
        assert change.announce == (due if first_time and not is_old else None)

    @invariant()
    def every_row_is_the_models(self) -> None:
        rows = self.reader.window(ADDRESS)
        assert sorted(names(rows)) == sorted(self.known)
        for row in rows:
            known = self.known[row.id.rpartition("/")[2]]
            verdict = known.verdict(self.now)
            assert row.received == known.seen.received_amount.minor_units
            assert row.completed == known.seen.completed
            assert (row.state, row.final) == (verdict.state, verdict.final)
            assert row.needs_action == verdict.needs_action
            assert row.next_change_at == verdict.next_change_at
            assert row.not_completed_by_server == verdict.not_completed_by_server
            assert (row.gone_at, row.reached_at) == (known.gone_at, known.reached_at)
            assert (row.first_seen_at, row.last_seen_at) == (
                known.first_seen_at,
                known.last_seen_at,
            )
            assert bool(row.anomalies) == known.anomalous

    @invariant()
    def every_figure_is_the_sum_of_the_rows(self) -> None:
        rows = self.reader.window(ADDRESS)
        summary = self.reader.summary(ADDRESS, day_start=NOW, now=self.now)
        (wallet,) = self.reader.wallets()
        assert wallet.received_total == sum(row.received for row in rows)
        assert wallet.known == summary.known == len(rows)
        assert summary.needs_action == sum(row.needs_action for row in rows)
        is_open = [row for row in rows if row.state in OPEN_STATES]
        assert summary.open_count == len(is_open)
        assert summary.open_due == sum(max(0, -(row.difference or 0)) for row in is_open)
        can_change = {row.id for row in rows if not row.final}
        assert {row.id for row in self.reader.changeable(ADDRESS)} == can_change

    @invariant()
    def every_time_line_adds_up(self) -> None:
        for row in self.reader.window(ADDRESS):
            entries = self.reader.timeline(ADDRESS, row.id)
            assert sum(entry.delta or 0 for entry in entries) == row.received
            assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)


TestLedgerAgainstModel = LedgerMachine.TestCase
TestLedgerAgainstModel.settings = settings(max_examples=40, stateful_step_count=25)
