"""Exports of what is new, one process after the other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def in_turn(ledger: Path, waiting: Callable[[], object]) -> Iterator[None]:
    """Wait until no other process exports what is new from a ledger; where locks work.

    Two that begin at the same mark would both write the same receipts, and a journal to which both
    append would hold them twice.

    Args:
        ledger: The ledger's file.
        waiting: Is called if another one has to end first.
    """
    try:
        path = ledger.with_name(f"{ledger.name}-export")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        with suppress(OSError):  # this file system knows no locks
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
