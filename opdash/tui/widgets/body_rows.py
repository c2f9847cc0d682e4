"""The body of a message, indented where it is JSON, as it was sent in everything else.

What is JSON is only broken into lines: numbers, escapes, doubled names and what was cut off stay as
they are. Any text can be shown: the longest, the deepest, and one that pretends to be JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from textual.content import Content

from opdash.safetext import safe_text
from opdash.tui.widgets.sheet import Row, row

MOST_LINES = 400
"""Lines that are shown; a screen is no place to read more."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_LONGEST_LINE = 2_000
_DEEPEST = 12
_LONGEST_LEAD = 26
_STEP = "  "
_COLON = (": ", "$muted")


def body_rows(text: str, cut: int = 0) -> list[Row]:
    """Return a body as rows, and how much of it is not among them.

    Args:
        text: The body.
        cut: How many characters of it are not kept at all.
    """
    lines = _json_rows(text) if text.lstrip()[:1] in ("{", "[") else _plain_rows(text)
    rows = list(islice(lines, MOST_LINES + 1))
    is_whole = len(rows) <= MOST_LINES
    del rows[MOST_LINES:]
    if not is_whole:
        rows.append(_remark("… and more lines; s saves them all"))
    if cut:
        rows.append(_remark(f"… and {cut:,} characters more, which the inspector does not keep"))
    return rows


def _remark(words: str) -> Row:
    return row("", Content.styled(words, "$muted"))


def _plain_rows(text: str) -> Iterator[Row]:
    for line in text.splitlines():
        yield row("", safe_text(line, limit=_LONGEST_LINE))


def _json_rows(text: str) -> Iterator[Row]:
    depth = 0
    line: list[tuple[str, str]] = []
    last = ""

    def broken() -> Row:
        lead = [(_STEP * min(depth, _DEEPEST), "")]
        if len(line) > 2 and line[1] == _COLON and len(line[0][0]) <= _LONGEST_LEAD:
            lead += line[:2]
            del line[:2]
        done = row(Content.assemble(*lead), Content.assemble(*line))
        line.clear()
        return done

    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece in ("}", "]"):
            if last not in ("{", "[") and line:
                yield broken()
            depth = depth - 1 if last not in ("{", "[") else depth
            depth = max(depth, 0)
            line.append((piece, ""))
        else:
            if last in ("{", "["):
                yield broken()
                depth += 1
            elif last == ",":
                yield broken()
            if piece == ":":
                _as_name(line)
            line.append(_shown(piece))
        last = piece
    if line:
        yield broken()


def _as_name(line: list[tuple[str, str]]) -> None:
    """Let what comes before a colon step back: it is a name."""
    if line:
        line[-1] = (line[-1][0], "$muted")


def _shown(piece: str) -> tuple[str, str]:
    if piece == ":":
        return _COLON
    return safe_text(piece, limit=_LONGEST_LINE), "$muted" if piece == "," else ""
