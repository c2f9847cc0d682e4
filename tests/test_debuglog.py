"""The debug log: one line an entry, for the owner only, without secrets."""

from __future__ import annotations

import logging
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opdash.clock import SystemClock
from opdash.debuglog import DebugLog
from opdash.errors import ConfigError
from opdash.openpayments.transport import Exchange


class StoppedClock(SystemClock):
    def now(self) -> datetime:
        return datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "debug.log"


def test_an_exchange_is_one_line(path: Path) -> None:
    log = DebugLog.open(path, StoppedClock())
    log.exchange(Exchange(1, "GET", "https://ilp.example/rosa", 200, 0.034))
    log.close()

    assert path.read_text() == (
        "2026-11-20T12:00:00.000+00:00 #1 GET https://ilp.example/rosa → 200 in 0.034 s\n"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_written_is_masked_and_safe(path: Path) -> None:
    log = DebugLog.open(path, StoppedClock())
    log.note("Authorization: GNAP abc123\n\x1b[31m forged line")
    log.close()

    assert path.read_text().count("\n") == 1
    assert "abc123" not in path.read_text()
    assert "\x1b" not in path.read_text()


def test_a_failure_says_where_and_keeps_secrets(path: Path) -> None:
    log = DebugLog.open(path, StoppedClock())
    try:
        raise RuntimeError("sent GNAP abc123 to the wrong server")
    except RuntimeError as error:
        log.failure(error)
    log.close()

    text = path.read_text()
    assert "RuntimeError: sent GNAP •••" in text
    assert "test_debuglog.py" in text
    assert "abc123" not in text


def test_messages_of_logging_arrive_with_their_exceptions(path: Path) -> None:
    log = DebugLog.open(path, StoppedClock())
    logger = logging.getLogger("opdash.test")
    handler = log.handler()
    logger.addHandler(handler)
    try:
        try:
            raise RuntimeError("inner")
        except RuntimeError:
            logger.exception("A poll met a fault")
    finally:
        logger.removeHandler(handler)
    log.close()

    assert "ERROR opdash.test A poll met a fault" in path.read_text()
    assert "RuntimeError: inner" in path.read_text()


def test_a_second_run_appends_and_closes_the_file_to_others(path: Path) -> None:
    for word in ("one", "two"):
        log = DebugLog.open(path, StoppedClock())
        log.note(word)
        log.close()
        path.chmod(0o644)
    DebugLog.open(path, StoppedClock()).close()

    assert [line.split()[-1] for line in path.read_text().splitlines()] == ["one", "two"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_that_has_grown_large_is_put_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x" * (10 * 1024 * 1024 + 1))

    DebugLog.open(path, StoppedClock()).close()

    assert path.stat().st_size == 0
    assert path.with_name("debug.log.1").stat().st_size > 0


def test_a_link_planted_in_its_place_is_refused(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ConfigError, match="cannot be written"):
        DebugLog.open(path, StoppedClock())
