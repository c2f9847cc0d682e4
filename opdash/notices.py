"""Telling a person who does not look: the terminal's bell, or a notification of the desktop.

A notification goes through the terminal where it is known to have them (OSC 9, 777 or 99), because
that works over SSH and raises the right window; else through the desktop's own program. Texts hold
remote words; they become one harmless line here, whatever the caller did, and no shell sees them.
"""

from __future__ import annotations

import asyncio
import base64
import html
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from opdash.safetext import safe_text

BELL: Final = "\a"
"""Rings the terminal's bell."""

_END: Final = "\x1b\\"
_TITLE: Final = "opdash"
_LONGEST: Final = 240
_OSC_9: Final = frozenset({"iTerm.app", "WarpTerminal"})
_OSC_777: Final = frozenset({"ghostty", "WezTerm", "rio"})
_OSC_777_TERMS: Final = ("foot", "rxvt", "xterm-ghostty", "contour")
_APPLE_SCRIPT: Final = (
    "on run argv",
    "display notification (item 1 of argv) with title (item 2 of argv)",
    "end run",
)


class Notifier:
    """Tells a person in the ways that there are.

    Args:
        write: Writes to the terminal; returns whether there is one.
        environment: The process's.
        which: Finds a program, as `shutil.which` does.
        run: Runs what `desktop_command` returns; on a thread.
    """

    def __init__(
        self,
        write: Callable[[str], bool],
        environment: Mapping[str, str],
        which: Callable[[str], str | None],
        run: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._write = write
        self._environment = environment
        self._which = which
        self._run = run

    async def tell(self, sentences: Sequence[str], *, bell: bool, desktop: bool) -> None:
        """Ring once, or show a notification for each sentence, or both.

        Where there is no way to show one, the bell rings instead.
        """
        shown = False
        for sentence in sentences if desktop else ():
            shown = await self._show(sentence)
        if bell or (desktop and not shown):
            self._write(BELL)

    async def _show(self, sentence: str) -> bool:
        """Show a notification; return whether there is a way."""
        sequence = terminal_notification(sentence, self._environment)
        if sequence and self._write(sequence):
            return True
        command = desktop_command(sentence, self._environment, self._which)
        if command:
            await asyncio.to_thread(self._run, command)
        return bool(command)


def terminal_notification(text: str, environment: Mapping[str, str]) -> str:
    """Return what lets the terminal show a notification; empty where it is not known to.

    Within tmux and screen nothing is known of the terminal around it.

    Args:
        text: What to tell.
        environment: The process's.
    """
    line = safe_text(text, limit=_LONGEST)
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if "TMUX" in environment or "STY" in environment or term.startswith(("tmux", "screen")):
        return ""
    if "KITTY_WINDOW_ID" in environment or term == "xterm-kitty":
        body = base64.b64encode(line.encode()).decode()
        return (
            f"\x1b]99;i=opdash:d=0:p=title;{_TITLE}{_END}"
            f"\x1b]99;i=opdash:d=1:e=1:p=body;{body}{_END}"
        )
    if program in _OSC_777 or term.startswith(_OSC_777_TERMS):
        return f"\x1b]777;notify;{_TITLE};{line.replace(';', ',')}{_END}"
    if program in _OSC_9:
        return f"\x1b]9;{_TITLE}: {line}{_END}"
    return ""


def desktop_command(
    text: str, environment: Mapping[str, str], which: Callable[[str], str | None]
) -> tuple[str, ...]:
    """Return the program that shows a notification, with its words; nothing where there is none.

    Args:
        text: What to tell.
        environment: The process's.
        which: Finds a program, as `shutil.which` does.
    """
    line = safe_text(text, limit=_LONGEST)
    sender = which("notify-send")
    if sender and {"DISPLAY", "WAYLAND_DISPLAY"} & environment.keys():
        # What stands below the title may be read as markup.
        return (sender, "--app-name=opdash", "--", _TITLE, html.escape(line, quote=False))
    script = which("osascript")
    if script and "SSH_CONNECTION" not in environment:
        lines = [word for part in _APPLE_SCRIPT for word in ("-e", part)]
        return (script, *lines, line, _TITLE)
    return ()


def show_on_desktop(command: tuple[str, ...]) -> None:
    """Run what `desktop_command` returned; it may fail, and takes five seconds at the most."""
    import contextlib
    import subprocess

    nothing = subprocess.DEVNULL
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(  # noqa: S603 - a program that was looked for, and no shell
            command, stdin=nothing, stdout=nothing, stderr=nothing, timeout=5, check=False
        )
