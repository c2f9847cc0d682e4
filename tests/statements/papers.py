"""Documents with a given text everywhere a text can stand."""

from __future__ import annotations

from opdash.statements.document import (
    Bar,
    Column,
    Document,
    Facts,
    Heading,
    Paragraph,
    Table,
)


def paper_of(text: str, figure: str = "1,204.50") -> Document:
    """Return a document that says a text in every place there is."""
    columns = (Column(text), Column("USD", is_figures=True), Column("", is_bars=True))
    return Document(
        text,
        (
            Heading(text, 1),
            Paragraph(text),
            Paragraph(text, is_notice=True),
            Paragraph(text, is_aside=True),
            Facts(((text, text), ("Name", text))),
            Heading(text, 3),
            Table(
                text,
                columns,
                ((text, figure, Bar(1, 3)), (text, "", Bar(0, 3))),
                (text, figure, ""),
            ),
        ),
    )
