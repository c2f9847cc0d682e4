from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opdash.plain_toml import read_plain
from opdash.settings import Profile, Settings, SettingsStore

KEYS = st.sampled_from(["name", "wallet", "a_b", "ä", "1", "", "a-b", "x y"])
VALUES = st.one_of(
    st.text(max_size=8).map(lambda text: f'"{text}"'),
    st.integers(-5, 10**20).map(str),
    st.sampled_from(["true", "false", "007", "1_000", "1.5", "[1]", "{}", "'a'", '"', '"""', ""]),
    st.sampled_from(['"a" # why', '"a" ', "12:00:00", "+1", "٣", '"\\n"', "0", "0x1F"]),
)
LINES = st.one_of(
    st.builds("{} = {}".format, KEYS, VALUES),
    KEYS.map("[[{}]]".format),
    st.sampled_from(["", "#", "# öfter", "[wallet]", "[[wallet]", "[[]]", "[", "\t", " ", "a=1"]),
    st.text(max_size=12),
)


@given(st.lists(LINES, max_size=6).map("\n".join))
@example('wallet = 1\n[[wallet]]\nname = "rosa"')
@example("[[wallet]]\n[[wallet]]\nname = 1\nname = 2")
@example('name = "a\rb"')
@example('name = "a"\r\n')
@example("name = 9999999999999999999999")
@example('# \x7f\nname = "a"')
def test_what_is_read_plainly_is_what_toml_says(text: str) -> None:
    plain = read_plain(text)
    if plain is not None:
        assert plain == tomllib.loads(text)


def test_a_file_that_opdash_writes_is_plain(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    profile = Profile(
        "Rosas Lädchen", "https://ilp.example/rosa", key_id="a", key_file=tmp_path / "key.pem"
    )
    SettingsStore(path).save(Settings(profiles=(profile,), inspector_requests=50))

    text = path.read_text()

    assert read_plain(text) == tomllib.loads(text)
    assert SettingsStore(path).load().profiles == (profile,)


@pytest.mark.parametrize("value", ['"a\\"b"', "'a'", "[1, 2]", "1.5", "{ a = 1 }", '"a" # why'])
def test_anything_else_is_left_to_toml(value: str) -> None:
    assert read_plain(f"name = {value}") is None
    assert tomllib.loads(f"name = {value}")
