"""Whether a wallet and its key are ready to be used: checked again and again until they are.

The checks are steps of the examination that `opdash doctor` makes, told here as five lines: each
waits, is done, or says what to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncGenerator, Callable
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from opdash.clock import Clock
from opdash.errors import ExitCode, KeyFileError
from opdash.service.doctor.steps import Step, StepName, exit_code
from opdash.service.keyring import Keyring
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.openpayments.transport import Observer

FIRST_PAUSE = 3.0
"""Seconds until what was not ready is looked at again, the first time."""

LONGEST_PAUSE = 30.0
"""Seconds between two looks at the most; each pause is half as long again as the one before."""

_GROWTH = 1.5


class Check(StrEnum):
    """What has to be so before opdash can work; the value names it for programs."""

    ADDRESS = "address"
    KEY = "key"
    NAME = "name"
    GRANT = "grant"
    LIST = "list"

    @property
    def heading(self) -> str:
        """What people call it."""
        return _HEADINGS[self]


_HEADINGS = {
    Check.ADDRESS: "Wallet address",
    Check.KEY: "Key",
    Check.NAME: "Public name",
    Check.GRANT: "Grant",
    Check.LIST: "Signed list",
}


class Mark(Enum):
    """How a check stands; told by a sign, not only by a colour."""

    WAITING = "·"
    """It has not come to it yet."""
    DONE = "✓"
    """All is well."""
    TO_DO = "✗"
    """Something has to be done; the sentence says what."""
    LATER = "–"
    """It cannot be found out before the wallet is in use, as where the holder has to consent."""


class CheckLine(msgspec.Struct, frozen=True):
    """How one check stands.

    Attributes:
        check: Which.
        mark: How it stands.
        sentence: What was found; may hold remote text as it was sent.
        advice: What to do, or an empty string.
    """

    check: Check
    mark: Mark = Mark.WAITING
    sentence: str = ""
    advice: str = ""

    @property
    def asks_to_register(self) -> bool:
        """Whether what has to be done is to register the key."""
        is_key = self.check is Check.KEY and self.mark is Mark.TO_DO
        return is_key and "opdash key show" in self.advice


class Readiness(msgspec.Struct, frozen=True):
    """How all checks stand.

    Attributes:
        key_id: The key that was checked.
        lines: The checks, in their order.
        is_looking: Whether the servers are being asked at this moment.
        pause: Seconds until they are asked again; None where they are not.
        code: How a command ends that leaves it at this.
    """

    key_id: str
    lines: tuple[CheckLine, ...]
    is_looking: bool = False
    pause: float | None = None
    code: ExitCode = ExitCode.DONE

    def line(self, check: Check) -> CheckLine:
        """Return how one check stands."""
        return next(line for line in self.lines if line.check is check)

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to be done before the wallet is used."""
        return all(line.mark in (Mark.DONE, Mark.LATER) for line in self.lines)

    @property
    def key_works(self) -> bool:
        """Whether the key is served, and no server refuses it."""
        used = (self.line(Check.GRANT).mark, self.line(Check.LIST).mark)
        is_served = self.line(Check.KEY).mark is Mark.DONE
        return is_served and all(mark in (Mark.DONE, Mark.LATER) for mark in used)

    @property
    def first_to_do(self) -> CheckLine | None:
        """The first check with something to do, or None."""
        return next((line for line in self.lines if line.mark is Mark.TO_DO), None)


_WAITS = {
    Check.ADDRESS: "not asked yet",
    Check.KEY: "waits for the address",
    Check.NAME: "waits for the address",
    Check.GRANT: "waits for the key",
    Check.LIST: "waits for the grant",
}

_ABOUT = {
    StepName.CONFIGURATION: Check.ADDRESS,
    StepName.KEY_FILE: Check.KEY,
    StepName.DNS: Check.ADDRESS,
    StepName.CONNECTION: Check.ADDRESS,
    StepName.DISCOVERY: Check.ADDRESS,
    StepName.SERVERS: Check.ADDRESS,
    StepName.CLIENT: Check.NAME,
    StepName.JWKS: Check.KEY,
    StepName.KEY: Check.KEY,
    StepName.GRANT: Check.GRANT,
    StepName.TOKEN: Check.GRANT,
    StepName.LIST: Check.LIST,
}

_WANTED = (StepName.CLIENT, StepName.KEY, StepName.LIST)

_TELLING = frozenset(
    {StepName.DISCOVERY, StepName.CLIENT, StepName.KEY, StepName.GRANT, StepName.LIST}
)
_CONSENT = "opdash asks for it once the wallet is saved."


def unchecked(key_id: str) -> Readiness:
    """Return how things stand before anything was asked."""
    return Readiness(
        key_id, tuple(CheckLine(check, sentence=waits) for check, waits in _WAITS.items())
    )


def after_step(before: Readiness, step: Step) -> Readiness:
    """Return how things stand after one more step of an examination."""
    check = _ABOUT.get(step.name)
    if check is None or step.is_skipped:
        return before
    if step.name is StepName.JWKS and step.finding.leads_on:
        return before  # what is served is told once, when our key is looked for in it
    if step.ok is False:
        return _with(before, CheckLine(check, Mark.TO_DO, step.found, step.advice))
    if step.ok is None:
        later = CheckLine(Check.LIST, Mark.LATER, "It is tried as soon as there is a grant.")
        return _with(_with(before, CheckLine(check, Mark.LATER, step.found, _CONSENT)), later)
    if step.name not in _TELLING:
        return before
    return _with(before, CheckLine(check, Mark.DONE, step.found))


def _with(before: Readiness, line: CheckLine) -> Readiness:
    lines = tuple(line if known.check is line.check else known for known in before.lines)
    return replace(before, lines=lines)


def _merged(former: Readiness, seen: Readiness) -> Readiness:
    """Return what was seen so far, and for the rest what was seen the last time."""
    lines = tuple(
        old if new.mark is Mark.WAITING else new
        for old, new in zip(former.lines, seen.lines, strict=True)
    )
    return replace(seen, lines=lines)


class ReadinessWatch:
    """Checks one wallet, and tells of every line that changes.

    A grant that it gets is given back at once. No grant is asked for with a key that the client's
    wallet address does not serve.

    Args:
        profile: The wallet with its key; it need not be saved.
        keyring: Reads the key.
        clock: The one clock.
        tell: Is given how things stand, at each change.
        observer: Is told of every exchange.
    """

    def __init__(
        self,
        profile: Profile,
        keyring: Keyring,
        clock: Clock,
        tell: Callable[[Readiness], None],
        observer: Observer | None = None,
    ) -> None:
        self.profile = profile
        self._keyring = keyring
        self._clock = clock
        self._tell = tell
        self._observer = observer
        self._again = asyncio.Event()
        self.now = unchecked(profile.key_id)
        """How things stand."""

    async def run(self) -> Readiness:
        """Check again and again, ever more seldom, until all is ready."""
        pause = FIRST_PAUSE
        while not (await self.check()).is_ready:
            self._say(replace(self.now, pause=pause))
            if await self._asked_within(pause):
                pause = FIRST_PAUSE
            else:
                pause = min(pause * _GROWTH, LONGEST_PAUSE)
        return self.now

    def again(self) -> None:
        """Check now instead of later, because a person wants it."""
        self._again.set()

    async def check(self) -> Readiness:
        """Check once, and return how things stand then."""
        self._again.clear()
        self._say(replace(self.now, is_looking=True, pause=None))
        seen, steps = unchecked(self.profile.key_id), list[Step]()
        async with contextlib.aclosing(self._steps()) as examination:
            async for step in examination:
                steps.append(step)
                seen = after_step(seen, step)
                self._say(replace(_merged(self.now, seen), is_looking=True))
                if step.name is StepName.KEY and not step.ok:
                    break
        self._say(replace(seen, code=exit_code(steps)))
        return self.now

    async def _steps(self) -> AsyncGenerator[Step]:
        key, file = None, self.profile.key_file
        if file is not None:
            with contextlib.suppress(KeyFileError):  # the examination says what is wrong with it
                key = await self._keyring.read(file, self.profile.key_id)
        examination = await asyncio.to_thread(
            importlib.import_module, "opdash.service.doctor.examination"
        )
        examining: AsyncGenerator[Step] = examination.examine(
            self.profile, self._clock, wanted=_WANTED, observer=self._observer, key=key
        )
        async with contextlib.aclosing(examining):
            async for step in examining:
                yield step

    async def _asked_within(self, pause: float) -> bool:
        """Wait, and return whether a person wanted to wait no longer."""
        waiting = asyncio.ensure_future(self._clock.sleep(pause))
        asked = asyncio.ensure_future(self._again.wait())
        try:
            await asyncio.wait((waiting, asked), return_when=asyncio.FIRST_COMPLETED)
            return asked.done()
        finally:
            waiting.cancel()
            asked.cancel()

    def _say(self, now: Readiness) -> None:
        self.now = now
        self._tell(now)
