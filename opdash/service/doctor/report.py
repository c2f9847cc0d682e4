"""An examination as text for people: a line a step, and below it what there is to know.

All lines are safe to show.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from opdash.safetext import safe_text
from opdash.service.doctor.steps import Step, StepName, summary

if TYPE_CHECKING:
    from opdash.openpayments.traces import Trace

WIDTH = 100
"""Cells of a line that is not for a terminal."""

_INDENT = "    "
_TITLE = max(len(name.heading) for name in StepName) + 4
_LONGEST_WORDS = 240


def whole_report(title: str, steps: Iterable[Step], *, verbose: bool, width: int = WIDTH) -> str:
    """Return the report of all steps, a line feed after each line.

    Args:
        title: Which wallet was examined.
        steps: All that was found.
        verbose: Whether to give requests and answers whole.
        width: Cells of a line.
    """
    done = tuple(steps)
    lines = [safe_text(title), ""]
    for step in done:
        lines += step_lines(step, verbose=verbose, width=width)
    lines += ["", summary(done)]
    return "".join(f"{line}\n" for line in lines)


def step_lines(step: Step, *, verbose: bool, width: int = WIDTH) -> list[str]:
    """Return one step: its line, and below what was sent, what came back, and what to do."""
    head = f"{step.sign} {step.name.heading}"
    return [
        *_wrapped(step.found, head.ljust(_TITLE - 1) + " ", " " * _TITLE, width),
        *(f"{_INDENT}{line}".rstrip() for line in detail_lines(step, verbose=verbose, width=width)),
    ]


def detail_lines(
    step: Step, *, verbose: bool, width: int = WIDTH, advice: bool = True
) -> Iterator[str]:
    """Yield what there is to know of a step besides the sentence about what was found.

    Args:
        step: Which.
        verbose: Whether to give requests and answers whole.
        width: Cells of a line.
        advice: Whether to say what to do.
    """
    room = max(width - len(_INDENT), 20)
    for number, trace in enumerate(step.traces):
        if verbose and number:
            yield ""
        yield from trace.report_lines() if verbose else _brief(step, trace, room)
    if verbose and step.traces and step.finding.lines:
        yield ""
    for line in step.finding.lines:
        if line.startswith(" "):  # what is quoted stays whole, to be compared and copied
            yield line
        else:
            yield from _wrapped(line, "", "  ", room)
    if advice and step.advice:
        yield from _wrapped(step.advice, "→ ", "  ", room)


def _brief(step: Step, trace: Trace, width: int) -> Iterator[str]:
    """Yield what was sent and what came back, a line each."""
    signed = " (signed)" if trace.is_signed else ""
    yield f"sent       {safe_text(f'{trace.method} {trace.url}{signed}')}"
    came = f"{trace.outcome} in {trace.seconds:.3f} s"
    is_well = step.ok is not False and trace.status is not None and trace.status < 300
    words = "" if is_well else _words(trace)
    yield from _wrapped(f"{came}{words}", "came back  ", " " * 11, width)


def _words(trace: Trace) -> str:
    """Return what a server said in an answer that helped nobody."""
    words = " ".join((trace.answer or "").split())
    location = trace.header("location")
    said = f"to {location}" if location else words
    return f": {said[:_LONGEST_WORDS]}{'…' if len(said) > _LONGEST_WORDS else ''}" if said else ""


def _wrapped(text: str, first: str, then: str, width: int) -> list[str]:
    """Return a text on lines of a width, broken at blanks where that is possible."""
    return textwrap.wrap(
        safe_text(text),
        width,
        initial_indent=first,
        subsequent_indent=then,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [first.rstrip()]
