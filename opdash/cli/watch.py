"""``opdash watch``: every change as it happens, until it is interrupted."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable

from opdash.cli import shapes, wording
from opdash.cli.context import opened
from opdash.cli.options import CommandParser, add_json_option
from opdash.cli.output import print_json, print_lines, talk
from opdash.cli.running import run_with_dashboard
from opdash.keyfiles import read_key
from opdash.ledger.records import Change, ChangeKind
from opdash.service.dashboard import Dashboard
from opdash.service.events import Event, PaymentsChanged, StatusChanged
from opdash.service.session import WalletSession
from opdash.service.status import Phase, Status
from opdash.settings import Profile


def run(arguments: list[str]) -> int:
    """Run ``opdash watch``."""
    parser = CommandParser(
        "watch",
        "Print every change of the incoming payments of all wallets, or of one, as it happens. "
        "A lost connection does not end it; Ctrl+C or SIGTERM does.",
        ["opdash watch", "opdash watch --wallet shop --json | jq -c .payment.state"],
    )
    parser.add_argument("--wallet", metavar="NAME", default="", help="watch only this one")
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        chosen = context.choose_profile(options.wallet) if options.wallet else None

        async def work(dashboard: Dashboard) -> int:
            profiles = dashboard.profiles if chosen is None else (chosen,)
            for profile in profiles or (context.choose_profile(""),):
                await _check_key(profile)
            sessions = [dashboard.session(profile.name) for profile in profiles]
            await _watch(dashboard, sessions, as_json=options.json)
            return 0

        return run_with_dashboard(context, work)


async def _check_key(profile: Profile) -> None:
    """Raise `KeyFileError` at once for a key that no poll could use."""
    if profile.key_file is not None:
        await asyncio.to_thread(read_key, profile.key_file, profile.key_id)


async def _watch(dashboard: Dashboard, sessions: Iterable[WalletSession], *, as_json: bool) -> None:
    ended = asyncio.Event()
    printer = _Printer(tuple(sessions), ended, as_json=as_json)
    forget = dashboard.events.subscribe(printer.take)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    try:
        for session in printer.sessions:
            session.start()
        await ended.wait()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        forget()
    if printer.failure is not None:
        raise printer.failure


class _Printer:
    """Prints what the service announces.

    What a wallet holds when opdash meets it for the first time is no change, and not printed.

    Attributes:
        sessions: What is watched.
        failure: Why standard output takes no more, or None.
    """

    def __init__(
        self, sessions: tuple[WalletSession, ...], ended: asyncio.Event, *, as_json: bool
    ) -> None:
        self.sessions = sessions
        self.failure: OSError | None = None
        self._ended = ended
        self._as_json = as_json
        self._unmet = {session.profile.name for session in sessions if session.wallet is None}
        self._told: dict[str, tuple[Phase, str]] = {}

    def take(self, event: Event) -> None:
        """Print an event, if it is about what is watched; never raises."""
        try:
            if isinstance(event, PaymentsChanged):
                self._changed(event)
            elif isinstance(event, StatusChanged):
                self._status(event.profile, event.status)
        except OSError as error:
            self.failure = error
            self._ended.set()

    def _changed(self, event: PaymentsChanged) -> None:
        for session in self.sessions:
            if session.wallet_id == event.wallet_id and session.profile.name not in self._unmet:
                for change in event.changes:
                    self._print(change, session)

    def _print(self, change: Change, session: WalletSession) -> None:
        name = session.profile.name
        if self._as_json:
            print_json(shapes.change(change, name, session.now()))
            return
        clock = session.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
        parts = [clock, *([name] if len(self.sessions) > 1 else []), *_words(change)]
        print_lines("  ".join(part for part in parts if part))

    def _status(self, profile: str, status: Status) -> None:
        told = (status.phase, status.problem)
        if status.phase in (Phase.IDLE, Phase.CONNECTING) or self._told.get(profile) == told:
            return
        self._told[profile] = told
        if status.phase is Phase.LIVE:
            self._unmet.discard(profile)
            talk(f"{profile}: live")
        else:
            talk(f"{profile}: {status.problem} {status.advice} Trying again.")


def _words(change: Change) -> list[str]:
    row, before = change.payment, change.previous
    delta = row.received - before.received if before is not None else row.received
    asset = row.received_asset
    sign = "+" if delta > 0 else ""
    received = wording.number(row.received, asset)
    asked = wording.money(row.asked, row.asked_asset)
    return [
        "new" if change.kind is ChangeKind.NEW else "",
        wording.state(row),
        f"{sign}{wording.money(delta, asset)}" if delta else "",
        f"{received} of {asked}" if asked else f"{received} {asset.code}",
        row.reference or row.description,
        wording.last_segment(row.id),
    ]
