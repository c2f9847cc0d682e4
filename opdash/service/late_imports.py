"""The network and cryptography libraries, imported once, on a thread, after the first paint."""

from __future__ import annotations

import asyncio
import gc
import importlib
from types import ModuleType

import msgspec


class NetworkModules(msgspec.Struct, frozen=True):
    """Modules that a session needs only when it first asks a server.

    Attributes:
        client: `opdash.openpayments.client`.
        keyfiles: `opdash.keyfiles`.
    """

    client: ModuleType
    keyfiles: ModuleType


class LateImports:
    """Imports the modules when they are first needed, one importer at a time.

    Several sessions start at once, and modules that import each other must not be begun on two
    threads: one would see the other's half.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._modules: NetworkModules | None = None

    async def modules(self) -> NetworkModules:
        """Return the modules, importing them first where nobody has."""
        async with self._lock:
            if self._modules is None:
                self._modules = await asyncio.to_thread(_import)
                gc.freeze()  # modules stay: collections that walked over them held up the screen
            return self._modules


def _import() -> NetworkModules:
    return NetworkModules(
        client=importlib.import_module("opdash.openpayments.client"),
        keyfiles=importlib.import_module("opdash.keyfiles"),
    )
