"""Private key files: refused where others could read them, written so that none can."""

from __future__ import annotations

import base64
import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from opdash.errors import ExitCode, KeyFileError
from opdash.keyfiles import read_key, write_key
from opdash.openpayments.keys import ClientKey


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
