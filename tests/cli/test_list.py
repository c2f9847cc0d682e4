"""``opdash list`` and ``opdash show``: fetched, then printed from the ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from opdash.ledger.records import Scope
from opdash.ledger.search.saved import SavedSearch
from opdash.ledger.states import OPEN_STATES, State
from opdash.paths import token_path
from opdash.sandbox.process import SandboxProcess
from opdash.settings import SettingsStore
from tests.cli.conftest import Shell, shop_profile

EVIL = "\x1b[2J[/nope] \u202eevil\nline"


@pytest.fixture
def payment(shop: Shell) -> str:
    """A payment of 80.00 with a text that attacks the terminal."""
    words = ["--amount", "80", "--reference", "INV-1", "--description", EVIL, "--metadata", "a=b"]
    url: str = shop.done("create", *words, "--json").line["paymentId"]
    return url


def test_the_newest_are_listed_first(shop: Shell, payment: str) -> None:
    lines = shop.done("list", "--json").lines

    assert len(lines) == 20
    assert lines[0]["id"] == payment
    created = [line["createdAt"] for line in lines]
    assert created == sorted(created, reverse=True)


def test_every_field_of_a_payment_is_printed(
    shop: Shell, payment: str, sandbox: SandboxProcess
) -> None:
    line = shop.done("list", "--first", "1", "--json").line

    amount = {"value": "8000", "assetCode": "USD", "assetScale": 2, "decimal": "80.00"}
    assert line["asked"] == amount
    assert line["received"] == {**amount, "value": "0", "decimal": "0.00"}
    assert line["difference"] == {**amount, "value": "-8000", "decimal": "-80.00"}
    assert (line["wallet"], line["walletAddress"]) == ("shop", sandbox.main_wallet)
    assert (line["state"], line["completed"], line["final"]) == ("UNPAID", False, False)
    assert (line["reference"], line["description"]) == ("INV-1", EVIL)
    assert line["metadata"]["a"] == "b"
    assert line["expiresAt"] > line["createdAt"]
    assert (line["goneAt"], line["reachedAt"], line["anomalies"]) == (None, None, [])
    assert {State(line["state"])} == {State.UNPAID}


def test_as_many_as_wanted_are_fetched(shop: Shell, sandbox: SandboxProcess) -> None:
    assert len(shop.done("list", "--first", "3", "--json").lines) == 3
    many = shop.done("list", "--first", "60", "--json").lines

    assert len(many) == 60
    assert len({line["id"] for line in many}) == 60


def test_all_walks_to_the_end_of_the_servers_list(shell: Shell, sandbox: SandboxProcess) -> None:
    wallet = sandbox.wallet_addresses[1]
    shell.set_up(shop_profile(sandbox, wallet_address=wallet, page_size=20))

    lines = shell.done("list", "--all", "--json").lines

    at_server = next(w for w in sandbox.state()["walletAddresses"] if w["id"] == wallet)
    assert 0 < len(lines) <= at_server["payments"]
    assert "the server has more" not in shell.done("list").err


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (Scope.OWN, "scope: created by opdash only"),
        (Scope.EVERYTHING, "scope: everything on this wallet"),
    ],
)
def test_the_scope_is_told(shell: Shell, sandbox: SandboxProcess, scope: Scope, words: str) -> None:
    shell.set_up(shop_profile(sandbox, scope=scope))
    assert words in shell.done("list").err


def test_the_table_is_aligned_and_harmless(shop: Shell, payment: str) -> None:
    ran = shop.done("list", "--first", "2")

    heading, first, _ = ran.out.splitlines()
    assert heading.split()[:6] == ["Id", "State", "Asked", "USD", "Received", "USD"]
    assert payment.rpartition("/")[2].startswith(first.split()[0])
    assert "○ UNPAID" in first
    assert first.index("80.00") + len("80.00") == heading.index("Asked USD") + len("Asked USD")
    assert "␛[2J[/nope]" in first
    assert not set(ran.out) & {"\x1b", "\u202e"}
    assert "2 of" in ran.err


def test_an_empty_wallet_is_an_empty_list(shell: Shell, sandbox: SandboxProcess) -> None:
    shell.set_up(shop_profile(sandbox, wallet_address=sandbox.wallet_addresses[-1]))

    assert shell.done("list").out == ""
    assert shell.done("list", "--json").out == ""


@pytest.fixture
def mortal(start_sandbox: Callable[..., SandboxProcess], tmp_path: Path) -> SandboxProcess:
    """A sandbox to stop, whose client keeps its key."""
    return start_sandbox(key_file=tmp_path / "client.pem")


def test_offline_prints_what_is_known(shell: Shell, mortal: SandboxProcess) -> None:
    shell.set_up(shop_profile(mortal))
    assert shell.done("list", "--offline").out == ""
    online = shell.done("list", "--json").lines
    mortal.stop()

    offline = shell.done("list", "--offline", "--json").lines

    assert [line["id"] for line in offline] == [line["id"] for line in online]


def test_a_server_that_is_away_leaves_what_is_known_and_says_so(
    shell: Shell, mortal: SandboxProcess
) -> None:
    shell.set_up(shop_profile(mortal))
    online = shell.done("list", "--json").lines
    mortal.stop()

    ran = shell("list", "--json")

    assert ran.code == 5
    assert [line["id"] for line in ran.lines] == [line["id"] for line in online]
    assert ran.err.startswith("opdash: ")


def test_several_wallets_need_a_name(shop: Shell, sandbox: SandboxProcess) -> None:
    other = shop_profile(sandbox, name="other", wallet_address=sandbox.wallet_addresses[1])
    shop.set_up(*shop.settings.profiles, other)

    ran = shop("list")
    assert ran.code == 2
    assert "--wallet: shop, other" in ran.err

    assert shop.done("list", "--wallet", "other", "--json").lines[0]["wallet"] == "other"
    assert shop.done("--wallet", "other", "list", "--json").lines[0]["wallet"] == "other"


def test_a_person_at_a_terminal_is_asked_which_wallet(shop: Shell, sandbox: SandboxProcess) -> None:
    other = shop_profile(sandbox, name="other", wallet_address=sandbox.wallet_addresses[1])
    shop.set_up(*shop.settings.profiles, other)

    ran = shop.at_terminal("list", "--json", typed="2\n")

    assert ran.code == 0
    assert ran.lines[0]["wallet"] == "other"
    assert "Which wallet?" in ran.err


# searches


def test_a_filter_leaves_those_that_match(shop: Shell, payment: str) -> None:
    ran = shop.done("list", "--filter", "ref=INV-1 amount:80", "--json")
    assert payment in [line["id"] for line in ran.lines]
    assert {line["reference"] for line in ran.lines} == {"INV-1"}

    table = shop.done("list", "--filter", "ref=INV-1 amount:80", "--first", "1", "--offline")
    number = len(ran.lines)
    assert len(table.out.splitlines()) == 2
    total, footer = table.err.splitlines()
    assert total.startswith(f"{number} payment")
    assert f"asked {80 * number:,}.00 USD" in total
    assert footer.startswith(f"1 of {number} that match, of ")

    assert shop.done("list", "--filter", "-ref:INV ref:INV").out == ""
    others = shop.done("list", "--filter", "-ref=INV-1", "--all", "--json").lines
    assert others
    assert "INV-1" not in {line["reference"] for line in others}
    assert shop("list", "--filter", "--json").code == 2


def test_a_wrong_term_is_explained_before_anything_is_asked(shop: Shell) -> None:
    ran = shop("list", "--filter", "stat:paid")
    assert ran.code == 2
    assert ran.out == ""
    assert "“stat:” is not a term.\n  Did you mean “state”?" in ran.err


def test_a_saved_search_is_named(shop: Shell, payment: str) -> None:
    store = SettingsStore(shop.config)
    store.save(replace(store.load(), searches=(SavedSearch("First", "ref=INV-1", "shop"),)))

    assert payment in [line["id"] for line in shop.done("list", "--saved", "first", "--json").lines]
    states = {line["state"] for line in shop.done("list", "--saved", "Open", "--json").lines}
    assert states <= {state.value for state in OPEN_STATES}
    assert "UNPAID" in states

    ran = shop("list", "--saved", "Frst")
    assert ran.code == 2
    assert "There is no saved search “Frst”.\n  Did you mean “First”?" in ran.err
    assert shop("list", "--saved", "Open", "--filter", "x").code == 2


# show


def test_a_payment_is_shown_with_its_time_line(
    shop: Shell, payment: str, sandbox: SandboxProcess
) -> None:
    sandbox.pay(payment, 5000)
    sandbox.advance(1)

    line = shop.done("show", payment, "--json").line

    assert (line["id"], line["state"]) == (payment, "PARTIAL")
    assert line["difference"]["decimal"] == "-30.00"
    kinds = [step["kind"] for step in line["timeline"]]
    assert "created" in kinds
    assert line["timeline"][-1]["delta"]["decimal"] == "50.00"


def test_a_payment_is_found_by_a_part_of_its_id(shop: Shell, payment: str) -> None:
    name = payment.rpartition("/")[2]

    for part in (name, name[:13], name[-12:]):
        ran = shop.done("show", part)
        assert payment in ran.out
        assert "○ UNPAID" in ran.out
        assert "80.00 USD" in ran.out
        assert "−80.00 USD" in ran.out
        assert "created by opdash" in ran.out
        assert "\x1b" not in ran.out


def test_a_payment_that_only_the_server_knows_is_fetched(
    shop: Shell, payment: str, tmp_path: Path, sandbox: SandboxProcess
) -> None:
    shop.data_dir = tmp_path / "other data"

    assert shop.done("show", payment, "--json").line["reference"] == "INV-1"


def test_a_payment_elsewhere_is_shown_as_far_as_anyone_may_read_it(
    shell: Shell, fresh_sandbox: SandboxProcess, payment: str, tmp_path: Path
) -> None:
    shell.set_up(shop_profile(fresh_sandbox))
    shell.data_dir = tmp_path / "other data"

    ran = shell.done("show", payment, "--json")

    assert ran.line["public"] is True
    assert ran.line["received"]["decimal"] == "0.00"
    assert "none of your wallets'" in ran.err


def test_a_payment_of_a_wallet_that_was_removed_is_remembered(shop: Shell, payment: str) -> None:
    other = shop.settings.profiles[0]
    shop.set_up(replace(other, name="new", wallet_address="https://ilp.example/new"))

    ran = shop.done("show", payment, "--json")

    assert (ran.line["id"], ran.line["wallet"]) == (payment, "")
    assert "no longer set up" in ran.err
    assert shop("complete", payment, "--yes", "--received", "0").code == 2


def test_a_payment_that_vanished_is_shown_as_remembered(
    shell: Shell, fresh_sandbox: SandboxProcess
) -> None:
    shell.set_up(shop_profile(fresh_sandbox))
    words = ["--amount", "5", "--expires-in", "60s", "--json"]
    payment = shell.done("create", *words).line["paymentId"]
    fresh_sandbox.advance(3600)

    ran = shell.done("show", payment, "--json")

    assert "no longer has this payment" in ran.err
    assert (ran.line["state"], ran.line["noLongerAtServer"]) == ("EXPIRED UNPAID", True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "--first", "0"], "no whole number greater than zero"),
        (["list", "--first", "x"], "no whole number greater than zero"),
        (["list", "--all", "--offline"], "Leave one of them out"),
        (["list", "--wallet", "shp"], "Did you mean “shop”?"),
        (["list", "--jsn"], "Did you mean “--json”?"),
        (["show"], "required: ID"),
        (["show", "nosuchpayment"], "opdash knows no payment “nosuchpayment”"),
        (["show", "nosuchpayment", "--offline"], "opdash knows no payment “nosuchpayment”"),
        (["show", "ftp://x/y"], "does not begin with https://"),
        (["show", "http://ilp.example/incoming-payments/1"], "Use https:// instead"),
    ],
)
def test_bad_input_gets_a_sentence(shop: Shell, words: list[str], said: str) -> None:
    ran = shop(*words)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_payment_tells_by_itself_which_wallet_it_belongs_to(
    shop: Shell, sandbox: SandboxProcess
) -> None:
    other = shop_profile(sandbox, name="other", wallet_address=sandbox.wallet_addresses[1])
    shop.set_up(*shop.settings.profiles, other)
    created = shop.done("create", "--wallet", "other", "--amount", "3", "--json").line
    payment = created["paymentId"]
    known = shop.done("show", payment, "--json").line
    for ledger in shop.data_dir.glob("ledger*"):
        ledger.unlink()

    fetched = shop.done("show", payment, "--json").line

    for shown in (known, fetched):
        assert (shown["wallet"], shown["anomalies"]) == ("other", [])
    assert shop.done("complete", payment, "--yes", "--received", "0", "--json").line["completed"]
    assert payment not in {
        line["id"] for line in shop.done("list", "--wallet", "shop", "--offline", "--json").lines
    }


def test_kept_tokens_that_others_can_read_are_told_once(shop: Shell) -> None:
    shop.done("list")
    path = token_path(shop.data_dir, "shop")
    path.chmod(0o640)
    ran = shop.done("list", "--json")
    assert ran.lines
    assert ran.err.count("are not used: others can read the file.") == 1
    assert f"chmod 600 {path}" in ran.err
    path.chmod(0o600)
    assert "not used" not in shop.done("list").err
