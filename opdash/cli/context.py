"""What a command works with: settings, clock, debug log; closed again however it ends."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from opdash.cli.common import (
    GlobalOptions,
    UsageError,
    ask,
    global_options,
    is_interactive,
    talk,
)
from opdash.clock import Clock, SystemClock
from opdash.errors import ConfigError
from opdash.settings import Profile, Settings, SettingsStore

if TYPE_CHECKING:
    import argparse

    from opdash.debuglog import DebugLog
    from opdash.service.inspection import Witness
    from opdash.tracefile import TraceFile


class Context(msgspec.Struct, frozen=True):
    """What a command works with.

    Attributes:
        options: The global options.
        store: The configuration file.
        clock: The one clock.
        log: The debug log, or None without ``--debug``.
        traces: The file of requests, or None without ``--trace``.
    """

    options: GlobalOptions
    store: SettingsStore
    clock: Clock
    log: DebugLog | None
    traces: TraceFile | None = None

    @property
    def witness(self) -> Witness | None:
        """What is handed every request, or None."""
        return None if self.traces is None else self.traces.note

    def choose_profile(self, name: str) -> Profile:
        """Return the profile that a command is meant for.

        That is the one named, or the only one, or the default one, or the one that the person
        picks when asked on a terminal.

        Raises:
            ConfigError: There is none, or none of that name.
            UsageError: There are several, and nobody can be asked.
        """
        first, *others = self.profiles_meant(name)
        settings = self.store.load()
        if not others or settings.default_profile:
            return first
        return _pick(settings)

    def profiles_meant(self, name: str) -> tuple[Profile, ...]:
        """Return the one profile that is named, or all of them, the default one first.

        For a command about something that tells by itself which wallet it belongs to.

        Raises:
            ConfigError: There is none, or none of that name.
        """
        settings = self.store.load()
        if name:
            return (settings.profile(name),)
        if not settings.profiles:
            raise ConfigError(
                f"No wallet is set up yet in {self.store.path}.",
                "Add one with “opdash wallet add ADDRESS”, or try “opdash demo”.",
            )
        default = settings.default_profile.casefold()
        return tuple(
            sorted(settings.profiles, key=lambda profile: profile.name.casefold() != default)
        )


@contextlib.contextmanager
def opened(arguments: argparse.Namespace | Mapping[str, Any]) -> Iterator[Context]:
    """Yield the context of a parsed command line; what fails is noted in the debug log.

    Raises:
        ConfigError: The debug log or the file of requests cannot be written.
    """
    options = global_options(arguments if isinstance(arguments, Mapping) else vars(arguments))
    clock = SystemClock()
    log = _debug_log(options, clock) if options.debug else None
    handler = logging.NullHandler() if log is None else log.handler()
    logger = logging.getLogger("opdash")
    logger.addHandler(handler)
    traces = None
    try:
        traces = None if options.trace is None else _trace_file(options.trace)
        yield Context(options, SettingsStore(options.config), clock, log, traces)
    except BaseException as error:
        if log is not None:
            log.failure(error)
        raise
    finally:
        logger.removeHandler(handler)
        if log is not None:
            log.close()
        if traces is not None:
            traces.close()


def _debug_log(options: GlobalOptions, clock: Clock) -> DebugLog:
    from opdash.debuglog import DebugLog
    from opdash.paths import debug_log_file

    log = DebugLog.open(debug_log_file(options.data_dir), clock)
    talk(f"opdash: the debug log is {log.path}")
    return log


def _trace_file(path: Path) -> TraceFile:
    from opdash.tracefile import TraceFile

    traces = TraceFile.open(path)
    talk(f"opdash: requests are written to {traces.path}")
    return traces


def _pick(settings: Settings) -> Profile:
    names = [profile.name for profile in settings.profiles]
    if not is_interactive():
        raise UsageError(
            "Several wallets are set up, and none is named.",
            f"Say which with --wallet: {', '.join(names)}.",
        )
    for number, profile in enumerate(settings.profiles, 1):
        talk(f"  {number}  {profile.name}  {profile.wallet_address}")
    answer = ask("Which wallet?")
    if answer.isdecimal() and 1 <= int(answer) <= len(names):
        return settings.profiles[int(answer) - 1]
    return settings.profile(answer)
