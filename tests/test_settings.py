"""The configuration file: read strictly, edited in place, never losing what others wrote."""

from __future__ import annotations

import stat
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from opdash.errors import ConfigError, ExitCode
from opdash.ledger.records import Scope
from opdash.ledger.search.saved import SavedSearch
from opdash.settings import AccessLevel, ConsentWay, NotifyWay, Profile, Settings, SettingsStore
from opdash.settings_file import decode, encode
from opdash.table_view import TableView, read_columns, read_sort

SHOP = Profile(
    "shop",
    "https://ilp.example/rosa",
    key_id="key 1",
    key_file=Path("/keys/rosa.pem"),
    scope=Scope.EVERYTHING,
)
BAR = Profile("bar", "https://ilp.example/bar")

WRITTEN_BY_HAND = """\
# Rosa's settings
theme = "light"   # for the counter

# the shop itself
[[wallet]]
name = 'shop'  # as on the door
wallet_address = "$ilp.example/rosa"

# the bar
[[wallet]]
name = "bar"
wallet_address = "https://ilp.example/bar"
poll_interval = 1
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "opdash" / "config.toml"


def write(path: Path, text: str) -> SettingsStore:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return SettingsStore(path)


def test_a_missing_file_holds_the_defaults(path: Path) -> None:
    assert SettingsStore(path).load() == Settings()
    assert not path.exists()


def test_what_is_saved_is_loaded_again(path: Path) -> None:
    wanted = Settings((SHOP, BAR), default_profile="bar", theme="light")

    SettingsStore(path).save(wanted)

    assert SettingsStore(path).load() == wanted


def test_only_the_owner_can_read_file_and_directory(path: Path) -> None:
    SettingsStore(path).save(Settings((SHOP,)))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_defaults_are_filled_in(path: Path) -> None:
    store = write(path, '[[wallet]]\nname = "shop"\nwallet_address = "$ilp.example/rosa"\n')

    (profile,) = store.load().profiles

    assert profile == Profile("shop", "https://ilp.example/rosa")
    assert profile.client_wallet_address == "https://ilp.example/rosa"
    assert (profile.poll_interval, profile.page_size, profile.scope) == (5.0, 50, Scope.OWN)


def test_relative_paths_count_from_the_directory_of_the_file(path: Path) -> None:
    text = (
        '[[wallet]]\nname = "a"\nwallet_address = "$a.example"\n'
        'key_id = "k"\nkey_file = "keys/a.pem"\nca_file = "/etc/ca.pem"\n'
    )

    (profile,) = write(path, text).load().profiles

    assert profile.key_file == path.parent / "keys" / "a.pem"
    assert profile.ca_file == Path("/etc/ca.pem")
    assert 'key_file = "keys/a.pem"' in encode(Settings((profile,)), path)


@pytest.mark.parametrize(
    ("text", "named", "advice"),
    [
        ('tehme = "dark"', "“tehme” is not a setting", "Did you mean “theme”?"),
        ("pagesize = 20", "“pagesize”", "“page_size” inside a [[wallet]] table?"),
        ("[[wallet]]\nname = 'a'\nwallet_adress = '$a.example'", "wallet “a”", "“wallet_address”"),
        ("[[wallet]]\nname = 'a'\ntheme = 'dark'", "“theme”", "at the top of the file?"),
        ("zzz = 1", "“zzz”", "theme, default_wallet, inspector_requests, notify, wallet, search."),
        ("theme = 3", "“theme”", '"dark" or "light"'),
        ("inspector_requests = 2.5", "“inspector_requests”", "whole number of requests"),
        ('notify = "loud"', "“notify”", '"bell" or "desktop" or "both" or "off"'),
        ("inspector_requests = -1", "“inspector_requests”", "from 0 to 5000 requests"),
        ("theme = 'dark'\na b", "line 2", "Correct that line"),
        ("theme = ", "line 1", "Correct that line"),
        ("theme = 'dark", "line 1", "Correct that line"),
        ("wallet = 3", "“wallet”", "[[wallet]] table"),
        ("[wallet]\nname = 'a'", "“wallet”", "[[wallet]] table"),
        ("[[wallet]]\nname = 'a'", "wallet “a”: “wallet_address” is missing", "Add a line"),
        ("[[wallet]]\nwallet_address = '$a.example'", "wallet 1: “name” is missing", "Add a line"),
        ("default_wallet = 'shop'", "default_wallet “shop”", "Name one of the wallets"),
    ],
)
def test_a_broken_file_is_refused_with_its_name_and_the_key(
    path: Path, text: str, named: str, advice: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        write(path, text).load()

    assert str(path) in caught.value.sentence
    assert named in caught.value.sentence
    assert advice in caught.value.advice
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("poll_interval = 0.1", "from 0.2 to 3600 seconds"),
        ("poll_interval = 3601", "from 0.2 to 3600 seconds"),
        ("poll_interval = nan", "from 0.2 to 3600 seconds"),
        ("poll_interval = true", "a number of seconds"),
        ("poll_interval = '5'", "a number of seconds"),
        ("page_size = 25", "20, 50 or 100"),
        ("page_size = true", "20, 50 or 100"),
        ("page_size = '20'", "20, 50 or 100"),
        ("page_size = [20]", "20, 50 or 100"),
        ("scope = 'all'", '"own" or "everything"'),
        ("scope = []", '"own" or "everything"'),
        ("access = 'read'", '"full" or "read-only"'),
        ("consent = 'phone'", '"auto" or "redirect" or "polling"'),
        ("label = 3", "a text in quotes"),
        ("label = 1979-05-27", "a text in quotes"),
        ("ca_file = ''", "the path of a file"),
        ("client_wallet_address = 'ftp://a.example'", "wallet address looks like"),
        ("client_wallet_address = 'http://a.example/x'", "Use https:// instead"),
        ("key_id = 'k'", "key_id and key_file together"),
        ("key_file = 'k.pem'", "key_id and key_file together"),
        ("key_id = 'k\"'\nkey_file = 'k.pem'", "plain ASCII"),
    ],
)
def test_a_value_that_a_key_cannot_take_is_refused(path: Path, line: str, advice: str) -> None:
    text = f"[[wallet]]\nname = 'shop'\nwallet_address = '$a.example'\n{line}\n"

    with pytest.raises(ConfigError) as caught:
        write(path, text).load()

    assert f"{path}, wallet “shop”" in caught.value.sentence
    assert line.partition(" ")[0] in str(caught.value)
    assert advice in caught.value.advice


@pytest.mark.parametrize("name", ["", " shop", "shop ", "-shop", "a/b", "a\\nb", "a" * 41])
def test_a_name_must_fit_a_command_line(path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        write(path, f'[[wallet]]\nname = "{name}"\nwallet_address = "$a.example"').load()


@pytest.mark.parametrize("bound", ["0.2", "3600"])
def test_the_bounds_of_the_poll_interval_are_allowed(path: Path, bound: str) -> None:
    text = f"[[wallet]]\nname = 'a'\nwallet_address = '$a.example'\npoll_interval = {bound}"

    assert write(path, text).load().profiles[0].poll_interval == float(bound)


def test_two_wallets_of_one_name_are_refused(path: Path) -> None:
    text = "".join(
        f"[[wallet]]\nname = '{name}'\nwallet_address = '$a.example/{name}'\n"
        for name in ("Shop", "shop")
    )

    with pytest.raises(ConfigError, match=r"Two wallets are named “shop”"):
        write(path, text).load()


def test_one_wallet_address_under_two_names_is_refused(path: Path) -> None:
    text = (
        "[[wallet]]\nname = 'a'\nwallet_address = '$ilp.example/x'\n"
        "[[wallet]]\nname = 'b'\nwallet_address = 'https://ILP.example/x/'\n"
    )

    with pytest.raises(ConfigError, match="are the same wallet address"):
        write(path, text).load()


def test_a_file_that_is_no_text_names_the_line(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'theme = "dark"\n\xff\xfe\n')

    with pytest.raises(ConfigError, match=r"not UTF-8 text \(line 2\)"):
        SettingsStore(path).load()


def test_a_directory_in_its_place_is_refused(path: Path) -> None:
    path.mkdir(parents=True)

    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        SettingsStore(path).load()


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="cannot be written"):
        SettingsStore(tmp_path / "file" / "config.toml").save(Settings())


def test_a_profile_is_found_whatever_the_case() -> None:
    assert Settings((SHOP, BAR)).profile("SHOP") is SHOP


@pytest.mark.parametrize(
    ("name", "advice"), [("shp", "Did you mean “shop”?"), ("zzz", "Set up are: shop, bar.")]
)
def test_an_unknown_profile_is_refused_with_the_nearest(name: str, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings((SHOP, BAR)).profile(name)

    assert caught.value.advice == advice


def test_without_any_profile_the_way_to_add_one_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings().profile("shop")

    assert "opdash wallet add" in caught.value.advice


def test_removing_the_default_profile_leaves_no_default() -> None:
    settings = Settings((SHOP, BAR), default_profile="shop")

    assert settings.without("Shop") == Settings((BAR,))
    assert settings.without("bar").default_profile == "shop"


def test_adding_and_replacing_keep_names_and_addresses_unique() -> None:
    settings = Settings((SHOP, BAR))

    assert settings.replacing(replace(BAR, label="Bar")).profiles[1].title == "Bar"
    with pytest.raises(ConfigError, match=r"set up already, as “shop”"):
        settings.adding(replace(SHOP, name="other"))
    with pytest.raises(ConfigError, match=r"There is a wallet “shop” already"):
        settings.adding(Profile("SHOP", "https://new.example"))
    with pytest.raises(ConfigError):
        settings.replacing(replace(BAR, wallet_address=SHOP.wallet_address))


# Editing in place


def test_adding_a_wallet_keeps_what_a_person_wrote(path: Path) -> None:
    store = write(path, WRITTEN_BY_HAND)

    store.save(store.load().adding(Profile("café", "https://c.example")))

    assert path.read_text() == WRITTEN_BY_HAND + (
        '\n[[wallet]]\nname = "café"\nwallet_address = "https://c.example"\n'
    )


def test_removing_a_wallet_takes_its_lines_and_comment_only(path: Path) -> None:
    store = write(path, WRITTEN_BY_HAND)

    store.save(store.load().without("shop"))

    head, _, rest = WRITTEN_BY_HAND.partition("# the shop itself")
    assert path.read_text() == head + rest[rest.index("# the bar") :]


def test_a_preference_is_changed_in_its_line(path: Path) -> None:
    store = write(path, WRITTEN_BY_HAND)

    store.save(replace(store.load(), theme="dark", default_profile="bar"))

    assert path.read_text() == (
        'default_wallet = "bar"\n'
        + WRITTEN_BY_HAND.replace('theme = "light"   # for the counter\n', "")
    )


def test_a_file_whose_layout_is_not_understood_is_written_anew(path: Path) -> None:
    store = write(path, 'wallet = [{name = "a", wallet_address = "$a.example"}]\n')

    store.save(store.load().adding(BAR))

    assert [profile.name for profile in SettingsStore(path).load().profiles] == ["a", "bar"]


def test_a_header_within_a_text_does_not_mislead(path: Path) -> None:
    text = (
        "[[wallet]]\nname = 'a'\nwallet_address = '$a.example'\nlabel = '''\n[[wallet]]\n'''\n"
        "[[wallet]]\nname = 'b'\nwallet_address = '$b.example'\n"
    )
    store = write(path, text)

    kept = store.save(store.load().without("b"))

    assert SettingsStore(path).load() == kept
    assert [profile.label for profile in kept.profiles] == ["[[wallet]]\n"]


def test_a_symbolic_link_stays_one(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "opdash.toml"
    real.parent.mkdir()
    real.write_text("")
    path.parent.mkdir()
    path.symlink_to(real)

    SettingsStore(path).save(Settings((BAR,)))

    assert path.is_symlink()
    assert "bar" in real.read_text()


# Two processes


def test_what_another_process_saved_meanwhile_is_kept(path: Path) -> None:
    ours, theirs = SettingsStore(path), SettingsStore(path)
    ours.save(Settings((SHOP,)))
    theirs.save(theirs.load().adding(BAR))

    merged = ours.save(replace(Settings((SHOP,)), theme="light"))

    assert merged == Settings((SHOP, BAR), theme="light")
    assert SettingsStore(path).load() == merged


def test_each_side_may_remove_and_add(path: Path) -> None:
    ours = SettingsStore(path)
    before = ours.save(Settings((SHOP, BAR), default_profile="bar"))
    theirs = SettingsStore(path)
    theirs.save(theirs.load().without("bar"))
    new = Profile("new", "https://new.example")

    merged = ours.save(before.adding(new))

    assert merged == Settings((SHOP, new))


def test_both_sides_changing_one_wallet_is_refused(path: Path) -> None:
    ours = SettingsStore(path)
    before = ours.save(Settings((SHOP,)))
    theirs = SettingsStore(path)
    theirs.save(theirs.load().replacing(replace(SHOP, label="theirs")))
    text = path.read_text()

    with pytest.raises(ConfigError, match="changed by another program"):
        ours.save(before.replacing(replace(SHOP, label="ours")))

    assert path.read_text() == text


def test_a_file_that_vanished_is_written_whole_again(path: Path) -> None:
    store = SettingsStore(path)
    settings = store.save(Settings((SHOP,)))
    path.unlink()

    store.save(settings.adding(BAR))

    assert SettingsStore(path).load() == Settings((SHOP, BAR))


def test_a_file_that_was_broken_meanwhile_is_left_alone(path: Path) -> None:
    store = SettingsStore(path)
    settings = store.save(Settings((SHOP,)))
    path.write_text("a b")

    with pytest.raises(ConfigError, match="line 1"):
        store.save(settings.adding(BAR))

    assert path.read_text() == "a b"


def test_settings_that_could_not_be_read_back_are_not_written(path: Path) -> None:
    store = SettingsStore(path)
    settings = store.save(Settings((SHOP,)))
    text = path.read_text()

    with pytest.raises(ConfigError, match="poll_interval"):
        store.save(settings.replacing(replace(SHOP, poll_interval=0.01)))

    assert path.read_text() == text
    left = sorted(file.name for file in path.parent.iterdir())
    assert left == [".config.toml.lock", "config.toml"]


# Properties

names = st.text(string.ascii_letters + string.digits + " é", min_size=1, max_size=12).filter(
    lambda name: name == name.strip()
)
profiles = st.builds(
    Profile,
    name=names,
    wallet_address=names.map(lambda name: f"https://ilp.example/{name.encode().hex()}"),
    key_id=st.just("k"),
    key_file=st.builds(Path, st.sampled_from(["/conf/keys/a.pem", "/elsewhere/a b.pem"])),
    poll_interval=st.floats(0.2, 3600),
    page_size=st.sampled_from([20, 50, 100]),
    scope=st.sampled_from(Scope),
    access=st.sampled_from(AccessLevel),
    consent=st.sampled_from(ConsentWay),
    label=st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
)
all_settings = st.builds(
    Settings,
    profiles=st.lists(
        profiles, unique_by=(lambda p: p.name.casefold(), lambda p: p.wallet_address), max_size=4
    ).map(tuple),
    theme=st.sampled_from(["dark", "light"]),
    inspector_requests=st.sampled_from([0, 1, 200, 5000]),
    notify=st.sampled_from(NotifyWay),
)


@given(all_settings)
def test_every_setting_survives_the_file(settings: Settings) -> None:
    path = Path("/conf/config.toml")

    assert decode(encode(settings, path), path) == settings


@given(all_settings, all_settings)
def test_every_edit_means_what_was_wanted(
    tmp_path_factory: pytest.TempPathFactory, old: Settings, new: Settings
) -> None:
    path = tmp_path_factory.mktemp("conf") / "config.toml"
    store = SettingsStore(path)
    store.save(old)

    store.save(new)

    assert SettingsStore(path).load() == new


SEARCHES = """[[wallet]]
name = "shop"
wallet_address = "https://ilp.example/rosa"

# What people give.
[[search]]
name = "Large tips"
query = 'tip "received>" received>20'
wallet = "shop"

[[wallet]]
name = "blog"
wallet_address = "https://ilp.example/blog"

[[search]]
name = "Short"
query = "state:short"
"""


class TestSearches:
    """A person's own searches."""

    def test_they_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "opdash.toml"
        path.write_text(SEARCHES)
        assert SettingsStore(path).load().searches == (
            SavedSearch("Large tips", 'tip "received>" received>20', "shop"),
            SavedSearch("Short", "state:short"),
        )

    def test_their_lines_stay_when_something_else_changes(self, tmp_path: Path) -> None:
        path = tmp_path / "opdash.toml"
        path.write_text(SEARCHES)
        store = SettingsStore(path)
        settings = store.load()
        added = replace(settings, searches=(*settings.searches, SavedSearch("New", "is:action")))
        store.save(replace(added, theme="light"))
        text = path.read_text()
        assert "# What people give.\n[[search]]" in text
        assert text.startswith('theme = "light"\n')
        assert text.endswith('[[search]]\nname = "New"\nquery = "is:action"\n')
        assert SettingsStore(path).load().searches == added.searches

    def test_a_wallets_own_go_with_it(self, tmp_path: Path) -> None:
        path = tmp_path / "opdash.toml"
        path.write_text(SEARCHES)
        store = SettingsStore(path)
        store.save(store.load().without("shop"))
        assert [one.name for one in SettingsStore(path).load().searches] == ["Short"]
        assert "tips" not in path.read_text()

    def test_one_that_folds_is_read_and_written(self, tmp_path: Path) -> None:
        path = tmp_path / "opdash.toml"
        store = SettingsStore(path)
        tips = SavedSearch("Tips", "metadata.type=tip", "shop", fold=True, not_invoice=True)
        store.save(store.load().saving(tips))
        said = 'wallet = "shop"\nfold = true\nnot_invoice = true\n'
        assert path.read_text().endswith(said)
        assert SettingsStore(path).load().searches == (tips,)

    def test_a_name_is_taken_from_the_one_that_has_it(self) -> None:
        first, second = SavedSearch("A", "a"), SavedSearch("B", "b", "shop")
        settings = Settings().saving(first).saving(second)
        assert settings.searches == (first, second)
        assert settings.saving(SavedSearch("a", "new")).searches == (
            SavedSearch("a", "new"),
            second,
        )
        assert settings.saving(SavedSearch("b", "new")).searches == (
            first,
            second,
            SavedSearch("b", "new"),
        )
        assert settings.saving(SavedSearch("B", "b"), instead_of=second).searches == (
            first,
            SavedSearch("B", "b"),
        )
        assert settings.saving(SavedSearch("a", "b"), instead_of=second).searches == (
            SavedSearch("a", "b"),
        )
        assert settings.without_search(first).searches == (second,)

    def test_what_both_sides_saved_is_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "opdash.toml"
        path.write_text(SEARCHES)
        ours, theirs = SettingsStore(path), SettingsStore(path)
        mine, other = ours.load(), theirs.load()
        theirs.save(other.saving(SavedSearch("Theirs", "x")).without_search(other.searches[1]))
        merged = ours.save(mine.saving(SavedSearch("Ours", "y")))
        assert [one.name for one in merged.searches] == ["Large tips", "Theirs", "Ours"]
        assert "# What people give.\n[[search]]" in path.read_text()

    def test_both_sides_changing_one_search_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "opdash.toml"
        path.write_text(SEARCHES)
        ours, theirs = SettingsStore(path), SettingsStore(path)
        mine, other = ours.load(), theirs.load()
        theirs.save(other.saving(SavedSearch("Short", "x")))
        with pytest.raises(ConfigError, match="changed by another program"):
            ours.save(mine.saving(SavedSearch("Short", "y")))

    @pytest.mark.parametrize(
        ("text", "sentence", "advice"),
        [
            (
                '[[search]]\nname = "x"\nquery = "y"\nfold = "yes"',
                "value of “fold”",
                "true or false",
            ),
            ('[[search]]\nname = "x"', "search “x”: “query” is missing.", "query = …"),
            ('[[search]]\nquery = "x"', "search 1: “name” is missing.", "name = …"),
            ('[[search]]\nname = "x"\nquery = "stat:paid"', "“stat:” is not a term.", "“state”"),
            ('[[search]]\nname = "x"\nquery = " "', "value of “query”", "asks for nothing"),
            ('[[search]]\nname = "x"\nquery = 5', "value of “query”", "text in quotes"),
            ('[[search]]\nname = "x"\nqurey = "y"', "“qurey” is not a setting.", "“query”"),
            ('[search]\nname = "x"', "value of “search”", "[[search]]"),
            (
                '[[search]]\nname = "x"\nquery = "a"\n[[search]]\nname = "X"\nquery = "b"',
                "Two searches are named “X”.",
                "another name",
            ),
        ],
    )
    def test_what_is_wrong_is_told(
        self, tmp_path: Path, text: str, sentence: str, advice: str
    ) -> None:
        path = tmp_path / "opdash.toml"
        path.write_text(text)
        with pytest.raises(ConfigError) as caught:
            SettingsStore(path).load()
        assert str(path) in caught.value.sentence
        assert sentence in caught.value.sentence
        assert advice in caught.value.advice


class TestViews:
    """How the tables were left."""

    VIEW = TableView(
        columns=read_columns(["state", "received:14", "metadata.orderId"]),
        sort=read_sort("received ascending"),
        page_size=100,
        filter='state:open "blue lamp"',
    )

    def test_a_view_is_saved_and_loaded_again(self, path: Path) -> None:
        SettingsStore(path).save(Settings((SHOP, BAR)).viewing("shop", self.VIEW))

        shop, bar = SettingsStore(path).load().profiles
        assert shop.view == self.VIEW
        assert bar.view == TableView()
        assert 'columns = ["state", "received:14", "metadata.orderId"]\n' in path.read_text()
        assert 'sort = "received ascending"\n' in path.read_text()

    def test_saving_a_view_leaves_a_persons_lines_alone(self, path: Path) -> None:
        store = write(path, WRITTEN_BY_HAND)
        settings = store.save(store.load().viewing("shop", self.VIEW))
        once = path.read_text()
        assert "name = 'shop'  # as on the door\n" in once
        assert "# the shop itself\n[[wallet]]" in once
        assert "poll_interval = 1\n" in once

        store.save(settings.viewing("shop", TableView(page_size=20)))
        again = path.read_text()
        assert "columns" not in again
        assert "page_size = 20\n" in again
        store.save(store.load().viewing("shop", TableView()))
        assert path.read_text() == WRITTEN_BY_HAND

    def test_a_list_of_columns_over_several_lines_is_replaced_whole(self, path: Path) -> None:
        by_hand = (
            '[[wallet]]\nname = "shop"\nwallet_address = "https://ilp.example/rosa"\n'
            'columns = [\n  "state", # first\n  "asked",\n]\n# the end\n'
        )
        store = write(path, by_hand)
        store.save(store.load().viewing("shop", self.VIEW))
        text = path.read_text()
        assert "# first" not in text
        assert text.count("columns") == 1
        assert "# the end\n" in text
        assert SettingsStore(path).load().profiles[0].view == self.VIEW

    def test_other_changes_of_a_profile_keep_its_view(self) -> None:
        settings = Settings((SHOP,)).viewing("shop", self.VIEW)
        (changed,) = settings.replacing(replace(SHOP, label="The shop")).profiles
        assert (changed.label, changed.view.columns) == ("The shop", self.VIEW.columns)

    @pytest.mark.parametrize(
        ("line", "sentence", "advice"),
        [
            ('columns = ["recieved"]', "“columns” cannot be used", "did you mean “received”?"),
            ('columns = "state"', "“columns” cannot be used", "a list of texts in quotes"),
            ("columns = [1]", "“columns” cannot be used", "a list of texts in quotes"),
            ('columns = ["id:200"]', "“columns” cannot be used", "the nearest is 80."),
            ('sort = "asked up"', "“sort” cannot be used", "ascending or descending"),
            ('filter = "state:shrt"', "“filter”", "short"),
            ('colums = ["id"]', "“colums” is not a setting", "Did you mean “columns”?"),
        ],
    )
    def test_a_value_that_cannot_be_is_named_with_file_key_and_what_is_near(
        self, path: Path, line: str, sentence: str, advice: str
    ) -> None:
        store = write(path, f'[[wallet]]\nname = "shop"\nwallet_address = "$a.example"\n{line}\n')
        with pytest.raises(ConfigError) as caught:
            store.load()
        assert str(path) in caught.value.sentence
        assert "wallet “shop”" in caught.value.sentence
        assert sentence in caught.value.sentence
        assert advice in f"{caught.value.sentence} {caught.value.advice}"

    def test_of_two_who_leave_the_same_table_otherwise_the_last_counts(self, path: Path) -> None:
        first, second = SettingsStore(path), SettingsStore(path)
        first.save(Settings((SHOP,)))
        theirs = second.load()
        first.save(Settings((SHOP,)).viewing("shop", self.VIEW))

        other = TableView(sort=read_sort("asked descending"))
        (merged,) = second.save(theirs.viewing("shop", other)).profiles

        assert merged.view.sort == other.sort
        assert merged.view.columns == self.VIEW.columns
