"""How invoices are named in metadata, in other spellings and in descriptions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.books.naming import name_words, names_in, normalised, references, words


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ("", ()),
        ("{}", ()),
        ('{"externalRef":"INV-7"}', ("INV-7",)),
        ('{"invoiceNumber":"7","orderId":"8","reference":"9"}', ("7", "8", "9")),
        ('{"order":{"lines":[{"orderId":12}]}}', ("12",)),
        ('{"external_ref":"A","Invoice-Number":"B"}', ("A", "B")),
        ('{"externalRef":"A","reference":"A"}', ("A",)),
        ('{"externalRef":12345678901234567890123}', ("12345678901234567890123",)),
        ('{"externalRef":1.50}', ("1.50",)),
        ('{"externalRef":true,"reference":null,"orderId":"  "}', ()),
        ('{"refer":"INV-7","description":"INV-8"}', ()),
        ("[" * 5000 + "]" * 5000, ()),
        ("not json", ()),
    ],
)
def test_references_are_read_at_any_depth(metadata: str, expected: tuple[str, ...]) -> None:
    assert references(metadata) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("INV-2026-0412", "inv 2026/0412"),
        ("INV-7", "#inv_7"),
        ("ＩＮＶ－７", "inv7"),
        ("Straße 4", "STRASSE4"),
        ("a\u200bb1", "AB1"),
        ("№ 12", "No12"),
    ],
)
def test_spellings_of_one_number_are_alike(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), [("INV-7", "INV-8"), ("10$", "10"), ("A1", "1A")])
def test_other_numbers_are_not(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_is_the_long_way(text: str) -> None:
    assert normalised(text + "é") == normalised(text) + "é"


def test_a_number_is_found_as_a_whole_token_only() -> None:
    def named(number: str, description: str) -> bool:
        return words(number) in set(names_in(description))

    assert named("INV-7001", "Thanks for inv-7001.")
    assert named("INV-7001", "(INV-7001), the lamp")
    assert named("INV 7001", "pays INV 7001 today")
    assert not named("INV-7001", "pays INV-7001-B")
    assert not named("INV-7001", "pays INV-70012")
    assert not named("INV-7001", "pays XINV-7001")
    assert not named("1020", "2 lamps, 10 20 watts")


def test_short_or_plain_words_are_not_looked_for() -> None:
    assert name_words("INV-7 b") == ("inv-7", "b")
    assert name_words("2026") == ("2026",)
    assert not name_words("77")
    assert not name_words("LAMP")
