"""The account numbers of bank statements: wallet addresses are too long to be any."""

from __future__ import annotations

from typing import Final

from opdash.errors import InputError
from opdash.exports.records import Statement, Wanted
from opdash.exports.texts import short_id
from opdash.safetext import safe_text

_LENGTH: Final = 22


def account_number(statement: Statement) -> str:
    """Return the number of a wallet address and asset, always the same."""
    asset = statement.asset
    return short_id(f"{statement.wallet.address} {asset.code} {asset.scale}", _LENGTH)


def account_numbers(wanted: Wanted, limit: int) -> dict[str, str]:
    """Return the number that a person gave each wallet address, by address; none without.

    Args:
        wanted: With the names that a person gave.
        limit: How many characters a number may have.

    Raises:
        InputError: A number is too long, or that of several wallets.
    """
    pattern = wanted.names.account
    if not pattern:
        return {}
    numbers = {
        wallet.address: pattern.replace("{wallet}", wallet.name) for wallet in wanted.wallets
    }
    shown = safe_text(pattern, limit=60)
    for number in numbers.values():
        if len(number) > limit or not number.isprintable() or number != number.strip():
            raise InputError(
                f"“{shown}” is no account number.", f"It has at most {limit} characters."
            )
    if len(set(numbers.values())) < len(numbers):
        raise InputError(
            f"“{shown}” would be the account of several wallets.",
            "Write {wallet} into it, or choose one with --wallet.",
        )
    return numbers
