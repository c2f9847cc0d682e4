"""Documents as text: nothing wider than the terminal, nothing lost, nothing dangerous."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opdash.cellwidth import width_of
from opdash.safetext import safe_text
from opdash.statements.as_text import Weight, as_text, text_lines
from opdash.statements.document import Bar, Column, Document, Facts, Heading, Paragraph, Table
from tests.statements.nasty import nasty_texts
from tests.statements.papers import paper_of


def only(block: Heading | Paragraph | Facts | Table) -> list[str]:
    return [line.text for line in text_lines(Document("", (block,)))]


@given(nasty_texts, st.sampled_from([40, 80, 120]))
def test_every_line_fits_and_is_safe(text: str, width: int) -> None:
    written = as_text(paper_of(text), width)
    for line in written.split("\n"):
        assert width_of(line) <= width or line.startswith(("  http://", "  https://"))
        assert safe_text(line) == line
    wanted = safe_text(text).replace(" ", "")
    assert wanted in written.replace(" ", "").replace("\n", "") or width_of(wanted) > 10


def test_figures_end_at_the_same_place_beside_wide_characters() -> None:
    table = Table(
        "Receipts by reference",
        (Column("Reference"), Column("USD", is_figures=True), Column("", is_bars=True)),
        (("お茶", "1,204.50", Bar(8, 8)), ("INV-7", "0.05", Bar(1, 8)), ("x", "0.00", Bar(0, 8))),
        ("3 references", "1,204.55", ""),
    )
    assert only(table) == [
        "Receipts by reference",
        "  Reference          USD",
        "  ────────────  ────────",
        "  お茶          1,204.50  ████████████████████",
        "  INV-7             0.05  ██▌",
        "  x                 0.00",
        "  ────────────  ────────",
        "  3 references  1,204.55",
    ]


def test_a_long_reference_is_folded_and_the_figure_stays_whole() -> None:
    long = "INV-" + "7" * 120
    table = Table("", (Column("Reference"), Column("USD", is_figures=True)), ((long, "1.00"),))
    lines = only(table)
    assert all(width_of(line) <= 80 for line in lines)
    assert lines[2].endswith("  1.00")
    assert "".join(line.removesuffix("1.00").strip() for line in lines[2:]) == long


def test_facts_stand_beside_their_names() -> None:
    facts = Facts((("Paid to", "Rosa's Shop"), ("For", "word " * 30)))
    lines = only(facts)
    assert lines[0] == "  Paid to  Rosa's Shop"
    assert lines[1].startswith("  For      word word")
    assert lines[2].startswith("           word word")


def test_an_address_is_never_folded_so_that_it_can_be_copied() -> None:
    url = f"https://ilp.example/{'7' * 36}/incoming-payments/{'2' * 36}"
    assert only(
        Facts((("Received", "5.00 USD"), ("Payment", url), ("Short", "http://x.example")))
    ) == [
        "  Received  5.00 USD",
        "  Payment",
        f"  {url}",
        "  Short     http://x.example",
    ]


def test_weights_tell_what_matters() -> None:
    document = Document("", (Heading("Title", 1), Paragraph("Look!", is_notice=True)))
    assert [(line.text, line.weight) for line in text_lines(document)] == [
        ("Title", Weight.STRONG),
        ("═════", Weight.MUTED),
        ("", Weight.PLAIN),
        ("! Look!", Weight.NOTICE),
    ]


def test_a_bar_is_seen_however_small() -> None:
    def bar(value: int, whole: int) -> str:
        columns = (Column("Day"), Column("", is_bars=True))
        return only(Table("", columns, (("x", Bar(value, whole)),)))[2].removeprefix("  x").strip()

    assert bar(1, 10**30) == "▏"
    assert bar(0, 10) == ""
    assert bar(0, 0) == ""
    assert bar(5, 10) == "█" * 10
