"""Telling on standard error, line by line, whether a wallet and its key are ready."""

from __future__ import annotations

import sys

from opdash.cli.output import Style, painted, talk
from opdash.safetext import safe_text
from opdash.service.client_keys import KeyOnDisk
from opdash.service.onboarding import Check, CheckLine, Mark, Readiness
from opdash.service.registering import registering_steps

_STYLES = {Mark.DONE: Style.GOOD, Mark.TO_DO: Style.ATTENTION, Mark.LATER: Style.HEADING}
_TITLE = max(len(check.heading) for check in Check) + 2


class ReadinessTalk:
    """Says each line once, and again when it changes.

    Args:
        waiting: What to say while there is something to be waited for, or an empty string.
        registering: How to register the key, where “opdash key show” would print another one.
    """

    def __init__(self, waiting: str = "", registering: str = "") -> None:
        self._waiting = waiting
        self._registering = registering
        self._said: dict[Check, CheckLine] = {}

    def hear(self, now: Readiness) -> None:
        """Take note of how things stand."""
        for line in now.lines:
            if line.mark is not Mark.WAITING and self._said.get(line.check) != line:
                self._said[line.check] = line
                self._say(line)
        if now.pause is not None and self._waiting:
            talk(self._waiting)
            self._waiting = ""

    def _say(self, line: CheckLine) -> None:
        sign = painted(line.mark.value, _STYLES[line.mark], sys.stderr)
        said = safe_text(f"{line.check.heading.ljust(_TITLE)}{line.sentence}")
        sys.stderr.write(f"{sign} {said}\n")
        advice = self._registering if line.asks_to_register and self._registering else line.advice
        if advice:
            talk(f"  → {advice}")
        sys.stderr.flush()


def talk_registering(client: str, how: str) -> None:
    """Say how to register a key; `how` may be of many lines, and they stay so."""
    talk("", "To register the key:")
    for number, step in enumerate(registering_steps(client, how), 1):
        first, *others = step.split("\n")
        talk(f"  {number}. {first}", *others)


def checks_json(now: Readiness) -> list[dict[str, object]]:
    """Return the checks as fields for programs; ``ok`` is null for what cannot be known yet."""
    known = {Mark.DONE: True, Mark.TO_DO: False}
    return [
        {
            "check": line.check.value,
            "ok": known.get(line.mark),
            "found": line.sentence,
            "advice": line.advice,
        }
        for line in now.lines
    ]


def key_json(key: KeyOnDisk) -> dict[str, object]:
    """Return a key's public half as fields for programs."""
    import json

    return {"keyId": key.key_id, "keyFile": str(key.file), "jwk": json.loads(key.jwk_json)}
