"""An inspected request as a line of the list; pure functions."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from rich.cells import cell_len, set_cell_size

from opdash.openpayments.traces import Trace
from opdash.safetext import ELLIPSIS, safe_text
from opdash.service.inspection import Inspected
from opdash.tui.widgets.line import Span
from opdash.tui.widgets.line_list import LineEntry

SIGNED, UNSIGNED = "●", "○"
ANSWERED, FAILED = "✓", "✗"

_LONG = 18
_ENDS = 4
_WALLET = 12
_FIXED = 37
_LEAST_PATH = 20


def has_failed(trace: Trace) -> bool:
    """Return whether a request was refused, redirected, or got no whole answer."""
    return trace.status is None or trace.status >= 300 or bool(trace.problem)


def status_sign(trace: Trace) -> str:
    """Return the sign that goes with how it ended."""
    return FAILED if has_failed(trace) else ANSWERED


def duration(trace: Trace) -> str:
    """Write how long it took: ``12 ms``, ``10.0 s``."""
    if trace.seconds < 9.9995:
        return f"{trace.seconds * 1000:.0f} ms"
    return f"{trace.seconds:.1f} s"


def split(url: str) -> SplitResult:
    """Return the parts of a URL; of one that is none, all of it as the path."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", url, "", "")


def short_path(url: str) -> str:
    """Return what tells requests apart: the end of the path, without what is long and random."""
    parts = split(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    last = segments[-1:] if _stands_alone(segments) else segments[-2:]
    shown = "/".join(_shortened(segment) for segment in last)
    query = f"?{ELLIPSIS}" if parts.query else ""
    return safe_text(f"/{shown}{query}", limit=120)


def request_line(shown: Inspected, wallet: str, width: int) -> LineEntry:
    """Return a request's line.

    Args:
        shown: The request.
        wallet: What people call the wallet that it was made for; empty for none.
        width: The cells that there are.
    """
    trace = shown.trace
    failed = has_failed(trace)
    status = "none" if trace.status is None else str(trace.status)
    path, name = _widths(width)
    local = trace.at.astimezone()
    spans = (
        Span(f"{local:%H:%M:%S} ", "muted"),
        Span(
            f"{SIGNED if trace.is_signed else UNSIGNED} ", "accent" if trace.is_signed else "muted"
        ),
        Span(f"{status_sign(trace)} {status:<4} ", "bad" if failed else "good"),
        Span(f"{duration(trace):>7}  "),
        Span(f"{safe_text(trace.method, limit=6):<6} ", "muted"),
        Span(f"{_cell(short_path(trace.url), path)} ", "strong" if failed else "plain"),
        Span(_cell(safe_text(wallet, limit=60), name), "muted"),
    )
    return LineEntry(str(shown.number), spans)


def heading_spans(width: int) -> tuple[Span, ...]:
    """Return the names of the columns."""
    path, name = _widths(width)
    cells = f"  {'Time':<9}  {'Status':<7}{'Took':>7}  {'Method':<7}"
    text = f"{cells}{_cell('Path', path)} {_cell('Wallet', name)}"
    return (Span(text, "muted"),)


def _widths(width: int) -> tuple[int, int]:
    """Return the cells for the path and for the wallet."""
    room = max(width - _FIXED, _LEAST_PATH)
    name = min(max(room - _LEAST_PATH, 0), _WALLET)
    return room - name, name


def _cell(text: str, width: int) -> str:
    if cell_len(text) > width:
        return set_cell_size(text, max(width - 1, 0)) + (ELLIPSIS if width else "")
    return set_cell_size(text, width)


def _stands_alone(segments: list[str]) -> bool:
    """Return whether the end of a path says enough without what is before it."""
    return segments[-1:] in (["incoming-payments"], ["outgoing-payments"]) or (
        len(segments) > 1 and _is_random(segments[-2])
    )


def _shortened(segment: str) -> str:
    if len(segment) <= _LONG:
        return segment
    return f"{segment[:_ENDS]}{ELLIPSIS}{segment[-_ENDS:]}" if _is_random(segment) else segment


def _is_random(segment: str) -> bool:
    """Return whether a part of a path looks like an id rather than a word."""
    return len(segment) >= _LONG and sum(character.isdigit() for character in segment) >= _ENDS
