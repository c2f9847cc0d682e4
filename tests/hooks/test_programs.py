"""Programs that are run for an event: real ones, and no shell."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest

from opdash.errors import InputError
from opdash.hooks.deliveries import DeliveryError
from opdash.hooks.letters import Letter
from opdash.hooks.programs import Program, read_command
from tests.hooks.doubles import record


def program(
    code: str,
    told: list[str] | None = None,
    *,
    seconds: float = 20.0,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Program:
    heard = [] if told is None else told
    return Program(
        (sys.executable, "-c", code),
        seconds=seconds,
        environment={"PATH": os.environ["PATH"], **environment},
        tell=heard.append,
    )


async def test_it_is_handed_the_event_and_a_few_words(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    code = f"""
import json, os, sys
with open({str(out)!r}, "w") as file:
    json.dump([json.load(sys.stdin), dict(os.environ)], file)
"""
    await program(code).deliver(Letter.of(record(3)))

    event, environment = json.loads(out.read_text())
    assert event == record(3)
    assert environment["OPDASH_STATE"] == "PAID"
    assert environment["OPDASH_EVENT_ID"] == "0123456789-3-00000000"


async def test_no_shell_sees_remote_words(tmp_path: Path) -> None:
    owned = tmp_path / "owned"
    words = f"$(touch {owned}) `touch {owned}`; touch {owned} | x > {owned} 'a' \"b\"\n--help\0"
    told: list[str] = []
    await program("import os; print(os.environ['OPDASH_REFERENCE'])", told).deliver(
        Letter.of(record(reference=words))
    )
    assert not owned.exists()
    assert "$(touch" in told[0]


async def test_secrets_of_the_environment_are_kept_back() -> None:
    told: list[str] = []
    code = "import os; print(sorted(name for name in os.environ if name.startswith('OPDASH_')))"
    secrets = {"OPDASH_KEY_PASSPHRASE": "hush", "OPDASH_WEBHOOK_SECRET": "whsec_x"}
    letter = Letter.of(record())
    await program(code, told, environment=secrets).deliver(letter)
    assert told[0].endswith(str(sorted(letter.variables)))


async def test_what_it_says_is_passed_on_safely_and_within_bounds() -> None:
    told: list[str] = []
    code = "import sys; print('\\x1b[2Jout'); sys.stdout.flush(); print('err', file=sys.stderr)"
    await program(code, told).deliver(Letter.of(record()))
    assert [line.partition(": ")[2] for line in told] == ["␛[2Jout", "err"]
    told.clear()
    await program("print('x' * 100_000_000)", told).deliver(Letter.of(record()))
    await program("print('line\\n' * 10_000)", told).deliver(Letter.of(record()))
    assert len(told) < 50
    assert max(map(len, told)) < 600
    assert told[-1].endswith("…")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(7)", "ended with exit code 7"),
        ("import os; os.kill(os.getpid(), 9)", "ended with signal SIGKILL"),
    ],
)
async def test_another_end_than_0_is_a_failure(code: str, reason: str) -> None:
    with pytest.raises(DeliveryError) as error:
        await program(code).deliver(Letter.of(record()))
    assert error.value.reason == reason


async def test_one_that_does_not_read_has_still_been_run() -> None:
    big = Letter.of(record(metadata={"a": "x" * 200_000}))
    await program("pass").deliver(big)
    await program("import os; os.close(0)").deliver(big)


async def test_one_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = f"""
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
time.sleep(600)
"""
    with pytest.raises(DeliveryError, match="took longer than 3 s"):
        await program(code, seconds=3).deliver(Letter.of(record()))
    for pid in map(int, pids.read_text().split()):
        await asyncio.to_thread(wait_for, partial(is_over, pid))


async def test_one_that_is_called_off_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    task = asyncio.create_task(program(code).deliver(Letter.of(record())))
    await asyncio.to_thread(wait_for, lambda: pid.exists() and pid.read_text())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(wait_for, partial(is_over, int(pid.read_text())))


async def test_a_child_that_stays_behind_holds_up_nothing() -> None:
    code = (
        "import subprocess, sys; "
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    )
    await program(code, seconds=30).deliver(Letter.of(record()))  # or it would take too long


async def test_one_that_has_gone_is_a_failure(tmp_path: Path) -> None:
    gone = Program((str(tmp_path / "gone"),), seconds=5, environment={}, tell=lambda _: None)
    with pytest.raises(DeliveryError, match="cannot be started"):
        await gone.deliver(Letter.of(record()))


def test_a_name_gives_no_argument_away(tmp_path: Path) -> None:
    script = tmp_path / "booked.py"
    script.touch()
    argv = ("/usr/bin/python3", str(script), "--token", "hush")
    named = Program(argv, seconds=1, environment={}, tell=lambda _: None)
    assert named.name == "python3 booked.py"


def test_a_command_is_parted_into_words() -> None:
    line = f"{sys.executable} -c 'print(1); $(x)' \"a b\""
    assert read_command(line) == (sys.executable, "-c", "print(1); $(x)", "a b")


@pytest.mark.parametrize("line", ["", "  ", "'open", "no-such-program-anywhere", "\0", "a\0b"])
def test_what_cannot_be_run_is_refused_at_once(line: str) -> None:
    with pytest.raises(InputError):
        read_command(line)


def wait_for(happened: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.02)


def is_over(pid: int) -> bool:
    """Return whether a process is over, or only waits for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
