"""The configuration file's text: read strictly, written with a person's own lines left alone."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeVar

from opdash.errors import ConfigError, InputError
from opdash.ledger.records import Scope, Sort
from opdash.ledger.search.saved import SavedSearch
from opdash.safetext import safe_text
from opdash.settings import (
    INSPECTOR_REQUESTS,
    MOST_INSPECTOR_REQUESTS,
    PAGE_SIZES,
    POLL_INTERVAL_BOUNDS,
    RATE_BOUNDS,
    SCAN_EVERY_BOUNDS,
    THEMES,
    AccessLevel,
    ConsentWay,
    NotifyWay,
    Profile,
    Settings,
    check_searches,
    check_unique,
)
from opdash.table_view import ColumnChoice, ViewError, read_columns, read_sort, write_sort

_T = TypeVar("_T")
_HEADER = r"\s*\[\[\s*(wallet|search)\s*\]\]\s*(#.*)?"
_NAME = re.compile(r"\w[\w .'&+-]{0,39}")
_KEY_ID = re.compile(r"[ !#-\[\]-~]{1,256}")
_SCOPES: Final[Mapping[str, Scope]] = {"own": Scope.OWN, "everything": Scope.EVERYTHING}
_FILES = ("key_file", "next_key_file", "former_key_file", "ca_file")
_TOP_KEYS = ("theme", "default_wallet", "inspector_requests", "notify", "wallet", "search")
_LINE = r"\(at line (\d+), column (\d+)\)|\(at end of document\)"


class _Wrong(Exception):
    """A value that its key cannot take; the text says what it takes."""


def decode(text: str, path: Path) -> Settings:
    """Read the file's text.

    Args:
        text: All of the file.
        path: Where it is: named in errors, and the place that relative paths count from.

    Raises:
        ConfigError: The text is no TOML or says something it cannot mean.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), text, path) from error
    _check_keys(document, _TOP_KEYS, path, "")
    tables = _tables(document, "wallet", path)
    profiles = tuple(_profile(table, number, path) for number, table in enumerate(tables, 1))
    tables = _tables(document, "search", path)
    searches = tuple(_search(table, number, path) for number, table in enumerate(tables, 1))
    try:
        check_unique(profiles)
        check_searches(searches)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.sentence}", error.advice) from error
    return Settings(
        profiles=profiles,
        default_profile=_default_profile(document, profiles, path),
        theme=_value(document, "theme", _one_of(THEMES), THEMES[0], path, ""),
        searches=searches,
        inspector_requests=_value(
            document, "inspector_requests", _requests, INSPECTOR_REQUESTS, path, ""
        ),
        notify=_value(document, "notify", _notify, NotifyWay.BELL, path, ""),
    )


def encode(settings: Settings, path: Path) -> str:
    """Write the whole file anew, what has its default value left out."""
    head = "".join(
        _assignment(key, value)
        for key, value in _preferences(settings).items()
        if value is not None
    )
    blocks = [
        *(_block(profile, path) for profile in settings.profiles),
        *(_search_block(search) for search in settings.searches),
    ]
    return "\n".join([*([head] if head else []), *blocks])


def edit_text(text: str, old: Settings, new: Settings, path: Path) -> tuple[str, Settings]:
    """Return the file's new text, with comments and layout of what did not change.

    Args:
        text: What the file holds.
        old: What that text means.
        new: What the new text shall mean.
        path: The file.

    Returns:
        The new text, and what it means: paths absolute, addresses written out.

    Raises:
        ConfigError: The new settings hold something that could not be read back.
    """
    plain = encode(new, path)
    meaning = decode(plain, path)
    edited = _edited(text, old, meaning, path)
    try:
        is_sound = decode(edited, path) == meaning
    except ConfigError:
        is_sound = False
    return (edited if is_sound else plain), meaning


def why_no_name(text: str) -> str:
    """Return why a wallet or a search cannot be called that, a sentence; empty if it can."""
    try:
        _name(text)
    except _Wrong as error:
        return str(error)
    return ""


# Reading


def _tables(document: Mapping[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    tables = document.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise _bad_value(path, "", key, f"Write each {key} as a [[{key}]] table.")
    return tables


def _search(table: dict[str, Any], number: int, path: Path) -> SavedSearch:
    name = table.get("name")
    where = f"search “{safe_text(name, limit=40)}”" if isinstance(name, str) else f"search {number}"
    _check_keys(table, tuple(_SEARCH_READERS), path, where)
    for key in ("name", "query"):
        if key not in table:
            raise _problem(path, where, f"“{key}” is missing.", f"Add a line “{key} = …”.")
    values = {
        key: _value(table, key, read, None, path, where) for key, read in _SEARCH_READERS.items()
    }
    return SavedSearch(**{key: value for key, value in values.items() if value is not None})


def _profile(table: dict[str, Any], number: int, path: Path) -> Profile:
    name = table.get("name")
    where = f"wallet “{safe_text(name, limit=40)}”" if isinstance(name, str) else f"wallet {number}"
    _check_keys(table, tuple(_READERS), path, where)
    for key in ("name", "wallet_address"):
        if key not in table:
            raise _problem(path, where, f"“{key}” is missing.", f"Add a line “{key} = …”.")
    for which in ("", "next_", "former_"):
        named, filed = f"{which}key_id", f"{which}key_file"
        if (named in table) != (filed in table):
            raise _problem(
                path,
                where,
                f"“{filed if named in table else named}” is missing.",
                f"A key is named by {named} and {filed} together.",
            )
    values = {key: _value(table, key, read, None, path, where) for key, read in _READERS.items()}
    given = {key: value for key, value in values.items() if value is not None}
    for key in _FILES:
        if key in given:
            given[key] = path.parent / given[key].expanduser()
    return Profile(**given)


def _default_profile(document: Mapping[str, Any], profiles: tuple[Profile, ...], path: Path) -> str:
    wanted = _value(document, "default_wallet", _text(60), "", path, "")
    if not wanted:
        return ""
    for profile in profiles:
        if profile.name.casefold() == wanted.casefold():
            return profile.name
    names = [profile.name for profile in profiles]
    advice = _suggestion(wanted, names) or "Name one of the wallets of the file."
    raise _problem(
        path, "", f"default_wallet “{safe_text(wanted, limit=40)}” is not set up.", advice
    )


def _value(
    table: Mapping[str, Any],
    key: str,
    read: Callable[[Any], Any],
    default: Any,
    path: Path,
    where: str,
) -> Any:
    if key not in table:
        return default
    try:
        return read(table[key])
    except _Wrong as error:
        raise _bad_value(path, where, key, str(error)) from error
    except InputError as error:
        raise _problem(path, where, f"“{key}”: {error.sentence}", error.advice) from error


def _text(limit: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise _Wrong("It must be a text in quotes.")
        if len(value) > limit:
            raise _Wrong(f"It has more than {limit} characters.")
        return value

    return read


def _name(value: Any) -> str:
    name = _text(40)(value)
    if _NAME.fullmatch(name) is None or name != name.strip():
        raise _Wrong(
            "A name begins with a letter or digit and has only letters, digits, . _ ' & + -."
        )
    return name


def _key_id(value: Any) -> str:
    key_id = _text(256)(value)
    if _KEY_ID.fullmatch(key_id) is None:
        raise _Wrong("A key id is plain ASCII without quotes.")
    return key_id


def _address(value: Any) -> str:
    from opdash.openpayments.addresses import parse_wallet_address

    return parse_wallet_address(_text(2048)(value))


def _query(value: Any) -> str:
    from opdash.ledger.search.reading import read_query
    from opdash.ledger.search.values import Moment

    text = _text(500)(value)
    # Whether a line can be read does not depend on the moment.
    if read_query(text, Moment(datetime(2000, 1, 1, tzinfo=UTC), UTC)).is_empty:
        raise _Wrong("It asks for nothing.")
    return text


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("It must be true or false.")
    return value


def _path(value: Any) -> Path:
    text = _text(4096)(value)
    if not text or "\0" in text:
        raise _Wrong("It must be the path of a file.")
    return Path(text)


def _number(bounds: tuple[float, float], unit: str) -> Callable[[Any], float]:
    low, high = bounds

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _Wrong(f"It must be a number of {unit}.")
        if not low <= value <= high:
            raise _Wrong(f"It must be from {low:g} to {high:g} {unit}.")
        return float(value)

    return read


def _page_size(value: Any) -> int:
    if isinstance(value, bool) or value not in PAGE_SIZES:
        raise _Wrong("It must be 20, 50 or 100.")
    return int(value)


def _requests(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Wrong("It must be a whole number of requests.")
    if not 0 <= value <= MOST_INSPECTOR_REQUESTS:
        raise _Wrong(f"It must be from 0 to {MOST_INSPECTOR_REQUESTS} requests.")
    return value


def _one_of(choices: Iterable[str]) -> Callable[[Any], str]:
    known = tuple(choices)

    def read(value: Any) -> str:
        if value not in known:
            raise _Wrong("It must be " + " or ".join(f'"{choice}"' for choice in known) + ".")
        return str(value)

    return read


def _scope(value: Any) -> Scope:
    return _SCOPES[_one_of(_SCOPES)(value)]


def _access(value: Any) -> AccessLevel:
    return AccessLevel(_one_of(AccessLevel)(value))


def _consent(value: Any) -> ConsentWay:
    return ConsentWay(_one_of(ConsentWay)(value))


def _notify(value: Any) -> NotifyWay:
    return NotifyWay(_one_of(NotifyWay)(value))


def _columns(value: Any) -> tuple[ColumnChoice, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _Wrong("It must be a list of texts in quotes.")
    return _viewed(read_columns, value)


def _sort(value: Any) -> Sort:
    return _viewed(read_sort, _text(200)(value))


def _viewed(read: Callable[[Any], _T], value: Any) -> _T:
    try:
        return read(value)
    except ViewError as error:
        raise _Wrong(str(error)) from error


def _filter(value: Any) -> str:
    return _query(value) if value != "" else ""


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": _name,
    "label": _text(80),
    "wallet_address": _address,
    "client_wallet_address": _address,
    "key_id": _key_id,
    "key_file": _path,
    "next_key_id": _key_id,
    "next_key_file": _path,
    "former_key_id": _key_id,
    "former_key_file": _path,
    "scope": _scope,
    "access": _access,
    "consent": _consent,
    "keep_tokens": _truth,
    "poll_interval": _number(POLL_INTERVAL_BOUNDS, "seconds"),
    "poll_rate": _number(RATE_BOUNDS, "requests a second"),
    "scan_rate": _number(RATE_BOUNDS, "requests a second"),
    "scan_every": _number(SCAN_EVERY_BOUNDS, "hours"),
    "page_size": _page_size,
    "ca_file": _path,
    "columns": _columns,
    "sort": _sort,
    "filter": _filter,
}
"""The keys of a ``[[wallet]]`` table, in the order they are written."""

_SEARCH_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": _name,
    "query": _query,
    "wallet": _text(60),
    "fold": _truth,
    "not_invoice": _truth,
}
"""The keys of a ``[[search]]`` table, in the order they are written."""


# Errors


def _check_keys(table: Iterable[str], known: tuple[str, ...], path: Path, where: str) -> None:
    for key in table:
        if key not in known:
            advice = _suggestion(key, known) or _elsewhere(key, where)
            advice = advice or "Known are: " + ", ".join(known) + "."
            raise _problem(path, where, f"“{safe_text(key, limit=40)}” is not a setting.", advice)


def _suggestion(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.5)
    return f"Did you mean “{near[0]}”?" if near else ""


def _elsewhere(key: str, where: str) -> str:
    known = _TOP_KEYS if where else _READERS
    near = _suggestion(key, known).rstrip("?")
    if not near:
        return ""
    return near + (" at the top of the file?" if where else " inside a [[wallet]] table?")


def _bad_value(path: Path, where: str, key: str, advice: str) -> ConfigError:
    return _problem(path, where, f"the value of “{key}” cannot be used.", advice)


def _problem(path: Path, where: str, what: str, advice: str) -> ConfigError:
    place = f"{path}, {where}" if where else f"{path}"
    return ConfigError(f"{place}: {what}", advice)


def _not_toml(reason: str, text: str, path: Path) -> ConfigError:
    found = re.search(_LINE, reason)
    line = found[1] if found and found[1] else str(text.rstrip().count("\n") + 1)
    why = safe_text(re.sub(_LINE, "", reason).strip(), limit=120)
    return ConfigError(
        f"{path}, line {line}: not valid TOML: {why}.", "Correct that line; nothing was changed."
    )


# Writing


def _preferences(settings: Settings) -> dict[str, str | int | None]:
    """Return what stands above the tables; None where it has its default value."""
    kept = settings.inspector_requests
    return {
        "theme": None if settings.theme == THEMES[0] else settings.theme,
        "default_wallet": settings.default_profile or None,
        "inspector_requests": None if kept == INSPECTOR_REQUESTS else kept,
        "notify": None if settings.notify is NotifyWay.BELL else settings.notify.value,
    }


def _assignment(key: str, value: str | int) -> str:
    import tomli_w

    return tomli_w.dumps({key: value})


def _block(profile: Profile, path: Path) -> str:
    return "[[wallet]]\n" + "".join(_lines(profile, path).values())


def _lines(profile: Profile, path: Path) -> dict[str, str]:
    """Return the lines of a profile, what has its default value left out."""
    plain = Profile(profile.name, profile.wallet_address)
    return {
        key: _line(key, _plain(getattr(profile, key), path))
        for key in _READERS
        if key in ("name", "wallet_address") or getattr(profile, key) != getattr(plain, key)
    }


def _line(key: str, value: Any) -> str:
    import tomli_w

    if isinstance(value, list):
        texts = [tomli_w.dumps({"_": text}).removeprefix("_ = ").strip() for text in value]
        return f"{key} = [{', '.join(texts)}]\n"
    return tomli_w.dumps({key: value})


def _search_block(search: SavedSearch) -> str:
    import tomli_w

    values = {key: getattr(search, key) for key in _SEARCH_READERS}
    return "[[search]]\n" + tomli_w.dumps({key: value for key, value in values.items() if value})


def _plain(value: Any, path: Path) -> Any:
    if isinstance(value, Scope):
        return next(word for word, scope in _SCOPES.items() if scope is value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Sort):
        return write_sort(value)
    if isinstance(value, tuple):
        return [str(choice) for choice in value]
    if isinstance(value, Path):
        below = value.is_relative_to(path.parent)
        return str(value.relative_to(path.parent) if below else value)
    return value


def _edited(text: str, old: Settings, new: Settings, path: Path) -> str:
    head, wallets, searches = _split(text)
    kept = _kept(old.profiles, wallets)
    kept_searches = _kept(old.searches, searches)
    for key, value in _preferences(new).items():
        if value != _preferences(old)[key]:
            head = _set(head, key, value)
    formers = {profile.name: profile for profile in old.profiles}
    body = [
        kept.get(profile) or _changed(profile, formers.get(profile.name), kept, path)
        for profile in new.profiles
    ]
    body += [kept_searches.get(search) or _search_block(search) for search in new.searches]
    parts = [part if part.endswith("\n") else part + "\n" for part in [head, *body] if part]
    return "".join(
        part if part.endswith("\n\n") or part is parts[-1] else part + "\n" for part in parts
    )


def _changed(
    profile: Profile, former: Profile | None, kept: Mapping[Profile, str], path: Path
) -> str:
    """Return the block of a profile that is not as it was; its other lines stay as they are."""
    if former is None or former not in kept:
        return _block(profile, path)
    before, after = _lines(former, path), _lines(profile, path)
    block = kept[former]
    for key in _READERS:
        if before.get(key) != after.get(key):
            block = _replaced(block, key, after.get(key, ""))
    try:
        (read,) = decode(block, path).profiles
    except (ConfigError, ValueError):
        return _block(profile, path)
    return block if read == profile else _block(profile, path)


def _replaced(block: str, key: str, line: str) -> str:
    """Put a line in the place of the one, or the lines of a list, that a key has, or at the end."""
    value = r"(\[[^\[\]]*\][^\n]*|.*)"
    present = re.compile(rf"^[ \t]*{key}[ \t]*=[ \t]*{value}(\n|\Z)", re.MULTILINE)
    if present.search(block):
        return present.sub(lambda _: line, block, count=1)
    body = block.rstrip()
    return f"{body}\n{line}{block[len(body) :].removeprefix(chr(10))}"


def _kept(old: Sequence[_T], blocks: Sequence[str]) -> dict[_T, str]:
    return dict(zip(old, blocks, strict=True)) if len(blocks) == len(old) else {}


def _split(text: str) -> tuple[str, list[str], list[str]]:
    """Part the text before every ``[[wallet]]`` and every ``[[search]]``.

    Comment lines right above go with them.
    """
    lines = text.splitlines(keepends=True)
    starts: list[int] = []
    kinds: list[str] = []
    for number, line in enumerate(lines):
        if header := re.fullmatch(_HEADER, line.rstrip("\r\n")):
            starts.append(_first_comment_above(lines, number))
            kinds.append(header[1])
    blocks = ["".join(lines[start:end]) for start, end in pairwise([*starts, len(lines)])]
    parted = {
        kind: [block for block, its in zip(blocks, kinds, strict=True) if its == kind]
        for kind in ("wallet", "search")
    }
    head = "".join(lines[: starts[0] if starts else len(lines)])
    return head, parted["wallet"], parted["search"]


def _first_comment_above(lines: list[str], number: int) -> int:
    while number > 0 and lines[number - 1].lstrip().startswith("#"):
        number -= 1
    return number


def _set(head: str, key: str, value: str | int | None) -> str:
    line = "" if value is None else _assignment(key, value)
    present = re.compile(rf"^[ \t]*{key}[ \t]*=.*(\n|\Z)", re.MULTILINE)
    if present.search(head):
        return present.sub(lambda _: line, head, count=1)
    return line + head
