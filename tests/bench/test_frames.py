"""That the frames which are measured are painted, and show the same in both tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opdash.ledger.reader import LedgerReader
from opdash.ledger.records import NEWEST_FIRST
from tests.bench import frames
from tests.bench.million import ADDRESS, million_ledger

_FEW = 600


@pytest.fixture(scope="module")
def reader() -> Iterator[LedgerReader]:
    with LedgerReader.open(million_ledger(_FEW)) as reader:
        yield reader


@pytest.mark.parametrize("only", [None, frames._PAGE_DOWN])
async def test_every_frame_of_a_round_is_painted(
    reader: LedgerReader, monkeypatch: pytest.MonkeyPatch, only: int | None
) -> None:
    monkeypatch.setattr(frames, "_FRAMES", 12)
    monkeypatch.setattr(frames, "_PAGES", 5)
    rows = reader.window(ADDRESS, NEWEST_FIRST, 0, _FEW)
    for app in (frames._Own(reader), frames._Textuals(rows)):
        seconds = await frames._round(app, 1, only=only)
        assert len(seconds) == (12 if only is None else 5)
        assert min(seconds) > 0


async def test_both_tables_show_the_same_texts(reader: LedgerReader) -> None:
    own = frames._Own(reader)
    async with own.run_test(size=(220, 40)) as pilot:
        await pilot.pause()
        own.table.render_lines(own.table.size.region)
        lines = [own.table.render_line(y).text.split() for y in range(1, 20)]
    rows = reader.window(ADDRESS, NEWEST_FIRST, 0, 19)
    for line, row in zip(lines, rows, strict=True):
        words = " ".join(text.plain for text in frames._cells(row)).split()
        assert [word for word in line if word not in ("▌", "•")] == words


def test_what_is_done_goes_to_and_fro() -> None:
    import random

    acts = [object, list, dict]
    todo = frames._to_and_fro(acts, random.Random(1))
    assert len(todo) == frames._FRAMES
    counts = [todo.count(act) for act in acts]
    assert max(counts) - min(counts) <= 1
