from __future__ import annotations

from tests.test_imports import IMPORT_ALL, NETWORK, modules_after


def test_exports_stand_on_the_ledger_alone() -> None:
    modules = modules_after(IMPORT_ALL, "opdash.exports")

    assert "opdash.ledger.receipt_steps" in modules
    assert not modules & NETWORK
    assert not modules & {
        "opdash.service",
        "opdash.tui",
        "opdash.cli",
        "opdash.settings",
        "textual",
    }
