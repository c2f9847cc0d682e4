"""Profiles and preferences, and the TOML file that holds them.

    theme = "dark"
    default_wallet = "shop"
    inspector_requests = 500
    notify = "both"

    [[wallet]]
    name = "shop"
    wallet_address = "https://ilp.example/rosa"
    key_id = "6f3c…"
    key_file = "keys/shop.pem"
    columns = ["state", "received", "reference:20", "metadata.orderId", "created"]
    sort = "received descending"
    filter = "state:open"

    [[search]]
    name = "Large tips"
    query = "tip received>20"
    wallet = "shop"
    fold = true

A profile is one wallet address together with the client and the key that opdash uses for it.
Relative paths count from the directory of the file. What the file cannot mean is refused with the
name of the file and of the key; what another program wrote meanwhile is merged or refused, never
lost.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec.structs import force_setattr, replace

from opdash.atomic import make_private_directory, write_atomic
from opdash.errors import ConfigError
from opdash.ledger.records import NEWEST_FIRST, Scope, Sort
from opdash.ledger.search.saved import SavedSearch
from opdash.safetext import safe_text
from opdash.table_view import STANDARD_CHOICE, ColumnChoice, TableView

PAGE_SIZES = (20, 50, 100)
"""How many payments a page can hold; the server's limit is 100."""

POLL_INTERVAL_BOUNDS = (0.2, 3600.0)
"""The shortest and longest time between two polls, in seconds."""

RATE_BOUNDS = (0.1, 1000.0)
"""The fewest and most requests a second that a server can be asked in the background."""

SCAN_EVERY_BOUNDS = (1.0, 8760.0)
"""The shortest and longest time between two readings of a whole list, in hours."""

INSPECTOR_REQUESTS = 200
"""How many requests the inspector keeps."""

MOST_INSPECTOR_REQUESTS = 5000
"""The most that it can be told to keep."""

THEMES = ("dark", "light")
"""The looks of the screen."""


class AccessLevel(StrEnum):
    """What opdash may do with a wallet address at the most."""

    FULL = "full"
    """Read its payments, create and complete them."""
    READ_ONLY = "read-only"
    """Read its payments; no other right is asked for."""


class ConsentWay(StrEnum):
    """How opdash learns what the account holder decided on a consent page."""

    AUTO = "auto"
    """By redirect where a browser runs on this machine, else by polling."""
    REDIRECT = "redirect"
    """The browser comes back to opdash, which listens on this machine for that moment."""
    POLLING = "polling"
    """opdash asks the authorization server again and again; the browser can be anywhere."""


class NotifyWay(StrEnum):
    """How a person who does not look is told that a payment was paid or received."""

    BELL = "bell"
    """The terminal's bell."""
    DESKTOP = "desktop"
    """A notification, by the terminal where it can, else by the desktop."""
    BOTH = "both"
    OFF = "off"


class Profile(msgspec.Struct, frozen=True):
    """One wallet address and how opdash asks for its payments.

    Attributes:
        name: What a person calls it; unique without regard to case.
        wallet_address: Its https URL; a payment pointer is written out.
        client_wallet_address: The wallet address whose jwks serves opdash's key.
        key_id: The ``kid`` of that key, or an empty string without a key.
        key_file: The private key, an absolute path, or None without a key.
        next_key_id: The ``kid`` of the key that is to replace it, or an empty string.
        next_key_file: That key, or None.
        former_key_id: The ``kid`` of the key that it replaced, until that is retired.
        former_key_file: That key, or None.
        poll_interval: Seconds between two polls.
        page_size: Payments on a page, 20, 50 or 100.
        ca_file: Certificates to trust instead of the system's, an absolute path, or None.
        scope: Whether to see the payments that opdash created, or everything on the wallet.
        access: What opdash may do at the most.
        consent: How opdash learns what the account holder decided.
        keep_tokens: Whether tokens are kept in a file for the next start, or in memory only.
        label: A longer name for the screen, or an empty string.
        poll_rate: Requests a second that polls may ask of the server, or None for the usual; of
            several wallets at one server, the lowest counts.
        scan_rate: Requests a second for reading the whole list in the background, likewise.
        scan_every: Hours between two readings of the whole list.
        columns: What the table shows, from left to right.
        sort: The order of its rows.
        filter: What it was filtered by when it was last seen, or an empty string.
    """

    name: str
    wallet_address: str
    client_wallet_address: str = ""
    key_id: str = ""
    key_file: Path | None = None
    next_key_id: str = ""
    next_key_file: Path | None = None
    former_key_id: str = ""
    former_key_file: Path | None = None
    poll_interval: float = 5.0
    page_size: int = 50
    ca_file: Path | None = None
    scope: Scope = Scope.OWN
    label: str = ""
    access: AccessLevel = AccessLevel.FULL
    consent: ConsentWay = ConsentWay.AUTO
    keep_tokens: bool = True
    poll_rate: float | None = None
    scan_rate: float | None = None
    scan_every: float = 24.0
    columns: tuple[ColumnChoice, ...] = STANDARD_CHOICE
    sort: Sort = NEWEST_FIRST
    filter: str = ""

    def __post_init__(self) -> None:
        if not self.client_wallet_address:
            force_setattr(self, "client_wallet_address", self.wallet_address)

    @property
    def title(self) -> str:
        """The label where there is one, else the name."""
        return self.label or self.name

    @property
    def view(self) -> TableView:
        """How the table of its payments was left."""
        return TableView(self.columns, self.sort, self.page_size, self.filter)

    @property
    def is_read_only(self) -> bool:
        """Whether payments can be read, and neither created nor completed."""
        return self.access is AccessLevel.READ_ONLY


class Settings(msgspec.Struct, frozen=True):
    """All that the configuration file holds.

    Attributes:
        profiles: In the order of the file.
        default_profile: The name of the one to open first, or an empty string.
        theme: ``dark`` or ``light``.
        searches: A person's own, in the order of the file.
        inspector_requests: How many requests the inspector keeps; 0 for none.
        notify: How a person is told that a payment was paid or received.
    """

    profiles: tuple[Profile, ...] = ()
    default_profile: str = ""
    theme: str = "dark"
    searches: tuple[SavedSearch, ...] = ()
    inspector_requests: int = INSPECTOR_REQUESTS
    notify: NotifyWay = NotifyWay.BELL

    def profile(self, name: str) -> Profile:
        """Return the profile of that name, whatever the case.

        Raises:
            ConfigError: There is none; the sentence suggests the nearest.
        """
        for profile in self.profiles:
            if profile.name.casefold() == name.casefold():
                return profile
        raise _no_such_profile(name, self.profiles)

    def adding(self, profile: Profile) -> Settings:
        """Return the settings with one more profile at the end.

        Raises:
            ConfigError: Its name or its wallet address is taken.
        """
        for known in self.profiles:
            shown = safe_text(known.name, limit=40)
            if known.wallet_address == profile.wallet_address:
                raise ConfigError(
                    f"This wallet address is set up already, as “{shown}”.",
                    f"Another key for it: opdash key replace {_quoted(shown)}. To set it up anew "
                    f"with what you have: opdash wallet remove {_quoted(shown)}, then add it "
                    "again; its payments stay.",
                )
            if known.name.casefold() == profile.name.casefold():
                raise ConfigError(f"There is a wallet “{shown}” already.", "Choose another name.")
        return replace(self, profiles=(*self.profiles, profile))

    def replacing(self, profile: Profile) -> Settings:
        """Return the settings with the profile of that name replaced. Raises `ConfigError`.

        How its table was left stays as it is; `viewing` changes that.
        """
        old = self.profile(profile.name)
        profile = replace(profile, columns=old.columns, sort=old.sort, filter=old.filter)
        return self._with(old, profile)

    def viewing(self, name: str, view: TableView) -> Settings:
        """Return the settings with another view of a profile's table. Raises `ConfigError`."""
        old = self.profile(name)
        seen = replace(
            old,
            columns=view.columns,
            sort=view.sort,
            page_size=view.page_size,
            filter=view.filter,
        )
        return self._with(old, seen)

    def _with(self, old: Profile, profile: Profile) -> Settings:
        profiles = tuple(profile if known is old else known for known in self.profiles)
        check_unique(profiles)
        return replace(self, profiles=profiles)

    def without(self, name: str) -> Settings:
        """Return the settings without the profile of that name and its own searches.

        Raises:
            ConfigError: There is no such profile.
        """
        old = self.profile(name)
        is_default = self.default_profile.casefold() == old.name.casefold()
        return replace(
            self,
            profiles=tuple(profile for profile in self.profiles if profile is not old),
            default_profile="" if is_default else self.default_profile,
            searches=tuple(
                one for one in self.searches if one.wallet.casefold() != old.name.casefold()
            ),
        )

    def saving(self, search: SavedSearch, instead_of: SavedSearch | None = None) -> Settings:
        """Return the settings with a search, in the place of one of the same name or at the end.

        Args:
            search: What to keep.
            instead_of: What it was before it was renamed or given to other wallets; it goes.
        """
        goes = {search.key, *([instead_of.key] if instead_of else [])}
        kept = [one for one in self.searches if one.key not in goes]
        before = (number for number, one in enumerate(self.searches) if one.key in goes)
        kept.insert(next(before, len(kept)), search)
        return replace(self, searches=tuple(kept))

    def without_search(self, search: SavedSearch) -> Settings:
        """Return the settings without a search."""
        kept = tuple(one for one in self.searches if one.key != search.key)
        return replace(self, searches=kept)


def _quoted(name: str) -> str:
    """Return a name as it is typed in a shell."""
    import shlex

    return shlex.quote(name)


def check_unique(profiles: tuple[Profile, ...]) -> None:
    """Raise `ConfigError` where two profiles share a name or a wallet address."""
    names: set[str] = set()
    addresses: dict[str, str] = {}
    for profile in profiles:
        shown = safe_text(profile.name, limit=40)
        if profile.name.casefold() in names:
            raise ConfigError(f"Two wallets are named “{shown}”.", "Give one of them another name.")
        if profile.wallet_address in addresses:
            other = safe_text(addresses[profile.wallet_address], limit=40)
            raise ConfigError(
                f"“{shown}” and “{other}” are the same wallet address, {profile.wallet_address}.",
                "Remove one of them.",
            )
        names.add(profile.name.casefold())
        addresses[profile.wallet_address] = profile.name


def check_searches(searches: tuple[SavedSearch, ...]) -> None:
    """Raise `ConfigError` where two searches of the same wallets share a name."""
    seen: set[tuple[str, str]] = set()
    for one in searches:
        if one.key in seen:
            shown = safe_text(one.name, limit=40)
            raise ConfigError(
                f"Two searches are named “{shown}”.", "Give one of them another name."
            )
        seen.add(one.key)


def _no_such_profile(name: str, profiles: tuple[Profile, ...]) -> ConfigError:
    from difflib import get_close_matches

    shown = safe_text(name, limit=40)
    if not profiles:
        return ConfigError(
            f"There is no wallet “{shown}”; none is set up yet.",
            "Add one with “opdash wallet add ADDRESS”.",
        )
    names = [profile.name for profile in profiles]
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return ConfigError(f"There is no wallet “{shown}”.", f"Did you mean “{near[0]}”?")
    known = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return ConfigError(f"There is no wallet “{shown}”.", f"Set up are: {known}.")


class _Seen(msgspec.Struct):
    """What the file held when this process last read or wrote it."""

    text: str | None = None
    settings: Settings = msgspec.field(default_factory=Settings)


class SettingsStore:
    """The configuration file.

    Attributes:
        path: Where it is, or will be once something is saved.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._seen = _Seen()

    @property
    def stamp(self) -> tuple[int, int] | None:
        """What changes whenever the file is replaced; None where there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def peek(self) -> Settings:
        """Return what the file holds, without taking it for what this process goes by.

        Raises:
            ConfigError: It cannot be read, is no TOML, or says something it cannot mean.
        """
        return self._read().settings

    def load(self) -> Settings:
        """Read the file; one that does not exist holds the defaults.

        Raises:
            ConfigError: It cannot be read, is no TOML, or says something it cannot mean.
        """
        self._seen = self._read()
        return self._seen.settings

    def save(self, settings: Settings) -> Settings:
        """Write the settings, together with what another process saved since they were loaded.

        The file is written whole or not at all, mode 0600. Comments and layout of what did not
        change stay.

        Returns:
            What the file now holds: the settings given, and what was merged into them.

        Raises:
            ConfigError: The file cannot be written, both sides changed the same thing, or the
                settings cannot be read back; the file is untouched.
        """
        from opdash.settings_file import edit_text
        from opdash.settings_merge import merge

        with self._locked():
            current = self._read()
            if current.text is not None and current.text != self._seen.text:
                settings = merge(self._seen.settings, settings, current.settings, self.path)
            text, meaning = edit_text(current.text or "", current.settings, settings, self.path)
            try:
                write_atomic(self.path, text.encode())
            except OSError as error:
                raise _unwritable(self.path, error) from error
            self._seen = _Seen(text, meaning)
        return meaning

    def _read(self) -> _Seen:
        from opdash.settings_file import decode

        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return _Seen()
        except OSError as error:
            raise ConfigError(
                f"The configuration file {self.path} cannot be read: {error.strerror}.",
                "Check the path and its permissions.",
            ) from error
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ConfigError(
                f"The configuration file {self.path} is not UTF-8 text (line {line}).",
                "Save it again as UTF-8.",
            ) from error
        return _Seen(text, decode(text, self.path))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold other opdash processes off between reading the file and writing it."""
        lock = self.path.with_name(f".{self.path.name}.lock")
        try:
            make_private_directory(lock.parent)
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"The configuration file {path} cannot be written: {error.strerror or error}.",
        "Check that its directory exists and is yours; nothing was changed.",
    )
