"""What the screens may load before their first paint."""

from __future__ import annotations

import subprocess
import sys

import pytest

from opdash.tui.stylesheets import sheets

SCREENS = ("opdash.tui.app", "opdash.tui.screens.payments", "opdash.tui.screens.wallets")
LATER = ("httpx", "anyio", "cryptography", "starlette", "uvicorn", "tomli_w", "opdash.sandbox")


@pytest.mark.parametrize("module", SCREENS)
def test_the_first_screens_load_no_network_and_no_cryptography(module: str) -> None:
    program = f"import sys, {module}; print(*(set({LATER!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_a_missing_style_sheet_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nonsense\.tcss"):
        sheets("nonsense")
