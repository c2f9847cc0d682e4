"""``opdash complete``: deliberate, or not at all."""

from __future__ import annotations

import pytest

from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell


@pytest.fixture
def payment(shop: Shell, sandbox: SandboxProcess) -> str:
    """A payment of 80.00 of which 50.00 have arrived."""
    url: str = shop.done("create", "--amount", "80", "--json").line["paymentId"]
    sandbox.pay(url, 5000)
    sandbox.advance(1)
    return url


def is_completed(sandbox: SandboxProcess, payment: str) -> bool:
    found: bool = sandbox.state(payment)["payment"]["completed"]
    return found


def test_the_received_amount_completes_a_payment_short(
    shop: Shell, sandbox: SandboxProcess, payment: str
) -> None:
    ran = shop.done("complete", payment, "--yes", "--received", "50.00", "--json")

    assert (ran.line["state"], ran.line["completed"]) == ("CLOSED SHORT", True)
    assert ran.line["needsAction"] is True
    assert "The payment is completed." in ran.err
    assert is_completed(sandbox, payment)


@pytest.mark.parametrize("amount", ["80", "49.99", "0", "5000"])
def test_another_amount_than_what_is_there_does_nothing(
    shop: Shell, sandbox: SandboxProcess, payment: str, amount: str
) -> None:
    ran = shop("complete", payment, "--yes", "--received", amount)

    assert (ran.code, ran.out) == (1, "")
    assert "has received 50.00 USD" in ran.err
    assert "nothing was done" in ran.err
    assert not is_completed(sandbox, payment)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Say --yes and --received AMOUNT"),
        (["--received", "50"], "Say --yes and --received AMOUNT"),
        (["--yes"], "--yes needs --received AMOUNT"),
        (["--yes", "--received", "50,000"], "two ways"),
        (["--yes", "--received", "50.000"], "has more"),
    ],
)
def test_without_a_terminal_both_must_be_said(
    shop: Shell, sandbox: SandboxProcess, payment: str, words: list[str], said: str
) -> None:
    ran = shop("complete", payment, *words)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not is_completed(sandbox, payment)


def test_at_a_terminal_the_received_amount_is_typed(
    shop: Shell, sandbox: SandboxProcess, payment: str
) -> None:
    ran = shop.at_terminal("complete", payment, "--json", typed="50\n")

    assert ran.code == 0, ran.err
    for shown in ("asked      80.00 USD", "received   50.00 USD", "shortfall  30.00 USD", "undone"):
        assert shown in ran.err
    assert ran.line["state"] == "CLOSED SHORT"
    assert is_completed(sandbox, payment)


@pytest.mark.parametrize("typed", ["\n", "yes\n", "y\n", "80\n", "no\n", "\x04"])
def test_anything_else_typed_does_nothing(
    shop: Shell, sandbox: SandboxProcess, payment: str, typed: str
) -> None:
    ran = shop.at_terminal("complete", payment, typed=typed)

    assert (ran.code, ran.out) == (1, "")
    assert "Nothing was done." in ran.err
    assert not is_completed(sandbox, payment)


def test_without_a_shortfall_yes_is_enough(shop: Shell, sandbox: SandboxProcess) -> None:
    payment = shop.done("create", "--description", "tip", "--json").line["paymentId"]

    assert shop.at_terminal("complete", payment, typed="\n").code == 1
    assert shop.at_terminal("complete", payment, typed="yes\n").code == 0
    assert is_completed(sandbox, payment)


def test_a_completed_payment_is_not_completed_again(
    shop: Shell, sandbox: SandboxProcess, payment: str
) -> None:
    shop.done("complete", payment, "--yes", "--received", "50")

    ran = shop("complete", payment, "--yes", "--received", "50")

    assert (ran.code, ran.out) == (1, "")
    assert "completed already" in ran.err


def test_an_unknown_payment_is_refused(shop: Shell) -> None:
    ran = shop("complete", "nosuchpayment", "--yes", "--received", "1")

    assert ran.code == 2
    assert "opdash knows no payment" in ran.err
