"""Turning an answer's JSON into a record, or into a sentence that names the culprit."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from opdash.openpayments.errors import ProtocolError, StrangerError
from opdash.openpayments.secrets import Secret
from opdash.safetext import safe_text

MAX_DEPTH = 200
"""How deeply an answer may nest; what lies deeper is cut, so that nobody runs out of stack."""

_T = TypeVar("_T")
_FIELD = re.compile(r" - at `\$\.?(.*)`$")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_ESCAPE = re.compile(rb"\\(u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD][89a-fA-F]..|.)", re.DOTALL)
_CUT = '"…"'.encode()


def decoder(kind: type[_T]) -> msgspec.json.Decoder[_T]:
    """Return a decoder of a record that may hold secrets."""
    return msgspec.json.Decoder(kind, dec_hook=_secret)


def decode(
    with_decoder: msgspec.json.Decoder[_T], body: bytes, within: str = "", *, is_list: bool = False
) -> _T:
    """Decode an answer, or a part of one.

    Args:
        with_decoder: Knows the record.
        body: The JSON.
        within: Where the part lies in its answer, such as ``result[3].``, to name a culprit.
        is_list: Whether the caller itself looks for members that nest too deeply.

    Raises:
        ProtocolError: It is no JSON in UTF-8, or a field is missing or of the wrong kind.
    """
    if not is_list and may_nest_too_deeply(body):
        body = tamed(body)
    try:
        return _decode(with_decoder, body, within)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _decode(with_decoder, tamed(body), within)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(body) from error


def may_nest_too_deeply(part: bytes) -> bool:
    """Return whether JSON has enough brackets to nest more deeply than `MAX_DEPTH`."""
    return part.count(b"[") + part.count(b"{") > MAX_DEPTH


def tamed(body: bytes) -> bytes:
    """Cut what nests too deeply, and replace broken surrogates, in an otherwise sound JSON.

    Anyone who may create a payment chooses its metadata; one payment must not hide a page.
    """
    kept, start, depth = [], 0, 0
    for token in _TOKEN.finditer(body):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept += [body[start : token.start()], _CUT]
        elif token[0] in (b"]", b"}"):
            depth -= 1
            if depth == MAX_DEPTH:
                start = token.end()
    return _ESCAPE.sub(_whole_character, b"".join([*kept, body[start:]]))


def broken(field: str, why: str) -> ProtocolError:
    """Return the error for a field that breaks the protocol.

    Args:
        field: Where, as a path such as ``result[3].receivedAmount.value``.
        why: One sentence.
    """
    where = f" at {safe_text(field, limit=80)}" if field else ""
    return ProtocolError(
        f"The server's answer breaks the Open Payments protocol{where}: "
        f"{safe_text(why, limit=160)}",
        "Tell the wallet's provider; opdash shows nothing it cannot read exactly.",
        field=field,
    )


def _decode(with_decoder: msgspec.json.Decoder[_T], body: bytes, within: str) -> _T:
    body.decode()
    try:
        return with_decoder.decode(body)
    except msgspec.ValidationError as error:
        text = str(error)
        found = _FIELD.search(text)
        field = (within + (found[1] if found else "")).rstrip(".")
        raise broken(field, _FIELD.sub("", text) + ".") from error


def _whole_character(escape: re.Match[bytes]) -> bytes:
    lone = escape[1][:1] == b"u" and len(escape[1]) == 5 and escape[1][1:2] in b"dD"
    return b"\\ufffd" if lone else escape[0]


def _not_json(body: bytes) -> StrangerError:
    if body.lstrip()[:1] == b"<":
        return StrangerError(
            "The server answered with a web page where data was expected.",
            "Check the address, and whether this network first wants you to sign in.",
        )
    return StrangerError(
        "The server's answer is not the JSON that was expected.",
        "Check that the address belongs to an Open Payments server.",
    )


def _secret(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
