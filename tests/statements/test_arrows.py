"""Statements know the ledger, and nothing above it."""

from __future__ import annotations

from tests.test_imports import IMPORT_ALL, NETWORK, modules_after


def test_statements_are_made_of_the_ledger_alone() -> None:
    modules = modules_after(IMPORT_ALL, "opdash.statements")

    assert "opdash.ledger.reader" in modules
    above = {"opdash.service", "opdash.books", "opdash.cli", "opdash.tui", "opdash.settings"}
    assert not modules & (NETWORK | above | {"textual"})
