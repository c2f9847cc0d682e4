"""``opdash sync``: read the server's whole list now, without a budget."""

from __future__ import annotations

import asyncio
import sys

from msgspec.structs import replace

from opdash.cli import shapes
from opdash.cli.context import opened
from opdash.cli.options import CommandParser, add_json_option, add_wallet_option
from opdash.cli.output import print_json, print_lines, talk
from opdash.cli.running import run_with_dashboard, tell_creations
from opdash.clock import Clock
from opdash.errors import OpdashError
from opdash.ledger.records import ChangeKind, WalletRow
from opdash.service.dashboard import Dashboard
from opdash.service.events import Event, PaymentsChanged, StatusChanged
from opdash.service.session import WalletSession
from opdash.service.status import Activity, ScanProgress

_KEPT = "What was read is kept; “opdash sync” goes on there."
_LINE_EVERY = 5.0
"""Seconds between two lines of progress where they cannot overwrite each other."""


def run(arguments: list[str]) -> int:
    """Run ``opdash sync``."""
    parser = CommandParser(
        "sync",
        "Read the server's list to its end, as fast as the server answers. The first time that is "
        "what lies beyond what is known; once all is known, it is the whole list, which also shows "
        "what the server no longer has. What was broken off goes on where it stopped.",
        ["opdash sync", "opdash sync --wallet shop --json"],
    )
    add_wallet_option(parser)
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        profile = context.choose_profile(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            session = dashboard.session(profile.name)
            dashboard.events.subscribe(tell_creations)
            gone = _Gone(session)
            dashboard.events.subscribe(gone.hear)
            await session.poll_once()
            with _Progress(session, context.clock) as shown:
                dashboard.events.subscribe(shown.hear)
                progress = await _read_all(session)
            wallet = (
                None if session.wallet_id is None else dashboard.reader.wallet(session.wallet_id)
            )
            if wallet is not None:
                progress = replace(progress, gone=gone.count)
                _print(profile.name, wallet, progress, as_json=options.json)
            return 0

        return run_with_dashboard(context, work)


async def _read_all(session: WalletSession) -> ScanProgress:
    try:
        return await session.read_all()
    except (OpdashError, asyncio.CancelledError):
        talk(_KEPT)
        raise


def _print(name: str, wallet: WalletRow, progress: ScanProgress, *, as_json: bool) -> None:
    if as_json:
        print_json(shapes.scan(name, wallet, progress))
        return
    pages = "page" if progress.pages == 1 else "pages"
    these = "all" if progress.payments == wallet.known else f"{progress.payments:,}"
    gone = f"; {progress.gone:,} no longer at the server" if progress.gone else ""
    payments = "payment" if wallet.known == 1 else "payments"
    # What newer pages told before is known already, and is no part of this reading.
    print_lines(
        f"The list is read to its end: {wallet.known:,} {payments} known, "
        f"{these} of them on the {progress.pages:,} {pages} of this reading{gone}"
    )


class _Gone:
    """Counts the payments that were found gone, by polls and by the reading of the list."""

    def __init__(self, session: WalletSession) -> None:
        self._session = session
        self.count = 0

    def hear(self, event: Event) -> None:
        """Take note of what has changed."""
        if isinstance(event, PaymentsChanged) and event.wallet_id == self._session.wallet_id:
            self.count += sum(change.kind is ChangeKind.GONE for change in event.changes)


class _Progress:
    """Says on standard error how far a reading has come, on a terminal in one line."""

    def __init__(self, session: WalletSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._in_place = sys.stderr is not None and sys.stderr.isatty()
        self._width = 0
        self._told_at = clock.monotonic()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            self._write("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def hear(self, event: Event) -> None:
        """Take note of the session's progress."""
        if not isinstance(event, StatusChanged) or event.profile != self._session.profile.name:
            return
        progress = event.status.scan
        if progress.activity is Activity.NONE or not progress.rate:
            return
        if self._in_place:
            self._write(words(progress))
        elif self._clock.monotonic() - self._told_at >= _LINE_EVERY:
            self._told_at = self._clock.monotonic()
            talk(words(progress))

    def _write(self, line: str) -> None:
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)


def words(progress: ScanProgress) -> str:
    """Say how far a reading has come: ``12,400 payments · 124 pages · 980 a second``."""
    parts = [f"{progress.payments:,} payments", f"{progress.pages:,} pages"]
    if progress.rate:
        parts.append(f"{progress.rate:,} a second")
    if progress.left is not None:
        minutes, seconds = divmod(round(progress.left.total_seconds()), 60)
        parts.append(f"{minutes} min left" if minutes else f"{seconds} s left")
    return " · ".join(parts)
