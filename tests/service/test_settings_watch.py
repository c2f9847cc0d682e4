"""A running opdash is told, once, that another one changed what it goes by."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from opdash.errors import ConfigError
from opdash.ledger.records import Scope
from opdash.sandbox.process import SandboxProcess
from opdash.service.events import SettingsNoted
from opdash.settings import Profile, Settings, SettingsStore
from tests.service.conftest import OpenDashboard, Watched

Change = Callable[[Profile], Profile]


def elsewhere(watched: Watched, change: Change | None) -> None:
    """Let another process change the first profile, or remove it."""
    store = SettingsStore(watched.dashboard._store.path)
    settings = store.load()
    (profile,) = settings.profiles
    kept = () if change is None else (change(profile),)
    store.save(Settings(profiles=kept))


def notes(watched: Watched) -> list[str]:
    return [event.sentence for event in watched.events if isinstance(event, SettingsNoted)]


@pytest.fixture
def watched(sandbox: SandboxProcess, open_dashboard: OpenDashboard) -> Watched:
    return open_dashboard(sandbox)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: replace(one, scope=Scope.EVERYTHING), "by now it shows everything"),
        (lambda one: replace(one, key_id="other"), "still signs with the former"),
        (None, "removed “rosa”"),
    ],
    ids=["scope", "key", "removed"],
)
async def test_what_another_process_changed_is_told_once(
    watched: Watched, change: Change | None, said: str
) -> None:
    await watched.session.poll_once()
    elsewhere(watched, change)
    for _ in range(3):
        await watched.session.poll_once()
    (note,) = notes(watched)
    assert said in note
    assert note.endswith("Start this opdash again to follow.")
    assert watched.session.profile.scope is Scope.OWN, "nobody is switched over"


async def test_what_does_not_matter_to_it_is_not_told(watched: Watched) -> None:
    await watched.session.poll_once()
    elsewhere(watched, lambda one: replace(one, poll_interval=9.0))
    await watched.session.poll_once()
    assert notes(watched) == []


async def test_its_own_changes_are_not_told(watched: Watched) -> None:
    await watched.session.poll_once()
    profile = watched.dashboard.settings.profile("rosa")
    await watched.dashboard.save_profile(replace(profile, key_id="next"))
    await watched.session.poll_once()
    assert notes(watched) == []


async def test_what_it_takes_over_while_it_saves_is_told_once(watched: Watched) -> None:
    await watched.session.poll_once()
    elsewhere(watched, lambda one: replace(one, scope=Scope.EVERYTHING))
    await watched.dashboard.save_theme("light")
    await watched.session.poll_once()
    assert len(notes(watched)) == 1


async def test_a_save_that_fails_is_not_taken_for_done(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watched.session.poll_once()
    profile = watched.dashboard.settings.profile("rosa")

    def refuse(_: object) -> None:
        raise ConfigError("The configuration file cannot be written.")

    with monkeypatch.context() as patch:
        patch.setattr(watched.dashboard._store, "save", refuse)
        with pytest.raises(ConfigError):
            await watched.dashboard.save_profile(replace(profile, key_id="next"))
    elsewhere(watched, lambda one: replace(one, poll_interval=9.0))
    await watched.session.poll_once()
    assert notes(watched) == []


def damage(watched: Watched) -> None:
    watched.dashboard._store.path.write_text("no toml = = at all")


async def test_a_file_that_cannot_be_read_is_nothing_new(watched: Watched) -> None:
    await watched.session.poll_once()
    damage(watched)
    await watched.session.poll_once()
    assert notes(watched) == []
