"""Which of several opdash processes on one ledger polls a wallet address."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from opdash.ledger.records import Scope


class PollingDuty:
    """A lock beside the ledger that ends with its process, however that ends.

    Where the file system knows no locks, everybody polls.

    Args:
        ledger: The ledger's file.
        wallet_address: The wallet address, as the profile names it.
        scope: Under which scope it is polled.
    """

    def __init__(self, ledger: Path, wallet_address: str, scope: Scope) -> None:
        subject = hashlib.sha256(f"{scope.value} {wallet_address}".encode()).hexdigest()
        self._path = ledger.with_name(f"{ledger.name}-polling-{subject[:12]}")
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this one polls."""
        return self._descriptor is not None

    def take(self) -> bool:
        """Take the duty if nobody has it, without waiting; return whether this one polls."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError:
            os.close(descriptor)
            return True
        self._descriptor = descriptor
        return True

    def give_up(self) -> None:
        """Let another process poll. The file stays: removing it would let two hold the lock."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
