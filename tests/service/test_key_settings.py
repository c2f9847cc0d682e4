"""Keys that follow and went before are kept in the configuration file, each with its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from opdash.errors import ConfigError
from opdash.settings import Profile, Settings, SettingsStore


def test_a_key_change_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    profile = Profile(
        "shop",
        "https://ilp.example/rosa",
        key_id="k2",
        key_file=tmp_path / "keys" / "k2.pem",
        next_key_id="k3",
        next_key_file=Path("/elsewhere/k3.pem"),
        former_key_id="k1",
        former_key_file=tmp_path / "keys" / "k1.pem",
    )
    SettingsStore(path).save(Settings((profile,)))

    assert SettingsStore(path).load().profiles == (profile,)
    assert 'former_key_file = "keys/k1.pem"' in path.read_text()


@pytest.mark.parametrize("which", ["", "next_", "former_"])
@pytest.mark.parametrize(
    ("given", "missing"),
    [('{}key_id = "k"', "{}key_file"), ('{}key_file = "k.pem"', "{}key_id")],
)
def test_a_key_is_named_by_id_and_file(
    tmp_path: Path, which: str, given: str, missing: str
) -> None:
    path = tmp_path / "config.toml"
    wallet = '[[wallet]]\nname = "shop"\nwallet_address = "$ilp.example/rosa"\n'
    path.write_text(wallet + given.format(which))

    with pytest.raises(ConfigError) as caught:
        SettingsStore(path).load()

    assert f"“{missing.format(which)}” is missing" in caught.value.sentence
    assert f"{which}key_id and {which}key_file together" in caught.value.advice
