"""Signing out while another opdash works for the same wallet: it stops, says why, and can go on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from opdash.ledger.records import Scope
from opdash.paths import token_path
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile
from tests.cli.test_watch import watching
from tests.kept_tokens import kept_in
from tests.sandbox.browser import Browser

_URL = re.compile(r"https?://127\.0\.0\.1:\d+/auth/interact/\S+")


@pytest.fixture(scope="module")
def asking() -> Iterator[SandboxProcess]:
    """A sandbox whose account holders decide themselves."""
    with SandboxProcess.start(payments=3, continue_wait=1) as process:
        yield process


def requests_for_grants(trace: Path) -> int:
    """How often a command asked for a grant, as its trace tells."""
    return trace.read_text(encoding="utf-8").count("to ask for a grant")


@pytest.mark.parametrize("server", ["answers", "is down"])
def test_another_opdash_that_runs_stops_and_says_why(
    shell: Shell, fresh_sandbox: SandboxProcess, tmp_path: Path, server: str
) -> None:
    shell.set_up(shop_profile(fresh_sandbox))
    trace = tmp_path / "requests.txt"
    path = token_path(shell.data_dir, "shop")
    with watching(shell, "--trace", str(trace)) as watch:
        asked = requests_for_grants(trace)
        if server == "is down":
            fresh_sandbox.take_down("authorization")
        assert shell("signout", "shop").code == (0 if server == "answers" else 5)
        watch.wait_to_hear("Another opdash gave back the right to read and create")
        fresh_sandbox.take_down()
        fresh_sandbox.advance(700)  # a token that was not revoked would be renewed by now
        shell.done("grants", "list")
        assert kept_in(path) == {}
        assert requests_for_grants(trace) == asked
        shell.done("grants", "renew")  # whoever gets the right again gets it for all
        watch.wait_to_hear("live")
        assert requests_for_grants(trace) == asked
    assert kept_in(path)


def test_a_start_after_it_asks_anew(shop: Shell) -> None:
    shop.done("list")
    shop.done("signout")
    shop.done("list")
    assert kept_in(token_path(shop.data_dir, "shop"))


def test_a_grant_that_is_on_its_way_is_given_back(shell: Shell, asking: SandboxProcess) -> None:
    """Somebody signs out while the account holder is asked; then they consent."""
    shell.set_up(shop_profile(asking, scope=Scope.EVERYTHING))
    with shell.spawn("list", stderr=subprocess.PIPE) as process, Browser() as browser:
        assert process.stderr is not None
        said = ""
        while not (found := _URL.search(said)):
            said += process.stderr.readline()
        shell.done("signout")
        browser.press(browser.open(found[0]), "Allow")
        rest = process.communicate(timeout=60)[1]
    assert process.returncode == 4
    assert "Another opdash gave back the right" in rest
    assert kept_in(token_path(shell.data_dir, "shop")) == {}


def test_two_that_need_consent_ask_once(shell: Shell, asking: SandboxProcess) -> None:
    shell.set_up(shop_profile(asking, scope=Scope.EVERYTHING))
    with shell.spawn("list", stderr=subprocess.PIPE) as first, Browser() as browser:
        assert first.stderr is not None
        said = ""
        while not (found := _URL.search(said)):
            said += first.stderr.readline()
        with shell.spawn("list", stderr=subprocess.PIPE) as second:
            assert second.stderr is not None
            line = "…"
            while line and "Another opdash on this machine asks for this consent" not in line:
                line = second.stderr.readline()
            assert line
            browser.press(browser.open(found[0]), "Allow")
            first.communicate(timeout=60)
            others = second.communicate(timeout=60)[1]
    assert (first.returncode, second.returncode) == (0, 0)
    assert not _URL.search(others)


def test_one_that_waits_for_the_other_asks_itself_when_that_one_ends(
    shell: Shell, asking: SandboxProcess
) -> None:
    shell.set_up(shop_profile(asking, scope=Scope.EVERYTHING))
    with shell.spawn("list", stderr=subprocess.PIPE) as first:
        assert first.stderr is not None
        while "minutes for it" not in first.stderr.readline():
            pass
        with shell.spawn("list", stderr=subprocess.PIPE) as second, Browser() as browser:
            assert second.stderr is not None
            while "Another opdash on this machine" not in second.stderr.readline():
                pass
            first.kill()
            said = ""
            while not (found := _URL.search(said)):
                said += second.stderr.readline()
            browser.press(browser.open(found[0]), "Allow")
            second.communicate(timeout=60)
        first.communicate()
    assert second.returncode == 0


def url_in(process: subprocess.Popen[str]) -> str:
    """Where the account holder is asked, once a command says so."""
    assert process.stderr is not None
    said = line = "…"
    while line and not _URL.search(said):
        said += (line := process.stderr.readline())
    found = _URL.search(said)
    assert found, said
    return found[0]


def test_what_the_account_holder_refused_is_asked_again_only_by_a_person(
    shell: Shell, asking: SandboxProcess, tmp_path: Path
) -> None:
    """Of two that watch one asks and is refused; the other takes over, and asks nobody."""
    shell.set_up(shop_profile(asking, scope=Scope.EVERYTHING))
    streams = {"stderr": subprocess.PIPE}
    trace = tmp_path / "second.txt"
    with Browser() as browser:
        with shell.spawn("list", **streams) as listing:
            browser.press(browser.open(url_in(listing)), "Allow")
            listing.communicate(timeout=60)
        shell.done("signout", "--yes")
        with shell.spawn("watch", **streams) as first:
            url = url_in(first)
            with watching(shell, "--trace", str(trace)) as second:
                browser.press(browser.open(url), "Deny")
                second.wait_to_hear("when another opdash asked; this one does not ask by itself")
                assert not _URL.search(trace.read_text(encoding="utf-8"))
                with shell.spawn("grants", "renew", **streams) as renewing:
                    browser.press(browser.open(url_in(renewing)), "Allow")
                    renewing.communicate(timeout=60)
                assert renewing.returncode == 0
                second.wait_to_hear("live")
                assert requests_for_grants(trace) == 0
            first.kill()
