"""Where hooks stand in the queue of events, and forgetting that of one which runs no more."""

from __future__ import annotations

from collections.abc import Sequence

from opdash.cli.context import Context, opened
from opdash.cli.options import CommandParser
from opdash.cli.output import talk
from opdash.errors import ExitCode, InputError, LedgerError
from opdash.hooks.dead_letters import DeadLetters
from opdash.hooks.registry import Place, Registry
from opdash.ledger.event_log import CursorError, EventLog
from opdash.safetext import safe_text
from opdash.service.dashboard import LEDGER_FILE


def waiting(context: Context, places: Sequence[Place]) -> dict[str, int | None]:
    """Return how many events of any kind each hook has not looked at; None if it cannot be told."""
    try:
        with EventLog.open(context.options.data_dir / LEDGER_FILE) as log:
            return {place.hook.key: _behind(log, place.cursor) for place in places}
    except LedgerError:
        return {place.hook.key: None for place in places}


def _behind(log: EventLog, cursor: str) -> int | None:
    try:
        return log.newest() - log.number(cursor)
    except CursorError:
        return None


def forget(arguments: list[str]) -> int:
    """Run ``opdash hooks forget``: let go of a hook that runs no more."""
    parser = CommandParser(
        "hooks forget",
        "Forget a hook that is not to run any more: how far it has come, and with --dead what it "
        "did not take. Events stay in the ledger. The same hook started again is a new one, which "
        "begins where --since says.",
        ["opdash hooks forget 6f3c01aa04d1", "opdash hooks forget 6f3c --dead"],
    )
    parser.add_argument(
        "hook", metavar="NAME", help="what “opdash hooks list” calls it, or how that begins"
    )
    parser.add_argument(
        "--dead", action="store_true", help="delete the events that it did not take, too"
    )
    options = parser.parse(arguments)
    with opened(options) as context:
        registry = Registry(context.options.data_dir)
        place = _meant(registry.places(), options.hook.strip())
        with registry.duty(place.hook.key) as is_free:
            if not is_free:
                raise InputError(
                    f"{_called(place)} is running.", "End its “opdash watch”, then forget it."
                )
            talk(_forget(context, registry, place, with_dead=options.dead))
    return ExitCode.DONE


def _meant(places: Sequence[Place], typed: str) -> Place:
    """Return the hook of that name, or the only one whose key begins so."""
    found = [place for place in places if typed and place.hook.key == typed]
    found = found or [place for place in places if typed and _is_called(place, typed)]
    shown = safe_text(typed, limit=60)
    if not found:
        raise InputError(f"There is no hook “{shown}”.", "See “opdash hooks list”.")
    if len(found) > 1:
        keys = ", ".join(place.hook.key for place in found)
        raise InputError(f"Several hooks are meant by “{shown}”.", f"Say which: {keys}.")
    return found[0]


def _is_called(place: Place, typed: str) -> bool:
    names = (place.name, f"{place.hook.kind} {place.name}")
    return place.hook.key.startswith(typed) or typed in names


def _forget(context: Context, registry: Registry, place: Place, *, with_dead: bool) -> str:
    """Forget a hook that nobody runs meanwhile; return what was forgotten, for a person."""
    key = place.hook.key
    letters = DeadLetters(registry.directory)
    dead = [letter.id for letter in letters.all() if letter.hook == key]
    if dead and not with_dead:
        raise InputError(
            f"{_called(place)} did not take {_events(len(dead))}; it was not forgotten.",
            "“opdash hooks retry” hands them over once more; --dead deletes them with it.",
        )
    behind = waiting(context, [place])[key]
    deleted = letters.remove(dead) if dead else 0
    registry.forget(key)
    parts = [f"{_called(place)} is forgotten"]
    if behind:
        parts.append(f"it had yet to look at {_events(behind)}")
    if deleted:
        parts.append(f"{_events(deleted)} that it did not take {_were(deleted)} deleted")
    return "; ".join(parts) + "."


def _called(place: Place) -> str:
    return f"{place.hook.key} ({place.hook.kind} {safe_text(place.name, limit=80)})"


def _events(number: int) -> str:
    return f"{number:,} event{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
