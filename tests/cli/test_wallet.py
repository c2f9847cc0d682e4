"""``opdash wallet``: asked who it is, checked, saved; listed; forgotten."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest
from msgspec.structs import replace

from opdash.keyfiles import read_key, write_key
from opdash.ledger.records import Scope
from opdash.openpayments.secrets import Secret
from opdash.sandbox.process import SandboxProcess
from tests.cli.conftest import Shell, shop_profile
from tests.service.client_server import client_server


@pytest.fixture
def key(sandbox: SandboxProcess) -> list[str]:
    client = sandbox.client
    return [
        "--client",
        client.wallet_address,
        "--key-id",
        client.key_id,
        "--key-file",
        str(client.private_key),
    ]


def test_a_wallet_is_added_after_asking_it_who_it_is(
    shell: Shell, sandbox: SandboxProcess, key: list[str]
) -> None:
    ran = shell.done("wallet", "add", sandbox.main_wallet + "/", *key)

    assert "asset" in ran.out
    assert "USD, scale 2" in ran.out
    for line in ("✓ Wallet address", "✓ Key", "✓ Public name", "✓ Grant", "✓ Signed list"):
        assert line in ran.err
    assert ran.err.endswith("Everything is ready.\n")
    (profile,) = shell.settings.profiles
    assert profile == replace(shop_profile(sandbox), name="rosa", poll_interval=5.0)


def test_everything_about_it_can_be_chosen(
    shell: Shell, sandbox: SandboxProcess, key: list[str]
) -> None:
    words = ["--name", "Café", "--label", "Rosa's", "--scope", "everything", "--poll-interval", "2"]
    words += ["--access", "read-only"]
    words += ["--page-size", "20", "--default", "--json"]

    ran = shell.done("wallet", "add", sandbox.main_wallet, *key, *words)

    (profile,) = shell.settings.profiles
    assert (profile.name, profile.label, profile.scope) == ("Café", "Rosa's", Scope.EVERYTHING)
    assert profile.is_read_only
    assert "asks for the account holder's consent when it first lists" in ran.err
    assert (profile.poll_interval, profile.page_size) == (2.0, 20)
    assert shell.settings.default_profile == "Café"
    assert ran.line["walletAddress"] == sandbox.main_wallet
    assert ran.line["keyServed"] is True
    assert (ran.line["assetCode"], ran.line["assetScale"]) == ("USD", 2)


def test_the_only_key_of_opdash_is_used_without_naming_it(
    shell: Shell, sandbox: SandboxProcess
) -> None:
    made = shell.done("key", "new", "--key-id", "mine", "--json").line

    ran = shell.done("wallet", "add", sandbox.main_wallet)

    (profile,) = shell.settings.profiles
    assert (profile.key_id, str(profile.key_file)) == ("mine", made["keyFile"])
    assert profile.client_wallet_address == sandbox.main_wallet
    assert "✗ Key" in ran.err
    assert "serves no key “mine”" in ran.err
    assert "✓ Grant" not in ran.err
    jwk = ran.err[ran.err.index("\n{") : ran.err.index("\n}") + 2]
    assert json.loads(jwk)["kid"] == "mine"  # as it is to be pasted
    assert "Developer keys" in ran.err
    assert "opdash key show --wallet 'rosa'" in ran.err
    assert "opdash doctor 'rosa'" in ran.err


def test_one_of_several_keys_must_be_named(shell: Shell, sandbox: SandboxProcess) -> None:
    for key_id in ("one", "two"):
        shell.done("key", "new", "--key-id", key_id)

    ran = shell("wallet", "add", sandbox.main_wallet)
    assert ran.code == 2
    assert "--key-id: one, two" in ran.err

    shell.done("wallet", "add", sandbox.main_wallet, "--key-id", "two")
    assert shell.settings.profiles[0].key_id == "two"


def test_a_key_under_a_registered_id_that_is_another_key_is_noticed(
    shell: Shell, sandbox: SandboxProcess
) -> None:
    client = sandbox.client
    shell.done("key", "new", "--key-id", client.key_id)

    ran = shell.done(
        "wallet", "add", sandbox.main_wallet, "--client", client.wallet_address, "--json"
    )

    assert ran.line["keyServed"] is False
    assert ran.line["ready"] is False
    assert "the client serves another key" in ran.err
    found = {check["check"]: check["ok"] for check in ran.line["checks"]}
    assert found == {"address": True, "key": False, "name": True, "grant": None, "list": None}


def test_a_name_that_is_taken_gets_a_number(
    shell: Shell, sandbox: SandboxProcess, key: list[str]
) -> None:
    shell.set_up(shop_profile(sandbox, name="rosa", wallet_address="https://ilp.example/rosa"))

    shell.done("wallet", "add", sandbox.main_wallet, *key)

    assert [profile.name for profile in shell.settings.profiles] == ["rosa", "rosa-2"]


def test_wallets_are_listed_with_what_is_known(shop: Shell, sandbox: SandboxProcess) -> None:
    unknown = shop_profile(sandbox, name="new", wallet_address=sandbox.wallet_addresses[-1])
    shop.set_up(*shop.settings.profiles, unknown)
    shop.done("list", "--wallet", "shop")

    table = shop.done("wallet", "list").out.splitlines()
    first, second = shop.done("wallet", "list", "--json").lines

    assert " ".join(table[0].split()) == "Name Wallet address Asset Open Due Received Last asked"
    assert table[1].split()[:3] == ["shop", sandbox.main_wallet, "USD"]
    assert table[2].split() == ["new", sandbox.wallet_addresses[-1], "never"]
    assert first["known"] > 0
    assert first["received"]["assetCode"] == "USD"
    assert first["lastPollAt"].endswith("Z")
    assert (second["known"], second["received"], second["lastPollAt"]) == (0, None, None)


def test_without_wallets_the_list_says_how_to_add_one(shell: Shell) -> None:
    ran = shell.done("wallet", "list")

    assert ran.out == ""
    assert "opdash wallet add" in ran.err


def test_a_wallet_is_forgotten_and_its_payments_are_not(
    shop: Shell, sandbox: SandboxProcess
) -> None:
    known = len(shop.done("list", "--json").lines)

    ran = shop.done("wallet", "remove", "SHOP", "--json")

    assert ran.line == {"name": "shop", "walletAddress": sandbox.main_wallet}
    assert shop.settings.profiles == ()
    assert sandbox.client.private_key.exists()
    shop.set_up(shop_profile(sandbox))
    assert len(shop.done("list", "--offline", "--json").lines) == known


@pytest.mark.parametrize(
    ("words", "said", "advice"),
    [
        (["add"], "required: ADDRESS", "opdash wallet add --help"),
        (["add", "rosa"], "“rosa” is no wallet address", "A wallet address looks like"),
        (["add", "http://ilp.example/rosa"], "http is only used", "Use https://"),
        (["add", "https://ilp.example/rosa?x=1"], "no query", "A wallet address looks like"),
        (["add", "$ilp.example/a", "--scope", "all"], "'all'", "--help"),
        (["add", "$ilp.example/a", "--page-size", "30"], "30", "--help"),
        (["add", "$ilp.example/a"], "there is none yet", "--new-key"),
        (["add", "$ilp.example/a", "--new-key", "--key-file", "k.pem"], "exclude", "Leave one"),
        (["add", "$ilp.example/a", "--key-id", "k"], "There is no key “k”", "--key-file"),
        (["add", "$ilp.example/a", "--key-file", "/no.pem"], "no key file at /no.pem", "key new"),
        (["remove"], "required: NAME", "--help"),
        (["remove", "shp"], "There is no wallet “shp”", "opdash wallet add"),
        (["lst"], "“lst” is not a command", "Did you mean “opdash wallet list”?"),
    ],
)
def test_bad_input_gets_a_sentence_and_the_next_step(
    shell: Shell, words: list[str], said: str, advice: str
) -> None:
    ran = shell("wallet", *words)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert advice in ran.err


def test_a_wallet_twice_is_refused_before_anything_is_asked(
    shop: Shell, sandbox: SandboxProcess, key: list[str]
) -> None:
    ran = shop("wallet", "add", sandbox.main_wallet, *key)

    assert ran.code == 2
    assert "set up already, as “shop”" in ran.err
    assert "opdash key replace shop" in ran.err
    assert "opdash wallet remove shop" in ran.err


def test_a_client_that_serves_no_key_is_told_once(
    shell: Shell, fresh_sandbox: SandboxProcess
) -> None:
    fresh_sandbox.hide_keys(fresh_sandbox.client.key_id)
    client = fresh_sandbox.client
    words = ["--client", client.wallet_address, "--key-id", client.key_id]
    ran = shell.done(
        "wallet", "add", fresh_sandbox.main_wallet, *words, "--key-file", str(client.private_key)
    )
    assert ran.err.count("✗ Key") == 1
    assert ran.err.count("Register the key") == 1
    assert "serves none at all" in ran.err


def test_a_poll_interval_out_of_bounds_is_refused(
    shell: Shell, sandbox: SandboxProcess, key: list[str]
) -> None:
    ran = shell("wallet", "add", sandbox.main_wallet, *key, "--poll-interval", "0.01")

    assert ran.code == 2
    assert "from 0.2 to 3600 seconds" in ran.err
    assert not shell.config.exists()


def test_an_unknown_wallet_address_is_not_saved(
    shell: Shell, sandbox: SandboxProcess, key: list[str]
) -> None:
    ran = shell("wallet", "add", sandbox.url + "/nobody", *key)

    assert ran.code == 1
    assert "knows no such wallet address" in ran.err
    assert "Check the address" in ran.err
    assert not shell.config.exists()


def test_a_key_is_made_for_a_wallet_that_answers_and_waited_for(
    shell: Shell, sandbox: SandboxProcess
) -> None:
    refused = shell("wallet", "add", sandbox.url + "/nobody", "--new-key")
    assert refused.code == 1
    assert not (shell.data_dir / "keys").exists()

    with client_server() as provider:
        process = shell.spawn(
            *("wallet", "add", sandbox.main_wallet, "--client", provider.address),
            *("--new-key", "--wait", "--json"),
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        said = ""
        while "Checking again and again" not in said:
            said += process.stderr.readline()
        (profile,) = shell.settings.profiles  # saved before it is ready
        assert profile.key_file is not None
        key = read_key(profile.key_file, profile.key_id)
        provider.register(json.dumps(key.public_jwk()))
        out, rest = process.communicate(timeout=60)

    assert process.returncode == 0
    assert json.loads(out)["ready"] is True
    assert "✓ Signed list" in rest
    assert "✗ Key" in said


def test_waiting_can_be_ended_and_the_wallet_is_saved(
    shell: Shell, sandbox: SandboxProcess
) -> None:
    process = shell.spawn(
        *("wallet", "add", sandbox.main_wallet, "--new-key", "--wait", "--json"),
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    while "Checking again and again" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in err
    assert json.loads(out)["ready"] is False
    assert len(shell.settings.profiles) == 1


def test_at_a_terminal_a_key_can_be_picked_or_made(shell: Shell, sandbox: SandboxProcess) -> None:
    for key_id in ("one", "two"):
        shell.done("key", "new", "--key-id", key_id)

    ran = shell.at_terminal("wallet", "add", sandbox.main_wallet, typed="2\n")
    assert ran.code == 0
    assert shell.settings.profiles[0].key_id == "two"

    shell.done("wallet", "remove", "rosa")
    ran = shell.at_terminal("wallet", "add", sandbox.main_wallet, typed="n\n")
    assert ran.code == 0
    assert shell.settings.profiles[0].key_id not in ("one", "two")

    shell.done("wallet", "remove", "rosa")
    ran = shell.at_terminal("wallet", "add", sandbox.main_wallet, typed="7\n")
    assert ran.code == 2
    assert "none of the keys" in ran.err


def test_a_key_with_a_passphrase_is_opened_once_and_nothing_of_it_is_kept(
    shell: Shell, sandbox: SandboxProcess, key: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shell.config.parent.parent / "locked.pem"
    client = sandbox.client
    plain = read_key(client.private_key, client.key_id)
    write_key(path, plain, Secret("correct horse"))
    words = ["wallet", "add", sandbox.main_wallet, *key[:-1], str(path)]

    ran = shell(*words)
    assert ran.code == 2
    assert "protected with a passphrase" in ran.err
    assert "OPDASH_KEY_PASSPHRASE" in ran.err

    ran = shell.at_terminal(*words, typed="wrong\ncorrect horse\n", prompt=".pem: ")
    assert ran.code == 0, ran.err
    assert ran.err.count(f"Passphrase of {path}") == 2
    assert "That passphrase does not open it." in ran.err
    assert "correct horse" not in ran.err + ran.out + shell.config.read_text()
    assert "Everything is ready." in ran.err

    ran = shell.at_terminal("list", typed="correct horse\n", prompt=".pem: ")
    assert ran.code == 0, ran.err
    assert ran.err.count("Passphrase of") == 1
    monkeypatch.setenv("OPDASH_KEY_PASSPHRASE", "correct horse")
    shell.done("list")
