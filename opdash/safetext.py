"""The only way from a remote string to a screen, a notification, a line or a report.

A server chooses descriptions, references, metadata and error texts. They may hold escape
sequences, right-to-left overrides, line breaks, invisible characters or a tower of combining
marks. What this module returns is one harmless line; the ledger keeps the text as it was sent.
"""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\ufffd"
"""Shown for a character that has no harmless picture of its own."""

ELLIPSIS = "…"
"""Ends a text that was cut."""

_MAX_COMBINING = 2
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_EMOJI_JOINER = "\u200d"
_EMOJI_MODIFIERS = frozenset(
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400), 0x20E3)
)
"""Variation selectors, skin tones, key caps: terminals disagree how wide they make a picture."""


def safe_text(remote: str, *, limit: int = 0) -> str:
    r"""Return one line without control, invisible or direction-changing characters.

    Control characters become their pictures (ESC is ``␛``, a line feed ``␊``), other unsafe
    characters ``\ufffd``. More than two combining marks in a row are dropped, and what only
    modifies an emoji. Every blank becomes a plain space.

    Args:
        remote: Text from a server, a file or a clipboard, as it was sent.
        limit: The most characters to return, an ellipsis included; 0 for no limit.

    Returns:
        Text that any terminal shows as itself, on one line.
    """
    if limit and len(remote) > 8 * limit:
        remote = remote[: 8 * limit]
    clean = remote if remote.isascii() and remote.isprintable() else _clean(remote)
    if limit and len(clean) > limit:
        return clean[: limit - 1] + ELLIPSIS
    return clean


def _clean(remote: str) -> str:
    out: list[str] = []
    combining = 0
    for character in remote:
        if character in _EMOJI_MODIFIERS:
            continue
        category = unicodedata.category(character)
        if category[0] == "M":
            combining += 1
            if combining <= _MAX_COMBINING:
                out.append(character)
            continue
        combining = 0
        out.append(_picture(character, category))
    return "".join(out)


def _picture(character: str, category: str) -> str:
    if category == "Zs":
        return " "
    if category not in _INVISIBLE:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "" if character == _EMOJI_JOINER else REPLACEMENT
