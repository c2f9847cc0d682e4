"""Where opdash keeps its files, unless the command line says otherwise."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote


def default_config_file() -> Path:
    """Return the configuration file's usual place, ``~/.config/opdash/config.toml`` on Linux."""
    import platformdirs

    return platformdirs.user_config_path("opdash", appauthor=False) / "config.toml"


def default_data_dir() -> Path:
    """Return the usual place of ledger, keys and logs, ``~/.local/share/opdash`` on Linux."""
    import platformdirs

    return platformdirs.user_data_path("opdash", appauthor=False)


def here() -> Path:
    """Return the working directory; the home directory where that was deleted meanwhile."""
    try:
        return Path.cwd()
    except OSError:
        return Path.home()


def typed_path(text: str) -> Path:
    """Return the whole path of a file that a person typed, ``~`` being their home directory."""
    return here() / os.path.expanduser(text)  # noqa: PTH111 - it never fails


def key_directory(data_dir: Path) -> Path:
    """Return where opdash keeps the private keys that it made."""
    return data_dir / "keys"


def key_path(data_dir: Path, key_id: str) -> Path:
    """Return where the private key of an id is kept: a file that `key_id_of` knows, and `keys`."""
    name = quote(key_id, safe=" ")
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    return key_directory(data_dir) / f"{name}.pem"


def retired_key_path(data_dir: Path, path: Path) -> Path:
    """Return where a private key goes that is no longer used; nobody looks for keys there."""
    return key_directory(data_dir) / "retired" / path.name


def keys(data_dir: Path) -> tuple[Path, ...]:
    """Return the private keys that opdash made, by name."""
    return tuple(sorted(key_directory(data_dir).glob("*.pem")))


def key_id_of(path: Path) -> str:
    """Return the key id that a key file's name stands for."""
    return unquote(path.stem)


def token_path(data_dir: Path, profile: str) -> Path:
    """Return where a profile's tokens are kept; names that differ only by case are the same."""
    return data_dir / "tokens" / f"{quote(profile.casefold(), safe=' ')}.json"


def debug_log_file(data_dir: Path) -> Path:
    """Return the file that ``--debug`` writes."""
    return data_dir / "debug.log"
