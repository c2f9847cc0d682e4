from __future__ import annotations

import json
import threading
from pathlib import Path

from opdash.hooks.dead_letters import FILE, DeadLetter, DeadLetters
from tests.hooks.doubles import record


def dead(number: int) -> DeadLetter:
    return DeadLetter(
        id=f"{number:08x}",
        hook="abc",
        name="target",
        at="2026-11-20T12:00:00Z",
        attempts=6,
        reason="answered 500",
        event=record(number),
    )


def test_they_are_kept_as_lines_for_their_owner_alone(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "hooks")
    letters.add(dead(1))
    letters.add(dead(2))

    assert letters.all() == (dead(1), dead(2))
    assert letters.path == tmp_path / "hooks" / FILE
    assert letters.path.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in letters.path.read_text().splitlines()]
    assert [line["event"]["cursor"] for line in lines] == [record(n)["cursor"] for n in (1, 2)]


def test_some_are_taken_out(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path)
    assert letters.all() == ()
    assert letters.remove(["00000001"]) == 0
    for number in range(1, 4):
        letters.add(dead(number))
    assert letters.remove([dead(2).id, "ffffffff"]) == 1
    assert letters.all() == (dead(1), dead(3))
    assert letters.path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_has_cut_costs_no_other(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path)
    letters.add(dead(1))
    whole = letters.path.read_bytes()
    letters.path.write_bytes(whole + whole[:40])
    letters.add(dead(2))
    assert letters.all() == (dead(1), dead(2))
    assert letters.remove([dead(1).id]) == 1
    assert letters.all() == (dead(2),)


def test_two_hooks_that_give_up_at_once_lose_nothing(tmp_path: Path) -> None:
    def add(start: int) -> None:
        letters = DeadLetters(tmp_path)
        for number in range(start, start + 20):
            letters.add(dead(number))
            if number % 2:
                letters.remove([dead(number).id])

    threads = [threading.Thread(target=add, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    want = {dead(n).id for start in (0, 100, 200) for n in range(start, start + 20, 2)}
    assert {letter.id for letter in DeadLetters(tmp_path).all()} == want
