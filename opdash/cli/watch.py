"""``opdash watch``: every change as it happens, until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opdash.cli.context import Context, opened
from opdash.cli.ending import told_to_end
from opdash.cli.options import CommandParser, add_json_option
from opdash.cli.output import talk
from opdash.cli.running import run_with_dashboard
from opdash.cli.watch_choice import KINDS, Choice, read_kinds
from opdash.cli.watch_place import PlaceFile
from opdash.cli.watch_stream import Printer, Stream, Work
from opdash.ledger.event_log import CursorError, EventLog
from opdash.service.dashboard import Dashboard
from opdash.service.events import Event, PaymentsChanged, StatusChanged
from opdash.service.session import WalletSession
from opdash.service.status import Phase
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.cli.watch_hooks import Hooks
    from opdash.cli.watch_notices import Notices

_LAST_WORDS = 3.0
"""Seconds that a hook has to finish what it is at when the watch is told to end."""


def run(arguments: list[str]) -> int:
    """Run ``opdash watch``."""
    options = _parser().parse(arguments)
    with opened(options) as context:
        profiles = context.profiles_meant(options.wallet)
        choice = Choice.read(options, context.clock.now())
        hooks = _hooks(options, context, profiles)

        async def work(dashboard: Dashboard) -> int:
            for profile in profiles:
                await _check_key(dashboard, profile)
            sessions = tuple(dashboard.session(profile.name) for profile in profiles)
            choice.of(sessions)
            with PlaceFile.opened(options.state_file) as kept:
                await _watch(dashboard, sessions, options, choice, kept, hooks)
            return 0

        return run_with_dashboard(context, work)


def _parser() -> CommandParser:
    parser = CommandParser(
        "watch",
        "Print every change of the incoming payments of all wallets, or of one, as it happens, "
        "and hand it to programs and web hooks. A lost connection does not end it; Ctrl+C or "
        "SIGTERM does.",
        [
            "opdash watch",
            "opdash watch --wallet shop --json | jq -c .payment.state",
            "opdash watch --json --since start --state-file watch.place",
            "opdash watch --only paid,received --exec 'python3 booked.py'",
            "opdash watch --webhook https://shop.example/opdash",
        ],
    )
    parser.add_argument("--wallet", metavar="NAME", default="", help="watch only this one")
    add_json_option(parser)
    parser.add_argument(
        "--since",
        metavar="CURSOR",
        default="",
        help="tell first what was recorded after this cursor of an earlier event; "
        "“start” for all that is recorded, “now” for nothing (the usual)",
    )
    parser.add_argument(
        "--state-file",
        metavar="FILE",
        type=Path,
        default=None,
        help="keep the cursor in this file and go on from there",
    )
    parser.add_argument(
        "--only",
        metavar="KINDS",
        type=read_kinds,
        default=(),
        help=f"only such events, divided by commas: {', '.join(KINDS)}",
    )
    parser.add_argument(
        "--filter", metavar="QUERY", default="", help="only payments that match, as in the screen"
    )
    _add_hook_options(parser)
    return parser


def _add_hook_options(parser: CommandParser) -> None:
    hooks = parser.add_argument_group("hooks", "See also “opdash hooks --help”.")
    hooks.add_argument(
        "--exec",
        metavar="COMMAND",
        action="append",
        default=[],
        dest="programs",
        help="run this program for each event, without a shell: JSON on its standard input",
    )
    hooks.add_argument(
        "--exec-timeout",
        metavar="SECONDS",
        type=_seconds,
        default=30.0,
        help="end it when it takes longer (30)",
    )
    hooks.add_argument(
        "--webhook",
        metavar="URL",
        action="append",
        default=[],
        dest="receivers",
        help="post each event to this address (https, or loopback), signed",
    )
    hooks.add_argument(
        "--webhook-timeout",
        metavar="SECONDS",
        type=_seconds,
        default=10.0,
        help="give up waiting for an answer after so long (10)",
    )
    hooks.add_argument(
        "--webhook-secret-file",
        metavar="FILE",
        type=Path,
        default=None,
        help="sign with the secret in this file, not with “opdash hooks secret” or "
        "OPDASH_WEBHOOK_SECRET",
    )
    hooks.add_argument(
        "--retries",
        metavar="N",
        type=_retries,
        default=5,
        help="try so often again before an event becomes a dead letter (5)",
    )
    hooks.add_argument(
        "--notify",
        metavar="WAY",
        nargs="?",
        const="configured",
        default=None,
        choices=("bell", "desktop", "both", "configured"),
        help="ring or show a notification when a payment is paid or received: bell, desktop or "
        "both; what the configuration file says unless named",
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("give a number of seconds from 0.1 to 3600")
    return seconds


def _retries(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and int(text) <= 100):
        raise argparse.ArgumentTypeError("give a whole number from 0 to 100")
    return int(text)


def _hooks(
    options: argparse.Namespace, context: Context, profiles: tuple[Profile, ...]
) -> Hooks | None:
    """Return the hooks that are asked for, checked before anything is begun."""
    if not (options.programs or options.receivers):
        return None
    from opdash.cli.watch_hooks import Hooks

    return Hooks.prepared(options, context, profiles)


def _notices(options: argparse.Namespace, dashboard: Dashboard, choice: Choice) -> Notices | None:
    if options.notify is None:
        return None
    from opdash.cli.watch_notices import Notices

    return Notices.chosen(options.notify, dashboard, choice)


async def _check_key(dashboard: Dashboard, profile: Profile) -> None:
    """Raise `KeyFileError` at once for a key that no poll could use."""
    if profile.key_file is not None:
        await dashboard.keyring.read(profile.key_file, profile.key_id)


async def _watch(
    dashboard: Dashboard,
    sessions: tuple[WalletSession, ...],
    options: argparse.Namespace,
    choice: Choice,
    kept: PlaceFile,
    hooks: Hooks | None,
) -> None:
    with EventLog.open(dashboard.reader.path) as log:
        begin = _beginning(log, options.since, kept)
        printer = Printer(choice, as_json=options.json, named=len(sessions) > 1)
        works: list[Work] = [Stream(log, begin, printer.print, dashboard.clock, kept.save)]
        notices = _notices(options, dashboard, choice)
        if notices is not None:
            works.append(Stream(log, log.newest(), notices.take, dashboard.clock))
        if hooks is not None:
            works += hooks.couriers(log, begin, choice, is_anew=bool(options.since))
        told = _StatusTalk(sessions)

        def hear(event: Event) -> None:
            if isinstance(event, PaymentsChanged):
                for work in works:
                    work.wake()
            elif isinstance(event, StatusChanged):
                told.take(event)

        forget = dashboard.events.subscribe(hear)
        ended = asyncio.Event()
        try:
            with told_to_end(ended.set):
                for session in sessions:
                    session.start()
                await _at_work(works, ended)
        finally:
            forget()
            if notices is not None:
                await notices.close()


async def _at_work(works: Sequence[Work], ended: asyncio.Event) -> None:
    """Let all work until the end is told, or until one of them fails."""
    tasks = {asyncio.create_task(work.run()) for work in works}
    ending = asyncio.create_task(ended.wait())
    running = {ending, *tasks}
    try:
        while ending in running and all(map(_is_well, tasks)):
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for work in works:
            work.end()
        ending.cancel()
        _, slow = await asyncio.wait(tasks, timeout=_LAST_WORDS)
        for task in slow:
            task.cancel()
        await asyncio.wait([*tasks, ending])
    for task in tasks:
        if not task.cancelled():
            task.result()


def _is_well(task: asyncio.Task[None]) -> bool:
    return not task.done() or (not task.cancelled() and task.exception() is None)


def _beginning(log: EventLog, since: str, kept: PlaceFile) -> int:
    """Return the number of the event to begin after.

    Raises:
        CursorError: What was given, or kept, is no cursor of this ledger.
    """
    if kept.cursor:
        return _number(log, kept.cursor, kept)
    if since == "start":
        return 0
    number = log.newest() if since in ("", "now") else log.number(since)
    kept.save(log.cursor(number))
    return number


def _number(log: EventLog, cursor: str, kept: PlaceFile) -> int:
    try:
        return log.number(cursor)
    except CursorError as error:
        raise CursorError(
            f"{kept.path}: {error.sentence}",
            "Delete the file, and say with --since where to begin.",
        ) from error


class _StatusTalk:
    """Says how each wallet stands with its server, when that changes."""

    def __init__(self, sessions: Iterable[WalletSession]) -> None:
        self._names = {session.profile.name for session in sessions}
        self._told: dict[str, tuple[Phase, str]] = {}

    def take(self, event: StatusChanged) -> None:
        """Say what is new about it."""
        name, status = event.profile, event.status
        told = (status.phase, status.problem)
        if name not in self._names or status.phase in (Phase.IDLE, Phase.CONNECTING):
            return
        if self._told.get(name) == told:
            return
        self._told[name] = told
        if status.phase is Phase.LIVE:
            talk(f"{name}: live")
        else:
            talk(f"{name}: {status.problem} {status.advice} Trying again.")
