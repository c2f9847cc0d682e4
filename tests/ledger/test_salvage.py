"""What a damaged ledger still tells is taken over, and what it does not is counted."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from opdash.errors import LedgerError
from opdash.ledger import schema
from opdash.ledger.care import check
from opdash.ledger.decisions import DecisionKind
from opdash.ledger.notes import NO_NOTE, Edit, NoteStep, Resolution
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import (
    NEWEST_FIRST,
    Creation,
    CreationStatus,
    PaymentRow,
    Scope,
    Source,
    TimelineEntry,
    TimelineKind,
)
from opdash.ledger.repair import Repaired, repair
from opdash.ledger.salvage import TAKEN_OVER
from opdash.ledger.store import Ledger
from tests.disks import filled_up, small_disk
from tests.ledger import version_1
from tests.ledger.builders import ADDRESS, GRACE, NOW, OTHER, Book, payment, payment_id

SOON = NOW + timedelta(minutes=1)
PAGE = 4096
COUNT = 400
RESOLUTIONS = [*Resolution, Resolution.NONE, Resolution.ACCEPTED]

LEFT_TO_OTHERS = {
    "cursor",
    "walk",
    "scan",
    "document",
    "unindexed",
    "sqlite_sequence",
    "sqlite_stat1",
    "sqlite_stat4",
    "sheet",
    "sheet_text",
    "sheet_gap",
    "outline",
    "event",  # places in the log of a damaged ledger are refused
    "event_log",
    "outgoing",
}
"""Tables that a repair does not take over: the server or the others tell what they hold."""


def fill(path: Path) -> None:
    """Make a ledger with everything that only a ledger knows, on some hundred pages."""
    book = Book(path)
    with book.ledger as ledger:
        ledger.remember_wallet(OTHER, NOW)
        for first in range(0, COUNT, 100):
            book.record(
                *(
                    payment(
                        f"p{number:04}",
                        received=number,
                        created=NOW - timedelta(minutes=number),
                        metadata={"externalRef": f"INV-{number}", "long": "x" * (number * 31)},
                    )
                    for number in range(first, first + 100)
                ),
                scope=Scope.EVERYTHING,
            )
        book.record(payment("own", asked=700), source=Source.CREATE)
        book.record(payment("tip", asked=None, received=2**64 - 1, expires=None))
        book.record(payment("yen", code="JPY", scale=0), wallet_id=OTHER.id)
        book.record(payment("p0001", received=700), at=SOON, source=Source.GET)
        book.mark_gone("own", at=SOON)
        ledger.record_action(ADDRESS, payment_id("p0001"), TimelineKind.COMPLETING, at=SOON)
        for number, status in enumerate(CreationStatus):
            draft = f'{{"walletAddress": "{ADDRESS}", "number": {number}}}'
            ledger.begin_creation(
                Creation(
                    request_id=f"r-{number}",
                    wallet=ADDRESS,
                    draft_json=draft,
                    status=CreationStatus.INTENDED,
                    created_at=NOW + timedelta(seconds=number),
                    updated_at=NOW,
                )
            )
            ledger.update_creation(f"r-{number}", status, at=SOON, error="No answer.")
        for number in range(8):
            kind = DecisionKind.REJECTION if number == 7 else DecisionKind.LINK
            url, amount = payment_id(f"p{number:04}"), number or None
            ledger.decide(ADDRESS, kind, f"R-{number}", url, at=NOW, amount=amount)
        ledger.undo_decision(ADDRESS, 3, at=SOON)
        for number in range(6):
            url, resolution = payment_id(f"p{number + 9:04}"), RESOLUTIONS[number]
            edit = Edit(add=("vip",), text=f"note {number}", resolution=resolution)
            ledger.write_note(ADDRESS, url, edit, at=SOON, grace=GRACE)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "ledger.sqlite3"
    fill(path)
    return path


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    shutil.copy(original, tmp_path)
    return tmp_path / original.name


class Contents:
    """All that readers see of a ledger."""

    def __init__(self, path: Path) -> None:
        with LedgerReader.open(path) as reader:
            self.wallets = {wallet.address: wallet for wallet in reader.wallets()}
            self.rows: dict[str, PaymentRow] = {}
            self.lines: dict[str, tuple[TimelineEntry, ...]] = {}
            self.steps: dict[str, tuple[NoteStep, ...]] = {}
            self.order: list[str] = []
            for address in self.wallets:
                for row in reader.window(address, NEWEST_FIRST, 0, 10_000):
                    self.rows[row.id] = row
                    self.lines[row.id] = reader.timeline(address, row.id)
                    self.steps[row.id] = reader.note_steps(address, row.id)
                    self.order.append(row.id)
            self.creations = {
                number: reader.creation(f"r-{number}") for number in range(len(CreationStatus))
            }
            self.unresolved = reader.unresolved_creations(ADDRESS)
            self.decisions = {one.id: one for one in reader.decisions(ADDRESS)}
            self.notes = dict(reader.notes(ADDRESS))


def repaired(path: Path) -> tuple[Repaired, Contents]:
    """Repair a ledger; whatever was saved is sound, and the damaged one is kept as it was."""
    before = path.read_bytes()
    done = repair(path, NOW)
    assert done.kept.read_bytes() == before
    assert not list(path.parent.glob("*.repairing*"))
    assert path.exists()
    Ledger.open(path).close()
    assert check(path).ok, check(path)
    return done, Contents(path)


def overwrite(path: Path, pages: Iterable[int], content: bytes = b"\xff" * PAGE) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(content)


def root_of(path: Path, name: str) -> int:
    """The page of a small table or index."""
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)
        ).fetchone()
        return int(page)


def same_but_for_steps(saved: Contents, whole: Contents) -> None:
    """What was saved is what there was; lines that are not whole add up all the same."""
    assert saved.order == [url for url in whole.order if url in saved.rows]
    for url, row in saved.rows.items():
        before = whole.rows[url]
        seen = msgspec.structs.replace(
            row,
            last_seen_at=before.last_seen_at,
            scope=before.scope,
            metadata_json=row.metadata_json or before.metadata_json,
            note=before.note,
            next_change_at=row.next_change_at if whole.notes == saved.notes else None,
        )
        if whole.notes != saved.notes:
            before = msgspec.structs.replace(before, next_change_at=None)
        assert seen == before
        assert set(saved.steps[url]) <= set(whole.steps[url])
        assert row.note == saved.notes.get(url, NO_NOTE)
        assert sum(entry.delta or 0 for entry in saved.lines[url]) == row.received
        kept = [entry for entry in saved.lines[url] if entry in whole.lines[url]]
        assert len(saved.lines[url]) - len(kept) <= 1
    for number, creation in saved.creations.items():
        assert creation in (None, whole.creations[number])
    assert saved.decisions.items() <= whole.decisions.items()


def test_a_sound_one_is_taken_over_whole(path: Path) -> None:
    whole = Contents(path)
    done, saved = repaired(path)
    assert saved.rows == whole.rows
    assert saved.lines == whole.lines
    assert saved.order == whole.order
    assert saved.creations == whole.creations
    assert saved.decisions == whole.decisions
    assert saved.notes == whole.notes
    assert len(saved.unresolved) == 3
    for address, wallet in whole.wallets.items():
        now = saved.wallets[address]
        assert (now.known, now.received_total) == (wallet.known, wallet.received_total)
        assert not now.complete
    figures = done.saved
    assert (figures.wallets, figures.payments, figures.payments_lost) == (2, COUNT + 3, 0)
    assert figures.steps == sum(map(len, whole.lines.values())) - figures.notes
    assert (figures.steps_lost, figures.broken_lines) == (0, 0)
    assert (figures.creations, figures.unresolved, figures.creations_lost) == (6, 3, 0)
    assert (figures.decisions, figures.decisions_lost) == (8, 0)
    assert (figures.notes, figures.notes_lost) == (16, 0)


def test_a_truncated_one(path: Path) -> None:
    whole = Contents(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 4 + 100)
    done, saved = repaired(path)
    same_but_for_steps(saved, whole)
    assert 0 < done.saved.payments < COUNT + 3
    assert done.saved.payments + done.saved.payments_lost == COUNT + 3


def test_a_header_of_garbage(path: Path) -> None:
    whole = Contents(path)
    overwrite(path, [1], random.Random(1).randbytes(100))
    assert check(path).damaged
    done, saved = repaired(path)
    assert (saved.rows, saved.lines, saved.creations) == (
        whole.rows,
        whole.lines,
        whole.creations,
    )
    assert done.saved.payments_lost == 0


def test_a_first_page_of_garbage(path: Path) -> None:
    """The schema itself is lost with it."""
    whole = Contents(path)
    overwrite(path, [1], random.Random(1).randbytes(PAGE))
    _, saved = repaired(path)
    assert (saved.rows, saved.lines, saved.creations) == (
        whole.rows,
        whole.lines,
        whole.creations,
    )


@pytest.mark.parametrize("seed", range(8))
def test_pages_of_garbage(path: Path, seed: int) -> None:
    whole = Contents(path)
    draw = random.Random(seed)
    count = path.stat().st_size // PAGE
    small = {root_of(path, name) for name in ("base", "asset", "wallet")}
    spoilt = set(draw.sample(range(1, count + 1), count // 6)) - small
    for page in spoilt:
        overwrite(path, [page], draw.choice([b"\xff" * PAGE, draw.randbytes(PAGE), bytes(PAGE)]))
    done, saved = repaired(path)
    same_but_for_steps(saved, whole)
    assert done.saved.payments + done.saved.payments_lost == COUNT + 3
    assert done.saved.payments > COUNT // 3
    cut = [row for row in saved.rows.values() if row.reference and not row.metadata_json]
    assert len(cut) == done.saved.without_metadata > 0
    assert done.saved.unresolved == len(saved.unresolved)


@pytest.mark.parametrize("seed", range(8))
def test_bytes_that_flip(path: Path, seed: int) -> None:
    """Nothing tells that a text was another; but whatever is taken over can be read."""
    draw = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(300):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    done, saved = repaired(path)
    assert done.saved.payments > COUNT // 2
    for url, row in saved.rows.items():
        assert sum(entry.delta or 0 for entry in saved.lines[url]) == row.received


@pytest.mark.parametrize(
    ("lost", "addresses"),
    [
        (["wallet"], {ADDRESS, OTHER.id}),
        (["base", "asset"], {ADDRESS, OTHER.id}),
        (["wallet", "sqlite_autoindex_wallet_1"], {ADDRESS}),
        (["creation"], {ADDRESS, OTHER.id}),
    ],
)
def test_small_tables_are_put_together_from_what_names_them(
    path: Path, lost: list[str], addresses: set[str]
) -> None:
    whole = Contents(path)
    overwrite(path, [root_of(path, name) for name in lost])
    done, saved = repaired(path)
    assert set(saved.wallets) == addresses
    same_but_for_steps(saved, whole)
    assert done.saved.payments == sum(row.wallet in addresses for row in whole.rows.values())
    assert bool(saved.unresolved) is ("creation" not in lost)


def test_what_was_last_seen_when_is_not_known_any_more(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM sight")
    done, saved = repaired(path)
    assert done.saved.payments_lost == 0
    assert {row.scope for row in saved.rows.values()} == {Scope.EVERYTHING}
    assert all(row.last_seen_at == row.changed_at for row in saved.rows.values())


def test_a_wallet_of_which_only_the_name_is_left_is_described_anew(path: Path) -> None:
    overwrite(path, [root_of(path, "wallet")])
    repaired(path)
    book = Book(path)
    with book.ledger, LedgerReader.open(path) as reader:
        wallet = reader.wallet(ADDRESS)
        assert wallet is not None
        assert (wallet.public_name, wallet.known) == ("Rosa's Shop", COUNT + 2)
        paid = payment("p0399", received=1000, completed=True, created=NOW - timedelta(minutes=399))
        (change,) = book.record(paid, at=SOON)
        assert change.announce == "paid"
    assert check(path).ok


def test_a_broken_time_line_says_so(path: Path) -> None:
    whole = Contents(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            """DELETE FROM entry WHERE kind = 'received' AND payment_key =
                   (SELECT payment_key FROM payment WHERE segment = 'p0001')"""
        )
        connection.execute(
            """DELETE FROM entry WHERE payment_key =
                   (SELECT payment_key FROM payment WHERE segment = 'p0002')"""
        )
    done, saved = repaired(path)
    same_but_for_steps(saved, whole)
    last = saved.lines[payment_id("p0001")][-1]
    assert (last.kind, last.delta, last.received) == (TimelineKind.NOTE, 699, 700)
    assert "could not be read" in last.text
    (only,) = saved.lines[payment_id("p0002")]
    assert (only.kind, only.delta, only.at) == (TimelineKind.FIRST_SEEN, 2, NOW)
    assert (done.saved.broken_lines, done.saved.steps_lost) == (2, 2)


class TestTheLog:
    """What is committed counts, though it is not yet in the file; what is not, does not."""

    def copied_while_open(self, path: Path, act: Callable[[Ledger], None]) -> Path:
        copy = path.parent / "copy" / path.name
        copy.parent.mkdir()
        with Ledger.open(path) as ledger:
            ledger.record(
                ADDRESS, [payment("late")], at=NOW, source=Source.LIST, scope=Scope.OWN, grace=GRACE
            )
            act(ledger)
            for one in path.parent.glob(f"{path.name}*"):
                shutil.copy(one, copy.parent)
        assert copy.with_name(f"{copy.name}-wal").stat().st_size > 0
        return copy

    def test_committed_pages_are_read(self, path: Path) -> None:
        copy = self.copied_while_open(path, lambda _: None)
        overwrite(copy, [1])
        log = copy.with_name(f"{copy.name}-wal").read_bytes()
        done, saved = repaired(copy)
        assert payment_id("late") in saved.rows
        assert done.saved.payments == COUNT + 4
        assert done.kept.with_name(f"{done.kept.name}-wal").read_bytes() == log

    def test_uncommitted_ones_are_not(self, path: Path) -> None:
        def begin(ledger: Ledger) -> None:
            connection = ledger._connection
            connection.execute("PRAGMA cache_size = 5")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "UPDATE payment SET reference = 'never', changed_at = changed_at + 1"
            )

        copy = self.copied_while_open(path, begin)
        overwrite(copy, [1])
        _, saved = repaired(copy)
        assert payment_id("late") in saved.rows
        assert not [row for row in saved.rows.values() if row.reference == "never"]

    def test_a_file_that_became_empty(self, path: Path) -> None:
        copy = self.copied_while_open(path, lambda _: None)
        copy.write_bytes(b"")
        assert check(copy).damaged
        done, _ = repaired(copy)
        assert done.kept.with_name(f"{done.kept.name}-wal").stat().st_size > 0


def test_what_was_forgotten_stays_forgotten(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.forget_wallet(ADDRESS)
    overwrite(path, [root_of(path, "payment_by_state")])
    done, saved = repaired(path)
    assert set(saved.wallets) == {OTHER.id}
    assert (done.saved.payments, done.saved.creations) == (1, 0)
    assert b"INV-7" not in path.read_bytes()


def test_a_ledger_of_version_1(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    version_1.load(path)
    overwrite(path, [root_of(path, "payment_by_state")])
    done, saved = repaired(path)
    assert (done.saved.payments, done.saved.unresolved) == (4, 1)
    assert saved.wallets[ADDRESS].received_total == 2**64 + 49


def test_a_newer_one_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    overwrite(path, [root_of(path, "payment_by_state")])
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="newer opdash"):
        repair(path, NOW)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_where_there_is_no_room_for_a_new_one_the_old_one_stays(path: Path, tmp_path: Path) -> None:
    overwrite(path, [root_of(path, "payment_by_state")])
    with small_disk(tmp_path / "small", 32) as disk:
        damaged = disk / path.name
        shutil.copy(path, damaged)
        with filled_up(disk), pytest.raises(LedgerError, match="the disk is full"):
            repair(damaged, NOW)
        assert damaged.read_bytes() == path.read_bytes()
        assert [one.name for one in disk.iterdir()] == [damaged.name]


def test_one_that_is_open_is_left_alone(path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from opdash.ledger.store import Ledger\n"
        "ledger = Ledger.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(LedgerError, match="Another opdash"):
            repair(path, NOW)
        process.communicate()
    assert not list(path.parent.glob("*damaged*"))


def test_what_was_never_a_ledger_is_only_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(b"these are the wrong trousers" * 4000)
    done = repair(path, NOW)
    assert not done.saved.anything
    assert [one.name for one in tmp_path.iterdir()] == [done.kept.name]


def test_a_second_repair_at_the_same_moment_overwrites_nothing(path: Path) -> None:
    done, _ = repaired(path)
    kept = done.kept.read_bytes()
    overwrite(path, [2])
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="File exists"):
        repair(path, NOW)
    assert (done.kept.read_bytes(), path.read_bytes()) == (kept, before)


def test_every_table_was_thought_of(path: Path) -> None:
    """A new table is taken over by a repair, or it follows from what is."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = {name for (name,) in found if not name.startswith("words")}
    assert names - {*TAKEN_OVER} - LEFT_TO_OTHERS == set()
