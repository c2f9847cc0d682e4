"""Where opdash keeps its files, unless the command line says otherwise."""

from __future__ import annotations

from pathlib import Path


def default_config_file() -> Path:
    """Return the configuration file's usual place, ``~/.config/opdash/config.toml`` on Linux."""
    import platformdirs

    return platformdirs.user_config_path("opdash", appauthor=False) / "config.toml"


def default_data_dir() -> Path:
    """Return the usual place of ledger, keys and logs, ``~/.local/share/opdash`` on Linux."""
    import platformdirs

    return platformdirs.user_data_path("opdash", appauthor=False)


def key_directory(data_dir: Path) -> Path:
    """Return where ``opdash key new`` keeps private keys."""
    return data_dir / "keys"


def debug_log_file(data_dir: Path) -> Path:
    """Return the file that ``--debug`` writes."""
    return data_dir / "debug.log"
