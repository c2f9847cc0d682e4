"""Posting an event to a web hook."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opdash.clock import Clock
from opdash.errors import InputError
from opdash.hooks.deliveries import DeliveryError, StoppedError
from opdash.hooks.letters import Letter
from opdash.hooks.signing import headers
from opdash.openpayments.addresses import is_loopback
from opdash.openpayments.secrets import Secret
from opdash.safetext import safe_text

if TYPE_CHECKING:
    import httpx

    from opdash.openpayments.pools import Pools

_LONGEST_URL: Final = 2000
_MOST_READ: Final = 16 * 1024
"""Bytes of an answer that are read, so that its connection can be used again."""

_GONE: Final = 410


class Receiver:
    """A web hook.

    Its answer's status alone counts: 2xx takes the event, 410 ends it all, a redirect is not
    followed, and everything else is tried again.

    Attributes:
        url: Where events are posted.
        name: Its origin; the rest of the URL may be a secret.
    """

    def __init__(
        self,
        url: str,
        *,
        seconds: float,
        secrets: Callable[[str], Sequence[Secret]],
        clock: Clock,
        ca_file: Path | None = None,
    ) -> None:
        """Prepare.

        Args:
            url: As `read_url` allows it.
            seconds: How long an answer is waited for.
            secrets: Gives a wallet's secrets, the one in use first.
            clock: The one clock.
            ca_file: Certificates to trust instead of the system's.
        """
        parts = urlsplit(url)
        self.url = url
        self.name = safe_text(f"{parts.scheme}://{parts.netloc}", limit=80)
        self._seconds = seconds
        self._secrets = secrets
        self._clock = clock
        self._ca_file = ca_file
        self._pools: Pools | None = None

    async def deliver(self, letter: Letter) -> None:
        """Post it. Raises `DeliveryError` and `StoppedError`."""
        import httpx

        from opdash import __version__

        now = self._clock.now()
        vouching = headers(letter.id, letter.body, now, self._secrets_of(letter.wallet))
        request = httpx.Request(
            "POST",
            self.url,
            headers={
                "content-type": "application/json",
                "user-agent": f"opdash/{__version__}",
                **vouching,
            },
            content=letter.body,
        )
        try:
            async with asyncio.timeout(self._seconds):
                status, wait = await self._status(request)
        except TimeoutError as error:
            raise DeliveryError(f"gave no answer within {self._seconds:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            kind = type(error).__name__
            raise DeliveryError(f"could not be reached ({kind})") from error
        _judge(status, wait)

    async def aclose(self) -> None:
        """Close its connections."""
        if self._pools is not None:
            await self._pools.aclose()

    def _secrets_of(self, wallet: str) -> Sequence[Secret]:
        try:
            secrets = self._secrets(wallet)
        except InputError as error:
            raise DeliveryError("cannot be posted to: its secret cannot be read") from error
        if not secrets:
            raise DeliveryError("cannot be posted to: its secret is gone")
        return secrets

    async def _status(self, request: httpx.Request) -> tuple[int, float | None]:
        from opdash.openpayments.pools import Pools
        from opdash.openpayments.refusals import retry_after

        if self._pools is None:
            self._pools = Pools(self._ca_file)
        pool = await self._pools.pool(self.url)
        response = await pool.handle_async_request(request)
        try:
            read = 0
            async for chunk in response.aiter_raw():
                read += len(chunk)
                if read > _MOST_READ:
                    break
        finally:
            await response.aclose()
        asked = response.headers.get("retry-after", "")
        return response.status_code, retry_after(asked, self._clock.now())


def read_url(text: str) -> str:
    """Read where a web hook is.

    Raises:
        InputError: It is no https URL, nor http on this machine; or it holds a password.
    """
    shown = safe_text(text.partition("?")[0], limit=80)
    advice = "Give an https URL, or an http one on this machine, such as http://127.0.0.1:8000/."
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise InputError("The address of the web hook is no URL.", advice) from error
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "The address of the web hook holds a user's name.",
            "Leave out what stands before the @; events are signed instead.",
        )
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > _LONGEST_URL:
        raise InputError("The address of the web hook is no URL.", advice)
    if not host or parts.scheme not in ("https", "http") or parts.fragment:
        raise InputError(f"“{shown}” is no address for a web hook.", advice)
    if parts.scheme == "http" and not is_loopback(host):
        raise InputError(f"“{shown}” is not secure: events would go over the wire openly.", advice)
    return text


def _judge(status: int, wait: float | None) -> None:
    if 200 <= status < 300:
        return
    if status == _GONE:
        raise StoppedError
    if 300 <= status < 400:
        raise DeliveryError(f"answered {status}; redirects are not followed", is_final=True)
    raise DeliveryError(f"answered {status}", wait=wait)
