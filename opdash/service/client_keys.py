"""Private keys for new wallets: made, read and shown without holding the screen up."""

from __future__ import annotations

import asyncio
import importlib
import json
import uuid
from dataclasses import dataclass
from pathlib import Path

from opdash.paths import key_path


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


async def read_public_key(path: Path, key_id: str) -> KeyOnDisk:
    """Read a private key file for its public half.

    Raises:
        KeyFileError: It cannot be used; the sentence says why.
    """
    return await asyncio.to_thread(_read, path, key_id)


async def make_key(data_dir: Path) -> KeyOnDisk:
    """Make a key with a random id and write it to opdash's key directory, for its owner only.

    Raises:
        KeyFileError: It cannot be written.
    """
    return await asyncio.to_thread(_make, data_dir)


def _read(path: Path, key_id: str) -> KeyOnDisk:
    path = path.expanduser().absolute()
    keyfiles = importlib.import_module("opdash.keyfiles")
    return _shown(path, key_id, keyfiles.read_key(path, key_id).public_jwk())


def _make(data_dir: Path) -> KeyOnDisk:
    keyfiles = importlib.import_module("opdash.keyfiles")
    keys = importlib.import_module("opdash.openpayments.keys")
    key_id = str(uuid.uuid4())
    key = keys.ClientKey.generate(key_id)
    path = key_path(data_dir, key_id)
    keyfiles.write_key(path, key)
    return _shown(path, key_id, key.public_jwk())


def _shown(path: Path, key_id: str, jwk: dict[str, str]) -> KeyOnDisk:
    return KeyOnDisk(path, key_id, json.dumps(jwk, indent=2))
