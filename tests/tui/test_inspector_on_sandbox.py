"""The inspector on real requests: no token that the sandbox gave is on a screen or in a copy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opdash.openpayments import transport
from opdash.openpayments.traces import Sight, Trace
from opdash.sandbox.process import SandboxProcess
from opdash.service.dashboard import Dashboard
from opdash.service.drafts import PaymentDraft
from opdash.service.rights import Right
from opdash.service.status import Phase
from opdash.tui.app import OpdashApp
from opdash.tui.screens.inspector import InspectorScreen
from opdash.tui.screens.request import RequestScreen
from opdash.tui.widgets.line_list import LineList
from opdash.tui.widgets.request_pane import RequestPane
from tests.tui.test_forms_on_sandbox import Person
from tests.tui.test_grants_on_sandbox import dashboard_of

SIZE = (200, 60)


@pytest.fixture
def sights(monkeypatch: pytest.MonkeyPatch) -> list[Sight]:
    """What went over the wire, secrets and all."""
    seen: list[Sight] = []

    class Spy:
        @staticmethod
        def of(sight: Sight) -> Trace:
            seen.append(sight)
            return Trace.of(sight)

    monkeypatch.setattr(transport, "Trace", Spy)
    return seen


def secrets_in(value: Any, within: str = "") -> Iterator[str]:
    """Yield what opens something, by where grants, tokens and payment methods have it."""
    if isinstance(value, list):
        for one in value:
            yield from secrets_in(one, within)
    elif isinstance(value, dict):
        for name, one in value.items():
            if isinstance(one, dict | list):
                yield from secrets_in(one, name)
            elif name == "sharedSecret" or (name == "value" and within == "access_token"):
                yield one
            elif name in ("manage", "uri", "redirect") and within in _GRANT:
                yield one.rstrip("/").rpartition("/")[2]


_GRANT = ("access_token", "continue", "interact")


def all_secrets(sights: list[Sight]) -> set[str]:
    found = {
        secret
        for sight in sights
        if sight.answer
        for secret in secrets_in(json.loads(sight.answer))
    }
    headers = (pair for sight in sights for pair in sight.headers)
    return found | {value.split()[-1] for name, value in headers if name == "Authorization"}


async def a_busy_minute(dashboard: Dashboard) -> None:
    """Let tokens be given, used, renewed and given back, and a payment be created and paid to."""
    session = dashboard.session("shop")
    creation = await session.create_payment(PaymentDraft(reference="INV-7"))
    assert creation.payment_id
    await session.payment_methods(creation.payment_id)
    await session.connection.renew(Right.INCOMING)
    await session.poll_once()
    await dashboard.grants.cancel("shop", Right.INCOMING)
    await session.connection.renew(Right.INCOMING)
    await session.poll_once()


async def test_no_secret_is_shown_copied_or_saved(
    fresh_sandbox: SandboxProcess,
    tmp_path: Path,
    sights: list[Sight],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dashboard = dashboard_of(fresh_sandbox, tmp_path)
    app = OpdashApp(dashboard)
    said: list[str] = []
    monkeypatch.setattr("textual.app.App.copy_to_clipboard", lambda _, text: said.append(text))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(dashboard, app, pilot)
        session = dashboard.session("shop")
        await person.until(lambda: session.status.phase is Phase.LIVE)
        await a_busy_minute(dashboard)
        await person.press("I")
        await person.on(InspectorScreen)
        await person.press("p", "Y", "s")
        count = len(app.screen.query_one(LineList).texts)
        await person.press("home", "enter")
        await person.on(RequestScreen)
        for _ in range(count):
            for part in "1234":
                await person.press(part)
                said += [app.export_screenshot(), app.screen.query_one(RequestPane).text]
            await person.press("y", "n")
        await app.workers.wait_for_complete()
    saved = list((tmp_path / "data" / "requests").iterdir())
    said += [await asyncio.to_thread(path.read_text, encoding="utf-8") for path in saved]
    secrets = all_secrets(sights)
    assert count >= 8
    assert len(saved) == 1
    assert len(secrets) >= 6
    assert all(len(secret) >= 8 for secret in secrets)
    everything = "\n".join(said)
    for purpose in ("ask for a grant", "renew a token", "create an incoming payment"):
        assert f", to {purpose}" in everything
    assert not [secret for secret in secrets if secret in everything]
