"""Servers of the sandbox that are down: what a proxy in front says then, and what the others do."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from starlette.responses import HTMLResponse, Response

from opdash.sandbox.errors import control_error

_BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
_PORTAL = (
    "<!doctype html>\n<title>Welcome</title>\n<h1>Welcome to the hotel's network</h1>\n"
    "<p>Please accept our conditions to go on.</p>\n"
)


class Part(StrEnum):
    """One of the three servers that a real provider runs."""

    AUTHORIZATION = "authorization"
    RESOURCE = "resource"
    WALLET_ADDRESS = "wallet-address"


class Outages:
    """Knows which servers are down; none is, until somebody says so.

    Args:
        tenant: The path of the resource server.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._down: frozenset[Part] = frozenset()
        self._portal = False

    def take_down(self, names: Iterable[str], *, portal: bool = False) -> None:
        """Let exactly these servers be down.

        Args:
            names: The servers, by the values of `Part`.
            portal: Whether a captive portal's page (200) stands in for them, not a proxy's 502.

        Raises:
            Refusal: A name is none of a server.
        """
        try:
            self._down = frozenset(Part(name) for name in names)
        except ValueError as error:
            known = ", ".join(Part)
            raise control_error(400, f"The servers are called {known}.") from error
        self._portal = portal

    def is_down(self, part: Part) -> bool:
        """Return whether a server is down."""
        return part in self._down

    def answer(self, path: str) -> Response | None:
        """Return what the proxy in front answers for a server that is down, or None."""
        if path.startswith("/sandbox/") or self._part(path) not in self._down:
            return None
        if self._portal:
            return HTMLResponse(_PORTAL)
        return HTMLResponse(_BAD_GATEWAY, status_code=502)

    def _part(self, path: str) -> Part:
        if path.startswith("/auth/"):
            return Part.AUTHORIZATION
        if path.startswith(f"/{self._tenant}/"):
            return Part.RESOURCE
        return Part.WALLET_ADDRESS
