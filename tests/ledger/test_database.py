"""Files that are no ledger, newer, damaged, read-only or full: a sentence, and nothing changed."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from opdash.errors import ExitCode, LedgerError
from opdash.ledger import schema
from opdash.ledger.database import open_for_writing
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope
from opdash.ledger.store import Ledger
from tests.ledger.builders import ADDRESS, NOW, Book, payment, payment_id

HERE = Path(__file__).resolve().parents[2]


def refusal(path: Path) -> LedgerError:
    """Return how opening is refused, by writer and reader alike, with the file left as it was."""
    before = path.read_bytes()
    with pytest.raises(LedgerError) as by_writer:
        Ledger.open(path)
    with pytest.raises(LedgerError) as by_reader:
        LedgerReader.open(path)
    assert path.read_bytes() == before
    assert str(by_writer.value) == str(by_reader.value)
    assert by_writer.value.exit_code is ExitCode.FAILED
    assert by_writer.value.advice
    assert str(path) in by_writer.value.sentence
    return by_writer.value


def damaged_ledger(directory: Path, *, every: int) -> Path:
    """Make a ledger in which every so many pages but the first are spoilt."""
    path = directory / "ledger.sqlite3"
    book = Book(path)
    with book.ledger:
        book.record(*(payment(f"p{n}", metadata={"x": "y" * 500}) for n in range(300)))
    content = bytearray(path.read_bytes())
    for page in range(4096 * every, len(content), 4096 * every):
        content[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    return path


def mark_all_gone(ledger: Ledger) -> None:
    for number in range(300):
        of = payment_id(f"p{number}")
        ledger.mark_gone(ADDRESS, of, at=NOW, grace=timedelta(0), scope=Scope.OWN)


class TestModes:
    """A ledger is its owner's alone, from before anything is in it."""

    @pytest.fixture(autouse=True)
    def open_umask(self) -> Iterator[None]:
        before = os.umask(0)
        yield
        os.umask(before)

    def mode(self, path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    def test_new_ones(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "data" / "ledger.sqlite3"
        book = Book(path)
        with book.ledger:
            book.record(payment())
            assert self.mode(path.parent) == 0o700
            files = {file.name: self.mode(file) for file in path.parent.iterdir()}
        assert files == dict.fromkeys(
            ["ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm"], 0o600
        )

    def test_an_existing_one_is_closed_to_others(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.sqlite3"
        Book(path).ledger.close()
        path.chmod(0o664)
        Ledger.open(path).close()
        assert self.mode(path) == 0o600

    def test_a_directory_that_was_there_is_left_alone(self, tmp_path: Path) -> None:
        directory = tmp_path / "mine"
        directory.mkdir(mode=0o755)
        Ledger.open(directory / "ledger.sqlite3").close()
        assert self.mode(directory) == 0o755

    def test_another_programs_file_keeps_its_mode(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("not a database, but long enough to have a header" * 9)
        path.chmod(0o664)
        refusal(path)
        assert self.mode(path) == 0o664


class TestRefusals:
    """What opdash will not touch."""

    def test_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.sqlite3"
        path.write_bytes(b"Dear diary, " * 100)
        assert "no database" in refusal(path).sentence
        assert "opdash ledger check --repair" in refusal(path).advice

    def test_another_programs_database(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.sqlite3"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.close()
        assert "another program" in refusal(path).sentence

    @pytest.mark.parametrize("pragma", ["application_id = 252006673", "user_version = 7"])
    def test_another_programs_empty_database(self, tmp_path: Path, pragma: str) -> None:
        path = tmp_path / "ledger.sqlite3"
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA {pragma}")
        connection.close()
        assert "another program" in refusal(path).sentence

    def test_a_newer_one(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.sqlite3"
        Book(path).ledger.close()
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
        connection.close()
        error = refusal(path)
        assert f"version {schema.VERSION + 1}" in error.sentence
        assert "newer" in error.sentence
        assert "Update opdash" in error.advice

    def test_one_damaged_at_its_root(self, tmp_path: Path) -> None:
        path = damaged_ledger(tmp_path, every=1)
        error = refusal(path)
        assert "is damaged" in error.sentence
        assert "opdash ledger check --repair" in error.advice

    def test_one_damaged_somewhere(self, tmp_path: Path) -> None:
        path = damaged_ledger(tmp_path, every=25)
        size = path.stat().st_size
        with Ledger.open(path) as ledger, LedgerReader.open(path) as reader:
            with pytest.raises(LedgerError, match="is damaged"):
                reader.window(ADDRESS, limit=1000)
            with pytest.raises(LedgerError, match="is damaged"):
                mark_all_gone(ledger)
        assert path.stat().st_size >= size

    def test_a_directory(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="cannot be opened"):
            Ledger.open(tmp_path)

    def test_a_file_where_the_directory_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("")
        with pytest.raises(LedgerError, match="cannot be opened"):
            Ledger.open(tmp_path / "data" / "ledger.sqlite3")

    def test_no_ledger_to_read(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="There is no ledger"):
            LedgerReader.open(tmp_path / "ledger.sqlite3")
        assert list(tmp_path.iterdir()) == []

    def test_an_empty_file_becomes_a_ledger(self, tmp_path: Path) -> None:
        """A kill between making the file and filling it leaves one."""
        path = tmp_path / "ledger.sqlite3"
        path.touch()
        with pytest.raises(LedgerError, match="older version"):
            LedgerReader.open(path)
        book = Book(path)
        with book.ledger:
            assert book.record(payment())

    def test_a_path_with_signs_of_its_own(self, tmp_path: Path) -> None:
        path = tmp_path / "a?b#c %41" / "ledger.sqlite3"
        book = Book(path)
        with book.ledger, LedgerReader.open(path) as reader:
            book.record(payment())
            assert reader.count(ADDRESS) == 1
        assert path.exists()

    def test_a_path_cannot_reach_the_screen_raw(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError) as caught:
            LedgerReader.open(tmp_path / "\x1b[31m" / "ledger.sqlite3")
        assert "\x1b" not in str(caught.value)


def test_another_opdash_that_migrated_it_meanwhile(book: Book, reader: LedgerReader) -> None:
    book.record(payment())
    connection = sqlite3.connect(book.path)
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    with pytest.raises(LedgerError, match="by another opdash"):
        book.record(payment(received=5))
    assert reader.window(ADDRESS)[0].received == 0


def test_a_ledger_that_another_program_holds(book: Book) -> None:
    holder = sqlite3.connect(book.path, isolation_level=None)
    book.ledger._connection.execute("PRAGMA busy_timeout = 1")
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError, match="held by another program"):
        book.record(payment())
    holder.execute("ROLLBACK")
    holder.close()
    assert book.record(payment())


def test_a_full_disk_stores_a_page_whole_or_not_at_all(book: Book, reader: LedgerReader) -> None:
    book.record(payment("before"))
    connection = book.ledger._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    page = [payment(f"p{n}", code="NEW", metadata={"x": "y" * 900}) for n in range(100)]
    with pytest.raises(LedgerError, match="the disk is full") as caught:
        book.record(*page)
    assert "Free some space" in caught.value.advice
    assert reader.count(ADDRESS) == 1
    connection.execute("PRAGMA max_page_count = 1000000")
    assert len(book.record(payment("after", code="NEWER"), *page)) == 101
    codes = {row.received_asset.code for row in reader.window(ADDRESS, limit=200)}
    assert codes == {"USD", "NEW", "NEWER"}


def run(
    code: str, *arguments: object, limit: int | None = None
) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limited,
    )


FILL = """
import sys
from pathlib import Path
from opdash.errors import LedgerError
from tests.ledger.builders import Book, payment
book = Book(Path(sys.argv[1]))
try:
    for number in range(10_000):
        book.record(payment(f"p{number}", metadata={"x": "y" * 5000}))
        print(number + 1, flush=True)
except LedgerError as error:
    print(error, file=sys.stderr)
    raise SystemExit(3)
"""


def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    """The system refuses to let the file grow, as a quota does; what was stored stays."""
    path = tmp_path / "ledger.sqlite3"
    result = run(FILL, path, limit=600_000)
    assert result.returncode == 3, result.stderr
    assert "Check the disk" in result.stderr or "disk is full" in result.stderr
    stored = int(result.stdout.split()[-1])
    Ledger.open(path).close()
    with LedgerReader.open(path) as reader:
        assert reader.count(ADDRESS) == stored > 0


OPEN_AS_NOBODY = """
import os, sys
from pathlib import Path
from opdash.errors import LedgerError
from tests.ledger.builders import ADDRESS, NOW, Book, payment
path = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
try:
    Book(path).record(payment())
except LedgerError as error:
    print(error)
    raise SystemExit(3)
"""


@pytest.fixture
def public_directory() -> Iterator[Path]:
    """A directory that any user may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="opdash-test-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory
        directory.chmod(0o755)


class TestReadOnly:
    """A directory or file that may not be written."""

    def refused(self, path: Path) -> str:
        result = run(OPEN_AS_NOBODY, path)
        assert result.returncode == 3, result.stderr
        assert "--data-dir" in result.stdout
        return result.stdout

    def test_a_directory_without_a_ledger(self, public_directory: Path) -> None:
        public_directory.chmod(0o555)
        self.refused(public_directory / "ledger.sqlite3")
        self.refused(public_directory / "new" / "ledger.sqlite3")
        assert list(public_directory.iterdir()) == []

    def test_a_ledger_in_a_read_only_directory(self, public_directory: Path) -> None:
        path = public_directory / "ledger.sqlite3"
        Ledger.open(path).close()
        before = path.read_bytes()
        path.chmod(0o666)
        public_directory.chmod(0o555)
        assert "cannot be" in self.refused(path)
        assert path.read_bytes() == before

    def test_a_read_only_ledger(self, public_directory: Path) -> None:
        path = public_directory / "ledger.sqlite3"
        Ledger.open(path).close()
        path.chmod(0o444)
        public_directory.chmod(0o777)
        assert "Permission denied" in self.refused(path)


CREATE = """
import sys
from pathlib import Path
from tests.ledger.builders import Book, payment
book = Book(Path(sys.argv[1]))
book.record(payment(sys.argv[2]))
book.ledger.close()
"""


def test_processes_may_create_it_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "data" / "ledger.sqlite3"
    processes = [
        subprocess.Popen([sys.executable, "-c", CREATE, str(path), f"p{number}"], cwd=HERE)
        for number in range(4)
    ]
    assert [process.wait(60) for process in processes] == [0] * 4
    with LedgerReader.open(path) as reader:
        assert reader.count(ADDRESS) == 4


def test_it_is_a_write_ahead_log(tmp_path: Path) -> None:
    connection = open_for_writing(tmp_path / "ledger.sqlite3")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
    connection.close()
