"""``opdash log``: a payment's time line, from the ledger alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from opdash.cli import wording
from opdash.ledger.records import TimelineEntry, TimelineKind
from opdash.openpayments.amounts import Asset
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def payment(shop: Shell) -> str:
    url: str = shop.done("create", "--amount", "80", "--json").line["paymentId"]
    return url


def test_every_step_is_a_line(shop: Shell, payment: str) -> None:
    ran = shop.done("log", payment)
    (line,) = ran.out.splitlines()
    assert line.endswith("created by opdash")
    assert payment in ran.err
    assert "UNPAID" in ran.err
    shop.done("complete", payment, "--yes", "--received", "0")
    steps = [line.split("  ", 1)[1] for line in shop.done("log", payment).out.splitlines()]
    assert steps[0] == "created by opdash"
    assert "completed by opdash" in steps


def test_steps_tell_amounts_and_what_was_before() -> None:
    def step(kind: TimelineKind, **more: Any) -> str:
        return wording.step(TimelineEntry(at=NOW, kind=kind, **more), Asset("USD", 2))

    assert step(TimelineKind.FIRST_SEEN, received=500) == "first seen by opdash with 5.00 USD"
    assert step(TimelineKind.FIRST_SEEN, received=0) == "first seen by opdash"
    assert step(TimelineKind.RECEIVED, received=700, delta=200) == "+2.00 USD (in all 7.00)"
    assert step(TimelineKind.COMPLETED, received=700) == "completed with 7.00 USD"
    assert step(TimelineKind.GONE, received=700) == "no longer at the server; 7.00 USD had arrived"
    assert step(TimelineKind.ASKED, text="100 USD 2").endswith("changed; before: 1.00 USD")
    assert step(TimelineKind.ASKED).endswith("changed; before: any amount")
    assert step(TimelineKind.EXPIRY).endswith("changed; before: none")
    assert "2026-11-2" in step(TimelineKind.EXPIRY, text="2026-11-21T12:00:00+00:00")
    assert step(TimelineKind.METADATA, text='{"a":1}').endswith('changed; before: {"a":1}')


def test_the_same_as_json(shop: Shell, payment: str, sandbox: SandboxProcess) -> None:
    (line,) = shop.done("log", payment.rpartition("/")[2][:13], "--json").lines
    assert (line["payment"], line["walletAddress"]) == (payment, sandbox.main_wallet)
    assert (line["kind"], line["source"]) == ("created", "create")
    assert line["at"].endswith("Z")


def test_no_server_is_asked(shell: Shell, fresh_sandbox: SandboxProcess) -> None:
    shell.set_up(shop_profile(fresh_sandbox))
    payment = shell.done("create", "--amount", "1", "--json").line["paymentId"]
    fresh_sandbox.stop()
    assert shell.done("log", payment, "--wallet", "shop").out


def test_what_is_not_known(shop: Shell, payment: str) -> None:
    ran = shop("log", "nothing-of-the-kind")
    assert ran.code == 2
    assert "knows no payment" in ran.err
    assert shop("log", payment, "--wallet", "nobody").code == 2


def test_a_reference_names_the_one_payment_that_has_it(shop: Shell, payment: str) -> None:
    create = ["create", "--amount", "3", "--json", "--reference"]
    tea = shop.done(*create, "Tea 9").line["paymentId"]
    for command in (["log"], ["show", "--offline"], ["receipt", "--offline"], ["note"]):
        ran = shop.done(command[0], "Tea 9", *command[1:])
        assert tea.rpartition("/")[2] in (ran.out + ran.err).replace("\n", "").replace(" ", "")
    again = shop.done(*create, "Tea 9").line["paymentId"]
    for command in (["log"], ["show"], ["complete", "--yes", "--received", "0"]):
        ran = shop(command[0], "Tea 9", *command[1:])
        assert ran.code == 2
        assert "Several payments are meant by “Tea 9”" in ran.err
        assert all(url.rpartition("/")[2] + " (UNPAID)" in ran.err for url in (tea, again))
    # A part of a reference is none.
    assert "knows no payment" in shop("log", "Tea").err


def test_a_reference_that_is_part_of_another_id_is_not_taken_for_it(
    shop: Shell, payment: str
) -> None:
    part = payment.rpartition("/")[2][:10]
    shop.done("create", "--amount", "3", "--reference", part)
    ran = shop("log", part)
    assert (ran.code, "Several payments are meant" in ran.err) == (2, True)
    assert shop.done("log", payment).out


def test_without_a_ledger(shell: Shell) -> None:
    ran = shell("log", "x")
    assert ran.code == 1
    assert "There is no ledger" in ran.err
