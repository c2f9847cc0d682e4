"""``opdash export``, from the command line to the file."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opdash.exports.records import FormatName
from opdash.exports.turns import in_turn
from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import Scope, WalkState
from opdash.service.dashboard import LEDGER_FILE
from opdash.settings import Profile
from tests.cli.conftest import REPOSITORY, Shell
from tests.disks import filled_up, small_disk
from tests.exports.builders import at, told
from tests.exports.tools import needs_hledger, read_beancount, read_hledger, read_ofx
from tests.ledger.builders import ADDRESS, NOW, OTHER, Book, payment, payment_id


@pytest.fixture
def shop(shell: Shell) -> Iterator[Book]:
    """A ledger that knows all of one wallet address."""
    shell.set_up(Profile("shop", ADDRESS))
    book = Book(shell.data_dir / LEDGER_FILE)
    with book.ledger:
        whole = WalkState(cursor="c", server_has_more=False, updated_at=NOW)
        book.ledger.set_walk_state(ADDRESS, Scope.OWN, whole)
        yield book


def two_receipts(book: Book) -> None:
    book.record(told("a", 0, "INV-7", "=1+1", created=NOW), at=NOW)
    book.record(told("a", 300, "INV-7", "=1+1", created=NOW), at=at(1))
    book.record(told("a", 1000, "INV-7", "=1+1", created=NOW), at=at(2))


def test_a_file_is_written_and_told_of(shell: Shell, shop: Book, tmp_path: Path) -> None:
    two_receipts(shop)
    path = tmp_path / "out.csv"

    ran = shell.done("export", "csv", "--output", str(path))

    (row,) = csv.DictReader(io.StringIO(path.read_text(), newline=""))
    assert (row["payment_id"], row["received"]) == (payment_id("a"), "10.00")
    assert row["description"] == "'=1+1"
    assert path.stat().st_mode & 0o777 == 0o600
    assert ran.out.splitlines() == [
        f"1 payment in {path}",
        "  10.00 USD received",
        "  shop; the payments that this client created",
    ]
    assert ran.err == ""


def test_data_go_to_standard_output_and_talk_does_not(shell: Shell, shop: Book) -> None:
    two_receipts(shop)

    for words in (("export", "jsonl"), ("export", "jsonl", "--output", "-")):
        ran = shell.done(*words)
        assert ran.line["received"]["decimal"] == "10.00"
        assert ran.err.splitlines()[0] == "1 payment"


@needs_hledger
def test_hledger_beancount_and_ofxtools_read_the_same_sums(
    shell: Shell, shop: Book, tmp_path: Path
) -> None:
    two_receipts(shop)

    journal = read_hledger(shell.done("export", "hledger").out, tmp_path)
    ledger = read_beancount(shell.done("export", "beancount").out, tmp_path)
    (statement,) = read_ofx(shell.done("export", "ofx").out)

    assert journal.sums == ledger.sums == {"USD": 10}
    assert statement.balance == 10
    ids = [one.id for one in statement.receipts]
    assert ids == [f"{payment_id('a')}#300", f"{payment_id('a')}#1000"]
    assert ids == [one.id for one in journal.receipts] == [one.id for one in ledger.receipts]


def test_what_is_new_since_the_last_time(shell: Shell, shop: Book, tmp_path: Path) -> None:
    two_receipts(shop)
    words = ("export", "ofx", "--since-last", "--output")
    first, second, third = (str(tmp_path / f"{n}.ofx") for n in range(3))

    shell.done(*words, first)
    shop.record(told("a", 1200, "INV-7", "=1+1", created=NOW, completed=True), at=at(3))
    ran = shell.done(*words, second)
    shell.done(*words, third)

    found = [read_ofx(Path(path).read_text()) for path in (first, second, third)]
    assert [[str(one.amount) for one in one_.receipts] for (one_,) in found] == [
        ["3", "7"],
        ["2"],
        [],
    ]
    assert [str(one.balance) for (one,) in found] == ["10", "12", "12"]
    assert "new since the export of" in ran.out


def test_of_two_at_once_each_receipt_is_in_one(shell: Shell, shop: Book) -> None:
    two_receipts(shop)
    words = ("export", "hledger", "--since-last", "--entries-only")
    with in_turn(shop.path, lambda: None):
        both = [shell.spawn(*words, stderr=subprocess.PIPE) for _ in range(2)]
        for process in both:
            assert process.stderr is not None
            assert "begins when that has ended" in process.stderr.readline()

    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(text.count("; id:") for text in said) == [0, 2]


def test_an_incomplete_ledger_is_exit_3_unless_allowed(shell: Shell, shop: Book) -> None:
    more = WalkState(cursor="c", server_has_more=True, updated_at=NOW)
    shop.ledger.set_walk_state(ADDRESS, Scope.OWN, more)
    two_receipts(shop)

    ran = shell("export", "csv")

    assert ran.code == 3
    assert len(ran.out.splitlines()) == 2
    assert "the ledger is incomplete" in ran.err
    assert "the ledger is incomplete" in shell.done("export", "csv", "--allow-incomplete").err


def test_what_is_left_out_is_exit_3_even_so(shell: Shell, shop: Book) -> None:
    shop.record(told("a", 5, code="USDC"), told("b", 7), at=NOW)

    ran = shell("export", "camt053", "--allow-incomplete")

    assert ran.code == 3
    assert "Left out: 1 (0.05 USDC): camt.053 has no currency “USDC”" in ran.err
    assert f"{payment_id('a')}#5" in ran.err


def test_nothing_that_a_format_can_hold_is_exit_3_and_no_file(
    shell: Shell, shop: Book, tmp_path: Path
) -> None:
    from msgspec.structs import replace

    shell.set_up(Profile("coins", OTHER.id))
    shop.ledger.remember_wallet(replace(OTHER, asset_code="USDC"), NOW)
    path = tmp_path / "out.xml"

    ran = shell("export", "camt053", "--output", str(path))

    assert ran.code == 3
    assert "can hold nothing" in ran.err
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("export",), "required"),
        (("export", "xls"), "invalid choice"),
        (("export", "csv", "--period", "october"), "“october” is no period"),
        (("export", "csv", "--zone", "Europe/Berln"), "Did you mean Europe/Berlin?"),
        (("export", "csv", "--filter", "amount>x"), "is no amount"),
        (("export", "csv", "--filter", "a", "--saved", "b"), "not allowed"),
        (("export", "csv", "--saved", "nothing"), "nothing"),
        (("export", "csv", "--wallet", "nobody"), "There is no wallet “nobody”"),
        (("export", "csv", "--force"), "--force replaces a file"),
        (("export", "csv", "--account", "a"), "names no accounts"),
        (("export", "hledger", "--account", "a;b"), "is no account of hledger"),
        (("export", "beancount", "--account", "bank"), "is no account of beancount"),
        (("export", "ofx", "--account", "x" * 30), "is no account number"),
        (("export", "csv", "--output", "/dev/null", "--force"), "is no file"),
        (("export", "csv", "--output", "/nowhere/out.csv"), "There is no directory"),
    ],
)
def test_wrong_input_is_exit_2(
    shell: Shell, shop: Book, words: tuple[str, ...], sentence: str
) -> None:
    two_receipts(shop)

    ran = shell(*words)

    assert ran.code == 2
    assert ran.out == ""
    assert sentence in ran.err


def test_a_file_is_replaced_only_when_asked_for(shell: Shell, shop: Book, tmp_path: Path) -> None:
    two_receipts(shop)
    path = tmp_path / "out.csv"
    path.write_text("mine")

    ran = shell("export", "csv", "--output", str(path))
    assert (ran.code, path.read_text()) == (2, "mine")
    assert "--force" in ran.err

    shell.done("export", "csv", "--output", str(path), "--force")
    assert path.read_text().startswith("schema,")


def test_accounts_are_remembered_for_the_format(shell: Shell, shop: Book) -> None:
    two_receipts(shop)
    said = ("--account", "assets:bank:{wallet}", "--income", "income:web")

    first = shell.done("export", "hledger", *said).out
    again = shell.done("export", "hledger").out
    shell.done("export", "hledger", "--income", "income:other")
    third = shell.done("export", "hledger").out

    assert "assets:bank:shop" in first
    assert again == first
    assert "assets:bank:shop" in third
    assert "income:other" in third
    assert "Assets:OpenPayments:Shop" in shell.done("export", "beancount").out


def test_a_filter_a_period_and_a_zone_choose(shell: Shell, shop: Book) -> None:
    two_receipts(shop)
    shop.record(told("b", 5, "INV-8", created=NOW), at=at(700))  # 00:40 on the 21st in Berlin
    berlin = ("--zone", "Europe/Berlin")

    def rows(*words: str) -> int:
        out = shell.done("export", "csv", *words).out
        return len(list(csv.DictReader(io.StringIO(out, newline=""))))

    assert rows() == 2
    assert rows("--filter", "ref:INV-8") == 1
    assert rows("--filter", "-ref:INV-8") == 1
    assert rows("--period", "2026-11", *berlin) == 2
    assert rows("--period", "2026-10..2026-10-31", *berlin) == 0
    told_of = shell.done("export", "hledger", "--period", "2026-11-20", *berlin).out
    assert told_of.count("INV-7") == 4
    assert "#5" in told_of, "what was there at the first look is as old as the payment"


def test_a_saved_search_is_meant_by_its_name(shell: Shell, shop: Book) -> None:
    two_receipts(shop)

    ran = shell.done("export", "jsonl", "--saved", "Needs action", "--wallet", "shop")

    assert ran.out == ""


def test_all_wallets_are_exported_unless_one_is_named(shell: Shell, shop: Book) -> None:
    shell.set_up(Profile("shop", ADDRESS), Profile("yen", OTHER.id))
    shop.ledger.remember_wallet(OTHER, NOW)
    shop.ledger.set_walk_state(
        OTHER.id, Scope.OWN, WalkState(cursor=None, server_has_more=False, updated_at=NOW)
    )
    two_receipts(shop)
    shop.record(
        payment("y", received=7, code="JPY", scale=0, wallet=OTHER.id), wallet_id=OTHER.id, at=NOW
    )

    assert {line["wallet"] for line in shell.done("export", "jsonl").lines} == {"shop", "yen"}
    assert shell.done("export", "jsonl", "--wallet", "yen").line["wallet"] == "yen"


def test_a_wallet_of_which_nothing_is_known(shell: Shell, shop: Book) -> None:
    shell.set_up(Profile("new", OTHER.id))

    for kind in (FormatName.CSV, FormatName.HLEDGER):
        ran = shell("export", kind.value, "--since-last")
        assert (ran.code, ran.err.splitlines()[-1]) == (
            3,
            "new: the ledger is incomplete, with 0 payments known; “opdash sync” reads the rest.",
        )
    ran = shell("export", "ofx")
    assert (ran.code, ran.out) == (1, "")
    assert "Nothing is known yet" in ran.err


def test_without_a_ledger_there_is_nothing_to_export(shell: Shell) -> None:
    shell.set_up(Profile("shop", ADDRESS))

    ran = shell("export", "csv")

    assert ran.code == 1
    assert "There is no ledger" in ran.err


def test_a_full_disk_leaves_nothing_and_moves_nothing(
    shell: Shell, shop: Book, tmp_path: Path
) -> None:
    shop.record(*(payment(f"p{n}", received=1) for n in range(500)), at=NOW)
    with small_disk(tmp_path / "disk", 1) as disk:
        with filled_up(disk):
            ran = shell("export", "csv", "--since-last", "--output", str(disk / "out.csv"))
            assert ran.code == 1
            assert "the disk is full" in ran.err
            assert [one.name for one in disk.iterdir()] == ["ballast"]

        again = shell.done("export", "csv", "--since-last", "--output", str(disk / "out.csv"))
        assert again.out.startswith("500 payments")


@pytest.mark.parametrize("kind", FormatName)
def test_a_broken_pipe_is_quiet_and_moves_nothing(
    shell: Shell, shop: Book, kind: FormatName
) -> None:
    shop.record(*(payment(f"p{n}", received=1) for n in range(1500)), at=NOW)
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "opdash", "export", kind.value, "--since-last"]
    process = subprocess.Popen(
        [*command, *shell.places], stdout=writing, stderr=subprocess.PIPE, cwd=REPOSITORY
    )
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)

    _, said = process.communicate(timeout=60)

    assert (process.returncode, said) == (1, b"")
    with LedgerReader.open(shop.path) as reader:
        assert reader.export_mark(ADDRESS, kind.value).entry == 0


def test_output_is_utf_8_wherever_it_goes(shell: Shell, shop: Book) -> None:
    shop.record(told("a", 5, "é漢", "\x1b[31m"), at=NOW)
    command = [sys.executable, "-m", "opdash", "export", "csv", *shell.places]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}

    ran = subprocess.run(
        command, capture_output=True, check=True, cwd=REPOSITORY, env=environment, timeout=60
    )

    text = ran.stdout.decode()
    assert "é漢,␛[31m" in text
    assert text.count("\r\n") == 2
    assert "\r\r" not in text


def test_json_lines_hold_texts_as_sent(shell: Shell, shop: Book) -> None:
    shop.record(told("a", 5, "R\x00\x1b", "two\nlines"), at=NOW)

    line = json.loads(shell.done("export", "jsonl").out)

    assert (line["reference"], line["description"]) == ("R\x00\x1b", "two\nlines")
