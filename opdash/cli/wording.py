"""How the commands put payments, amounts and instants into words for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from opdash.cli.output import Style
from opdash.ledger.notes import why_outdated
from opdash.ledger.records import (
    ANOMALY_TEXT,
    AssetTotals,
    PaymentRow,
    Source,
    TimelineEntry,
    TimelineKind,
)
from opdash.ledger.states import GLYPHS, State
from opdash.ledger.timeline import WRITTEN, former_amount, former_instant, told
from opdash.openpayments.amounts import MINUS, Asset, format_minor

_GOOD = frozenset({State.PAID, State.OVERPAID, State.RECEIVED})

_STEPS: Mapping[TimelineKind, str] = {
    TimelineKind.FIRST_SEEN: "first seen by opdash",
    TimelineKind.CREATED: "created by opdash",
    TimelineKind.REOPENED: "open again",
    TimelineKind.ASKED: "the amount asked for changed",
    TimelineKind.EXPIRY: "the expiry changed",
    TimelineKind.METADATA: "the metadata changed",
    TimelineKind.GONE: "no longer at the server",
    TimelineKind.BACK: "seen again at the server",
    TimelineKind.COMPLETING: "opdash asked the server to complete it",
}


def money(minor_units: int | None, asset: Asset | None) -> str:
    """Write an amount with its asset code, or nothing where there is none."""
    if minor_units is None or asset is None:
        return ""
    return f"{number(minor_units, asset)} {asset.code}"


def number(minor_units: int, asset: Asset) -> str:
    """Write an amount without its asset code."""
    return format_minor(minor_units, asset.scale, grouped=True, minus=MINUS)


def totals(of_asset: AssetTotals) -> str:
    """Write what payments add up to in one asset."""
    asset = of_asset.asset
    asked, received, difference = (
        money(minor_units, asset)
        for minor_units in (of_asset.asked, of_asset.received, of_asset.difference)
    )
    payments = f"{of_asset.count:,} payment{'' if of_asset.count == 1 else 's'}"
    return f"{payments} · asked {asked} · received {received} · difference {difference}"


def local(instant: datetime | None) -> str:
    """Write an instant in the local time zone, to the minute; nothing for None."""
    return "" if instant is None else instant.astimezone().strftime("%Y-%m-%d %H:%M")


def to_the_second(instant: datetime) -> str:
    """Write an instant in the local time zone, to the second."""
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def state(row: PaymentRow) -> str:
    """Write a state as glyph and word."""
    return f"{GLYPHS[row.state]} {row.state.value}"


def state_style(row: PaymentRow) -> Style:
    """Return how a payment's state is set off."""
    if row.needs_action:
        return Style.ATTENTION
    return Style.GOOD if row.state in _GOOD else Style.PLAIN


def last_segment(url: str) -> str:
    """Return the last segment of a payment's URL, its short name."""
    return url.rstrip("/").rpartition("/")[2]


def short_ids(rows: Iterable[PaymentRow]) -> dict[str, str]:
    """Return for each payment the shortest start of its id, 8 or more, that tells it apart."""
    ids = {row.id: last_segment(row.id) for row in rows}
    length = 8
    while len({text[:length] for text in ids.values()}) < len(ids) and length < 64:
        length += 4
    return {url: text[:length] for url, text in ids.items()}


def payment_fields(row: PaymentRow) -> list[tuple[str, str]]:
    """Return the names and values that describe a payment."""
    return [
        ("state", state(row)),
        ("asked", money(row.asked, row.asked_asset) or "any amount"),
        ("received", money(row.received, row.received_asset)),
        ("difference", money(row.difference, row.received_asset)),
        ("reference", row.reference),
        ("description", row.description),
        ("created", local(row.created_at)),
        ("expires", local(row.expires_at) or "never"),
        ("completed", "yes" if row.completed else "no"),
        ("gone since", local(row.gone_at)),
        ("anomalies", "; ".join(ANOMALY_TEXT.get(code, code) for code in row.anomalies)),
        *note_fields(row),
        ("last seen", local(row.last_seen_at)),
        ("wallet", row.wallet),
        ("payment", row.id),
    ]


def note_fields(row: PaymentRow) -> list[tuple[str, str]]:
    """Return the names and values of what people wrote on a payment."""
    note, settlement = row.note, row.note.settlement
    lines = note.text.split("\n") if note.text else []
    fields = [("labels", ", ".join(note.names))]
    fields += [("" if number else "note", line or " ") for number, line in enumerate(lines)]
    if settlement is not None:
        said = f"{settlement.resolution.words} on {local(settlement.at)}"
        fields.append(("resolution", said))
        fields.append(("", why_outdated(row)))
    return fields


def step(entry: TimelineEntry, asset: Asset) -> str:
    """Write one step of a time line."""
    kind = entry.kind
    if kind in (TimelineKind.RECEIVED, TimelineKind.FELL) and entry.delta is not None:
        sign = "+" if entry.delta >= 0 else ""
        total = f" (in all {number(entry.received, asset)})" if entry.received is not None else ""
        return f"{sign}{money(entry.delta, asset)}{total}"
    if kind is TimelineKind.COMPLETED:
        by = " by opdash" if entry.source is Source.COMPLETE else ""
        return f"completed{by}{_with_money(entry, asset)}"
    if kind is TimelineKind.ASKED:
        before = former_amount(entry.text)
        was = "any amount" if before is None else money(before.minor_units, before.asset)
        return f"{_STEPS[kind]}; before: {was}"
    if kind is TimelineKind.EXPIRY:
        was = local(former_instant(entry.text)) or entry.text or "none"
        return f"{_STEPS[kind]}; before: {was}"
    if kind is TimelineKind.METADATA:
        return f"{_STEPS[kind]}; before: {entry.text or 'none'}"
    if kind is TimelineKind.GONE and entry.received:
        return f"{_STEPS[kind]}; {money(entry.received, asset)} had arrived"
    if kind is TimelineKind.ANOMALY:
        return ANOMALY_TEXT.get(entry.text, entry.text)
    if kind is TimelineKind.NOTE:
        return entry.text
    if kind in WRITTEN:
        return told(entry)
    return f"{_STEPS.get(kind, kind.value)}{_with_money(entry, asset)}"


def _with_money(entry: TimelineEntry, asset: Asset) -> str:
    return f" with {money(entry.received, asset)}" if entry.received else ""


def leaves(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Return the paths and texts of all that a metadata object holds."""
    if isinstance(value, Mapping) and value:
        return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}.{key}")]
    if isinstance(value, list) and value:
        return [leaf for at, inner in enumerate(value) for leaf in leaves(inner, f"{path}[{at}]")]
    return [(path.lstrip("."), _leaf(value))]


def _leaf(value: Any) -> str:
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False)
