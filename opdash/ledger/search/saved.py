"""Searches that have a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec


class SavedSearch(msgspec.Struct, frozen=True):
    """A query under a name.

    Attributes:
        name: What a person calls it; unique without regard to case.
        query: The line, read anew each time it is used.
        wallet: The name of the profile that it is for, or empty for all of them.
        fold: Whether the table folds what it finds into a line for each source and day.
        not_invoice: Whether what it finds pays no invoice: tips, web monetization.
    """

    name: str
    query: str
    wallet: str = ""
    fold: bool = False
    not_invoice: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What no other search has: its name and its wallet, whatever the case."""
        return self.name.casefold(), self.wallet.casefold()


BUILT_IN: Final = (
    SavedSearch("Needs action", "is:action"),
    SavedSearch("Open", "is:open"),
    SavedSearch("Today", "created:today"),
    SavedSearch("Paid", "is:paid"),
    SavedSearch("Expired", "state:expired"),
)
"""The searches that everybody has."""


def searches_for(own: Sequence[SavedSearch], profile: str) -> tuple[SavedSearch, ...]:
    """Return the searches of a profile: the built-in ones, where not replaced, then its own."""
    mine = [one for one in own if one.wallet.casefold() in ("", profile.casefold())]
    # A search for one profile goes before a search of that name for all.
    mine.sort(key=lambda one: not one.wallet)
    unique: dict[str, SavedSearch] = {}
    for one in mine:
        unique.setdefault(one.name.casefold(), one)
    first = [unique.pop(one.name.casefold(), one) for one in BUILT_IN]
    kept = [one for one in own if unique.get(one.name.casefold()) is one]
    return (*first, *kept)


def find_search(searches: Sequence[SavedSearch], name: str) -> SavedSearch:
    """Return the search of a name, whatever the case. Raises `SearchError`."""
    for one in searches:
        if one.name.casefold() == name.strip().casefold():
            return one
    from opdash.ledger.search.terms import SearchError
    from opdash.ledger.search.values import nearest, shown

    names = [one.name for one in searches]
    by_key = {known.casefold(): known for known in names}
    near = nearest(name.strip().casefold(), by_key)
    for key, known in by_key.items():
        near = near.replace(f"“{key}”", f"“{known}”")
    advice = near or f"There are {', '.join(names)}."
    raise SearchError(f"There is no saved search “{shown(name)}”.", advice)
