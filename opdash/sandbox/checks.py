"""Whether a request fits its schema, told in the words of the real servers' validator.

Only the first fault is named, in the order in which the validator looks: body, headers, query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from opdash.sandbox.clock import from_datetime
from opdash.sandbox.errors import InvalidRequestError

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_UINT = re.compile(r"[0-9]+")
_LEADING_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,15})")
_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt\s](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_CREATE_FIELDS = ("walletAddress", "incomingAmount", "expiresAt", "metadata")
_ACTIONS = {
    "incoming-payment": ("create", "complete", "read", "read-all", "list", "list-all"),
    "outgoing-payment": ("create", "read", "read-all", "list", "list-all"),
    "quote": ("create", "read", "read-all"),
}


def is_uri(text: str) -> bool:
    """Return whether a text is an absolute URI by the validator's format."""
    return _URI.fullmatch(text) is not None


def check_signature_headers(headers: Mapping[str, str]) -> None:
    """Refuse a request without signature headers, where the schema requires them."""
    for name in ("signature-input", "signature"):
        if name not in headers:
            raise InvalidRequestError(f"must have required property '{name}'")


def read_list_query(query: Mapping[str, str]) -> dict[str, Any]:
    """Return a list's query parameters, ``first`` and ``last`` as integers.

    Raises:
        InvalidRequestError: One is missing or out of range.
    """
    values: dict[str, Any] = dict(query)
    if "wallet-address" not in query:
        raise InvalidRequestError("must have required property 'wallet-address'")
    if query.get("cursor") == "":
        raise InvalidRequestError("cursor must NOT have fewer than 1 characters")
    for name in ("first", "last"):
        if name in query:
            values[name] = _read_page_size(name, query[name])
    return values


def check_create_body(body: Any) -> None:
    """Check the body of a request to create an incoming payment."""
    _expect_object(body, "body")
    if "walletAddress" not in body:
        raise InvalidRequestError("body must have required property 'walletAddress'")
    for name in body:
        if name not in _CREATE_FIELDS:
            raise InvalidRequestError(f"body must NOT have additional properties: {name}")
    _expect_uri(body["walletAddress"], "body.walletAddress")
    if "incomingAmount" in body:
        _check_amount(body["incomingAmount"], "body.incomingAmount")
    if "expiresAt" in body:
        _check_date_time(body["expiresAt"], "body.expiresAt")
    if "metadata" in body:
        _expect_object(body["metadata"], "body.metadata")


def read_instant(text: str) -> int | None:
    """Return an instant in whole milliseconds, as microseconds, or None if it is none.

    Without an offset it is taken as UTC.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    date, time, fraction, offset = match.groups()
    millis = (fraction or ".")[1:4].ljust(3, "0")
    zone = "+00:00" if offset in (None, "Z", "z") else _spell_offset(offset)
    try:
        instant = datetime.fromisoformat(f"{date}T{time}.{millis}{zone}")
        return from_datetime(instant.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def check_grant_body(body: Any) -> None:
    """Check the body of a grant request."""
    _expect_object(body, "body")
    if "client" not in body:
        raise InvalidRequestError("body must have required property 'client'")
    client = body["client"]
    if isinstance(client, dict):
        _require(client, ("walletAddress",), "body.client")
        client = client["walletAddress"]
    _expect_string(client, "body.client")
    if "access_token" in body:
        _check_access(body["access_token"])
    if "interact" in body:
        _check_interact(body["interact"])


def _check_access(token: Any) -> None:
    _expect_object(token, "body.access_token")
    _require(token, ("access",), "body.access_token")
    access = token["access"]
    where = "body.access_token.access"
    if not isinstance(access, list):
        raise InvalidRequestError(f"{where} must be array")
    if len(access) > 3:
        raise InvalidRequestError(f"{where} must NOT have more than 3 items")
    for index, item in enumerate(access):
        _check_access_item(item, f"{where}.{index}")


def _check_access_item(item: Any, where: str) -> None:
    _expect_object(item, where)
    kind = item.get("type")
    if isinstance(kind, str) and kind in ("outgoing-payment", "quote"):
        if _is_other_access(item, kind):
            return
        raise InvalidRequestError(f"{where}.type must be equal to one of the allowed values")
    _require(item, ("type", "actions"), where)
    _expect_one_of(kind, ("incoming-payment",), f"{where}.type")
    _expect_list_of(item["actions"], _ACTIONS["incoming-payment"], f"{where}.actions")
    if "identifier" in item:
        _expect_uri(item["identifier"], f"{where}.identifier")


def _is_other_access(item: dict[str, Any], kind: str) -> bool:
    try:
        _require(item, ("actions",), "")
        _expect_list_of(item["actions"], _ACTIONS[kind], "")
        if kind == "outgoing-payment":
            _require(item, ("identifier",), "")
            _expect_uri(item["identifier"], "")
            _expect_object(item.get("limits", {}), "")
    except InvalidRequestError:
        return False
    return True


def _check_interact(interact: Any) -> None:
    where = "body.interact"
    _expect_object(interact, where)
    _require(interact, ("start",), where)
    _expect_list_of(interact["start"], ("redirect",), f"{where}.start")
    if "finish" in interact:
        finish = interact["finish"]
        _expect_object(finish, f"{where}.finish")
        _require(finish, ("method", "uri", "nonce"), f"{where}.finish")
        _expect_one_of(finish["method"], ("redirect",), f"{where}.finish.method")
        _expect_uri(finish["uri"], f"{where}.finish.uri")
        _expect_string(finish["nonce"], f"{where}.finish.nonce")


def _read_page_size(name: str, text: str) -> int:
    match = _LEADING_INTEGER.match(text)
    if match is None:
        raise InvalidRequestError(f"{name} must be integer")
    size = int(match[1])
    if size < 1:
        raise InvalidRequestError(f"{name} must be >= 1")
    if size > 100:
        raise InvalidRequestError(f"{name} must be <= 100")
    return size


def _check_amount(amount: Any, where: str) -> None:
    _expect_object(amount, where)
    _require(amount, ("value", "assetCode", "assetScale"), where)
    _expect_string(amount["value"], f"{where}.value")
    if _UINT.fullmatch(amount["value"]) is None:
        raise InvalidRequestError(f'{where}.value must match format "uint64"')
    _expect_string(amount["assetCode"], f"{where}.assetCode")
    scale = amount["assetScale"]
    if not isinstance(scale, int) or isinstance(scale, bool):
        raise InvalidRequestError(f"{where}.assetScale must be integer")
    if scale < 0:
        raise InvalidRequestError(f"{where}.assetScale must be >= 0")
    if scale > 255:
        raise InvalidRequestError(f"{where}.assetScale must be <= 255")


def _check_date_time(value: Any, where: str) -> None:
    _expect_string(value, where)
    if read_instant(value) is None:
        raise InvalidRequestError(f'{where} must match format "date-time"')


def _spell_offset(offset: str) -> str:
    digits = offset[1:].replace(":", "").ljust(4, "0")
    return f"{offset[0]}{digits[:2]}:{digits[2:]}"


def _require(value: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    for name in names:
        if name not in value:
            raise InvalidRequestError(f"{where} must have required property '{name}'")


def _expect_object(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise InvalidRequestError(f"{where} must be object")


def _expect_string(value: Any, where: str) -> None:
    if not isinstance(value, str):
        raise InvalidRequestError(f"{where} must be string")


def _expect_uri(value: Any, where: str) -> None:
    _expect_string(value, where)
    if not is_uri(value):
        raise InvalidRequestError(f'{where} must match format "uri"')


def _expect_one_of(value: Any, allowed: Sequence[str], where: str) -> None:
    if value not in allowed:
        raise InvalidRequestError(f"{where} must be equal to one of the allowed values")


def _expect_list_of(value: Any, allowed: Sequence[str], where: str) -> None:
    if not isinstance(value, list):
        raise InvalidRequestError(f"{where} must be array")
    for index, item in enumerate(value):
        _expect_one_of(item, allowed, f"{where}.{index}")
