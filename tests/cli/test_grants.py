"""``opdash grants`` and ``opdash signout``: seen, renewed, given back."""

from __future__ import annotations

import json

import pytest

from opdash.ledger.records import Scope
from opdash.paths import token_path
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile
from tests.kept_tokens import kept_in


@pytest.fixture
def used(shop: Shell) -> Shell:
    """A shell whose wallet has a kept token."""
    shop.done("list")
    return shop


@pytest.fixture
def consented(shell: Shell, sandbox: SandboxProcess) -> Shell:
    """A shell whose wallet shows everything, by consent."""
    shell.set_up(shop_profile(sandbox, scope=Scope.EVERYTHING))
    shell.done("list")
    return shell


def secrets_of(shell: Shell) -> list[str]:
    (grant,) = json.loads(token_path(shell.data_dir, "shop").read_text())["grants"].values()
    return [grant["token"]["value"], grant["token"]["manage"], grant["continuation"]["token"]]


def test_a_second_command_uses_the_token_of_the_first(used: Shell) -> None:
    before = secrets_of(used)
    used.done("list")
    assert secrets_of(used) == before


def test_grants_are_listed_without_their_secrets(used: Shell) -> None:
    ran = used.done("grants", "list")
    assert "create, complete, read, list" in ran.out
    assert "until" in ran.out
    line = used.done("grants", "list", "--json").line
    assert (line["wallet"], line["for"], line["held"]) == ("shop", "incoming", True)
    assert (line["withConsent"], line["kept"], line["limits"]) == (False, True, None)
    assert line["actions"] == ["create", "complete", "read", "list"]
    assert line["lastUsedAt"].endswith("Z")
    assert line["expiresAt"] > line["renewedAt"] >= line["givenAt"]
    for secret in secrets_of(used):
        assert secret not in ran.out + ran.err + json.dumps(line)


def test_without_a_grant_nothing_is_listed(shop: Shell) -> None:
    ran = shop.done("grants", "list")
    assert ran.out == ""
    assert "keeps no grant" in ran.err


def test_a_token_is_renewed(used: Shell) -> None:
    before = secrets_of(used)
    line = used.done("grants", "renew", "--json").line
    assert line["held"]
    assert secrets_of(used)[0] != before[0]


@pytest.mark.parametrize("what", ["revoke", "cancel"])
def test_a_grant_is_given_back(used: Shell, what: str) -> None:
    line = used.done("grants", what, "--json").line
    assert (line["wasHeld"], line["revoked"], line["validUntil"]) == (True, True, None)
    assert line["cancelled"] is (what == "cancel")
    assert kept_in(token_path(used.data_dir, "shop")) == {}
    assert "no grant" in used.done("grants", what).err
    used.done("list")
    assert token_path(used.data_dir, "shop").exists()


def test_signing_out_gives_everything_back(used: Shell) -> None:
    ran = used.done("signout", "shop")
    assert "revoked, at the server and here" in ran.err
    assert kept_in(token_path(used.data_dir, "shop")) == {}
    assert "held no grant" in used.done("signout").err


def test_without_the_server_it_is_forgotten_and_what_remains_is_told(
    shell: Shell, fresh_sandbox: SandboxProcess
) -> None:
    shell.set_up(shop_profile(fresh_sandbox))
    shell.done("list")
    fresh_sandbox.take_down("authorization")
    ran = shell("signout", "--json")
    assert ran.code == 5
    assert "stays valid until" in ran.err
    assert ran.line["validUntil"] is not None
    assert ran.line["revoked"] is False
    assert kept_in(token_path(shell.data_dir, "shop")) == {}


def test_what_was_consented_to_is_given_back_only_on_purpose(consented: Shell) -> None:
    for words in (["signout"], ["grants", "revoke"], ["grants", "cancel"]):
        ran = consented(*words)
        assert ran.code == 2
        assert "--yes" in ran.err
    assert token_path(consented.data_dir, "shop").exists()
    consented.done("signout", "--yes")
    assert kept_in(token_path(consented.data_dir, "shop")) == {}


@pytest.mark.parametrize(("typed", "code"), [("no\n", 1), ("yes\n", 0)])
def test_a_person_is_asked(consented: Shell, typed: str, code: int) -> None:
    ran = consented.at_terminal("signout", typed=typed)
    assert ran.code == code
    assert "has to consent again" in ran.err
    assert bool(kept_in(token_path(consented.data_dir, "shop"))) is (code == 1)


def test_a_file_that_others_can_read_is_told(used: Shell) -> None:
    path = token_path(used.data_dir, "shop")
    path.chmod(0o640)
    ran = used.done("grants", "list")
    assert "others can read the file" in ran.err
    assert f"chmod 600 {path}" in ran.err
    path.chmod(0o600)


def test_removing_a_wallet_signs_out(used: Shell) -> None:
    ran = used.done("wallet", "remove", "shop")
    assert "revoked, at the server and here" in ran.err
    assert kept_in(token_path(used.data_dir, "shop")) == {}


def test_tokens_need_not_be_kept(shell: Shell, sandbox: SandboxProcess) -> None:
    shell.set_up(shop_profile(sandbox, keep_tokens=False))
    shell.done("list")
    assert not token_path(shell.data_dir, "shop").exists()


def test_an_unknown_right_is_explained(shop: Shell) -> None:
    ran = shop("grants", "revoke", "everything")
    assert ran.code == 2
    assert "incoming" in ran.err
