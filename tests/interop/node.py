"""Runs the scripts of this folder with Node.js, or says why that cannot be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest

HERE = Path(__file__).parent
REQUIRED = "OPDASH_REQUIRE_INTEROP"
"""The environment variable that turns a skipped test into a failed one."""

_TIMEOUT = 120.0


def run(script: str, asked: object) -> Any:
    """Run a script with a JSON value on its stdin; return the JSON value on its stdout."""
    node = require()
    done = subprocess.run(
        [node, HERE / script],
        input=json.dumps(asked, ensure_ascii=False).encode(),
        capture_output=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"{script} failed:\n{done.stderr.decode()}", pytrace=False)
    return json.loads(done.stdout)


def require() -> str:
    """Return where Node.js is; skip the test, or fail it, when it or the libraries are missing."""
    node = shutil.which("node") or _missing("Node.js is not installed")
    if not (HERE / "node_modules" / "@interledger" / "open-payments").is_dir():
        _missing("the official libraries are not installed: run npm ci in tests/interop")
    return node


def _missing(what: str) -> NoReturn:
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{what}, and {REQUIRED}=1 demands it", pytrace=False)
    pytest.skip(what)
