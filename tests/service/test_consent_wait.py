"""Waiting for consent before a server that errs, as real ones do not on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import httpx
import pytest

from opdash.ledger.records import Scope
from opdash.openpayments.errors import (
    ContinuationError,
    GrantDeniedError,
    GrantError,
    OpenPaymentsError,
    ServerError,
    ServerFaultError,
    TooFastError,
    UnreachableError,
)
from opdash.openpayments.grants import AccessToken, Continuation, Grant, Interaction
from opdash.openpayments.secrets import Secret
from opdash.sandbox.interactions import interaction_hash
from opdash.service import consent_wait
from opdash.service.callback import CallbackListener
from opdash.service.consent import ConsentDesk
from opdash.service.consent_wait import NO_PORT, NO_REDIRECT
from opdash.service.events import ConsentNeeded, Event, EventHub
from opdash.service.no_consent import NoConsent, no_consent
from opdash.service.rights import Right, access_of
from opdash.settings import ConsentWay
from tests.service.consent_people import Hours, refused, until

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient

REDIRECT, POLLING = ConsentWay.REDIRECT, ConsentWay.POLLING


class Authority:
    """Stands for a client: each call is answered with the next of its answers."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls: list[str] = []
        self.finishes: list[Any] = []
        self.references: list[str | None] = []
        self.cancelled: list[Continuation] = []

    def _next(self, call: str) -> Grant:
        self.calls.append(call)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return cast(Grant, answer)

    async def request_grant(self, *_: object, interact: Any = None) -> Grant:
        self.finishes.append(interact.finish)
        return self._next("request")

    async def continue_grant(
        self, server: str, continuation: Continuation, reference: str | None = None
    ) -> Grant:
        self.references.append(reference)
        return self._next("continue")

    async def cancel_grant(self, _: str, continuation: Continuation) -> None:
        self.calls.append("cancel")
        self.cancelled.append(continuation)


ENDPOINT = "https://auth.example/t1"
GIVEN = Grant(AccessToken(Secret("T"), "https://auth.example/token/1", 600))


def question_of(wait: int | None = 5, *, finish: str | None = "SERVER") -> Grant:
    continuation = Continuation("https://auth.example/continue/1", Secret("C"), wait)
    return Grant(None, continuation, Interaction("https://auth.example/consent", finish))


class Stand:
    """A desk before such a server."""

    def __init__(self, way: ConsentWay, *answers: object) -> None:
        self.authority = Authority(*answers)
        self.clock = Hours()
        self.events: list[Event] = []
        hub = EventHub()
        hub.subscribe(self.events.append)
        self.desk = ConsentDesk("rosa", hub, self.clock, way)

    def asks(self) -> asyncio.Task[Grant]:
        access = access_of(Right.OUTGOING, Scope.OWN, "https://ilp.example/rosa")
        client = cast("OpenPaymentsClient", self.authority)
        return asyncio.create_task(self.desk.obtain(client, ENDPOINT, access, Right.OUTGOING))

    async def question(self) -> ConsentNeeded:
        await until(lambda: any(isinstance(event, ConsentNeeded) for event in self.events))
        return next(event for event in self.events if isinstance(event, ConsentNeeded))

    async def comes_back(self, reference: str = "R1", spell: Callable[[str], str] = str) -> int:
        """Come back as a browser with a good hash; returns the status of the page."""
        finish = self.authority.finishes[0]
        given = spell(interaction_hash(finish.nonce, "SERVER", reference, ENDPOINT))
        query = urlencode({"hash": given, "interact_ref": reference})
        async with httpx.AsyncClient(trust_env=False) as browser:
            return (await browser.get(f"{finish.uri}?{query}")).status_code


@pytest.mark.parametrize(
    "spell",
    [
        str,
        lambda given: given.rstrip("="),
        lambda given: given.replace("+", "-").replace("/", "_"),
        lambda given: given.replace("+", "-").replace("/", "_").rstrip("="),
    ],
    ids=["standard", "bare", "for URLs", "for URLs, bare"],
)
async def test_every_spelling_of_the_hash_is_taken(spell: Callable[[str], str]) -> None:
    stand = Stand(REDIRECT, question_of(), GIVEN)
    asking = stand.asks()
    await stand.question()
    assert await stand.comes_back(spell=spell) == 200
    stand.clock.runs.set()
    assert await asyncio.wait_for(asking, 10) == GIVEN
    assert stand.authority.references == ["R1"]


async def test_a_wrong_interact_ref() -> None:
    unknown = ContinuationError("Gone.", status=404, code="invalid_continuation")
    stand = Stand(REDIRECT, question_of(), unknown)
    asking = stand.asks()
    await stand.question()
    await stand.comes_back()
    stand.clock.runs.set()
    error = await refused(asking)
    assert error.why is NoConsent.UNKNOWN_REFERENCE
    assert error.sentence == (
        "The authorization server does not know the reference that the browser brought."
    )


@pytest.mark.parametrize("way", [REDIRECT, POLLING])
async def test_too_fast(way: ConsentWay) -> None:
    early = TooFastError("Too early.", status=400, code="too_fast")
    stand = Stand(way, question_of(), early, early, GIVEN)
    asking = stand.asks()
    await stand.question()
    if way is REDIRECT:
        await stand.comes_back()
    stand.clock.runs.set()
    assert await asyncio.wait_for(asking, 10) == GIVEN
    assert stand.authority.calls == ["request", *["continue"] * 3]
    assert len(stand.clock.slept) >= 3


@pytest.mark.parametrize("way", [REDIRECT, POLLING])
async def test_an_outage_costs_nobody_the_consent(way: ConsentWay) -> None:
    stand = Stand(
        way,
        question_of(),
        UnreachableError("Nothing answers."),
        ServerFaultError("In trouble.", status=502),
        GIVEN,
    )
    asking = stand.asks()
    await stand.question()
    if way is REDIRECT:
        await stand.comes_back()
    stand.clock.runs.set()
    assert await asyncio.wait_for(asking, 10) == GIVEN


async def test_a_server_that_stays_away_after_the_browser_ends_the_wait() -> None:
    stand = Stand(REDIRECT, question_of(), *[UnreachableError("Nothing answers.")] * 100)
    asking = stand.asks()
    await stand.question()
    await stand.comes_back()
    stand.clock.runs.set()
    with pytest.raises(UnreachableError):
        await asyncio.wait_for(asking, 10)


async def test_a_refusal_in_the_browser_that_the_server_does_not_confirm_is_no_refusal() -> None:
    stand = Stand(REDIRECT, question_of(), question_of(), GIVEN)
    asking = stand.asks()
    await stand.question()
    async with httpx.AsyncClient(trust_env=False) as browser:
        await browser.get(f"{stand.authority.finishes[0].uri}?result=grant_rejected")
    stand.clock.runs.set()
    await until(lambda: len(stand.authority.calls) == 2)
    assert await stand.comes_back() == 200
    assert await asyncio.wait_for(asking, 10) == GIVEN
    assert stand.authority.references == [None, "R1"]


@pytest.mark.parametrize(
    "answer",
    [GrantError("No redirect.", status=400, code="invalid_request"), question_of(finish=None)],
    ids=["refused", "not answered"],
)
async def test_a_server_that_sends_no_browser_back_is_polled(answer: object) -> None:
    answers = (answer,) if isinstance(answer, Grant) else (answer, question_of())
    stand = Stand(REDIRECT, *answers, GIVEN)
    asking = stand.asks()
    question = await stand.question()
    assert (question.way, question.remark) == (POLLING, NO_REDIRECT)
    stand.clock.runs.set()
    assert await asyncio.wait_for(asking, 10) == GIVEN
    assert stand.authority.references == [None]


async def test_without_a_port_the_server_is_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_: CallbackListener) -> None:
        raise PermissionError

    monkeypatch.setattr(CallbackListener, "__aenter__", refuse)
    stand = Stand(REDIRECT, question_of(), GIVEN)
    asking = stand.asks()
    question = await stand.question()
    assert (question.way, question.remark) == (POLLING, NO_PORT)
    assert stand.authority.finishes == [None]
    stand.clock.runs.set()
    assert await asyncio.wait_for(asking, 10) == GIVEN


async def test_a_grant_that_needs_no_consent_is_no_question() -> None:
    stand = Stand(REDIRECT, GIVEN)
    assert await stand.asks() == GIVEN
    assert stand.events == []
    assert not stand.desk.was_asked(Right.OUTGOING)


@pytest.mark.parametrize(
    "refusal",
    [
        GrantDeniedError("Refused.", status=401, code="request_denied"),
        ContinuationError("Gone.", status=401, code="invalid_continuation"),
    ],
)
async def test_what_a_polled_server_says_no_with(refusal: OpenPaymentsError) -> None:
    stand = Stand(POLLING, question_of(), refusal)
    asking = stand.asks()
    await stand.question()
    stand.clock.runs.set()
    denied = isinstance(refusal, GrantDeniedError)
    assert (await refused(asking)).why is (NoConsent.REFUSED if denied else NoConsent.EXPIRED)


@pytest.mark.parametrize("way", [REDIRECT, POLLING])
async def test_a_grant_that_nobody_answered_is_given_back(way: ConsentWay) -> None:
    stand = Stand(way, question_of(), *[question_of()] * 200)
    asking = stand.asks()
    await stand.question()
    stand.clock.lapse()
    assert (await refused(asking)).why is NoConsent.UNANSWERED
    assert stand.authority.calls[-1] == "cancel"


@pytest.mark.parametrize("way", [REDIRECT, POLLING])
async def test_a_grant_is_given_back_when_its_wait_is_cancelled(way: ConsentWay) -> None:
    stand = Stand(way, question_of())
    asking = stand.asks()
    await stand.question()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert stand.authority.calls == ["request", "cancel"]


async def test_what_is_given_back_is_what_the_server_named_last() -> None:
    """A server may hand out another continuation with each answer."""
    later = Continuation("https://auth.example/continue/2", Secret("C2"), 5)
    stand = Stand(POLLING, question_of(), Grant(None, later), ServerError("No.", status=418))
    asking = stand.asks()
    await stand.question()
    stand.clock.runs.set()
    with pytest.raises(ServerError):
        await asyncio.wait_for(asking, 10)
    assert stand.authority.cancelled == [later]


@pytest.mark.parametrize(
    "answer",
    [
        GrantDeniedError("Refused.", status=401, code="request_denied"),
        ContinuationError("Gone.", status=401, code="invalid_continuation"),
    ],
)
async def test_what_the_server_ended_is_not_given_back(answer: OpenPaymentsError) -> None:
    stand = Stand(POLLING, question_of(), answer)
    asking = stand.asks()
    await stand.question()
    stand.clock.runs.set()
    await refused(asking)
    assert "cancel" not in stand.authority.calls


async def test_a_server_that_hangs_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consent_wait, "GIVING_BACK", 0.01)
    stand = Stand(POLLING, question_of())

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(stand.authority, "cancel_grant", hang)
    asking = stand.asks()
    await stand.question()
    stand.desk.give_up()
    assert (await refused(asking)).why is NoConsent.GIVEN_UP


async def test_every_end_has_a_sentence_of_its_own() -> None:
    errors = [
        no_consent(why, "read", by_redirect=by_redirect)
        for why in NoConsent
        for by_redirect in (True, False)
    ]
    sentences = {(error.sentence) for error in errors}
    assert len(sentences) == len(NoConsent) + 1, "a closed window is told apart by the way"
    assert all(error.advice for error in errors)
