"""Commands of two words, such as ``opdash wallet add``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from opdash.cli.main import split_command
from opdash.cli.options import UsageError
from opdash.safetext import safe_text


@dataclass(frozen=True, slots=True)
class Action:
    """One command of a group.

    Attributes:
        run: Runs it on the words after its name, and returns the exit code.
        usage: Its name and what it takes, as the group's help shows it.
        summary: What it does.
    """

    run: Callable[[list[str]], int]
    usage: str
    summary: str


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """The commands that share a first word.

    Attributes:
        name: That word.
        summary: What they are about.
        actions: Each by its own word.
    """

    name: str
    summary: str
    actions: Mapping[str, Action]

    def run(self, arguments: list[str]) -> int:
        """Run the command that the first word names.

        Raises:
            UsageError: There is no such command, or none is named.
        """
        leading, word, rest = split_command(arguments)
        if word is None:
            if "-h" in leading or "--help" in leading:
                sys.stdout.write(self._help())
                return 0
            names = ", ".join(self.actions)
            raise UsageError(f"Say what to do: opdash {self.name} {names}.", self._see_help())
        if word == "help":
            return self.run([*rest[:1], "--help"])
        if word not in self.actions:
            raise self._unknown(word)
        return self.actions[word].run([*leading, *rest])

    def _help(self) -> str:
        width = max(len(action.usage) for action in self.actions.values())
        lines = [f"{self.summary}", "", f"usage: opdash {self.name} COMMAND", ""]
        lines += [f"  {action.usage:{width}}  {action.summary}" for action in self.actions.values()]
        return "\n".join([*lines, "", f"See also “opdash {self.name} COMMAND --help”.", ""])

    def _unknown(self, word: str) -> UsageError:
        from difflib import get_close_matches

        near = get_close_matches(word, list(self.actions), n=1, cutoff=0.5)
        advice = f"Did you mean “opdash {self.name} {near[0]}”?" if near else self._see_help()
        shown = safe_text(word, limit=40)
        return UsageError(f"“{shown}” is not a command of “opdash {self.name}”.", advice)

    def _see_help(self) -> str:
        return f"See “opdash {self.name} --help”."
