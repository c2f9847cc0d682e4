"""The way to the servers: names, connections, certificates."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import datetime
from urllib.parse import urlsplit

from opdash.clock import Clock
from opdash.errors import ExitCode, OpdashError
from opdash.openpayments.addresses import origin
from opdash.openpayments.errors import UnreachableError
from opdash.openpayments.pools import proxy_to, trust_in_words, trusting
from opdash.openpayments.reach import (
    Certificate,
    Reached,
    connect,
    is_address,
    look_up,
    place_of,
    shown_certificate,
)
from opdash.safetext import safe_text
from opdash.service.doctor.case import Case
from opdash.service.doctor.steps import Finding

_MOST_HOSTS = 6


async def dns(case: Case) -> Finding:
    """Look the wallet address's host up."""
    url = case.profile.wallet_address
    host, _ = place_of(url)
    proxy = _proxy(url)
    if proxy:
        return Finding(True, f"The proxy {proxy} looks names up; opdash does not.")
    if is_address(host):
        return Finding(True, f"{host} is an address already; there is no name to look up.")
    found = await look_up(url, case.patience)
    return Finding(True, f"{host} is {', '.join(found)}.")


async def connection(case: Case) -> Finding:
    """Connect to the wallet address's server."""
    return await _reach(case, case.profile.wallet_address)


async def servers(case: Case) -> Finding:
    """Connect to the servers that the wallet address names, where they are others."""
    wallet = case.wallet
    assert wallet is not None  # noqa: S101 - DISCOVERY came before
    named = {"resource server": wallet.resource_server, "authorization server": wallet.auth_server}
    lines = [f"{name:<21} {safe_text(url, limit=160)}" for name, url in named.items()]
    known = {origin(case.profile.wallet_address)}
    for name, url in named.items():
        if origin(url) in known:
            continue
        known.add(origin(url))
        try:
            reached = await _reach(case, url)
        except OpdashError as error:
            return Finding(False, f"The {name}: {error}", _TELL, tuple(lines), error.exit_code)
        if reached.ok is False:
            return Finding(
                False,
                f"The {name}: {reached.found}",
                reached.advice,
                (*lines, *reached.lines),
                reached.code,
            )
        lines += (f"{name}: {reached.found}", *reached.lines)
    if len(known) == 1:
        return Finding(True, "Both are where the wallet address is.", lines=tuple(lines))
    return Finding(True, "All can be reached.", lines=tuple(lines))


_TELL = "The wallet address names it: if it stays so, tell the wallet's provider."


async def _reach(case: Case, url: str) -> Finding:
    """Connect to a server; a certificate that is not trusted is looked at all the same."""
    proxy = _proxy(url)
    if proxy:
        return Finding(True, f"It is reached through the proxy {proxy}; the next steps show how.")
    if urlsplit(url).scheme != "https":
        reached = await connect(url, None, case.patience)
        return Finding(True, f"{reached.peer} answers, without TLS, as may be on this machine.")
    ca_file = case.profile.ca_file
    trusted = trust_in_words(ca_file)
    context = await asyncio.to_thread(trusting, ca_file)
    try:
        reached = await connect(url, context, case.patience)
    except UnreachableError as error:
        cause = error.__cause__
        if not isinstance(cause, ssl.SSLCertVerificationError):
            raise
        return await _distrusted(case, url, error, cause, trusted)
    return Finding(
        True,
        f"{reached.peer} answers with {reached.tls}; its certificate is trusted.",
        lines=(*_described(reached, case.clock), f"trusted by    {trusted}"),
    )


async def _distrusted(
    case: Case,
    url: str,
    error: UnreachableError,
    cause: ssl.SSLCertVerificationError,
    trusted: str,
) -> Finding:
    shown: Certificate | None = None
    with contextlib.suppress(UnreachableError):  # what is known is worth telling without it
        shown = await shown_certificate(url, case.patience)
    lines = () if shown is None else _lines(shown, case.clock)
    return Finding(
        False,
        error.sentence,
        _what_to_do(shown, url, case.clock.now(), cause) or error.advice,
        (*lines, f"opdash trusts {trusted}"),
        ExitCode.UNREACHABLE,
    )


def _what_to_do(
    shown: Certificate | None, url: str, now: datetime, error: ssl.SSLCertVerificationError
) -> str:
    if shown is None:
        return ""
    host, _ = place_of(url)
    if now > shown.not_after:
        return "It has expired: its operator must renew it. Check this machine's date, too."
    if now < shown.not_before:
        return "It is not good yet: check this machine's date."
    if shown.hosts and not any(_is_for(name, host) for name in shown.hosts):
        return f"It is for other hosts than {host}: check the address, and do not trust this one."
    if not _is_about_trust(error):
        return (
            "It is not made as certificates must be: whoever issued it must make it anew. Until "
            "then do not trust this network."
        )
    who = "The server vouches for itself" if shown.vouches_for_itself else "Its issuer is unknown"
    return (
        f"{who}. If you know whose it is, name the issuer's certificate with ca_file in the "
        "profile or in SSL_CERT_FILE; otherwise do not trust this network."
    )


def _is_about_trust(error: ssl.SSLCertVerificationError) -> bool:
    words = error.verify_message.lower().replace("-", " ")
    return "issuer" in words or "self signed" in words


def _is_for(name: str, host: str) -> bool:
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return name == host


def _described(reached: Reached, clock: Clock) -> tuple[str, ...]:
    return () if reached.certificate is None else _lines(reached.certificate, clock)


def _lines(shown: Certificate, clock: Clock) -> tuple[str, ...]:
    hosts = ", ".join(shown.hosts[:_MOST_HOSTS]) + (", …" if shown.hosts[_MOST_HOSTS:] else "")
    days = (shown.not_after - clock.now()).days
    left = f"{days} days left" if days >= 0 else f"expired {-days} days ago"
    return (
        f"certificate   {safe_text(shown.subject, limit=160) or '(names nobody)'}",
        f"issued by     {safe_text(shown.issuer, limit=160)}",
        f"good for      {safe_text(hosts, limit=200) or 'no host'}",
        f"good until    {shown.not_after:%Y-%m-%d %H:%M} UTC ({left})",
    )


def _proxy(url: str) -> str:
    """Return host and port of the proxy on the way, never the password in its URL."""
    proxy = proxy_to(url)
    return safe_text(urlsplit(proxy).netloc.rpartition("@")[2] or proxy, limit=80) if proxy else ""
