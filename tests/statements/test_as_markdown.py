"""Documents as Markdown: a reader of it finds remote text as text, and nothing else of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from opdash.safetext import safe_text
from opdash.statements.as_markdown import as_markdown, plain
from opdash.statements.document import Document, Paragraph
from tests.statements.nasty import nasty_texts
from tests.statements.papers import paper_of

_OURS = frozenset(
    {
        *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline"),
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        *("blockquote_open", "blockquote_close"),
        *("table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close"),
        *("tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close"),
    }
)
_INLINE = frozenset({"text", "strong_open", "strong_close"})


_STRICT = MarkdownIt("commonmark").enable("table").enable("strikethrough")
_EAGER = MarkdownIt("gfm-like", {"html": True})
"""Makes links of all that looks like one."""


def read(markdown: str, reader: MarkdownIt = _STRICT) -> list[Token]:
    return reader.parse(markdown)


def inlines(tokens: list[Token]) -> Iterator[list[Token]]:
    for token in tokens:
        if token.type == "inline":
            yield token.children or []


def shown(children: list[Token]) -> str:
    return "".join(token.content for token in children)


def collapsed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("reader", [_STRICT, _EAGER], ids=["strict", "eager"])
@given(text=nasty_texts)
def test_remote_text_is_text(reader: MarkdownIt, text: str) -> None:
    tokens = read(as_markdown(paper_of(text)), reader)
    wanted = collapsed(safe_text(text))

    assert {token.type for token in tokens} <= _OURS
    for children in inlines(tokens):
        assert {token.type for token in children} <= _INLINE
        assert collapsed(shown(children)) in {
            wanted,
            collapsed(f"Note {wanted}"),
            collapsed(f"{wanted}: {wanted}"),
            collapsed(f"Name: {wanted}"),
            "USD",
            "1,204.50",
            "",
        }


@given(nasty_texts)
def test_no_row_gains_or_loses_a_cell(text: str) -> None:
    tokens = read(as_markdown(paper_of(text)))
    cells = [token.type for token in tokens if token.type in ("th_open", "td_open", "tr_open")]
    assert cells.count("tr_open") == 4
    assert cells.count("th_open") == 2
    assert cells.count("td_open") == 6


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example",
        "HTTPS://evil.example",
        "ftp://evil.example",
        "www.evil.example",
        "WWW.evil.example",
        "mailto:a@evil.example",
        "a@evil.example",
        "<https://evil.example>",
    ],
)
def test_nothing_is_left_for_dialects_that_make_links_of_bare_addresses(text: str) -> None:
    escaped = plain(text)
    left = re.sub(r"\\.", " ", escaped)
    assert not set(left) & set(":@<>")
    assert "www." not in left.casefold()
    assert "evil.example" not in left


@pytest.mark.parametrize("text", ["1. one", "23) two", "- item", "+ item", "---", "* * *"])
def test_a_sentence_that_begins_like_a_list_is_a_sentence(text: str) -> None:
    (open_, inline, close) = read(as_markdown(Document("", (Paragraph(text),))))
    assert (open_.type, close.type) == ("paragraph_open", "paragraph_close")
    assert shown(inline.children or []) == text


def test_what_people_write_stays_readable() -> None:
    assert plain("INV-2026-0412") == "INV-2026-0412"
    assert plain("1,204.50") == "1,204.50"
    assert plain("2.05 USD") == "2.05 USD"
    assert plain("20 November 2026 14:07") == "20 November 2026 14:07"
