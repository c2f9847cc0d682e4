"""A document as one HTML file that loads nothing, runs nothing, and prints well."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from opdash.safetext import safe_text
from opdash.statements.document import (
    Bar,
    Block,
    Cell,
    Column,
    Document,
    Facts,
    Heading,
    Paragraph,
    Table,
)

_BAR_WIDTH: Final = 160
_BAR_HEIGHT: Final = 12

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff;
  --line: #d0d7de; --bar: #1f6f8b; --notice: #8a4600; --notice-paper: #fff6e5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a3abb5; --paper: #14181d;
  --line: #39424d; --bar: #5fb3cf; --notice: #ffc46b; --notice-paper: #2b2315; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 58rem; padding: 2rem 1.25rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.25rem 0 .75rem; border-bottom: 2px solid var(--line);
  padding-bottom: .25rem; }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
h1, h2, h3, p, dd, td, th { overflow-wrap: anywhere; }
p { margin: .5rem 0; }
.aside { color: var(--soft); }
.notice { color: var(--notice); background: var(--notice-paper); border-left: .3rem solid;
  padding: .5rem .75rem; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .2rem 1.25rem;
  margin: .75rem 0; }
dt { color: var(--soft); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; font-weight: 400;
  border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-size: .9rem; border-bottom-width: 2px; }
.figures { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tfoot th, tfoot td { font-weight: 600; border-bottom: none; border-top: 2px solid var(--line); }
.bar { fill: var(--bar); }
svg { display: block; margin-top: .35rem; }
@media print { :root { --ink: #000; --soft: #333; --paper: #fff; --line: #999; --bar: #444;
  --notice: #000; --notice-paper: #fff; } body { padding: 0; max-width: none; font-size: 10pt; }
  .scroll { overflow: visible; } tr, dl { break-inside: avoid; } h2, h3, caption {
  break-after: avoid; } thead { display: table-header-group; } }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
"""


def as_html(document: Document) -> str:
    """Return a document as an HTML file in UTF-8.

    Its content policy allows its own style sheet, by its hash, and nothing else.
    """
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    body = "\n".join(line for block in document.blocks for line in _lines(block))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{data(document.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def data(text: str) -> str:
    """Return a text that HTML shows as it is, on one line."""
    return escape(safe_text(text), quote=True)


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"<h{block.level}>{data(block.text)}</h{block.level}>"
        case Paragraph():
            kind = (
                ' class="notice"' if block.is_notice else ' class="aside"' if block.is_aside else ""
            )
            yield f"<p{kind}>{data(block.text)}</p>"
        case Facts():
            yield "<dl>"
            for name, value in block.pairs:
                yield f"<dt>{data(name)}</dt><dd>{data(value)}</dd>"
            yield "</dl>"
        case Table():
            yield from _table(block)


def _table(block: Table) -> Iterator[str]:
    yield '<div class="scroll"><table>'
    if block.caption:
        yield f"<caption>{data(block.caption)}</caption>"
    heads = "".join(_head(column) for column in block.columns)
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    yield from (_row(row, block.columns) for row in block.rows)
    yield "</tbody>"
    if block.total:
        yield f"<tfoot>{_row(block.total, block.columns)}</tfoot>"
    yield "</table></div>"


def _head(column: Column) -> str:
    if column.is_bars:
        return '<td aria-hidden="true"></td>'
    return f'<th scope="col"{_kind(column)}>{data(column.title)}</th>'


def _row(row: Sequence[Cell], columns: Sequence[Column]) -> str:
    first, *others = (_cell(cell, column) for cell, column in zip(row, columns, strict=True))
    head = first.replace("<td", '<th scope="row"', 1).removesuffix("</td>") + "</th>"
    return f"<tr>{head}{''.join(others)}</tr>"


def _cell(cell: Cell, column: Column) -> str:
    if isinstance(cell, Bar):
        return f'<td aria-hidden="true">{_bar(cell)}</td>'
    return f"<td{_kind(column)}>{data(cell)}</td>"


def _bar(bar: Bar) -> str:
    if bar.value <= 0 or bar.whole <= 0:
        return ""
    width = max(bar.value * _BAR_WIDTH // bar.whole, 1)
    return (
        f'<svg width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}" focusable="false">'
        f'<rect class="bar" width="{width}" height="{_BAR_HEIGHT}"/></svg>'
    )


def _kind(column: Column) -> str:
    return ' class="figures"' if column.is_figures else ""
