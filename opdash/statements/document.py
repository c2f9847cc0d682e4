"""A document before it has a form: headings, sentences, facts and tables.

Its texts may be remote and are as they were sent: whoever gives a document a form (`as_text`,
`as_markdown`, `as_html`) makes each of them harmless there, so that no maker of a document has to.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec


class Form(StrEnum):
    """A form that a document can be given; the value is what a person types for it."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"

    @property
    def suffix(self) -> str:
        """How the name of a file of that form ends."""
        return {"text": ".txt", "markdown": ".md", "html": ".html"}[self.value]


class Bar(msgspec.Struct, frozen=True):
    """A bar as long as ``value`` of ``whole``; it only repeats a number that stands beside it."""

    value: int
    whole: int


Cell: TypeAlias = str | Bar
"""What stands in a table."""


class Column(msgspec.Struct, frozen=True):
    """A column of a table.

    Attributes:
        title: Its heading.
        is_figures: Whether it holds figures, which end at the same place.
        is_bars: Whether it holds bars; forms that cannot draw leave it out.
        least: Cells that its words are not folded below, where there is no room for all.
    """

    title: str
    is_figures: bool = False
    is_bars: bool = False
    least: int = 8


class Heading(msgspec.Struct, frozen=True, tag=True):
    """The title of what follows; level 1 is the document's own."""

    text: str
    level: int = 2


class Paragraph(msgspec.Struct, frozen=True, tag=True):
    """Some sentences.

    Attributes:
        text: What they say.
        is_notice: Whether nobody should overlook them.
        is_aside: Whether they only explain.
    """

    text: str
    is_notice: bool = False
    is_aside: bool = False


class Facts(msgspec.Struct, frozen=True, tag=True):
    """Names and values; the values are as they are, also where they are long."""

    pairs: tuple[tuple[str, str], ...]


class Table(msgspec.Struct, frozen=True, tag=True):
    """Rows under headings; the first cell of a row says what the row is about.

    Attributes:
        caption: What it shows.
        columns: Its columns.
        rows: Its rows, each with a cell for every column.
        total: What the rows add up to, or nothing.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()


Block: TypeAlias = Heading | Paragraph | Facts | Table


class Document(msgspec.Struct, frozen=True):
    """What is read from top to bottom.

    Attributes:
        title: Its name, for the window of a browser.
        blocks: What it says; the first is a heading of level 1.
    """

    title: str
    blocks: tuple[Block, ...]


def in_form(document: Document, form: Form) -> str:
    """Return a document as the content of a file of that form."""
    if form is Form.HTML:
        from opdash.statements.as_html import as_html

        return as_html(document)
    if form is Form.MARKDOWN:
        from opdash.statements.as_markdown import as_markdown

        return as_markdown(document)
    from opdash.statements.as_text import as_text

    return as_text(document)
