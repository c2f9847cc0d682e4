"""A ledger of every published version, as the opdash of then wrote it.

``python -m tests.ledger.versions`` writes the one of today, once: before the next migration is
added. What is there is never written again.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from opdash.ledger.records import Scope
from opdash.ledger.schema import VERSION
from opdash.ledger.store import Ledger
from opdash.openpayments.resources import IncomingPaymentPage, Pagination
from tests.ledger import version_1
from tests.ledger.builders import ADDRESS, GRACE, NOW, WALLET, payment

CLIENT = "https://ilp.example/till"


def file_of(version: int) -> Path:
    """Return where the ledger of a version is kept."""
    return version_1.DUMP.with_name(f"version_{version}.sqlite3.gz")


def load(path: Path, version: int) -> None:
    """Make the ledger of a version."""
    if version == 1:
        version_1.load(path)
    else:
        path.write_bytes(gzip.decompress(file_of(version).read_bytes()))


def fill(path: Path) -> None:
    """Make a ledger of today with a bit of everything in it, and a scan under way."""
    version_1.fill(path)
    later = NOW + timedelta(hours=1)
    with Ledger.open(path) as ledger:
        ledger.remember_wallet(WALLET, NOW, client=CLIENT)
        scan, ticket = ledger.begin_scan(ADDRESS, Scope.OWN, later, anew=True)
        page = IncomingPaymentPage(
            pagination=Pagination(start_cursor="short", end_cursor="odd", has_next_page=True),
            result=(
                payment("short", received=50, completed=True, metadata={"externalRef": "INV-2"}),
                payment("odd", asked=5, asked_code="EUR"),
            ),
        )
        ledger.record_scanned(
            ADDRESS, page, scan, at=later, scope=Scope.OWN, grace=GRACE, ticket=ticket
        )


def main() -> None:
    target = file_of(VERSION)
    if target.exists():
        sys.exit(f"{target} is there already")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ledger.sqlite3"
        fill(path)
        target.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


if __name__ == "__main__":
    main()
