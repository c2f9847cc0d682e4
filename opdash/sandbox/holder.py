"""The account holder behind the sandbox's wallet addresses, as far as nobody plays that part."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What becomes of a request for consent."""

    ASK = "ask"
    """Somebody decides on the consent page."""
    ALLOW = "allow"
    """It is allowed without anybody asking."""
    DENY = "deny"
    """It is refused without anybody asking."""


@dataclass(slots=True)
class AccountHolder:
    """How consent is given; can be changed while the sandbox runs.

    Attributes:
        decides: What becomes of a request for consent.
        free_lists: Whether ``list-all`` needs none.
    """

    decides: Decision = Decision.ASK
    free_lists: bool = False
