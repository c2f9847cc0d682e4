"""Private keys for wallets: made, read, taken in and shown without holding the screen up."""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opdash.openpayments.secrets import Secret

if TYPE_CHECKING:
    from opdash.openpayments.keys import ClientKey


@dataclass(frozen=True, slots=True)
class KeyOnDisk:
    """A private key file that can be used.

    Attributes:
        file: Where it is, an absolute path.
        key_id: The name under which the provider is to know it.
        jwk_json: Its public half as the provider wants it, indented JSON.
    """

    file: Path
    key_id: str
    jwk_json: str

    @property
    def jwk_base64(self) -> str:
        """The same JSON on one line, in base64: some providers' pages ask for that."""
        compact = json.dumps(json.loads(self.jwk_json), separators=(",", ":"))
        return base64.b64encode(compact.encode()).decode()


def shown_key(file: Path, key: ClientKey) -> KeyOnDisk:
    """Return a key as it is shown: without its private half."""
    return KeyOnDisk(file.absolute(), key.key_id, json.dumps(key.public_jwk(), indent=2))


async def read_public_key(path: Path, key_id: str, passphrase: Secret | None = None) -> KeyOnDisk:
    """Read a private key file for its public half.

    Raises:
        LockedKeyError: It is encrypted, and the passphrase does not open it.
        KeyFileError: It cannot be used; the sentence says why.
    """
    return await asyncio.to_thread(_read, path, key_id, passphrase)


async def make_key(data_dir: Path, passphrase: Secret | None = None) -> KeyOnDisk:
    """Make a key with a random id and write it to opdash's key directory, for its owner only.

    Args:
        data_dir: Where opdash keeps its files.
        passphrase: What to encrypt it with, or None.

    Raises:
        KeyFileError: It cannot be written.
    """
    return await asyncio.to_thread(_make, data_dir, passphrase)


async def take_key(
    data_dir: Path, text: Secret, key_id: str = "", passphrase: Secret | None = None
) -> KeyOnDisk:
    """Take a key that was pasted, PEM or base64 of it, into opdash's key directory.

    Raises:
        LockedKeyError: It is encrypted, and the passphrase does not open it; nothing was written.
        KeyFileError: It is no key, or cannot be written.
    """
    return await asyncio.to_thread(_take, data_dir, text, key_id, passphrase)


def _read(path: Path, key_id: str, passphrase: Secret | None) -> KeyOnDisk:
    path = path.expanduser().absolute()
    keyfiles = importlib.import_module("opdash.keyfiles")
    return shown_key(path, keyfiles.read_key(path, key_id, passphrase))


def _make(data_dir: Path, passphrase: Secret | None) -> KeyOnDisk:
    keyfiles = importlib.import_module("opdash.keyfiles")
    keys = importlib.import_module("opdash.openpayments.keys")
    key = keys.ClientKey.generate(str(uuid.uuid4()))
    return shown_key(keyfiles.write_own_key(data_dir, key, passphrase), key)


def _take(data_dir: Path, text: Secret, key_id: str, passphrase: Secret | None) -> KeyOnDisk:
    keyfiles = importlib.import_module("opdash.keyfiles")
    return shown_key(*keyfiles.import_key(data_dir, text, key_id, passphrase))
