"""``opdash sync``: the whole list, at once, whatever interrupts it."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from opdash.cli.sync import words
from opdash.ledger.care import check
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST, Scope
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import LEDGER_FILE
from opdash.service.status import Activity, ScanProgress
from tests.cli.conftest import Shell, shop_profile

if TYPE_CHECKING:
    from tests.conftest import StartSandbox

ROUNDS = 10


def known(shell: Shell) -> list[str]:
    """All payments that the ledger knows, newest first."""
    with LedgerReader.open(shell.data_dir / LEDGER_FILE) as reader:
        (wallet,) = reader.wallets()
        return [row.id for row in reader.window(wallet.address, NEWEST_FIRST, 0, 10**6)]


def count(shell: Shell) -> int:
    """How many payments the ledger of a command that may still run knows."""
    path = shell.data_dir / LEDGER_FILE
    if not path.exists():
        return 0
    try:
        with LedgerReader.open(path) as reader:
            return sum(wallet.known for wallet in reader.wallets())
    except Exception:  # not made yet
        return 0


def wait_for(shell: Shell, process: subprocess.Popen[str], payments: int) -> None:
    """Wait until a running command has read so many payments."""
    for _ in range(2000):
        if process.poll() is not None or count(shell) >= payments:
            return
        time.sleep(0.005)
    raise AssertionError("it read too little in time")


def test_the_whole_list_is_read(shell: Shell, start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(payments=450)
    shell.set_up(shop_profile(sandbox))
    line = shell.done("sync", "--json").line
    assert (line["wallet"], line["walletAddress"]) == ("shop", sandbox.main_wallet)
    assert (line["gone"], line["complete"]) == (0, True)
    assert line["known"] == len(known(shell)) == len(set(known(shell)))
    assert 400 <= line["payments"] < line["known"]
    ran = shell.done("sync")
    begin = f"The list is read to its end: {line['known']:,} payments known, "
    assert ran.out == f"{begin}all of them on the 5 pages of this reading\n"


def test_a_list_read_in_pieces_is_not_told_as_smaller(
    shell: Shell, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox(payments=450)
    shell.set_up(shop_profile(sandbox))
    ran = shell.done("sync")
    known = count(shell)
    begin = f"The list is read to its end: {known:,} payments known, "
    found = re.match(begin + r"(\d+) of them on the \d pages of this reading\n", ran.out)
    assert found is not None, ran.out
    assert int(found[1]) < known


def test_what_has_gone_is_counted(shell: Shell, fresh_sandbox: SandboxProcess) -> None:
    shell.set_up(shop_profile(fresh_sandbox))
    shell.done("sync")
    shell.done("create", "--amount", "5", "--expires-in", "10m")
    fresh_sandbox.advance(7200)
    ran = shell.done("sync")
    assert "no longer at the server" in ran.out
    assert "no longer" not in shell.done("sync").out


def test_killed_at_any_point_it_goes_on_and_loses_nothing(
    shell: Shell, start_sandbox: StartSandbox
) -> None:
    sandbox = start_sandbox(payments=3000, latency=3)
    shell.set_up(shop_profile(sandbox))
    draw = random.Random(7)
    kills = 0
    for number in range(1, ROUNDS + 1):
        process = shell.spawn("sync", stderr=subprocess.DEVNULL)
        wait_for(shell, process, number * 250)
        time.sleep(draw.random() * 0.02)
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        found = check(shell.data_dir / LEDGER_FILE)
        assert found.ok, found
    assert kills
    shell.done("sync")
    whole = known(shell)
    other = Shell(shell.data_dir.parent / "other", shell._capsys)
    other.set_up(shop_profile(sandbox))
    other.done("sync")
    assert whole == known(other)
    assert len(whole) == len(set(whole))
    with LedgerReader.open(shell.data_dir / LEDGER_FILE) as reader:
        assert not [row for row in reader.window(sandbox.main_wallet, limit=10**6) if row.gone_at]
        assert reader.scan(sandbox.main_wallet, Scope.OWN).ended_at is not None


def test_two_at_once_read_it_once(shell: Shell, start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(payments=1500, latency=3)
    shell.set_up(shop_profile(sandbox))
    running = [shell.spawn("sync", "--json", stderr=subprocess.PIPE) for _ in range(2)]
    ended = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], ended
    names = known(shell)
    assert len(names) == len(set(names))
    assert check(shell.data_dir / LEDGER_FILE).ok
    assert shell.done("sync", "--json").line["gone"] == 0
    assert known(shell) == names


def test_control_c_keeps_what_was_read(shell: Shell, start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(payments=3000, latency=20)
    shell.set_up(shop_profile(sandbox))
    process = shell.spawn("sync", stderr=subprocess.PIPE)
    wait_for(shell, process, 300)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "goes on there" in said
    assert "Traceback" not in said
    assert 300 <= len(known(shell)) < 2900
    line = shell.done("sync", "--json").line
    assert line["complete"]
    assert line["known"] == len(known(shell))


def test_progress_at_a_terminal_is_one_line(shell: Shell, start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(payments=2500, latency=60)
    shell.set_up(shop_profile(sandbox))
    ran = shell.at_terminal("sync", typed="")
    assert ran.code == 0
    assert " a second" in ran.err
    assert "\n" not in ran.err.strip("\r\n ")
    assert ran.out.endswith("on the 25 pages of this reading\n")


def test_a_server_that_is_down(shell: Shell, start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(key_file=shell.data_dir.parent / "client.pem")
    shell.set_up(shop_profile(sandbox))
    sandbox.stop()
    ran = shell("sync")
    assert ran.code == 5
    assert ran.out == ""


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (ScanProgress(payments=1200, pages=12), "1,200 payments · 12 pages"),
        (
            ScanProgress(payments=1200, pages=12, rate=980, left=timedelta(seconds=9)),
            "1,200 payments · 12 pages · 980 a second · 9 s left",
        ),
        (
            ScanProgress(activity=Activity.CHECKING, rate=1, left=timedelta(seconds=190)),
            "0 payments · 0 pages · 1 a second · 3 min left",
        ),
    ],
)
def test_progress_in_words(progress: ScanProgress, said: str) -> None:
    assert words(progress) == said
