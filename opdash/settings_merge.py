"""Two processes saved settings at once: keep both, or refuse."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from opdash.errors import ConfigError
from opdash.ledger.search.saved import SavedSearch
from opdash.settings import Profile, Settings, check_unique

_T = TypeVar("_T")
_VIEW = ("columns", "sort", "page_size", "filter")


def merge(base: Settings, mine: Settings, theirs: Settings, path: Path) -> Settings:
    """Return settings with what both sides changed since they were the same.

    Args:
        base: What both began with.
        mine: What this process wants.
        theirs: What the file holds by now.
        path: The file, named in the error.

    Raises:
        ConfigError: Both sides changed the same thing in different ways.
    """
    bases, wanted, found = (_by_name(side.profiles) for side in (base, mine, theirs))
    profiles = (
        _profile(bases.get(name), wanted.get(name), found.get(name), path)
        for name in dict.fromkeys([*found, *wanted])
    )
    kept = tuple(profile for profile in profiles if profile is not None)
    check_unique(kept)
    names = {profile.name for profile in kept}
    default = _pick(base.default_profile, mine.default_profile, theirs.default_profile, path)
    return Settings(
        profiles=kept,
        default_profile=default if default in names else "",
        theme=_pick(base.theme, mine.theme, theirs.theme, path),
        searches=_searches(base, mine, theirs, path),
        inspector_requests=_pick(
            base.inspector_requests, mine.inspector_requests, theirs.inspector_requests, path
        ),
        notify=_pick(base.notify, mine.notify, theirs.notify, path),
    )


def _profile(
    base: Profile | None, mine: Profile | None, theirs: Profile | None, path: Path
) -> Profile | None:
    """Merge a profile. How its table was left is nothing to quarrel about: the last one counts."""
    if base is None or mine is None or theirs is None:
        return _pick(base, mine, theirs, path)
    seen = {
        key: getattr(theirs if getattr(mine, key) == getattr(base, key) else mine, key)
        for key in _VIEW
    }
    base, mine, theirs = (replace(side, **seen) for side in (base, mine, theirs))
    return _pick(base, mine, theirs, path)


def _searches(
    base: Settings, mine: Settings, theirs: Settings, path: Path
) -> tuple[SavedSearch, ...]:
    bases, wanted, found = (
        {one.key: one for one in side.searches} for side in (base, mine, theirs)
    )
    merged = (
        _pick(bases.get(key), wanted.get(key), found.get(key), path)
        for key in dict.fromkeys([*found, *wanted])
    )
    return tuple(one for one in merged if one is not None)


def _by_name(profiles: Iterable[Profile]) -> dict[str, Profile]:
    return {profile.name: profile for profile in profiles}


def _pick(base: _T, mine: _T, theirs: _T, path: Path) -> _T:
    if mine in (base, theirs):
        return theirs
    if theirs == base:
        return mine
    raise ConfigError(
        f"{path} was changed by another program in the meantime, in the same place.",
        "Nothing was written; look at the file and try again.",
    )
