"""A wallet that is set up to read only, and how consent is waited for where something is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from opdash.clock import SystemClock
from opdash.errors import ExitCode
from opdash.sandbox.process import SandboxProcess
from opdash.service.completions import Seen
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.errors import ReadOnlyError
from opdash.service.rights import Right
from opdash.settings import AccessLevel, ConsentWay, Profile, Settings, SettingsStore
from tests.service.conftest import OpenDashboard


async def test_nothing_is_created_or_completed_and_it_says_why(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox, access=AccessLevel.READ_ONLY)
    await watched.session.poll_once()
    asked = len(watched.exchanges)
    with pytest.raises(ReadOnlyError, match="may not create payments") as caught:
        await watched.session.create_payment(PaymentDraft(amount=1))
    assert 'access = "full"' in caught.value.advice
    assert caught.value.exit_code is ExitCode.NOT_PERMITTED
    seen = Seen(received=0, completed=False)
    with pytest.raises(ReadOnlyError, match="may not complete payments"):
        await watched.session.complete_payment(f"{sandbox.url}/incoming-payments/1", seen=seen)
    assert len(watched.exchanges) == asked


async def test_the_grant_holds_no_other_rights_than_to_read_and_list(
    sandbox: SandboxProcess, open_dashboard: OpenDashboard
) -> None:
    watched = open_dashboard(sandbox, access=AccessLevel.READ_ONLY)
    await watched.session.poll_once()
    (view,) = (
        view for view in watched.dashboard.grants.views("rosa") if view.right is Right.INCOMING
    )
    assert set(view.actions) == {"read", "list"}


@pytest.mark.parametrize(
    ("flag", "profile", "usual", "way"),
    [
        ("auto", "auto", "auto", "auto"),
        ("auto", "auto", "polling", "polling"),
        ("auto", "redirect", "polling", "redirect"),
        ("polling", "redirect", "auto", "polling"),
    ],
)
def test_the_command_line_goes_before_the_profile_and_that_before_what_is_usual(
    tmp_path: Path, flag: str, profile: str, usual: str, way: str
) -> None:
    store = SettingsStore(tmp_path / "opdash.toml")
    store.load()
    one = Profile("shop", "https://ilp.example/rosa", consent=ConsentWay(profile))
    store.save(Settings(profiles=(one,)))
    dashboard = Dashboard(
        store,
        tmp_path,
        SystemClock(),
        consent=ConsentWay(flag),
        usual_consent=ConsentWay(usual),
    )
    assert dashboard._consent_way(one) == way
    dashboard.reader.close()
