"""Ending in good order when another program, or a closed terminal, says so."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opdash.tui.app import OpdashApp

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def told_to_end(end: Callable[[], None], *, interrupted_too: bool = False) -> Iterator[None]:
    """Call ``end`` on SIGTERM, and on SIGHUP unless it is ignored as under ``nohup``.

    To be entered while the event loop runs.

    Args:
        end: Is called.
        interrupted_too: Whether Ctrl+C is a usual end as well.
    """
    loop = asyncio.get_running_loop()
    signals = (*_SIGNALS, signal.SIGINT) if interrupted_too else _SIGNALS
    heeded = [one for one in signals if signal.getsignal(one) is not signal.SIG_IGN]
    for one in heeded:
        loop.add_signal_handler(one, end)
    try:
        yield
    finally:
        for one in heeded:
            loop.remove_signal_handler(one)


@contextlib.contextmanager
def unwinding_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `SystemExit` while no event loop heeds them.

    What a command made for its own time, such as a throw-away key, is then removed as always.
    """

    def leave(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    heeded = [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, leave) for one in heeded}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def run_screen(app: OpdashApp) -> int:
    """Run the app until a person leaves it or a signal ends it; return the exit code.

    Either way the terminal is put back, and whoever called can put away the rest.

    Raises:
        LedgerError: The app ended by itself because the ledger cannot be written.
    """

    async def main() -> None:
        with told_to_end(app.exit):
            await app.run_async()

    asyncio.run(main())
    if app.failure is not None:
        raise app.failure
    return app.return_code or 0
