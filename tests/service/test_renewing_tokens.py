"""Rotations: one at a time, finished whoever goes, and made good where one was lost or raced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from opdash.clock import SystemClock
from opdash.ledger.records import Scope
from opdash.openpayments.errors import (
    ContinuationError,
    GrantDeniedError,
    InactiveTokenError,
    InvalidClientError,
    TooFastError,
    UnansweredError,
    UnreachableError,
)
from opdash.openpayments.grants import AccessToken, Continuation, Grant
from opdash.openpayments.resources import WalletAddress
from opdash.openpayments.secrets import Secret
from opdash.sandbox.process import SandboxProcess
from opdash.service.consent import ConsentDesk
from opdash.service.errors import SignedOutError
from opdash.service.events import EventHub
from opdash.service.rights import Right
from opdash.service.token_file import TokenFile
from opdash.service.token_shelf import TokenShelf
from opdash.service.tokens import TokenKeeper
from opdash.settings import ConsentWay
from tests.openpayments.conftest import StillClock
from tests.service.conftest import OpenDashboard, Watched

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient

WALLET = WalletAddress(
    "https://ilp.example/rosa", "USD", 2, "https://auth.example", "https://ilp.example/rs"
)
LIFE = 100


class Server:
    """An authorization server of one grant, as a client sees it.

    Attributes:
        calls: What was asked for, in order.
        good: The token that is good now.
        lose: Makes the answer to the next rotation get lost.
        can_continue: Whether ``continue`` gives another token.
    """

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.calls: list[str] = []
        self.good = ""
        self.made = 0
        self.lose = False
        self.can_continue = True
        self.failure: Exception | None = None
        self.rotating = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def request_grant(self, *_: object, **__: object) -> Grant:
        await self._called("request")
        return self._grant()

    async def continue_grant(self, _: str, continuation: Continuation, *__: object) -> Grant:
        await self._called("continue")
        if not self.can_continue:
            raise ContinuationError("No more.", status=404, code="invalid_continuation")
        return self._grant()

    async def rotate_token(self, _: str, token: AccessToken) -> AccessToken:
        await self._called("rotate")
        if token.value.reveal() != self.good:
            raise ContinuationError("Unknown.", status=404, code="invalid_rotation")
        new = self._token()
        if self.lose:
            self.lose = False
            raise UnansweredError("No answer came.")
        return new

    async def request(self, token: Secret) -> str:
        await asyncio.sleep(0)
        if token.reveal() != self.good:
            raise InactiveTokenError("Inactive.", status=403)
        return "done"

    async def _called(self, what: str) -> None:
        self.calls.append(what)
        if what == "rotate":
            self.rotating.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure

    def _token(self) -> AccessToken:
        self.made += 1
        self.good = f"T{self.made}"
        return AccessToken(Secret(self.good), f"https://auth.example/token/{self.made}", LIFE)

    def _grant(self) -> Grant:
        return Grant(self._token(), Continuation("https://auth.example/continue/1", Secret("C")))


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def server(clock: StillClock) -> Server:
    return Server(clock)


KeeperOf = Callable[..., TokenKeeper]


@pytest.fixture
def keeper_of(server: Server, clock: StillClock, tmp_path: Path) -> KeeperOf:
    """Keepers of one server, each as another process would have it."""

    def make(*, kept: bool = False, scope: Scope = Scope.OWN, **changes: Any) -> TokenKeeper:
        path = tmp_path / "tokens" / "shop.json"
        file = TokenFile(path, SystemClock()) if kept else None  # who waits for a lock really waits
        shelf = TokenShelf(file)
        shelf.load()
        desk = ConsentDesk("shop", EventHub(), clock, ConsentWay.POLLING)
        client = cast("OpenPaymentsClient", server)
        return TokenKeeper(client, WALLET, scope, clock, desk, shelf, **changes)

    return make


async def test_a_storm_of_requests_rotates_once(server: Server, keeper_of: KeeperOf) -> None:
    keeper = keeper_of()
    await keeper.token(Right.INCOMING)
    server.clock.instant += timedelta(seconds=LIFE + 1)
    done = await asyncio.gather(*(keeper.call(Right.INCOMING, server.request) for _ in range(200)))
    assert done == ["done"] * 200
    assert server.calls == ["request", "rotate"]


async def test_requests_under_way_while_a_token_is_rotated_do_not_fail(
    server: Server, keeper_of: KeeperOf
) -> None:
    keeper = keeper_of()
    first = await keeper.token(Right.INCOMING)
    used: list[Secret] = []

    async def slow(token: Secret) -> str:
        used.append(token)
        if token == first:
            await keeper.renew(Right.INCOMING)
        return await server.request(token)

    assert await keeper.call(Right.INCOMING, slow) == "done"
    assert len(used) == 2
    assert server.calls == ["request", "rotate"]


async def test_a_rotation_ends_though_everybody_has_gone(
    server: Server, keeper_of: KeeperOf, clock: StillClock
) -> None:
    keeper = keeper_of(kept=True)
    await keeper.token(Right.INCOMING)
    clock.instant += timedelta(seconds=LIFE)
    server.gate.clear()
    waiting = [asyncio.create_task(keeper.token(Right.INCOMING)) for _ in range(3)]
    await server.rotating.wait()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    closing = asyncio.create_task(keeper.close())
    await asyncio.sleep(0.01)
    server.gate.set()
    await closing
    assert keeper_of(kept=True).current(Right.INCOMING) == Secret("T2")


async def test_a_failure_is_everybodys_and_asked_for_once(
    server: Server, keeper_of: KeeperOf
) -> None:
    server.failure = UnreachableError("Nothing answers.")
    keeper = keeper_of()
    done = await asyncio.gather(
        *(keeper.token(Right.INCOMING) for _ in range(50)), return_exceptions=True
    )
    assert all(isinstance(one, UnreachableError) for one in done)
    assert server.calls == ["request"]


@pytest.mark.parametrize("can_continue", [True, False])
async def test_a_rotation_whose_answer_was_lost_is_made_good(
    server: Server, keeper_of: KeeperOf, clock: StillClock, can_continue: bool
) -> None:
    keeper = keeper_of()
    await keeper.token(Right.INCOMING)
    clock.instant += timedelta(seconds=LIFE - 5)
    server.lose, server.can_continue = True, can_continue
    assert await keeper.call(Right.INCOMING, server.request) == "done"
    wanted = ["request", "rotate", "rotate", "continue"]
    assert server.calls == (wanted if can_continue else [*wanted, "request"])


async def test_a_lost_consent_is_asked_for_and_not_assumed(
    server: Server, keeper_of: KeeperOf, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = keeper_of(scope=Scope.EVERYTHING)
    await keeper.token(Right.INCOMING)
    clock.instant += timedelta(seconds=LIFE + 1)
    server.good, server.can_continue = "another's", False
    asked: list[Right] = []

    async def obtain(*given: Any, **_: str) -> Grant:
        asked.append(given[-1])
        raise GrantDeniedError("They refused.", status=401, code="request_denied")

    monkeypatch.setattr(keeper._desk, "obtain", obtain)
    with pytest.raises(GrantDeniedError):
        await keeper.token(Right.INCOMING)
    assert asked == [Right.INCOMING]
    assert server.calls[-2:] == ["rotate", "continue"]


async def test_a_consent_is_waited_for_where_continue_comes_too_early(
    server: Server, keeper_of: KeeperOf, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = keeper_of(scope=Scope.EVERYTHING)
    await keeper.token(Right.INCOMING)
    clock.instant += timedelta(seconds=LIFE + 1)
    server.good = "another's"
    real = server.continue_grant
    refusals = [TooFastError("Too early.", status=400, code="too_fast")]

    async def hasty(*given: Any) -> Grant:
        if refusals:
            server.calls.append("too fast")
            raise refusals.pop()
        return await real(*given)

    monkeypatch.setattr(server, "continue_grant", hasty)
    assert await keeper.token(Right.INCOMING) == Secret("T2")
    assert clock.slept >= 5
    assert server.calls == ["request", "rotate", "too fast", "continue"]


async def test_a_consent_that_is_lost_after_a_wait_is_asked_for(
    server: Server, keeper_of: KeeperOf, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = keeper_of(scope=Scope.EVERYTHING)
    await keeper.token(Right.INCOMING)
    clock.instant += timedelta(seconds=LIFE + 1)
    server.good = "another's"
    refusals = [
        ContinuationError("Unknown.", status=404, code="invalid_continuation"),
        TooFastError("Too early.", status=400, code="too_fast"),
    ]

    async def refused(*_: Any) -> Grant:
        raise refusals.pop()

    async def obtain(*_: Any, **__: str) -> Grant:
        return await server.request_grant()

    monkeypatch.setattr(server, "continue_grant", refused)
    monkeypatch.setattr(keeper._desk, "obtain", obtain)
    assert await keeper.token(Right.INCOMING) == Secret("T2")
    assert server.calls == ["request", "rotate", "request"]


async def test_a_key_that_vanished_costs_no_grant(
    server: Server, keeper_of: KeeperOf, clock: StillClock
) -> None:
    keeper = keeper_of(scope=Scope.EVERYTHING)
    await keeper.token(Right.INCOMING)
    clock.instant += timedelta(seconds=LIFE + 1)
    server.failure = InvalidClientError("Who is that?", status=400, code="invalid_client")
    with pytest.raises(InvalidClientError):
        await keeper.token(Right.INCOMING)
    server.failure = None
    assert await keeper.token(Right.INCOMING) == Secret("T2")
    assert server.calls == ["request", "rotate", "rotate"]


# Two processes


async def test_who_has_to_wait_for_a_lost_token_holds_nobody_up(
    server: Server, keeper_of: KeeperOf, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process gets meanwhile is used."""
    one = keeper_of(kept=True, scope=Scope.EVERYTHING)
    await one.token(Right.INCOMING)
    two = keeper_of(kept=True, scope=Scope.EVERYTHING)
    clock.instant += timedelta(seconds=LIFE + 1)
    server.good = "another's"
    real = server.continue_grant
    refusals = [TooFastError("Too early.", status=400, code="too_fast")]

    async def hasty(*given: Any) -> Grant:
        if refusals:
            server.calls.append("too fast")
            raise refusals.pop()
        return await real(*given)

    async def sleep(_: float) -> None:
        async with asyncio.timeout(10):
            assert await two.token(Right.INCOMING) == Secret("T2")

    monkeypatch.setattr(server, "continue_grant", hasty)
    monkeypatch.setattr(clock, "sleep", sleep)
    assert await one.token(Right.INCOMING) == Secret("T2")
    assert server.calls == ["request", "rotate", "too fast", "rotate", "continue"]


async def test_another_processs_rotation_is_picked_up(
    server: Server, keeper_of: KeeperOf, clock: StillClock
) -> None:
    one = keeper_of(kept=True)
    await one.token(Right.INCOMING)
    other = keeper_of(kept=True)
    clock.instant += timedelta(seconds=LIFE + 1)
    assert await other.token(Right.INCOMING) == Secret("T2")
    assert await one.call(Right.INCOMING, server.request) == "done"
    assert server.calls == ["request", "rotate"]


async def test_two_processes_that_rotate_at_once_lose_nothing(
    server: Server, keeper_of: KeeperOf, clock: StillClock
) -> None:
    keepers = [keeper_of(kept=True) for _ in range(4)]
    await keepers[0].token(Right.INCOMING)
    clock.instant += timedelta(seconds=LIFE + 1)
    done = await asyncio.gather(
        *(keeper.call(Right.INCOMING, server.request) for keeper in keepers * 10)
    )
    assert set(done) == {"done"}
    assert server.calls == ["request", "rotate"]


async def test_two_processes_that_begin_at_once_share_a_grant(
    server: Server, keeper_of: KeeperOf
) -> None:
    one, other = keeper_of(kept=True), keeper_of(kept=True)
    await one.token(Right.INCOMING)
    assert await other.token(Right.INCOMING) == Secret("T1")
    assert server.calls == ["request"]


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": Scope.EVERYTHING},
        {"client_address": "https://ilp.example/other"},
        {"key_id": "other"},
        {"read_only": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_a_kept_grant_is_good_for_what_it_was_given_for_only(
    server: Server, keeper_of: KeeperOf, changes: dict[str, Any]
) -> None:
    await keeper_of(kept=True).token(Right.INCOMING)
    other = keeper_of(kept=True, **changes)
    assert other.current(Right.INCOMING) is None
    assert await other.token(Right.INCOMING) == Secret("T2")
    assert server.calls == ["request", "request"]


async def test_a_file_that_others_can_read_is_neither_used_nor_written(
    server: Server, keeper_of: KeeperOf, tmp_path: Path
) -> None:
    await keeper_of(kept=True).token(Right.INCOMING)
    path = tmp_path / "tokens" / "shop.json"
    path.chmod(0o644)
    before = path.read_bytes()
    keeper = keeper_of(kept=True)
    assert await keeper.token(Right.INCOMING) == Secret("T2")
    assert keeper._shelf.problem is not None
    assert not keeper._shelf.is_kept(Right.INCOMING)
    assert path.read_bytes() == before


async def test_a_token_that_cannot_be_dropped_from_the_disk_is_not_used_again(
    server: Server, keeper_of: KeeperOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = keeper_of(kept=True)
    await keeper.token(Right.INCOMING)
    server.good, server.can_continue = "another's", False

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("opdash.service.token_file.write_atomic", full)
    monkeypatch.setattr(TokenFile, "_sweep", full)
    assert await keeper.call(Right.INCOMING, server.request) == "done"
    assert keeper._shelf.problem is not None
    assert await keeper.call(Right.INCOMING, server.request) == "done"


async def test_when_a_token_was_last_used_is_kept(
    server: Server, keeper_of: KeeperOf, clock: StillClock
) -> None:
    keeper = keeper_of(kept=True)
    await keeper.call(Right.INCOMING, server.request)
    used_at = clock.instant
    await keeper.close()
    held = keeper_of(kept=True)._shelf.get(Right.INCOMING)
    assert held is not None
    assert held.last_used_at == used_at


async def test_what_was_given_back_is_asked_for_only_when_somebody_wants_it(
    server: Server, keeper_of: KeeperOf
) -> None:
    keeper = keeper_of()
    await keeper.token(Right.INCOMING)
    keeper._shelf.give_up(Right.INCOMING)
    with pytest.raises(SignedOutError) as caught:
        await keeper.token(Right.INCOMING)
    assert caught.value.advice
    await keeper.renew(Right.INCOMING)
    assert await keeper.call(Right.INCOMING, server.request) == "done"


# On a real server


async def raced(watched: Watched) -> None:
    """Let a process without the file rotate the token, and lose what it got."""
    connection = watched.session.connection
    held = connection.shelf.get(Right.INCOMING)
    assert held is not None
    client = await connection.client()
    await client.rotate_token(held.binding.auth_server, held.token)


async def test_a_raced_rotation_is_made_good_by_continuing(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    fresh_sandbox.advance(10)
    await raced(watched)
    await watched.session.poll_once()
    assert watched.asked("POST", "/continue/") == 1
    assert watched.asked("POST", "/token/") == 2


async def test_an_expired_token_is_rotated_without_a_word(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    fresh_sandbox.advance(601)
    await watched.session.poll_once()
    assert watched.asked("POST", "/token/") == 1
    assert watched.session.status.problem == ""


async def test_two_hundred_requests_on_a_token_that_ends_rotate_once(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    fresh_sandbox.advance(601)
    connection = watched.session.connection
    await asyncio.gather(
        *(
            connection.authorised(
                Right.INCOMING,
                lambda client, wallet, token: client.list_incoming_payments(wallet, token, first=1),
            )
            for _ in range(200)
        )
    )
    assert watched.asked("POST", "/token/") == 1


async def test_two_dashboards_share_a_kept_token(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    one = open_dashboard(fresh_sandbox)
    await one.session.poll_once()
    other = open_dashboard(fresh_sandbox)
    await other.session.poll_once()
    fresh_sandbox.advance(601)
    await asyncio.gather(one.session.poll_once(), other.session.poll_once())
    asked = [made for made in (*one.exchanges, *other.exchanges) if made.method == "POST"]
    assert len([made for made in asked if "/token/" in made.url]) == 1
    assert len(asked) == 2  # the other one is the grant, which both share
