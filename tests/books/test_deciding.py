"""What a person may decide: nobody gives away more of a payment than there is of it."""

from __future__ import annotations

import pytest

from opdash.books.deciding import check_link, room_left
from opdash.books.records import Link
from opdash.errors import InputError
from tests.books.builders import SERVER, USD

P1, P2 = f"{SERVER}/p1", f"{SERVER}/p2"
LINKS = (Link("A-1", P1, 300), Link("A-2", P2), Link("A-3", P1, 100))


def test_what_is_left_of_a_payment() -> None:
    assert room_left(1000, None, LINKS, P1) == 600
    assert room_left(1000, None, LINKS, P1, ("A-1",)) == 900
    assert room_left(0, 500, LINKS, P1) == 100
    assert room_left(0, None, LINKS, P1) == 0


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Link("A-9", P1, 601), "Only 6.00 USD of this payment is left."),
        (Link("A-9", P2), "All of this payment is A-2's already."),
    ],
)
def test_more_than_there_is_cannot_be_given_away(wanted: Link, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_link(1000, None, USD, LINKS, wanted)


@pytest.mark.parametrize(
    "wanted", [Link("A-9", P1, 600), Link("A-1", P1, 900), Link("A-2", P2), Link("A-9", P1)]
)
def test_what_is_left_can(wanted: Link) -> None:
    check_link(1000, None, USD, LINKS, wanted)
