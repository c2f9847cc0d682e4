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


@pytest.mark.parametrize("package", ["openpayments", "ledger", "service"])
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
