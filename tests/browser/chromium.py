"""Drives a headless Chromium over a pair of pipes, in its own words (the DevTools protocol).

Nothing but the Debian package ``chromium`` is needed: messages are JSON that ends with a zero byte.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import pytest

REQUIRED = "OPDASH_REQUIRE_BROWSER"
"""Set to 1 where a missing browser is a failure."""

_PATIENCE = 60.0
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # containers forbid what it is made of, and only our own pages are shown
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-pipe",
)


_BECOME = """
import fcntl, os, sys
for wanted, given in enumerate([fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3]], 3):
    os.dup2(given, wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser reads from descriptor 3 and writes to 4, whatever numbers are free here."""


class Chromium:
    """One browser with one window; use it as a context manager.

    Args:
        profile: A directory of its own.
    """

    def __init__(self, profile: Path) -> None:
        commands, answers = os.pipe(), os.pipe()
        self._to, self._from = commands[1], answers[0]
        inside = (commands[0], answers[1])
        command = [require(), *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BECOME, *map(str, inside), *command],
            pass_fds=inside,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(profile)},
            start_new_session=True,
        )
        for descriptor in inside:
            os.close(descriptor)
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._session = ""
        self._came = threading.Condition()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.push(self.__exit__)
            page = self._ask("Target.createTarget", url="about:blank")["targetId"]
            attached = self._ask("Target.attachToTarget", targetId=page, flatten=True)
            self._session = attached["sessionId"]
            self._ask("Page.enable")
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._to)  # then it ends by itself
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(10)
        os.close(self._from)

    # What a person does

    def open(self, url: str) -> None:
        """Type an address, and wait until its page is there."""
        self._ask("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def press(self, caption: str) -> None:
        """Press a button with the mouse."""
        self.wait_for(f"[...document.querySelectorAll('button')].some({_is(caption)})")
        box = self.find(
            f"(() => {{ const b = [...document.querySelectorAll('button')].find({_is(caption)});"
            " b.scrollIntoView(); const r = b.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            mouse = {"type": kind, "x": box[0], "y": box[1], "button": "left", "clickCount": 1}
            self._ask("Input.dispatchMouseEvent", **mouse)

    @property
    def text(self) -> str:
        """What the page says."""
        return str(self.find("document.body ? document.body.innerText : ''"))

    @property
    def url(self) -> str:
        """What the address bar shows."""
        return str(self.find("location.href"))

    def wait_for_text(self, words: str) -> None:
        """Wait until the page says something."""
        self.wait_for(f"document.body && document.body.innerText.includes({json.dumps(words)})")

    def wait_for(self, expression: str) -> None:
        """Wait until an expression is true in the page, whichever page that is by then."""
        for _ in range(int(_PATIENCE / 0.05)):
            if self.find(expression) is True:
                return
            threading.Event().wait(0.05)
        raise AssertionError(f"{expression} never came true; {self.url} says: {self.text}")

    def find(self, expression: str) -> Any:
        """Return what an expression is in the page; None while pages change."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer.get("result", {}).get("value")

    # The pipes

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        with self._came:
            if not self._came.wait_for(lambda: number in self._answers, _PATIENCE):
                raise AssertionError(f"Chromium does not answer {method}")
            answer = self._answers.pop(number)
        result: dict[str, Any] = answer.get("result", {})
        return result

    def _listen(self) -> None:
        rest = b""
        while True:
            try:
                said = os.read(self._from, 65536)
            except OSError:
                return
            if not said:
                return
            *messages, rest = (rest + said).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    with self._came:
                        self._answers[message["id"]] = message
                        self._came.notify_all()


def require() -> str:
    """Return where Chromium is; skip the test, or fail it, where it is missing."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    return found or _missing()


def _missing() -> NoReturn:
    what = "Chromium is not installed (Debian package chromium)"
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{what}, and {REQUIRED}=1 demands it", pytrace=False)
    pytest.skip(what)


def _is(caption: str) -> str:
    return f"button => button.innerText.trim() === {json.dumps(caption)}"
