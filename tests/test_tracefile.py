"""The file of requests: appended to, for its owner alone, and never in the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from opdash.errors import ConfigError
from opdash.openpayments.traces import Trace
from opdash.tracefile import TraceFile
from tests.openpayments.test_traces import sight

TRACE = Trace.of(sight(headers=(("Authorization", "GNAP OS9nX3JY"),), answer=b"\x1b[2J"))


def test_requests_are_appended_and_are_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("kept\n", encoding="utf-8")
    path.chmod(0o644)
    file = TraceFile.open(path)
    file.note("shop", TRACE)
    text = path.read_text(encoding="utf-8")
    file.close()
    assert text.startswith("kept\n")
    assert "wallet: shop\n" in text
    assert TRACE.report() in text
    assert "OS9nX3JY" not in text
    assert "\x1b" not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_new_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        TraceFile.open(tmp_path / "t.txt").close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "t.txt").stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        TraceFile.open(tmp_path / "no" / "t.txt")
    assert "No such file" in caught.value.sentence
    assert "--trace" in caught.value.advice


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_hinders_nothing() -> None:
    file = TraceFile.open(Path("/dev/full"))
    file.note("shop", TRACE)
    file.close()
