"""Reading along in the log of changes, and printing what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from opdash.cli import wording
from opdash.cli.output import print_json, print_lines
from opdash.cli.watch_choice import Choice
from opdash.clock import Clock
from opdash.hooks.pulse import Pulse
from opdash.ledger.event_log import EventLog, LoggedEvent
from opdash.ledger.records import ChangeKind


class Work(Protocol):
    """Something that goes on beside the polls."""

    def wake(self) -> None:
        """Say that something was written to the ledger."""

    def end(self) -> None:
        """Finish what is under way, and no more."""

    async def run(self) -> None:
        """Work until told to end."""


class Stream:
    """Hands on every event after a place, in order, for ever.

    Args:
        log: The log of changes.
        begin: The number of the event to begin after.
        take: Is handed the events, some at a time.
        clock: The one clock.
        save: Is told the cursor of the last one when all have been taken.
    """

    def __init__(
        self,
        log: EventLog,
        begin: int,
        take: Callable[[Sequence[LoggedEvent]], None],
        clock: Clock,
        save: Callable[[str], None] | None = None,
    ) -> None:
        self._log = log
        self._number = begin
        self._take = take
        self._save = save
        self._pulse = Pulse(clock)

    def wake(self) -> None:
        """Look at once whether there is something new."""
        self._pulse.wake()

    def end(self) -> None:
        """Hand on no more."""
        self._pulse.end()

    async def run(self) -> None:
        """Hand on until told to end."""
        while not self._pulse.is_over():
            events = self._log.after(self._number)
            if not events:
                await self._pulse.wait()
                continue
            self._take(events)
            self._number = events[-1].number
            if self._save is not None:
                self._save(events[-1].cursor)
            await asyncio.sleep(0)  # a long way back must not hold up the polls


class Printer:
    """Prints events: JSON Lines, or a line for people."""

    def __init__(self, choice: Choice, *, as_json: bool, named: bool) -> None:
        self._choice = choice
        self._as_json = as_json
        self._named = named

    def print(self, events: Sequence[LoggedEvent]) -> None:
        """Print those that are chosen."""
        for event in events:
            if self._as_json:
                record = self._choice.record(event)
                if record is not None:
                    print_json(record)
            else:
                self._print_words(event)

    def _print_words(self, event: LoggedEvent) -> None:
        name = self._choice.wallet(event)
        if name is not None:
            parts = [wording.to_the_second(event.at), *([name] if self._named else [])]
            print_lines("  ".join(part for part in (*parts, *_words(event)) if part))


def _words(event: LoggedEvent) -> list[str]:
    row, asset = event.payment, event.payment.received_asset
    before = event.previous_received if event.previous_asset == asset else None
    delta = row.received - (before or 0)
    sign = "+" if delta > 0 else ""
    received = wording.number(row.received, asset)
    asked = wording.money(row.asked, row.asked_asset)
    return [
        event.kind.value if event.kind in (ChangeKind.NEW, ChangeKind.NOTE) else "",
        wording.state(row),
        f"{sign}{wording.money(delta, asset)}" if delta else "",
        f"{received} of {asked}" if asked else f"{received} {asset.code}",
        row.reference or row.description,
        wording.last_segment(row.id),
    ]
