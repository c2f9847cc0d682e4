"""What is said of the reading of the whole list: calm words, and none when nothing is read."""

from __future__ import annotations

from opdash.safetext import safe_text
from opdash.service.status import Activity, ScanProgress
from opdash.tui.format import age, count


def reading_words(progress: ScanProgress) -> str:
    """Say what is being read in the background, or that it is paused.

    Returns:
        For example ``reading the list: 12,400 payments, 124 pages, 980 a second``; empty when
        nothing is.
    """
    if progress.paused:
        return "reading paused"
    match progress.activity:
        case Activity.NONE:
            return "the list could not be read to its end yet" if progress.problem else ""
        case Activity.READING:
            payments, pages = count(progress.payments, "payment"), count(progress.pages, "page")
            done = f"reading the list: {payments}, {pages}"
            return f"{done}, {progress.rate:,} a second" if progress.rate else done
        case Activity.CHECKING:
            return f"checking the list{_how_far(progress)}"


def brief_reading_words(progress: ScanProgress) -> str:
    """Say the same where there is little room: ``reading 12,400``."""
    if progress.paused:
        return "reading paused"
    match progress.activity:
        case Activity.NONE:
            return "not read to the end" if progress.problem else ""
        case Activity.READING:
            return f"reading {progress.payments:,}"
        case Activity.CHECKING:
            share = progress.total and progress.payments * 100 // progress.total
            return f"checking {share} %" if share else "checking"


def caught_up_words(payments: int, wallet: str = "") -> str:
    """Say that nothing is missing any more of the time without answers.

    Args:
        payments: How many payments were created meanwhile.
        wallet: Whose, where that is not plain.
    """
    where = f" with {safe_text(wallet, limit=40)}" if wallet else ""
    return f"Caught up{where}: {count(payments, 'payment')} while away."


def _how_far(progress: ScanProgress) -> str:
    share = f": {progress.payments * 100 // progress.total} %" if progress.total else ""
    return share if progress.left is None else f"{share}, {age(progress.left)} left"
