"""What a person called accounts in a kind of file, remembered for the next one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from opdash.atomic import write_atomic
from opdash.errors import InputError
from opdash.exports.records import FormatName, Names

FILE_NAME: Final = "export-accounts.json"
"""Its name in the data directory."""


def recall(directory: Path, kind: FormatName) -> Names:
    """Return what accounts are called in a kind of file; nothing where nobody said so."""
    return _read(directory / FILE_NAME).get(kind, Names())


def remember(directory: Path, kind: FormatName, names: Names) -> None:
    """Keep what accounts are called in a kind of file.

    Raises:
        InputError: The data directory cannot be written.
    """
    path = directory / FILE_NAME
    known = _read(path)
    if known.get(kind) == names:
        return
    data = msgspec.json.encode({**known, kind: names})
    try:
        write_atomic(path, msgspec.json.format(data, indent=1) + b"\n")
    except OSError as error:
        raise InputError(
            f"The names of the accounts cannot be remembered: {error.strerror}.",
            f"Check that {directory} can be written.",
        ) from error


def _read(path: Path) -> dict[FormatName, Names]:
    """Return what the file holds; one that cannot be read holds nothing worth keeping."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[FormatName, Names])
    except (OSError, msgspec.DecodeError, UnicodeError):
        return {}
