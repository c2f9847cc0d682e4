"""Private key files: refused where others could read them, written so that none can."""

from __future__ import annotations

import base64
import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from opdash.errors import ExitCode, KeyFileError, LockedKeyError
from opdash.keyfiles import (
    PASSPHRASE_VARIABLE,
    delete_key,
    import_key,
    looks_like_key,
    move_aside,
    read_key,
    write_key,
    write_own_key,
)
from opdash.openpayments.keys import ClientKey
from opdash.openpayments.secrets import Secret
from opdash.paths import keys


@pytest.fixture
def key() -> ClientKey:
    return ClientKey.generate("key-1")


def private(path: Path, data: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(data)
    return path


def refusal(path: Path) -> KeyFileError:
    with pytest.raises(KeyFileError) as caught:
        read_key(path, "key-1")
    assert str(path) in caught.value.sentence
    assert caught.value.exit_code is ExitCode.USAGE
    assert "PRIVATE KEY" not in str(caught.value)
    return caught.value


def test_a_written_key_is_read_again(tmp_path: Path, key: ClientKey) -> None:
    path = tmp_path / "keys" / "key-1.pem"

    write_key(path, key)

    assert read_key(path, "key-1").public_jwk() == key.public_jwk()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_the_base64_of_a_pem_file_is_read(tmp_path: Path, key: ClientKey) -> None:
    path = private(tmp_path / "key", base64.encodebytes(key.to_pem()))

    assert read_key(path, "key-1").public_jwk() == key.public_jwk()


def test_a_key_is_never_overwritten(tmp_path: Path, key: ClientKey) -> None:
    path = tmp_path / "key.pem"
    write_key(path, key)

    with pytest.raises(KeyFileError, match="never overwritten"):
        write_key(path, ClientKey.generate("other"))

    assert path.read_bytes() == key.to_pem()


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, key: ClientKey) -> None:
    private(tmp_path / "file", b"")

    with pytest.raises(KeyFileError, match="cannot be written"):
        write_key(tmp_path / "file" / "key.pem", key)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o660, 0o666, 0o777])
def test_a_file_open_to_others_is_refused(tmp_path: Path, key: ClientKey, mode: int) -> None:
    path = private(tmp_path / "my key.pem", key.to_pem())
    path.chmod(mode)

    assert refusal(path).advice == f"Close it with: chmod 600 '{path}'"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "opdash key new" in refusal(tmp_path / "no.pem").advice


def test_a_directory_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert "is not a file" in refusal(tmp_path).sentence


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = private(tmp_path / "huge", b"")
    os.truncate(path, 10**12)

    assert "too large" in refusal(path).sentence


def test_an_unreadable_file_is_refused(key: ClientKey) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        path = private(Path(directory) / "key.pem", key.to_pem())
        path.chmod(0o000)
        with without_root():
            error = refusal(path)

    assert "cannot be read: Permission denied" in error.sentence
    assert f"chmod 600 {path}" in error.advice


@contextlib.contextmanager
def without_root() -> Iterator[None]:
    """Give up the rights of root for a moment, where the tests have them."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "no PEM block"),
        (b"hello", "no PEM block"),
        (b"\xff\xfe\x00", "no PEM block"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "public key"),
    ],
)
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes, named: str) -> None:
    assert named in refusal(private(tmp_path / "key.pem", content)).sentence


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = rsa.generate_private_key(65537, 2048)
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    assert "Ed25519" in refusal(private(tmp_path / "key.pem", pem)).sentence


# Passphrases


OPENER = Secret("correct horse")


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path, key: ClientKey) -> None:
    path = tmp_path / "key.pem"
    write_key(path, key, OPENER)
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in path.read_bytes()

    assert read_key(path, "key-1", OPENER).public_jwk() == key.public_jwk()
    for wrong, told in ((None, "protected with a passphrase"), (Secret("no"), "wrong")):
        with pytest.raises(LockedKeyError, match=told) as caught:
            read_key(path, "key-1", wrong)
        assert str(path) in caught.value.sentence


def test_the_environment_opens_an_encrypted_key_where_nobody_says_otherwise(
    tmp_path: Path, key: ClientKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "key.pem", tmp_path / "other.pem"
    write_key(path, key, OPENER)
    write_key(other, key)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, OPENER.reveal())

    assert read_key(path, "key-1").public_jwk() == key.public_jwk()
    assert read_key(other, "key-1").public_jwk() == key.public_jwk()
    with pytest.raises(LockedKeyError):
        read_key(path, "key-1", Secret("no"))


# Others on the machine


def test_a_link_is_as_open_as_what_it_leads_to(tmp_path: Path, key: ClientKey) -> None:
    path, link = tmp_path / "key.pem", tmp_path / "link.pem"
    write_key(path, key)
    link.symlink_to(path)
    assert read_key(link, "key-1").public_jwk() == key.public_jwk()

    path.chmod(0o640)

    assert "Others can read" in refusal(link).sentence


def test_a_link_that_leads_nowhere_is_a_missing_file(tmp_path: Path) -> None:
    link = tmp_path / "link.pem"
    link.symlink_to(tmp_path / "nowhere.pem")

    assert "There is no key file" in refusal(link).sentence


@pytest.mark.parametrize(
    ("mode", "is_refused"),
    [(0o700, False), (0o755, False), (0o775, False), (0o777, True), (0o1777, False)],
)
def test_a_directory_in_which_anybody_can_write_is_refused(
    tmp_path: Path, key: ClientKey, mode: int, is_refused: bool
) -> None:
    directory, link = tmp_path / "open keys", tmp_path / "link.pem"
    path = directory / "key.pem"
    write_key(path, key)
    link.symlink_to(path)
    directory.chmod(mode)

    for named in (path, link):
        if is_refused:
            error = refusal(named)
            assert "Others can replace" in error.sentence
            assert error.advice == f"Close it with: chmod o-w '{directory}'"
        else:
            assert read_key(named, "key-1").public_jwk() == key.public_jwk()


def test_opdash_closes_its_own_key_directory(tmp_path: Path, key: ClientKey) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)

    path = write_own_key(tmp_path, key)

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_key(path, "key-1").public_jwk() == key.public_jwk()


# Keys given as a text


@pytest.mark.parametrize("lock", [None, OPENER], ids=["plain", "encrypted"])
@pytest.mark.parametrize("encode", [bytes, base64.b64encode, base64.encodebytes])
def test_a_key_given_as_a_text_is_taken_as_it_is(
    tmp_path: Path, key: ClientKey, lock: Secret | None, encode: Callable[[bytes], bytes]
) -> None:
    pem = key.to_pem(None if lock is None else lock.reveal().encode())
    text = encode(pem).decode()
    assert looks_like_key(text)

    path, taken = import_key(tmp_path, Secret(text), "key-1", lock)

    assert taken.public_jwk() == key.public_jwk()
    assert path.read_bytes() == pem
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert import_key(tmp_path, Secret(text), "key-1", lock)[0] == path


def test_a_key_without_a_name_gets_one_that_is_always_the_same(
    tmp_path: Path, key: ClientKey
) -> None:
    text = Secret(key.to_pem().decode())

    path, taken = import_key(tmp_path, text)

    assert taken.key_id == f"imported-{key.public_jwk()['x'][:12]}"
    assert import_key(tmp_path, text)[0] == path


def test_another_key_of_the_same_name_is_not_overwritten(tmp_path: Path, key: ClientKey) -> None:
    path, _ = import_key(tmp_path, Secret(key.to_pem().decode()), "key-1")
    other = ClientKey.generate("key-1").to_pem().decode()

    with pytest.raises(KeyFileError, match="never overwritten"):
        import_key(tmp_path, Secret(other), "key-1")

    assert path.read_bytes() == key.to_pem()


def test_an_encrypted_text_is_not_written_before_it_can_be_opened(
    tmp_path: Path, key: ClientKey
) -> None:
    text = Secret(key.to_pem(b"x").decode())

    with pytest.raises(LockedKeyError, match="The text"):
        import_key(tmp_path, text, "key-1")

    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("text", ["", "/home/rosa/key.pem", "~/LS0tLS1.pem", "LS0tLS1"])
def test_a_path_is_no_key(text: str) -> None:
    assert not looks_like_key(text)


# Keys that are no longer used


def test_a_key_is_moved_to_where_nobody_looks_for_keys(tmp_path: Path, key: ClientKey) -> None:
    path = write_own_key(tmp_path, key)

    target = move_aside(path, tmp_path)

    assert keys(tmp_path) == ()
    assert not path.exists()
    assert target.read_bytes() == key.to_pem()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700


def test_a_key_that_cannot_be_moved_stays(tmp_path: Path, key: ClientKey) -> None:
    path = write_own_key(tmp_path, key)
    private(tmp_path / "keys" / "retired", b"")

    with pytest.raises(KeyFileError, match="cannot be moved aside"):
        move_aside(path, tmp_path)

    assert path.read_bytes() == key.to_pem()


def test_a_key_is_deleted_once(tmp_path: Path, key: ClientKey) -> None:
    path = write_own_key(tmp_path, key)

    delete_key(path)

    assert not path.exists()
    with pytest.raises(KeyFileError, match="cannot be deleted"):
        delete_key(path)
