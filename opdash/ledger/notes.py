"""What people write on payments, and how they settle them: records and rules, without a table.

A person gives a payment labels, one note and one resolution. Nothing of it is ever sent to a
server. Each thing that they did is a step; steps are only ever added, and what stands follows from
them.

A resolution is about the payment as it stood: the amounts, the anomalies, and whether the server
had lost it. While those stay, the payment needs no action any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from opdash.errors import InputError
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset, format_minor
from opdash.safetext import safe_text

if TYPE_CHECKING:
    from opdash.ledger.records import PaymentRow

LONGEST_LABEL: Final = 32
"""The most characters of a label."""

MOST_LABELS: Final = 20
"""The most labels of one payment."""

LONGEST_TEXT: Final = 4_000
"""The most characters of a note."""

HAS_LABEL: Final = 1
HAS_TEXT: Final = 2
HAS_RESOLUTION: Final = 4


class Resolution(StrEnum):
    """How a person settled a payment; the value is the word for programs."""

    NONE = "none"
    """Not at all."""
    ACCEPTED = "accepted"
    """It is fine as it is."""
    REFUNDED = "refunded"
    """The money went back."""
    WRITTEN_OFF = "written-off"
    """The rest will not come."""

    @property
    def words(self) -> str:
        """The word for a person."""
        return self.value.replace("-", " ")


class NoteKind(StrEnum):
    """What a person did."""

    LABEL = "label"
    UNLABEL = "unlabel"
    TEXT = "text"
    RESOLUTION = "resolution"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a resolution is about.

    Attributes:
        state: The payment's state.
        received: Minor units received.
        received_asset: What ``received`` counts.
        asked: Minor units asked for, or None.
        asked_asset: What ``asked`` counts, or None.
        anomalies: Codes of `opdash.ledger.records.Anomaly`.
    """

    state: State
    received: int
    received_asset: Asset
    asked: int | None
    asked_asset: Asset | None
    anomalies: tuple[str, ...]


class NoteStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person did; never changed.

    Attributes:
        kind: What.
        text: The label, the note (empty where it was taken away), or the `Resolution`.
        at: When, UTC.
        standing: How the payment stood, for a resolution; else None.
    """

    kind: NoteKind
    text: str
    at: datetime
    standing: Standing | None = None


class Label(msgspec.Struct, frozen=True):
    """A label, and when it was given, UTC."""

    text: str
    at: datetime


class Settlement(msgspec.Struct, frozen=True):
    """A resolution that stands.

    Attributes:
        resolution: Which; never `Resolution.NONE`.
        at: When it was given, UTC.
        standing: How the payment stood then.
    """

    resolution: Resolution
    at: datetime
    standing: Standing


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on a payment of what people wrote.

    Attributes:
        labels: In the order in which they were given.
        text: The note, lines parted by LF; empty for none.
        written_at: When the note was written, UTC, or None.
        settlement: The resolution, or None.
    """

    labels: tuple[Label, ...] = ()
    text: str = ""
    written_at: datetime | None = None
    settlement: Settlement | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The labels themselves."""
        return tuple(label.text for label in self.labels)

    @property
    def resolution(self) -> Resolution:
        """How the payment was settled."""
        return Resolution.NONE if self.settlement is None else self.settlement.resolution

    @property
    def bits(self) -> int:
        """What there is: `HAS_LABEL`, `HAS_TEXT`, `HAS_RESOLUTION`; 0 for nothing."""
        return (
            HAS_LABEL * bool(self.labels)
            + HAS_TEXT * bool(self.text)
            + HAS_RESOLUTION * (self.settlement is not None)
        )


NO_NOTE: Final = Note()
"""Nothing was written."""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to be otherwise.

    Attributes:
        add: Labels to give, as `opdash.ledger.note_texts.read_label` returns them.
        remove: Labels to take away, whatever their case.
        text: The note instead of the one before, as `read_text` there returns it; None to leave it.
        resolution: The resolution instead of the one before; None to leave it.
        seen: How the payment stood when the person settled it; None for how it stands.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    text: str | None = None
    resolution: Resolution | None = None
    seen: Standing | None = None


def steps_of(edit: Edit, note: Note, standing: Standing, at: datetime) -> tuple[NoteStep, ...]:
    """Return the steps that an edit takes; none where it changes nothing.

    Args:
        edit: What a person wants.
        note: What stands.
        standing: How the payment stands.
        at: When.

    Raises:
        InputError: There would be more labels than `MOST_LABELS`.
    """
    steps = tuple(_steps_of(edit, note, edit.seen or standing, at))
    if len(folded_note(steps, note).labels) > MOST_LABELS:
        raise InputError(
            f"A payment can have {MOST_LABELS} labels.", "Take others away, or write a note."
        )
    return steps


def _steps_of(edit: Edit, note: Note, standing: Standing, at: datetime) -> Iterator[NoteStep]:
    added = {label.casefold() for label in edit.add}
    known = {label.casefold(): label for label in note.names}
    for key in dict.fromkeys(label.casefold() for label in edit.remove):
        if key in known and key not in added:
            yield NoteStep(kind=NoteKind.UNLABEL, text=known[key], at=at)
    for key, label in {label.casefold(): label for label in edit.add}.items():
        if key not in known:
            yield NoteStep(kind=NoteKind.LABEL, text=label, at=at)
    if edit.text is not None and edit.text != note.text:
        yield NoteStep(kind=NoteKind.TEXT, text=edit.text, at=at)
    if edit.resolution is None:
        return
    before = note.settlement
    if edit.resolution is Resolution.NONE:
        if before is not None:
            yield NoteStep(kind=NoteKind.RESOLUTION, text=Resolution.NONE.value, at=at)
    elif before is None or (before.resolution, before.standing) != (edit.resolution, standing):
        yield NoteStep(
            kind=NoteKind.RESOLUTION, text=edit.resolution.value, at=at, standing=standing
        )


def folded_note(steps: Iterable[NoteStep], note: Note = NO_NOTE) -> Note:
    """Return what stands after steps, oldest first, upon what stood before."""
    labels = {label.text.casefold(): label for label in note.labels}
    text, written_at, settlement = note.text, note.written_at, note.settlement
    for step in steps:
        match step.kind:
            case NoteKind.LABEL:
                labels.setdefault(step.text.casefold(), Label(step.text, step.at))
            case NoteKind.UNLABEL:
                labels.pop(step.text.casefold(), None)
            case NoteKind.TEXT:
                text, written_at = step.text, step.at if step.text else None
            case NoteKind.RESOLUTION:
                settlement = _settlement(step)
    return Note(
        labels=tuple(labels.values()), text=text, written_at=written_at, settlement=settlement
    )


def _settlement(step: NoteStep) -> Settlement | None:
    resolution = Resolution(step.text)
    if resolution is Resolution.NONE or step.standing is None:
        return None
    return Settlement(resolution, step.at, step.standing)


# What a resolution means


def standing_of(row: PaymentRow) -> Standing:
    """Return how a payment stands."""
    return Standing(
        state=row.state,
        received=row.received,
        received_asset=row.received_asset,
        asked=row.asked,
        asked_asset=row.asked_asset,
        anomalies=row.anomalies,
    )


def settled_in(row: PaymentRow) -> State | None:
    """Return the state in which a payment was settled; None where that no longer counts.

    It counts while the amounts are the same and no anomaly has come.
    """
    settlement = row.note.settlement
    if settlement is None or not _is_about(settlement.standing, standing_of(row)):
        return None
    return settlement.standing.state


def is_outdated(row: PaymentRow) -> bool:
    """Return whether a payment was settled, and something that this was about has changed."""
    settlement = row.note.settlement
    if settlement is None:
        return False
    lost = row.state is State.UNAVAILABLE and settlement.standing.state is not State.UNAVAILABLE
    return settled_in(row) is None or (lost and row.needs_action)


def why_outdated(row: PaymentRow) -> str:
    """Return, as a sentence, what has changed since a payment was settled; empty for nothing."""
    settlement = row.note.settlement
    if settlement is None or not is_outdated(row):
        return ""
    then, now = settlement.standing, standing_of(row)
    was = f"It was {settlement.resolution.words}"
    if (then.received, then.received_asset) != (now.received, now.received_asset):
        before = _told(then.received, then.received_asset)
        after = _told(row.received, row.received_asset)
        return f"{was} with {before} received; {after} have arrived by now."
    if (then.asked, then.asked_asset) != (now.asked, now.asked_asset):
        before = _told(then.asked, then.asked_asset)
        after = _told(row.asked, row.asked_asset)
        return f"{was} when it asked for {before}; it asks for {after} by now."
    if set(now.anomalies) <= set(then.anomalies):
        return f"{was} before the server lost it."
    return f"{was} before the server did what it must not do."


def _told(minor_units: int | None, asset: Asset | None) -> str:
    if minor_units is None or asset is None:
        return "any amount"
    code = safe_text(asset.code, limit=12)
    return f"{format_minor(minor_units, asset.scale, grouped=True)} {code}"


def _is_about(then: Standing, now: Standing) -> bool:
    return (
        (then.received, then.received_asset) == (now.received, now.received_asset)
        and (then.asked, then.asked_asset) == (now.asked, now.asked_asset)
        and set(now.anomalies) <= set(then.anomalies)
    )
