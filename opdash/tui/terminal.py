"""The terminal, which may go away while opdash runs: a closed window, a lost SSH connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from textual.drivers.linux_driver import LinuxDriver


class _File(Protocol):
    def write(self, text: str, /) -> int: ...
    def flush(self) -> None: ...
    def fileno(self) -> int: ...


class Outlet:
    """What is written to the terminal; after the first failure nothing more is tried.

    Textual's writing thread ends at an error, and whoever writes then waits for it for ever.

    Args:
        file: The terminal.
        lost: Is called once, on the thread that writes, when the terminal takes no more.
    """

    def __init__(self, file: _File, lost: Callable[[], object]) -> None:
        self._file = file
        self._lost = lost
        self._is_lost = False

    def write(self, text: str) -> int:
        """Write, or let the text go."""
        self._try(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        """Write what waits, or let it go."""
        self._try(self._file.flush)

    def fileno(self) -> int:
        """Return the terminal's number."""
        return self._file.fileno()

    def _try(self, work: Callable[[], object]) -> None:
        if self._is_lost:
            return
        try:
            work()
        except OSError:
            self._is_lost = True
            self._lost()


class TerminalDriver(LinuxDriver):
    """Textual's driver; it ends the app when its terminal is gone."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        terminal: Any = self._file
        outlet: Any = Outlet(terminal, self._end)
        self._file = outlet

    def _end(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._app.exit)
