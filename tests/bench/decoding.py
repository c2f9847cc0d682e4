"""Decoding a page of payments: against json and dataclasses with the same checks and instants."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opdash.openpayments.amounts import MAX_VALUE
from opdash.openpayments.answers import decode_incoming_payment_page
from tests.bench.figures import Bar, Figure, best_seconds

_SERVER = "https://wallet.example/438fa74a-fa7d-4317-9ced-dde32ece1787/incoming-payments"
_VALUE = re.compile(r"[0-9]{1,20}")


def _payment(number: int) -> dict[str, Any]:
    amount = {"value": str(number * 1250), "assetCode": "EUR", "assetScale": 2}
    return {
        "id": f"{_SERVER}/9db5967c-0a68-4b2f-a09e-{number:012x}",
        "walletAddress": "https://wallet.example/rosa",
        "incomingAmount": amount,
        "receivedAmount": amount | {"value": str(number * 625)},
        "completed": number % 3 == 0,
        "metadata": {"description": f"Order #{number}", "externalRef": f"INV-2026-{number:04}"},
        "createdAt": f"2026-11-20T04:10:{number % 60:02}.{number:03}Z",
        "expiresAt": "2026-12-20T04:10:44.000Z",
    }


PAGE = json.dumps(
    {
        "pagination": {
            "startCursor": "9db5967c-0a68-4b2f-a09e-000000000000",
            "endCursor": "9db5967c-0a68-4b2f-a09e-000000000063",
            "hasNextPage": True,
            "hasPreviousPage": False,
        },
        "result": [_payment(number) for number in range(100)],
    },
    separators=(",", ":"),
).encode()
"""A page of 100 payments as real servers write it."""


@dataclass(frozen=True, slots=True)
class _Amount:
    value: str
    asset_code: str
    asset_scale: int


@dataclass(frozen=True, slots=True)
class _Payment:
    id: str
    wallet_address: str
    completed: bool
    received_amount: _Amount
    created_at: datetime
    incoming_amount: _Amount | None
    expires_at: datetime | None
    updated_at: datetime | None
    metadata: dict[str, Any] | None
    methods: list[Any] | None


@dataclass(frozen=True, slots=True)
class _Page:
    start_cursor: str | None
    end_cursor: str | None
    has_next_page: bool
    has_previous_page: bool
    result: tuple[_Payment, ...]


def decode_with_json(body: bytes) -> _Page:
    """Decode a page as it is done without a decoding library."""
    page = json.loads(body)
    pagination = page.get("pagination", {})
    end_cursor = _optional(pagination, "endCursor", str)
    has_next_page = bool(_optional(pagination, "hasNextPage", bool))
    if has_next_page and not end_cursor:
        raise ValueError("endCursor")
    return _Page(
        _optional(pagination, "startCursor", str),
        end_cursor,
        has_next_page,
        bool(_optional(pagination, "hasPreviousPage", bool)),
        tuple(_decode_payment(payment) for payment in page.get("result", ())),
    )


def _decode_payment(payment: dict[str, Any]) -> _Payment:
    incoming = payment.get("incomingAmount")
    return _Payment(
        _required(payment, "id", str),
        _required(payment, "walletAddress", str),
        _required(payment, "completed", bool),
        _decode_amount(_required(payment, "receivedAmount", dict)),
        _instant(_required(payment, "createdAt", str)),
        None if incoming is None else _decode_amount(incoming),
        _optional_instant(payment, "expiresAt"),
        _optional_instant(payment, "updatedAt"),
        _optional(payment, "metadata", dict),
        _optional(payment, "methods", list),
    )


def _decode_amount(amount: dict[str, Any]) -> _Amount:
    value = _required(amount, "value", str)
    if _VALUE.fullmatch(value) is None or int(value) > MAX_VALUE:
        raise ValueError("value")
    scale = _required(amount, "assetScale", int)
    if not 0 <= scale <= 255:
        raise ValueError("assetScale")
    return _Amount(value, _required(amount, "assetCode", str), scale)


def _required(found: dict[str, Any], name: str, kind: type) -> Any:
    value = found[name]
    if type(value) is not kind:
        raise TypeError(name)
    return value


def _optional(found: dict[str, Any], name: str, kind: type) -> Any:
    value = found.get(name)
    if value is not None and type(value) is not kind:
        raise TypeError(name)
    return value


def _optional_instant(found: dict[str, Any], name: str) -> datetime | None:
    value = _optional(found, name, str)
    return None if value is None else _instant(value)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("no zone")
    return instant


def _times_faster() -> float:
    own, plain = best_seconds(
        lambda: decode_incoming_payment_page(PAGE), lambda: decode_with_json(PAGE)
    )
    return plain / own


FIGURES = (Figure("decode_page", "× json and dataclasses", Bar.AT_LEAST, 5.0, _times_faster),)
