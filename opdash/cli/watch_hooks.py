"""The hooks of a watch: what the command line asks for, checked before anything is begun."""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opdash.cli.output import talk
from opdash.clock import Clock
from opdash.errors import InputError
from opdash.hooks.courier import Courier
from opdash.hooks.dead_letters import DeadLetters
from opdash.hooks.deliveries import Postman, Target
from opdash.hooks.programs import Program, read_command
from opdash.hooks.receivers import Receiver, read_url
from opdash.hooks.registry import Hook, Registry
from opdash.hooks.secret_files import VARIABLE, SecretFile
from opdash.hooks.signing import read_secret
from opdash.openpayments.secrets import Secret
from opdash.settings import Profile

if TYPE_CHECKING:
    from opdash.cli.context import Context
    from opdash.cli.watch_choice import Choice
    from opdash.ledger.event_log import EventLog

Secrets = Callable[[str], Sequence[Secret]]
"""Gives the secrets of a wallet, the one in use first."""


class Hooks:
    """The hooks of one watch, each with where its events go."""

    def __init__(
        self,
        hooks: Sequence[tuple[Hook, Target]],
        registry: Registry,
        clock: Clock,
        retries: int,
    ) -> None:
        self._hooks = hooks
        self._registry = registry
        self._clock = clock
        self._retries = retries

    @classmethod
    def prepared(
        cls, options: argparse.Namespace, context: Context, profiles: Sequence[Profile]
    ) -> Hooks:
        """Return what the command line asks for.

        Raises:
            InputError: There is no such program, an address cannot be used, one is named twice,
                or a secret is missing.
        """
        data_dir, clock = context.options.data_dir, context.clock
        names = tuple(profile.name for profile in profiles)
        wallets = names if options.wallet else ()
        kinds, query = tuple(sorted(options.only)), options.filter.strip()
        found: list[tuple[Hook, Target]] = []
        for line in options.programs:
            argv = read_command(line)
            hook = Hook("exec", argv, wallets, kinds, query)
            found.append((hook, program(hook, options.exec_timeout)))
        secrets = chosen_secrets(data_dir, options.webhook_secret_file)
        for text in options.receivers:
            hook = Hook("webhook", (read_url(text),), wallets, kinds, query)
            check_secrets(secrets, names)
            found.append((hook, receiver(hook, options.webhook_timeout, secrets, clock)))
        if len({hook.key for hook, _ in found}) < len(found):
            raise InputError("A hook is named twice.", "Leave one out: it would be told twice.")
        return cls(found, Registry(data_dir), clock, options.retries)

    def couriers(
        self, log: EventLog, begin: int, choice: Choice, *, is_anew: bool
    ) -> list[Courier]:
        """Return what delivers for each of them."""
        dead = DeadLetters(self._registry.directory)
        postman = Postman(self._clock, random.random, self._retries, talk)
        return [
            Courier(
                hook,
                target,
                log=log,
                compose=choice.record,
                begin=begin,
                is_anew=is_anew,
                registry=self._registry,
                dead=dead,
                postman=postman,
                clock=self._clock,
                tell=talk,
            )
            for hook, target in self._hooks
        ]


def program(hook: Hook, seconds: float) -> Program:
    """Return the program of a hook."""
    return Program(hook.words, seconds=seconds, environment=os.environ, tell=talk)


def receiver(hook: Hook, seconds: float, secrets: Secrets, clock: Clock) -> Receiver:
    """Return the web hook of a hook."""
    return Receiver(hook.words[0], seconds=seconds, secrets=secrets, clock=clock)


def chosen_secrets(data_dir: Path, file: Path | None) -> Secrets:
    """Return whose secrets sign: a named file's, the environment's, or each wallet's own.

    Each is read anew for every event: it may be replaced meanwhile.
    """
    if file is not None:
        named = SecretFile(file.expanduser().absolute())
        return lambda _: named.read()
    given = os.environ.get(VARIABLE, "")
    if given:
        secret = read_secret(given)
        return lambda _: (secret,)
    return lambda wallet: SecretFile.of(data_dir, wallet).read()


def check_secrets(secrets: Secrets, names: Sequence[str]) -> None:
    """Raise `InputError` for a wallet without a secret, or whose secret cannot be read."""
    for name in names:
        if not secrets(name):
            raise InputError(
                f"There is no secret to sign the events of “{name}” with.",
                f"Make one with “opdash hooks secret --wallet {name}” for the receiver.",
            )
