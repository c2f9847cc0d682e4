"""Which file of invoices was opened last, so that nobody has to type it again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from opdash.atomic import write_atomic
from opdash.errors import InputError

FILE_NAME: Final = "invoice-files.json"
"""Its name in the data directory."""


class LastFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file, and what a person said of it that its header cannot tell.

    Attributes:
        path: Where it is.
        encoding: As what to decode it; empty where that is guessed.
        delimiter: What parts its cells; likewise.
    """

    path: str
    encoding: str = ""
    delimiter: str = ""


def last_file(directory: Path, profile: str) -> LastFile | None:
    """Return the file that was opened last for a profile, or None."""
    return _read(directory / FILE_NAME).get(profile.casefold())


def keep_last_file(directory: Path, profile: str, file: LastFile) -> None:
    """Note which file was opened for a profile.

    Raises:
        InputError: The data directory cannot be written.
    """
    path = directory / FILE_NAME
    known = _read(path)
    if known.get(profile.casefold()) == file:
        return
    data = msgspec.json.encode(known | {profile.casefold(): file})
    try:
        write_atomic(path, msgspec.json.format(data, indent=1) + b"\n")
    except OSError as error:
        raise InputError(
            f"Which file was opened cannot be remembered: {error.strerror}.",
            f"Check that {directory} can be written.",
        ) from error


def _read(path: Path) -> dict[str, LastFile]:
    """Return what the file holds; one that cannot be read holds nothing worth keeping."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, LastFile])
    except (OSError, msgspec.DecodeError, UnicodeError):
        return {}
