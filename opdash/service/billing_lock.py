"""One process bills on a wallet address at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opdash.errors import OpdashError


class BusyError(OpdashError):
    """Another opdash creates payments from invoices for the same wallet address."""


@contextmanager
def billing_alone(ledger: Path, wallet_address: str) -> Iterator[None]:
    """Keep other processes from billing on the same wallet address; where locks work.

    The ledger itself lets no invoice be billed twice. The lock keeps a second process from calling
    a payment not created that the first, put to sleep in between, is still to send.

    Raises:
        BusyError: Another one does.
    """
    subject = hashlib.sha256(wallet_address.encode()).hexdigest()
    path = ledger.with_name(f"{ledger.name}-billing-{subject[:12]}")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                "Another opdash creates payments from invoices for this wallet just now.",
                "Let it end; then do this again, which goes on with what is left.",
            ) from None
        except OSError:
            pass  # this file system knows no locks
        yield
    finally:
        os.close(descriptor)
