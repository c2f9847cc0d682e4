"""What a text becomes in a file: harmless, in the file's own rules, and told apart again."""

from __future__ import annotations

import re
from base64 import b32encode
from hashlib import sha256
from typing import Final

from opdash.safetext import REPLACEMENT, safe_text

SHORT: Final = 26
"""How many characters `short_id` gives unless told: 130 bits, so no two are ever the same."""

_RUNS = re.compile(r"'*[\s\u200b\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]")
_CONTROLS: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n\r"},
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), REPLACEMENT),
    **dict.fromkeys(range(0xD800, 0xE000), REPLACEMENT),
}
_XML: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_PLAIN_ID = re.compile(r"[!-~]+")


def defused(text: str) -> str:
    """Return a text cell that no spreadsheet runs: what would be a formula gets a ``'`` in front.

    A formula begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return, also full-width
    and also after blanks. So that the mark can be taken away again (`undefused`), a text that looks
    marked already gets another.
    """
    return f"'{text}" if _RUNS.match(text) else text


def undefused(cell: str) -> str:
    """Return the text that `defused` made a cell of."""
    return cell[1:] if cell[:1] == "'" and _RUNS.match(cell) else cell


def without_controls(text: str) -> str:
    """Return a text with pictures for its control characters, but for tab and line ends."""
    if text.isprintable():
        return text
    return text.translate(_CONTROLS)


def one_line(text: str) -> str:
    """Return a text on one harmless line, without blanks at its ends."""
    return safe_text(text).strip()


def xml_text(text: str) -> str:
    """Return a text as the content of an XML element: one line of characters that XML can hold."""
    return one_line(text).translate(_XML)


def short_id(text: str, length: int = SHORT) -> str:
    """Return a short id that is always the same for the same text, of capital letters and digits.

    Args:
        text: Any text, such as the id of a receipt.
        length: How many characters, at most 52.
    """
    digest = sha256(text.encode(errors="surrogatepass")).digest()
    return b32encode(digest).decode()[:length]


def fitting_id(text: str, limit: int) -> str:
    """Return an id itself where it is plain and has at most ``limit`` characters, else a short one.

    The short one is always the same, and ids that are told apart have short ones that are.
    """
    if len(text) <= limit and _PLAIN_ID.fullmatch(text):
        return text
    return short_id(text, min(limit, SHORT))


def cut(text: str, limit: int) -> str:
    """Return a text of at most so many characters, an ellipsis at its end where it was longer."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
