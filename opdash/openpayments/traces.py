"""What went over the wire for one request, as it may be shown to anyone: for learning, for help.

A trace is made only where somebody listens, and its secrets are masked while it is made: tokens,
what opens a grant, cookies and shared secrets never reach one. Signatures do: they were sent, and
fit nothing but this one request. Only a long body that repeats no token of its request, such as a
page of payments, waits until somebody looks: masking it costs as much as fetching it, and most are
never looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from opdash.openpayments.secrets import MASK
from opdash.redact import masked_header, masked_json, masked_url
from opdash.safetext import safe_text

LONGEST_BODY = 64 * 1024
"""How many characters of a body a trace keeps."""

Headers = tuple[tuple[str, str], ...]
"""Names and values, in the order of the wire."""

_AT_ONCE = 8 * 1024
"""Up to how many bytes a body is masked at once; what opens a grant is much shorter."""

_LONGEST_WAITING = 2 * LONGEST_BODY
"""Up to how many bytes a body waits to be masked; a longer one would take memory for nothing."""

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


class Body:
    """A body as it may be shown.

    Two are equal that say the same.
    """

    __slots__ = ("_cut", "_is_masked", "_kept")

    def __init__(self, text: str | None, cut: int = 0) -> None:
        """Hold what is free of secrets already.

        Args:
            text: What is shown, or None for none.
            cut: How many characters are left out.
        """
        self._kept = None if text is None else text.encode(errors="surrogatepass")
        self._cut = cut
        self._is_masked = True

    @classmethod
    def of(cls, raw: bytes | None, tokens: frozenset[str]) -> Body:
        """Return what may be shown of a body.

        Args:
            raw: As it was on the wire; None for none.
            tokens: What is to be masked besides what is secret by its name, in every spelling.
        """
        if raw is None:
            return cls(None)
        is_page = _AT_ONCE < len(raw) <= _LONGEST_WAITING
        if not is_page or any(token.encode() in raw for token in tokens):
            return cls(*_masked_text(raw, _hiding(tokens)))
        waiting = cls(None)
        waiting._kept, waiting._is_masked = raw, False
        return waiting

    @property
    def text(self) -> str | None:
        """What is shown of it, or None where there was none or none is kept."""
        self._mask()
        return None if self._kept is None else self._kept.decode(errors="surrogatepass")

    @property
    def cut(self) -> int:
        """How many characters are left out."""
        self._mask()
        return self._cut

    @property
    def size(self) -> int:
        """How many bytes of memory it takes, about the same before somebody looks and after."""
        return 0 if self._kept is None else len(self._kept)

    def shortened(self, most: int) -> Body:
        """Return it with so many characters at the most; with none, there is only their count."""
        if not self._is_masked and not most:
            return Body(None, len((self._kept or b"").decode(errors="replace")))
        text, cut = self.text, self.cut
        if text is None or 0 < len(text) <= most:
            return self
        return Body(text[:most] if most else None, cut + max(len(text) - most, 0))

    def _mask(self) -> None:
        if not self._is_masked:
            text, self._cut = _masked_text(self._kept or b"", str)
            self._kept, self._is_masked = text.encode(errors="surrogatepass"), True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Body):
            return NotImplemented
        return (self.text, self.cut) == (other.text, other.cut)

    def __hash__(self) -> int:
        return hash((self.text, self.cut))

    def __repr__(self) -> str:
        return f"Body({self.text!r}, {self.cut})"


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
        sent: The body that was sent.
        signature_base: What was signed (RFC 9421, section 2.5), a line for each component; None
            where nothing was.
        status: The answer's status; None when there was none.
        answer_headers: The answer's headers.
        answered: The answer's body.
        seconds: From asking to the end of the answer.
        problem: Why there was no whole answer, or an empty string.
    """

    number: int
    at: datetime
    method: str
    url: str
    purpose: str
    headers: Headers
    sent: Body
    signature_base: str | None
    status: int | None
    answer_headers: Headers
    answered: Body
    seconds: float
    problem: str = ""

    @classmethod
    def of(cls, seen: Sight) -> Trace:
        """Return what may be kept and shown of an exchange."""
        tokens = _tokens_in(seen.headers)
        hide = _hiding(tokens)
        url = hide(masked_url(seen.url) if seen.url_is_secret else seen.url)
        headers = _masked(seen.headers, hide, url_is_secret=seen.url_is_secret)
        return cls(
            number=seen.number,
            at=seen.at,
            method=seen.method,
            url=url,
            purpose=seen.purpose,
            headers=headers,
            sent=Body.of(seen.body, tokens),
            signature_base=_signature_base(seen.method, url, headers),
            status=seen.status,
            answer_headers=_masked(seen.answer_headers, hide, url_is_secret=seen.url_is_secret),
            answered=Body.of(seen.answer, tokens),
            seconds=seen.seconds,
            problem=hide(seen.problem),
        )

    @property
    def body(self) -> str | None:
        """The body that was sent, or None."""
        return self.sent.text

    @property
    def body_cut(self) -> int:
        """Characters of the body that are left out here."""
        return self.sent.cut

    @property
    def answer(self) -> str | None:
        """The answer's body, or None."""
        return self.answered.text

    @property
    def answer_cut(self) -> int:
        """Characters of the answer's body that are left out here."""
        return self.answered.cut

    def shortened(self, most: int) -> Trace:
        """Return it with so many characters of each body at the most."""
        sent, answered = self.sent.shortened(most), self.answered.shortened(most)
        return replace(self, sent=sent, answered=answered)

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


def _tokens_in(headers: Headers) -> frozenset[str]:
    """Return the tokens that were sent, each as it is and as JSON may write it."""
    found = (value.partition(" ")[2].strip() for name, value in headers if _is_token(name))
    return frozenset(
        spelling for token in found if token for spelling in (token, json.dumps(token)[1:-1])
    )


def _is_token(name: str) -> bool:
    return name.lower() == "authorization"


def _hiding(tokens: frozenset[str]) -> Callable[[str], str]:
    """Return what masks tokens wherever a server, or a URL, repeats them."""

    def hide(text: str) -> str:
        for token in tokens:
            text = text.replace(token, MASK)
        return text

    return hide


def _masked(headers: Headers, hide: Callable[[str], str], *, url_is_secret: bool) -> Headers:
    return tuple(
        (name, hide(masked_header(name, value, url_is_secret=url_is_secret)))
        for name, value in headers
    )


def _masked_text(body: bytes, hide: Callable[[str], str]) -> tuple[str, int]:
    """Return a body as text without secrets, and how many characters were cut off."""
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
