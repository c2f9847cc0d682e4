"""``opdash till``, in a real pseudo-terminal."""

from __future__ import annotations

import signal

from opdash.sandbox.process import SandboxProcess
from opdash.settings import AccessLevel
from tests.cli.conftest import Shell, shop_profile
from tests.cli.test_screen import PATIENCE, terminal


def test_a_sale_survives_a_crash_and_is_shown_again(shop: Shell, sandbox: SandboxProcess) -> None:
    shop.done("list")  # so that the wallet is known
    with terminal(shop, "till") as screen:
        screen.wait_for("typed or scanned")
        screen.type("12.50\rCRASH-1\r")
        screen.wait_for("0.00 of 12.50 USD received")
        screen.process.send_signal(signal.SIGKILL)
        screen.process.wait(PATIENCE)
    listed = shop.done("list", "--json").lines
    (payment,) = [line for line in listed if line["reference"] == "CRASH-1"]
    with terminal(shop, "till") as screen:
        screen.wait_for("This sale was under way")
        sandbox.pay(payment["id"])
        screen.wait_for("Hand over the goods")
        screen.type("\r")
        screen.process.send_signal(signal.SIGTERM)
        assert screen.process.wait(PATIENCE) == 0
    assert b"Traceback" not in screen.written


def test_escape_leads_to_the_payments_and_q_ends(shop: Shell) -> None:
    shop.done("create", "--amount", "7.77", "--reference", "INV-777")
    with terminal(shop, "till", "--wallet", "shop") as screen:
        screen.wait_for("No sale at this till today.")
        screen.written = b""
        screen.type("\x1b")
        screen.wait_for("INV-777")
        screen.type("q")
        assert screen.process.wait(PATIENCE) == 0


def test_without_a_terminal_there_is_no_till(shop: Shell) -> None:
    ran = shop("till")
    assert ran.code == 2
    assert "needs a terminal" in ran.err


def test_the_help_says_what_it_is(shop: Shell) -> None:
    ran = shop("till", "--help")
    assert ran.code == 0
    assert "QR code" in ran.out


def test_a_wallet_that_may_only_be_read_has_no_till(shop: Shell, sandbox: SandboxProcess) -> None:
    shop.set_up(shop_profile(sandbox, access=AccessLevel.READ_ONLY))
    with terminal(shop, "till") as screen:
        screen.wait_for("is set up to read only: opdash may not create payments")
        assert screen.process.wait(PATIENCE) == 4


def test_one_of_several_wallets_has_to_be_named(shop: Shell, sandbox: SandboxProcess) -> None:
    other = shop_profile(sandbox, name="other", wallet_address=sandbox.wallet_addresses[-1])
    shop.set_up(*shop.settings.profiles, other)
    with terminal(shop, "till") as screen:
        screen.wait_for("Say which with --wallet: shop, other.")
        assert screen.process.wait(PATIENCE) == 2


def test_without_a_wallet_it_says_how_to_add_one(shop: Shell) -> None:
    shop.set_up()
    with terminal(shop, "till") as screen:
        screen.wait_for("opdash wallet add ADDRESS")
        assert screen.process.wait(PATIENCE) == 2
