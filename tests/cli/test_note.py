"""``opdash note``: what a person writes on a payment stays with opdash."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile

SECRET = "do-not-send-this"
EVIL = "red \x1b[31m line\nsecond\u202e line"


def pay(sandbox: SandboxProcess, url: str, amount: int) -> None:
    """Pay a payment, and wait until the money is there."""
    sandbox.pay(url, amount, packets=1)
    sandbox.advance(2)


@pytest.fixture
def payment(shop: Shell) -> str:
    """A payment that was closed short, which needs action."""
    url: str = shop.done("create", "--amount", "80", "--json").line["paymentId"]
    return url


@pytest.fixture
def short(shop: Shell, sandbox: SandboxProcess, payment: str) -> str:
    pay(sandbox, payment, 3000)
    shop.done("complete", payment, "--yes", "--received", "30")
    return payment


def test_what_was_written_is_shown_everywhere(shop: Shell, payment: str) -> None:
    name = payment.rpartition("/")[2]
    line = shop.done(
        "note", name, "--label", "vip,Claim", "--label", "rush", "--text", "Rosa rang.", "--json"
    ).line
    assert (line["id"], line["labels"], line["note"]) == (
        payment,
        ["vip", "Claim", "rush"],
        "Rosa rang.",
    )
    assert [step["kind"] for step in line["history"]] == ["labelled"] * 3 + ["noted"]
    shop.done("note", name, "--no-label", "CLAIM", "--text", "Rang twice.")
    listed = shop.done("list", "--filter", "label:vip note:twice", "--json").line
    assert (listed["labels"], listed["note"]) == (["vip", "rush"], "Rang twice.")
    shown = shop.done("show", payment, "--json").line
    assert (shown["labels"], shown["resolution"]) == (["vip", "rush"], None)
    assert "vip, rush" in shop.done("show", payment).out
    log = shop.done("log", payment).out
    assert "labelled Claim" in log
    assert "label Claim taken away" in log
    assert "note: Rosa rang." in log
    assert shop.done("log", payment, "--json").lines[-1]["text"] == "Rang twice."
    plain = shop.done("note", payment).out
    assert "Rang twice." in plain
    assert "note: Rosa rang." in plain


def test_a_settled_payment_needs_no_action(shop: Shell, short: str) -> None:
    query = ("list", "--filter", f"is:action id:{short.rpartition('/')[2]}", "--json", "--offline")
    assert shop.done(*query).line["needsAction"]
    line = shop.done("note", short, "--resolve", "written-off", "--json").line
    assert not line["needsAction"]
    resolution = line["resolution"]
    assert (resolution["as"], resolution["outdated"]) == ("written-off", False)
    assert resolution["received"]["decimal"] == "30.00"
    assert shop.done(*query).lines == []
    shop.done("sync")
    assert shop.done(*query).lines == []
    found = shop.done("list", "--filter", "resolution:written", "--json", "--offline").line
    assert found["id"] == short
    assert "written off on 20" in shop.done("note", short).out
    shop.done("note", short, "--resolve", "none")
    assert shop.done(*query).line["id"] == short
    assert "resolution taken back" in shop.done("log", short).out


def test_more_money_after_it_was_settled(
    shop: Shell, sandbox: SandboxProcess, payment: str
) -> None:
    pay(sandbox, payment, 3000)
    shop.done("show", payment)
    shop.done("note", payment, "--resolve", "accepted")
    pay(sandbox, payment, 500)
    shop.done("complete", payment, "--yes", "--received", "35")
    line = shop.done("note", payment, "--json").line
    assert (line["needsAction"], line["resolution"]["outdated"]) == (True, True)
    said = shop.done("note", payment).out
    assert "It was accepted with 30.00 USD received; 35.00 USD have arrived by now." in said
    assert "needs action  yes" in said


def test_a_note_is_read_from_standard_input_and_shown_safely(
    shop: Shell, payment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(EVIL + "\n"))
    shop.done("note", payment, "--text", "-")
    ran = shop.done("note", payment)
    assert "\x1b" not in ran.out
    assert "second" in ran.out.splitlines()[1]
    assert json.loads(shop.done("note", payment, "--json").out)["note"] == EVIL
    assert "\x1b" not in shop.done("log", payment).out


def test_nothing_to_do_is_said(shop: Shell, payment: str) -> None:
    assert "Nothing was ever written on it." in shop.done("note", payment).err
    ran = shop.done("note", payment, "--no-label", "vip", "--text", "")
    assert "Nothing has changed" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--label", "two words"], "“two words” is no label."),
        (["--label", ""], "A label is empty."),
        (["--label", "x" * 33], "longer than 32 characters"),
        (["--resolve", "refunde"], "invalid choice"),
        (["--text", "x" * 4001], "The note has 4,001 characters"),
        (["--lable", "x"], "Did you mean “--label”?"),
    ],
)
def test_what_is_wrong_is_said(shop: Shell, payment: str, words: list[str], said: str) -> None:
    ran = shop("note", payment, *words)
    assert ran.code == 2
    assert said in ran.err
    assert shop.done("note", payment, "--json").line["history"] == []


def test_an_unknown_payment(shop: Shell, payment: str) -> None:
    ran = shop("note", "nonsense", "--text", "x")
    assert (ran.code, "knows no payment" in ran.err) == (2, True)


def test_nothing_of_it_is_ever_sent(
    shell: Shell, fresh_sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """All that is asked of the server after a note was written, word for word."""
    shell.set_up(shop_profile(fresh_sandbox))
    url = shell.done("create", "--amount", "80", "--json").line["paymentId"]
    pay(fresh_sandbox, url, 3000)
    trace = tmp_path / "requests.txt"
    labels = f"{SECRET}-label"
    shell.done(
        *("note", url, "--trace", str(trace)),
        *("--label", labels, "--text", SECRET, "--resolve", "refunded"),
    )
    assert not trace.exists() or not trace.read_text()
    for words in (
        ["sync"],
        ["list", "--filter", f"label:{labels}", "--json"],
        ["show", url],
        ["create", "--amount", "5"],
        ["complete", url, "--yes", "--received", "30"],
        ["doctor"],
    ):
        shell.done(*words, "--trace", str(trace))
    sent = trace.read_text()
    assert f"GET {url}" in sent or url.rpartition("/")[2] in sent
    assert SECRET not in sent
    assert "refunded" not in sent
    assert SECRET in json.dumps(shell.done("note", url, "--json").line)
    at_server = json.dumps(fresh_sandbox.state())
    assert SECRET not in at_server


def test_a_purge_leaves_it_unless_told(shell: Shell, fresh_sandbox: SandboxProcess) -> None:
    shell.set_up(shop_profile(fresh_sandbox))
    url = shell.done("create", "--amount", "80", "--json").line["paymentId"]
    shell.done("note", url, "--label", "vip", "--resolve", "accepted")
    ran = shell.done("ledger", "purge", "shop", "--yes")
    assert "What was written on 1 of its payments stays" in ran.err
    shell.done("sync")
    line = shell.done("note", url, "--json").line
    assert (line["labels"], line["resolution"]["as"]) == (["vip"], "accepted")
    assert len(line["history"]) == 2
    shell.done("ledger", "purge", "shop", "--yes", "--notes")
    shell.done("sync")
    assert shell.done("note", url, "--json").line["history"] == []
