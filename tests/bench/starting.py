"""Starting: from nothing to a payment on the screen, and to the help.

The screen is the real one, as pip's ``opdash`` starts it, in a pseudo-terminal over a ledger of
100,000 payments, and the baseline an empty Textual app in the same one: what neither can do
without.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import median
from time import perf_counter

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST
from opdash.settings import Profile, Settings, SettingsStore
from opdash.tui.format import number
from tests.bench.figures import Bar, Figure
from tests.bench.million import ADDRESS, million_ledger
from tests.bench.terminal import LINES, PYTHON, Cost, cost_until

PAYMENTS = 100_000
"""How many the ledger holds."""

_ROUNDS = 13
_HELP_ROUNDS = 25

_SCRIPT = "import sys; from opdash.cli.main import entry_point; sys.exit(entry_point())"
"""What the ``opdash`` that pip installs consists of."""

_EMPTY_APP = "from textual.app import App; App().run()"
_WHOLE_FRAME = f"\x1b[{LINES};1H".encode()
"""What the last line of a frame begins with."""


def command_over(ledger: Path) -> list[str]:
    """Set opdash up with one wallet over a ledger; return the command that opens its screen."""
    data_dir = ledger.parent
    config = data_dir / "config.toml"
    profile = Profile(
        name="rosa",
        wallet_address=ADDRESS,
        client_wallet_address="https://ilp.example/client",
        key_id="bench",
        key_file=data_dir / "bench.pem",
    )
    if not config.exists():
        SettingsStore(config).save(Settings(profiles=(profile,)))
    return [PYTHON, "-c", _SCRIPT, "--config", str(config), "--data-dir", str(data_dir)]


def known_row(ledger: Path) -> bytes:
    """Return what the sixth row of the table says, and nothing else on the screen: its amount."""
    with LedgerReader.open(ledger) as reader:
        row = reader.window(ADDRESS, NEWEST_FIRST, 5, 1)[0]
    return number(row.asked or 0, row.received_asset.scale).encode()


@cache
def first_frames() -> tuple[tuple[Cost, ...], tuple[Cost, ...]]:
    """Return what the first frames of opdash and of the empty app took, taking turns."""
    ledger = million_ledger(PAYMENTS)
    command, row = command_over(ledger), known_row(ledger)
    opdash, empty = [], []
    for turn in range(_ROUNDS):
        own = cost_until(row, command)
        bare = cost_until(_WHOLE_FRAME, [PYTHON, "-c", _EMPTY_APP])
        if turn:  # the first of each writes and reads what the others find cached
            opdash.append(own)
            empty.append(bare)
    return tuple(opdash), tuple(empty)


def _wall() -> float:
    opdash, empty = first_frames()
    return median(cost.wall for cost in opdash) / median(cost.wall for cost in empty)


def _cpu() -> float:
    opdash, empty = first_frames()
    return median(cost.cpu for cost in opdash) / median(cost.cpu for cost in empty)


def _help() -> float:
    ways = ([PYTHON, "-m", "opdash", "--help"], [PYTHON, "-c", "pass"])
    seconds: tuple[list[float], ...] = ([], [])
    for _ in range(_HELP_ROUNDS):
        for way, times in zip(ways, seconds, strict=True):
            times.append(_seconds(way))
    return median(seconds[0]) / median(seconds[1])


def _seconds(arguments: Sequence[str]) -> float:
    begun = perf_counter()
    subprocess.run(arguments, stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - begun


FIGURES = (
    Figure(
        "first_frame_wall",
        "× an empty Textual app's, to a row of 100,000 on the screen",
        Bar.AT_MOST,
        1.2,
        _wall,
    ),
    Figure("first_frame_cpu", "× an empty Textual app's, processor time", Bar.AT_MOST, 1.2, _cpu),
    Figure("help_time", "× `python -c pass`, for opdash --help", Bar.AT_MOST, 3.0, _help),
)
