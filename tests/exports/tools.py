"""The programs that bookkeepers use, reading what was exported."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import warnings
from collections import Counter
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

HLEDGER = shutil.which("hledger")

IS_MISSING = HLEDGER is None and not os.environ.get("CI")
"""Whether tests with hledger are skipped; a machine that checks changes must have it."""

needs_hledger = pytest.mark.skipif(IS_MISSING, reason="hledger is not installed")


class Read(NamedTuple):
    """A receipt as a program understood it."""

    id: str
    day: str
    amount: Fraction
    commodity: str
    text: str
    reference: str = ""


class Journal(NamedTuple):
    """A journal as a program understood it: its receipts, and what an account has received."""

    receipts: list[Read]
    sums: dict[str, Fraction]


def read_hledger(text: str, directory: Path, account: str = "assets") -> Journal:
    """Read a journal with hledger, strictly."""
    path = directory / "read.journal"
    path.write_text(text, encoding="utf-8")
    _hledger(path, "check", "--strict", "ordereddates")
    receipts = [_transaction(one) for one in json.loads(_hledger(path, "print", "-O", "json"))]
    lines = _hledger(path, "balance", account, "-O", "csv", "--layout=bare").splitlines()
    sums: Counter[str] = Counter()
    for row in csv.DictReader(lines):
        if row["account"] != "total":
            sums[row["commodity"]] += Fraction(row["balance"])  # type: ignore[assignment]
    return Journal(receipts, {code: Fraction(one) for code, one in sums.items() if one})


def _hledger(path: Path, *words: str) -> str:
    ran = subprocess.run(
        [HLEDGER or "hledger", "-f", str(path), *words],
        capture_output=True,
        check=False,
        timeout=60,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", "")},
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


def _transaction(one: dict[str, Any]) -> Read:
    first, second = one["tpostings"]
    amounts = [_amount(posting) for posting in (first, second)]
    assert amounts[0][0] == -amounts[1][0]
    assert first["paccount"].startswith("assets:")
    assert second["paccount"].startswith("income:")
    tags = dict(one["ttags"])
    assert one["tstatus"] == "Cleared"
    assert one["tdate2"] is None
    assert all(posting["pdate"] is None for posting in one["tpostings"])
    return Read(
        id=tags["id"],
        day=one["tdate"],
        amount=amounts[0][0],
        commodity=amounts[0][1],
        text=one["tdescription"],
        reference=tags.get("reference", ""),
    )


def _amount(posting: dict[str, Any]) -> tuple[Fraction, str]:
    (amount,) = posting["pamount"]
    quantity = amount["aquantity"]
    number = Fraction(quantity["decimalMantissa"], 10 ** quantity["decimalPlaces"])
    return number, amount["acommodity"]


def read_beancount(text: str, directory: Path) -> Journal:
    """Read a ledger with beancount; any complaint is a failure."""
    from beancount import loader
    from beancount.core.data import Transaction

    path = directory / "read.beancount"
    path.write_text(text, encoding="utf-8")
    entries, errors, _ = loader.load_file(str(path))
    assert not errors, errors
    receipts = []
    sums: Counter[str] = Counter()
    for entry in entries:
        if not isinstance(entry, Transaction):
            continue
        first, second = entry.postings
        assert first.units is not None
        assert second.units == -first.units
        assert first.units.number is not None
        amount = Fraction(first.units.number)
        sums[first.units.currency] += amount  # type: ignore[assignment]
        receipts.append(
            Read(
                id=entry.meta["id"],
                day=entry.date.isoformat(),
                amount=amount,
                commodity=first.units.currency,
                text=entry.narration or "",
                reference=entry.meta.get("reference", ""),
            )
        )
    return Journal(receipts, {code: Fraction(one) for code, one in sums.items() if one})


class Account(NamedTuple):
    """A statement as a program understood it."""

    number: str
    currency: str
    balance: Fraction
    receipts: list[Read]


def read_ofx(text: str) -> list[Account]:
    """Read an OFX file with ofxtools."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from ofxtools.Parser import OFXTree
    tree = OFXTree()
    tree.parse(BytesIO(text.encode()))
    return [_statement(one) for one in tree.convert().statements]


def _statement(one: Any) -> Account:
    return Account(
        number=one.account.acctid,
        currency=one.curdef,
        balance=Fraction(one.ledgerbal.balamt),
        receipts=[
            Read(
                id=line.fitid,
                day=line.dtposted.date().isoformat(),
                amount=Fraction(line.trnamt),
                commodity=one.curdef,
                text=line.memo or "",
                reference=line.name,
            )
            for line in one.transactions
        ],
    )
