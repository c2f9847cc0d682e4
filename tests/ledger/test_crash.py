"""A process that is killed while it records loses at most what it had not committed."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, Creation, CreationStatus
from opdash.ledger.store import Ledger
from tests.ledger.builders import ADDRESS, NOW

HERE = Path(__file__).resolve().parents[2]
ROUNDS = 8
PAGE = 20

WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from opdash.ledger.records import Creation, CreationStatus
from tests.ledger.builders import ADDRESS, NOW, Book, page_place, payment

book = Book(Path(sys.argv[1]))
first = int(sys.argv[2])
print("ready", flush=True)
for number in range(first, first + 10_000):
    place = page_place(start=f"p{number}-0", end=f"p{number}-19", more=True)
    page = [
        payment(f"p{number}-{place}", received=7, created=NOW + timedelta(seconds=number))
        for place in range(20)
    ]
    book.record(*page, page=place)
    book.ledger.begin_creation(
        Creation(
            request_id=f"r{number}",
            wallet=ADDRESS,
            draft_json="{}",
            status=CreationStatus.INTENDED,
            created_at=NOW,
            updated_at=NOW,
        )
    )
    print(number, flush=True)
"""


def killed_writer(path: Path, first: int, lines: int) -> int:
    """Run a writer, kill it after so many lines, and return the last page that it confirmed."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(first)],
        cwd=HERE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        confirmed = first - 1
        for _ in range(lines):
            confirmed = int(process.stdout.readline())
        process.kill()
        rest = process.stdout.read().split("\n")[:-1]
    return int(rest[-1]) if rest else confirmed


def test_a_killed_writer_leaves_a_sound_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    draw = random.Random(11)
    first = 0
    for _ in range(ROUNDS):
        confirmed = killed_writer(path, first, draw.randrange(4))
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        with Ledger.open(path), LedgerReader.open(path) as reader:
            rows = reader.window(ADDRESS, NEWEST_FIRST, 0, 10**6)
            (wallet,) = reader.wallets()
            creations = reader.unresolved_creations(ADDRESS)
        pages, rest = divmod(len(rows), PAGE)
        assert rest == 0
        assert confirmed + 1 <= pages <= confirmed + 2
        assert confirmed + 1 <= len(creations) <= pages
        assert wallet.known == len(rows)
        assert wallet.received_total == 7 * len(rows)
        expected = [f"p{page}-{place}" for page in reversed(range(pages)) for place in range(PAGE)]
        assert [row.id.rpartition("/")[2] for row in rows] == expected
        first = len(creations)
    assert first > 0


def test_an_intent_outlives_the_process_that_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    killed_writer(path, 0, 1)
    with Ledger.open(path), LedgerReader.open(path) as reader:
        assert reader.creation("r0") == Creation(
            request_id="r0",
            wallet=ADDRESS,
            draft_json="{}",
            status=CreationStatus.INTENDED,
            created_at=NOW,
            updated_at=NOW,
        )
