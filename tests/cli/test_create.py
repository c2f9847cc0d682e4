"""``opdash create``: one payment, or a sentence and none."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opdash.errors import LedgerError
from opdash.ledger.reader import LedgerReader
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.errors import (
    InvalidTokenError,
    OpenPaymentsError,
    ProtocolError,
    ServerFaultError,
    UnansweredError,
)
from opdash.openpayments.resources import IncomingPayment
from opdash.sandbox.process import SandboxProcess
from opdash.service import creations
from opdash.service.dashboard import LEDGER_FILE
from tests.cli.conftest import Shell, shop_profile


def count(sandbox: SandboxProcess) -> int:
    wallets = sandbox.state()["walletAddresses"]
    found: int = next(w["payments"] for w in wallets if w["id"] == sandbox.main_wallet)
    return found


def test_a_payment_is_created_as_asked(shop: Shell, sandbox: SandboxProcess) -> None:
    words = ["--amount", "12.5", "--description", "Zwei Lampen — café", "--reference", "INV-7"]
    words += ["--expires-in", "2d", "--metadata", "table=4", "--metadata", "note=a=b"]

    line = shop.done("create", *words, "--json").line

    assert line["status"] == "created"
    payment = line["payment"]
    assert payment["id"] == line["paymentId"]
    assert payment["asked"]["value"] == "1250"
    assert payment["metadata"] == {
        "description": "Zwei Lampen — café",
        "externalRef": "INV-7",
        "table": "4",
        "note": "a=b",
        "opdashRequestId": line["requestId"],
    }
    expires = datetime.fromisoformat(payment["expiresAt"])
    left = expires - datetime.fromisoformat(payment["createdAt"])
    assert timedelta(days=2) - timedelta(minutes=1) < left < timedelta(days=2, minutes=1)
    assert line["request"]["incomingAmount"]["value"] == "1250"
    assert sandbox.state(line["paymentId"])


def test_without_an_amount_the_payer_chooses(shop: Shell) -> None:
    ran = shop.done("create", "--description", "tip")

    assert "any amount" in ran.out
    assert "◇ OPEN" in ran.out
    assert "give its URL to the payer" in ran.err


def test_the_largest_amount_is_exact(shop: Shell) -> None:
    line = shop.done("create", "--amount", "92233720368547758.07", "--json").line

    assert line["payment"]["asked"]["value"] == str(2**63 - 1)


def test_a_dry_run_shows_the_request_and_sends_nothing(
    shop: Shell, sandbox: SandboxProcess
) -> None:
    before = count(sandbox)
    words = ["create", "--amount", "12.50", "--reference", "INV-7", "--dry-run"]

    shown = json.loads(shop.done(*words).out)
    line = shop.done(*words, "--json").line

    assert shown == line
    assert line["walletAddress"] == sandbox.main_wallet
    assert line["incomingAmount"] == {"value": "1250", "assetCode": "USD", "assetScale": 2}
    assert line["metadata"]["externalRef"] == "INV-7"
    assert count(sandbox) == before


@pytest.mark.parametrize(
    ("words", "said", "advice"),
    [
        (["--amount", "12.505"], "has 2 decimal places, and the amount has more", "such as 12.50"),
        (["--amount", "-5"], "cannot be negative", "greater than zero"),
        (["--amount", "0"], "must be greater than zero", "let the payer choose"),
        (["--amount", "92233720368547758.08"], "too large", "92233720368547758.07"),
        (["--amount", "1,500"], "two ways", "such as 12.50"),
        (["--amount", "ten"], "“ten” is not a number", "such as 12.50"),
        (["--amount", "\x1b[31m"], "is not a number", "such as 12.50"),
        (["--amount", ""], "The amount is empty", "such as 12.50"),
        (["--expires-in", "31d"], "more than 30 days ahead", "earlier"),
        (["--expires-in", "0s"], "in the past", "later"),
        (["--expires-in", "soon"], "no duration", "30m, 12h, 2d or 1w"),
        (["--expires-at", "2020-01-01"], "in the past", "later"),
        (["--expires-at", "2999-12-31"], "more than 30 days ahead", "earlier"),
        (["--expires-at", "9999-12-32"], "no date or time", "2026-12-01"),
        (["--expires-at", "x"], "no date or time", "2026-12-01"),
        (["--expires-at", "2026-12-01", "--expires-in", "2d"], "not allowed with", "--help"),
        (["--metadata", "a=1", "--metadata", "a=2"], "“a” is given twice", "Leave one of them out"),
        (["--metadata", "description=a", "--description", "b"], "“description” is given twice", ""),
        (["--metadata", "externalRef=a", "--reference", "b"], "“externalRef” is given twice", ""),
        (["--metadata", "opdashRequestId=1"], "opdash's own", "Choose another"),
        (["--metadata", "a"], "“a” is no KEY=VALUE", "key=value"),
        (["--metadata", "=a"], "A metadata key is empty", "Name it"),
        (["--metadata", "a=" + "x" * 70_000], "larger than 64 kB", "Shorten"),
        (["--description", "\udcff"], "not UTF-8 text", "encoding"),
        (["--wallet", "nobody"], "There is no wallet “nobody”", "shop"),
        (["--amout", "3"], "“--amout” is not an option", "Did you mean “--amount”?"),
        (["12.50"], "“12.50” is one word too many", "--help"),
    ],
)
def test_bad_input_gets_a_sentence_and_creates_nothing(
    shop: Shell, sandbox: SandboxProcess, words: list[str], said: str, advice: str
) -> None:
    before = count(sandbox)

    ran = shop("create", *words)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert advice in ran.err
    assert "\x1b" not in ran.err
    assert count(sandbox) == before


def test_an_expiry_at_an_instant_is_kept(shop: Shell) -> None:
    wanted = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)

    line = shop.done("create", "--expires-at", wanted.isoformat(), "--json").line

    assert datetime.fromisoformat(line["payment"]["expiresAt"]) == wanted


def test_a_wallet_without_decimals_takes_whole_numbers_only(
    shell: Shell, sandbox: SandboxProcess
) -> None:
    shell.set_up(shop_profile(sandbox, wallet_address=sandbox.wallet_addresses[2]))

    ran = shell("create", "--amount", "500.5")
    assert ran.code == 2
    assert "This asset has no decimals." in ran.err

    line = shell.done("create", "--amount", "500", "--json").line
    assert line["payment"]["asked"]["decimal"] == "500"


def test_a_server_that_is_away_is_said_and_nothing_is_left_in_doubt(
    shell: Shell, start_sandbox: Callable[..., SandboxProcess], tmp_path: Path
) -> None:
    sandbox = start_sandbox(key_file=tmp_path / "client.pem")
    shell.set_up(shop_profile(sandbox))
    shell.done("list")
    sandbox.stop()

    ran = shell("create", "--amount", "5")

    assert (ran.code, ran.out) == (5, "")
    assert "unknown" not in ran.err


# An answer that is lost


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Lose the answer to the creation, whether the request arrives or not."""
    original = OpenPaymentsClient.create_incoming_payment

    def lose(arrives: bool) -> None:
        async def create(self: OpenPaymentsClient, *given: Any) -> IncomingPayment:
            if arrives:
                await original(self, *given)
            raise UnansweredError("No answer came.")

        monkeypatch.setattr(OpenPaymentsClient, "create_incoming_payment", create)

    return lose


def test_a_payment_whose_answer_was_lost_is_found_and_not_made_twice(
    shop: Shell, sandbox: SandboxProcess, lost: Callable[[bool], None]
) -> None:
    lost(True)
    before = count(sandbox)

    ran = shop.done("create", "--amount", "5", "--json")

    assert ran.line["status"] == "created"
    assert ran.line["payment"]["metadata"]["opdashRequestId"] == ran.line["requestId"]
    assert "unknown" in ran.err
    assert count(sandbox) == before + 1


def test_a_request_that_never_arrived_is_given_up_and_said(
    shop: Shell,
    sandbox: SandboxProcess,
    lost: Callable[[bool], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(creations, "GIVE_UP_AFTER", timedelta(0))
    lost(False)
    before = count(sandbox)

    ran = shop("create", "--amount", "5", "--json")

    assert ran.code == 1
    assert (ran.line["status"], ran.line["payment"]) == ("not-found", None)
    assert "was not created" in ran.err
    assert count(sandbox) == before


def test_what_cannot_be_looked_up_stays_unknown_until_the_next_start(
    shell: Shell,
    start_sandbox: Callable[..., SandboxProcess],
    tmp_path: Path,
    lost: Callable[[bool], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = {"data": tmp_path / "server", "key_file": tmp_path / "client.pem"}
    sandbox = start_sandbox(**kept)
    port = int(sandbox.url.rpartition(":")[2])
    shell.set_up(shop_profile(sandbox))
    lost(True)
    created = OpenPaymentsClient.create_incoming_payment

    async def create_and_die(self: OpenPaymentsClient, *given: Any) -> IncomingPayment:
        try:
            return await created(self, *given)
        finally:
            sandbox.stop()

    monkeypatch.setattr(OpenPaymentsClient, "create_incoming_payment", create_and_die)
    ran = shell("create", "--amount", "5")
    assert (ran.code, ran.out) == (5, "")
    assert "unknown whether the payment was created" in ran.err
    assert "do not create it again" in ran.err

    start_sandbox(port=port, **kept)
    listed = shell.done("list", "--first", "1", "--json")

    assert listed.line["asked"]["decimal"] == "5.00"
    assert f"has been created: {listed.line['id']}" in listed.err


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (ServerFaultError("The server is in trouble.", "Try again in a moment.", status=503), 5),
        (InvalidTokenError("The token seems bad.", "Try again in a moment.", status=401), 4),
        (ProtocolError("The answer is no JSON.", "Try again in a moment."), 1),
    ],
)
def test_a_refused_look_never_invites_to_create_again(
    shop: Shell,
    lost: Callable[[bool], None],
    monkeypatch: pytest.MonkeyPatch,
    refusal: OpenPaymentsError,
    code: int,
) -> None:
    lost(True)

    async def refuse(*_: Any, **__: Any) -> None:
        raise refusal

    monkeypatch.setattr(OpenPaymentsClient, "list_incoming_payments", refuse)

    ran = shop("create", "--amount", "5")

    assert (ran.code, ran.out) == (code, "")
    assert f"unknown whether the payment was created. {refusal.sentence}" in ran.err
    assert "do not create it again" in ran.err
    assert "Try again" not in ran.err


def test_interrupting_after_sending_says_how_to_find_out(
    shell: Shell, start_sandbox: Callable[..., SandboxProcess]
) -> None:
    sandbox = start_sandbox(latency=400)
    shell.set_up(shop_profile(sandbox))
    before = count(sandbox)
    with shell.spawn("create", "--amount", "5", stderr=subprocess.PIPE) as process:
        while not has_begun(shell, sandbox):
            time.sleep(0.02)
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (130, "")
    assert "“opdash list” tells whether" in err
    assert count(sandbox) == before + 1


def has_begun(shell: Shell, sandbox: SandboxProcess) -> bool:
    """Whether the intent to create a payment is in the ledger."""
    try:
        with LedgerReader.open(shell.data_dir / LEDGER_FILE) as reader:
            return bool(reader.unresolved_creations(sandbox.main_wallet))
    except LedgerError:
        return False
