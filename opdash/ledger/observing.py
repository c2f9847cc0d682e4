"""What one answer of the server means for what was known: a pure function."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from opdash.ledger.anomalies import Expected, find_anomalies
from opdash.ledger.notes import NO_NOTE, Note, settled_in
from opdash.ledger.records import (
    Announcement,
    ChangeKind,
    PaymentRow,
    Scope,
    Source,
    TimelineEntry,
    TimelineKind,
)
from opdash.ledger.references import reference_and_description, same_metadata
from opdash.ledger.states import PAID_STATES, Facts, State, Verdict, derive
from opdash.openpayments.amounts import Amount, Asset
from opdash.openpayments.resources import IncomingPayment, utc

ANNOUNCED_PAID: Final = 1
"""The bit that says that "paid" was announced."""

ANNOUNCED_RECEIVED: Final = 2
"""The bit that says that "received" was announced."""


class Look(msgspec.Struct, frozen=True):
    """The circumstances of an observation.

    Attributes:
        at: When it was made, in the server's time.
        source: The kind of answer.
        scope: The scope of the grant under which it was made.
        grace: How long past expiry the server's last word is waited for.
        expected: What was asked for.
    """

    at: datetime
    source: Source
    scope: Scope
    grace: timedelta
    expected: Expected


class Observed(msgspec.Struct, frozen=True):
    """What an observation means.

    Attributes:
        row: The payment as it is known now.
        kind: Why it is not as it was; None when nothing but the time of the last look changed.
        entries: What the time line gains.
    """

    row: PaymentRow
    kind: ChangeKind | None
    entries: tuple[TimelineEntry, ...] = ()


def observe(
    previous: PaymentRow | None, payment: IncomingPayment, look: Look, note: Note = NO_NOTE
) -> Observed:
    """Return what an answer means for what was known of a payment.

    Args:
        previous: What was known; None when the payment is new.
        payment: What the server answered.
        look: When and how it was asked.
        note: What people wrote on it before it was forgotten, where it is new.
    """
    if previous is None:
        return _first(payment, look, note)
    if _says_the_same(previous, payment, look):
        return _unchanged(previous, payment, look)
    return _changed(previous, payment, look)


def rederive(row: PaymentRow, now: datetime, grace: timedelta) -> PaymentRow:
    """Return the payment with its state and flags as they are at ``now``; the same if unmoved."""
    verdict = _derive(row, now, grace)
    if (
        row.state is verdict.state
        and row.final == verdict.final
        and row.needs_action == verdict.needs_action
        and row.not_completed_by_server == verdict.not_completed_by_server
        and row.no_longer_at_server == verdict.no_longer_at_server
        and row.next_change_at == verdict.next_change_at
    ):
        return row
    return _with_verdict(row, verdict)


def looks_the_same(one: PaymentRow, other: PaymentRow) -> bool:
    """Return whether time alone made no difference that a person sees."""
    return (
        one.state is other.state
        and one.needs_action == other.needs_action
        and one.not_completed_by_server == other.not_completed_by_server
        and one.no_longer_at_server == other.no_longer_at_server
    )


def same_but_for_the_look(one: PaymentRow, other: PaymentRow) -> bool:
    """Return whether two rows differ at most in when and under which scope they were seen."""
    if one.last_seen_at == other.last_seen_at and one.scope is other.scope:
        return one == other
    seen = msgspec.structs.replace(one, last_seen_at=other.last_seen_at, scope=other.scope)
    return seen == other


def gone(row: PaymentRow, at: datetime, grace: timedelta) -> Observed:
    """Return what it means that a payment was found gone."""
    now_gone = rederive(
        msgspec.structs.replace(row, gone_at=utc(at), changed_at=utc(at)), at, grace
    )
    entry = TimelineEntry(at=utc(at), kind=TimelineKind.GONE, received=row.received)
    return Observed(now_gone, ChangeKind.GONE, (entry,))


def announcement(
    row: PaymentRow, announced: int, *, first_seen: bool, watching_since: datetime
) -> tuple[Announcement | None, int]:
    """Return what to announce of a payment, and what has been announced of it then.

    A payment that was over before opdash began to watch its wallet address is no news: it is
    marked as announced in silence.

    Args:
        row: The payment as it is known now.
        announced: What was announced of it before, as bits.
        first_seen: Whether this is its first observation.
        watching_since: When the wallet address was first observed.
    """
    what: Announcement
    if row.state in PAID_STATES:
        what, bit = "paid", ANNOUNCED_PAID
    elif row.state is State.RECEIVED:
        what, bit = "received", ANNOUNCED_RECEIVED
    else:
        return None, announced
    is_news = not announced & bit and not (first_seen and row.created_at < watching_since)
    return (what if is_news else None), announced | bit


def receipt_at(entry: TimelineEntry, payment: IncomingPayment) -> datetime | None:
    """Return when the money of an entry arrived, as far as can be told; None where none did.

    What was there when a payment was first seen arrived between its creation and that look: the
    server's own ``updatedAt`` is taken where it sends one, else the creation.
    """
    if entry.delta is None or entry.delta <= 0:
        return None
    if entry.kind is TimelineKind.RECEIVED:
        return entry.at
    return min(utc(payment.updated_at or payment.created_at), entry.at)


def _first(payment: IncomingPayment, look: Look, note: Note) -> Observed:
    at = utc(look.at)
    asked, asked_asset = _asked(payment)
    received = payment.received_amount.minor_units
    metadata_json = payment.metadata_json
    reference, description = reference_and_description(metadata_json)
    anomalies = tuple(dict.fromkeys(find_anomalies(None, payment, look.expected)))
    facts = Facts(
        received=received,
        received_asset=payment.received_amount.asset,
        asked=asked,
        asked_asset=asked_asset,
        completed=payment.completed,
        expires_at=None if payment.expires_at is None else utc(payment.expires_at),
        reached_at=at if asked and received >= asked else None,
        anomalous=bool(anomalies),
    )
    verdict = derive(facts, at, look.grace)
    row = PaymentRow(
        id=payment.id,
        wallet=look.expected.address,
        state=verdict.state,
        final=verdict.final,
        needs_action=verdict.needs_action,
        not_completed_by_server=verdict.not_completed_by_server,
        no_longer_at_server=verdict.no_longer_at_server,
        next_change_at=verdict.next_change_at,
        asked=asked,
        asked_asset=asked_asset,
        received=received,
        received_asset=facts.received_asset,
        difference=difference(asked, asked_asset, received, facts.received_asset),
        completed=payment.completed,
        created_at=utc(payment.created_at),
        expires_at=facts.expires_at,
        reference=reference,
        description=description,
        metadata_json=metadata_json,
        first_seen_at=at,
        last_seen_at=at,
        changed_at=at,
        gone_at=None,
        reached_at=facts.reached_at,
        scope=look.scope,
        anomalies=anomalies,
        note=note,
    )
    if note.settlement is not None:
        row = rederive(row, at, look.grace)
    kind = TimelineKind.CREATED if look.source is Source.CREATE else TimelineKind.FIRST_SEEN
    first = TimelineEntry(
        at=at, kind=kind, source=look.source, received=received, delta=received or None
    )
    return Observed(row, ChangeKind.NEW, (first, *_anomaly_entries(anomalies, look)))


def difference(
    asked: int | None, asked_asset: Asset | None, received: int, received_asset: Asset
) -> int | None:
    """Return received − asked; None where nothing was asked or the assets are not the same."""
    return received - asked if asked and asked_asset == received_asset else None


def _unchanged(previous: PaymentRow, payment: IncomingPayment, look: Look) -> Observed:
    at = utc(look.at)
    verdict = _derive(previous, at, look.grace)
    row = _with_verdict(
        previous,
        verdict,
        created_at=_created_at(previous, payment, look),
        last_seen_at=at,
        scope=look.scope,
    )
    return Observed(row, None if looks_the_same(previous, row) else ChangeKind.TIME)


def _changed(previous: PaymentRow, payment: IncomingPayment, look: Look) -> Observed:
    at = utc(look.at)
    asked, asked_asset = _asked(payment)
    received, received_asset = payment.received_amount.minor_units, payment.received_amount.asset
    metadata_json = _metadata(previous, payment)
    reference, description = reference_and_description(metadata_json)
    found = dict.fromkeys(find_anomalies(previous, payment, look.expected))
    fresh = tuple(anomaly for anomaly in found if anomaly not in previous.anomalies)
    reached = at if asked and received >= asked else None
    row = msgspec.structs.replace(
        previous,
        asked=asked,
        asked_asset=asked_asset,
        received=received,
        received_asset=received_asset,
        difference=difference(asked, asked_asset, received, received_asset),
        completed=payment.completed,
        created_at=_created_at(previous, payment, look),
        expires_at=None if payment.expires_at is None else utc(payment.expires_at),
        reference=reference,
        description=description,
        metadata_json=metadata_json,
        last_seen_at=at,
        changed_at=at,
        gone_at=None,
        reached_at=previous.reached_at or reached,
        scope=look.scope,
        anomalies=previous.anomalies + fresh,
    )
    entries = (*_steps(previous, row, look), *_anomaly_entries(fresh, look))
    kind = ChangeKind.CHANGED if previous.gone_at is None else ChangeKind.BACK
    return Observed(rederive(row, at, look.grace), kind, entries)


def _steps(previous: PaymentRow, row: PaymentRow, look: Look) -> Iterator[TimelineEntry]:
    def entry(kind: TimelineKind, text: str = "", delta: int | None = None) -> TimelineEntry:
        return TimelineEntry(
            at=row.last_seen_at,
            kind=kind,
            source=look.source,
            received=row.received,
            delta=delta,
            text=text,
        )

    if previous.gone_at is not None:
        yield entry(TimelineKind.BACK)
    if (row.asked, row.asked_asset) != (previous.asked, previous.asked_asset):
        yield entry(TimelineKind.ASKED, _amount_text(previous.asked, previous.asked_asset))
    if row.received_asset == previous.received_asset and row.received != previous.received:
        delta = row.received - previous.received
        yield entry(TimelineKind.RECEIVED if delta > 0 else TimelineKind.FELL, delta=delta)
    if row.completed != previous.completed:
        yield entry(TimelineKind.COMPLETED if row.completed else TimelineKind.REOPENED)
    if row.expires_at != previous.expires_at:
        before = previous.expires_at
        yield entry(TimelineKind.EXPIRY, "" if before is None else before.isoformat())
    if row.metadata_json != previous.metadata_json:
        yield entry(TimelineKind.METADATA, previous.metadata_json)


def _anomaly_entries(anomalies: tuple[str, ...], look: Look) -> Iterator[TimelineEntry]:
    for anomaly in anomalies:
        yield TimelineEntry(
            at=utc(look.at), kind=TimelineKind.ANOMALY, source=look.source, text=anomaly
        )


def _says_the_same(previous: PaymentRow, payment: IncomingPayment, look: Look) -> bool:
    asked, asked_asset = _asked(payment)
    return (
        previous.gone_at is None
        and previous.received == payment.received_amount.minor_units
        and previous.completed == payment.completed
        and previous.asked == asked
        and previous.received_asset == payment.received_amount.asset
        and previous.asked_asset == asked_asset
        and previous.expires_at == payment.expires_at
        and previous.metadata_json == _metadata(previous, payment)
        and all(
            anomaly in previous.anomalies
            for anomaly in find_anomalies(previous, payment, look.expected)
        )
    )


def _metadata(previous: PaymentRow, payment: IncomingPayment) -> str:
    """Return the metadata as sent, or as known where only its key order is another."""
    sent = payment.metadata_json
    return previous.metadata_json if same_metadata(previous.metadata_json, sent) else sent


def _created_at(previous: PaymentRow, payment: IncomingPayment, look: Look) -> datetime:
    """Return the creation that the list printed; other answers may print it less finely."""
    return utc(payment.created_at) if look.source is Source.LIST else previous.created_at


def _asked(payment: IncomingPayment) -> tuple[int | None, Asset | None]:
    amount: Amount | None = payment.incoming_amount
    return (None, None) if amount is None else (amount.minor_units, amount.asset)


def _amount_text(minor_units: int | None, asset: Asset | None) -> str:
    return "" if asset is None else f"{minor_units} {asset.code} {asset.scale}"


def _derive(row: PaymentRow, now: datetime, grace: timedelta) -> Verdict:
    facts = Facts(
        received=row.received,
        received_asset=row.received_asset,
        asked=row.asked,
        asked_asset=row.asked_asset,
        completed=row.completed,
        expires_at=row.expires_at,
        gone_at=row.gone_at,
        reached_at=row.reached_at,
        anomalous=bool(row.anomalies),
        settled_in=settled_in(row),
    )
    return derive(facts, now, grace)


def _with_verdict(row: PaymentRow, verdict: Verdict, **others: object) -> PaymentRow:
    return msgspec.structs.replace(
        row,
        state=verdict.state,
        final=verdict.final,
        needs_action=verdict.needs_action,
        not_completed_by_server=verdict.not_completed_by_server,
        no_longer_at_server=verdict.no_longer_at_server,
        next_change_at=verdict.next_change_at,
        **others,
    )
