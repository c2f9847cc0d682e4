"""Running a program for an event: without a shell, for a bounded time, and heard only in part."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from opdash.errors import InputError
from opdash.hooks.deliveries import DeliveryError, Tell
from opdash.hooks.letters import Letter
from opdash.safetext import safe_text

_MOST_HEARD: Final = 16 * 1024
"""Bytes of what a program says about one event that are passed on."""

_MOST_LINES: Final = 40
_LONGEST_LINE: Final = 500
_LAST_WORDS: Final = 0.5
"""Seconds that outputs may stay open when the program has ended: a child may hold them."""

_CHUNK: Final = 4096


class Program:
    """A program that is run once for each event.

    The event's JSON is its standard input; its environment is opdash's own with a few words about
    the event, and without secrets. What it says on both its outputs goes to a person. It took the
    event if it ends with 0 in time; otherwise it is killed together with all its children.

    Attributes:
        argv: The program and what it is given.
        name: The program's name, safe to show; its arguments may hold secrets.
    """

    def __init__(
        self, argv: tuple[str, ...], *, seconds: float, environment: Mapping[str, str], tell: Tell
    ) -> None:
        self.argv = argv
        self.name = safe_text(" ".join(Path(word).name for word in _telling(argv)), limit=60)
        self._seconds = seconds
        self._environment = {
            name: value for name, value in environment.items() if not name.startswith("OPDASH_")
        }
        self._tell = tell

    async def deliver(self, letter: Letter) -> None:
        """Run it. Raises `DeliveryError`."""
        # asyncio's own pipes are waited for even when the program is over: a child may hold them.
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *self.argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=writing,
                stderr=writing,
                env={**self._environment, **letter.variables},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            os.close(reading)
            reason = getattr(error, "strerror", None) or "its arguments cannot be used"
            raise DeliveryError(f"cannot be started ({safe_text(reason)})") from error
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        heard = asyncio.create_task(_heard(reading))
        try:
            async with asyncio.timeout(self._seconds):
                await _hand_over(process.stdin, letter.body)
                code = await process.wait()
        except TimeoutError as error:
            raise DeliveryError(f"took longer than {self._seconds:g} s") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
            await self._pass_on(heard)
        if code != 0:
            raise DeliveryError(f"ended with {_end_in_words(code)}")

    async def aclose(self) -> None:
        """Close nothing: a program is over when its event is."""

    async def _pass_on(self, heard: asyncio.Task[bytes]) -> None:
        done, _ = await asyncio.wait([heard], timeout=_LAST_WORDS)
        if not done:
            heard.cancel()
            await asyncio.wait([heard])
        said = heard.result() if heard.done() and not heard.cancelled() else b""
        lines = said[:_MOST_HEARD].decode(errors="replace").splitlines()
        for line in lines[:_MOST_LINES]:
            self._tell(f"{self.name}: {safe_text(line, limit=_LONGEST_LINE)}")
        if len(lines) > _MOST_LINES or len(said) > _MOST_HEARD:
            self._tell(f"{self.name}: …")


def read_command(line: str) -> tuple[str, ...]:
    """Read a command line as a shell would part it into words; nothing of it is carried out.

    Raises:
        InputError: It cannot be read, or there is no such program.
    """
    import shutil

    shown = safe_text(line, limit=80)
    try:
        argv = tuple(shlex.split(line))
    except ValueError as error:
        raise InputError(
            f"The command “{shown}” cannot be read: {safe_text(str(error)).lower()}.",
            "Close its quotes; a backslash or quotes keep blanks together.",
        ) from error
    if not argv or "\0" in line:
        raise InputError(f"The command “{shown}” names no program.", "Give a program to run.")
    if shutil.which(argv[0]) is None:
        raise InputError(
            f"There is no program “{safe_text(argv[0], limit=80)}” that can be run.",
            "No shell is asked: give the program itself, or “sh -c '…'” for one.",
        )
    return argv


def _telling(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the program, and the script where it is an interpreter's."""
    script = [word for word in argv[1:2] if not word.startswith("-") and Path(word).is_file()]
    return (argv[0], *script)


async def _hand_over(stdin: asyncio.StreamWriter | None, body: bytes) -> None:
    if stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not read it
        stdin.write(body + b"\n")
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()


async def _heard(descriptor: int) -> bytes:
    """Read all that is said, and keep its beginning."""
    loop = asyncio.get_running_loop()
    stream = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(stream)
    transport, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(descriptor, "rb", 0))
    kept = bytearray()
    try:
        while chunk := await stream.read(_CHUNK):
            if len(kept) <= _MOST_HEARD:
                kept += chunk
    except asyncio.CancelledError:
        pass  # what was heard so far is worth telling
    finally:
        transport.close()
    return bytes(kept)


def _end_in_words(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
