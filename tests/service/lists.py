"""A server with one long list that loses its place, leads in circles or grows on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from opdash.keyfiles import write_key
from opdash.openpayments.keys import ClientKey
from opdash.settings import Profile
from tests.openpayments.rawserver import Received, answer, running

NEWEST = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class ListServer:
    """Answers discovery, grants and the list of one wallet address; verifies nothing.

    Attributes:
        names: The payments, newest first.
        wallet_of: Whose payment a name is said to be; the wallet address asked for if absent.
        twist: May replace a page: it is given the cursor, the size and the honest page.
        asked: The cursor and the size of every list request; negative for pages backwards.
        still_open: Names of the payments that are unpaid.
        got: The names that were asked for one by one.
        opaque: Whether cursors say nothing, and ids of payments are none.
    """

    origin: str = ""
    names: list[str] = field(default_factory=list)
    wallet_of: dict[str, str] = field(default_factory=dict)
    twist: Callable[[str | None, int, dict[str, Any]], dict[str, Any] | bytes] | None = None
    asked: list[tuple[str | None, int]] = field(default_factory=list)
    still_open: set[str] = field(default_factory=set)
    got: list[str] = field(default_factory=list)
    opaque: bool = False

    @property
    def wallet(self) -> str:
        return f"{self.origin}/rosa"

    def page(self, cursor: str | None, size: int, *, backwards: bool = False) -> dict[str, Any]:
        """An honest page; all payments were created at the same instant."""
        at = -1 if cursor is None else self._index(cursor)
        if at is None:
            return page_of([], end=None)
        first, last = (max(at - size, 0), at) if backwards else (at + 1, at + 1 + size)
        some = self.names[first:last]
        if not some:
            return page_of([], end=None)
        page = page_of([self.payment(name) for name in some], end=None)
        there = {"hasNextPage": last < len(self.names), "hasPreviousPage": first > 0}
        ends = {"startCursor": self.cursor(some[0]), "endCursor": self.cursor(some[-1])}
        return page | {"pagination": there | ends}

    def cursor(self, name: str) -> str:
        """The cursor of a payment."""
        return name[::-1] + "=" if self.opaque else name

    def _index(self, cursor: str) -> int | None:
        name = cursor[:-1][::-1] if self.opaque and cursor.endswith("=") else cursor
        known = name in self.names and (not self.opaque or cursor.endswith("="))
        return self.names.index(name) if known else None

    def payment(self, name: str) -> dict[str, Any]:
        amount = {"value": "100", "assetCode": "USD", "assetScale": 2}
        return {
            "id": f"{self.origin}/rs/incoming-payments/{name}",
            "walletAddress": self.wallet_of.get(name, self.wallet),
            "completed": name not in self.still_open,
            "incomingAmount": amount,
            "receivedAmount": amount | ({"value": "0"} if name in self.still_open else {}),
            "createdAt": NEWEST.isoformat().replace("+00:00", "Z"),
            "expiresAt": (NEWEST + timedelta(days=2000)).isoformat().replace("+00:00", "Z"),
        }

    async def serve(self, request: Received, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        writer.write(self._answer(request))
        await writer.drain()

    def _answer(self, request: Received) -> bytes:
        path = urlsplit(request.target).path
        if path == "/rosa":
            return answer(
                {
                    "id": self.wallet,
                    "assetCode": "USD",
                    "assetScale": 2,
                    "authServer": f"{self.origin}/auth",
                    "resourceServer": f"{self.origin}/rs",
                }
            )
        if path.startswith("/auth"):
            access = json.loads(request.body)["access_token"]["access"]
            token = {"value": "t", "manage": f"{self.origin}/auth/token/1", "access": access}
            return answer({"access_token": token, "continue": self._continue()})
        name = path.rpartition("/incoming-payments/")[2]
        if name != path:
            self.got.append(name)
            return answer(self.payment(name) | {"methods": []})
        query = parse_qs(urlsplit(request.target).query)
        cursor, backwards = query.get("cursor", [None])[0], "last" in query
        size = int(query["last" if backwards else "first"][0])
        self.asked.append((cursor, -size if backwards else size))
        page: dict[str, Any] | bytes = self.page(cursor, size, backwards=backwards)
        if self.twist is not None and isinstance(page, dict):
            page = self.twist(cursor, size, page)
        return page if isinstance(page, bytes) else answer(page)

    def _continue(self) -> dict[str, Any]:
        return {"access_token": {"value": "c"}, "uri": f"{self.origin}/auth/continue/1"}


def page_of(result: list[dict[str, Any]], *, end: str | None) -> dict[str, Any]:
    """A page; it ends the list where it has no end cursor."""
    pagination: dict[str, Any] = {"hasNextPage": end is not None, "hasPreviousPage": False}
    return {"pagination": pagination | ({"endCursor": end} if end else {}), "result": result}


@asynccontextmanager
async def list_server(names: list[str]) -> AsyncIterator[ListServer]:
    """Run one on loopback."""
    async with running() as raw:
        server = ListServer(origin=raw.origin, names=names)
        raw.reply(server.serve)
        yield server


def profile_at(server: ListServer, home: Path, **changes: Any) -> Profile:
    """A profile with a key of its own that asks such a server."""
    key_file = home / "list-server.pem"
    if not key_file.exists():
        write_key(key_file, ClientKey.generate("list-key"))
    given: dict[str, Any] = {
        "name": "rosa",
        "wallet_address": server.wallet,
        "client_wallet_address": server.wallet,
        "key_id": "list-key",
        "key_file": key_file,
        "page_size": 20,
    }
    return Profile(**(given | changes))
