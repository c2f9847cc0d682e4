"""``opdash outgoing``: an outgoing payment of a wallet of ours, and of no one else's."""

from __future__ import annotations

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile


@pytest.fixture
def sender(shell: Shell, sandbox: SandboxProcess) -> Shell:
    """A shell with the shop and the wallet that pays it."""
    payer = shop_profile(sandbox, name="payer", wallet_address=sandbox.sender)
    shell.set_up(shop_profile(sandbox), payer)
    return shell


@pytest.fixture
def receiver(sender: Shell) -> str:
    words = ["--wallet", "shop", "--amount", "80", "--json"]
    url: str = sender.done("create", *words).line["paymentId"]
    return url


def test_it_is_shown_after_consent(sender: Shell, sandbox: SandboxProcess, receiver: str) -> None:
    url = sandbox.pay(receiver, packets=1)
    sandbox.advance(1)

    ran = sender.done("outgoing", url, "--wallet", "payer", "--json")

    line = ran.line
    assert (line["id"], line["receiver"]) == (url, receiver)
    assert (line["state"], line["failed"]) == ("SENT", False)
    assert line["receive"]["decimal"] == "80.00"
    assert line["debit"]["assetCode"]
    assert "must consent" in ran.err
    assert sandbox.url in ran.err


def test_people_see_it_in_words(sender: Shell, sandbox: SandboxProcess, receiver: str) -> None:
    url = sandbox.pay(receiver, packets=1)
    sandbox.advance(1)

    out = sender.done("outgoing", url, "--wallet", "payer").out

    assert "● SENT" in out
    assert "80.00 USD" in out
    assert receiver in out


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("nonsense", 2, "does not begin with https://"),
        ("https://elsewhere.example/outgoing-payments/1", 4, "None of your wallets"),
        ("http://elsewhere.example/outgoing-payments/1", 2, "Use https:// instead"),
    ],
)
def test_bad_input_gets_a_sentence(sender: Shell, url: str, code: int, said: str) -> None:
    ran = sender("outgoing", url, "--wallet", "shop")

    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
