"""The steps of an examination and what each of them found; records only, quick to import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from opdash.errors import ExitCode

if TYPE_CHECKING:
    from opdash.openpayments.traces import Trace


class StepName(StrEnum):
    """What is examined, in this order; the value names the step for programs."""

    CONFIGURATION = "configuration"
    KEY_FILE = "key-file"
    DNS = "dns"
    CONNECTION = "connection"
    DISCOVERY = "discovery"
    SERVERS = "servers"
    CLIENT = "client"
    JWKS = "jwks"
    KEY = "key"
    CLOCK = "clock"
    GRANT = "grant"
    TOKEN = "token"  # noqa: S105 - the name of a step
    LIST = "list"
    SCOPE = "scope"
    GIVE_BACK = "give-back"

    @property
    def heading(self) -> str:
        """What people call it."""
        return _HEADINGS[self]


_HEADINGS = {
    StepName.CONFIGURATION: "Configuration",
    StepName.KEY_FILE: "Key file",
    StepName.DNS: "Name (DNS)",
    StepName.CONNECTION: "Connection (TLS)",
    StepName.DISCOVERY: "Wallet address",
    StepName.SERVERS: "Its servers",
    StepName.CLIENT: "Client",
    StepName.JWKS: "Client's keys",
    StepName.KEY: "Key match",
    StepName.CLOCK: "Clock",
    StepName.GRANT: "Grant",
    StepName.TOKEN: "Token",
    StepName.LIST: "Signed list",
    StepName.SCOPE: "Scope",
    StepName.GIVE_BACK: "Given back",
}

NEEDS: dict[StepName, tuple[StepName, ...]] = {
    StepName.CONFIGURATION: (),
    StepName.KEY_FILE: (),
    StepName.DNS: (StepName.CONFIGURATION,),
    StepName.CONNECTION: (StepName.DNS,),
    StepName.DISCOVERY: (StepName.CONNECTION,),
    StepName.SERVERS: (StepName.DISCOVERY,),
    StepName.CLIENT: (StepName.DISCOVERY,),
    StepName.JWKS: (StepName.CLIENT,),
    StepName.KEY: (StepName.KEY_FILE, StepName.JWKS),
    StepName.CLOCK: (StepName.DISCOVERY,),
    StepName.GRANT: (StepName.KEY_FILE, StepName.SERVERS, StepName.JWKS),
    StepName.TOKEN: (StepName.GRANT,),
    StepName.LIST: (StepName.TOKEN,),
    StepName.SCOPE: (StepName.GRANT,),
    StepName.GIVE_BACK: (StepName.GRANT,),
}
"""What must have come to a result before a step can be tried. A grant is asked for even with a
key that does not match: how the server refuses it says more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step found.

    Attributes:
        ok: Whether all is well; None where that was not, or cannot be, found out.
        found: One sentence; may hold remote text as it was sent.
        advice: What to do, or an empty string.
        lines: More about it, each safe to show once `opdash.safetext.safe_text` took it.
        code: How a command that came this far ends; `ExitCode.DONE` unless something is wrong.
        is_usable: Whether the steps that need this one can be tried; as `ok` unless given.
    """

    ok: bool | None
    found: str
    advice: str = ""
    lines: tuple[str, ...] = ()
    code: ExitCode = ExitCode.DONE
    is_usable: bool | None = None

    @property
    def leads_on(self) -> bool:
        """Whether the steps that need this one can be tried."""
        return self.ok is True if self.is_usable is None else self.is_usable


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an examination, done or skipped.

    Attributes:
        name: Which.
        finding: What it found.
        traces: What went over the wire for it, without secrets.
        is_skipped: Whether it was not tried, because a step before it failed.
    """

    name: StepName
    finding: Finding
    traces: tuple[Trace, ...] = ()
    is_skipped: bool = False

    @property
    def ok(self) -> bool | None:
        """Whether all is well; None where that was not, or cannot be, found out."""
        return self.finding.ok

    @property
    def found(self) -> str:
        """What was found, one sentence; may hold remote text as it was sent."""
        return self.finding.found

    @property
    def advice(self) -> str:
        """What to do, or an empty string."""
        return self.finding.advice

    @property
    def sign(self) -> str:
        """A sign for whether all is well, readable without colour."""
        return {True: "✓", False: "✗", None: "–"}[self.ok]


def with_needs(wanted: Iterable[StepName]) -> tuple[StepName, ...]:
    """Return steps together with all that they need, in their order."""
    found: set[StepName] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += NEEDS[name]
    if StepName.GRANT in found:
        found.add(StepName.GIVE_BACK)
    return tuple(name for name in StepName if name in found)


def exit_code(steps: Iterable[Step]) -> ExitCode:
    """Return how a command ends that has found all this: as the first failed step says."""
    return next((step.finding.code for step in steps if step.ok is False), ExitCode.DONE)


def summary(steps: Iterable[Step]) -> str:
    """Return one sentence about all steps."""
    done = tuple(steps)
    failed = [step for step in done if step.ok is False]
    skipped = sum(step.is_skipped for step in done)
    if not failed:
        return "Nothing is wrong, as far as could be examined." if skipped else "Nothing is wrong."
    rest = f", {skipped} could not be tried" if skipped else ""
    first = failed[0].name.heading
    return f"{len(failed)} of {len(done)} steps failed{rest}. Begin with: {first}."
