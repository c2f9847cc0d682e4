"""Wallet addresses, payment pointers, and the URLs that opdash is willing to talk to."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from opdash.errors import InputError
from opdash.safetext import safe_text

_EXAMPLE = "A wallet address looks like https://wallet.example/alice or $wallet.example/alice."
_WHOLE_URL = "Paste the payment's whole URL, as its server gave it."
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?")
_URL_CHARACTERS = re.compile(r"[!-~]+")
_DOT = re.compile("%2e", re.IGNORECASE)
_BLANK = re.compile(r"[\x00-\x20\x7f-\xa0]")
_MAX_LENGTH = 2048


class AddressError(InputError):
    """A typed wallet address or URL cannot be used; the sentence says why."""


def parse_wallet_address(text: str) -> str:
    """Return the https URL that a wallet address or payment pointer means.

    ``$host/path`` means ``https://host/path``, ``$host`` alone ``https://host/.well-known/pay``.
    The scheme and the host come back in lower case, the path as typed without a trailing slash.
    A host with letters beyond ASCII comes back in its IDNA form.

    Args:
        text: What a person typed; blanks around it are ignored.

    Raises:
        AddressError: It is no wallet address: another scheme, a port outside loopback, user-info,
            a query, a fragment, or no host.
    """
    typed = text.strip()
    if not typed:
        raise AddressError("The wallet address is empty.", _EXAMPLE)
    if typed.startswith("$"):
        host, _, path = typed[1:].partition("/")
        typed = f"https://{host}/{path or '.well-known/pay'}"
    elif "://" not in typed:
        raise AddressError(f"“{safe_text(typed, limit=60)}” is no wallet address.", _EXAMPLE)
    parts = _split(typed)
    if parts.query or parts.fragment or typed.endswith(("?", "#")):
        raise AddressError("A wallet address has no query (?) and no fragment (#).", _EXAMPLE)
    host, port = _host(parts), _port(parts)
    if port is not None and not is_loopback(host):
        raise AddressError("A wallet address has no port.", _EXAMPLE)
    return _rebuild(parts.scheme, host, port, parts.path.rstrip("/"))


def parse_resource_url(text: str) -> str:
    """Return the URL of a payment as typed, or raise.

    Args:
        text: A full https URL (http only on loopback), such as an incoming payment's ``id``.

    Raises:
        AddressError: It is no URL that opdash may ask.
    """
    typed = text.strip()
    parts = _split(typed, _WHOLE_URL)
    if parts.fragment:
        raise AddressError("A payment URL has no fragment (#).", _WHOLE_URL)
    if not parts.path.strip("/"):
        raise AddressError(f"“{safe_text(typed, limit=60)}” names no payment.", _WHOLE_URL)
    return typed


def check_server_url(url: str) -> str:
    """Return a resource or authorization server URL as given, if opdash may talk to it.

    Raises:
        AddressError: It is not https (http on loopback), or has user-info, query or fragment.
    """
    parts = _split(url)
    if parts.query or parts.fragment:
        raise AddressError(f"“{safe_text(url, limit=80)}” has a query or a fragment.")
    return url


def join(base: str, *segments: str) -> str:
    """Append path segments to a URL, with exactly one slash between them."""
    return "/".join([base.rstrip("/"), *(segment.strip("/") for segment in segments)])


def with_query(url: str, parameters: dict[str, str]) -> str:
    """Append a percent-encoded query to a URL that has none."""
    if not parameters:
        return url
    return (
        url
        + "?"
        + "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    )


def origin(url: str) -> str:
    """Return ``scheme://host:port`` of a URL, the default port written out.

    Raises:
        AddressError: The URL is none that opdash may talk to.
    """
    parts = _split(url)
    port = _port(parts) or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{_bracketed(_host(parts))}:{port}"


def wire_url(url: str) -> str:
    """Return a URL in the spelling that is sent, and therefore signed.

    Scheme and host are in lower case and a default port is left out, as every HTTP client sends
    them; path and query stay byte for byte.

    Raises:
        AddressError: The URL is none that opdash may talk to, or has a fragment.
    """
    parts = _split(url)
    if parts.fragment:
        raise AddressError("A URL that is asked has no fragment (#).")
    host, port = _bracketed(_host(parts)), _port(parts)
    netloc = host if port is None else f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{netloc}{parts.path or '/'}{query}"


def is_on_loopback(url: str) -> bool:
    """Return whether a URL's server is this machine itself."""
    return is_loopback(_host(_split(url)))


def lies_below(url: str, base: str) -> bool:
    """Return whether a URL has the origin of ``base`` and a path below its path."""
    try:
        if origin(url) != origin(base):
            return False
    except AddressError:
        return False
    path = urlsplit(url).path
    return path.startswith(urlsplit(base).path.rstrip("/") + "/")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str, advice: str = _EXAMPLE) -> SplitResult:
    shown = safe_text(url, limit=80)
    if len(url) > _MAX_LENGTH:
        raise AddressError(f"The address “{shown}” is too long.", advice)
    if _BLANK.search(url):
        raise AddressError(f"“{shown}” has a blank or a control character in it.", advice)
    try:
        parts = urlsplit(url)
        host = _host(parts)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError as error:
        raise AddressError(f"“{shown}” is no valid address.", advice) from error
    if parts.scheme not in ("https", "http"):
        raise AddressError(f"“{shown}” does not begin with https://.", advice)
    if "@" in parts.netloc:
        raise AddressError("An address must not carry a user name or password.", advice)
    if not (_HOST.fullmatch(host) or ":" in host):
        raise AddressError(f"“{shown}” has no valid host name.", advice)
    if (
        _URL_CHARACTERS.fullmatch(parts.path + parts.query + parts.fragment + "/") is None
        or "\\" in url
    ):
        raise AddressError(f"“{shown}” has characters that must be percent-encoded.", advice)
    if {".", ".."} & set(_DOT.sub(".", parts.path).split("/")):
        raise AddressError(f"“{shown}” has a relative step (“.” or “..”) in its path.", advice)
    if parts.scheme == "http" and not is_loopback(host):
        raise AddressError("http is only used on this machine itself.", "Use https:// instead.")
    return parts


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    if host.isascii():
        return host
    return host.encode("idna").decode("ascii")


def _port(parts: SplitResult) -> int | None:
    default = 443 if parts.scheme == "https" else 80
    return None if parts.port == default else parts.port


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _rebuild(scheme: str, host: str, port: int | None, path: str) -> str:
    netloc = _bracketed(host) if port is None else f"{_bracketed(host)}:{port}"
    return urlunsplit((scheme, netloc, path, "", ""))
