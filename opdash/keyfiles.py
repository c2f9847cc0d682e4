"""Private key files: read only when nobody else can, written so that nobody else can."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from opdash.atomic import write_atomic
from opdash.errors import KeyFileError
from opdash.safetext import safe_text

if TYPE_CHECKING:
    from opdash.openpayments.keys import ClientKey

_MAX_BYTES = 64 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_key(path: Path, key_id: str, passphrase: bytes | None = None) -> ClientKey:
    """Read a private key: a PEM file, or a file with the base64 of one.

    Args:
        path: The file.
        key_id: The name under which the provider knows the key.
        passphrase: What opens an encrypted file, or None.

    Raises:
        KeyFileError: The file is missing, unreadable, open to others, or no Ed25519 key; the
            advice says what to do, such as ``chmod 600 PATH``.
    """
    from opdash.openpayments.keys import ClientKey

    text = _read_private(path)
    try:
        return ClientKey.from_text(text, key_id, passphrase)
    except KeyFileError as error:
        raise KeyFileError(f"{_shown(path)}: {error.sentence}", error.advice) from error


def write_key(path: Path, key: ClientKey) -> None:
    """Write a private key to a new file, mode 0600, in a directory of mode 0700.

    Raises:
        KeyFileError: The file exists already (it is untouched), or cannot be written.
    """
    try:
        write_atomic(path, key.to_pem(), mode=0o600, overwrite=False)
    except FileExistsError as error:
        raise KeyFileError(
            f"There is a file at {_shown(path)} already; a key is never overwritten.",
            "Choose another place with --out, or another key id.",
        ) from error
    except OSError as error:
        raise KeyFileError(
            f"The key cannot be written to {_shown(path)}: {_reason(error)}.",
            "Choose a directory of your own.",
        ) from error


def _read_private(path: Path) -> str:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"{_shown(path)} is not a file.", "Name the key file itself.")
        if status.st_mode & _OTHERS:
            raise KeyFileError(
                f"Others can read the private key {_shown(path)}.",
                f"Close it with: chmod 600 {_quoted(path)}",
            )
        if status.st_size > _MAX_BYTES:
            raise KeyFileError(f"{_shown(path)} is too large to be a key.", "Name a PEM file.")
        return path.read_bytes().decode("ascii", "replace")
    except FileNotFoundError as error:
        raise KeyFileError(
            f"There is no key file at {_shown(path)}.",
            "Check the path, or make a key with “opdash key new”.",
        ) from error
    except OSError as error:
        raise KeyFileError(
            f"The key file {_shown(path)} cannot be read: {_reason(error)}.",
            f"Make it yours, then: chmod 600 {_quoted(path)}",
        ) from error


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _shown(path: Path) -> str:
    return safe_text(str(path), limit=200)


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(safe_text(str(path)))
