"""What a payment's metadata says about it: a reference and a description, as sent."""

from __future__ import annotations

from typing import Final

import msgspec

_NOTHING: Final = msgspec.Raw()


class _Conventions(msgspec.Struct, rename="camel"):
    external_ref: msgspec.Raw = _NOTHING
    invoice_number: msgspec.Raw = _NOTHING
    order_id: msgspec.Raw = _NOTHING
    reference: msgspec.Raw = _NOTHING
    description: msgspec.Raw = _NOTHING


_DECODER: Final = msgspec.json.Decoder(_Conventions)
_TEXT: Final = msgspec.json.Decoder(str)
_ANYTHING: Final = msgspec.json.Decoder(float_hook=msgspec.Raw)


def reference_and_description(metadata_json: str) -> tuple[str, str]:
    """Return the reference and the description that a metadata object carries.

    The reference is the first non-empty string or number of ``externalRef``, ``invoiceNumber``,
    ``orderId`` and ``reference``; numbers are given digit by digit as they were sent.

    Args:
        metadata_json: The object's JSON as sent, or an empty string.

    Returns:
        Both as sent; empty where there is none, or where it is neither string nor number.
    """
    if not metadata_json:
        return "", ""
    try:
        known = _DECODER.decode(metadata_json)
    except (msgspec.DecodeError, RecursionError):
        return "", ""
    candidates = (known.external_ref, known.invoice_number, known.order_id, known.reference)
    reference = next(filter(None, map(_text, candidates)), "")
    return reference, _text(known.description)


def same_metadata(one: str, other: str) -> bool:
    """Return whether two metadata texts say the same; key order and blanks do not matter."""
    if one == other:
        return True
    try:
        return _canonical(one) == _canonical(other)
    except (msgspec.DecodeError, RecursionError):
        return False


def _text(raw: msgspec.Raw) -> str:
    encoded = bytes(raw)
    if encoded[:1] == b'"':
        try:
            return _TEXT.decode(encoded)
        except msgspec.DecodeError:
            return ""
    return encoded.decode() if encoded[:1] in b"-0123456789" else ""


def _canonical(text: str) -> bytes:
    return msgspec.json.encode(_ANYTHING.decode(text), order="sorted") if text else b""
