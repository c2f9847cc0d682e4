"""``opdash key replace|retire``: from one key to the next, without losing the one that works."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opdash.keyfiles import read_key
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile
from tests.service.client_server import ClientServer, client_server


@pytest.fixture
def provider() -> Iterator[ClientServer]:
    with client_server() as server:
        yield server


@pytest.fixture
def shop(shell: Shell, sandbox: SandboxProcess, provider: ClientServer) -> Shell:
    """A shell with one wallet, whose client lives at the provider."""
    made = shell.done("key", "new", "--key-id", "first", "--json").line
    provider.register(json.dumps(made["jwk"]))
    changes: dict[str, Any] = {
        "client_wallet_address": provider.address,
        "key_id": "first",
        "key_file": Path(made["keyFile"]),
    }
    shell.set_up(shop_profile(sandbox, **changes))
    return shell


def test_a_key_is_replaced_in_two_runs_and_retired(shop: Shell, provider: ClientServer) -> None:
    shop.done("list")

    ran = shop("key", "replace", "shop")
    assert ran.code == 4
    jwk = json.loads(ran.out)
    assert "serves no key" in ran.err
    assert "Register the next key: it is the JWK above." in ran.err
    assert "opdash key show" not in ran.err  # which prints the key in use
    assert "The key in use stays “first”" in ran.err
    assert "Developer keys" in ran.err
    assert "opdash key replace 'shop'" in ran.err
    (profile,) = shop.settings.profiles
    assert (profile.key_id, profile.next_key_id) == ("first", jwk["kid"])
    shop.done("list")

    provider.register(ran.out)
    ran = shop.done("key", "replace", "--wallet", "shop", "--json")
    assert ran.line["jwk"] == jwk
    assert (ran.line["stage"], ran.line["inUse"]) == ("former", jwk["kid"])
    assert all(check["ok"] for check in ran.line["checks"])
    assert "opdash key retire 'shop'" in ran.err
    (profile,) = shop.settings.profiles
    assert (profile.key_id, profile.former_key_id) == (jwk["kid"], "first")
    shop.done("list")

    ran = shop.done("key", "retire", "shop", "--json")
    assert ran.line["served"] is True
    assert read_key(Path(ran.line["keyFile"]), "first").key_id == "first"
    assert "remove it at the provider" in ran.err
    provider.deregister("first")
    (profile,) = shop.settings.profiles
    assert (profile.former_key_id, profile.former_key_file) == ("", None)
    shop.done("list")


def test_a_next_key_can_be_waited_for(shop: Shell, provider: ClientServer) -> None:
    process = shop.spawn("key", "replace", "shop", "--wait", stderr=subprocess.PIPE)
    assert process.stdout is not None
    jwk = ""
    while not jwk.endswith("}\n"):
        jwk += process.stdout.readline()
    provider.register(jwk)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert shop.settings.profiles[0].key_id == json.loads(jwk)["kid"]


def test_a_next_key_can_be_given_up(shop: Shell) -> None:
    made = json.loads(shop("key", "replace", "shop").out)

    ran = shop.done("key", "replace", "shop", "--cancel", "--json")

    assert ran.line["keyId"] == made["kid"]
    assert shop.settings.profiles[0].next_key_id == ""
    assert "“first” stays in use" in ran.err


def test_a_former_key_is_deleted_only_when_that_is_meant(
    shop: Shell, provider: ClientServer
) -> None:
    provider.register(shop("key", "replace", "shop").out)
    shop.done("key", "replace", "shop")
    first = shop.settings.profiles[0].former_key_file
    assert first is not None

    ran = shop("key", "retire", "shop", "--delete")
    assert ran.code == 2
    assert "--yes" in ran.err
    ran = shop.at_terminal("key", "retire", "shop", "--delete", typed="second\n")
    assert ran.code == 2
    assert first.exists()

    ran = shop.at_terminal("key", "retire", "shop", "--delete", typed="first\n")
    assert ran.code == 0, ran.err
    assert not first.exists()
    assert not (first.parent / "retired").exists()


@pytest.mark.parametrize(
    ("words", "said", "advice"),
    [
        (["replace", "shop", "--wait", "--cancel"], "exclude each other", "Leave one"),
        (["replace", "shop", "--cancel"], "no next key", "Nothing was changed"),
        (["retire", "shop"], "no former key", "opdash key replace"),
        (["retire", "shp"], "There is no wallet “shp”", "Did you mean “shop”?"),
    ],
)
def test_steps_out_of_turn_get_a_sentence(
    shop: Shell, words: list[str], said: str, advice: str
) -> None:
    ran = shop("key", *words)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert advice in ran.err
