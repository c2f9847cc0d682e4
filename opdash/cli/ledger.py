"""``opdash ledger check|compact|purge|move``: looking after what opdash remembers."""

from __future__ import annotations

from pathlib import Path

from opdash.cli import ledger_purge, ledger_repair
from opdash.cli.context import Context, opened
from opdash.cli.group import Action, CommandGroup
from opdash.cli.options import CommandParser, add_json_option
from opdash.cli.output import print_fields, print_json, print_lines, talk
from opdash.errors import ExitCode, LedgerError
from opdash.ledger import care
from opdash.service.dashboard import LEDGER_FILE


def run(arguments: list[str]) -> int:
    """Run ``opdash ledger …``."""
    return _GROUP.run(arguments)


def check(arguments: list[str]) -> int:
    """Run ``opdash ledger check``: look whether the ledger is sound."""
    parser = CommandParser(
        "ledger check",
        "Look whether the ledger is sound: the file, its references, and its figures against "
        "those computed anew. Changes nothing unless --repair is given. Ends with 1 if something "
        "is wrong.",
        ["opdash ledger check", "opdash ledger check --repair"],
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="set wrong figures right; keep a damaged file beside and begin a new one with all "
        "that can be read of it; “opdash sync” fetches what the server still knows",
    )
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        path = ledger_of(context)
        health = care.check(path)
        if options.json:
            print_json(_as_json(path, health))
        else:
            marks = [("" if finding.ok else "▲ ") + finding.text for finding in health.findings]
            subjects = [finding.subject for finding in health.findings]
            print_fields(list(zip(subjects, marks, strict=True)))
        if health.ok:
            return ExitCode.DONE
        return (
            _mend(context, path, health, as_json=options.json)
            if options.repair
            else _advise(health)
        )


def _advise(health: care.Health) -> int:
    if health.damaged or health.figures_are_off:
        talk("The ledger needs repair: run “opdash ledger check --repair”.")
        if health.damaged:
            talk("It keeps the damaged file beside, and saves what can be read of it.")
    else:
        talk("Nothing can be repaired here; nothing was changed.")
    return ExitCode.FAILED


def _mend(context: Context, path: Path, health: care.Health, *, as_json: bool) -> int:
    if health.damaged:
        ledger_repair.run(path, context.clock.now(), as_json=as_json)
        return ExitCode.DONE
    if health.figures_are_off:
        care.set_figures_right(path)
        if care.check(path).ok:
            talk("The figures are right again.")
            return ExitCode.DONE
    return _advise(health)


def compact(arguments: list[str]) -> int:
    """Run ``opdash ledger compact``: give unused room back."""
    parser = CommandParser(
        "ledger compact",
        "Write the ledger anew without the room that deleted payments left. It needs as much free "
        "space as the ledger takes.",
    )
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        path = existing(ledger_of(context))
        before, after = care.compact(path)
        if options.json:
            print_json({"file": str(path), "bytesBefore": before, "bytesAfter": after})
        else:
            print_lines(f"{before:,} bytes before, {after:,} bytes now")
    return ExitCode.DONE


def move(arguments: list[str]) -> int:
    """Run ``opdash ledger move``: keep the ledger in another directory."""
    parser = CommandParser(
        "ledger move",
        "Move the ledger to another data directory. It is copied and checked there before it is "
        "removed here; keys and settings stay where they are. From then on opdash must be "
        "started with --data-dir DIR.",
        ["opdash ledger move /mnt/safe/opdash"],
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="the other data directory")
    add_json_option(parser)
    options = parser.parse(arguments)
    with opened(options) as context:
        path = existing(ledger_of(context))
        directory = options.directory.expanduser().absolute()
        target = care.move(path, directory)
        if options.json:
            print_json({"from": str(path), "to": str(target)})
        else:
            print_lines(str(target))
        talk(f"Start opdash with --data-dir {directory} from now on.")
    return ExitCode.DONE


def ledger_of(context: Context) -> Path:
    """Return the ledger's file."""
    return context.options.data_dir / LEDGER_FILE


def existing(path: Path) -> Path:
    """Return the path of a ledger that is there.

    Raises:
        LedgerError: There is none.
    """
    if not path.exists():
        raise LedgerError(f"There is no ledger at {path}.", "Start opdash once; it makes one.")
    return path


def _as_json(path: Path, health: care.Health) -> dict[str, object]:
    findings = [
        {"subject": finding.subject, "text": finding.text, "ok": finding.ok}
        for finding in health.findings
    ]
    return {
        "file": str(path),
        "ok": health.ok,
        "damaged": health.damaged,
        "figuresAreOff": health.figures_are_off,
        "findings": findings,
    }


_GROUP = CommandGroup(
    "ledger",
    "Look after the ledger, the file in which opdash remembers payments.",
    {
        "check": Action(check, "check [--repair]", "look whether it is sound"),
        "compact": Action(compact, "compact", "give unused room back to the disk"),
        "purge": Action(ledger_purge.run, "purge WALLET [--yes]", "forget a wallet's payments"),
        "move": Action(move, "move DIR", "keep it in another data directory"),
    },
)
