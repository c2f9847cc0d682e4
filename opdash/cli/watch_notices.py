"""Ringing, and showing notifications, for a watch."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence

from opdash.cli import wording
from opdash.cli.watch_choice import Choice
from opdash.ledger.event_log import LoggedEvent
from opdash.ledger.states import State
from opdash.notices import Notifier, show_on_desktop
from opdash.service.dashboard import Dashboard
from opdash.settings import NotifyWay

_SINGLY = 3
"""So many are told one by one; more at once become one notification."""


class Notices:
    """Tells a person of payments that were paid or received, once for each, ever.

    It is told on standard error, where that is a terminal: standard output may be read by another
    program.
    """

    def __init__(self, way: NotifyWay, dashboard: Dashboard, choice: Choice) -> None:
        self._way = way
        self._dashboard = dashboard
        self._choice = choice
        self._tasks: set[asyncio.Task[None]] = set()
        self._notifier = Notifier(_write, os.environ, shutil.which, show_on_desktop)

    @classmethod
    def chosen(cls, way: str, dashboard: Dashboard, choice: Choice) -> Notices:
        """Return what tells in a way, or in the one that the configuration file names."""
        configured = dashboard.settings.notify
        if way == "configured":
            # Who asks to be told is told: “off” is for the screen.
            way = NotifyWay.BELL if configured is NotifyWay.OFF else configured
        return cls(NotifyWay(way), dashboard, choice)

    def take(self, events: Sequence[LoggedEvent]) -> None:
        """Tell of those that are announced."""
        news = [one for one in events if one.announce and self._choice.wallet(one) is not None]
        if news:
            task = asyncio.create_task(self._tell(news))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Finish what is being told."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _tell(self, events: Sequence[LoggedEvent]) -> None:
        claimed = [one for one in events if await self._claim(one)]
        if not claimed:
            return
        sentences = [_sentence(one) for one in claimed]
        if len(sentences) > _SINGLY:
            sentences = [f"{len(sentences)} payments came in."]
        await self._notifier.tell(
            sentences,
            bell=self._way in (NotifyWay.BELL, NotifyWay.BOTH),
            desktop=self._way in (NotifyWay.DESKTOP, NotifyWay.BOTH),
        )

    async def _claim(self, event: LoggedEvent) -> bool:
        payment = event.payment
        return event.announce is not None and await self._dashboard.claim_notice(
            payment.wallet, payment.id, event.announce
        )


def _write(sequence: str) -> bool:
    """Write to the terminal; return whether there is one."""
    if sys.stderr is None or not sys.stderr.isatty():
        return False
    sys.stderr.write(sequence)
    sys.stderr.flush()
    return True


def _sentence(event: LoggedEvent) -> str:
    row = event.payment
    name = row.reference or row.description or wording.last_segment(row.id)
    if row.state is State.OVERPAID:
        asked = wording.money(row.asked, row.received_asset)
        return f"Overpaid: {wording.number(row.received, row.received_asset)} of {asked} · {name}"
    word = "Paid" if event.announce == "paid" else "Received"
    return f"{word}: {wording.money(row.received, row.received_asset)} · {name}"
