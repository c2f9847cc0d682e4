"""``opdash receipt``: what a customer gets, on the sandbox and into files."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile


def pay(sandbox: SandboxProcess, url: str, amount: int) -> None:
    """Pay a payment, and wait until the money is there."""
    sandbox.pay(url, amount, packets=1)
    sandbox.advance(2)


@pytest.fixture
def mortal(start_sandbox: Callable[..., SandboxProcess], tmp_path: Path) -> SandboxProcess:
    """A sandbox to stop, whose client keeps its key."""
    return start_sandbox(key_file=tmp_path / "client.pem")


@pytest.fixture
def payment(shop: Shell) -> str:
    words = ["--amount", "80", "--reference", "INV-77", "--description", "<b>Tea</b> | [x](y)"]
    url: str = shop.done("create", *words, "--json").line["paymentId"]
    return url


def test_before_during_and_after(shop: Shell, payment: str, sandbox: SandboxProcess) -> None:
    before = shop.done("receipt", payment, "--zone", "UTC").out
    assert before.startswith("Payment request for INV-77\n")
    assert "Not paid. It can be paid until" in before
    pay(sandbox, payment, 3000)
    half = shop.done("receipt", payment, "--zone", "UTC").out
    assert half.startswith("Receipt for INV-77\n")
    assert "Paid 30.00 of 80.00 USD; 50.00 USD missing." in " ".join(half.split())
    pay(sandbox, payment, 5000)
    after = shop.done("receipt", payment, "--zone", "UTC").out
    assert "Paid in full on" in after
    assert "What arrived when" in after
    assert payment in after.replace("\n", "").replace(" ", "")


def test_nothing_but_the_receipt_is_printed(shop: Shell, payment: str) -> None:
    shop.done("note", payment, "--text", "difficult customer", "--label", "vip")
    for form in ("text", "markdown", "html"):
        out = shop.done("receipt", payment, "--format", form).out
        assert "difficult" not in out
        assert "vip" not in out
        assert "<b>Tea" not in out or form == "text"


def test_for_programs(shop: Shell, payment: str, sandbox: SandboxProcess) -> None:
    pay(sandbox, payment, 3000)
    line = shop.done("receipt", payment, "--json").line
    assert (line["payment"], line["walletAddress"]) == (payment, sandbox.main_wallet)
    assert (line["state"], line["reference"]) == ("PARTIAL", "INV-77")
    assert line["missing"]["decimal"] == "50.00"
    assert [step["delta"]["decimal"] for step in line["steps"]] == ["30.00"]
    assert line["sentence"].startswith("Paid 30.00 of 80.00 USD")


def test_into_a_file(shop: Shell, payment: str, tmp_path: Path) -> None:
    target = tmp_path / "receipt.html"
    ran = shop.done("receipt", payment, "--output", str(target))
    assert ran.out == ""
    assert f"Wrote the receipt into {target}." in ran.err
    assert target.read_text().startswith("<!DOCTYPE html>")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_part_of_the_id_is_enough_and_none_is_too_little(shop: Shell, payment: str) -> None:
    short = payment.rpartition("/")[2][:13]
    assert payment[-12:] in shop.done("receipt", short, "--offline", "--format", "html").out
    ran = shop("receipt", "nothing-of-the-kind", "--offline")
    assert ran.code == 2
    assert "knows no payment" in ran.err
    assert shop("receipt", payment, "--zone", "Mars/Base").code == 2


def test_what_the_server_has_forgotten(shell: Shell, fresh_sandbox: SandboxProcess) -> None:
    shell.set_up(shop_profile(fresh_sandbox))
    url = shell.done("create", "--amount", "5", "--expires-in", "10m", "--json").line["paymentId"]
    fresh_sandbox.advance(7200)
    ran = shell.done("receipt", url)
    assert "The server no longer has this payment" in ran.err
    assert "Not paid. It could be paid until" in " ".join(ran.out.split())


def test_where_the_server_is_away(shell: Shell, mortal: SandboxProcess) -> None:
    shell.set_up(shop_profile(mortal))
    url = shell.done("create", "--amount", "5", "--json").line["paymentId"]
    mortal.stop()
    ran = shell("receipt", url)
    assert ran.code == 5
    assert "this is as last known" in ran.err
    assert "Not paid." in ran.out
    assert shell.done("receipt", url, "--offline").out
