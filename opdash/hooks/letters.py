"""What is handed to a program or a web hook: one event, as JSON and in a few words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from opdash.safetext import safe_text

MOST_BYTES: Final = 256 * 1024
"""The longest body; an event whose metadata makes it longer goes without them, and says so."""

_LONGEST_WORD: Final = 500


class Letter(msgspec.Struct, frozen=True):
    """One event on its way.

    Attributes:
        id: The event's cursor: the same however often it is sent.
        wallet: The name of the wallet that it is about.
        body: The event's JSON object, ASCII.
        variables: What a program finds in its environment, safe to show.
    """

    id: str
    wallet: str
    body: bytes
    variables: Mapping[str, str]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Letter:
        """Return the letter of an event's object."""
        payment = record["payment"]
        received = payment["received"] or {}
        words = {
            "OPDASH_EVENT": record["event"],
            "OPDASH_EVENT_ID": record["cursor"],
            "OPDASH_ANNOUNCE": record["announce"] or "",
            "OPDASH_WALLET": record["wallet"],
            "OPDASH_PAYMENT": payment["id"],
            "OPDASH_STATE": payment["state"],
            "OPDASH_RECEIVED": received.get("decimal", ""),
            "OPDASH_ASSET": received.get("assetCode", ""),
            "OPDASH_REFERENCE": payment["reference"],
        }
        limits = {"OPDASH_PAYMENT": 0}
        return cls(
            id=record["cursor"],
            wallet=record["wallet"],
            body=_json(bounded(record)),
            variables={
                name: safe_text(word, limit=limits.get(name, _LONGEST_WORD))
                for name, word in words.items()
            },
        )


def bounded(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's object, without its payment's metadata where those are beyond measure."""
    if len(_json(record)) <= MOST_BYTES:
        return dict(record)
    short = {**record["payment"], "metadata": {}, "metadataLeftOut": True}
    return {**record, "payment": short}


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
