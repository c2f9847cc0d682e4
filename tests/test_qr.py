"""QR codes: what is drawn is the code itself, with white around it, whatever the text."""

from __future__ import annotations

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from opdash.qr import QUIET, SMALL_QUIET, QrCode, fitting_code, qr_code

CONSENT = (
    "https://auth.wallet.example/interact/13877a61-478f-4e7b-8233-0e1463bf6fd7/4B80DFEED7072472"
    "?clientName=Client+App&clientUri=https%3A%2F%2Fwallet.example%2Fclient"
)
DARK_ABOVE, DARK_BELOW = "▀█", "▄█"


def modules(code: QrCode) -> list[list[int]]:
    """Read the modules back from what is drawn."""
    rows = []
    for line in code.lines:
        rows.append([int(cell in DARK_ABOVE) for cell in line])
        rows.append([int(cell in DARK_BELOW) for cell in line])
    return rows


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=400))
@pytest.mark.parametrize("quiet", [QUIET, SMALL_QUIET])
def test_what_is_drawn_is_the_code_with_white_around_it(quiet: int, text: str) -> None:
    code = qr_code(text, quiet)
    assert code is not None
    expected = [
        list(row) for row in segno.make(text, error="l", micro=False, boost_error=False).matrix
    ]
    drawn = modules(code)
    inner = [row[quiet:-quiet] for row in drawn[quiet : quiet + len(expected)]]
    assert inner == expected
    assert len({len(line) for line in code.lines}) == 1
    white = [*drawn[:quiet], *drawn[quiet + len(expected) :]]
    assert quiet <= len(drawn) - quiet - len(expected) <= quiet + 1
    assert not any(any(row) for row in white)
    assert not any(any(row[:quiet]) or any(row[-quiet:]) for row in drawn)


def test_a_real_address_takes_57_columns_and_29_rows() -> None:
    code = qr_code(CONSENT)
    assert code is not None
    assert (code.width, code.height) == (57, 29)


@pytest.mark.parametrize(
    ("room", "size"),
    [
        ((120, 40), (57, 29)),
        ((57, 29), (57, 29)),
        ((56, 29), (53, 27)),
        ((57, 28), (53, 27)),
        ((53, 27), (53, 27)),
        ((52, 27), None),
        ((80, 24), None),
    ],
)
def test_a_code_fits_or_there_is_none(room: tuple[int, int], size: tuple[int, int] | None) -> None:
    code = fitting_code(CONSENT, *room)
    assert (None if code is None else (code.width, code.height)) == size


def test_a_text_that_no_code_holds() -> None:
    assert qr_code("x" * 3000) is None
    assert fitting_code("x" * 3000, 1000, 1000) is None
