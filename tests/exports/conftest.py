from __future__ import annotations

from tests.ledger.conftest import book, reader

__all__ = ["book", "reader"]
