"""``opdash watch --since``: however often it is killed, every event is told once."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from opdash.ledger.event_log import EventLog
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import LEDGER_FILE
from tests.cli.conftest import Shell
from tests.cli.test_watch import watching


def logged(shop: Shell) -> list[str]:
    with EventLog.open(shop.data_dir / LEDGER_FILE) as log:
        return [event.cursor for event in log.after(0, 10_000)]


def created(shop: Shell, amount: str = "80", reference: str = "INV-1") -> str:
    words = ["--amount", amount, "--reference", reference, "--json"]
    url: str = shop.done("create", *words).line["paymentId"]
    return url


def printed(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a file; what a kill has cut off is no line."""
    text = path.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def run_for(shop: Shell, seconds: float, path: Path, *words: str) -> list[dict[str, Any]]:
    """Watch for a while into a file, and kill the watch without a warning."""
    with path.open("w") as out:
        process = shop.spawn("watch", "--json", *words, stdout=out, stderr=subprocess.PIPE)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        finally:
            _, err = process.communicate()
    assert "Traceback" not in err
    return printed(path)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_it_tells_everything_once(
    shop: Shell, sandbox: SandboxProcess, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    payments = [created(shop, "90", f"INV-{number}") for number in range(3)]
    shop.done("list")
    before = logged(shop)
    told: list[dict[str, Any]] = []
    cursor = before[-1]

    def money() -> None:
        for turn in range(24):
            sandbox.pay(payments[turn % 3], 100 + turn, packets=1)
            over.wait(chance.uniform(0.02, 0.3))

    over = threading.Event()
    payer = threading.Thread(target=money)
    with watching(shop):  # another opdash, which records what this one does not
        payer.start()
        while payer.is_alive():
            told += run_for(shop, chance.uniform(0.3, 2.5), tmp_path / "out", "--since", cursor)
            cursor = told[-1]["cursor"] if told else cursor
        payer.join()
        sandbox.advance(2)
    shop.done("list")
    wanted = logged(shop)[len(before) :]
    while [event["cursor"] for event in told] != wanted and len(told) < len(wanted):
        told += run_for(shop, 3, tmp_path / "out", "--since", cursor)
        cursor = told[-1]["cursor"]

    assert [event["cursor"] for event in told] == wanted
    for number, payment in enumerate(payments):
        last = [event for event in told if event["payment"]["id"] == payment][-1]
        assert int(last["payment"]["received"]["value"]) == sum(
            100 + turn for turn in range(24) if turn % 3 == number
        )


def test_what_another_opdash_recorded_is_told_first(
    shop: Shell, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    payment = created(shop)
    shop.done("list")
    (*_, cursor) = logged(shop)
    sandbox.pay(payment, packets=1)
    sandbox.advance(2)
    shop.done("list")
    meanwhile = logged(shop)

    with watching(shop, "--json", "--since", cursor) as watch:
        change = watch.change()
        assert change["cursor"] in meanwhile
        assert change["payment"]["state"] in ("PARTIAL", "SETTLING", "PAID")
        while change["cursor"] != meanwhile[-1]:
            change = watch.change()
        new = created(shop, "7", "INV-2")
        assert watch.change()["payment"]["id"] == new


def test_from_the_start_everything_is_told_again_in_the_same_words(
    shop: Shell, sandbox: SandboxProcess
) -> None:
    payment = created(shop)
    with watching(shop, "--json") as watch:
        sandbox.pay(payment, 500, packets=1)
        sandbox.advance(1)
        live = watch.change()
    with watching(shop, "--json", "--since", "start") as watch:
        again = watch.change()
        while again["cursor"] != live["cursor"]:
            again = watch.change()
    same = ("cursor", "event", "at", "announce", "previousState", "previousReceived")
    assert [again[name] for name in same] == [live[name] for name in same]
    assert again["payment"]["received"] == live["payment"]["received"]
    assert again["payment"]["state"] == live["payment"]["state"]


def test_a_state_file_goes_on_by_itself(
    shop: Shell, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    payment = created(shop)
    shop.done("list")
    kept = tmp_path / "kept" / "place"
    with watching(shop, "--json", "--state-file", str(kept)) as watch:
        sandbox.pay(payment, 500, packets=1)
        sandbox.advance(1)
        told = watch.change()
        new = created(shop, "7", "INV-2")
        last = watch.change()
        while last["payment"]["id"] != new:
            last = watch.change()
        watch.end(signal.SIGTERM)
    assert kept.read_text() == f"{last['cursor']}\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    third = created(shop, "8", "INV-3")
    with watching(shop, "--json", "--state-file", str(kept)) as watch:
        after = watch.change()
    assert after["payment"]["id"] == third
    assert len({told["cursor"], last["cursor"], after["cursor"]}) == 3


def test_two_watches_do_not_share_a_state_file(shop: Shell, tmp_path: Path) -> None:
    created(shop)
    kept = str(tmp_path / "place")
    with watching(shop, "--json", "--state-file", kept):
        ran = shop("watch", "--state-file", kept)
    assert ran.code == 2
    assert "Another opdash keeps its place" in ran.err


@pytest.mark.parametrize("content", ["nonsense\n", "\xff", "\n", "x" * 5000])
def test_another_file_is_no_state_file(shop: Shell, tmp_path: Path, content: str) -> None:
    created(shop)
    kept = tmp_path / "place"
    kept.write_text(content)
    ran = shop("watch", "--state-file", str(kept))
    assert ran.code == 2
    assert str(kept) in ran.err
    assert kept.read_text() == content


def test_a_cursor_of_a_rebuilt_ledger_is_refused_with_what_to_do(shop: Shell) -> None:
    created(shop)
    (*_, cursor) = logged(shop)
    for path in shop.data_dir.glob(f"{LEDGER_FILE}*"):
        path.unlink()
    shop.done("list")
    ran = shop("watch", "--json", "--since", cursor)
    assert (ran.code, ran.out) == (2, "")
    assert "another ledger" in ran.err
    assert "“start”" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ["--since", "yesterday"],
        ["--only", "paid,lost"],
        ["--only", ","],
        ["--filter", "state:nonsense"],
        ["--exec", "no-such-program-anywhere"],
        ["--exec", "'open"],
        ["--exec-timeout", "0", "--exec", "cat"],
        ["--retries", "-1"],
        ["--webhook", "http://shop.example/x"],
        ["--webhook", "https://rosa:hush@shop.example/x"],
        ["--webhook", "https://shop.example/x"],
        ["--exec", "cat", "--exec", "cat"],
        ["--notify", "loudly"],
    ],
    ids=lambda words: " ".join(words),
)
def test_what_cannot_be_meant_is_refused_at_once(shop: Shell, words: list[str]) -> None:
    shop.done("list")
    ran = shop("watch", *words)
    assert (ran.code, ran.out) == (2, "")
    assert "hush" not in ran.err


def test_only_what_is_chosen_is_told(shop: Shell, sandbox: SandboxProcess) -> None:
    lamp, desk = created(shop, "5", "LAMP-1"), created(shop, "6", "DESK-1")
    with watching(shop, "--json", "--only", "paid,received", "--filter", "ref:LAMP") as watch:
        for payment in (desk, lamp):
            sandbox.pay(payment, packets=1)
        sandbox.advance(2)
        change = watch.change()
    assert (change["announce"], change["payment"]["id"]) == ("paid", lamp)
