"""What is said about an inspected request, part by part; pure functions."""

from __future__ import annotations

from enum import IntEnum
from urllib.parse import parse_qsl

from textual.content import Content

from opdash.openpayments.traces import Headers, Trace
from opdash.safetext import safe_text
from opdash.service.inspection import Inspected
from opdash.tui.format import instant_long
from opdash.tui.widgets.body_rows import body_rows
from opdash.tui.widgets.request_lines import duration, has_failed, split, status_sign
from opdash.tui.widgets.sheet import Entry, facts, heading, row
from opdash.tui.widgets.signature_lesson import signature_entries

_LONGEST_URL = 4_000
_LONGEST_HEADER = 2_000
_MOST_HEADERS = 60
_MOST_PARAMETERS = 30


class Part(IntEnum):
    """The parts in which a request is shown."""

    REQUEST = 1
    SIGNATURE = 2
    BODY = 3
    ANSWER = 4


def request_entries(shown: Inspected, part: Part, wallet: str) -> list[Entry]:
    """Return one part of a request.

    Args:
        shown: The request.
        part: Which part.
        wallet: What people call the wallet that it was made for; empty for none.
    """
    trace = shown.trace
    match part:
        case Part.REQUEST:
            return _request(trace, wallet)
        case Part.SIGNATURE:
            return signature_entries(trace)
        case Part.BODY:
            return _body(trace)
        case Part.ANSWER:
            return _answer(trace)


def _request(trace: Trace, wallet: str) -> list[Entry]:
    url = split(trace.url)
    method = Content.styled(f"{safe_text(trace.method, limit=12)} ", "bold")
    asked = Content.styled(safe_text(trace.url, limit=_LONGEST_URL), "bold")
    pairs: list[tuple[str, Content | str]] = [
        ("outcome", _outcome(trace)),
        ("sent", instant_long(trace.at)),
        ("wallet", safe_text(wallet, limit=60) or "none yet"),
        ("signed", "● yes" if trace.is_signed else "○ no, and need not be"),
        ("server", safe_text(url.netloc, limit=300)),
        ("path", safe_text(url.path, limit=_LONGEST_URL) or "/"),
    ]
    query = parse_qsl(url.query, keep_blank_values=True)[:_MOST_PARAMETERS]
    pairs += [
        ("query" if not number else "", safe_text(f"{name} = {value}", limit=_LONGEST_URL))
        for number, (name, value) in enumerate(query)
    ]
    return [
        *_purpose(trace),
        row(method, asked),
        row("", ""),
        *facts(pairs),
        *heading("Headers"),
        *_headers(trace.headers),
    ]


def _purpose(trace: Trace) -> list[Entry]:
    if not trace.purpose:
        return []
    return [row("", Content.styled(f"To {safe_text(trace.purpose, limit=200)}", "$primary"))]


def _outcome(trace: Trace) -> Content:
    words = f"{status_sign(trace)} {safe_text(trace.outcome, limit=600)}, {duration(trace)}"
    return Content.styled(words, "$bad" if has_failed(trace) else "$good")


def _headers(headers: Headers) -> list[Entry]:
    known = [
        (safe_text(name, limit=60), safe_text(value, limit=_LONGEST_HEADER))
        for name, value in headers[:_MOST_HEADERS]
    ]
    more = len(headers) - len(known)
    rest = [row("", Content.styled(f"… and {more} headers more", "$muted"))] if more > 0 else []
    return [
        *(row(Content.styled(f"{name}: ", "$muted"), value) for name, value in known),
        *rest,
    ]


def _body(trace: Trace) -> list[Entry]:
    if not trace.body and not trace.body_cut:
        return [row("", "This request has no body.")]
    return list(body_rows(trace.body or "", trace.body_cut))


def _answer(trace: Trace) -> list[Entry]:
    entries: list[Entry] = [row("", _outcome(trace)), row("", "")]
    if trace.status is None and not trace.answer_headers:
        return [*entries, row("", "No answer came, so there is nothing to show.")]
    entries += _headers(trace.answer_headers)
    if not trace.answer and not trace.answer_cut:
        return [*entries, row("", ""), row("", Content.styled("without a body", "$muted"))]
    return [*entries, row("", ""), *body_rows(trace.answer or "", trace.answer_cut)]
