"""Labels and notes as people type them, and how a payment stood as the ledger writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from opdash.errors import InputError
from opdash.ledger.notes import LONGEST_LABEL, LONGEST_TEXT, Standing
from opdash.ledger.states import State
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text

_NOT_IN_LABELS = re.compile(r"[\s,\"\\]")


def read_label(typed: str) -> str:
    """Return a label as it is kept.

    Raises:
        InputError: It is none.
    """
    label = typed.strip()
    shown = safe_text(label, limit=40)
    if not label or _NOT_IN_LABELS.search(label):
        raise InputError(
            f"“{shown}” is no label." if label else "A label is empty.",
            "A label is one word, such as vip or claim-7.",
        )
    if len(label) > LONGEST_LABEL:
        raise InputError(
            f"The label “{shown}” is longer than {LONGEST_LABEL} characters.",
            "Put the rest into the note.",
        )
    if safe_text(label) != label:
        raise InputError(
            f"The label “{shown}” has characters that cannot be shown.", "Leave them out."
        )
    return label


def read_labels(typed: str) -> tuple[str, ...]:
    """Return labels that are parted by commas or blanks, each once, whatever its case.

    Raises:
        InputError: One of them is none.
    """
    labels: dict[str, str] = {}
    for word in typed.replace(",", " ").split():
        label = read_label(word)
        labels.setdefault(label.casefold(), label)
    return tuple(labels.values())


def read_text(typed: str) -> str:
    """Return a note as it is kept: lines parted by LF, without blanks at its end.

    Raises:
        InputError: It is too long, or cannot be kept.
    """
    text = "\n".join(line.rstrip() for line in re.split(r"\r\n|\r|\n", typed)).strip("\n")
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"The note has {len(text):,} characters; there is room for {LONGEST_TEXT:,}.",
            "Shorten it.",
        )
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError("The note has characters that cannot be kept.", "Write it as plain text.")
    return text


def write_standing(standing: Standing | None) -> str:
    """Return what `read_standing` reads; empty for None."""
    if standing is None:
        return ""
    asked_asset = standing.asked_asset
    return json.dumps(
        {
            "state": standing.state.value,
            "received": str(standing.received),
            "receivedAsset": [standing.received_asset.code, standing.received_asset.scale],
            "asked": None if standing.asked is None else str(standing.asked),
            "askedAsset": None if asked_asset is None else [asked_asset.code, asked_asset.scale],
            "anomalies": standing.anomalies,
        },
        separators=(",", ":"),
    )


def read_standing(text: str) -> Standing | None:
    """Read what `write_standing` wrote.

    Raises:
        ValueError: Nobody wrote it so.
    """
    if not text:
        return None
    try:
        found = json.loads(text)
        asked, asked_asset = found["asked"], found["askedAsset"]
        return Standing(
            state=State(found["state"]),
            received=int(found["received"]),
            received_asset=_asset(found["receivedAsset"]),
            asked=None if asked is None else int(asked),
            asked_asset=None if asked_asset is None else _asset(asked_asset),
            anomalies=tuple(map(str, found["anomalies"])),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not how a payment stands") from error


def _asset(pair: Sequence[str | int]) -> Asset:
    code, scale = pair
    return Asset(str(code), int(scale))
