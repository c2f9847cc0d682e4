"""Asking for consent on standard error: where, a code for phones, and the time that is left."""

from __future__ import annotations

import asyncio
import os
import sys

from opdash.cli.output import talk
from opdash.clock import Clock
from opdash.service.events import ConsentEnded, ConsentNeeded, ConsentNoted, Event
from opdash.settings import ConsentWay

_BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m"
_PLAIN = "\x1b[0m"
_CLEAR = "\r\x1b[2K"

_HOW = {
    ConsentWay.REDIRECT: "Open it in a browser on this machine, which then comes back to opdash.",
    ConsentWay.POLLING: "Open it in any browser, also on a phone; opdash waits until then.",
}


class ConsentTalk:
    """Tells a person where to consent, and on a terminal counts the time down.

    Args:
        clock: The one clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._questions: dict[tuple[str, int], ConsentNeeded] = {}
        self._counting: asyncio.Task[None] | None = None

    def hear(self, event: Event) -> None:
        """Take note of what the service announces."""
        match event:
            case ConsentNeeded():
                self._pause()
                self._questions[event.profile, event.number] = event
                self._ask(event)
                self._count()
            case ConsentNoted():
                self._pause()
                talk(event.sentence)
                self._count()
            case ConsentEnded():
                self._pause()
                self._questions.pop((event.profile, event.number), None)
                if event.granted:  # what ends otherwise fails, and says so itself
                    talk(event.sentence)
                self._count()
            case _:
                pass

    def close(self) -> None:
        """Count no more."""
        self._questions.clear()
        self._pause()

    def _ask(self, question: ConsentNeeded) -> None:
        talk(
            f"The account holder of “{question.profile}” must consent, "
            f"so that opdash may {question.purpose}:",
            *(f"  · {right}" for right in question.rights),
            "",
            f"  {question.url}",
            "",
            *([question.remark] if question.remark else []),
            _HOW.get(question.way, _HOW[ConsentWay.POLLING]),
        )
        is_shown = _is_at_terminal()
        if is_shown and question.way is not ConsentWay.REDIRECT:
            _draw_code(question.url)
        if not is_shown:
            talk(f"There are {question.left(self._clock.now())} minutes for it; Ctrl+C ends it.")

    def _count(self) -> None:
        if self._questions and self._counting is None and _is_at_terminal():
            self._counting = asyncio.create_task(self._count_down(), name="consent countdown")

    def _pause(self) -> None:
        if self._counting is not None:
            self._counting.cancel()
            self._counting = None
            _write(_CLEAR)

    async def _count_down(self) -> None:
        while True:
            first = min(self._questions.values(), key=lambda question: question.until)
            left = first.left(self._clock.now())
            _write(f"{_CLEAR}◌ Waiting for the answer · {left} left · Ctrl+C ends it")
            await self._clock.sleep(1.0)


def _draw_code(url: str) -> None:
    """Draw a code for phones; where there is no room for it, say so."""
    from opdash.qr import SMALL_QUIET, fitting_code, qr_code

    room = os.get_terminal_size(sys.stderr.fileno())
    code = fitting_code(url, room.columns, room.lines - 1)
    if code is not None:
        _write("".join(f"{_BLACK_ON_WHITE}{line}{_PLAIN}\n" for line in code.lines))
        return
    least = qr_code(url, SMALL_QUIET)
    if least is not None:
        talk(
            f"A QR code of it takes {least.width} columns and {least.height + 1} rows, and this "
            f"terminal has {room.columns} and {room.lines}."
        )


def _is_at_terminal() -> bool:
    stream = sys.stderr
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
