"""The demo, unattended: what it leaves behind when it is told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def leftovers(place: Path) -> list[Path]:
    return sorted(place.glob("opdash-*"))


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP])
def test_a_check_that_is_told_to_end_leaves_no_key_behind(
    tmp_path: Path, told: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "opdash", "demo", "--check"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(400):
        if any(tmp_path.glob("opdash-demo-*/client.pem")):
            break
        time.sleep(0.02)
    else:
        pytest.fail("the demo made no key")
    process.send_signal(told)
    assert process.wait(30) == 128 + told
    assert leftovers(tmp_path) == []
