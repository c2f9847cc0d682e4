"""The objects that ``--json`` prints, one a line. Field names are stable; new ones may be added.

amount      ``{"value": "1250", "assetCode": "USD", "assetScale": 2, "decimal": "12.50"}``;
            ``value`` is minor units, both numbers are exact and are texts so that no reader
            rounds them. A difference can be negative.
instant     RFC 3339 in UTC, or null.
payment     ``id, wallet`` (its name here), ``walletAddress, state, asked, received, difference,
            completed, createdAt, expiresAt, reference, description, metadata, final, needsAction,
            notCompletedByServer, noLongerAtServer, firstSeenAt, lastSeenAt, changedAt, goneAt,
            reachedAt, scope, anomalies``, and what people wrote on it: ``labels, note,
            resolution`` (null, or ``as, at, received, outdated``); from ``show`` also ``timeline``.
step        of a time line: ``at, kind, source, received, delta, text``.
event       from ``watch`` and to hooks: ``cursor`` (names the event, and is the place after it),
            ``event`` (new, changed, time, gone, back, note), ``at, wallet, announce`` (paid,
            received or null), ``previousState, previousReceived, payment`` (as it was then; its
            texts, what it asks for and its expiry as they are known now).
creation    from ``create``: ``requestId, status, paymentId, error, payment, request``.
outgoing    ``id, walletAddress, receiver, state, certain, debit, receive, sent, failed, createdAt,
            quoteId, metadata, cost`` (null until it has finished), ``rate`` (a fraction of whole
            units such as ``44/49``, or null), ``lastSeenAt`` (null for now).
wallet      from ``wallet``: ``name, label, walletAddress, clientWalletAddress, keyId, keyFile,
            scope, isDefault, publicName, assetCode, assetScale, known, open, due, received,
            lastPollAt``; from ``wallet add`` also ``keyServed``.
scan        from ``sync``: ``wallet, walletAddress, pages, payments`` (read), ``gone`` (found to be
            no longer at the server), ``known, complete``.

Remote text is as the server sent it, escaped by the rules of JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from opdash.ledger.notes import is_outdated
from opdash.ledger.outgoing import OutgoingVerdict, effective_rate, outgoing_cost
from opdash.ledger.rates import per_unit
from opdash.ledger.records import Creation, PaymentRow, TimelineEntry, WalletRow
from opdash.openpayments.amounts import Amount, Asset, format_minor
from opdash.openpayments.errors import ProtocolError
from opdash.openpayments.resources import OutgoingPayment, decode_metadata
from opdash.service.status import ScanProgress
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.ledger.event_log import LoggedEvent

Record = dict[str, Any]


def amount(minor_units: int | None, asset: Asset | None) -> Record | None:
    """Return an amount's object, or None where there is none."""
    if minor_units is None or asset is None:
        return None
    return {
        "value": str(minor_units),
        "assetCode": asset.code,
        "assetScale": asset.scale,
        "decimal": format_minor(minor_units, asset.scale),
    }


def instant(when: datetime | None) -> str | None:
    """Return an instant in RFC 3339, UTC, or None."""
    if when is None:
        return None
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def payment(row: PaymentRow, profile: str) -> Record:
    """Return an incoming payment's object."""
    return {
        "id": row.id,
        "wallet": profile,
        "walletAddress": row.wallet,
        "state": row.state.value,
        "asked": amount(row.asked, row.asked_asset),
        "received": amount(row.received, row.received_asset),
        "difference": amount(row.difference, row.received_asset),
        "completed": row.completed,
        "createdAt": instant(row.created_at),
        "expiresAt": instant(row.expires_at),
        "reference": row.reference,
        "description": row.description,
        "metadata": metadata(row.metadata_json),
        "final": row.final,
        "needsAction": row.needs_action,
        "notCompletedByServer": row.not_completed_by_server,
        "noLongerAtServer": row.no_longer_at_server,
        "firstSeenAt": instant(row.first_seen_at),
        "lastSeenAt": instant(row.last_seen_at),
        "changedAt": instant(row.changed_at),
        "goneAt": instant(row.gone_at),
        "reachedAt": instant(row.reached_at),
        "scope": row.scope.value,
        "anomalies": list(row.anomalies),
        "labels": list(row.note.names),
        "note": row.note.text,
        "resolution": resolution(row),
    }


def resolution(row: PaymentRow) -> Record | None:
    """Return the object of how a person settled a payment, or None."""
    settlement = row.note.settlement
    if settlement is None:
        return None
    return {
        "as": settlement.resolution.value,
        "at": instant(settlement.at),
        "received": amount(settlement.standing.received, settlement.standing.received_asset),
        "outdated": is_outdated(row),
    }


def metadata(text: str) -> Mapping[str, Any]:
    """Return a metadata object, empty where it cannot be read."""
    try:
        return decode_metadata(text)
    except ProtocolError:
        return {}


def timeline(entries: Sequence[TimelineEntry], asset: Asset) -> list[Record]:
    """Return the objects of a payment's time line, oldest first."""
    return [
        {
            "at": instant(entry.at),
            "kind": entry.kind.value,
            "source": None if entry.source is None else entry.source.value,
            "received": amount(entry.received, asset),
            "delta": amount(entry.delta, asset),
            "text": entry.text,
        }
        for entry in entries
    ]


def event(what: LoggedEvent, profile: str) -> Record:
    """Return a logged change's object."""
    return {
        "cursor": what.cursor,
        "event": what.kind.value,
        "at": instant(what.at),
        "wallet": profile,
        "announce": what.announce,
        "previousState": None if what.previous_state is None else what.previous_state.value,
        "previousReceived": amount(what.previous_received, what.previous_asset),
        "payment": payment(what.payment, profile),
    }


def creation(what: Creation, row: PaymentRow | None, request: Any, profile: str) -> Record:
    """Return a creation's object.

    Args:
        what: How far it has come.
        row: The created payment, or None.
        request: The JSON object that was sent.
        profile: The wallet's name.
    """
    return {
        "requestId": what.request_id,
        "status": what.status.value,
        "paymentId": what.payment_id,
        "error": what.error,
        "payment": None if row is None else payment(row, profile),
        "request": request,
    }


def outgoing(
    sent: OutgoingPayment, verdict: OutgoingVerdict, seen_at: datetime | None = None
) -> Record:
    """Return an outgoing payment's object, as of an instant or of now."""
    debit, receive = sent.debit_amount, sent.receive_amount
    cost = outgoing_cost(verdict.state, debit.minor_units, sent.sent_amount.minor_units)
    rate = effective_rate(receive.minor_units, debit.minor_units)
    same = debit.asset == sent.sent_amount.asset
    return {
        "id": sent.id,
        "walletAddress": sent.wallet_address,
        "receiver": sent.receiver,
        "state": verdict.state.value,
        "certain": verdict.certain,
        "debit": _wire(sent.debit_amount),
        "receive": _wire(sent.receive_amount),
        "sent": _wire(sent.sent_amount),
        "failed": sent.failed,
        "createdAt": instant(sent.created_at),
        "quoteId": sent.quote_id,
        "metadata": metadata(sent.metadata_json),
        "cost": amount(cost, debit.asset) if same else None,
        "rate": None if rate is None else str(per_unit(rate, debit.asset, receive.asset)),
        "lastSeenAt": instant(seen_at),
    }


def wallet(profile: Profile, row: WalletRow | None, *, is_default: bool) -> Record:
    """Return a configured wallet's object; what was never learnt is null."""
    asset = None if row is None else row.asset
    return {
        "name": profile.name,
        "label": profile.label,
        "walletAddress": profile.wallet_address,
        "clientWalletAddress": profile.client_wallet_address,
        "keyId": profile.key_id,
        "keyFile": None if profile.key_file is None else str(profile.key_file),
        "scope": profile.scope.value,
        "isDefault": is_default,
        "publicName": None if row is None else row.public_name,
        "assetCode": None if asset is None else asset.code,
        "assetScale": None if asset is None else asset.scale,
        "known": 0 if row is None else row.known,
        "open": 0 if row is None else row.open_count,
        "due": None if row is None else amount(row.open_due, asset),
        "received": None if row is None else amount(row.received_total, asset),
        "lastPollAt": None if row is None else instant(row.last_poll_at),
    }


def scan(name: str, row: WalletRow, progress: ScanProgress) -> Record:
    """Return the object of a reading of the whole list."""
    return {
        "wallet": name,
        "walletAddress": row.address,
        "pages": progress.pages,
        "payments": progress.payments,
        "gone": progress.gone,
        "known": row.known,
        "complete": row.complete,
    }


def _wire(given: Amount) -> Record | None:
    return amount(given.minor_units, given.asset)
