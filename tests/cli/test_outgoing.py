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
        ("https://elsewhere.example/outgoing-payments/1", 4, "“shop” does not live"),
        ("http://elsewhere.example/outgoing-payments/1", 2, "Use https:// instead"),
    ],
)
def test_bad_input_gets_a_sentence(sender: Shell, url: str, code: int, said: str) -> None:
    ran = sender("outgoing", url, "--wallet", "shop")

    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_where_no_wallet_is_named_all_are_looked_at(sender: Shell) -> None:
    ran = sender("outgoing", "https://elsewhere.example/outgoing-payments/1")

    assert (ran.code, ran.out) == (4, "")
    assert "None of your wallets" in ran.err


def test_the_list_is_printed_and_stays_when_the_server_is_down(
    sender: Shell, sandbox: SandboxProcess, receiver: str
) -> None:
    url = sandbox.pay(receiver, packets=1)
    sandbox.advance(1)
    words = ["outgoing", "--list", "--wallet", "payer"]
    assert sender("outgoing", url, "--offline", "--wallet", "payer").code == 1
    first = sender.done(*words, "--json").lines[0]
    assert (first["id"], first["receiver"]) == (url, receiver)
    assert first["lastSeenAt"] is not None
    assert first["rate"].count("/") <= 1
    shown = sender.done(*words, "--first", "1")
    assert url in shown.out
    assert "1 of " in shown.err
    sandbox.take_down("resource", "authorization", "wallet-address")
    try:
        down = sender(*words)
        assert down.code == 5
        assert url in down.out
        assert "as last seen" in down.err
        alone = sender("outgoing", url, "--wallet", "payer", "--json")
        assert alone.code == 5
        assert alone.line["lastSeenAt"] is not None
    finally:
        sandbox.take_down()
    offline = sender.done("outgoing", url, "--offline", "--wallet", "payer")
    assert "as of" in offline.out
    assert "exactly" in offline.out


def test_it_is_followed_until_it_is_final(
    sender: Shell, sandbox: SandboxProcess, receiver: str
) -> None:
    url = sandbox.pay(receiver, packets=40)
    words = ["outgoing", url, "--follow", "--wallet", "payer", "--json"]
    with sender.spawn(*words, stderr=subprocess.PIPE) as following:
        assert following.stdout is not None
        steps = [json.loads(following.stdout.readline())]
        sandbox.advance(60)
        rest, err = following.communicate(timeout=120)
    steps += [json.loads(line) for line in rest.splitlines()]
    assert following.returncode == 0, err
    assert [step["state"] for step in steps[:-1]] == ["SENDING"] * (len(steps) - 1)
    assert steps[-1]["state"] == "SENT"
    sent = [int(step["sent"]["value"]) for step in steps]
    assert sent == sorted(sent)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--list", "https://ilp.example/outgoing-payments/1"],
        ["--list", "--follow"],
        ["https://ilp.example/outgoing-payments/1", "--follow", "--offline"],
    ],
)
def test_what_does_not_go_together_is_refused(sender: Shell, words: list[str]) -> None:
    ran = sender("outgoing", *words)
    assert (ran.code, ran.out) == (2, "")
