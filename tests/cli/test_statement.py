"""``opdash statement``: on the sandbox, into files, and what is refused."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope, WalkState
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import LEDGER_FILE
from opdash.settings import Profile
from tests.cli.conftest import Shell, shop_profile
from tests.disks import filled_up, small_disk
from tests.ledger.builders import ADDRESS, OTHER, Book, payment

OCTOBER = datetime(2024, 10, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def mortal(start_sandbox: Callable[..., SandboxProcess], tmp_path: Path) -> SandboxProcess:
    """A sandbox to stop, whose client keeps its key."""
    return start_sandbox(key_file=tmp_path / "client.pem")


@pytest.fixture
def books(shell: Shell) -> Shell:
    """A shop whose ledger knows the October of 2024; its server is not there."""
    shell.set_up(Profile("rosa", ADDRESS, label="Rosa's Shop"))
    book = Book(shell.data_dir / LEDGER_FILE)
    with book.ledger:
        seven = {"externalRef": "INV-7"}
        evil = {"externalRef": "</table>\x1b[2J|[x](http://evil)"}
        before = OCTOBER - 30 * DAY
        book.record(payment("old", received=700, created=before, expires=None), at=before)
        book.record(
            payment("a", received=1000, completed=True, created=OCTOBER, metadata=seven),
            payment("b", received=205, completed=True, created=OCTOBER, metadata=evil),
            at=OCTOBER,
        )
        state = WalkState(cursor="c", server_has_more=False, updated_at=OCTOBER)
        book.ledger.set_walk_state(ADDRESS, Scope.OWN, state)
    return shell


OF_OCTOBER = ("statement", "--month", "2024-10", "--zone", "UTC", "--offline")


def test_a_month_from_the_ledger_alone(books: Shell) -> None:
    ran = books.done(*OF_OCTOBER)
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[0] == "Statement for October 2024"
    assert "Opening total, received before 1 October 2024 7.00" in lines
    assert "2 receipts of 2 payments 12.05" in lines
    assert "Closing total, received up to 31 October 2024 19.05" in lines
    assert "Sun 20 Oct 2024 2 2 12.05 ████████████████████" in lines
    assert "INV-7 1 1 10.00" in lines
    assert any("closed with 7.95" in line for line in lines)
    assert "\x1b" not in ran.out
    assert "not the account's balance" in " ".join(lines)


def test_for_programs_each_line_is_an_object(books: Shell) -> None:
    lines = books.done(*OF_OCTOBER, "--json").lines
    assert Counter(line["type"] for line in lines) == Counter(
        statement=1, wallet=1, asset=1, day=1, reference=2, state=2, action=1
    )
    by_type = {line["type"]: line for line in lines}
    statement, asset = by_type["statement"], by_type["asset"]
    assert (statement["start"], statement["end"]) == (
        "2024-10-01T00:00:00.000Z",
        "2024-11-01T00:00:00.000Z",
    )
    assert (statement["zone"], statement["over"], statement["complete"]) == ("UTC", True, True)
    assert (asset["estimatedReceipts"], asset["estimated"]["value"]) == (0, "0")
    assert asset["closing"] == {
        "value": "1905",
        "assetCode": "USD",
        "assetScale": 2,
        "decimal": "19.05",
    }
    assert (by_type["wallet"]["wallet"], by_type["wallet"]["walletAddress"]) == ("rosa", ADDRESS)
    assert by_type["action"]["matter"] == "closed with 7.95 USD missing"
    assert by_type["action"]["payment"]["reference"].startswith("</table>\x1b")


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (("--output", "october.html"), "<!DOCTYPE html>"),
        (("--output", "october.md"), "# Statement for October 2024"),
        (("--output", "october.txt"), "Statement for October 2024\n══"),
        (("--output", "october", "--format", "html"), "<!DOCTYPE html>"),
        (("--output", "october.html", "--format", "text"), "Statement for October 2024\n══"),
        (("--output", "october.jsonl", "--json"), '{"type":"statement"'),
    ],
)
def test_a_file_has_the_form_of_its_name_and_is_for_its_owner_alone(
    books: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    begins: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = books.done(*OF_OCTOBER, *words)
    path = tmp_path / words[1]
    assert ran.out == ""
    assert f"Wrote the statement for October 2024 into {path}." in ran.err
    assert path.read_text().startswith(begins)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_ending_that_names_no_form_is_text_and_said(books: Shell, tmp_path: Path) -> None:
    target = tmp_path / "october.xyz"
    ran = books.done(*OF_OCTOBER, "--output", str(target))
    assert f"into {target} as text, as no form is called “.xyz”; --format chooses" in ran.err
    assert target.read_text().startswith("Statement for October 2024\n══")
    bare = books.done(*OF_OCTOBER, "--output", str(tmp_path / "october"))
    assert "as text, as it has no ending" in bare.err


def test_a_full_disk_leaves_the_former_file_as_it_was(books: Shell, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        target = disk / "october.html"
        target.write_text("the former one")
        with filled_up(disk):
            ran = books(*OF_OCTOBER, "--output", str(target))
            assert ran.code == 1
            assert "No space left" in ran.err
        assert target.read_text() == "the former one"
        assert [path.name for path in disk.iterdir()] == ["october.html"]


def test_forms_on_standard_output(books: Shell) -> None:
    assert books.done(*OF_OCTOBER, "--format", "html").out.endswith("</html>\n")
    markdown = books.done(*OF_OCTOBER, "--format", "markdown").out
    assert "| INV-7 | 1 | 1 | 10.00 |" in markdown
    assert "\\[x\\](http\\://evil)" in markdown


def test_an_empty_month_is_a_statement_too(books: Shell) -> None:
    ran = books.done("statement", "--month", "2024-11", "--zone", "UTC", "--offline")
    assert "Nothing was received in November 2024." in ran.out
    assert "Opening total, received before 1 November 2024  19.05" in ran.out


def test_a_period_of_some_days(books: Shell) -> None:
    words = ("statement", "--period", "2024-10-20..2024-10-21", "--zone", "UTC", "--offline")
    ran = books.done(*words)
    assert ran.out.startswith("Statement for 20 October 2024 to 21 October 2024\n")
    assert "Opening total, received before 20 October 2024   7.00" in ran.out
    one_day = books.done("statement", "--period", "2024-10-21", "--zone", "UTC", "--offline")
    assert "Period     21 October 2024\n" in one_day.out
    assert "Nothing was received on 21 October 2024." in one_day.out


def test_a_month_in_the_future_is_refused(books: Shell) -> None:
    ran = books("statement", "--month", "9000-01", "--offline")
    assert (ran.code, ran.out) == (2, "")
    assert "January 9000 has not begun: its first day is 1 January 9000." in ran.err


def test_an_unknown_zone_is_refused_with_the_nearest_name(books: Shell) -> None:
    ran = books("statement", "--month", "2024-10", "--zone", "Europe/Berlim", "--offline")
    assert (ran.code, ran.out) == (2, "")
    assert "“Europe/Berlim” is no time zone." in ran.err
    assert "Did you mean Europe/Berlin?" in ran.err


def test_a_month_spanning_a_clock_change_begins_and_ends_at_midnight(books: Shell) -> None:
    line = books.done(
        "statement", "--month", "2024-10", "--zone", "Europe/Berlin", "--offline", "--json"
    ).lines[0]
    assert (line["start"], line["end"]) == ("2024-09-30T22:00:00.000Z", "2024-10-31T23:00:00.000Z")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--month", "october"), "“october” is no period."),
        (("--month", "2024-10-05"), "“2024-10-05” is no month."),
        (("--month", "2024-13"), "There is no month 2024-13."),
        (("--period", "2024-10-31..2024-10-01"), "ends before it begins"),
        (("--month", "2024-10", "--period", "2024"), "not allowed with"),
        (("--month", "2024-10", "--format", "pdf"), "invalid choice"),
        (("--month", "2024-10", "--json", "--format", "html"), "--json and --format"),
        (("--month", "2024-10", "--output", "/nowhere/at/all.html"), "There is no directory"),
        (
            (
                "--wallet",
                "nobody",
            ),
            "nobody",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(books: Shell, words: tuple[str, ...], said: str) -> None:
    ran = books("statement", "--offline", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_wallet_never_reached_is_told_of_and_counts_as_incomplete(books: Shell) -> None:
    books.set_up(Profile("rosa", ADDRESS), Profile("yen", OTHER.id))
    ran = books(*OF_OCTOBER)
    assert ran.code == 3
    assert "Nothing is known of yen yet: its server has never answered opdash." in ran.err
    assert "! Nothing is known of yen yet" in ran.out
    assert "19.05" in ran.out
    assert books.done(*OF_OCTOBER, "--wallet", "rosa").code == 0


def test_an_incomplete_ledger_says_so_and_ends_with_3(books: Shell) -> None:
    with Book(books.data_dir / LEDGER_FILE).ledger as ledger:
        state = WalkState(cursor="c", server_has_more=True, updated_at=OCTOBER)
        ledger.set_walk_state(ADDRESS, Scope.OWN, state)
    ran = books(*OF_OCTOBER)
    assert ran.code == 3
    assert "The ledger does not know the server's whole list" in ran.err


def test_no_server_is_asked_where_none_shall_be(shell: Shell, mortal: SandboxProcess) -> None:
    shell.set_up(shop_profile(mortal))
    shell.done("sync")
    mortal.stop()
    assert "USD" in shell.done("statement", "--offline").out


def test_a_server_that_does_not_answer_leaves_what_is_known(
    shell: Shell, mortal: SandboxProcess
) -> None:
    shell.set_up(shop_profile(mortal))
    shell.done("sync")
    mortal.stop()
    ran = shell("statement")
    assert ran.code == 5
    assert "A server did not answer; this is as last known." in ran.err
    assert "Closing total" in ran.out


def test_a_wallet_never_reached_whose_server_is_away(shell: Shell, mortal: SandboxProcess) -> None:
    shell.set_up(shop_profile(mortal))
    mortal.stop()
    ran = shell("statement")
    assert ran.code == 5
    assert "Nothing is known of shop yet: its server has never answered opdash." in ran.out


def test_the_closing_total_is_what_the_ledger_says(
    shell: Shell, fresh_sandbox: SandboxProcess
) -> None:
    shell.set_up(shop_profile(fresh_sandbox))
    shell.done("sync")
    url = shell.done("create", "--amount", "80", "--reference", "INV-NEW", "--json").line[
        "paymentId"
    ]
    fresh_sandbox.pay(url, 5000, packets=1)
    fresh_sandbox.advance(2)
    lines = shell.done("statement", "--json").lines
    with LedgerReader.open(shell.data_dir / LEDGER_FILE) as reader:
        (wallet,) = reader.wallets()
        received = {one.asset.code: one.received for one in reader.totals(wallet.address)}
    closing = {
        line["closing"]["assetCode"]: int(line["closing"]["value"])
        for line in lines
        if line["type"] == "asset"
    }
    assert closing == received
    news = [line for line in lines if line.get("reference") == "INV-NEW"]
    assert [line["received"]["value"] for line in news] == ["5000"]
