"""Reading an answer with an error status, whoever wrote it, into our own exception.

Resource servers answer ``{"error": {"code", "description", "details"}}`` with the status as the
code; authorization servers the codes of GNAP (RFC 9635, section 3.6), now and then none at all.
Proxies in between answer plain text, web pages or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from opdash.errors import ExitCode
from opdash.openpayments.errors import ServerError
from opdash.openpayments.judgements import Refusal, Server, judge
from opdash.openpayments.resources import utc

_MAX_WORDS = 2000
_SECONDS = re.compile(r"[0-9]{1,9}")


def refusal_error(
    server: Server,
    url: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    with_token: bool,
    now: datetime,
) -> ServerError:
    """Return the exception for an answer with an error status.

    Args:
        server: Which kind of server was asked.
        url: What was asked for.
        status: The HTTP status.
        headers: The answer's headers; names in any case.
        body: The answer's body, whatever it is.
        with_token: Whether the request carried an access token.
        now: The server's instant as well as known, to read a ``Retry-After`` date.
    """
    code, words, details = _read(headers.get("content-type", ""), body)
    refusal = Refusal(
        server=server,
        url=url,
        status=status,
        with_token=with_token,
        code=code,
        words=words,
        details=details,
        www_authenticate=headers.get("www-authenticate", ""),
        retry_after=retry_after(headers.get("retry-after", ""), now),
        is_page=_is_page(headers.get("content-type", ""), body),
    )
    kind, sentence, advice = judge(refusal)
    error = kind(
        sentence,
        advice,
        status=status,
        code=code,
        description=words,
        details=details,
        www_authenticate=refusal.www_authenticate,
        retry_after=refusal.retry_after,
    )
    if error.exit_code is ExitCode.FAILED and _is_from_a_stranger(refusal):
        error.exit_code = ExitCode.UNREACHABLE
    return error


def _is_from_a_stranger(refusal: Refusal) -> bool:
    """Return whether a portal or a proxy answered, or nothing that knows the protocol."""
    is_nowhere = refusal.server is Server.AUTHORIZATION and refusal.status == 404
    return refusal.is_page or refusal.status < 400 or is_nowhere


def retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks to wait (RFC 9110, 10.2.3)."""
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        instant = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if instant.tzinfo is None:
        return None
    return max(0.0, (utc(instant) - now).total_seconds())


def _read(content_type: str, body: bytes) -> tuple[str, str, Mapping[str, Any]]:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return "", _plain_words(content_type, body), {}
    if not isinstance(answer, dict):
        return "", "", {}
    error = answer.get("error", answer)
    if isinstance(error, str):
        return error, _first_text(answer, "error_description", "description", "message"), {}
    if not isinstance(error, dict):
        return "", "", {}
    details = error.get("details")
    return (
        _first_text(error, "code")[:_MAX_WORDS],
        _first_text(error, "description", "message", "detail", "title")[:_MAX_WORDS],
        details if isinstance(details, dict) else {},
    )


def _first_text(found: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = found.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""


def _is_page(content_type: str, body: bytes) -> bool:
    return body.lstrip()[:1] == b"<" or ("html" in content_type and body.lstrip()[:1] != b"{")


def _plain_words(content_type: str, body: bytes) -> str:
    if _is_page(content_type, body):
        return ""
    text = body[:_MAX_WORDS].decode(errors="replace").strip()
    return text.splitlines()[0].strip() if text else ""
