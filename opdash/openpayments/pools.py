"""Connections that are kept: whom they trust, how long they stay, and which proxy they take."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from opdash.errors import ConfigError
from opdash.openpayments.addresses import is_loopback

_KEEP_IDLE = 4.0
"""Seconds that an idle connection is kept: less than the five after which common servers close it,
so that a POST hardly ever meets a connection that is just being closed."""


class Pools:
    """Connections to all servers, made when first needed.

    They are httpx's transports without its client: no redirects, no cookies, no credentials from
    a file, and no log of URLs.
    """

    def __init__(self, ca_file: Path | None) -> None:
        """Prepare.

        Args:
            ca_file: Certificates (PEM) to trust instead of the system's.

        Raises:
            ConfigError: The file cannot be used.
        """
        self._tls = None if ca_file is None else trusting(ca_file)
        self._proxies: dict[str, str] = {}
        self._pools: dict[tuple[str, str], httpx.AsyncBaseTransport] = {}

    async def pool(self, url: str) -> httpx.AsyncBaseTransport:
        """Return the pool of all hosts that are reached in the same way as a URL's.

        Raises:
            ConfigError: The environment names a proxy that cannot be used.
        """
        scheme, _, rest = url.partition("://")
        host = rest.partition("/")[0]
        if host not in self._proxies:
            self._proxies[host] = proxy_to(url)
        way = scheme, self._proxies[host]
        if way not in self._pools:
            if scheme == "https" and self._tls is None:
                self._tls = await asyncio.to_thread(trusting, None)
            trusts_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._pools.setdefault(way, _new_pool(self._tls or trusts_nobody, way[1]))
        return self._pools[way]

    async def aclose(self) -> None:
        """Close all connections."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()


def _new_pool(tls: ssl.SSLContext, proxy: str) -> httpx.AsyncBaseTransport:
    limits = httpx.Limits(
        max_connections=10, max_keepalive_connections=5, keepalive_expiry=_KEEP_IDLE
    )
    try:
        return httpx.AsyncHTTPTransport(
            verify=tls, trust_env=False, limits=limits, proxy=proxy or None
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConfigError(
            "The proxy that the environment names cannot be used.",
            "Correct HTTPS_PROXY, or name this server in NO_PROXY.",
        ) from error


def proxy_to(url: str) -> str:
    """Return the URL of the proxy that the environment names for a host, or an empty string."""
    host = urlsplit(url).hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return ""
    proxies = getproxies()
    return proxies.get("https") or proxies.get("all") or ""


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return what to make secure connections with.

    Args:
        ca_file: Certificates (PEM) to trust; None to trust what the system trusts, or what
            ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name.

    Raises:
        ConfigError: The file cannot be used.
    """
    return _system_tls() if ca_file is None else _tls_of(ca_file)


def trust_in_words(ca_file: Path | None) -> str:
    """Return whose certificates `trusting` trusts, as the end of "opdash trusts …"."""
    if ca_file is not None:
        return f"the certificates in {ca_file} alone (ca_file)"
    named = [
        f"{place} ({name}{'' if os.path.exists(place) else ', which does not exist'})"  # noqa: PTH110
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")
        if (place := os.environ.get(name))
    ]
    if named:
        return f"the certificates in {' and '.join(named)}"
    return "the authorities that this system and certifi list"


def _system_tls() -> ssl.SSLContext:
    """Trust what the system trusts, or what ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name."""
    context = ssl.create_default_context()
    if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _tls_of(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The file of certificates {ca_file} cannot be used: "
            f"{getattr(error, 'strerror', None) or 'it holds no certificate in PEM form'}.",
            "Correct ca_file in the profile, or remove it to trust what the system trusts.",
        ) from error
