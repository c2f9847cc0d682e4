"""Private key files: read only when nobody else can, written so that nobody else can."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from opdash.atomic import make_private_directory, write_atomic
from opdash.errors import KeyFileError, LockedKeyError
from opdash.openpayments.secrets import Secret
from opdash.paths import key_directory, key_path, retired_key_path
from opdash.safetext import safe_text

if TYPE_CHECKING:
    from opdash.openpayments.keys import ClientKey

PASSPHRASE_VARIABLE = "OPDASH_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
"""The environment variable that opens encrypted keys where nobody can be asked."""

_MAX_BYTES = 64 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PEM_BASE64 = re.compile(r"\s*LS0tLS1CRUdJTi")
"""How the base64 of ``-----BEGIN `` begins."""


def looks_like_key(text: str) -> bool:
    """Return whether a text is a key itself, a PEM block or the base64 of one, and no path."""
    return "-----BEGIN " in text or _PEM_BASE64.match(text) is not None


def read_key(path: Path, key_id: str, passphrase: Secret | None = None) -> ClientKey:
    """Read a private key: a PEM file (PKCS#8, perhaps encrypted), or a file with its base64.

    An encrypted file is tried with the passphrase given, else with the one in the environment
    (`PASSPHRASE_VARIABLE`).

    Args:
        path: The file.
        key_id: The name under which the provider knows the key.
        passphrase: What opens it, should it be encrypted, or None.

    Raises:
        LockedKeyError: It is encrypted, and no passphrase that opens it is at hand.
        KeyFileError: The file is missing, unreadable, open to others, or no Ed25519 key; the
            advice says what to do, such as ``chmod 600 PATH``.
    """
    return _opened(_read_private(path), key_id, passphrase, _shown(path))


def text_of(path: Path) -> Secret:
    """Return what a private key file holds.

    Raises:
        KeyFileError: It cannot be read, or others could read it.
    """
    return _read_private(path)


def is_encrypted(path: Path) -> bool:
    """Return whether a key file is protected with a passphrase.

    Raises:
        KeyFileError: It cannot be read.
    """
    from opdash.openpayments.keys import pem_in

    pem = pem_in(_read_private(path).reveal())
    return b"BEGIN ENCRYPTED PRIVATE KEY" in pem or b"Proc-Type: 4,ENCRYPTED" in pem


def write_key(path: Path, key: ClientKey, passphrase: Secret | None = None) -> None:
    """Write a private key to a new file, mode 0600, in a directory of mode 0700.

    Args:
        path: The file; a directory that exists is left as it is.
        key: The key.
        passphrase: What to encrypt it with, or None.

    Raises:
        KeyFileError: The file exists already (it is untouched), or cannot be written.
    """
    _write(path, key.to_pem(None if passphrase is None else passphrase.reveal().encode()))


def write_own_key(data_dir: Path, key: ClientKey, passphrase: Secret | None = None) -> Path:
    """Write a private key to opdash's own key directory, and return where.

    Raises:
        KeyFileError: There is a key of that id already (it is untouched), or it cannot be written.
    """
    path = _in_own_directory(key_path(data_dir, key.key_id), data_dir)
    write_key(path, key, passphrase)
    return path


def import_key(
    data_dir: Path, text: Secret, key_id: str = "", passphrase: Secret | None = None
) -> tuple[Path, ClientKey]:
    """Take a key that was given as a text into opdash's own key directory.

    An encrypted one stays encrypted. A key that is there already is not written again.

    Args:
        data_dir: Where opdash keeps its files.
        text: A PEM block, or the base64 of one.
        key_id: The name under which the provider knows it; one made of the key unless given.
        passphrase: What opens it, should it be encrypted, or None.

    Raises:
        LockedKeyError: It is encrypted, and no passphrase that opens it is at hand.
        KeyFileError: It is no Ed25519 key, another key has its place, or it cannot be written.
    """
    from opdash.openpayments.keys import ClientKey, pem_in

    opened = _opened(text, key_id or "unnamed", passphrase, "The text")
    if not key_id:
        named = f"imported-{opened.public_jwk()['x'][:12]}"
        opened = ClientKey.from_pem(opened.to_pem(), named)
    path = _in_own_directory(key_path(data_dir, opened.key_id), data_dir)
    if path.exists():
        present = _opened(_read_private(path), opened.key_id, passphrase, _shown(path))
        if present.public_jwk() == opened.public_jwk():
            return path, opened
    _write(path, pem_in(text.reveal()).strip() + b"\n")
    return path, opened


def move_aside(path: Path, data_dir: Path) -> Path:
    """Move a private key that is no longer used to where opdash looks for none; return where.

    Raises:
        KeyFileError: It is not there, or cannot be moved; it stays in place.
    """
    target = retired_key_path(data_dir, path)
    try:
        make_private_directory(target.parent)
        target.parent.chmod(0o700)
        write_atomic(target, path.read_bytes(), mode=0o600, overwrite=False)
        path.unlink()
    except OSError as error:
        raise KeyFileError(
            f"The key file {_shown(path)} cannot be moved aside: {_reason(error)}.",
            f"It stays where it is; to move it yourself: mv {_quoted(path)} {_quoted(target)}",
        ) from error
    return target


def delete_key(path: Path) -> None:
    """Delete a private key for good.

    Raises:
        KeyFileError: It cannot be deleted.
    """
    try:
        path.unlink()
    except OSError as error:
        raise KeyFileError(
            f"The key file {_shown(path)} cannot be deleted: {_reason(error)}.",
            f"To delete it yourself: rm {_quoted(path)}",
        ) from error


def _opened(text: Secret, key_id: str, passphrase: Secret | None, what: str) -> ClientKey:
    from opdash.openpayments.keys import ClientKey

    named = os.environ.get(PASSPHRASE_VARIABLE)
    opener = passphrase or (Secret(named) if named else None)
    try:
        try:
            return ClientKey.from_text(text.reveal(), key_id)
        except LockedKeyError:
            if opener is None:
                raise
        return ClientKey.from_text(text.reveal(), key_id, opener.reveal().encode())
    except KeyFileError as error:
        raise type(error)(f"{what}: {error.sentence}", error.advice) from error


def _write(path: Path, pem: bytes) -> None:
    try:
        write_atomic(path, pem, mode=0o600, overwrite=False)
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


def _in_own_directory(path: Path, data_dir: Path) -> Path:
    """Return a path in opdash's key directory, once that is there and closed to others."""
    directory = key_directory(data_dir)
    try:
        make_private_directory(directory)
        if stat.S_IMODE(directory.stat().st_mode) & _OTHERS:
            directory.chmod(0o700)
    except OSError as error:
        raise KeyFileError(
            f"The key cannot be written to {_shown(path)}: {_reason(error)}.",
            f"Make the directory yours, then: chmod 700 {_quoted(directory)}",
        ) from error
    return path


def _read_private(path: Path) -> Secret:
    try:
        _check_directories(path)
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
        return Secret(path.read_bytes().decode("ascii", "replace"))
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


def _check_directories(path: Path) -> None:
    """Refuse a file that anybody could replace, where it lies or where a link leads to it."""
    for directory in dict.fromkeys([path.absolute().parent, path.resolve().parent]):
        mode = directory.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise KeyFileError(
                f"Others can replace the private key {_shown(path)}: its directory is open to all.",
                f"Close it with: chmod o-w {_quoted(directory)}",
            )


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _shown(path: Path) -> str:
    return safe_text(str(path), limit=200)


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(safe_text(str(path)))
