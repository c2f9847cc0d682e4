from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import msgspec
import pytest

from opdash.openpayments.grants import AccessToken, Continuation
from opdash.openpayments.secrets import MASK, Secret

TOKEN = "F0F6909847C56BE99FFA"


def test_it_never_shows_itself() -> None:
    secret = Secret(TOKEN)
    shown = [
        repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", f"{secret} {secret!r}",
        f"{secret:<30}", str([secret]), str({"token": secret}),
        repr(AccessToken(secret, "https://a.example/t")), repr(Continuation("https://a/c", secret)),
    ]  # fmt: skip
    assert not [text for text in shown if TOKEN in text]
    assert str(secret) == MASK


def test_it_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("x").info("got %s and %r", Secret(TOKEN), [Secret(TOKEN)])
    assert caplog.text.count(MASK) == 2
    assert TOKEN not in caplog.text


def test_it_is_not_in_a_traceback() -> None:
    with pytest.raises(ValueError) as caught:
        raise ValueError(Secret(TOKEN))
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_it_cannot_be_written_down() -> None:
    secret = Secret(TOKEN)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)


def test_it_is_compared_and_revealed_by_name() -> None:
    assert Secret(TOKEN) == Secret(TOKEN)
    assert Secret(TOKEN) != Secret(TOKEN[:-1])
    assert Secret(TOKEN) != TOKEN
    assert len({Secret(TOKEN), Secret(TOKEN)}) == 1
    assert Secret(TOKEN).reveal() == TOKEN
    assert not Secret("")
    assert Secret(TOKEN)
