"""Secrets for web hooks: a file for each wallet, or one that a person names."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final
from urllib.parse import quote

from opdash.atomic import write_atomic
from opdash.errors import InputError
from opdash.hooks.signing import new_secret, read_secret
from opdash.openpayments.secrets import Secret
from opdash.safetext import safe_text

VARIABLE: Final = "OPDASH_WEBHOOK_SECRET"
"""The environment variable that may hold a secret."""

_MOST_BYTES: Final = 4096


class SecretFile:
    """The secret of one wallet: the one in use, and under it the former one.

    Attributes:
        path: Where it is, or will be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, data_dir: Path, profile: str) -> SecretFile:
        """Return the file of a profile; names that differ only by case are the same."""
        name = quote(profile.casefold(), safe=" ")
        return cls(data_dir / "hooks" / "secrets" / f"{name}.secret")

    def read(self) -> tuple[Secret, ...]:
        """Return the secret and the former one; nothing where there is no file.

        Raises:
            InputError: Others can read the file, or it holds no secret.
        """
        try:
            text = _private_text(self.path)
        except FileNotFoundError:
            return ()
        except OSError as error:
            reason = error.strerror or "an input error"
            raise InputError(f"{_shown(self.path)} cannot be read: {reason}.") from error
        lines = [line for line in text.splitlines() if line.strip()]
        if not 1 <= len(lines) <= 2:
            raise InputError(
                f"{_shown(self.path)} holds no secret for web hooks.",
                "It has one line, or two while the secret is being replaced.",
            )
        return tuple(read_secret(line) for line in lines)

    def renew(self) -> Secret:
        """Make a new secret; the one before it goes on signing beside it.

        Raises:
            InputError: What is there cannot be read.
            OSError: It cannot be written.
        """
        secret = new_secret()
        self._write((secret, *self.read()[:1]))
        return secret

    def forget_former(self) -> bool:
        """Let the former secret sign no more; return whether there was one. Raises as `renew`."""
        secrets = self.read()
        if len(secrets) < 2:
            return False
        self._write(secrets[:1])
        return True

    def _write(self, secrets: tuple[Secret, ...]) -> None:
        text = "".join(f"{secret.reveal()}\n" for secret in secrets)
        write_atomic(self.path, text.encode(), mode=0o600)


def _private_text(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{_shown(path)} is no ordinary file.", "Name another one.")
        if status.st_mode & 0o077 or status.st_uid not in (os.geteuid(), 0):
            raise InputError(
                f"Others can read {_shown(path)}, so the secret in it is none.",
                f"Make it yours alone with “chmod 600 {_shown(path)}”, and replace the secret.",
            )
        data = file.read(_MOST_BYTES)
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise InputError(f"{_shown(path)} holds no secret for web hooks.") from error


def _shown(path: Path) -> str:
    return safe_text(str(path), limit=200)
