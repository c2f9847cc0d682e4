"""JSON as it will be sent, lightly coloured, and nothing in it hidden."""

from __future__ import annotations

import re

from textual.content import Content

from opdash.tui.typed import visible_json
from opdash.tui.widgets.sheet import Row, row

_LINE = re.compile(r'(?P<indent> *)(?:(?P<key>"(?:[^"\\]|\\.)*"): )?(?P<value>.*?)(?P<end>,?)')


def json_rows(text: str) -> list[Row]:
    """Return indented JSON as rows that wrap under their value.

    Args:
        text: What ``json.dumps(…, indent=2)`` writes.
    """
    return [_json_row(line) for line in visible_json(text).split("\n")]


def _json_row(line: str) -> Row:
    match = _LINE.fullmatch(line)
    if match is None:
        return row("", line)
    key = match["key"]
    body = Content.assemble(
        (f"{key}: " if key else "", "$muted"), match["value"], (match["end"], "$muted")
    )
    indent = match["indent"]
    return row(indent, body, indent + "  ") if len(indent) < 40 else row("", line.strip())
