"""The invoices that the demo has at hand."""

from __future__ import annotations

import csv
from pathlib import Path

from opdash.cli.demo_books import write_invoices
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import LEDGER_FILE
from tests.cli.conftest import Shell, shop_profile
from tests.cli.test_reconcile import classes, of_type


def test_they_fit_the_shops_payments_with_some_mistakes(
    shell: Shell, sandbox: SandboxProcess
) -> None:
    shell.set_up(shop_profile(sandbox))
    shell.done("sync")
    ledger = shell.data_dir / LEDGER_FILE

    path = write_invoices(shell.data_dir, ledger, sandbox.main_wallet)

    assert path is not None
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(rows) > 10
    ran = shell("reconcile", str(path), "--json", "--offline")
    assert ran.code == 3
    found = classes(ran)
    assert found["INV-2026-0501"] == found["INV-2026-0502"] == "OUTSTANDING"
    assert {"PAID", "UNDERPAID", "PARTIAL"} <= set(found.values())
    unmatched = [one["number"] for one in of_type(ran, "invoice") if not one["matches"]]
    assert unmatched == ["INV-2026-0501", "INV-2026-0502"]


def test_there_are_none_for_a_wallet_without_payments(
    shell: Shell, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    shell.set_up(shop_profile(sandbox))
    shell.done("list")
    ledger = shell.data_dir / LEDGER_FILE
    assert write_invoices(tmp_path, ledger, "https://ilp.example/nobody") is None
    assert list(tmp_path.glob("*.csv")) == []
