"""The way to a server, one step at a time: its name, a connection, its certificate.

For finding out what is wrong; requests go through `opdash.openpayments.transport`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509

from opdash.openpayments.outages import Progress, outage


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server says who it is; remote text, as it was sent.

    Attributes:
        subject: Whom it names (RFC 4514).
        issuer: Who vouches for that.
        hosts: The names and addresses that it is for.
        not_before: From when it is good (UTC).
        not_after: Until when.
    """

    subject: str
    issuer: str
    hosts: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    @property
    def vouches_for_itself(self) -> bool:
        """Whether nobody else vouches for it."""
        return self.subject == self.issuer


@dataclass(frozen=True, slots=True)
class Reached:
    """A connection that could be made.

    Attributes:
        peer: Address and port of who answered.
        tls: The version of TLS, or an empty string without it.
        certificate: The server's; None without TLS.
    """

    peer: str
    tls: str
    certificate: Certificate | None


def place_of(url: str) -> tuple[str, int]:
    """Return the host and port of a URL."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def is_address(host: str) -> bool:
    """Return whether a host is an address already, and no name to look up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def look_up(url: str, patience: float = 10.0) -> tuple[str, ...]:
    """Return the addresses of a URL's host.

    Raises:
        UnreachableError: It has none, or nobody says.
    """
    host, port = place_of(url)
    try:
        async with asyncio.timeout(patience):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
    except (TimeoutError, OSError) as error:
        raise outage("GET", url, error, Progress(), patience) from error
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


async def connect(url: str, tls: ssl.SSLContext | None, patience: float = 10.0) -> Reached:
    """Connect to a URL's server, and leave again without having said anything.

    Args:
        url: Whose server.
        tls: Whom to trust; None to connect without TLS.
        patience: Seconds until the connection must stand.

    Raises:
        UnreachableError: It could not be made, or its certificate is not trusted.
    """
    host, port = place_of(url)
    try:
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(
                host, port, ssl=tls, server_hostname=host if tls is not None else None
            )
    except (TimeoutError, OSError) as error:  # errors of TLS are such, too
        raise outage("GET", url, error, Progress(), patience) from error
    try:
        peer = writer.get_extra_info("peername")
        secured = writer.get_extra_info("ssl_object")
        certificate = None if secured is None else _read(secured.getpeercert(binary_form=True))
        version = "" if secured is None else secured.version() or ""
        return Reached(f"{peer[0]}:{peer[1]}", version.replace("TLSv", "TLS "), certificate)
    finally:
        writer.close()
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(patience):
                await writer.wait_closed()


async def shown_certificate(url: str, patience: float = 10.0) -> Certificate | None:
    """Return the certificate that a server shows, whoever vouches for it; None where it is none.

    Only to tell a person why it is not trusted: nothing is sent to a server met in this way.

    Raises:
        UnreachableError: The connection could not be made even so.
    """
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    return (await connect(url, unchecked, patience)).certificate


def _read(der: bytes | None) -> Certificate | None:
    try:
        found = x509.load_der_x509_certificate(der or b"")
        return Certificate(
            found.subject.rfc4514_string(),
            found.issuer.rfc4514_string(),
            _hosts(found),
            found.not_valid_before_utc,
            found.not_valid_after_utc,
        )
    except ValueError:
        return None


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    )
