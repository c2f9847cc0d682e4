"""How the client's requests are made: where they may go, what is signed, what counts as an answer.

A token and a signature are sent only to the origin that a wallet address names, which every call
hands in; redirects are followed only where neither is sent.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from urllib.parse import urljoin

from opdash.clock import Clock
from opdash.errors import KeyFileError
from opdash.openpayments.addresses import AddressError, is_on_loopback, wire_url
from opdash.openpayments.errors import ProtocolError
from opdash.openpayments.judgements import Server
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.refusals import refusal_error
from opdash.openpayments.secrets import MASK, Secret
from opdash.openpayments.signatures import sign_request
from opdash.openpayments.transport import Answer, Transport
from opdash.redact import redact

DONE = frozenset({200})
"""What most requests are answered with."""

CREATED = frozenset({200, 201})
"""What a creation is answered with."""

ENDED = frozenset({200, 202, 204})
"""What giving something back is answered with."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 3


class Channel:
    """Makes requests of the three kinds: public, with a token, and to an authorization server."""

    def __init__(self, transport: Transport, key: ClientKey | None, clock: Clock) -> None:
        self._transport = transport
        self._key = key
        self._clock = clock

    @property
    def server_offset(self) -> timedelta:
        """The server's clock less this machine's."""
        return self._transport.server_offset

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def follow(self, url: str, purpose: str = "") -> Answer:
        """Fetch something public, following up to three redirects.

        Args:
            url: Of what.
            purpose: What it is for, as the end of "opdash wants to …".

        Raises:
            AddressError: The URL cannot be asked.
            OpenPaymentsError: There is no good answer.
        """
        answer = await self._transport.send("GET", wire_url(url), {}, purpose=purpose)
        for _ in range(_MAX_REDIRECTS):
            location = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not location:
                break
            to = _redirected(answer.url, location)
            answer = await self._transport.send("GET", to, {}, purpose=purpose)
        return self._checked(Server.RESOURCE, answer, DONE)

    async def ask_anyone(self, url: str, purpose: str = "") -> Answer:
        """Fetch something public; a redirect is an error.

        Args:
            url: Of what.
            purpose: What it is for, as the end of "opdash wants to …".

        Raises:
            AddressError: The URL cannot be asked.
            OpenPaymentsError: There is no good answer.
        """
        answer = await self._transport.send("GET", wire_url(url), {}, purpose=purpose)
        return self._checked(Server.RESOURCE, answer, DONE)

    async def ask_resource(
        self,
        server: str,
        method: str,
        url: str,
        token: Secret,
        body: bytes | None = None,
        *,
        expected: frozenset[int] = DONE,
        purpose: str = "",
    ) -> Answer:
        """Make a signed request with a token.

        Args:
            server: The resource server that the wallet address names.
            method: In capitals.
            url: Something at that server.
            token: The access token.
            body: The body, or None.
            expected: The statuses that mean success.
            purpose: What it is for, as the end of "opdash wants to …".

        Raises:
            AddressError: The URL is at another origin.
            OpenPaymentsError: There is no good answer.
        """
        asked = _at_server(url, server)
        headers = self._signed(method, asked, token, body)
        answer = await self._transport.send(method, asked, headers, body, purpose=purpose)
        return self._checked(Server.RESOURCE, answer, expected, token)

    async def ask_authorization(
        self,
        server: str,
        method: str,
        url: str,
        token: Secret | None,
        body: bytes | None = None,
        *,
        expected: frozenset[int] = DONE,
        purpose: str = "",
    ) -> Answer:
        """Make a signed request to an authorization server.

        Args:
            server: The authorization server that the wallet address names.
            method: In capitals.
            url: That server, or something at it.
            token: The token for just that URL; None for a new grant.
            body: The body, or None.
            expected: The statuses that mean success.
            purpose: What it is for, as the end of "opdash wants to …".

        Raises:
            AddressError: The URL is at another origin.
            OpenPaymentsError: There is no good answer.
        """
        asked = _at_server(url, server)
        headers = self._signed(method, asked, token, body)
        answer = await self._transport.send(
            method, asked, headers, body, masked=token is not None, purpose=purpose
        )
        return self._checked(Server.AUTHORIZATION, answer, expected, token)

    def _signed(
        self, method: str, url: str, token: Secret | None, body: bytes | None
    ) -> dict[str, str]:
        if self._key is None:
            raise KeyFileError(
                "This needs the client's private key, and there is none.",
                "Make one with “opdash key new” and name it in the profile.",
            )
        now = self._clock.now() + self.server_offset
        return sign_request(
            self._key,
            method,
            url,
            created=int(now.timestamp()),
            authorization=None if token is None else f"GNAP {token.reveal()}",
            body=body,
        )

    def _checked(
        self,
        server: Server,
        answer: Answer,
        expected: frozenset[int],
        token: Secret | None = None,
    ) -> Answer:
        if answer.status in expected:
            return answer
        if answer.status < 300:
            raise ProtocolError(
                f"The server answered with status {answer.status}, which the protocol does not "
                "know here.",
                "Tell the wallet's provider.",
            )
        raise refusal_error(
            server,
            answer.url,
            answer.status,
            {name: _unquoted(value, token) for name, value in answer.headers.items()},
            _unquoted(answer.body.decode(errors="replace"), token).encode(),
            with_token=token is not None,
            now=self._clock.now() + self.server_offset,
        )


def _unquoted(words: str, token: Secret | None) -> str:
    """Mask the token that was sent where a server quotes it."""
    return words if token is None else redact(words.replace(token.reveal(), MASK))


def _at_server(url: str, server: str) -> str:
    asked = wire_url(url)
    if _site(asked) != _site_of_server(server):
        raise AddressError(
            "The address is at another server than the wallet address names, and opdash does not "
            "send it a token.",
            "Check the address.",
        )
    return asked


def _site(sent: str) -> str:
    """Return scheme, host and port of a URL as it is sent."""
    return sent[: sent.index("/", sent.index("//") + 2)]


@lru_cache(maxsize=64)
def _site_of_server(server: str) -> str:
    return _site(wire_url(server))


def _redirected(asked: str, location: str) -> str:
    try:
        to = wire_url(urljoin(asked, location).partition("#")[0])
    except (AddressError, ValueError) as error:
        raise ProtocolError(
            "The server redirects to an address that opdash must not ask.", "Check the address."
        ) from error
    if is_on_loopback(to) and not is_on_loopback(asked):
        raise ProtocolError(
            "The server redirects to this machine itself, which opdash does not follow.",
            "Do not trust this address.",
        )
    return to
