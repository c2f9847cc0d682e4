"""Passphrases: asked for once in a run, by one of several readers, and only while wanted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from opdash.errors import KeyFileError, LockedKeyError
from opdash.keyfiles import write_key
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.secrets import Secret
from opdash.sandbox.process import SandboxProcess
from opdash.service.keyring import Keyring
from opdash.service.late_imports import LateImports
from opdash.service.status import Phase
from tests.service.conftest import OpenDashboard
from tests.service.consent_people import until

OPENER = Secret("correct horse")


class Person:
    """Gives passphrases, in turn; what was said while asking is kept."""

    def __init__(self, *answers: Secret | None) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Path, str]] = []

    async def __call__(self, path: Path, remark: str) -> Secret | None:
        self.asked.append((path, remark))
        await asyncio.sleep(0)
        return self.answers.pop(0)


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    path = tmp_path / "locked.pem"
    write_key(path, ClientKey.generate("k"), OPENER)
    return path


def keyring(person: Person | None = None) -> Keyring:
    ring = Keyring(LateImports())
    ring.asker = person
    return ring


async def test_a_passphrase_is_asked_for_once_in_a_run(locked: Path) -> None:
    person = Person(OPENER)
    ring = keyring(person)

    first, second = await asyncio.gather(ring.read(locked, "k"), ring.read(locked, "k"))

    assert first.public_jwk() == second.public_jwk()
    assert person.asked == [(locked, "")]
    assert ring.passphrase(locked) == OPENER


async def test_a_wrong_passphrase_is_asked_for_again_and_not_kept(locked: Path) -> None:
    person = Person(Secret("no"), OPENER)
    ring = keyring(person)

    await ring.read(locked, "k")

    assert [remark for _, remark in person.asked] == ["", "That passphrase does not open it."]


async def test_who_declines_is_not_asked_again_before_they_want_it(locked: Path) -> None:
    person = Person(None, OPENER)
    ring = keyring(person)

    for _ in range(3):
        with pytest.raises(LockedKeyError, match="passphrase") as caught:
            await ring.read(locked, "k")
        assert "Press r" in caught.value.advice
    assert len(person.asked) == 1

    ring.reopen(locked)
    await ring.read(locked, "k")
    assert len(person.asked) == 2


async def test_without_a_person_the_variable_is_named(locked: Path) -> None:
    with pytest.raises(LockedKeyError) as caught:
        await keyring().read(locked, "k")

    assert "OPDASH_KEY_PASSPHRASE" in caught.value.advice


async def test_a_passphrase_that_was_typed_in_a_form_is_not_asked_for(locked: Path) -> None:
    ring = keyring()
    ring.remember(locked, OPENER)

    await ring.read(locked, "k")


async def test_other_failures_ask_nobody(tmp_path: Path) -> None:
    person = Person()

    with pytest.raises(KeyFileError, match="no key file"):
        await keyring(person).read(tmp_path / "no.pem", "k")

    assert person.asked == []


async def test_a_session_with_an_encrypted_key_asks_at_its_start_and_polls(
    open_dashboard: OpenDashboard, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    client = sandbox.client
    plain = ClientKey.from_pem(client.private_key.read_bytes(), client.key_id)
    path = tmp_path / "mine.pem"
    write_key(path, plain, OPENER)
    watched = open_dashboard(sandbox, key_file=path)
    person = watched.dashboard.keyring.asker = Person(None, OPENER)

    with pytest.raises(LockedKeyError):
        await watched.session.poll_once()
    await watched.dashboard.start()
    await until(lambda: watched.session.status.phase is Phase.FAILED)
    watched.session.poll_soon()
    await until(lambda: watched.session.status.phase is Phase.LIVE)

    assert [asked for asked, _ in person.asked] == [path, path]
    assert OPENER.reveal() not in repr(watched.dashboard.settings)
