"""What a person sees of grants and does with them, against the sandbox."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from opdash.clock import SystemClock
from opdash.errors import ConfigError, ExitCode
from opdash.ledger.records import NEWEST_FIRST, Scope
from opdash.openpayments.client import OpenPaymentsClient
from opdash.openpayments.errors import (
    GrantDeniedError,
    InactiveTokenError,
    NotPermittedError,
    UnansweredError,
)
from opdash.openpayments.secrets import Secret
from opdash.paths import token_path
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.service.errors import SignedOutError
from opdash.service.events import ConsentEnded, ConsentNeeded, ProfileChanged
from opdash.service.grant_office import GrantView
from opdash.service.rights import Right
from opdash.service.status import Phase
from opdash.service.tokens import WIDEN_AGAIN
from tests.kept_tokens import kept_in
from tests.service.conftest import OpenDashboard, Watched
from tests.service.test_tokens import consent


def view(watched: Watched, right: Right = Right.INCOMING) -> GrantView:
    return next(one for one in watched.dashboard.grants.views("rosa") if one.right is right)


def phase(watched: Watched) -> Phase:
    return watched.session.status.phase


async def listed_with(watched: Watched, token: Secret) -> int:
    """Return how many payments a token shows on a page."""
    connection = watched.session.connection
    client, wallet = await connection.client(), await connection.wallet()
    return len((await client.list_incoming_payments(wallet, token, first=100)).result)


def token_of(watched: Watched, right: Right = Right.INCOMING) -> Secret:
    held = watched.session.connection.shelf.get(right)
    assert held is not None
    return held.token.value


async def test_a_grant_is_shown_with_all_that_is_known_of_it(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    assert not view(watched).is_held
    await watched.session.poll_once()
    shown = view(watched)
    assert shown.is_held
    assert shown.is_kept
    assert shown.can_cancel
    assert not shown.with_consent
    assert set(shown.actions) == {"create", "complete", "read", "list"}
    assert shown.rights
    assert shown.expires_at is not None
    assert shown.renewed_at is not None
    assert shown.expires_at - shown.renewed_at == timedelta(minutes=10)
    assert shown.last_used_at is not None
    assert not view(watched, Right.OUTGOING).is_held
    assert token_of(watched).reveal() not in repr(watched.dashboard.grants.views())


async def test_grants_of_an_earlier_run_are_shown_without_asking(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    earlier = open_dashboard(sandbox)
    await earlier.session.poll_once()
    await earlier.dashboard.stop()
    watched = open_dashboard(sandbox)
    assert view(watched).is_held
    assert view(watched).last_used_at is not None
    assert watched.exchanges == []


async def test_a_renewal_replaces_the_token_and_keeps_the_grant(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    before, token = view(watched), token_of(watched)
    await watched.dashboard.grants.renew("rosa", Right.INCOMING)
    assert token_of(watched) != token
    assert view(watched).given_at == before.given_at
    assert view(watched).renewed_at != before.renewed_at
    with pytest.raises(InactiveTokenError):
        await listed_with(watched, token)


@pytest.mark.parametrize("cancel", [False, True], ids=["revoke", "cancel"])
async def test_a_grant_given_back_is_gone_here_and_there(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, cancel: bool
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    token, office = token_of(watched), watched.dashboard.grants
    told = await (office.cancel if cancel else office.revoke)("rosa", Right.INCOMING)
    assert told.failure is None
    assert told.cancelled is cancel
    assert "revoked, at the server and here" in told.sentence
    assert not view(watched).is_held
    assert view(watched).is_given_up
    assert kept_in(token_path(watched.dashboard.data_dir, "rosa")) == {}
    with pytest.raises(InactiveTokenError):
        await listed_with(watched, token)
    asked = len(watched.exchanges)
    with pytest.raises(SignedOutError) as caught:
        await watched.session.poll_once()
    assert caught.value.exit_code is ExitCode.NOT_PERMITTED
    assert phase(watched) is Phase.REFUSED
    assert len(watched.exchanges) == asked
    await office.renew("rosa", Right.INCOMING)
    await watched.session.poll_once()
    assert phase(watched) is Phase.LIVE


async def test_signing_out_without_the_server_forgets_and_says_what_remains(
    fresh_sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(fresh_sandbox)
    await watched.session.poll_once()
    until = view(watched).expires_at
    assert until is not None
    fresh_sandbox.take_down("authorization")
    (told,) = await watched.dashboard.grants.sign_out("rosa")
    assert told.failure is not None
    assert told.valid_until == until
    assert f"stays valid until {until.astimezone():%H:%M:%S}" in told.sentence
    assert not view(watched).is_held
    assert kept_in(token_path(watched.dashboard.data_dir, "rosa")) == {}


async def test_a_grant_that_outlives_its_token_is_not_told_as_a_token_that_lives(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    token = token_of(watched)

    async def unanswered(*_: object) -> None:
        raise UnansweredError("No answer came.", "Try again.")

    monkeypatch.setattr(OpenPaymentsClient, "cancel_grant", unanswered)
    told = await watched.dashboard.grants.cancel("rosa", Right.INCOMING)
    assert (told.is_revoked, told.cancelled) == (True, False)
    assert told.failure is not None
    assert told.failure.exit_code is ExitCode.UNREACHABLE
    assert told.sentence == (
        "The token to read and create incoming payments is revoked; its grant could not be ended "
        "(No answer came)."
    )
    with pytest.raises(InactiveTokenError):
        await listed_with(watched, token)


async def test_signing_out_in_a_new_run_asks_nothing_first(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    earlier = open_dashboard(sandbox)
    await earlier.session.poll_once()
    await earlier.dashboard.stop()
    watched = open_dashboard(sandbox)
    token = token_of(watched)
    (told,) = await watched.dashboard.grants.sign_out("rosa")
    assert told.failure is None
    assert {made.method for made in watched.exchanges} == {"DELETE"}
    with pytest.raises(InactiveTokenError):
        await listed_with(watched, token)


async def test_signing_out_without_the_key_still_forgets(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard, tmp_path: Path
) -> None:
    earlier = open_dashboard(sandbox)
    await earlier.session.poll_once()
    await earlier.dashboard.stop()
    watched = open_dashboard(sandbox, key_file=tmp_path / "lost.pem")
    (told,) = await watched.dashboard.grants.sign_out("rosa")
    assert told.failure is not None
    assert "no key file" in told.sentence
    assert kept_in(token_path(watched.dashboard.data_dir, "rosa")) == {}


async def test_signing_out_deletes_even_a_file_that_is_not_used(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    earlier = open_dashboard(sandbox)
    await earlier.session.poll_once()
    await earlier.dashboard.stop()
    path = token_path(earlier.dashboard.data_dir, "rosa")
    path.chmod(0o644)
    watched = open_dashboard(sandbox)
    assert "chmod 600" in watched.dashboard.grants.problem("rosa")
    assert await watched.dashboard.grants.sign_out("rosa") == ()
    assert kept_in(path) == {}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_removing_a_wallet_gives_its_grants_back(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox)
    await watched.session.poll_once()
    await watched.dashboard.remove_profile("rosa")
    assert watched.asked("DELETE", "/auth/") == 2
    assert kept_in(token_path(watched.dashboard.data_dir, "rosa")) == {}


# The scope


@pytest.fixture
async def asking(open_dashboard: OpenDashboard) -> AsyncIterator[tuple[SandboxProcess, Watched]]:
    """A wallet whose holder is asked, with a payment of opdash's own and one of another client."""
    with SandboxProcess.start(continue_wait=1) as process:
        other = open_dashboard(
            process,
            data="other",
            client_wallet_address=process.other_client.wallet_address,
            key_id=process.other_client.key_id,
            key_file=process.other_client.private_key,
        )
        await other.create(700)
        yield process, open_dashboard(process)


def known(watched: Watched) -> set[str]:
    rows = watched.dashboard.reader.window(watched.wallet, NEWEST_FIRST, 0, 1000)
    return {row.id for row in rows}


async def widened(watched: Watched) -> None:
    answering = asyncio.create_task(consent(watched, "accept"))
    await watched.dashboard.grants.change_scope("rosa", Scope.EVERYTHING)
    await answering


async def test_everything_is_seen_once_the_holder_consents(
    asking: tuple[SandboxProcess, Watched],
) -> None:
    _, watched = asking
    await watched.session.poll_once()
    own, narrow = known(watched), token_of(watched)
    await widened(watched)
    assert watched.dashboard.settings.profile("rosa").scope is Scope.EVERYTHING
    assert ProfileChanged("rosa") in watched.events
    assert view(watched).with_consent
    assert "list-all" in view(watched).actions
    assert view(watched).identifiers == (watched.wallet,)
    asked = watched.asked("POST", "/auth/")
    await watched.session.poll_once()
    assert watched.asked("POST", "/auth/") == asked
    assert known(watched) > own
    with pytest.raises(NotPermittedError):
        await listed_with(watched, narrow)


async def test_a_refusal_leaves_everything_as_it_was(
    asking: tuple[SandboxProcess, Watched],
) -> None:
    _, watched = asking
    await watched.session.poll_once()
    session, token = watched.session, token_of(watched)
    answering = asyncio.create_task(consent(watched, "reject"))
    with pytest.raises(GrantDeniedError):
        await watched.dashboard.grants.change_scope("rosa", Scope.EVERYTHING)
    await answering
    assert watched.session is session
    assert token_of(watched) == token
    assert watched.dashboard.settings.profile("rosa").scope is Scope.OWN
    await watched.session.poll_once()


async def test_a_narrower_scope_gives_the_wider_right_back_and_loses_no_payment(
    asking: tuple[SandboxProcess, Watched],
) -> None:
    _, watched = asking
    await watched.session.poll_once()
    await widened(watched)
    await watched.session.poll_once()
    await watched.session.read_all()
    before, wide = known(watched), token_of(watched)
    assert watched.session.status.oldest_unrefreshed_at is not None
    told = await watched.dashboard.grants.change_scope("rosa", Scope.OWN)
    assert told is not None
    assert told.failure is None
    with pytest.raises(InactiveTokenError):
        await listed_with(watched, wide)
    narrowed_at = watched.session.now()
    questions = sum(isinstance(event, ConsentNeeded) for event in watched.events)
    await watched.session.read_all()
    asked = watched.asked("GET", "/incoming-payments/")
    for _ in range(3):
        await watched.session.poll_once()
    assert known(watched) == before
    rows = watched.dashboard.reader.window(watched.wallet, NEWEST_FIRST, 0, 1000)
    assert not [row for row in rows if row.no_longer_at_server]
    assert {row.scope for row in rows} == {Scope.OWN, Scope.EVERYTHING}
    assert sum(isinstance(event, ConsentNeeded) for event in watched.events) == questions
    assert "list-all" not in view(watched).actions
    oldest = watched.session.status.oldest_unrefreshed_at
    assert oldest is not None
    assert oldest > narrowed_at  # what can no longer be seen does not count
    assert watched.asked("GET", "/incoming-payments/") == asked  # nor is it asked for in vain


async def test_what_cannot_be_saved_gives_the_new_right_back(
    asking: tuple[SandboxProcess, Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, watched = asking
    await watched.session.poll_once()
    token = token_of(watched)

    def refuse(_: object) -> None:
        raise ConfigError("The configuration file cannot be written.")

    monkeypatch.setattr(watched.dashboard._store, "save", refuse)
    with pytest.raises(ConfigError):
        await widened(watched)
    await watched.session.poll_once()
    assert token_of(watched) == token
    assert watched.asked("DELETE", "/auth/") == 2
    ended = [event for event in watched.events if isinstance(event, ConsentEnded)]
    assert [event.granted for event in ended] == [True]


async def test_the_other_way_while_nobody_is_asked(
    asking: tuple[SandboxProcess, Watched],
) -> None:
    """Polling goes on under the old scope while consent is waited for."""
    _, watched = asking
    await watched.session.poll_once()
    changing = asyncio.create_task(watched.dashboard.grants.change_scope("rosa", Scope.EVERYTHING))
    for _ in range(500):
        if any(isinstance(event, ConsentNeeded) for event in watched.events):
            break
        await asyncio.sleep(0.02)
    await watched.session.poll_once()
    watched.session.abandon_consent()
    with pytest.raises(GrantDeniedError) as caught:
        await changing
    assert caught.value.advice == WIDEN_AGAIN, "r asks for nothing here"
    assert watched.session.status.phase is Phase.LIVE


# Two processes on one profile


@pytest.fixture
async def two(
    asking: tuple[SandboxProcess, Watched], open_dashboard: OpenDashboard
) -> tuple[Watched, Watched]:
    """Two dashboards over the same files, as two processes have them, both with a grant."""
    process, first = asking
    second = open_dashboard(process)
    await first.session.poll_once()
    await second.session.poll_once()
    return first, second


def questions(watched: Watched) -> int:
    return sum(isinstance(event, ConsentNeeded) for event in watched.events)


async def test_each_process_keeps_to_its_own_scope_and_says_so(
    two: tuple[Watched, Watched],
) -> None:
    first, second = two
    await widened(first)
    await first.session.read_all()
    everything = known(first)
    kept = kept_in(token_path(first.dashboard.data_dir, "rosa"))["incoming"]["token"]
    for _ in range(2):
        await second.session.poll_once()
        await first.session.poll_once()
    await second.session.read_all()
    await second.session.poll_once()
    assert "list-all" not in view(second).actions
    assert not view(second).is_kept, "the file is the other's by now"
    assert "list-all" in view(first).actions
    assert kept_in(token_path(first.dashboard.data_dir, "rosa"))["incoming"]["token"] == kept
    assert (questions(first), questions(second)) == (1, 0)
    rows = second.dashboard.reader.window(second.wallet, NEWEST_FIRST, 0, 1000)
    assert {row.id for row in rows} == everything
    assert not [row for row in rows if row.no_longer_at_server]


async def test_narrowing_elsewhere_ends_the_wider_right_here_and_nobody_is_asked(
    two: tuple[Watched, Watched],
) -> None:
    first, _ = two
    await widened(first)
    await first.session.read_all()
    third = Watched(
        Dashboard(first.dashboard._store, first.dashboard.data_dir, SystemClock()), [], []
    )
    try:
        await third.session.poll_once()
        await first.dashboard.grants.change_scope("rosa", Scope.OWN)
        await first.session.poll_once()
        with pytest.raises(SignedOutError, match="Another opdash gave back"):
            await third.session.poll_once()
        assert questions(third) == 0
        assert view(third).given_up_elsewhere_at is not None
        rows = third.dashboard.reader.window(third.wallet, NEWEST_FIRST, 0, 1000)
        assert not [row for row in rows if row.no_longer_at_server]
        assert "list-all" not in view(first).actions
    finally:
        await third.dashboard.stop()


async def test_signing_out_gives_back_what_another_process_keeps_in_the_file(
    two: tuple[Watched, Watched],
) -> None:
    first, second = two
    await widened(first)
    await second.session.poll_once()
    wide, narrow = token_of(first), token_of(second)
    assert wide != narrow
    await second.dashboard.grants.sign_out("rosa")
    for token in (wide, narrow):
        with pytest.raises(InactiveTokenError):
            await listed_with(first, token)
    assert not view(first).is_held
    with pytest.raises(SignedOutError):
        await first.session.poll_once()
    assert kept_in(token_path(first.dashboard.data_dir, "rosa")) == {}


async def test_a_person_gets_a_right_again_that_was_given_back_elsewhere(
    two: tuple[Watched, Watched],
) -> None:
    first, second = two
    await second.dashboard.grants.revoke("rosa", Right.INCOMING)
    await first.dashboard.grants.renew("rosa", Right.INCOMING)
    await first.session.poll_once()
    assert view(first).is_held
    assert kept_in(token_path(first.dashboard.data_dir, "rosa")).keys() == {"incoming"}


async def test_who_only_read_along_till_now_notices_a_sign_out_too(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    first, second = open_dashboard(sandbox), open_dashboard(sandbox)
    await first.session.poll_once()
    await first.dashboard.grants.sign_out("rosa")
    with pytest.raises(SignedOutError, match="Another opdash gave back"):
        await second.session.poll_once()
    assert second.asked("POST", "/auth") == 0
    third = open_dashboard(sandbox)  # a start after it asks anew
    await third.session.poll_once()
    assert third.asked("POST", "/auth") == 1


async def test_a_refusal_elsewhere_holds_until_a_person_wants_to_ask_again(
    asking: tuple[SandboxProcess, Watched], open_dashboard: OpenDashboard
) -> None:
    process, _ = asking
    first, second, third = (open_dashboard(process, scope=Scope.EVERYTHING) for _ in range(3))
    polling = asyncio.create_task(first.session.poll_once())
    await consent(first, "reject")
    with pytest.raises(GrantDeniedError, match=r"^The account holder refused: "):
        await polling
    for _ in range(2):
        with pytest.raises(GrantDeniedError, match="when another opdash asked") as caught:
            await second.session.poll_once()
        assert "Press r" in caught.value.advice
    assert questions(second) == 0
    second.session.poll_soon()
    polling = asyncio.create_task(second.session.poll_once())
    await consent(second, "accept")
    await polling
    for watched in (first, second, third):
        await watched.session.poll_once()
        assert "list-all" in view(watched).actions
    assert (questions(first), questions(second), questions(third)) == (1, 1, 0)
