"""CSV (RFC 4180): UTF-8, a heading, a row for each payment, numbers with a decimal point.

Columns are only ever appended. Texts are as sent, but that control characters are pictures and that
what a spreadsheet would run has a ``'`` in front (`opdash.exports.texts.defused`); numbers never
have one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import Final

from opdash.exports.cells import Instants, decimal, signed_decimal
from opdash.exports.formats import Page
from opdash.exports.records import Wanted
from opdash.exports.texts import defused, without_controls
from opdash.ledger.encoding import SCOPES, STATES, encode_instant
from opdash.ledger.notes import Note, is_outdated
from opdash.ledger.payment_stream import PlainPayment, as_row
from opdash.openpayments.amounts import Asset

SCHEMA: Final = "opdash.payments/1"
"""Name and version of the columns; stands in every row."""

COLUMNS: Final = (
    "schema",
    "wallet",
    "wallet_address",
    "payment_id",
    "date",
    "created_at",
    "state",
    "asked",
    "asked_asset",
    "received",
    "received_asset",
    "difference",
    "reference",
    "description",
    "completed",
    "final",
    "needs_action",
    "not_completed_by_server",
    "no_longer_at_server",
    "expires_at",
    "reached_at",
    "changed_at",
    "first_seen_at",
    "last_seen_at",
    "gone_at",
    "scope",
    "anomalies",
    "resolution",
    "resolution_at",
    "resolution_outdated",
    "labels",
    "note",
    "metadata",
)
"""The heading; new columns go to its end."""

_TRUTH: Final = ("false", "true")
_NO_NOTE: Final = ("", "", "", "", "")


class Format:
    """Writes CSV."""

    def __init__(self, wanted: Wanted) -> None:
        self._instants = Instants(wanted.zone)

    def write(self, pages: Iterator[Page], asset: Callable[[int], Asset]) -> Iterator[str]:
        """Yield the heading, then the rows of each page."""
        lines = _Lines()
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        yield lines.taken()
        rows = _Rows(self._instants, asset)
        for page in pages:
            writer.writerows(rows.of(page))
            yield lines.taken()


class _Rows:
    """Makes cells of payments."""

    def __init__(self, instants: Instants, asset: Callable[[int], Asset]) -> None:
        self._instants = instants
        self._asset = asset
        self._assets: dict[int, tuple[str, int]] = {}

    def of(self, page: Page) -> Iterator[tuple[str, ...]]:
        """Yield the rows of a page."""
        wallet, address = _text(page.wallet), _text(page.address)
        notes = page.batch.notes
        text, day, code_and_scale = self._instants.text, self._instants.day, self._code_and_scale
        states, scopes = _STATE_WORDS, _SCOPE_WORDS
        for one in page.batch.payments:
            received = one.received[2:]
            code, scale = code_and_scale(one.received_asset)
            asked = asked_code = ""
            if one.asked_asset is not None:
                asked_code, asked_scale = code_and_scale(one.asked_asset)
                asked = decimal(one.asked[2:], asked_scale)
            note = notes.get(one.id) if one.noted else None
            yield (
                SCHEMA,
                wallet,
                address,
                _text(one.id),
                day(one.created_at),
                text(one.created_at),
                states[one.state],
                asked,
                asked_code,
                decimal(received, scale),
                code,
                _difference(one, scale),
                _text(one.reference),
                _text(one.description),
                _TRUTH[one.completed],
                _TRUTH[one.final],
                _TRUTH[one.needs_action],
                _TRUTH[one.not_completed],
                _TRUTH[one.gone_at is not None],
                text(one.expires_at),
                text(one.reached_at),
                text(one.changed_at),
                text(one.first_seen_at),
                text(one.last_seen_at),
                text(one.gone_at),
                scopes[one.scope],
                one.anomalies,
                *(_NO_NOTE if note is None else self._note(page, one, note)),
                _text(one.metadata),
            )

    def _note(self, page: Page, one: PlainPayment, note: Note) -> tuple[str, str, str, str, str]:
        labels, text = _text(" ".join(note.names)), _text(note.text)
        settlement = note.settlement
        if settlement is None:
            return "", "", "", labels, text
        outdated = is_outdated(as_row(one, page.address, self._asset, note))
        at = self._instants.text(encode_instant(settlement.at))
        return settlement.resolution.value, at, _TRUTH[outdated], labels, text

    def _code_and_scale(self, number: int) -> tuple[str, int]:
        found = self._assets.get(number)
        if found is None:
            asset = self._asset(number)
            found = self._assets[number] = _text(asset.code), asset.scale
        return found


class _Lines:
    """Takes what `csv` writes, until it is asked for."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.write = self._lines.append

    def taken(self) -> str:
        text = "".join(self._lines)
        self._lines.clear()
        return text


def _difference(one: PlainPayment, scale: int) -> str:
    if one.asked_asset != one.received_asset:
        return ""
    asked = int(one.asked[2:])
    return signed_decimal(int(one.received[2:]) - asked, scale) if asked else ""


def _text(text: str) -> str:
    return defused(without_controls(text)) if text else ""


_STATE_WORDS: Final = {code: state.value for code, state in STATES.items()}
_SCOPE_WORDS: Final = {code: scope.value for code, scope in SCOPES.items()}
