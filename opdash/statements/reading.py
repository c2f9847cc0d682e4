"""A statement out of the ledger: deterministic, given the ledger, the clock and the zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from opdash.ledger.notes import settled_in
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Anomaly, PaymentRow, Scope, TimelineKind
from opdash.ledger.search.terms import All, Flag, InstantField, InstantIn, Is, Query, StateIn, Term
from opdash.ledger.states import State
from opdash.statements.accounting import add_up
from opdash.statements.records import (
    Knowledge,
    Span,
    Statement,
    StateSum,
    Step,
    WalletStatement,
)

_FELL: Final = "received went down"
_ASSET_CHANGED: Final = "the asset changed; what was received before it cannot be counted in it"


class Subject(msgspec.Struct, frozen=True):
    """A wallet address that a statement is about.

    Attributes:
        title: What a person calls it.
        address: The wallet address.
        scope: What opdash may see of it.
    """

    title: str
    address: str
    scope: Scope


def read_statement(
    reader: LedgerReader, subjects: Sequence[Subject], span: Span, now: datetime
) -> Statement:
    """Return the statement of wallet addresses for a period.

    Each wallet address is told as of one commit. At 100,000 payments this takes about a second:
    not for the thread of the screen.

    Args:
        reader: The ledger.
        subjects: The wallet addresses, in the order in which they are told.
        span: The period.
        now: When the statement is made.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    wallets = tuple(_wallet(reader, subject, span) for subject in subjects)
    return Statement(span=span, made_at=now, wallets=wallets)


def _wallet(reader: LedgerReader, subject: Subject, span: Span) -> WalletStatement:
    with reader.snapshot():
        row = reader.wallet(subject.address)
        if row is None:
            return WalletStatement(
                title=subject.title, public_name="", address=subject.address, knowledge=None
            )
        paid: set[int] = set()
        assets = add_up(_steps(reader, subject.address, span, paid), span, row.asset)
        actions, others = _actions(reader, subject.address, span, paid)
        settled = sorted(
            _settled(reader, subject.address, span, paid),
            key=lambda one: (one.created_at, one.id),
            reverse=True,
        )
        return WalletStatement(
            title=subject.title,
            public_name=row.public_name,
            address=row.address,
            knowledge=Knowledge(subject.scope, row.known, row.complete, row.last_poll_at),
            assets=assets,
            states=tuple(_states(reader, subject.address, span)),
            actions=actions,
            other_actions=others,
            settled=tuple(settled),
        )


def _steps(reader: LedgerReader, wallet: str, span: Span, paid: set[int]) -> Iterator[Step]:
    """Yield all steps up to the end of a period; note which payments received something in it."""
    for step in reader.receipt_steps(wallet, end=span.end):
        if step.asset_changed:
            continue
        if step.at >= span.start:
            paid.add(step.payment_number)
        yield Step(
            step.payment_id,
            step.reference,
            step.asset,
            step.at,
            step.delta,
            "" if step.delta > 0 else _FELL,
            step.looked_at,
        )
    odd = reader.matches(wallet, _query(Is(Flag.ODD))).keys
    for row in reader.rows(odd):
        if Anomaly.ASSET_CHANGED in row.anomalies:
            yield from _steps_since_change(reader, row)


def _steps_since_change(reader: LedgerReader, row: PaymentRow) -> Iterator[Step]:
    """Yield what is known of a payment in its present asset: a sum at first, then its steps."""
    entries = reader.timeline(row.wallet, row.id)
    changed = next(
        number
        for number, entry in enumerate(entries)
        if entry.kind is TimelineKind.ANOMALY and entry.text == Anomaly.ASSET_CHANGED
    )
    since = [entry for entry in entries[changed:] if entry.delta]
    before = row.received - sum(entry.delta or 0 for entry in since)
    if before:
        at = entries[changed].at
        yield Step(row.id, row.reference, row.received_asset, at, before, _ASSET_CHANGED)
    for entry in since:
        delta = entry.delta or 0
        why = "" if delta > 0 else _FELL
        yield Step(row.id, row.reference, row.received_asset, entry.at, delta, why)


def _states(reader: LedgerReader, wallet: str, span: Span) -> Iterator[StateSum]:
    for state in State:
        found = reader.totals(wallet, _query(StateIn((state,)), _created_in(span)))
        for one in found:
            yield StateSum(state, one.asset, one.count, one.asked, one.received, one.difference)


def _actions(
    reader: LedgerReader, wallet: str, span: Span, paid: set[int]
) -> tuple[tuple[PaymentRow, ...], int]:
    """Return the payments of a period that need action, and how many others do."""
    waiting = reader.matches(wallet, _query(Is(Flag.ACTION))).keys
    created = set(reader.matches(wallet, _query(Is(Flag.ACTION), _created_in(span))).keys)
    chosen = [number for number in waiting if number in created or number in paid]
    return reader.rows(chosen), len(waiting) - len(chosen)


def _settled(reader: LedgerReader, wallet: str, span: Span, paid: set[int]) -> Iterator[PaymentRow]:
    """Yield the payments of a period that need no action because a person settled them."""
    for url, note in reader.notes(wallet).items():
        number = None if note.settlement is None else reader.number(wallet, url)
        if number is None:
            continue
        for row in reader.rows([number]):
            is_of_period = number in paid or span.start <= row.created_at < span.end
            if is_of_period and not row.needs_action and settled_in(row) is not None:
                yield row


def _created_in(span: Span) -> InstantIn:
    return InstantIn(InstantField.CREATED, span.start, span.end)


def _query(*terms: Term) -> Query:
    return Query("", All(terms))
