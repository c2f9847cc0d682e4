"""``opdash hooks list|dead|retry|drop|forget|secret``: looking after programs and web hooks."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from opdash.cli import watch_hooks
from opdash.cli.context import Context, opened
from opdash.cli.group import Action, CommandGroup
from opdash.cli.hook_places import forget, waiting
from opdash.cli.options import CommandParser, add_json_option, add_wallet_option
from opdash.cli.output import Cell, Column, print_json, print_lines, print_table, talk
from opdash.cli.wording import last_segment
from opdash.errors import ExitCode, InputError
from opdash.hooks.dead_letters import DeadLetter, DeadLetters
from opdash.hooks.deliveries import Postman, StoppedError, Target
from opdash.hooks.letters import Letter
from opdash.hooks.registry import Place, Registry
from opdash.hooks.secret_files import SecretFile
from opdash.safetext import safe_text

_SECONDS = 30.0


def run(arguments: list[str]) -> int:
    """Run ``opdash hooks …``."""
    return _GROUP.run(arguments)


def list_hooks(arguments: list[str]) -> int:
    """Run ``opdash hooks list``: each hook that ever was, and how far it has come."""
    parser = CommandParser("hooks list", "List the hooks that “opdash watch” was started with.")
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        registry = Registry(context.options.data_dir)
        places = registry.places()
        dead = Counter(letter.hook for letter in DeadLetters(registry.directory).all())
        behind = waiting(context, places)
        for place in places if options.json else ():
            key = place.hook.key
            print_json(
                {
                    "hook": key,
                    "kind": place.hook.kind,
                    "name": place.name,
                    "wallets": list(place.hook.wallets),
                    "only": list(place.hook.only),
                    "filter": place.hook.filter,
                    "cursor": place.cursor,
                    "behind": behind[key],
                    "dead": dead[key],
                }
            )
        if not options.json:
            _print_hooks(places, behind, dead)
    return ExitCode.DONE


def dead(arguments: list[str]) -> int:
    """Run ``opdash hooks dead``: what was not taken."""
    parser = CommandParser(
        "hooks dead",
        "List the events that a program or a web hook did not take, oldest first.",
        ["opdash hooks dead", "opdash hooks dead --json | jq -r .reason"],
    )
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        letters = _letters(context).all()
        for letter in letters if options.json else ():
            print_json(
                {
                    "id": letter.id,
                    "hook": letter.hook,
                    "name": letter.name,
                    "at": letter.at,
                    "attempts": letter.attempts,
                    "reason": letter.reason,
                    "event": letter.event,
                }
            )
        if not options.json:
            _print_letters(letters)
    return ExitCode.DONE


def retry(arguments: list[str]) -> int:
    """Run ``opdash hooks retry``: hand over once more what was not taken."""
    parser = CommandParser(
        "hooks retry",
        "Hand over once more what was not taken: all of it, or what is named. What is taken is "
        "deleted. Ends with 1 if something is not taken again.",
        ["opdash hooks retry", "opdash hooks retry 6f3c01aa"],
    )
    parser.add_argument("ids", metavar="ID", nargs="*", help="an id that “opdash hooks dead” shows")
    parser.add_argument(
        "--webhook-secret-file",
        metavar="FILE",
        type=Path,
        default=None,
        help="sign with the secret in this file",
    )
    options = parser.parse(arguments)
    with opened(options) as context:
        letters = _letters(context)
        chosen = _chosen(letters, options.ids)
        secrets = watch_hooks.chosen_secrets(context.options.data_dir, options.webhook_secret_file)
        return asyncio.run(_retry(context, letters, chosen, secrets))


def drop(arguments: list[str]) -> int:
    """Run ``opdash hooks drop``: delete what was not taken."""
    parser = CommandParser(
        "hooks drop",
        "Delete events that were not taken: those that are named, or --all. They stay in the "
        "ledger; only the hook never learns of them.",
        ["opdash hooks drop 6f3c01aa", "opdash hooks drop --all"],
    )
    parser.add_argument("ids", metavar="ID", nargs="*", help="an id that “opdash hooks dead” shows")
    parser.add_argument("--all", action="store_true", help="delete all of them")
    options = parser.parse(arguments)
    with opened(options) as context:
        if bool(options.ids) == options.all:
            raise InputError("Say which.", "Name ids, or give --all.")
        letters = _letters(context)
        count = letters.remove([letter.id for letter in _chosen(letters, options.ids)])
        talk(f"{_count(count)} deleted.")
    return ExitCode.DONE


def secret(arguments: list[str]) -> int:
    """Run ``opdash hooks secret``: print the secret that signs a wallet's web hooks."""
    parser = CommandParser(
        "hooks secret",
        "Print the secret that signs what web hooks are told of a wallet, for its receiver; the "
        "first time it is made. It has nothing to do with the wallet's key.",
        ["opdash hooks secret --wallet shop", "opdash hooks secret --new"],
    )
    add_wallet_option(parser)
    parser.add_argument(
        "--new",
        action="store_true",
        help="make another one; the former one goes on signing beside it until --forget-former",
    )
    parser.add_argument(
        "--forget-former", action="store_true", help="let only the newest secret sign from now on"
    )
    options = parser.parse(arguments)
    with opened(options) as context:
        profile = context.choose_profile(options.wallet)
        file = SecretFile.of(context.options.data_dir, profile.name)
        if options.forget_former:
            there_was = file.forget_former()
            talk("The former secret signs no more." if there_was else "There is no former secret.")
            return ExitCode.DONE
        known = file.read()
        made = not known or options.new
        shown = file.renew() if made else known[0]
        print_lines(shown.reveal())
        if made:
            talk(f"It is kept in {file.path}, readable by you alone.")
        if len(file.read()) > 1:
            talk("The former one signs beside it until “opdash hooks secret --forget-former”.")
    return ExitCode.DONE


async def _retry(
    context: Context,
    letters: DeadLetters,
    chosen: Sequence[DeadLetter],
    secrets: watch_hooks.Secrets,
) -> int:
    registry = Registry(context.options.data_dir)
    postman = Postman(context.clock, random.random, 0, talk)
    targets: dict[str, Target | None] = {}
    taken = failed = 0
    try:
        for letter in chosen:
            if letter.hook not in targets:
                targets[letter.hook] = _target(context, registry, letter.hook, secrets)
            reason = await _once_more(postman, targets[letter.hook], letter)
            if reason:
                failed += 1
                talk(f"{letter.id}: {letter.name} {reason}")
            else:
                taken += letters.remove([letter.id])
    finally:
        for target in targets.values():
            if target is not None:
                await target.aclose()
    talk(f"{_count(taken)} taken{f', {failed} not' if failed else ''}.")
    return ExitCode.FAILED if failed else ExitCode.DONE


async def _once_more(postman: Postman, target: Target | None, letter: DeadLetter) -> str:
    """Return why it was not taken this time either; empty where it was."""
    if target is None:
        return "is not known any more"
    try:
        _, reason = await postman.deliver(target, Letter.of(letter.event))
    except StoppedError:
        return "wants no more events (410)"
    except (KeyError, TypeError, AttributeError):
        return "cannot be told: the dead letter was changed"
    return reason


def _target(
    context: Context, registry: Registry, key: str, secrets: watch_hooks.Secrets
) -> Target | None:
    place = registry.place(key) if key.isalnum() else None
    if place is None:
        return None
    if place.hook.kind == "exec":
        return watch_hooks.program(place.hook, _SECONDS)
    return watch_hooks.receiver(place.hook, _SECONDS, secrets, context.clock)


def _print_hooks(
    places: Sequence[Place], behind: dict[str, int | None], dead: Counter[str]
) -> None:
    if not places:
        talk("There are no hooks. “opdash watch --exec” and “--webhook” make them.")
        return
    columns = [
        Column("hook"),
        Column("what", shrinks=True),
        Column("wallets", shrinks=True),
        Column("only"),
        Column("behind", right=True),
        Column("dead", right=True),
    ]
    rows = [
        [
            Cell(place.hook.key),
            Cell(f"{place.hook.kind} {place.name}"),
            Cell(", ".join(place.hook.wallets) or "all"),
            Cell(", ".join([*place.hook.only, place.hook.filter]).strip(", ") or "all"),
            Cell("?" if behind[place.hook.key] is None else f"{behind[place.hook.key]:,}"),
            Cell(f"{dead[place.hook.key]:,}"),
        ]
        for place in places
    ]
    print_table(columns, rows)


def _print_letters(letters: Sequence[DeadLetter]) -> None:
    if not letters:
        talk("Everything was taken.")
        return
    columns = [
        Column("id"),
        Column("given up"),
        Column("hook", shrinks=True),
        Column("why", shrinks=True),
        Column("event"),
        Column("payment", shrinks=True),
    ]
    print_table(columns, [list(map(Cell, _words(letter))) for letter in letters])


def _words(letter: DeadLetter) -> tuple[str, ...]:
    event = letter.event
    payment = event.get("payment")
    payment_id = payment.get("id") if isinstance(payment, dict) else ""
    return (
        letter.id,
        letter.at,
        letter.name,
        f"{letter.reason} ({letter.attempts} ×)",
        str(event.get("announce") or event.get("event", "")),
        last_segment(str(payment_id)),
    )


def _letters(context: Context) -> DeadLetters:
    return DeadLetters(Registry(context.options.data_dir).directory)


def _chosen(letters: DeadLetters, ids: Sequence[str]) -> list[DeadLetter]:
    """Return the dead letters that are named; all where none is."""
    known = letters.all()
    unknown = [one for one in ids if one not in {letter.id for letter in known}]
    if unknown:
        shown = safe_text(unknown[0], limit=40)
        raise InputError(f"There is no dead letter “{shown}”.", "See “opdash hooks dead”.")
    return [letter for letter in known if not ids or letter.id in ids]


def _count(number: int) -> str:
    return f"{number:,} event{'' if number == 1 else 's'}"


_GROUP = CommandGroup(
    "hooks",
    "Programs and web hooks that “opdash watch” tells of events.",
    {
        "list": Action(list_hooks, "list", "list hooks and how far each has come"),
        "dead": Action(dead, "dead", "list events that were not taken"),
        "retry": Action(retry, "retry [ID …]", "hand those over once more"),
        "drop": Action(drop, "drop ID …|--all", "delete some of them"),
        "forget": Action(forget, "forget NAME", "forget a hook that runs no more"),
        "secret": Action(secret, "secret", "print or replace the secret that signs web hooks"),
    },
)
