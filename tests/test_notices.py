"""Notifications: the right way for each terminal, and never more than a line of plain text."""

from __future__ import annotations

import base64
import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.notices import BELL, Notifier, desktop_command, terminal_notification
from opdash.safetext import safe_text

OSC_9 = {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}
OSC_777 = {"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}
OSC_99 = {"TERM": "xterm-kitty"}
PLAIN = {"TERM": "xterm-256color"}
DESKTOP = {"TERM": "xterm-256color", "WAYLAND_DISPLAY": "wayland-0"}

_OSC_99_BODY = r"\x1b\]99;i=opdash:d=1:e=1:p=body;(?P<text>[A-Za-z0-9+/=]*)\x1b\\"

hostile = st.text() | st.text("\x1b\\\a\x9c\x9d\x07;<>&\n\r9]\u202ea", max_size=40)


@pytest.mark.parametrize(
    ("environment", "begins"),
    [
        (OSC_9, "\x1b]9;opdash: Paid"),
        (OSC_777, "\x1b]777;notify;opdash;Paid"),
        ({"TERM": "foot"}, "\x1b]777;notify;"),
        ({"TERM": "rxvt-unicode-256color"}, "\x1b]777;notify;"),
        ({"TERM_PROGRAM": "ghostty", "TERM": "xterm-ghostty"}, "\x1b]777;notify;"),
        (OSC_99, "\x1b]99;"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "\x1b]99;"),
    ],
)
def test_a_terminal_gets_what_it_understands(environment: dict[str, str], begins: str) -> None:
    assert terminal_notification("Paid: 7.00 USD", environment).startswith(begins)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        PLAIN,
        {"TERM": "linux"},
        {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"},
        {"TERM": "tmux-256color", "TERM_PROGRAM": "WezTerm"},
        {"TERM": "xterm-kitty", "TMUX": "/tmp/tmux-0/default,1,0"},
        {"TERM": "screen", "STY": "1.pts", "KITTY_WINDOW_ID": "1"},
    ],
)
def test_where_nothing_is_known_nothing_is_written(environment: dict[str, str]) -> None:
    assert terminal_notification("Paid", environment) == ""


@given(text=hostile)
def test_no_text_can_end_the_sequence_or_begin_another(text: str) -> None:
    patterns = [
        (OSC_9, r"\x1b\]9;opdash: (?P<text>[^\x00-\x1f\x7f-\x9f]*)\x1b\\"),
        (OSC_777, r"\x1b\]777;notify;opdash;(?P<text>[^\x00-\x1f\x7f-\x9f;]*)\x1b\\"),
        (
            OSC_99,
            r"\x1b\]99;i=opdash:d=0:p=title;opdash\x1b\\" + _OSC_99_BODY,
        ),
    ]
    for environment, pattern in patterns:
        found = re.fullmatch(pattern, terminal_notification(text, environment))
        assert found is not None
        if environment is OSC_99:
            told = base64.b64decode(found["text"]).decode()
            assert told == safe_text(text, limit=240)


@given(text=hostile)
def test_no_text_is_an_option_or_markup_for_the_desktop(text: str) -> None:
    argv = desktop_command(text, DESKTOP, lambda name: f"/usr/bin/{name}")
    assert argv[:4] == ("/usr/bin/notify-send", "--app-name=opdash", "--", "opdash")
    (body,) = argv[4:]
    assert body.isprintable()
    assert not {"<", ">"} & set(body)
    assert html.unescape(body) == html.unescape(html.escape(safe_text(text, limit=240)))


@given(text=hostile)
def test_on_a_mac_the_text_is_an_argument_and_no_script(text: str) -> None:
    argv = desktop_command(text, {}, lambda name: name if name == "osascript" else None)
    script = desktop_command("Paid", {}, lambda name: name if name == "osascript" else None)
    assert argv[:-2] == script[:-2]
    assert argv[-2:] == (safe_text(text, limit=240), "opdash")


def test_without_a_screen_or_a_program_there_is_no_way() -> None:
    everything = lambda name: f"/usr/bin/{name}"  # noqa: E731
    assert desktop_command("Paid", {"SSH_CONNECTION": "1"}, everything) == ()
    assert desktop_command("Paid", DESKTOP, lambda _: None) == ()


class Ear:
    def __init__(self, environment: dict[str, str], *, terminal: bool, programs: bool) -> None:
        self.written: list[str] = []
        self.ran: list[tuple[str, ...]] = []
        self._terminal = terminal
        self.notifier = Notifier(
            self._write,
            environment,
            lambda name: name if programs and name == "notify-send" else None,
            self.ran.append,
        )

    def _write(self, sequence: str) -> bool:
        if self._terminal:
            self.written.append(sequence)
        return self._terminal


async def test_the_bell_rings_once_for_several_payments() -> None:
    ear = Ear(OSC_9, terminal=True, programs=True)
    await ear.notifier.tell(["Paid: 1", "Paid: 2"], bell=True, desktop=False)
    assert (ear.written, ear.ran) == ([BELL], [])


async def test_the_terminal_shows_each_payment_and_the_desktop_none() -> None:
    ear = Ear({**DESKTOP, **OSC_9}, terminal=True, programs=True)
    await ear.notifier.tell(["Paid: 1", "Paid: 2"], bell=True, desktop=True)
    *shown, last = ear.written
    assert [one[:18] for one in shown] == ["\x1b]9;opdash: Paid: "[:18]] * 2
    assert (last, ear.ran) == (BELL, [])


async def test_the_desktop_shows_what_the_terminal_cannot() -> None:
    ear = Ear(DESKTOP, terminal=True, programs=True)
    await ear.notifier.tell(["Paid: 1"], bell=False, desktop=True)
    assert (ear.written, len(ear.ran)) == ([], 1)


async def test_where_nothing_can_be_shown_the_bell_rings() -> None:
    ear = Ear(PLAIN, terminal=True, programs=False)
    await ear.notifier.tell(["Paid: 1"], bell=False, desktop=True)
    assert ear.written == [BELL]
