from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace
from textual.app import App, ComposeResult

from opdash.ledger.records import Creation, CreationStatus
from opdash.tui.themes import DARK
from opdash.tui.widgets.notices import (
    Notices,
    creation_name,
    creation_result,
    creation_sentence,
)
from tests.tui.doubles import NOW, USD


def creation(status: CreationStatus = CreationStatus.UNKNOWN, **draft: Any) -> Creation:
    body = {
        "incomingAmount": {"value": "2500", "assetCode": "USD", "assetScale": 2},
        "metadata": {"externalRef": "INV-7"},
    }
    return Creation(
        request_id="r1",
        wallet="https://ilp.example/rosa",
        draft_json=json.dumps(body | draft),
        status=status,
        created_at=NOW,
        updated_at=NOW,
    )


def test_a_creation_is_named_by_amount_and_reference() -> None:
    assert creation_name(creation(), USD) == "25.00 USD INV-7"
    assert creation_name(creation(metadata={"description": "a\nb"}), USD) == "25.00 USD a␊b"
    assert creation_name(creation(incomingAmount=None), USD) == "any amount INV-7"
    assert creation_name(replace(creation(), draft_json="no json"), USD) == "a payment"


def test_what_has_no_answer_says_so_until_it_has() -> None:
    assert creation_sentence(creation(), USD) == (
        "Creating 25.00 USD INV-7: no answer yet, checking the list…"
    )
    assert creation_sentence(creation(CreationStatus.SENT), USD) == "Creating 25.00 USD INV-7…"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (CreationStatus.CREATED, "Created 25.00 USD INV-7."),
        (CreationStatus.NOT_FOUND, "it was not created"),
        (CreationStatus.FAILED, "25.00 USD INV-7 was not created. The server said no."),
    ],
)
def test_every_end_has_its_sentence(status: CreationStatus, words: str) -> None:
    ended = replace(creation(status), error="The server said no.")
    assert words in creation_result(ended, USD)


class NoticesApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Notices()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DARK.variables


async def test_notices_take_room_only_while_there_are_any() -> None:
    app = NoticesApp()
    async with app.run_test(size=(80, 10)) as pilot:
        notices = app.query_one(Notices)
        assert notices.region.height == 0
        notices.tell("[b]Offline[/b]\x1b[2J.", ["one", "two", "three"])
        await pilot.pause()
        assert notices.region.height == 4
        assert str(notices.content).splitlines() == [
            "▲ [b]Offline[/b]␛[2J.",
            "◌ one",
            "◌ two",
            "◌ and 1 more creation without an answer yet",
        ]
        notices.tell("", [])
        await pilot.pause()
        assert notices.region.height == 0
