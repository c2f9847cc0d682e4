"""``opdash bill``: payments for a file of invoices, each once, whatever happens meanwhile."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opdash.errors import LedgerError
from opdash.ledger.reader import LedgerReader
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.errors import UnansweredError
from opdash.sandbox.process import SandboxProcess
from opdash.service import creations
from opdash.service.dashboard import LEDGER_FILE
from opdash.settings import AccessLevel
from tests.cli.conftest import REPOSITORY, Ran, Shell, shop_profile

PATIENT = "import sys; from opdash.cli.main import entry_point; sys.exit(entry_point())"
HURRIED = (
    "import sys, datetime, opdash.service.creations as creations\n"
    "creations.GIVE_UP_AFTER = datetime.timedelta(seconds=0.3)\n" + PATIENT
)
"""A real process that does not wait a whole minute before it calls a payment not created."""


class Office:
    """A shop whose wallet address begins empty, and its files of invoices."""

    def __init__(self, shell: Shell, sandbox: SandboxProcess) -> None:
        self.shell = shell
        self.sandbox = sandbox

    @property
    def home(self) -> Path:
        return self.shell.data_dir.parent

    def file(self, content: str, name: str = "invoices.csv") -> str:
        path = self.home / name
        path.write_text(content)
        return str(path)

    def bill(self, *words: str) -> Ran:
        return self.shell("bill", *words, "--rate", "100")

    def spawn(self, *words: str, program: str = HURRIED) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program, "bill", *words, *self.shell.places],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )

    def at_server(self) -> Counter[str]:
        """How many payments of each reference the server has."""
        self.shell.done("sync")
        lines = self.shell.done("list", "--all", "--json").lines
        return Counter(str(line["reference"]) for line in lines)

    def billed(self) -> int:
        """How many invoices have been billed so far, by the ledger."""
        wallet = self.shell.settings.profiles[0].wallet_address
        try:
            with LedgerReader.open(self.shell.data_dir / LEDGER_FILE) as reader:
                return len(reader.billings(wallet))
        except LedgerError:
            return 0


@pytest.fixture
def office(shell: Shell, fresh_sandbox: SandboxProcess) -> Office:
    (empty,) = [one for one in fresh_sandbox.wallet_addresses if one.endswith("/new")]
    shell.set_up(shop_profile(fresh_sandbox, wallet_address=empty))
    return Office(shell, fresh_sandbox)


def rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def statuses(ran: Ran) -> dict[str, str]:
    return {line["number"]: line["status"] for line in ran.lines if line["type"] == "invoice"}


def many(count: int) -> str:
    lines = [f"INV-{number},{number}.00" for number in range(1, count + 1)]
    return "\n".join(["number,amount", *lines, ""])


def test_a_dry_run_shows_everything_and_creates_nothing(office: Office) -> None:
    due = (datetime.now(UTC) + timedelta(days=7)).date()
    file = office.file(
        "Nr;Betrag;Währung;fällig;Betreff\n"
        f"INV-1;1.234,50;USD;{due};Two lamps\n"
        f"INV-2;5,00;USD;2020-01-31;\n"
        f"INV-3;5,00;EUR;{due};\n"
        f"INV-4;5,00;USD;;\n"
        f"INV-4;5,00;USD;;\n"
    )

    people = office.bill(file, "--expires", "due")
    ran = office.bill(file, "--expires", "due", "--json")

    assert people.code == ran.code == 3
    assert "INV-1    1,234.50 USD  INV-1      Two lamps" in people.out
    assert f"{due} 23:59" in people.out
    assert "was due on 2020-01-31, which is past" in people.out
    assert "is in EUR, the wallet holds USD" in people.out
    assert people.out.count("the file has this number twice") == 2
    assert "To be created: 1 payment for 1,234.50 USD." in people.out
    assert "amount (decimal comma)" in people.err.replace("Betrag", "amount")
    first, *others = ran.lines
    assert first["status"] == "would-create"
    assert (first["reference"], first["description"]) == ("INV-1", "Two lamps")
    assert first["amount"]["decimal"] == "1234.50"
    assert first["expiresAt"].startswith(str(due))
    assert [line.get("cause") for line in others[:-1]] == [
        "past-due",
        "other-asset",
        "duplicate-number",
        "duplicate-number",
    ]
    assert others[-1]["totals"] == [first["amount"]]
    assert not Path(file.replace(".csv", ".billed.csv")).exists()
    assert office.at_server() == Counter()


def test_payments_are_created_and_written_beside_the_invoices(office: Office) -> None:
    file = office.file("number,amount,text\nINV-1,12.50,=1+1\nINV-2,3.00,Tea\n")

    ran = office.bill(file, "--yes", "--json", "--expires", "2d")

    assert ran.code == 0
    assert statuses(ran) == {"INV-1": "created", "INV-2": "created"}
    result = ran.lines[-1]
    assert (result["created"], result["exitCode"]) == (2, 0)
    assert result["totals"][0]["decimal"] == "15.50"
    written = rows(result["output"])
    assert result["output"].endswith("invoices.billed.csv")
    assert Path(result["output"]).stat().st_mode & 0o777 == 0o600
    assert [row["text"] for row in written] == ["=1+1", "Tea"], "the merchant's cells are theirs"
    assert [row["payment_state"] for row in written] == ["UNPAID", "UNPAID"]
    assert [row["payment_url"] for row in written] == [line["paymentId"] for line in ran.lines[:2]]
    shown = office.shell.done("show", written[0]["payment_url"], "--json").line
    assert shown["metadata"]["externalRef"] == "INV-1"
    assert shown["metadata"]["description"] == "=1+1"

    matched = office.shell.done("reconcile", result["output"], "--json").lines
    rules = [line["matches"][0]["rule"] for line in matched if line["type"] == "invoice"]
    assert rules == ["payment-url", "payment-url"]
    assert office.at_server() == Counter(["INV-1", "INV-2"])


def test_the_same_again_creates_nothing(office: Office) -> None:
    file = office.file(many(3))
    office.bill(file, "--yes")

    assert office.bill(file, "--yes").code == 0
    assert len(rows(str(office.home / "invoices.billed.csv"))) == 3
    again = office.bill(file, "--yes", "--output", str(office.home / "other.csv"))
    assert again.code == 0
    assert "0 of 0 created, 0.00 USD; 3 had a payment." in again.err
    first, other = (rows(str(office.home / name)) for name in ("invoices.billed.csv", "other.csv"))
    assert first == other
    assert office.at_server() == Counter(["INV-1", "INV-2", "INV-3"])


def test_next_week_the_same_file_has_more_invoices(office: Office) -> None:
    file = office.file(many(1))
    office.bill(file, "--yes")

    assert office.bill(office.file(many(2)), "--yes").code == 0

    written = rows(str(office.home / "invoices.billed.csv"))
    assert [bool(row["payment_url"]) for row in written] == [True, True]
    assert office.at_server() == Counter(["INV-1", "INV-2"])


def test_a_file_that_opdash_did_not_write_is_not_replaced(office: Office) -> None:
    file, there = office.file(many(1)), office.home / "invoices.billed.csv"
    there.write_text("number,amount,remark\nINV-1,1.00,call her\n")

    refused = office.bill(file, "--yes")
    assert (refused.code, refused.out) == (2, "")
    assert "is there already; nothing was created" in refused.err
    assert "call her" in there.read_text()
    assert office.at_server() == Counter()

    assert office.bill(file, "--yes", "--force").code == 0
    named = office.bill(file, "--yes", "--output", str(there))
    assert (named.code, "is there already" in named.err) == (2, True)


def test_beside_a_paid_invoice_stands_what_paid_it(office: Office) -> None:
    file = office.file(many(1))
    office.bill(file, "--yes")
    billed = str(office.home / "invoices.billed.csv")
    (paid,) = [row["payment_url"] for row in rows(billed)]
    office.sandbox.pay(paid)
    office.sandbox.advance(2)  # the money is on its way for a moment
    office.shell.done("create", "--amount", "1", "--reference", "INV-1")

    assert office.bill(file, "--yes", "--force").code == 0
    (row,) = rows(billed)
    assert row["payment_url"] == paid
    assert row["payment_state"] in ("SETTLING", "PAID")


def test_only_what_is_named(office: Office) -> None:
    file = office.file(many(4))

    ran = office.bill(file, "--yes", "--only", "INV-2", "INV-4", "--json")

    assert statuses(ran) == {"INV-2": "created", "INV-4": "created"}
    assert office.at_server() == Counter(["INV-2", "INV-4"])
    unknown = office.bill(file, "--only", "INV-9")
    assert unknown.code == 2
    assert "The file has no invoice INV-9." in unknown.err


def test_a_payment_that_ended_unpaid_is_billed_again_only_when_asked_for(office: Office) -> None:
    file = office.file(many(2))
    office.bill(file, "--yes", "--expires", "1h")
    (paid,) = [row["payment_url"] for row in rows(str(office.home / "invoices.billed.csv"))][:1]
    office.sandbox.pay(paid)
    office.sandbox.advance(2 * 3600)

    left = office.bill(file, "--yes", "--force", "--json")
    assert left.code == 3
    assert {line["number"]: line.get("cause") for line in left.lines[:-1]} == {
        "INV-1": "has-payment",
        "INV-2": "over-unpaid",
    }
    assert rows(str(office.home / "invoices.billed.csv"))[1]["payment_error"].startswith(
        "its payment ended unpaid"
    )

    assert "with --again NUMBER" in left.err

    again = office.bill(file, "--yes", "--force", "--json", "--again", "INV-2", "INV-1")
    assert statuses(again) == {"INV-1": "left-out", "INV-2": "created"}
    assert office.bill(file, "--yes", "--force", "--again", "INV-2").code == 0
    assert office.at_server()["INV-2"] <= 2
    wallet = office.shell.settings.profiles[0].wallet_address
    with LedgerReader.open(office.shell.data_dir / LEDGER_FILE) as reader:
        assert reader.billings(wallet)["INV-2"].creation.payment_id == again.lines[1]["paymentId"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--expires", "31d"], "cannot last that long"),
        (["--expires", "0s"], "cannot end at once"),
        (["--expires", "soon"], "no duration"),
        (["--expires", "due"], "No column can be taken for the due date"),
        (["--rate", "0"], "no rate"),
        (["--rate", "fast"], "no rate"),
        (["--output", "{file}", "--yes"], "is the file of invoices itself"),
        (["--output", "{home}", "--yes"], "is there already"),
        (["--output", "{home}", "--yes", "--force"], "cannot be written"),
        (["--output", "{home}/none/x.csv", "--yes"], "cannot be written"),
        (["--wallet", "nobody"], "There is no wallet “nobody”"),
        (["--onyl", "INV-1"], "Did you mean “--only”?"),
    ],
)
def test_bad_words_get_a_sentence_and_create_nothing(
    shell: Shell, sandbox: SandboxProcess, words: list[str], said: str
) -> None:
    shell.set_up(shop_profile(sandbox))
    office = Office(shell, sandbox)
    file = office.file(many(1))
    given = [word.format(file=file, home=office.home) for word in words]

    ran = office.shell("bill", file, *given)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert office.billed() == 0


def test_bad_files_are_named_as_when_reconciling(office: Office) -> None:
    assert office.bill(str(office.home / "none.csv")).code == 2
    binary = office.home / "x.csv"
    binary.write_bytes(b"PK\x03\x04\0\0")
    assert "not a text file" in office.bill(str(binary), "--yes").err
    file = office.file("number,amount\nINV-1,0\nINV-2,5.0012\nINV-3,5\n")

    ran = office.bill(file, "--yes")

    assert (ran.code, ran.out) == (2, "")
    assert "row 2, column amount: “0” is zero." in ran.err
    assert "row 3, column amount: “5.0012” has more than 2 decimal places." in ran.err
    assert "2 problems; nothing was billed" in ran.err
    skipped = office.bill(file, "--yes", "--skip-broken", "--json")
    assert skipped.code == 3
    assert [line.get("reason") for line in skipped.lines[:2]] == [
        "column amount: “0” is zero",
        "column amount: “5.0012” has more than 2 decimal places",
    ]
    assert [row["payment_error"][:14] for row in rows(skipped.lines[-1]["output"])] == [
        "column amount:",
        "column amount:",
        "",
    ]


def test_a_wallet_that_is_read_only_bills_nothing(
    shell: Shell, fresh_sandbox: SandboxProcess
) -> None:
    (empty,) = [one for one in fresh_sandbox.wallet_addresses if one.endswith("/new")]
    profile = shop_profile(fresh_sandbox, wallet_address=empty, access=AccessLevel.READ_ONLY)
    shell.set_up(profile)
    office = Office(shell, fresh_sandbox)
    file = office.file(many(2))

    assert office.bill(file).code == 0, "showing is reading"
    ran = office.bill(file, "--yes")
    assert ran.code == 4
    assert "read only" in ran.err


def test_json_lines_come_back_as_json_lines(office: Office) -> None:
    file = office.file('{"number":"INV-1","amount":1.10}\n', "invoices.jsonl")
    ran = office.bill(file, "--yes", "--json")
    assert ran.code == 0
    assert ran.lines[-1]["output"].endswith("invoices.billed.jsonl")
    assert Path(ran.lines[-1]["output"]).read_text().startswith('{"number":"INV-1","amount":1.10,')
    matched = office.shell.done("reconcile", ran.lines[-1]["output"], "--json").lines
    assert [one["matches"][0]["rule"] for one in matched if one["type"] == "invoice"] == [
        "payment-url"
    ]


def test_a_file_without_a_header_says_how_to_reconcile_it(office: Office) -> None:
    file = office.file("INV-1,1.10\nINV-2,2.20\n")
    columns = ["--column", "number=1", "--column", "amount=2"]
    ran = office.bill(file, "--yes", *columns)
    assert ran.code == 0
    assert "--column payment=3" in ran.err
    written = str(office.home / "invoices.billed.csv")
    words = [*columns, "--column", "payment=3", "--json"]
    matched = office.shell.done("reconcile", written, *words).lines
    assert [one["matches"][0]["rule"] for one in matched if one["type"] == "invoice"] == [
        "payment-url",
        "payment-url",
    ]


def test_at_a_terminal_it_shows_and_asks(office: Office) -> None:
    file = office.file(many(2))
    words = ("bill", file, "--rate", "100")

    no = office.shell.at_terminal(*words, typed="no\n", prompt="Type yes to create")
    assert no.code == 1
    assert "2 payments for 3.00 USD" in no.err
    assert "Nothing was done." in no.err
    assert office.billed() == 0

    yes = office.shell.at_terminal(*words, typed="yes\n", prompt="Type yes to create")
    assert yes.code == 0, yes.err
    assert "2 of 2 created, 3.00 USD." in yes.err
    assert "a second" in yes.err, "there is a line of progress"
    assert office.at_server() == Counter(["INV-1", "INV-2"])


def test_the_server_out_of_reach_ends_with_5_and_creates_nothing(office: Office) -> None:
    file = office.file(many(2))
    office.shell.done("sync")
    office.sandbox.take_down("resource", "authorization", "wallet-address")

    ran = office.bill(file, "--yes")

    assert ran.code == 5
    assert not (office.home / "invoices.billed.csv").exists()
    assert office.billed() == 0


def test_a_lost_answer_is_followed_up_and_counted_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = OpenPaymentsClient.create_incoming_payment

    async def lose(self: OpenPaymentsClient, *given: Any) -> Any:
        payment = await send(self, *given)
        if payment.incoming_amount is not None and payment.incoming_amount.value == "200":
            raise UnansweredError("The server gave no answer.")
        return payment

    monkeypatch.setattr(OpenPaymentsClient, "create_incoming_payment", lose)
    ran = office.bill(office.file(many(3)), "--yes")

    assert ran.code == 0
    assert "3 of 3 created" in ran.err
    assert office.at_server() == Counter(["INV-1", "INV-2", "INV-3"])


def test_a_full_disk_at_the_end_leaves_no_part_of_the_file(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = office.file(many(2))

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr("opdash.service.billing_desk.write_atomic", fail)
        ran = office.bill(file, "--yes")
    assert ran.code == 1
    assert "No space left" in ran.err
    assert "The payments are created" in ran.err
    assert not (office.home / "invoices.billed.csv").exists()
    assert office.bill(file, "--yes").code == 0
    assert office.at_server() == Counter(["INV-1", "INV-2"])


def test_ctrl_c_ends_between_two_and_says_how_to_go_on(office: Office) -> None:
    file = office.file(many(30))
    with office.spawn(file, "--yes", "--rate", "20") as process:
        wait_for(lambda: office.billed() >= 4, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Ending after the payment under way" in err
    assert "Do the same again" in err
    assert "not tried" in out
    assert not (office.home / "invoices.billed.csv").exists()
    done = office.at_server()
    assert 4 <= len(done) < 30
    assert set(done.values()) == {1}
    assert office.bill(file, "--yes").code == 0
    assert office.at_server() == Counter(f"INV-{number}" for number in range(1, 31))


def test_ctrl_c_twice_ends_at_once_and_loses_nothing(
    shell: Shell, start_sandbox: Callable[..., SandboxProcess]
) -> None:
    sandbox = start_sandbox(auto_consent=True, latency=300)
    (empty,) = [one for one in sandbox.wallet_addresses if one.endswith("/new")]
    shell.set_up(shop_profile(sandbox, wallet_address=empty))
    office = Office(shell, sandbox)
    file = office.file(many(3))
    with office.spawn(file, "--yes") as process:
        wait_for(lambda: office.billed() >= 1, process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Interrupted. Do the same again" in err
    assert "Traceback" not in err
    assert office.bill(file, "--yes").code == 0
    assert office.at_server() == Counter(["INV-1", "INV-2", "INV-3"])


def test_killed_at_any_moment_another_run_does_the_rest_and_none_twice(office: Office) -> None:
    file = office.file(many(30))
    dice = random.Random(7)
    killed = 0
    for _ in range(12):
        aim = office.billed() + dice.randint(3, 8)
        with office.spawn(file, "--yes", "--rate", "50") as process:
            while process.poll() is None and office.billed() < aim:
                time.sleep(0.003)
            time.sleep(dice.random() * 0.03)
            if process.poll() is None and office.billed() < 30:
                process.kill()
                killed += 1
            _, err = process.communicate(timeout=60)
        if process.returncode >= 0:
            break

    if process.returncode != 0:
        with office.spawn(file, "--yes", "--rate", "100") as process:
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert killed >= 3
    assert office.at_server() == Counter(f"INV-{number}" for number in range(1, 31))
    written = rows(str(office.home / "invoices.billed.csv"))
    assert len({row["payment_url"] for row in written}) == 30
    assert all(row["payment_state"] == "UNPAID" for row in written)


def test_two_at_once_on_one_file_bill_each_invoice_once(office: Office) -> None:
    file = office.file(many(12))
    outputs = [str(office.home / f"{number}.csv") for number in (1, 2)]
    both = [office.spawn(file, "--yes", "--rate", "30", "--output", one) for one in outputs]

    told = [process.communicate(timeout=90)[1] for process in both]

    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1]), told
    assert codes == [0, 0] or any("just now" in err for err in told)
    assert office.at_server() == Counter(f"INV-{number}" for number in range(1, 13))


def test_an_outage_in_the_middle_is_waited_for(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creations, "GIVE_UP_AFTER", timedelta(0))
    file = office.file(many(20))
    with office.spawn(file, "--yes", "--rate", "20") as process:
        wait_for(lambda: office.billed() >= 5, process)
        office.sandbox.take_down("resource")
        time.sleep(1.5)
        office.sandbox.take_down()
        _, err = process.communicate(timeout=90)

    assert process.returncode == 0, err
    assert "in trouble" in err
    assert office.at_server() == Counter(f"INV-{number}" for number in range(1, 21))


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not happened():
        time.sleep(0.01)
        assert process.poll() is None
