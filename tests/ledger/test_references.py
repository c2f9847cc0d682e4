from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.ledger.references import reference_and_description, same_metadata


@pytest.mark.parametrize(
    ("metadata", "reference", "description"),
    [
        ("", "", ""),
        ("{}", "", ""),
        ('{"externalRef":"INV-1","description":"Two lamps"}', "INV-1", "Two lamps"),
        ('{"reference":"d","orderId":"c","invoiceNumber":"b","externalRef":"a"}', "a", ""),
        ('{"reference":"d","orderId":"c","invoiceNumber":"b"}', "b", ""),
        ('{"reference":"d","orderId":"c"}', "c", ""),
        ('{"reference":"d"}', "d", ""),
        ('{"externalRef":"","orderId":"c"}', "c", ""),
        ('{"externalRef":null,"orderId":{"a":1},"reference":true}', "", ""),
        ('{"externalRef":1200,"description":17}', "1200", "17"),
        ('{"externalRef":1.50,"description":-1e3}', "1.50", "-1e3"),
        ('{"externalRef":123456789012345678901234567890}', "123456789012345678901234567890", ""),
        ('{"description":["a"],"externalRef":[1]}', "", ""),
        ('{"description":"\\u001b[31m\\n[/b] \\u202e"}', "", "\x1b[31m\n[/b] \u202e"),
        ('{"externalRef":"a\\u0000b"}', "a\0b", ""),
        ('{"externalRef":"\\ud800"}', "", ""),
        ('{"externalRef":"a"', "", ""),
        ("[]", "", ""),
        ('{"EXTERNALREF":"no"}', "", ""),
    ],
)
def test_what_metadata_says(metadata: str, reference: str, description: str) -> None:
    assert reference_and_description(metadata) == (reference, description)


def test_metadata_nested_too_deeply_says_nothing() -> None:
    assert reference_and_description('{"a":' + "[" * 100_000) == ("", "")
    deep = '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"
    assert reference_and_description(deep) == ("", "")
    assert not same_metadata(deep, "{}")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}', True),
        ('{"a": 1}', '{"a":1}', True),
        ('{"a":[1,2]}', '{"a":[2,1]}', False),
        ('{"a":1}', '{"a":true}', False),
        ('{"a":0}', '{"a":false}', False),
        ('{"a":1}', '{"a":1.0}', False),
        ('{"a":1.10}', '{"a":1.1}', False),
        ('{"a":"1"}', '{"a":1}', False),
        ('{"a":null}', "{}", False),
        ("", "{}", False),
        ('{"a":10000000000000000000000001}', '{"a":10000000000000000000000002}', False),
        ("broken", "broken", True),
        ("broken", "{}", False),
    ],
)
def test_key_order_and_blanks_alone_are_no_change(one: str, other: str, same: bool) -> None:
    assert same_metadata(one, other) is same
    assert same_metadata(other, one) is same


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=5), st.randoms())
def test_an_object_is_the_same_in_any_key_order(value: dict[str, object], random: object) -> None:
    shuffled = dict(sorted(value.items(), key=lambda item: hash((item[0], str(random)))))
    assert same_metadata(json.dumps(value), json.dumps(shuffled, indent=1))


@given(st.dictionaries(st.text(), json_values), st.dictionaries(st.text(), json_values))
def test_different_objects_are_different(one: dict[str, object], other: dict[str, object]) -> None:
    texts = json.dumps(one, sort_keys=True), json.dumps(other, sort_keys=True)
    assert same_metadata(*texts) == (texts[0] == texts[1])


@given(st.text(), st.text())
def test_texts_are_given_as_sent(reference: str, description: str) -> None:
    metadata = json.dumps({"externalRef": reference, "description": description})
    assert reference_and_description(metadata) == (reference, description)
