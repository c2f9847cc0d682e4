"""Account holders who decide in a browser, and a clock that waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from opdash.ledger.records import Scope
from opdash.openpayments.grants import Grant
from opdash.sandbox.process import SandboxProcess
from opdash.service.consent import ConsentDesk
from opdash.service.events import ConsentEnded, ConsentNeeded, Event, EventHub
from opdash.service.no_consent import NoConsentError
from opdash.service.rights import Right, access_of
from opdash.settings import ConsentWay
from tests.sandbox.browser import Browser

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient

_T = TypeVar("_T")


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    for _ in range(4000):
        if is_so():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came to that")


class Hours:
    """A clock that sleeps without waiting once it runs; what a sandbox sees moves along.

    The account holder decides while it stands. Waiting for the whole ten minutes takes `lapse`.
    """

    def __init__(self, sandbox: SandboxProcess | None = None) -> None:
        self.instant = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)
        self.sandbox = sandbox
        self.runs = asyncio.Event()
        self.lapses = asyncio.Event()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    async def sleep(self, seconds: float) -> None:
        await (self.lapses if seconds > 100 else self.runs).wait()
        self.slept.append(seconds)
        self.instant += timedelta(seconds=seconds)
        if self.sandbox is not None:
            await asyncio.to_thread(self.sandbox.advance, seconds)

    def lapse(self) -> None:
        """Let ten minutes pass."""
        self.runs.set()
        self.lapses.set()


class Person:
    """The account holder, whose wallet is at a sandbox, and what opdash told them."""

    def __init__(
        self, sandbox: SandboxProcess, client: OpenPaymentsClient, way: ConsentWay
    ) -> None:
        self.sandbox = sandbox
        self.client = client
        self.clock = Hours(sandbox)
        self.events: list[Event] = []
        hub = EventHub()
        hub.subscribe(self.events.append)
        self.desk = ConsentDesk("rosa", hub, self.clock, way)
        self.browser = Browser()
        self.auth_server = ""

    async def asks(self, right: Right = Right.OUTGOING) -> Grant:
        """Let opdash ask for consent."""
        if not self.auth_server:
            wallet = await self.client.wallet_address(self.sandbox.main_wallet)
            self.auth_server = wallet.auth_server
        access = access_of(right, Scope.EVERYTHING, self.sandbox.main_wallet)
        return await self.desk.obtain(self.client, self.auth_server, access, right)

    def heard(self, kind: type[_T]) -> list[_T]:
        return [event for event in self.events if isinstance(event, kind)]

    async def question(self, number: int = 1) -> ConsentNeeded:
        """Wait for the question of that number."""
        await until(lambda: len(self.heard(ConsentNeeded)) >= number)
        return self.heard(ConsentNeeded)[number - 1]

    async def decides(self, caption: str, number: int = 1) -> str:
        """Open the address that opdash shows, press a button, and return what the page says."""
        url = (await self.question(number)).url

        def act() -> str:
            return self.browser.press(self.browser.open(url), caption).text

        return await asyncio.to_thread(act)

    async def way_back(self, caption: str, number: int = 1) -> str:
        """Press a button, and stop where the browser would go back to opdash."""
        url = (await self.question(number)).url
        return await asyncio.to_thread(
            lambda: self.browser.way_back(self.browser.open(url), caption)
        )

    async def visits(self, url: str) -> httpx.Response:
        return await asyncio.to_thread(lambda: self.browser.http.get(url))

    @property
    def ending(self) -> ConsentEnded:
        (ended,) = self.heard(ConsentEnded)
        return ended


async def refused(asking: asyncio.Task[Grant]) -> NoConsentError:
    with pytest.raises(NoConsentError) as caught:
        await asyncio.wait_for(asking, 20)
    return caught.value


def with_query(url: str, **changes: str) -> str:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return parts._replace(query=urlencode(query | changes)).geturl()
