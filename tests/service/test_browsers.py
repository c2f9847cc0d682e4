"""Where a browser can be used, and what is started to open a page."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest

from opdash.service.browsers import open_page, usual_way
from opdash.settings import ConsentWay


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({"DISPLAY": ":0"}, ConsentWay.REDIRECT),
        ({"WAYLAND_DISPLAY": "wayland-0"}, ConsentWay.REDIRECT),
        ({}, ConsentWay.POLLING),
        ({"DISPLAY": ""}, ConsentWay.POLLING),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, ConsentWay.POLLING),
        ({"DISPLAY": ":0", "SSH_TTY": "/dev/pts/1"}, ConsentWay.POLLING),
        ({"WAYLAND_DISPLAY": "wayland-0", "SSH_CLIENT": "10.0.0.1"}, ConsentWay.POLLING),
    ],
)
async def test_without_a_screen_or_over_ssh_the_server_is_polled(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], way: ConsentWay
) -> None:
    monkeypatch.setattr("opdash.service.browsers.sys.platform", "linux")
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("true"))
    assert await usual_way(environment) is way


async def test_without_a_browser_the_server_is_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> webbrowser.BaseBrowser:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", none)
    assert await usual_way({"DISPLAY": ":0"}) is ConsentWay.POLLING


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Let a program of the test's own be the browser; tells what it was given."""
    program, seen = tmp_path / "browser", tmp_path / "seen"
    program.write_text(f'#!/bin/sh\necho noise; echo noise >&2\nprintf %s "$1" > {seen}\n')
    program.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{program} %s")
    return seen.read_text


async def test_a_page_is_opened_and_the_terminal_stays_clean(
    opened: Callable[[], str], capfd: pytest.CaptureFixture[str]
) -> None:
    url = "https://auth.example/interact/1?nonce=$(id)&x='y'"
    assert await open_page(url)
    assert opened() == url
    assert capfd.readouterr() == ("", "")


async def test_a_browser_that_cannot_be_started_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BROWSER", str(tmp_path / "nothing"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DISPLAY", raising=False)
    assert not await open_page("https://auth.example/")
