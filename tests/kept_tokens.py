"""What is in a profile's file of tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def kept_in(path: Path) -> dict[str, Any]:
    """Return the grants that a file of tokens holds; there must be one."""
    grants: dict[str, Any] = json.loads(path.read_text())["grants"]
    return grants
