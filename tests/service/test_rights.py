"""What opdash asks for is as little as a profile needs, and can be read by people."""

from __future__ import annotations

import pytest

from opdash.ledger.records import Scope
from opdash.openpayments.grants import Access
from opdash.service.rights import Right, access_of, does_for, in_words, needs_consent, purpose

ROSA = "https://ilp.example/rosa"
WRITING = {"create", "complete"}


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("right", Right)
def test_a_read_only_profile_asks_for_read_and_list_rights_only(right: Right, scope: Scope) -> None:
    (item,) = access_of(right, scope, ROSA, read_only=True)
    assert item.actions
    assert not set(item.actions) & WRITING
    assert purpose((item,)).startswith("read ")
    assert not any(deed.startswith(("create", "complete")) for deed in in_words((item,)))


def test_a_full_profile_may_create_and_complete() -> None:
    (item,) = access_of(Right.INCOMING, Scope.OWN, ROSA)
    assert set(item.actions) > WRITING
    assert item.identifier is None
    assert purpose((item,)) == "read and create incoming payments"


def test_everything_names_the_wallet_address() -> None:
    (item,) = access_of(Right.INCOMING, Scope.EVERYTHING, ROSA)
    assert {"list-all", "read-all"} < set(item.actions)
    assert item.identifier == ROSA


def test_what_a_wider_right_covers_is_not_said_twice() -> None:
    access = access_of(Right.INCOMING, Scope.EVERYTHING, ROSA)
    assert in_words(access) == (
        "list every incoming payment, whoever created it",
        "read every incoming payment",
        "create incoming payments",
        "complete incoming payments",
    )
    assert in_words(access_of(Right.INCOMING, Scope.OWN, ROSA, read_only=True)) == (
        "list the incoming payments that opdash created",
        "read the incoming payments that opdash created",
    )


def test_rights_that_nobody_knows_are_said_all_the_same() -> None:
    assert in_words((Access("quote", ("read", "burn")),)) == (
        "read the quotes that opdash created",
        "burn quotes",
    )


def test_which_rights_need_consent() -> None:
    assert [needs_consent(right, scope) for right in Right for scope in Scope] == [
        False,
        True,
        True,
        True,
    ]


def test_a_payment_is_looked_up_with_the_right_to_read_alone() -> None:
    (item,) = access_of(Right.OUTGOING, Scope.OWN, ROSA)
    assert set(item.actions) == {"read", "read-all"}
    assert purpose((item,)) == "read outgoing payments"
    (wider,) = access_of(Right.OUTGOING, Scope.OWN, ROSA, listing=True)
    assert set(wider.actions) == {"read", "read-all", "list", "list-all"}
    assert purpose((wider,)) == "read and list outgoing payments"


def test_which_grant_does_for_which() -> None:
    reading, listing = (
        access_of(Right.OUTGOING, Scope.OWN, ROSA, listing=listing) for listing in (False, True)
    )
    assert does_for(listing, reading)
    assert not does_for(reading, listing)
    others = access_of(Right.OUTGOING, Scope.OWN, "https://ilp.example/other", listing=True)
    assert not does_for(others, reading)
    own, everything = (access_of(Right.INCOMING, scope, ROSA) for scope in Scope)
    assert does_for(own, own)
    assert not does_for(everything, own), "it would show more than the scope"
    assert not does_for(everything, reading)
