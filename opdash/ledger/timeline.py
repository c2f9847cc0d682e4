"""Time lines: with what people wrote on the payment, and what their texts carry, read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from heapq import merge
from types import MappingProxyType
from typing import Final

from opdash.ledger.notes import NoteKind, NoteStep, Resolution
from opdash.ledger.records import TimelineEntry, TimelineKind
from opdash.openpayments.amounts import Amount

_OF_NOTES: Final[Mapping[NoteKind, TimelineKind]] = MappingProxyType(
    {
        NoteKind.LABEL: TimelineKind.LABELLED,
        NoteKind.UNLABEL: TimelineKind.UNLABELLED,
        NoteKind.TEXT: TimelineKind.NOTED,
        NoteKind.RESOLUTION: TimelineKind.RESOLVED,
    }
)


WRITTEN: Final = frozenset(_OF_NOTES.values())
"""The steps that tell what a person wrote."""


def told(step: TimelineEntry) -> str:
    """Return what a person wrote, on one line; for the kinds of `WRITTEN`."""
    text = " / ".join(step.text.split("\n"))
    match step.kind:
        case TimelineKind.LABELLED:
            return f"labelled {text}"
        case TimelineKind.UNLABELLED:
            return f"label {text} taken away"
        case TimelineKind.NOTED:
            return f"note: {text}" if text else "note taken away"
        case _:
            if text in ("", Resolution.NONE):
                return "resolution taken back"
            return f"settled as {text.replace('-', ' ')}"


def with_notes(
    observed: Iterable[TimelineEntry], steps: Iterable[NoteStep]
) -> tuple[TimelineEntry, ...]:
    """Return a time line with what people wrote in its place; each keeps its own order."""
    written = (
        TimelineEntry(
            at=step.at,
            kind=_OF_NOTES[step.kind],
            received=None if step.standing is None else step.standing.received,
            text=step.text,
        )
        for step in steps
    )
    return tuple(merge(observed, written, key=lambda entry: entry.at))


def former_amount(text: str) -> Amount | None:
    """Return the amount that was asked for before, or None where none was.

    Args:
        text: The text of an entry that the amount asked for has changed.
    """
    value, _, rest = text.partition(" ")
    code, _, scale = rest.rpartition(" ")
    if not (value.isdecimal() and value.isascii() and scale.isdecimal() and scale.isascii()):
        return None
    return Amount(value, code, int(scale))


def former_instant(text: str) -> datetime | None:
    """Return the expiry of before, or None where there was none, or where it cannot be read.

    Args:
        text: The text of an entry that the expiry has changed.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
