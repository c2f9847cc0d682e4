"""``opdash signout``: gives all grants of a wallet back."""

from __future__ import annotations

from opdash.cli.grants import sign_out


def run(arguments: list[str]) -> int:
    """Run ``opdash signout``."""
    return sign_out(arguments)
