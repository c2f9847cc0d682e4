"""JSON Lines: an object for each payment, with the fields that ``--json`` prints elsewhere.

Everything is as sent and in ASCII. Amounts are texts, so that no reader rounds them; metadata is
the JSON as sent, number for number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from opdash.exports.cells import Instants, signed_decimal
from opdash.exports.formats import Page
from opdash.exports.records import Wanted
from opdash.ledger.encoding import SCOPES, STATES, encode_instant
from opdash.ledger.notes import NO_NOTE, Note, is_outdated
from opdash.ledger.payment_stream import PlainPayment, as_row
from opdash.openpayments.amounts import Asset

SCHEMA: Final = "opdash.payments/1"
"""Name and version of the fields; new ones may be added."""

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NOT_PLAIN: Final = re.compile(r"[^\x20-\x7e]")


class Format:
    """Writes JSON Lines."""

    def __init__(self, wanted: Wanted) -> None:
        self._instants = Instants(wanted.zone)

    def write(self, pages: Iterator[Page], asset: Callable[[int], Asset]) -> Iterator[str]:
        """Yield the lines of each page."""
        encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
        for page in pages:
            lines = []
            for one in page.batch.payments:
                record = self._record(page, one, page.batch.notes.get(one.id, NO_NOTE), asset)
                line = encode(record).replace("\x7f", "\\u007f")
                lines.append(f'{line[:-1]},"metadata":{metadata(one.metadata)}}}\n')
            yield "".join(lines)

    def _record(
        self, page: Page, one: PlainPayment, note: Note, asset: Callable[[int], Asset]
    ) -> dict[str, Any]:
        received_asset = asset(one.received_asset)
        asked_asset = None if one.asked_asset is None else asset(one.asked_asset)
        asked, received = int(one.asked[2:] or 0), int(one.received[2:])
        comparable = asked > 0 and asked_asset == received_asset
        return {
            "schema": SCHEMA,
            "id": one.id,
            "wallet": page.wallet,
            "walletAddress": page.address,
            "state": STATES[one.state].value,
            "asked": None if asked_asset is None else _amount(asked, asked_asset),
            "received": _amount(received, received_asset),
            "difference": _amount(received - asked, received_asset) if comparable else None,
            "completed": bool(one.completed),
            "date": self._instants.day(one.created_at),
            "createdAt": self._instants.text(one.created_at),
            "expiresAt": self._instants.text(one.expires_at) or None,
            "reference": one.reference,
            "description": one.description,
            "final": bool(one.final),
            "needsAction": bool(one.needs_action),
            "notCompletedByServer": bool(one.not_completed),
            "noLongerAtServer": one.gone_at is not None,
            "firstSeenAt": self._instants.text(one.first_seen_at),
            "lastSeenAt": self._instants.text(one.last_seen_at),
            "changedAt": self._instants.text(one.changed_at),
            "goneAt": self._instants.text(one.gone_at) or None,
            "reachedAt": self._instants.text(one.reached_at) or None,
            "scope": SCOPES[one.scope].value,
            "anomalies": one.anomalies.split(),
            "labels": list(note.names),
            "note": note.text,
            "resolution": self._resolution(page, one, note, asset),
        }

    def _resolution(
        self, page: Page, one: PlainPayment, note: Note, asset: Callable[[int], Asset]
    ) -> dict[str, Any] | None:
        settlement = note.settlement
        if settlement is None:
            return None
        then = settlement.standing
        return {
            "as": settlement.resolution.value,
            "at": self._instants.text(encode_instant(settlement.at)),
            "received": _amount(then.received, then.received_asset),
            "outdated": is_outdated(as_row(one, page.address, asset, note)),
        }


def metadata(text: str) -> str:
    """Return metadata as JSON on one line of ASCII, as it was sent but for blanks."""
    return _NOT_PLAIN.sub(_escaped, text) if _is_object(text) else "{}"


def _is_object(text: str) -> bool:
    try:
        _OBJECT.decode(text)
        return True
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        pass
    try:  # half a surrogate pair, which JSON allows
        return isinstance(json.loads(text, parse_int=str, parse_float=str), dict)
    except (ValueError, RecursionError):
        return False


def _escaped(found: re.Match[str]) -> str:
    # Outside of its texts JSON has no other characters than line ends and tabs here.
    return " " if found[0] in "\n\r\t" else json.dumps(found[0])[1:-1]


def _amount(minor_units: int, asset: Asset) -> dict[str, Any]:
    return {
        "value": str(minor_units),
        "assetCode": asset.code,
        "assetScale": asset.scale,
        "decimal": signed_decimal(minor_units, asset.scale),
    }
