"""``opdash watch --exec`` and ``--webhook``, and ``opdash hooks``: as a person uses them."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell
from tests.cli.test_watch import PATIENCE, watching
from tests.cli.test_watch_resume import created, logged
from tests.hooks.doubles import Answering, receiving
from tests.hooks.test_signing import verified

HOSTILE = "$(touch owned); `touch owned` | x\n\x1b]9;owned\a' \""


@pytest.fixture
def hook() -> Iterator[Answering]:
    with receiving() as state:
        yield state


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A program that appends each event to a file, and fails as long as another file is there."""
    path = tmp_path / "booked.py"
    path.write_text(
        f"""
import json, os, pathlib, sys
here = pathlib.Path({str(tmp_path)!r})
if (here / "fails").exists():
    sys.exit("no luck")
event = json.load(sys.stdin)
with (here / "booked.jsonl").open("a") as file:
    file.write(json.dumps([event, dict(os.environ)]) + "\\n")
print("booked", event["payment"]["reference"])
"""
    )
    return path


def booked(script: Path) -> list[dict[str, Any]]:
    path = script.with_name("booked.jsonl")
    if not path.exists():
        return []
    return [json.loads(line)[0] for line in path.read_text().splitlines()]


def wait_until(happened: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


def everything(shop: Shell) -> str:
    """All that hooks keep but their secrets."""
    hooks = shop.data_dir / "hooks"
    return "".join(path.read_text() for path in hooks.glob("*") if path.is_file())


def test_a_program_is_run_for_each_event_and_no_shell(
    shop: Shell, sandbox: SandboxProcess, script: Path
) -> None:
    shop.done("list")
    with watching(shop, "--json", "--exec", f"{sys.executable} {script}") as watch:
        payment = created(shop, "5", HOSTILE)
        sandbox.pay(payment, packets=1)
        sandbox.advance(2)
        lines = [watch.change()]
        while lines[-1]["announce"] != "paid":
            lines.append(watch.change())
        wait_until(lambda: len(booked(script)) == len(lines))
        watch.wait_to_hear("booked.py: booked $(touch owned)")
        code, out, _ = watch.end(signal.SIGTERM)
    assert (code, out) == (0, "")
    assert booked(script) == lines
    assert not list(script.parent.rglob("owned"))
    assert not Path("owned").exists()


def test_a_restart_goes_on_with_what_it_missed(
    shop: Shell, sandbox: SandboxProcess, script: Path
) -> None:
    words = ["--only", "paid", "--exec", f"{sys.executable} {script}"]
    first, second = created(shop, "5"), created(shop, "6")
    with watching(shop, *words) as watch:
        sandbox.pay(first, packets=1)
        sandbox.advance(2)
        wait_until(lambda: booked(script))
        watch.end(signal.SIGTERM)
    sandbox.pay(second, packets=1)
    sandbox.advance(2)
    shop.done("list")
    with watching(shop, *words):
        wait_until(lambda: len(booked(script)) == 2)
    assert [event["payment"]["id"] for event in booked(script)] == [first, second]


def test_killed_at_any_moment_a_program_misses_nothing(
    shop: Shell, sandbox: SandboxProcess, script: Path
) -> None:
    chance = random.Random(5)
    words = ["watch", "--exec", f"{sys.executable} {script}"]
    payment = created(shop, "90")
    with watching(shop, *words[1:]) as watch:  # its place is kept from here on
        watch.end(signal.SIGTERM)
    before = logged(shop)

    def killed() -> None:
        with shop.spawn(*words, stderr=subprocess.PIPE) as process:
            time.sleep(chance.uniform(0.5, 2))
            process.kill()

    for turn in range(8):
        sandbox.pay(payment, 100 + turn, packets=2)
        killed()
    sandbox.advance(2)
    shop.done("list")
    wanted = logged(shop)[len(before) :]
    with watching(shop, *words[1:]) as watch:
        wait_until(lambda: wanted[-1] in [event["cursor"] for event in booked(script)])
        watch.end(signal.SIGTERM)
    told = [event["cursor"] for event in booked(script)]
    assert list(dict.fromkeys(told)) == wanted  # in order, some perhaps twice in a row
    assert len(told) - len(wanted) <= 8


def test_what_a_program_does_not_take_is_kept_and_handed_over_later(
    shop: Shell, sandbox: SandboxProcess, script: Path
) -> None:
    fails = script.with_name("fails")
    fails.touch()
    words = ["--json", "--retries", "0", "--exec", f"{sys.executable} {script} --token hush"]
    shop.done("list")
    with watching(shop, *words) as watch:
        payment = created(shop, "5", HOSTILE)
        event = watch.change()
        watch.wait_to_hear("ended with exit code 1; given up after 1 attempt")
    (dead,) = shop.done("hooks", "dead", "--json").lines
    assert (dead["event"], dead["attempts"], dead["reason"]) == (
        event,
        1,
        "ended with exit code 1",
    )
    table = shop.done("hooks", "dead")
    assert dead["id"] in table.out
    assert "\x1b" not in table.out
    assert "hush" not in f"{table.out}{dead}{shop.done('hooks', 'list').out}"

    again = shop("hooks", "retry")
    assert (again.code, "1 not" in again.err) == (1, True)
    assert len(shop.done("hooks", "dead", "--json").lines) == 1
    fails.unlink()
    assert "1 event taken" in shop.done("hooks", "retry", dead["id"]).err
    assert [one["payment"]["id"] for one in booked(script)] == [payment]
    assert shop.done("hooks", "dead", "--json").lines == []
    assert "Everything was taken" in shop.done("hooks", "dead").err


def test_dead_letters_can_be_dropped(shop: Shell, script: Path) -> None:
    script.with_name("fails").touch()
    shop.done("list")
    words = ["--retries", "0", "--exec", f"{sys.executable} {script}"]
    with watching(shop, *words) as watch:
        for number in range(3):
            created(shop, "5", f"INV-{number}")
            watch.wait_to_hear("given up")
        watch.end(signal.SIGTERM)
    first, *_ = (dead["id"] for dead in shop.done("hooks", "dead", "--json").lines)
    (listed,) = shop.done("hooks", "list", "--json").lines
    assert (listed["dead"], listed["behind"], listed["kind"]) == (3, 0, "exec")
    assert shop("hooks", "drop").code == 2
    assert shop("hooks", "drop", "ffffffff").code == 2
    assert "1 event deleted" in shop.done("hooks", "drop", first).err
    assert "2 events deleted" in shop.done("hooks", "drop", "--all").err
    assert shop.done("hooks", "dead", "--json").lines == []


def test_a_hook_that_runs_no_more_is_forgotten(shop: Shell, script: Path) -> None:
    script.with_name("fails").touch()
    shop.done("list")
    words = ["--retries", "0", "--exec", f"{sys.executable} {script}"]
    with watching(shop, *words) as watch:
        created(shop, "5", "INV-1")
        watch.wait_to_hear("given up")
        for _ in range(200):  # its place moves once the event is among the dead letters
            (listed,) = shop.done("hooks", "list", "--json").lines
            if not listed["behind"]:
                break
            time.sleep(0.05)
        running = shop("hooks", "forget", listed["hook"], "--dead")
        assert (running.code, "is running" in running.err) == (2, True)
        watch.end(signal.SIGTERM)
    created(shop, "5", "INV-2")
    refused = shop("hooks", "forget", listed["hook"])
    assert (refused.code, "did not take 1 event; it was not forgotten" in refused.err) == (2, True)
    assert "no hook “nobody”" in shop("hooks", "forget", "nobody").err
    assert shop("hooks", "forget", "").code == 2
    assert shop.done("hooks", "list", "--json").lines == [{**listed, "behind": 1}]

    told = shop.done("hooks", "forget", listed["hook"][:5], "--dead").err
    assert f"{listed['hook']} (exec {listed['name']}) is forgotten" in told
    assert "it had yet to look at 1 event; 1 event that it did not take was deleted." in told
    assert shop.done("hooks", "list", "--json").lines == []
    assert shop.done("hooks", "dead", "--json").lines == []

    with watching(shop, *words) as watch:
        watch.end(signal.SIGTERM)
    assert shop.done("hooks", "list", "--json").line["behind"] == 0
    assert "is forgotten." in shop.done("hooks", "forget", f"exec {listed['name']}").err


def test_a_web_hook_is_told_signed_and_in_order(
    shop: Shell, sandbox: SandboxProcess, hook: Answering
) -> None:
    secret = shop.done("hooks", "secret").out.strip()
    assert shop.done("hooks", "secret").out.strip() == secret
    hook.answers = [(500, {}), (429, {"Retry-After": "0"})]
    shop.done("list")
    with watching(shop, "--json", "--webhook", f"{hook.url}?key=hush") as watch:
        payment = created(shop, "5", HOSTILE)
        sandbox.pay(payment, packets=1)
        sandbox.advance(2)
        lines = [watch.change()]
        while lines[-1]["announce"] != "paid":
            lines.append(watch.change())
        wait_until(lambda: len(hook.got) == len(lines) + 2)
        watch.wait_to_hear("answered 500; again in")
        _, _, talk = watch.end(signal.SIGTERM)
    assert [json.loads(body) for _, body in hook.got] == [lines[0], lines[0], *lines]
    assert all(verified(secret, headers, body) for headers, body in hook.got)
    assert secret not in everything(shop)
    assert not {"hush", secret} & {*talk.split()}
    assert "hush" not in shop.done("hooks", "list").out
    new = shop.done("hooks", "secret", "--new").out.strip()
    assert new != secret
    assert "signs no more" in shop.done("hooks", "secret", "--forget-former").err
    assert shop.done("hooks", "secret").out.strip() == new


def test_a_web_hook_without_a_secret_is_refused(shop: Shell, hook: Answering) -> None:
    shop.done("list")
    ran = shop("watch", "--webhook", hook.url)
    assert ran.code == 2
    assert "opdash hooks secret --wallet shop" in ran.err


def test_a_secret_can_come_from_a_file_or_the_environment(
    shop: Shell, hook: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = "whsec_" + "QUJD" * 10
    file = tmp_path / "secret"
    file.touch(0o600)
    file.write_text(f"{given}\n")
    shop.done("list")
    with watching(shop, "--webhook", hook.url, "--webhook-secret-file", str(file)):
        created(shop)
        wait_until(lambda: hook.got)
    assert verified(given, *hook.got[0])
    hook.got.clear()
    monkeypatch.setenv("OPDASH_WEBHOOK_SECRET", given)
    with watching(shop, "--webhook", hook.url):
        created(shop)
        wait_until(lambda: hook.got)
    assert verified(given, *hook.got[0])
    monkeypatch.setenv("OPDASH_WEBHOOK_SECRET", "hush")
    ran = shop("watch", "--webhook", hook.url)
    assert ran.code == 2
    assert "hush" not in ran.err


def test_a_web_hook_that_hangs_holds_up_nobody(
    shop: Shell, sandbox: SandboxProcess, hook: Answering, script: Path
) -> None:
    shop.done("hooks", "secret")
    over = threading.Event()

    def hang() -> None:
        over.wait(PATIENCE)

    hook.answers = [hang] * 20
    shop.done("list")
    words = ["--webhook", hook.url, "--exec", f"{sys.executable} {script}"]
    try:
        with watching(shop, "--json", *words) as watch:
            payment = created(shop, "5")
            wait_until(lambda: hook.got)
            sandbox.pay(payment, packets=1)
            sandbox.advance(2)
            change = watch.change()
            while change["announce"] != "paid":
                change = watch.change()
            wait_until(lambda: [one["cursor"] for one in booked(script)][-1:] == [change["cursor"]])
            assert len(hook.got) == 1
            watch.end(signal.SIGTERM)
    finally:
        over.set()
    listed = {one["kind"]: one["behind"] for one in shop.done("hooks", "list", "--json").lines}
    assert listed["exec"] == 0
    assert listed["webhook"] > 0
    assert len(logged(shop)) >= listed["webhook"]


def at_terminal(shop: Shell, *words: str, until: str) -> str:
    """Watch with the talk at a terminal that shows notifications; return what it was sent."""
    controller, terminal = pty.openpty()
    plain = {name: value for name, value in os.environ.items() if name not in ("TMUX", "STY")}
    environment = {**plain, "TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}
    process = shop.spawn("watch", "--json", *words, stderr=terminal, env=environment)
    os.close(terminal)
    heard = ""
    try:
        while until not in heard:
            ready, _, _ = select.select([controller], [], [], PATIENCE)
            assert ready, heard
            heard += os.read(controller, 4096).decode()
    finally:
        process.kill()
        process.communicate()
        os.close(controller)
    return heard


def test_a_payment_is_rung_for_once_ever(shop: Shell, sandbox: SandboxProcess) -> None:
    first, second = created(shop, "5", HOSTILE), created(shop, "6", "INV-2")
    shop.done("list")
    sandbox.pay(first, packets=1)
    heard = at_terminal(shop, "--notify", "both", until="\a")
    words = "$(touch owned); `touch owned` | x␊␛]9;owned␇' \""
    assert re.findall(r"\x1b[^\x1b]*\x1b.|\a", heard) == [
        f"\x1b]9;opdash: Paid: 5.00 USD · {words}\x1b\\",
        "\a",
    ]
    sandbox.pay(second, 650, packets=1)
    heard = at_terminal(shop, "--notify", "desktop", until="INV-2\x1b\\")
    assert heard.count("\x1b]9;") == 1  # and not once more for the first
    assert "opdash: Overpaid: 6.50 of 6.00 USD · INV-2" in heard
