"""``opdash watch``: every change as it happens, until it is interrupted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator

from opdash.cli import shapes, wording
from opdash.cli.context import opened
from opdash.cli.ending import told_to_end
from opdash.cli.options import CommandParser, add_json_option
from opdash.cli.output import print_json, print_lines, talk
from opdash.cli.running import run_with_dashboard
from opdash.errors import OpdashError
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Change, ChangeKind
from opdash.service.dashboard import Dashboard
from opdash.service.events import Event, PaymentsChanged, StatusChanged
from opdash.service.following import Follower
from opdash.service.session import WalletSession
from opdash.service.status import Phase, Status
from opdash.settings import Profile

_LOOK_EVERY = 1.0
"""Seconds between two looks at what others wrote into the ledger."""


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
        profiles = context.profiles_meant(options.wallet)

        async def work(dashboard: Dashboard) -> int:
            for profile in profiles:
                await _check_key(dashboard, profile)
            sessions = [dashboard.session(profile.name) for profile in profiles]
            await _watch(dashboard, sessions, as_json=options.json)
            return 0

        return run_with_dashboard(context, work)


async def _check_key(dashboard: Dashboard, profile: Profile) -> None:
    """Raise `KeyFileError` at once for a key that no poll could use."""
    if profile.key_file is not None:
        await dashboard.keyring.read(profile.key_file, profile.key_id)


async def _watch(dashboard: Dashboard, sessions: Iterable[WalletSession], *, as_json: bool) -> None:
    ended = asyncio.Event()
    watched = tuple(sessions)
    printer = _Printer(dashboard.reader, watched, ended, as_json=as_json)
    forget = dashboard.events.subscribe(printer.take)
    looking = asyncio.create_task(_look_for_ever(printer, dashboard))
    try:
        with told_to_end(ended.set):
            for session in watched:
                session.start()
            await ended.wait()
    finally:
        forget()
        looking.cancel()
    if printer.failure is not None:
        raise printer.failure


async def _look_for_ever(printer: _Printer, dashboard: Dashboard) -> None:
    """Look into the ledger now and then: another opdash may have written into it."""
    while True:
        await dashboard.clock.sleep(_LOOK_EVERY)
        printer.look()


class _Printer:
    """Prints what becomes of the payments of some wallets.

    What the first poll of a wallet ever finds is no change, and not printed.

    Attributes:
        failure: Why nothing more can be printed, or None.
    """

    def __init__(
        self,
        reader: LedgerReader,
        sessions: tuple[WalletSession, ...],
        ended: asyncio.Event,
        *,
        as_json: bool,
    ) -> None:
        self._reader = reader
        self._sessions = {session.profile.name: session for session in sessions}
        self.failure: OSError | OpdashError | None = None
        self._ended = ended
        self._as_json = as_json
        self._told: dict[str, tuple[Phase, str]] = {}
        self._version = reader.version()
        self._followers: dict[str, Follower] = {}
        for session in sessions:
            if self._was_polled(session):
                self._follow(session)

    def take(self, event: Event) -> None:
        """Print what an event is about; never raises."""
        with self._guarded():
            if isinstance(event, PaymentsChanged):
                self._print_news(event.wallet_id, event.changes)
            elif isinstance(event, StatusChanged) and event.profile in self._sessions:
                self._take_status(self._sessions[event.profile], event.status)

    def look(self) -> None:
        """Print what others have written into the ledger; never raises."""
        with self._guarded():
            version = self._reader.version()
            if version != self._version:
                self._version = version
                for session in self._sessions.values():
                    self._print_news(session.wallet_id or "", ())

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (OSError, OpdashError) as error:
            self.failure = error
            self._ended.set()

    def _was_polled(self, session: WalletSession) -> bool:
        row = None if session.wallet_id is None else self._reader.wallet(session.wallet_id)
        return row is not None and row.last_poll_at is not None

    def _follow(self, session: WalletSession) -> None:
        if session.wallet_id is not None and session.profile.name not in self._followers:
            follower = Follower(self._reader, session.wallet_id)
            self._followers[session.profile.name] = follower

    def _print_news(self, wallet_id: str, told: tuple[Change, ...]) -> None:
        for name, follower in self._followers.items():
            session = self._sessions[name]
            if session.wallet_id == wallet_id:
                for change in follower.news(session.now(), told):
                    self._print(change, session)

    def _print(self, change: Change, session: WalletSession) -> None:
        name = session.profile.name
        if self._as_json:
            print_json(shapes.change(change, name, session.now()))
            return
        clock = wording.to_the_second(session.now())
        parts = [clock, *([name] if len(self._sessions) > 1 else []), *_words(change)]
        print_lines("  ".join(part for part in parts if part))

    def _take_status(self, session: WalletSession, status: Status) -> None:
        name, told = session.profile.name, (status.phase, status.problem)
        if status.phase in (Phase.IDLE, Phase.CONNECTING) or self._told.get(name) == told:
            return
        self._told[name] = told
        if status.phase is Phase.LIVE:
            self._follow(session)
            talk(f"{name}: live")
        else:
            talk(f"{name}: {status.problem} {status.advice} Trying again.")


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
