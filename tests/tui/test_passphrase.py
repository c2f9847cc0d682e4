"""The passphrase of a key is asked for when opdash begins with it, and never shown."""

from __future__ import annotations

from pathlib import Path

from opdash.keyfiles import read_key, write_key
from opdash.openpayments.secrets import Secret
from opdash.sandbox.process import SandboxProcess
from opdash.service.status import Phase
from opdash.tui.screens.passphrase import PassphraseScreen
from opdash.tui.widgets.form_field import FormField
from tests.tui.form_doubles import FakeDashboard, Stage, settled
from tests.tui.test_forms_on_sandbox import person

PATH = Path("/home/rosa/keys/k1.pem")


async def test_what_is_typed_is_given_and_never_shown(tmp_path: Path) -> None:
    app = Stage(FakeDashboard(tmp_path), lambda: PassphraseScreen(PATH, ""))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        note = app.screen.query_one("#passphrase", FormField).note
        assert note.sentence == "Type the passphrase."
        await pilot.press(*"horse")
        shown = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert str(PATH) in shown
        assert "horse" not in shown
        await pilot.press("enter")
        await settled(pilot)
        assert app.left_with == [Secret("horse")]


async def test_it_can_be_left_open(tmp_path: Path) -> None:
    app = Stage(FakeDashboard(tmp_path), lambda: PassphraseScreen(PATH, "That was wrong."))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.screen.query_one("#passphrase", FormField).note.sentence == "That was wrong."
        await pilot.click("#leave")
        await settled(pilot)
        assert app.left_with == [None]


async def test_a_wallet_with_an_encrypted_key_asks_at_its_start_and_when_wanted(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    client = sandbox.client
    path = tmp_path / "locked.pem"
    write_key(path, read_key(client.private_key, client.key_id), Secret("horse"))
    async with person(
        sandbox, tmp_path, wallets=(sandbox.main_wallet,), size=(100, 30), key_file=path
    ) as rosa:
        await rosa.on(PassphraseScreen)
        await rosa.press("escape")
        session = rosa.dashboard.session("shop")
        await rosa.until(lambda: session.status.phase is Phase.FAILED)
        assert "passphrase" in session.status.problem

        await rosa.press("r")
        await rosa.on(PassphraseScreen)
        await rosa.press(*"house", "enter")
        await rosa.until(lambda: "does not open it" in rosa.text)
        await rosa.press(*"horse", "enter")
        await rosa.until(lambda: session.status.phase is Phase.LIVE)
        assert not isinstance(rosa.app.screen, PassphraseScreen)
