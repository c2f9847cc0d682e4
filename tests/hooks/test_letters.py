from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from opdash.hooks.letters import MOST_BYTES, Letter, bounded
from tests.hooks.doubles import record


def test_a_letter_says_what_happened_in_json_and_in_words() -> None:
    letter = Letter.of(record(3))
    assert json.loads(letter.body) == record(3)
    assert letter.id == "0123456789-3-00000000"
    assert letter.variables == {
        "OPDASH_EVENT": "changed",
        "OPDASH_EVENT_ID": "0123456789-3-00000000",
        "OPDASH_ANNOUNCE": "paid",
        "OPDASH_WALLET": "shop",
        "OPDASH_PAYMENT": "https://rs.example/incoming-payments/3",
        "OPDASH_STATE": "PAID",
        "OPDASH_RECEIVED": "7.00",
        "OPDASH_ASSET": "USD",
        "OPDASH_REFERENCE": "INV-7",
    }


@given(text=st.text())
def test_remote_words_can_do_no_harm(text: str) -> None:
    letter = Letter.of(record(reference=text, description=text, metadata={text: text}))
    assert letter.body.isascii()
    assert json.loads(letter.body)["payment"]["reference"] == text
    assert letter.variables["OPDASH_REFERENCE"].isprintable()
    letter.variables["OPDASH_REFERENCE"].encode()


def test_metadata_beyond_measure_are_left_out() -> None:
    letter = Letter.of(record(metadata={"a": "x" * MOST_BYTES}))
    payment = json.loads(letter.body)["payment"]
    assert (payment["metadata"], payment["metadataLeftOut"]) == ({}, True)
    assert len(letter.body) < MOST_BYTES
    assert "metadataLeftOut" not in json.loads(Letter.of(record()).body)["payment"]


def test_what_is_kept_of_an_event_makes_the_same_letter() -> None:
    for one in (record(), record(metadata={"a": "x" * MOST_BYTES})):
        assert Letter.of(bounded(one)) == Letter.of(one)
