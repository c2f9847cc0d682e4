"""What every command line has in common, for commands that do without a parser.

The screen opens without `argparse`: importing it takes longer than all that it would do there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from opdash.errors import InputError

if TYPE_CHECKING:
    from opdash.settings import ConsentWay


class UsageError(InputError):
    """The command line cannot be understood."""


class GlobalOptions(NamedTuple):
    """The options that every command takes.

    Attributes:
        config: The configuration file.
        data_dir: Where ledger, keys and logs are kept.
        debug: Whether to write the debug log.
        consent: How to learn of the account holder's consent; automatic unless given.
    """

    config: Path
    data_dir: Path
    debug: bool
    consent: ConsentWay


def global_options(given: Mapping[str, Any]) -> GlobalOptions:
    """Return the global options among those that are given, the usual places filled in."""
    from opdash.paths import default_config_file, default_data_dir
    from opdash.settings import ConsentWay

    return GlobalOptions(
        config=place(given.get("config")) or default_config_file(),
        data_dir=place(given.get("data_dir")) or default_data_dir(),
        debug=bool(given.get("debug", False)),
        consent=ConsentWay(given.get("consent", "auto")),
    )


def place(path: Path | None) -> Path | None:
    """Return the absolute path that a person means; nothing for None."""
    return path.expanduser().absolute() if path is not None else None
