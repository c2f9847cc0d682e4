"""What ``opdash ledger check --repair`` does with a damaged ledger, and what it says of that."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from opdash.cli.output import print_fields, print_json, talk
from opdash.ledger.repair import repair
from opdash.ledger.salvage import Salvage


def run(path: Path, now: datetime, *, as_json: bool) -> None:
    """Put a new ledger in a damaged one's place, and say what it took over and what not."""
    done = repair(path, now)
    if as_json:
        print_json({"keptFile": str(done.kept), **_as_json(done.saved)})
    elif done.saved.anything:
        print_fields(fields(done.saved))
    talk(f"The damaged ledger is kept as {done.kept}.")
    if done.saved.anything:
        talk("Run “opdash sync”: it fetches all that the server still knows.")
    else:
        talk("Nothing of it could be read.", "Run “opdash sync” to begin anew.")


def fields(saved: Salvage) -> list[tuple[str, str]]:
    """Say what was saved and what was not, a subject a line."""
    return [
        ("saved", f"{_count(saved.wallets, 'wallet address', 'wallet addresses')}"),
        ("payments", _joined(_payments(saved))),
        ("time lines", _joined(_lines(saved))),
        ("creations", _joined(_creations(saved))),
        ("decisions", _joined(_written(saved.decisions, saved.decisions_lost))),
        ("notes", _joined(_written(saved.notes, saved.notes_lost))),
        ("not saved", "how far the server's list was read: opdash reads it anew"),
    ]


def _payments(saved: Salvage) -> list[str]:
    said = [f"{saved.payments:,} saved"]
    if saved.without_metadata:
        said.append(f"{saved.without_metadata:,} of them without their metadata")
    said.append(_lost(saved.payments_lost))
    return said


def _lines(saved: Salvage) -> list[str]:
    said = [f"{_count(saved.steps, 'step', 'steps')} saved", _lost(saved.steps_lost, "at most ")]
    if saved.broken_lines:
        lines = _count(saved.broken_lines, "time line is", "time lines are")
        said.append(f"{lines} not whole; one line in each stands for what is missing")
    return said


def _creations(saved: Salvage) -> list[str]:
    said = [f"{saved.creations:,} saved"]
    if saved.unresolved:
        said.append(f"{saved.unresolved:,} of them of unknown end: opdash follows them up")
    said.append(_lost(saved.creations_lost, "at most "))
    return said


def _written(kept: int, lost: int) -> list[str]:
    return [f"{kept:,} saved", _lost(lost, "at most ")] if kept or lost else []


def _lost(count: int, hedge: str = "") -> str:
    return f"{hedge}{count:,} could not be read" if count else ""


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _joined(parts: list[str]) -> str:
    return "; ".join(part for part in parts if part)


def _as_json(saved: Salvage) -> dict[str, object]:
    return {
        "saved": {
            "walletAddresses": saved.wallets,
            "payments": saved.payments,
            "paymentsWithoutMetadata": saved.without_metadata,
            "steps": saved.steps,
            "creations": saved.creations,
            "unresolvedCreations": saved.unresolved,
            "decisions": saved.decisions,
            "notes": saved.notes,
        },
        "lost": {
            "payments": saved.payments_lost,
            "stepsAtMost": saved.steps_lost,
            "creationsAtMost": saved.creations_lost,
            "decisionsAtMost": saved.decisions_lost,
            "notesAtMost": saved.notes_lost,
            "timeLinesNotWhole": saved.broken_lines,
        },
    }
