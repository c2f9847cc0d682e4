"""``opdash outgoing``: an outgoing payment of a wallet of ours, and of no one else's."""

from __future__ import annotations

import json
import subprocess

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
    words = ["outgoing", url, "--wallet", "payer"]

    with (
        sender.spawn(*words, "--json", stderr=subprocess.PIPE) as for_machines,
        sender.spawn(*words, stderr=subprocess.PIPE) as for_people,
    ):
        out, err = for_machines.communicate(timeout=60)
        shown, talk = for_people.communicate(timeout=60)

    assert (for_machines.returncode, for_people.returncode) == (0, 0), err
    line = json.loads(out)
    assert (line["id"], line["receiver"]) == (url, receiver)
    assert (line["state"], line["failed"]) == ("SENT", False)
    assert line["receive"]["decimal"] == "80.00"
    assert int(line["debit"]["value"]) >= 8000
    assert "must consent" in err + talk  # the quicker one asks, the other may find the token
    assert sandbox.url in err + talk
    for words_shown in ("● SENT", "80.00 USD", receiver):
        assert words_shown in shown


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
