"""What went over the wire for one request, as it may be shown to anyone: for learning, for help.

A trace is made only where somebody listens, and its secrets are masked while it is made: tokens,
what opens a grant, cookies and shared secrets never reach one. Signatures do: they were sent, and
fit nothing but this one request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from opdash.openpayments.secrets import MASK
from opdash.redact import masked_header, masked_json, masked_url
from opdash.safetext import safe_text

LONGEST_BODY = 64 * 1024
"""How many characters of a body a trace keeps."""

Headers = tuple[tuple[str, str], ...]
"""Names and values, in the order of the wire."""

_LOOKED_THROUGH = 4 * LONGEST_BODY
"""How many characters of a body are looked through for secrets; what is shown is far less."""

_INPUT = re.compile(r"(?:^|,)[ \t]*[a-z*][a-z0-9_.*-]*=(\(([^)]*)\)[^,]*)")
_COMPONENT = re.compile(r'"([^"\\]*)"')
_LONGEST_LINE = 4000


@dataclass(frozen=True, slots=True, repr=False)
class Sight:
    """One request and its answer as they were on the wire, secrets and all; not to be kept.

    Attributes:
        number: Counts the requests of one client from 1.
        at: When it was begun, by this machine's clock (UTC).
        method: In capitals.
        url: What was asked for.
        url_is_secret: Whether the URL itself opens something.
        purpose: What the request is for, as the end of "opdash wants to …", or an empty string.
        headers: What was sent, or was about to be.
        body: The body, or None.
        status: The answer's status, or None.
        answer_headers: The answer's headers.
        answer: The answer's body as far as it was read, unpacked; None without an answer.
        seconds: From asking to the end of the answer.
        problem: Why there was no whole answer, or an empty string.
    """

    number: int
    at: datetime
    method: str
    url: str
    url_is_secret: bool
    purpose: str
    headers: Headers
    body: bytes | None
    status: int | None
    answer_headers: Headers
    answer: bytes | None
    seconds: float
    problem: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One request and its answer, free of secrets.

    Remote text in it is as it was sent: `report` makes it safe to show, and so must a screen.

    Attributes:
        number: Counts the requests of one client from 1.
        at: When it was begun, by this machine's clock (UTC).
        method: In capitals.
        url: What was asked for; the last part of a token's or grant's own URL is masked.
        purpose: What the request is for, as the end of "opdash wants to …", or an empty string.
        headers: What was sent.
        body: The body that was sent, or None.
        signature_base: What was signed (RFC 9421, section 2.5), a line for each component; None
            where nothing was.
        status: The answer's status; None when there was none.
        answer_headers: The answer's headers.
        answer: The answer's body, or None.
        seconds: From asking to the end of the answer.
        problem: Why there was no whole answer, or an empty string.
        body_cut: Characters of the body that are left out here.
        answer_cut: Characters of the answer's body that are left out here.
    """

    number: int
    at: datetime
    method: str
    url: str
    purpose: str
    headers: Headers
    body: str | None
    signature_base: str | None
    status: int | None
    answer_headers: Headers
    answer: str | None
    seconds: float
    problem: str = ""
    body_cut: int = 0
    answer_cut: int = 0

    @classmethod
    def of(cls, seen: Sight) -> Trace:
        """Return what may be kept and shown of an exchange."""
        tokens = _tokens_in(seen.headers)
        hide = _hiding(tokens)
        body, body_cut = _text(seen.body, hide)
        answer, answer_cut = _text(seen.answer, hide)
        url = hide(masked_url(seen.url) if seen.url_is_secret else seen.url)
        headers = _masked(seen.headers, hide, url_is_secret=seen.url_is_secret)
        return cls(
            number=seen.number,
            at=seen.at,
            method=seen.method,
            url=url,
            purpose=seen.purpose,
            headers=headers,
            body=body,
            signature_base=_signature_base(seen.method, url, headers),
            status=seen.status,
            answer_headers=_masked(seen.answer_headers, hide, url_is_secret=seen.url_is_secret),
            answer=answer,
            seconds=seen.seconds,
            problem=hide(seen.problem),
            body_cut=body_cut,
            answer_cut=answer_cut,
        )

    @property
    def is_signed(self) -> bool:
        """Whether the request carried a signature."""
        return self.signature_base is not None

    @property
    def outcome(self) -> str:
        """How it ended: a status with its phrase, a problem, or both."""
        if self.status is None:
            return f"no answer ({self.problem})" if self.problem else "no answer"
        phrase = status_text(self.status)
        return f"{phrase} ({self.problem})" if self.problem else phrase

    def header(self, name: str) -> str:
        """Return a header of the answer by its name in any case, or an empty string."""
        return _first(self.answer_headers, name)

    def sent_header(self, name: str) -> str:
        """Return a header of the request by its name in any case, or an empty string."""
        return _first(self.headers, name)

    def report(self) -> str:
        """Return all of it as text for people, safe to show, a line feed after each line."""
        return "".join(f"{line}\n" for line in self.report_lines())

    def report_lines(self) -> Iterator[str]:
        """Yield the lines of the report, each safe to show."""
        purpose = f", to {self.purpose}" if self.purpose else ""
        yield safe_text(f"#{self.number} {self.method} {self.url}{purpose}")
        instant = self.at.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", " UTC")
        yield safe_text(f"{instant}, {self.seconds:.3f} s, {self.outcome}")
        yield ""
        yield "sent"
        yield from _message(self.headers, self.body, self.body_cut)
        if self.signature_base is not None:
            yield ""
            yield "signed (the signature base)"
            yield from _indented(self.signature_base)
        yield ""
        yield safe_text(f"came back: {self.outcome}")
        yield from _message(self.answer_headers, self.answer, self.answer_cut)


Tracer = Callable[[Trace], None]
"""Is handed the trace of every exchange, on the event loop; it must not raise."""


def status_text(status: int) -> str:
    """Return a status with its phrase, such as ``404 Not Found``."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _tokens_in(headers: Headers) -> tuple[str, ...]:
    found = (value.partition(" ")[2].strip() for name, value in headers if _is_token(name))
    return tuple(token for token in found if token)


def _is_token(name: str) -> bool:
    return name.lower() == "authorization"


def _hiding(tokens: tuple[str, ...]) -> Callable[[str], str]:
    """Return what masks tokens wherever a server, or a URL, repeats them."""
    spellings = {spelling for token in tokens for spelling in (token, json.dumps(token)[1:-1])}

    def hide(text: str) -> str:
        for spelling in spellings:
            text = text.replace(spelling, MASK)
        return text

    return hide


def _masked(headers: Headers, hide: Callable[[str], str], *, url_is_secret: bool) -> Headers:
    return tuple(
        (name, hide(masked_header(name, value, url_is_secret=url_is_secret)))
        for name, value in headers
    )


def _text(body: bytes | None, hide: Callable[[str], str]) -> tuple[str | None, int]:
    """Return a body as text without secrets, and how many characters were cut off."""
    if body is None:
        return None, 0
    text = body.decode(errors="replace")
    beyond = max(len(text) - _LOOKED_THROUGH, 0)
    shown = hide(masked_json(text[:_LOOKED_THROUGH]))
    return shown[:LONGEST_BODY], max(len(shown) - LONGEST_BODY, 0) + beyond


def _signature_base(method: str, url: str, headers: Headers) -> str | None:
    """Return what was signed, made again from what was sent, with its secrets masked."""
    found = _INPUT.search(_first(headers, "signature-input"))
    if found is None:
        return None
    derived = {"@method": method, "@target-uri": url}
    lines = [
        f'"{name}": {derived.get(name) or _first(headers, name)}'
        for name in _COMPONENT.findall(found[2])
    ]
    return "\n".join([*lines, f'"@signature-params": {found[1]}'])


def _first(headers: Iterable[tuple[str, str]], wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted.lower()), "")


def _message(headers: Headers, body: str | None, cut: int) -> Iterator[str]:
    for name, value in headers:
        yield f"  {safe_text(f'{name}: {value}', limit=_LONGEST_LINE)}"
    if body:
        yield ""
        yield from _indented(body)
    if cut:
        yield f"  … and {cut} characters more"


def _indented(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"  {safe_text(line)}".rstrip()
