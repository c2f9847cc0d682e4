"""``opdash ledger``: checking, repairing, compacting, purging and moving."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from opdash.ledger.schema import VERSION
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import LEDGER_FILE
from tests.cli.conftest import REPOSITORY, Shell, shop_profile
from tests.disks import filled_up, small_disk


@pytest.fixture
def filled(shop: Shell) -> Shell:
    """A shell whose ledger knows the sandbox's payments."""
    shop.done("sync")
    return shop


def ledger(shell: Shell) -> Path:
    return shell.data_dir / LEDGER_FILE


def write(shell: Shell, statement: str) -> None:
    with closing(sqlite3.connect(ledger(shell), isolation_level=None)) as connection:
        connection.execute(statement)


@contextmanager
def opened_elsewhere(path: Path) -> Iterator[None]:
    """Let another process have the ledger open."""
    code = (
        "import sys; from pathlib import Path; from opdash.ledger.store import Ledger\n"
        "ledger = Ledger.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.communicate()


class TestCheck:
    def test_a_sound_ledger(self, filled: Shell, sandbox: SandboxProcess) -> None:
        ran = filled.done("ledger", "check")
        subjects = [line.split()[0] for line in ran.out.splitlines()]
        assert subjects == [
            "file",
            "kind",
            "version",
            "integrity",
            "references",
            "contents",
            "figures",
        ]
        assert "▲" not in ran.out
        assert ", 1 wallet\n" in ran.out
        line = filled.done("ledger", "check", "--json").line
        assert (line["ok"], line["damaged"], line["figuresAreOff"]) == (True, False, False)

    def test_beside_a_running_opdash(self, filled: Shell) -> None:
        with opened_elsewhere(ledger(filled)):
            assert filled.done("ledger", "check").code == 0

    def test_wrong_figures_are_set_right_on_request(self, filled: Shell) -> None:
        write(filled, "UPDATE wallet SET known = known + 1, received_total = '7'")
        ran = filled("ledger", "check")
        assert ran.code == 1
        assert "▲" in ran.out
        assert "--repair" in ran.err
        assert filled("ledger", "check").code == 1
        assert "right again" in filled.done("ledger", "check", "--repair").err
        assert filled.done("ledger", "check").code == 0

    def spoil(self, shell: Shell) -> bytes:
        """Damage every third page; returns what the file is then."""
        shell.done("ledger", "compact")
        path = ledger(shell)
        content = bytearray(path.read_bytes())
        for page in range(3, len(content) // 4096, 3):
            content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
        path.write_bytes(content)
        return bytes(content)

    def test_a_damaged_ledger_is_kept_and_rebuilt(self, filled: Shell) -> None:
        known = len(filled.done("list", "--all", "--json").lines)
        content = self.spoil(filled)
        path = ledger(filled)
        ran = filled("ledger", "check")
        assert (ran.code, ran.out.count("▲")) == (1, 1)
        assert "keeps the damaged file beside" in ran.err
        assert path.read_bytes() == content
        ran = filled.done("ledger", "check", "--repair")
        assert "opdash sync" in ran.err
        assert " saved; " in ran.out
        assert "could not be read" in ran.out
        (kept,) = [one for one in path.parent.iterdir() if ".damaged-" in one.name]
        assert kept.read_bytes() == content
        assert str(kept) in ran.err
        filled.done("ledger", "check")
        filled.done("sync")
        filled.done("ledger", "check")
        assert len(filled.done("list", "--all", "--json").lines) == known

    def test_what_the_server_has_forgotten_is_saved(
        self, shell: Shell, fresh_sandbox: SandboxProcess
    ) -> None:
        """The server forgets a payment that nobody paid; the ledger does not."""
        shell.set_up(shop_profile(fresh_sandbox))
        shell.done("sync")
        forgotten = shell.done("create", "--amount", "5", "--expires-in", "10m", "--json").line
        fresh_sandbox.advance(7200)
        shell.done("sync")
        before = shell.done("log", forgotten["paymentId"], "--json").lines
        assert [step["kind"] for step in before] == ["created", "gone"]
        content = bytearray(ledger(shell).read_bytes())
        content[:4096] = b"\xff" * 4096
        ledger(shell).write_bytes(content)
        said = shell.done("ledger", "check", "--repair", "--json").lines[1]
        assert said["saved"]["creations"] == 1
        assert said["lost"] == {
            "payments": 0,
            "stepsAtMost": 0,
            "creationsAtMost": 0,
            "decisionsAtMost": 0,
            "notesAtMost": 0,
            "timeLinesNotWhole": 0,
        }
        shell.done("sync")
        assert shell.done("log", forgotten["paymentId"], "--json").lines == before

    def test_what_is_no_database_is_kept_too(self, shop: Shell) -> None:
        shop.data_dir.mkdir()
        ledger(shop).write_bytes(b"these are the wrong trousers" * 400)
        assert shop("ledger", "check").code == 1
        assert "Nothing of it could be read" in shop.done("ledger", "check", "--repair").err
        shop.done("sync")

    def test_a_damaged_ledger_in_use_is_left_alone(self, filled: Shell) -> None:
        write(filled, "PRAGMA foreign_keys = OFF")
        write(filled, "DELETE FROM base")
        with opened_elsewhere(ledger(filled)):
            ran = filled("ledger", "check", "--repair")
        assert ran.code == 1
        assert "Another opdash has the ledger" in ran.err
        assert ledger(filled).exists()

    def test_a_newer_ledger_and_another_programs_are_not_touched(self, filled: Shell) -> None:
        write(filled, f"PRAGMA user_version = {VERSION + 1}")
        ran = filled("ledger", "check", "--repair")
        assert ran.code == 1
        assert "newer opdash" in ran.out
        write(filled, "PRAGMA application_id = 5")
        ran = filled("ledger", "check", "--repair")
        assert ran.code == 1
        assert "another program" in ran.out
        assert [one.name for one in ledger(filled).parent.iterdir() if "damaged" in one.name] == []

    def test_there_is_none(self, shell: Shell) -> None:
        for action in (["check"], ["compact"], ["move", str(shell.data_dir / "x")]):
            ran = shell("ledger", *action)
            assert (ran.code, "There is no ledger" in ran.err) == (1, True)


class TestCompact:
    def test_the_room_of_what_was_purged_is_given_back(
        self, shell: Shell, fresh_sandbox: SandboxProcess
    ) -> None:
        shell.set_up(shop_profile(fresh_sandbox))
        shell.done("sync")
        shell.done("ledger", "purge", "shop", "--yes")
        line = shell.done("ledger", "compact", "--json").line
        assert line["bytesAfter"] < line["bytesBefore"]
        assert line["bytesAfter"] == ledger(shell).stat().st_size
        assert "bytes before" in shell.done("ledger", "compact").out
        shell.done("ledger", "check")


class TestPurge:
    def test_only_that_wallet_is_forgotten(self, shell: Shell, sandbox: SandboxProcess) -> None:
        second = sandbox.wallet_addresses[1]
        shell.set_up(
            shop_profile(sandbox), shop_profile(sandbox, name="second", wallet_address=second)
        )
        shell.done("sync", "--wallet", "shop")
        shell.done("sync", "--wallet", "second")
        kept = len(shell.done("list", "--offline", "--wallet", "shop", "--json").lines)
        line = shell.done("ledger", "purge", second, "--yes", "--json").line
        assert line["walletAddress"] == second
        assert line["payments"] > 0
        assert shell.done("list", "--offline", "--wallet", "second").out == ""
        assert len(shell.done("list", "--offline", "--wallet", "shop", "--json").lines) == kept
        shell.done("ledger", "check")

    def test_a_person_is_asked_first(self, filled: Shell, sandbox: SandboxProcess) -> None:
        known = filled.done("wallet", "list", "--json").line["known"]
        ran = filled("ledger", "purge", "shop")
        assert ran.code == 2
        assert "--yes" in ran.err
        assert filled.at_terminal("ledger", "purge", "shop", typed="no\n").code == 1
        assert filled.done("wallet", "list", "--json").line["known"] == known
        assert filled.at_terminal("ledger", "purge", "shop", typed=f"{known}\n").code == 0
        assert filled.done("wallet", "list", "--json").line["known"] == 0

    def test_not_beside_a_running_opdash(self, filled: Shell) -> None:
        with opened_elsewhere(ledger(filled)):
            ran = filled("ledger", "purge", "shop", "--yes")
        assert ran.code == 1
        assert "Another opdash" in ran.err
        assert filled.done("wallet", "list", "--json").line["known"] > 0

    def test_an_unknown_wallet(self, filled: Shell, sandbox: SandboxProcess) -> None:
        ran = filled("ledger", "purge", "nobody", "--yes")
        assert ran.code == 2
        assert sandbox.main_wallet in ran.err


class TestMove:
    def test_the_ledger_goes_on_elsewhere(self, filled: Shell, tmp_path: Path) -> None:
        before = filled.done("list", "--offline", "--json").lines
        target = tmp_path / "new" / "place"
        ran = filled.done("ledger", "move", str(target))
        assert ran.out == f"{target / LEDGER_FILE}\n"
        assert f"--data-dir {target}" in ran.err
        assert not list(filled.data_dir.glob("ledger*"))
        assert stat.S_IMODE((target / LEDGER_FILE).stat().st_mode) == 0o600
        assert stat.S_IMODE(target.stat().st_mode) == 0o700
        filled.data_dir = target
        assert filled.done("list", "--offline", "--json").lines == before
        assert filled.done("ledger", "check").code == 0

    def test_nothing_is_overwritten(self, filled: Shell, tmp_path: Path) -> None:
        target = tmp_path / "new"
        target.mkdir()
        (target / LEDGER_FILE).write_bytes(b"mine")
        ran = filled("ledger", "move", str(target))
        assert ran.code == 1
        assert (target / LEDGER_FILE).read_bytes() == b"mine"
        assert filled("ledger", "move", str(filled.data_dir)).code == 1
        filled.done("ledger", "check")

    def test_not_beside_a_running_opdash(self, filled: Shell, tmp_path: Path) -> None:
        with opened_elsewhere(ledger(filled)):
            ran = filled("ledger", "move", str(tmp_path / "new"))
        assert ran.code == 1
        assert "Another opdash" in ran.err
        assert not list((tmp_path / "new").glob("*"))
        filled.done("ledger", "check")

    def test_where_nothing_can_be_written(self, filled: Shell, tmp_path: Path) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("")
        assert filled("ledger", "move", str(blocked / "x")).code == 1
        filled.done("ledger", "check")

    def test_where_there_is_too_little_room(self, filled: Shell, tmp_path: Path) -> None:
        before = ledger(filled).read_bytes()
        with small_disk(tmp_path / "small", 1) as disk, filled_up(disk):
            ran = filled("ledger", "move", str(disk))
            assert ran.code == 1
            assert "the disk is full" in ran.err
            assert [one.name for one in disk.iterdir()] == ["ballast"]
        filled.done("ledger", "check")
        assert len(ledger(filled).read_bytes()) == len(before)


class TestFull:
    """A disk without any room left."""

    @pytest.fixture
    def crowded(self, filled: Shell, tmp_path: Path) -> Iterator[Shell]:
        with small_disk(tmp_path / "small", 2) as disk:
            filled.done("ledger", "move", str(disk / "data"))
            filled.data_dir = disk / "data"
            with filled_up(disk):
                yield filled
            filled.done("ledger", "check")

    def test_it_is_not_compacted(self, crowded: Shell) -> None:
        before = crowded.done("list", "--offline").out
        ran = crowded("ledger", "compact")
        assert (ran.code, "the disk is full" in ran.err) == (1, True)
        assert crowded.done("list", "--offline").out == before

    def test_what_is_known_can_be_looked_at(self, crowded: Shell) -> None:
        assert crowded.done("list", "--offline").out
        crowded.done("ledger", "check")

    def test_it_is_not_synced(self, crowded: Shell) -> None:
        ran = crowded("sync")
        assert ran.code == 1
        assert "disk is full" in ran.err
        assert "Free some space" in ran.err
