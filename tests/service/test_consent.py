"""Asking for consent at a sandbox, both ways, with a browser; and every way in which it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from opdash.clock import SystemClock
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.errors import InvalidClientError, ProtocolError, ServerFaultError
from opdash.sandbox.process import SandboxProcess
from opdash.service.consent import STRAY
from opdash.service.events import ConsentEnded, ConsentNeeded, ConsentNoted
from opdash.service.no_consent import NoConsent
from opdash.service.rights import Right
from opdash.settings import ConsentWay
from tests.sandbox.support import read_key
from tests.service.consent_people import Person, refused, with_query

if TYPE_CHECKING:
    from tests.conftest import MakeClient

REDIRECT, POLLING = ConsentWay.REDIRECT, ConsentWay.POLLING
BOTH_WAYS = pytest.mark.parametrize("way", [REDIRECT, POLLING])


@pytest.fixture(scope="module")
def asking() -> Iterator[SandboxProcess]:
    """A sandbox whose account holders decide themselves."""
    with SandboxProcess.start(payments=1) as process:
        yield process


@pytest.fixture
async def person(
    asking: SandboxProcess, make_client: MakeClient
) -> AsyncIterator[Callable[[ConsentWay], Person]]:
    made: list[Person] = []

    def make(way: ConsentWay) -> Person:
        made.append(Person(asking, make_client(asking), way))
        return made[-1]

    yield make
    for one in made:
        one.browser.http.close()


MakePerson = Callable[[ConsentWay], Person]


# Consent is given


@BOTH_WAYS
async def test_consent_is_given(person: MakePerson, way: ConsentWay) -> None:
    account = person(way)
    asking = asyncio.create_task(account.asks())
    page = await account.decides("Allow")
    account.clock.runs.set()
    grant = await asyncio.wait_for(asking, 20)
    assert grant.token is not None
    assert grant.token.access[0].type == "outgoing-payment"
    assert "eturn to" in page
    asked = account.heard(ConsentNeeded)
    assert [event.way for event in asked] == [way]
    assert asked[0].rights == ("read every outgoing payment",)
    assert asked[0].purpose == "read outgoing payments"
    assert account.ending.granted
    assert account.ending.sentence == "Consent was given: opdash may read outgoing payments."
    assert account.ending.number == asked[0].number
    assert account.desk.was_asked(Right.OUTGOING)


async def test_the_browser_is_told_to_return_to_opdash(person: MakePerson) -> None:
    account = person(REDIRECT)
    asking = asyncio.create_task(account.asks())
    page = await account.decides("Allow")
    assert "return to opdash" in page
    account.clock.runs.set()
    await asyncio.wait_for(asking, 20)


@BOTH_WAYS
async def test_the_server_is_not_asked_before_the_wait_is_over(
    person: MakePerson, way: ConsentWay
) -> None:
    account = person(way)
    asking = asyncio.create_task(account.asks())
    await account.decides("Allow")
    account.clock.runs.set()
    await asyncio.wait_for(asking, 20)
    assert sum(account.clock.slept) == 5


async def test_the_chance_counts_from_when_it_was_asked_for(person: MakePerson) -> None:
    account = person(POLLING)
    asking = asyncio.create_task(account.asks())
    question = await account.question()
    assert question.until - account.clock.now() == timedelta(minutes=10)
    account.desk.give_up()
    await refused(asking)


# Each way in which it ends without


@BOTH_WAYS
async def test_consent_denied(person: MakePerson, way: ConsentWay) -> None:
    account = person(way)
    asking = asyncio.create_task(account.asks())
    await account.decides("Deny")
    account.clock.runs.set()
    error = await refused(asking)
    assert error.why is NoConsent.REFUSED
    assert error.sentence == "The account holder refused: opdash may not read outgoing payments."
    number = account.ending.number
    assert account.ending == ConsentEnded("rosa", False, error.sentence, number, error.advice)
    assert error.is_told


async def test_a_tampered_hash(person: MakePerson) -> None:
    account = person(REDIRECT)
    asking = asyncio.create_task(account.asks())
    back = await account.way_back("Allow")
    answer = await account.visits(with_query(back, hash="A" * 43 + "="))
    assert answer.status_code == 400
    error = await refused(asking)
    assert error.why is NoConsent.FORGED
    assert "not from the server that was asked" in error.sentence
    assert "did not use it" in error.advice


async def test_another_grants_reference_does_not_fit_the_hash(person: MakePerson) -> None:
    account = person(REDIRECT)
    asking = asyncio.create_task(account.asks())
    back = await account.way_back("Allow")
    await account.visits(with_query(back, interact_ref="0f0c5b4e-3c8e-4c58-9d75-3a3c4f1f7a04"))
    assert (await refused(asking)).why is NoConsent.FORGED


async def test_a_callback_with_someone_elses_state(person: MakePerson) -> None:
    account, other = person(REDIRECT), person(REDIRECT)
    asking = asyncio.create_task(account.asks())
    others = asyncio.create_task(other.asks())
    back, others_back = await account.way_back("Allow"), await other.way_back("Allow")
    port = urlsplit(back).netloc
    answer = await account.visits(urlsplit(others_back)._replace(netloc=port).geturl())
    assert answer.status_code == 404
    assert "another request" in answer.text
    noted = account.heard(ConsentNoted)
    assert [note.sentence for note in noted] == [STRAY]
    assert "still waits" in noted[0].sentence
    assert not account.heard(ConsentEnded)
    await account.visits(back)
    account.clock.runs.set()
    assert (await asyncio.wait_for(asking, 20)).token is not None
    other.desk.give_up()
    assert (await refused(others)).why is NoConsent.GIVEN_UP


async def test_the_page_had_expired(person: MakePerson) -> None:
    account = person(REDIRECT)
    asking = asyncio.create_task(account.asks())
    question = await account.question()
    await asyncio.to_thread(account.browser.open, question.url)
    account.sandbox.advance(700)
    back = await asyncio.to_thread(
        account.browser.http.get, question.url.partition("?")[0] + "/finish"
    )
    await account.visits(back.headers["location"])
    account.clock.runs.set()
    error = await refused(asking)
    assert error.why is NoConsent.EXPIRED
    assert error.sentence == "The consent page had expired before the account holder decided."


async def test_a_closed_window(person: MakePerson) -> None:
    account = person(REDIRECT)
    asking = asyncio.create_task(account.asks())
    await account.question()
    account.clock.lapse()
    error = await refused(asking)
    assert error.why is NoConsent.UNANSWERED
    assert error.sentence == (
        "No browser came back within ten minutes; perhaps the window was closed."
    )


async def test_nobody_decides_while_opdash_polls(person: MakePerson) -> None:
    account = person(POLLING)
    asking = asyncio.create_task(account.asks())
    await account.question()
    account.clock.lapse()
    error = await refused(asking)
    assert error.why is NoConsent.UNANSWERED
    assert error.sentence == "Nobody decided within ten minutes; the consent page no longer works."
    assert len(account.clock.slept) == 120


@BOTH_WAYS
async def test_waiting_is_given_up_and_the_grant_given_back(
    person: MakePerson, way: ConsentWay
) -> None:
    account = person(way)
    asking = asyncio.create_task(account.asks())
    question = await account.question()
    account.desk.give_up()
    assert (await refused(asking)).why is NoConsent.GIVEN_UP
    page = await asyncio.to_thread(account.browser.http.get, question.url)
    assert page.status_code in (302, 403)
    assert "invalid" in page.text


async def test_a_client_without_a_public_name(asking: SandboxProcess, person: MakePerson) -> None:
    account = person(REDIRECT)
    asking.rename(None)
    try:
        with pytest.raises(InvalidClientError) as caught:
            await account.asks()
    finally:
        asking.rename("opdash")
    assert caught.value.sentence.startswith("The authorization server cannot identify this client")
    assert "has a public name" in caught.value.advice
    assert not account.heard(ConsentEnded)


async def test_a_wrong_client_wallet_address(asking: SandboxProcess) -> None:
    async with OpenPaymentsClient(
        key=read_key(asking.client),
        client_wallet_address=f"{asking.url}/nobody",
        clock=SystemClock(),
    ) as client:
        account = Person(asking, client, POLLING)
        account.browser.http.close()
        with pytest.raises(InvalidClientError) as caught:
            await account.asks()
    assert "cannot identify this client" in caught.value.sentence
    assert "client wallet address is right" in caught.value.advice


@pytest.mark.parametrize("portal", [True, False], ids=["portal", "proxy"])
async def test_an_authorization_server_that_answers_html(
    asking: SandboxProcess, person: MakePerson, portal: bool
) -> None:
    account = person(REDIRECT)
    account.auth_server = (await account.client.wallet_address(asking.main_wallet)).auth_server
    asking.take_down("authorization", portal=portal)
    try:
        with pytest.raises(ProtocolError if portal else ServerFaultError) as caught:
            await account.asks()
    finally:
        asking.take_down()
    said = "a web page where data was expected" if portal else "in trouble (502 Bad Gateway)"
    assert said in caught.value.sentence
    assert caught.value.advice


async def test_a_page_in_place_of_an_answer_while_waiting_ends_the_wait(
    asking: SandboxProcess, person: MakePerson
) -> None:
    account = person(POLLING)
    waiting = asyncio.create_task(account.asks())
    await account.question()
    asking.take_down("authorization", portal=True)
    try:
        account.clock.runs.set()
        with pytest.raises(ProtocolError) as caught:
            await asyncio.wait_for(waiting, 20)
    finally:
        asking.take_down()
    assert account.ending.sentence == caught.value.sentence


# Changing the way, and asking again


async def test_going_over_to_polling_asks_anew_and_gives_the_old_grant_back(
    person: MakePerson,
) -> None:
    account = person(REDIRECT)
    asking = asyncio.create_task(account.asks())
    first = await account.question()
    old = await account.way_back("Allow")
    account.desk.change_way(first.number, POLLING)
    second = await account.question(2)
    assert (second.number, second.way) == (first.number, POLLING)
    assert second.url != first.url
    with pytest.raises(httpx.ConnectError):
        await account.visits(old)
    await account.decides("Allow", 2)
    account.clock.runs.set()
    assert (await asyncio.wait_for(asking, 20)).token is not None
    assert [event.granted for event in account.heard(ConsentEnded)] == [True]


async def test_going_back_to_the_browser(person: MakePerson) -> None:
    account = person(POLLING)
    asking = asyncio.create_task(account.asks())
    account.desk.change_way((await account.question()).number, REDIRECT)
    assert (await account.question(2)).way is REDIRECT
    await account.decides("Allow", 2)
    account.clock.runs.set()
    assert (await asyncio.wait_for(asking, 20)).token is not None


async def test_the_same_way_again_changes_nothing(person: MakePerson) -> None:
    account = person(POLLING)
    asking = asyncio.create_task(account.asks())
    account.desk.change_way((await account.question()).number, POLLING)
    await account.decides("Allow")
    account.clock.runs.set()
    await asyncio.wait_for(asking, 20)
    assert len(account.heard(ConsentNeeded)) == 1


async def test_what_was_refused_is_not_asked_again_until_a_person_wants_it(
    person: MakePerson,
) -> None:
    account = person(POLLING)
    asking = asyncio.create_task(account.asks())
    await account.decides("Deny")
    account.clock.runs.set()
    first = await refused(asking)
    for _ in range(2):
        again = await refused(asyncio.create_task(account.asks()))
        assert (again.why, again.sentence) == (NoConsent.NOT_ASKED, first.sentence)
        assert not again.is_told
    assert len(account.heard(ConsentNeeded)) == 1
    account.desk.reopen(Right.OUTGOING)
    account.clock.runs.clear()
    asking = asyncio.create_task(account.asks())
    await account.decides("Allow", 2)
    account.clock.runs.set()
    assert (await asyncio.wait_for(asking, 20)).token is not None


async def test_two_questions_of_one_profile_are_told_apart(person: MakePerson) -> None:
    account = person(POLLING)
    outgoing = asyncio.create_task(account.asks(Right.OUTGOING))
    first = await account.question(1)
    incoming = asyncio.create_task(account.asks(Right.INCOMING))
    second = await account.question(2)
    assert first.number != second.number
    account.desk.give_up(second.number)
    assert (await refused(incoming)).why is NoConsent.GIVEN_UP
    assert [ended.number for ended in account.heard(ConsentEnded)] == [second.number]
    account.desk.give_up()
    await refused(outgoing)
