"""Names for new profiles."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from opdash.settings import Settings

_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


def free_name(address: str, settings: Settings) -> str:
    """Make a name of the last part of a wallet address, with a number where it is taken."""
    parts = urlsplit(address)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2])
    plain = _NOT_IN_A_NAME.sub("-", last if last not in ("", "pay") else parts.hostname or "")
    name = plain.strip("-._")[:30] or "wallet"
    taken = {profile.name.casefold() for profile in settings.profiles}
    free, number = name, 2
    while free.casefold() in taken:
        free, number = f"{name}-{number}", number + 1
    return free
