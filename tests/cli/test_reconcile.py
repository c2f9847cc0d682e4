"""``opdash reconcile``: a file of invoices against a wallet on the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from opdash.ledger.search.saved import SavedSearch
from opdash.sandbox.process import SandboxProcess
from opdash.settings import SettingsStore
from tests.cli.conftest import Ran, Shell, shop_profile

EVIL = "\x1b[2J=1+1 | \u202eevil www.evil.example [x](https://evil.example)"


class Till:
    """A shop whose wallet address begins empty."""

    def __init__(self, shell: Shell, sandbox: SandboxProcess) -> None:
        self.shell = shell
        self._sandbox = sandbox

    def payment(self, amount: str, received: int | None = None, **metadata: str) -> str:
        """Create a payment, and pay so much of it."""
        words = [word for key, value in metadata.items() for word in (f"--{key}", value)]
        created = self.shell.done("create", "--amount", amount, *words, "--json").line
        url: str = created["paymentId"]
        if received is not None:
            self._sandbox.pay(url, received)
            self._sandbox.advance(2)  # the money is on its way for a moment
        return url

    def file(self, content: str | bytes, name: str = "invoices.csv") -> str:
        path = self.shell.config.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)


@pytest.fixture
def till(shell: Shell, fresh_sandbox: SandboxProcess) -> Till:
    (empty,) = [one for one in fresh_sandbox.wallet_addresses if one.endswith("/new")]
    shell.set_up(shop_profile(fresh_sandbox, wallet_address=empty))
    return Till(shell, fresh_sandbox)


def of_type(ran: Ran, kind: str) -> list[dict[str, Any]]:
    return [line for line in ran.lines if line["type"] == kind]


def classes(ran: Ran) -> dict[str, str]:
    return {line["number"]: line["class"] for line in of_type(ran, "invoice")}


def test_a_day_at_the_shop(till: Till) -> None:
    paid = till.payment("1234.56", 123456, reference="INV-1")
    short = till.payment("50", 2000, reference="inv 2", description=EVIL)
    open_one = till.payment("12", reference="INV-3")
    tip = till.payment("3.33", 333, description="thanks")
    file = till.file(
        "Rechnungsnr;Betrag;Kunde\nINV-1;1.234,56;Müller\nINV-2;50,00;\nINV-3;12,00;\nINV-4;7,00;\n"
    )

    ran = till.shell("reconcile", file, "--json")

    assert ran.code == 0
    assert classes(ran) == {
        "INV-1": "PAID",
        "INV-2": "PARTIAL",
        "INV-3": "OUTSTANDING",
        "INV-4": "OUTSTANDING",
    }
    first, second, third, fourth = of_type(ran, "invoice")
    amount = {"value": "123456", "assetCode": "USD", "assetScale": 2, "decimal": "1234.56"}
    assert first["matches"] == [
        {"paymentId": paid, "rule": "reference", "evidence": "INV-1", "amount": amount}
    ]
    assert second["matches"][0]["rule"] == "normalised-reference"
    assert second["matches"][0]["paymentId"] == short
    assert second["difference"]["decimal"] == "-30.00"
    assert third["matches"][0]["paymentId"] == open_one
    assert fourth["matches"] == []
    (stray,) = [one for one in of_type(ran, "payment") if one["class"] == "UNMATCHED"]
    assert (stray["id"], stray["received"]["decimal"]) == (tip, "3.33")
    (known,) = of_type(ran, "ledger")
    assert (known["known"], known["lookedAt"], known["complete"]) == (4, 4, True)
    (read,) = of_type(ran, "file")
    assert (read["decimal"], read["delimiter"]) == (",", ";")
    assert read["columns"] == {"number": "Rechnungsnr", "amount": "Betrag", "customer": "Kunde"}
    matched = {one["class"]: one["matched"]["decimal"] for one in of_type(ran, "paymentSum")}
    assert matched == {"MATCHED": "1254.56", "UNMATCHED": "0.00"}

    people = till.shell("reconcile", file)
    assert "amount      Betrag (decimal comma)" in people.err
    assert "4 of 4 known payments, what opdash created" in people.err
    assert "normalised-reference" in people.out
    assert "Money that belongs to no invoice" in people.out
    assert "\x1b" not in people.out
    assert "1,254.56" not in people.out.split("Payments")[0], "differences are per class"

    report = till.shell("reconcile", file, "--markdown").out
    assert "| PAID | 1 | 1,234.56 USD | 1,234.56 USD | 0.00 USD |" in report
    assert "\x1b" not in report


def test_money_that_is_late_needs_a_look(till: Till) -> None:
    till.payment("12", reference="INV-1")
    in_time = till.file("number,amount,due\nINV-1,12.00,2999-12-31\n")
    late = till.file("number,amount,due\nINV-1,12.00,2026-01-31\n", "late.csv")

    assert till.shell("reconcile", in_time).code == 0
    ran = till.shell("reconcile", late, "--json", "--offline")
    assert ran.code == 3
    (invoice,) = of_type(ran, "invoice")
    assert (invoice["class"], invoice["flags"]) == ("OUTSTANDING", ["late"])
    assert "OUTSTANDING · late" in till.shell("reconcile", late, "--offline").out
    report = till.shell("reconcile", late, "--offline", "--markdown").out
    assert "| 2 | INV-1 | OUTSTANDING · late | 12.00 USD |" in report.partition("Needs a look")[2]


def test_what_was_settled_needs_no_look(till: Till) -> None:
    over = till.payment("12", 1250, reference="INV-1")
    file = till.file("number,amount\nINV-1,12.00\n")
    assert till.shell("reconcile", file).code == 3

    till.shell.done("note", over, "--resolve", "refunded")
    ran = till.shell("reconcile", file, "--json", "--offline")
    assert ran.code == 0
    (invoice,) = of_type(ran, "invoice")
    assert (invoice["class"], invoice["flags"]) == ("OVERPAID", ["settled by you"])
    assert invoice["difference"]["decimal"] == "0.50"
    assert "Needs a look" not in till.shell("reconcile", file, "--offline", "--markdown").out

    till.shell.done("note", over, "--resolve", "none")
    assert till.shell("reconcile", file, "--offline").code == 3


def test_exceptions_end_with_3_and_are_named(till: Till) -> None:
    till.payment("10", 1000, reference="A-1", description=EVIL)
    till.payment("10", 1000, reference="A-1")
    till.payment("10", 1000, reference="B-1")
    file = till.file(
        "number,amount,currency\nA-1,10,USD\nB-1,10,EUR\nC-1,5,USD\nC-1,5,USD\nD-1,10.00,USD\n"
    )

    ran = till.shell("reconcile", file, "--json")

    assert ran.code == 3
    assert classes(ran) == {
        "A-1": "DUPLICATE PAYMENT",
        "B-1": "WRONG CURRENCY",
        "C-1": "DUPLICATE NUMBER",
        "D-1": "OUTSTANDING",
    }
    assert of_type(ran, "result") == [{"type": "result", "clear": False, "exitCode": 3}]
    report = till.shell("reconcile", file, "--markdown")
    assert report.code == 3
    assert "## Needs a look" in report.out
    assert "| 2 | A-1 | DUPLICATE PAYMENT | 10.00 USD | 20.00 USD | 10.00 USD |" in report.out


def test_remote_text_formats_nothing(till: Till) -> None:
    till.payment("10", 1000, description=EVIL)
    file = till.file("number,amount\nX-1,7\n")

    report = till.shell("reconcile", file, "--markdown").out
    (line,) = [line for line in report.splitlines() if "evil" in line]
    assert line.endswith(r"␛\[2J=1+1 \| �evil www\.evil.example \[x\](https\://evil.example) |")


def test_markdown_lists_ten_payments_without_an_invoice_and_reads_as_plain_text(till: Till) -> None:
    urls = [till.payment("10", 1000, description="A_b > c & d") for _ in range(12)]
    file = till.file("number,amount\nX_1,7\n")

    report = till.shell("reconcile", file, "--markdown").out
    part = report.partition("## Money without an invoice")[2]
    assert sum(f"| `{url}` |" in part for url in urls) == 10
    assert part.count("| A_b > c & d |") == 10
    assert "… and 2 more; `--all` lists them." in part

    whole = till.shell("reconcile", file, "--markdown", "--offline", "--all").out
    assert all(f"| `{url}` |" in whole for url in urls)
    assert "more; `--all`" not in whole


def test_all_clear(till: Till) -> None:
    till.payment("10", 1000, reference="A-1")
    ran = till.shell.done("reconcile", till.file('{"number": "A-1", "amount": 10.0}\n', "a.jsonl"))
    assert "PAID" in ran.out


def test_a_suggestion_stays_one_until_a_person_says_so(till: Till) -> None:
    url = till.payment("77.77", 7777)
    file = till.file("number,amount\nS-1,77.77\n")

    (before,) = of_type(till.shell("reconcile", file, "--json"), "invoice")
    assert (before["class"], before["flags"]) == ("OUTSTANDING", ["suggestion"])
    assert before["suggestion"]["paymentId"] == url
    assert "Suggestions, by amount and date" in till.shell("reconcile", file).out

    till.shell.done("reconcile", "reject", "S-1", url)
    (rejected,) = of_type(till.shell("reconcile", file, "--json", "--offline"), "invoice")
    assert rejected["suggestion"] is None

    said = till.shell.done("reconcile", "link", "S-1", url, "--json").line
    assert (said["decision"], said["invoice"], said["amount"]) == ("link", "S-1", None)
    (linked,) = of_type(till.shell("reconcile", file, "--json", "--offline"), "invoice")
    assert (linked["class"], linked["matches"][0]["rule"]) == ("PAID", "link")

    till.shell.done("reconcile", "undo", str(said["id"]))
    (after,) = of_type(till.shell("reconcile", file, "--json", "--offline"), "invoice")
    assert after == before
    assert till.shell.done("reconcile", "decisions").err == "Nothing has been decided yet.\n"
    lines = till.shell.done("reconcile", "decisions", "--all", "--json").lines
    assert [line["decision"] for line in lines] == ["rejection", "link"]
    assert all(line["undoneAt"] for line in lines)


def test_a_payment_is_split(till: Till) -> None:
    url = till.payment("30", 3000, reference="P-1")
    file = till.file("number,amount\nP-1,20\nP-2,10\n")

    till.shell.done("reconcile", "link", "P-1", url, "--amount", "20")
    too_much = till.shell("reconcile", "link", "P-2", url, "--amount", "10.01")
    assert (too_much.code, "Only 10.00 USD" in too_much.err) == (2, True)
    assert till.shell("reconcile", "link", "P-2", url, "--amount", "0").code == 2
    said = till.shell.done("reconcile", "link", "P-2", url, "--amount", "10").out
    assert "is linked to P-2, 10.00 USD of it" in said
    ran = till.shell.done("reconcile", file, "--json")
    assert classes(ran) == {"P-1": "PAID", "P-2": "PAID"}
    (payment,) = of_type(ran, "payment")
    assert (payment["rows"], payment["unallocated"]["value"]) == ([2, 3], "0")
    assert "10.00 USD" in till.shell.done("reconcile", "decisions").out


def test_all_of_a_payment_is_one_invoices(till: Till) -> None:
    url = till.payment("30", 3000)
    till.shell.done("reconcile", "link", "P-1", url)
    again = till.shell("reconcile", "link", "P-2", url)
    assert (again.code, "All of this payment is P-1's already." in again.err) == (2, True)


def test_what_pays_no_invoice_by_a_saved_search(till: Till) -> None:
    till.payment("5", 500, description="a tip")
    store = SettingsStore(till.shell.config)
    tips = SavedSearch("Tips", "tip", not_invoice=True)
    store.save(replace(store.load(), searches=(tips,)))

    ran = till.shell("reconcile", till.file("number,amount\nT-1,5.00\n"), "--json")

    (payment,) = of_type(ran, "payment")
    assert payment["class"] == "NOT AN INVOICE"
    assert of_type(ran, "invoice")[0]["suggestion"] is None


def test_only_some_payments(till: Till) -> None:
    till.payment("5", 500, reference="O-1")
    file = till.file("number,amount\nO-1,5\n")
    for words in (["--since", "2020-01-01"], ["--before", "2099-01-01", "--since", "365d"]):
        assert classes(till.shell("reconcile", file, "--json", *words)) == {"O-1": "PAID"}
    ran = till.shell("reconcile", file, "--json", "--before", "2020-01-01 10:00")
    assert classes(ran) == {"O-1": "OUTSTANDING"}
    (known,) = of_type(ran, "ledger")
    assert (known["known"], known["lookedAt"]) == (1, 0)
    assert till.shell("reconcile", file, "--since", "whenever").code == 2


def test_a_mapping_is_remembered_by_the_header(till: Till) -> None:
    till.payment("5", 500, reference="M-1")
    first = till.file("foo;bar;total\nM-1;5,00;9,99\n")
    assert till.shell("reconcile", first).code == 2
    said = ["--column", "number=foo", "--column", "amount=2"]
    till.shell.done("reconcile", first, *said)

    again = till.shell.done("reconcile", till.file("foo;bar;total\nM-1;5,00;\n", "second.csv"))

    assert "as you said before" in again.err
    other = till.file("foo;baz\nM-1;5,00\n", "third.csv")
    assert till.shell("reconcile", other).code == 2
    corrected = till.shell("reconcile", first, "--column", "amount=total", "--json")
    assert of_type(corrected, "invoice")[0]["due"]["decimal"] == "9.99"
    kept = till.shell("reconcile", first, "--json")
    assert of_type(kept, "file")[0]["columns"] == {"number": "foo", "amount": "total"}
    wrong = till.shell("reconcile", first, "--column", "amount=foo", "--column", "number=bar")
    assert wrong.code == 2
    assert "row 2, column foo: “M-1” is no amount." in wrong.err
    assert "The columns were read as you said before" in wrong.err
    kept = till.shell("reconcile", first, "--json")
    assert of_type(kept, "file")[0]["columns"] == {"number": "foo", "amount": "total"}


def test_an_incomplete_ledger_is_said(shell: Shell, fresh_sandbox: SandboxProcess) -> None:
    shell.set_up(shop_profile(fresh_sandbox, page_size=20))
    ran = shell("reconcile", Till(shell, fresh_sandbox).file("number,amount\nZ-1,5\n"))
    assert ran.code == 3
    assert "INCOMPLETE, the server has more: run “opdash sync” first" in ran.err


def test_when_the_server_is_away_what_is_known_is_used(
    till: Till, fresh_sandbox: SandboxProcess
) -> None:
    till.payment("5", 500, reference="A-1")
    file = till.file("number,amount\nA-1,5\n")
    till.shell.done("reconcile", file)
    fresh_sandbox.take_down("resource", "authorization", "wallet-address")

    ran = till.shell("reconcile", file)

    assert ran.code == 5
    assert "PAID" in ran.out
    assert "as last known" in ran.err
    assert till.shell.done("reconcile", file, "--offline").out == ran.out


_BAD: list[tuple[str | bytes, list[str], str]] = [
    (b"PK\x03\x04\0\0", [], "is not a text file"),
    ("", [], "has no rows"),
    ("number,amount\n", [], "has a header and no rows"),
    ("INV-1,5\n", [], "No column can be taken for: number, amount"),
    ('number,amount\n"A,5\n', [], "row 2, cannot be read"),
    ("number,amount\nA,5\n", ["--column", "sum=2"], "does not say which column"),
    ("number,amount\nA,5\n", ["--column", "amount=9"], "no column 9 for amount"),
    ("number,amount\nA,5\n", ["--encoding", "klingon"], "is no encoding"),
    ("number,amount\nA,5\n", ["--delimiter", ";;"], "cannot part columns"),
    ("number,amount\nA,5\n", ["--json", "--markdown"], "two forms"),
    ("number,amount\nA,5\n", ["--decimal", "x"], "invalid"),
]


@pytest.mark.parametrize("is_set_up", [True, False])
@pytest.mark.parametrize(("content", "words", "said"), _BAD)
def test_bad_input_ends_with_2_whatever_else_is_configured(
    shell: Shell, is_set_up: bool, content: str | bytes, words: list[str], said: str
) -> None:
    path = shell.data_dir.parent / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    if not is_set_up:
        shell.config.parent.mkdir(parents=True)
        shell.config.write_text("this is no TOML")

    ran = shell("reconcile", str(path), *words)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not list(shell.data_dir.glob("ledger*")), "no ledger was opened"


def test_broken_rows_are_named_and_nothing_is_reconciled(till: Till) -> None:
    till.payment("5", 500, reference="A-1")
    rows = "".join(f"N-{number},nonsense\n" for number in range(25))
    file = till.file("number,amount\nA-1,5\n" + rows)

    ran = till.shell("reconcile", file, "--offline")
    assert (ran.code, ran.out) == (2, "")
    assert "invoices.csv, row 3, column amount: “nonsense” is no amount." in ran.err
    assert "… and 5 more." in ran.err
    assert "25 problems; nothing was reconciled" in ran.err

    rest = till.shell("reconcile", file, "--skip-broken", "--json")
    assert rest.code == 3
    assert classes(rest) == {"A-1": "PAID"}
    assert len(of_type(rest, "file")[0]["problems"]) == 25


def test_amounts_in_two_readings_are_asked_for(till: Till) -> None:
    file = till.file("number;amount\nA-1;1.500\n")
    ran = till.shell("reconcile", file)
    assert (ran.code, "--decimal" in ran.err) == (2, True)
    said = till.shell("reconcile", file, "--decimal", ",", "--json")
    assert of_type(said, "invoice")[0]["due"]["decimal"] == "1500.00"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["link", "A-1", "nothing"], "no payment “nothing”"),
        (["link", " ", "x"], "number is empty"),
        (["undo", "9"], "no decision 9"),
        (["undo", "x"], "no whole number"),
        (["link", "A-1"], "required"),
    ],
)
def test_decisions_that_cannot_be(shop: Shell, words: list[str], said: str) -> None:
    ran = shop("reconcile", *words)
    assert (ran.code, said in ran.err) == (2, True)


def test_of_one_payment_several_may_be_meant(till: Till, tmp_path: Path) -> None:
    urls = [till.payment("5") for _ in range(20)]
    names = [url.rpartition("/")[2] for url in urls]
    first: Callable[[str], str] = lambda name: name[0]  # noqa: E731
    letter = next(one for one in map(first, names) if sum(n.startswith(one) for n in names) > 1)
    ran = till.shell("reconcile", "link", "A-1", letter)
    assert (ran.code, "Several payments are meant" in ran.err) == (2, True)


def test_closed_with_nothing_paid_is_told_from_run_out(till: Till) -> None:
    url = till.payment("12", reference="INV-1")
    till.shell.done("complete", url, "--yes", "--received", "0")
    file = till.file("Invoice,Amount\nINV-1,12\n")

    (invoice,) = of_type(till.shell("reconcile", file, "--json"), "invoice")
    assert (invoice["class"], invoice["flags"]) == ("EXPIRED UNPAID", ["closed, nothing paid"])
    assert "EXPIRED UNPAID · closed, nothing paid" in till.shell("reconcile", file).out


def test_many_payments_without_an_invoice_do_not_bury_the_sums(till: Till) -> None:
    for number in range(12):
        till.payment("1", 100, description=f"tip number {number}")
    file = till.file("Invoice,Amount\nINV-1,12\n")

    out = till.shell("reconcile", file).out
    assert "… and 2 more; --all lists them" in out
    assert out.count("tip number") == 10
    assert out.index("tip number") < out.index("Invoices")
    assert till.shell("reconcile", file, "--all").out.count("tip number") == 12


def test_a_wallet_that_was_never_reached_is_said_to_be(till: Till) -> None:
    file = till.file("Invoice,Amount,Currency\nINV-1,12,USD\n")
    ran = till.shell("reconcile", file, "--offline")
    assert ran.code == 3
    assert "shop: never reached, so nothing is known of its payments" in ran.err
    assert "INCOMPLETE" not in ran.err
