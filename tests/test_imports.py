"""Arrows run one way, and nothing heavy is imported before it is needed.

Each claim is proved in a fresh process, because this one has imported everything.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import opdash
from opdash.service.dashboard import LEDGER_FILE
from opdash.settings import Profile, Settings, SettingsStore
from tests.ledger.builders import ADDRESS, Book, payment

PACKAGE = Path(opdash.__file__).parent

NETWORK = {"httpx", "cryptography", "starlette", "uvicorn"}

IMPORT_ALL = """
import importlib, json, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""

IMPORT_ONE = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""

RUN = """
import json, sys
from opdash.cli.main import entry_point
code = entry_point(sys.argv[1:])
assert code == 0, code
print("\\n" + json.dumps(sorted(sys.modules)))
"""


FIRST_FRAME = """
import asyncio, json, os, sys
from pathlib import Path
from opdash.cli.screen import _plain
from opdash.cli.context import opened

with opened(_plain(sys.argv[1:])) as context:
    from opdash.service.dashboard import Dashboard
    from opdash.tui.app import OpdashApp

    class Watched(OpdashApp):
        def _first_painted(self):
            assert "INV-1" in self.export_screenshot(), "there is no row in the first frame"
            print(json.dumps(sorted(before)), flush=True)
            os._exit(0)

        def export_screenshot(self, **options):
            global before
            before = set(sys.modules)
            return super().export_screenshot(**options)

    app = Watched(Dashboard(context.store, context.options.data_dir, context.clock))
    asyncio.run(app.run_async(headless=True, size=(120, 40)))
"""

AFTER_THE_FIRST_FRAME = (
    *NETWORK,
    *("argparse", "hashlib", "hmac", "secrets"),
    *("opdash.cli.options", "opdash.cli.output", "opdash.debuglog", "opdash.redact"),
    *("opdash.openpayments.client", "opdash.openpayments.transport"),
    "opdash.openpayments.decoding",
    *("opdash.ledger.store", "opdash.ledger.recording", "opdash.ledger.observing"),
    *("opdash.ledger.scans", "opdash.ledger.charting", "opdash.ledger.receipts"),
    *("opdash.ledger.search.terms", "opdash.ledger.search.finding", "opdash.ledger.search.index"),
    *("opdash.service.parts", "opdash.service.connection", "opdash.service.tokens"),
    *("opdash.service.poller", "opdash.service.scan", "opdash.service.planner"),
    *("opdash.service.creations", "opdash.service.completions", "opdash.service.recorder"),
    *("opdash.tui.searching", "opdash.tui.reading_thread", "opdash.tui.screens.wallets"),
    *("opdash.tui.actions.registry", "opdash.tui.actions.books"),
    *("opdash.tui.widgets.payment_detail", "opdash.tui.widgets.sheet"),
    *("opdash.tui.widgets.notices", "opdash.tui.widgets.filter_input"),
)
"""What the first frame of the payments does without."""

MOST_OF_OURS = 94
"""Modules of opdash before the first frame; the next one should come after it, if it can."""


def modules_after(program: str, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=PACKAGE.parent,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("package", ["openpayments", "ledger", "service", "hooks"])
def test_the_core_never_imports_the_screen_library(package: str) -> None:
    modules = modules_after(IMPORT_ALL, f"opdash.{package}")

    assert f"opdash.{package}" in modules
    assert not modules & {"textual", "opdash.tui", "opdash.cli", "opdash.sandbox"}


def test_the_protocol_library_stands_alone() -> None:
    modules = modules_after(IMPORT_ALL, "opdash.openpayments")

    for package in ("ledger", "service", "settings"):
        assert f"opdash.{package}" not in modules
    assert not modules & {"sqlite3", "platformdirs", "tomllib"}


def test_the_ledger_knows_no_network_and_no_service() -> None:
    modules = modules_after(IMPORT_ALL, "opdash.ledger")

    assert not modules & (NETWORK | {"opdash.service", "opdash.settings"})


def test_the_sandbox_uses_the_protocol_library_only() -> None:
    modules = modules_after(IMPORT_ALL, "opdash.sandbox")

    assert not modules & {"opdash.service", "opdash.ledger", "opdash.tui", "textual"}


def test_the_whole_screen_is_imported_without_network_and_cryptography() -> None:
    modules = modules_after(IMPORT_ALL, "opdash.tui")

    assert "textual" in modules
    assert not modules & NETWORK


def test_the_service_is_imported_without_network_and_cryptography() -> None:
    assert not modules_after(IMPORT_ONE, "opdash.service.dashboard") & NETWORK


def test_the_first_frame_is_painted_before_most_is_imported(tmp_path: Path) -> None:
    config, data = tmp_path / "config.toml", tmp_path / "data"
    SettingsStore(config).save(Settings(profiles=(Profile("rosa", ADDRESS),)))
    book = Book(data / LEDGER_FILE)
    with book.ledger:
        book.record(payment(metadata='{"externalRef":"INV-1"}'))

    modules = modules_after(FIRST_FRAME, "--config", str(config), "--data-dir", str(data))

    assert "opdash.tui.screens.payments" in modules
    assert sorted(modules & set(AFTER_THE_FIRST_FRAME)) == []
    ours = {name for name in modules if name.startswith("opdash")}
    assert len(ours) <= MOST_OF_OURS, sorted(ours)


def test_the_first_frame_defines_no_dataclass_of_opdash() -> None:
    """Each takes half a millisecond; structs and named tuples take a fifth of that at the most."""
    program = """
import dataclasses, json, sys
from textual.app import App

made = dataclasses._process_class
def note(cls, *arguments, **named):
    assert not cls.__module__.startswith("opdash"), f"{cls.__module__}.{cls.__name__}"
    return made(cls, *arguments, **named)
dataclasses._process_class = note

import opdash.cli.screen, opdash.service.dashboard, opdash.tui.app, opdash.tui.screens.payments
print(json.dumps(sorted(sys.modules)))
"""
    assert "opdash.tui.screens.payments" in modules_after(program)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["--debug", "--help"]])
def test_the_help_imports_next_to_nothing(words: list[str]) -> None:
    before = modules_after("import json, sys; print(json.dumps(sorted(sys.modules)))")
    modules = modules_after(RUN, *words) - before

    heavy = {"msgspec", "sqlite3", "textual", "asyncio", "argparse", "tomllib", "dataclasses"}
    assert not modules & (NETWORK | heavy)
    ours = {name for name in modules if name.startswith("opdash")}
    assert ours == {"opdash", "opdash.cli", "opdash.cli.main"}


def test_a_commands_help_asks_nothing_of_the_network() -> None:
    words = ["list", "show", "create", "complete", "watch", "outgoing"]
    program = RUN.replace(
        "code = entry_point(sys.argv[1:])",
        "try: code = entry_point(sys.argv[1:])\nexcept SystemExit as end: code = end.code",
    )
    for word in words:
        assert not modules_after(program, word, "--help") & (NETWORK | {"textual"})
