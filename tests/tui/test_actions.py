from __future__ import annotations

import re
from collections import Counter

import pytest
from rich.cells import cell_len
from textual.binding import BindingsMap

from opdash.tui.actions import (
    HIDDEN,
    MODAL_PLACES,
    Action,
    Place,
    actions_at,
    bindings,
    key_name,
    key_of,
)
from opdash.tui.actions.registry import ACTIONS
from opdash.tui.widgets.key_line import key_spans
from opdash.tui.widgets.line import width_of


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: f"{action.id}-{action.argument}")
def test_every_action_has_keys_a_label_a_sentence_and_a_place(action: Action) -> None:
    assert action.keys
    assert action.places
    assert 0 < cell_len(action.label) <= 20
    assert re.fullmatch(r"[A-Z].*\.", action.help)
    assert action.argument is None or re.fullmatch(r"[A-Z].*\.", action.family_help)


@pytest.mark.parametrize("place", Place, ids=lambda place: place.name)
def test_a_key_does_one_thing_in_one_place(place: Place) -> None:
    keys = Counter(key for action in actions_at(place) for key in action.keys)
    assert {key for key, times in keys.items() if times > 1} <= _shadowing(place)


def _shadowing(place: Place) -> set[str]:
    """Return the keys by which a place's own action stands in for one that works everywhere."""
    own = {key for action in ACTIONS if place in action.places for key in action.keys}
    general = {key for action in ACTIONS if Place.ANYWHERE in action.places for key in action.keys}
    return own & general if place is not Place.ANYWHERE else set()


@pytest.mark.parametrize("place", Place, ids=lambda place: place.name)
def test_no_action_of_a_place_is_left_out(place: Place) -> None:
    """The table's actions are kept apart from the registry, to be known sooner."""
    own = tuple(action for action in ACTIONS if place in action.places)
    general = tuple(action for action in ACTIONS if Place.ANYWHERE in action.places)
    modal = place in MODAL_PLACES or place is Place.ANYWHERE
    assert actions_at(place) == (own if modal else own + general)


@pytest.mark.parametrize("place", Place, ids=lambda place: place.name)
def test_textual_understands_every_key(place: Place) -> None:
    bound = BindingsMap(bindings(place)).key_to_bindings
    wanted = {key for action in ACTIONS if place in action.places for key in action.keys}
    assert set(bound) == wanted
    for action in ACTIONS:
        if place in action.places:
            for key in action.keys:
                assert action.run in [binding.action for binding in bound[key]]


def test_what_works_everywhere_works_on_every_screen_and_in_no_dialog() -> None:
    for place in Place:
        offered = {action.id for action in actions_at(place)}
        everywhere = {"command_palette", "help", "toggle_theme", "quit"} <= offered
        assert everywhere is (place not in MODAL_PLACES)


def test_an_action_runs_on_its_screen_or_on_the_app() -> None:
    runs = {(action.id, action.argument): action.run for action in ACTIONS}
    assert runs["copy_url", None] == "screen.copy_url"
    assert runs["sort_by", 3] == "screen.sort_by(3)"
    assert runs["quit", None] == "app.quit"


def test_keys_are_written_as_people_write_them() -> None:
    assert [key_name(key) for key in ("enter", "ctrl+p", "G", "pagedown", "f1")] == [
        "⏎",
        "Ctrl+P",
        "G",
        "PgDn",
        "F1",
    ]
    spelt = [key for action in ACTIONS for key in action.shown_keys.split() if len(key) > 3]
    assert not [key for key in spelt if key.islower() or "_" in key]
    assert key_of("scope", Place.PAYMENTS) == "S"
    help_ = next(action for action in ACTIONS if action.id == "help")
    assert help_.shown_key == "?"
    assert help_.shown_keys == "? F1"


@pytest.mark.parametrize("place", Place, ids=lambda place: place.name)
@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
def test_a_key_line_fits_and_loses_what_matters_least_first(place: Place, width: int) -> None:
    ranked = tuple(action for action in actions_at(place) if action.rank is not HIDDEN)
    if not ranked:
        return
    shown = [span.text.strip() for span in key_spans(ranked, width)]
    assert width_of(key_spans(ranked, width)) <= width
    kept = [action for action in ranked if action.label in shown]
    lost = [action for action in ranked if action not in kept]
    assert max(action.rank for action in kept) <= min(
        (action.rank for action in lost), default=len(ACTIONS)
    )
