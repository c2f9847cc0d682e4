from __future__ import annotations

import os
from pathlib import Path

import pytest

from opdash.errors import InputError
from opdash.hooks.secret_files import SecretFile


def test_a_wallet_has_a_secret_of_its_own_for_its_owner_alone(tmp_path: Path) -> None:
    shop, bar = (SecretFile.of(tmp_path, name) for name in ("Shop", "../bar"))
    assert shop.read() == ()
    first, other = shop.renew(), bar.renew()

    assert (shop.read(), bar.read()) == ((first,), (other,))
    assert first != other
    assert SecretFile.of(tmp_path, "shop").path == shop.path
    assert bar.path.parent == shop.path.parent
    assert shop.path.stat().st_mode & 0o777 == 0o600


def test_the_former_secret_signs_until_it_is_forgotten(tmp_path: Path) -> None:
    file = SecretFile.of(tmp_path, "shop")
    file.renew()
    second = file.renew()
    third = file.renew()
    assert file.read() == (third, second)
    assert file.forget_former()
    assert file.read() == (third,)
    assert not file.forget_former()


def test_a_secret_that_others_can_read_is_none(tmp_path: Path) -> None:
    file = SecretFile.of(tmp_path, "shop")
    secret = file.renew()
    file.path.chmod(0o640)
    with pytest.raises(InputError, match="Others can read") as error:
        file.read()
    assert "chmod 600" in error.value.advice
    assert secret.reveal() not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"whsec_no", b"\xff\xfe", b"a\nb\nc\n"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(InputError, match="secret"):
        SecretFile(path).read()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(InputError, match="no ordinary file"):
        SecretFile(tmp_path / "pipe").read()
