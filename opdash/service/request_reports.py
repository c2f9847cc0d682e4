"""Inspected requests as text for people who help: safe to show, secrets masked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from opdash import __version__
from opdash.atomic import write_atomic
from opdash.clock import Clock
from opdash.safetext import safe_text
from opdash.service.inspection import Inspected

FITS = 48 * 1024
"""How many characters of a report a terminal's clipboard surely takes."""

RULE = "─" * 72
"""Stands above every request."""
_BODIES = (2_000, 300, 0)
_TRIES = 100


def report(requests: Iterable[Inspected]) -> str:
    """Return the report of requests, in their order, a line feed after each line."""
    texts = (told(one) for one in requests)
    head = f"opdash {__version__}: requests as they went over the wire, secrets masked\n"
    return "".join([head, *(f"{RULE}\n{one}" for one in texts)])


def brief_report(requests: Sequence[Inspected], most: int = FITS) -> tuple[str, bool]:
    """Return a report that fits, and whether it is whole.

    Where it is too long, bodies are cut; where that does not help, the last requests are left out.

    Args:
        requests: The most important first.
        most: How many characters fit.
    """
    whole = report(requests)
    if len(whole) <= most:
        return whole, True
    for body in _BODIES:
        shorter = [replace(one, trace=one.trace.shortened(body)) for one in requests]
        text = report(shorter)
        if len(text) <= most:
            return text, False
    while len(shorter) > 1 and len(text) > most:
        shorter = shorter[: max(len(shorter) * most // len(text), 1)]
        text = report(shorter)
    left_out = len(requests) - len(shorter)
    return (f"{text}{RULE}\n… and {left_out} requests more\n" if left_out else text), False


def save_report(requests: Sequence[Inspected], directory: Path, clock: Clock) -> Path:
    """Write the whole report into a new file, mode 0600, and return its path.

    Raises:
        OSError: It cannot be written.
    """
    name = f"requests-{clock.now():%Y%m%dT%H%M%SZ}"
    text = report(requests).encode()
    for number in range(1, _TRIES):
        path = directory / (f"{name}.txt" if number == 1 else f"{name}-{number}.txt")
        try:
            write_atomic(path, text, overwrite=False)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{directory / name}.txt")


def told(one: Inspected) -> str:
    """Return the report of one request, without the rule above it."""
    wallet = f"wallet: {safe_text(one.profile, limit=60)}\n" if one.profile else ""
    signed = "" if one.trace.is_signed else "not signed\n"
    return f"{wallet}{signed}{one.trace.report()}"
