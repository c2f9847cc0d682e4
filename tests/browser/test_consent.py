"""A person consents in a real browser, and opdash, which waits, goes on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.browser.chromium import Chromium
from tests.cli.conftest import Shell, shop_profile

_URL = re.compile(r"http://127\.0\.0\.1:\d+/auth/interact/\S+")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module")
def asking() -> Iterator[SandboxProcess]:
    """A sandbox whose account holders decide themselves."""
    with SandboxProcess.start(payments=3) as process:
        yield process


class Paid:
    """A shell, and a payment that a wallet of its own sent."""

    def __init__(self, shell: Shell, url: str) -> None:
        self.shell = shell
        self.url = url

    def looked_up(self, way: str) -> subprocess.Popen[str]:
        """Begin to look it up, which takes consent."""
        words = ["outgoing", self.url, "--wallet", "payer", "--json", "--consent", way]
        return self.shell.spawn(*words, stderr=subprocess.PIPE)


@pytest.fixture
def paid(tmp_path: Path, capsys: pytest.CaptureFixture[str], asking: SandboxProcess) -> Paid:
    shell = Shell(tmp_path, capsys)
    payer = shop_profile(asking, name="payer", wallet_address=asking.sender)
    shell.set_up(shop_profile(asking), payer)
    words = ["--wallet", "shop", "--amount", "80", "--json"]
    url = asking.pay(shell.done("create", *words).line["paymentId"], packets=1)
    asking.advance(2)
    return Paid(shell, url)


def address(process: subprocess.Popen[str]) -> str:
    """Return the address that a command asks to open."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := _URL.search(line):
            return found[0]
    raise AssertionError("no address was told")


def test_the_browser_returns_to_a_waiting_opdash(chromium: Chromium, paid: Paid) -> None:
    with paid.looked_up("redirect") as process:
        chromium.open(address(process))
        chromium.wait_for_text("opdash asks for your consent")
        assert "read every outgoing payment" in chromium.text
        chromium.press("Allow")
        chromium.wait_for_text("return to opdash")
        assert re.match(r"http://127\.0\.0\.1:\d+/consent/", chromium.url)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Consent was given" in err
    assert paid.url in out


def test_a_waiting_opdash_finds_out_by_polling(chromium: Chromium, paid: Paid) -> None:
    with paid.looked_up("polling") as process:
        chromium.open(address(process))
        chromium.press("Allow")
        chromium.wait_for_text("You allowed it")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Consent was given" in err
    assert paid.url in out


@pytest.mark.parametrize(
    ("way", "page"), [("redirect", "return to opdash"), ("polling", "You denied it")]
)
def test_a_denial_is_told(chromium: Chromium, paid: Paid, way: str, page: str) -> None:
    with paid.looked_up(way) as process:
        chromium.open(address(process))
        chromium.press("Deny")
        chromium.wait_for_text(page)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (4, "")
    assert "The account holder refused: opdash may not read outgoing payments." in err
