"""The one place where secrets are taken out of text before it is written anywhere.

Secrets have a type that prints as ``•••`` (`opdash.openpayments.secrets.Secret`); this is the
second line of defence, for text that was made elsewhere: a traceback, an error body, a header; and
the first one for what went over the wire (`masked_json`, `masked_url`, `masked_header`).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from opdash.openpayments.secrets import MASK

_NAMES = (
    "access_token|sharedSecret|shared_secret|interact_ref|nonce|hash|token|private_key|d|"
    "passphrase|password|secret"
)
_ANYWHERE = (
    re.compile(r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    re.compile(r"(?i)(\bGNAP\s+)(?!as_uri)[^\s\"',;]+()"),
    re.compile(r"(?i)(\bBearer\s+)[^\s\"',;]+()"),
)
_RULES = (
    *_ANYWHERE,
    re.compile(rf"([\"'](?:{_NAMES})[\"']\s*:\s*[\"'])(?:[^\"'\\]|\\.)*([\"']?)"),
    # a token's value is told from an amount's by not being a whole number
    re.compile(r"([\"']value[\"']\s*:\s*[\"'])(?![0-9]{1,20}[\"'])(?:[^\"'\\]|\\.)*([\"']?)"),
    re.compile(r"((?:^|[?&\s])(?:interact_ref|hash|nonce|token)=)[^&\s\"']+()"),
)
_SIGNATURE = re.compile(r"(\bsig1=:)[^:]*(:?)")

_SECRET_NAMES = frozenset(_NAMES.casefold().split("|"))
_URL_NAMES = frozenset({"manage", "uri", "redirect"})
"""URLs of a grant, each of which opens something; they lie within what `_WITHIN` names."""
_WITHIN = frozenset({"access_token", "continue", "interact", "finish"})
_MARKS = ("token", "secret", "interact", "continue", "nonce", "hash", "passphrase", "password")
"""One of these, or of the next, is in every JSON that holds a secret."""
_SHORT_MARKS = ('"d"', "private", "manage", "\\u")
_ELSEWHERE_MARKS = ("gnap", "bearer", "private key")
"""One of these is in every text that `_ANYWHERE` changes."""
_HEADER_MARKS = (*_MARKS, *_ELSEWHERE_MARKS, '"d"', "'d'", "value", "private_key")
"""One of these is in every header that `redact` changes; most have none, and that is quick."""
_REST = r'(?:[^"\\]|\\.)*+"'
_NAMES_WHAT = r"\s*+[:{\[]"
"""What follows a mark in a name, and none in what somebody only wrote about a payment."""
_PART = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{},:]', re.DOTALL)
_SECRET_HEADERS = frozenset({"cookie", "set-cookie", "proxy-authorization"})


def redact(text: str, *, signatures: bool = True) -> str:
    """Return a text with every token, private key and shared secret masked.

    Args:
        text: What is about to be written.
        signatures: Whether a signature is masked too; it opens nothing once it was sent.
    """
    for rule in _RULES:
        text = rule.sub(rf"\g<1>{MASK}\g<2>", text)
    return _SIGNATURE.sub(rf"\g<1>{MASK}\g<2>", text) if signatures else text


def masked_url(url: str) -> str:
    """Return a URL that itself opens something without the last part of its path and its query.

    The URLs at which a token is renewed and a grant continued are as good as keys.
    """
    path, _, _ = url.partition("#")[0].partition("?")
    scheme, divider, rest = path.rstrip("/").rpartition("://")
    return f"{scheme}{divider}{rest.rpartition('/')[0] or rest}/{MASK}"


def masked_header(name: str, value: str, *, url_is_secret: bool = False) -> str:
    """Return the value of a header with what is secret in it masked.

    Args:
        name: In any case.
        value: As sent.
        url_is_secret: Whether the request's URL opens something; then so may its redirect.
    """
    match name.lower():
        case header if header in _SECRET_HEADERS:
            return MASK
        case "authorization":
            scheme, blank, _ = value.partition(" ")
            return f"{scheme} {MASK}" if blank else MASK
        case "location" if url_is_secret:
            return masked_url(value)
        case "signature" | "signature-input":
            return value
    lower = value.lower()
    may_hold_one = any(mark in lower for mark in _HEADER_MARKS)
    return redact(value, signatures=False) if may_hold_one else value


def masked_json(text: str) -> str:
    """Return a JSON text, even a broken one, as it was sent but for its secrets.

    Tokens, shared secrets, nonces, hashes and references are masked by the names that they have;
    of the URLs that belong to a grant the last part is, wherever it lies.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return redact(text, signatures=False)
    # ASCII letters alone, which is many times as quick: pages of payments come through here.
    lower = text.encode(errors="replace").lower().decode("latin-1")
    masked = _Masking(text).masked() if _may_name_a_secret(lower) else text
    if any(mark in lower for mark in _ELSEWHERE_MARKS):
        for rule in _ANYWHERE:
            masked = rule.sub(rf"\g<1>{MASK}\g<2>", masked)
    return masked


def _may_name_a_secret(lower: str) -> bool:
    """Return whether one of the names in a JSON text may be that of a secret."""
    for mark in (*_MARKS, *_SHORT_MARKS):
        if mark in lower and (mark == "\\u" or _in_a_name(mark).search(lower)):
            return True
    return False


@lru_cache(maxsize=32)
def _in_a_name(mark: str) -> re.Pattern[str]:
    rest = "" if mark.endswith('"') else _REST
    return re.compile(re.escape(mark) + rest + _NAMES_WHAT)


class _Masking:
    """One way through a JSON text, with the names that lead to where it is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._names: list[str] = []
        self._is_object: list[bool] = []
        self._name = ""
        self._awaits_name = False

    def masked(self) -> str:
        kept, start = [], 0
        for part in _PART.finditer(self._text):
            mark = part[0]
            if mark[0] != '"':
                self._step(mark)
            elif self._awaits_name:
                self._name = _unescaped(mark).casefold()
            else:
                shown = self._shown(mark)
                if shown is not mark:
                    kept += [self._text[start : part.start()], shown]
                    start = part.end()
        return "".join([*kept, self._text[start:]])

    def _step(self, mark: str) -> None:
        match mark:
            case "{" | "[":
                self._names.append(self._name)
                self._is_object.append(mark == "{")
                self._awaits_name = mark == "{"
            case "}" | "]":
                if self._names:
                    self._name = self._names.pop()
                    self._is_object.pop()
                self._awaits_name = False
            case ",":
                self._awaits_name = bool(self._is_object) and self._is_object[-1]
            case ":":
                self._awaits_name = False

    def _shown(self, quoted: str) -> str:
        """Return a string's value as it may be shown; the very same where it is no secret."""
        name, within = self._name, self._names[-1] if self._names else ""
        if name in _SECRET_NAMES or (name == "value" and "token" in within):
            return f'"{MASK}"'
        if name == "finish" and within == "interact":
            return f'"{MASK}"'
        if name == "manage" or (name in _URL_NAMES and within in _WITHIN):
            return f'"{masked_url(_unescaped(quoted))}"'
        return quoted


def _unescaped(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted.strip('"')
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:
        return quoted.strip('"')
