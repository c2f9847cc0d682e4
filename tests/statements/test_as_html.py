"""Documents as HTML: parsed back, remote text is data, and nothing is loaded or run."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from hypothesis import given

from opdash.safetext import safe_text
from opdash.statements.as_html import as_html
from opdash.statements.document import Bar, Column, Document, Heading, Paragraph, Table
from tests.statements.nasty import nasty_texts
from tests.statements.papers import paper_of

_ATTRIBUTES = {
    "html": {"lang"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "th": {"scope", "class"},
    "td": {"class", "aria-hidden"},
    "p": {"class"},
    "div": {"class"},
    "svg": {"width", "height", "focusable"},
    "rect": {"class", "width", "height"},
}
_PLAIN = {
    *("head", "body", "main", "title", "style", "h1", "h2", "h3", "dl", "dt", "dd"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr"),
}
_EMPTY = {"meta", "rect"}


class Reader(HTMLParser):
    """Notes elements, and the text in each."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.odd: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _EMPTY:
            self.open.append(tag)
            self.texts.append((tag, ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open:
            tag, before = self.texts[-1]
            self.texts[-1] = (tag, before + data)

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    def handle_pi(self, data: str) -> None:
        self.odd.append(data)

    def unknown_decl(self, data: str) -> None:
        self.odd.append(data)


@given(nasty_texts)
def test_remote_text_is_found_as_data_and_nowhere_else(text: str) -> None:
    page = Reader(as_html(paper_of(text)))
    wanted = safe_text(text)

    assert page.odd == []
    assert page.open == []
    for tag, attributes in page.elements:
        assert tag in _PLAIN or tag in _ATTRIBUTES
        assert set(attributes) <= _ATTRIBUTES.get(tag, set())
    texts = {tag: [found for name, found in page.texts if name == tag] for tag, _ in page.texts}
    shown = wanted if wanted.strip() else ""
    for tag in ("title", "h1", "h3", "caption", "dt"):
        assert texts.get(tag, [""])[0] == shown
    assert texts["p"] == [shown] * 3
    assert texts["dd"] == [shown] * 2
    assert texts["th"] == [shown, "USD", shown, shown, shown]
    assert texts["td"][1:] == ["1,204.50", "", "", "", "1,204.50", ""]


def test_the_page_allows_its_own_style_and_nothing_else() -> None:
    page = as_html(paper_of("x"))
    policy = next(
        attributes["content"]
        for tag, attributes in Reader(page).elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert page.index("Content-Security-Policy") < page.index("<style>")
    for word in ("<script", "src=", "href=", "url(", "@import", "style=", "http://", "https://"):
        assert word not in page


def test_tables_tell_what_their_cells_are_about() -> None:
    table = Table(
        "Receipts per day",
        (Column("Day"), Column("USD", is_figures=True), Column("", is_bars=True)),
        (("Mon  2 Nov 2026", "1.00", Bar(1, 2)),),
        ("1 day", "1.00", ""),
    )
    page = as_html(Document("Title", (Heading("Title", 1), table)))
    assert '<html lang="en">' in page
    assert "<caption>Receipts per day</caption>" in page
    assert '<th scope="col">Day</th><th scope="col" class="figures">USD</th>' in page
    assert '<th scope="row">Mon  2 Nov 2026</th><td class="figures">1.00</td>' in page
    assert '<tfoot><tr><th scope="row">1 day</th>' in page
    assert '<td aria-hidden="true"><svg width="160" height="12" focusable="false">' in page
    assert '<rect class="bar" width="80" height="12"/>' in page


def test_a_notice_is_marked_by_more_than_colour() -> None:
    page = as_html(Document("t", (Paragraph("Look.", is_notice=True),)))
    assert '<p class="notice">Look.</p>' in page
    assert "border-left: .3rem solid" in page


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_is_good_in_light_and_dark() -> None:
    page = as_html(paper_of("x"))
    palettes = re.findall(
        r"--ink: (#\w{6}).*?--soft: (#\w{6}).*?--paper: (#\w{6})", page, re.DOTALL
    )
    notices = re.findall(r"--notice: (#\w{6}); --notice-paper: (#\w{6})", page)
    assert len(palettes) == len(notices) == 2
    pairs = [(ink, paper) for *inks, paper in palettes for ink in inks] + notices
    for ink, paper in pairs:
        light, dark = sorted((_luminance(ink), _luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 5.5, (ink, paper)
