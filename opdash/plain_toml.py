"""Reads TOML as plain as opdash writes most of it.

`tomllib` takes a millisecond to import, half of it for patterns of numbers and dates. The screen
shows its first frame sooner without, and any file that is not so plain is read by `tomllib`.
"""

from __future__ import annotations

from typing import Any

_TRUTHS = {"true": True, "false": False}
_MOST_DIGITS = 15


def read_plain(text: str) -> dict[str, Any] | None:
    """Return what a text says; None where it is not plain, or no TOML at all.

    Plain are comments, names of tables in arrays, and ``key = value`` with whole numbers, truth
    values, and texts without quotes and backslashes, one a line with nothing after it.
    """
    document: dict[str, Any] = {}
    table = document
    for line in text.split("\n"):
        if not line.isprintable():
            return None
        if not line or line[0] == "#":
            continue
        if line[0] == "[":
            tables = document.setdefault(line[2:-2], [])
            if line != f"[[{line[2:-2]}]]" or not _is_key(line[2:-2]) or type(tables) is not list:
                return None
            table = {}
            tables.append(table)
            continue
        key, _, written = line.partition(" = ")
        value = _value(written)
        if value is None or not _is_key(key) or key in table:
            return None
        table[key] = value
    return document


def _is_key(text: str) -> bool:
    return text.isascii() and text.isidentifier()


def _value(written: str) -> str | int | None:
    inner = written[1:-1]
    if written == f'"{inner}"':
        return None if '"' in inner or "\\" in inner else inner
    if written.isascii() and written.isdecimal() and len(written) <= _MOST_DIGITS:
        return int(written) if written[0] != "0" or written == "0" else None
    return _TRUTHS.get(written)
