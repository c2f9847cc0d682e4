"""Whether a browser on this machine can be used, and opening a page in it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping

from opdash.settings import ConsentWay

_REMOTE = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open_new_tab(sys.argv[1]))"


async def usual_way(environment: Mapping[str, str] = os.environ) -> ConsentWay:
    """Return how consent is best waited for where nobody chose.

    A browser that runs elsewhere cannot come back to this machine; so over SSH, without a screen
    and without a browser the server is polled.
    """
    if not _has_screen(environment):
        return ConsentWay.POLLING
    has_browser = await asyncio.to_thread(_has_browser)
    return ConsentWay.REDIRECT if has_browser else ConsentWay.POLLING


async def open_page(url: str) -> bool:
    """Open a page in the person's browser; returns whether one could be started.

    The browser gets nothing of this terminal: what it writes would be drawn over the screen.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _OPEN,
        url,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    return await process.wait() == 0


def _has_screen(environment: Mapping[str, str]) -> bool:
    if any(environment.get(name) for name in _REMOTE):
        return False
    return sys.platform == "darwin" or any(environment.get(name) for name in _SCREENS)


def _has_browser() -> bool:
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
