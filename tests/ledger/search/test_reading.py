"""The language: what each term means, what is wrong with wrong ones, and that it can be written."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opdash.errors import InputError
from opdash.ledger.notes import Resolution
from opdash.ledger.search.reading import LONGEST, read_query
from opdash.ledger.search.saved import BUILT_IN, SavedSearch, find_search, searches_for
from opdash.ledger.search.terms import (
    All,
    AmountField,
    AmountIn,
    AmountIs,
    AssetIn,
    Contains,
    Flag,
    Has,
    IdIs,
    InstantField,
    InstantIn,
    InstantIs,
    Is,
    Labelled,
    MetadataIs,
    Not,
    NoteSays,
    Number,
    Op,
    Part,
    ResolvedAs,
    SearchError,
    StateIn,
    Term,
    TextField,
    Word,
)
from opdash.ledger.search.values import Moment
from opdash.ledger.search.writing import write_query
from opdash.ledger.states import OPEN_STATES, State
from tests.ledger.search.queries import TREES

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HERE = Moment(NOW, ZoneInfo("Europe/Berlin"))
CREATED, EXPIRES, CHANGED = InstantField.CREATED, InstantField.EXPIRES, InstantField.CHANGED


def utc(*numbers: int) -> datetime:
    year, month, day, *rest = numbers
    hour, minute, second = (*rest, 0, 0, 0)[:3]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


TERMS: dict[str, Term] = {
    "lamp": Word("lamp"),
    '"desk lamp"': Word("desk lamp"),
    '"state:paid"': Word("state:paid"),
    '"still open': Word("still open"),
    r'"a \"b\" \\"': Word('a "b" \\'),
    "https://rs.example/p": Word("https://rs.example/p"),
    "14:02": Word("14:02"),
    "-": Word("-"),
    '"-lamp"': Word("-lamp"),
    "-lamp": Not(Word("lamp")),
    '-"desk lamp"': Not(Word("desk lamp")),
    "--lamp": Word("lamp"),
    "-state:paid": Not(StateIn((State.PAID,))),
    "state:short": StateIn((State.CLOSED_SHORT,)),
    "state:closed-short": StateIn((State.CLOSED_SHORT,)),
    "state:closedsh": StateIn((State.CLOSED_SHORT,)),
    'state:"closed short"': StateIn((State.CLOSED_SHORT,)),
    "State:PAID": StateIn((State.PAID,)),
    "state:unpaid": StateIn((State.UNPAID,)),
    "state:exp": StateIn((State.EXPIRING, State.EXPIRED_PARTIAL, State.EXPIRED_UNPAID)),
    "state:expired": StateIn((State.EXPIRED_PARTIAL, State.EXPIRED_UNPAID)),
    "state:overpaid,paid": StateIn((State.PAID, State.OVERPAID)),
    "state:open": StateIn(tuple(state for state in State if state in OPEN_STATES)),
    "state=open": StateIn((State.OPEN,)),
    "amount>10": AmountIs(AmountField.ASKED, Op.MORE, Number(10)),
    "amount:10.50": AmountIs(AmountField.ASKED, Op.EQUAL, Number(105, 1)),
    "asked=0.00": AmountIs(AmountField.ASKED, Op.EQUAL, Number(0)),
    "amount:10..20.5": AmountIn(AmountField.ASKED, Number(10), Number(205, 1)),
    "received<5": AmountIs(AmountField.RECEIVED, Op.LESS, Number(5)),
    "received<=5.": AmountIs(AmountField.RECEIVED, Op.AT_MOST, Number(5)),
    "difference<-0.5": AmountIs(AmountField.DIFFERENCE, Op.LESS, Number(-5, 1)),
    "difference>=\N{MINUS SIGN}1": AmountIs(AmountField.DIFFERENCE, Op.AT_LEAST, Number(-1)),
    "asset:USD": AssetIn(("usd",)),
    "asset:USD,eur": AssetIn(("eur", "usd")),
    "ref:INV-7": Contains(TextField.REFERENCE, "INV-7"),
    "reference=INV-7": Contains(TextField.REFERENCE, "INV-7", whole=True),
    'desc:"desk lamp"': Contains(TextField.DESCRIPTION, "desk lamp"),
    "id:2f1b": IdIs("2f1b"),
    "is:action": Is(Flag.ACTION),
    "is:open": StateIn(tuple(state for state in State if state in OPEN_STATES)),
    "is:paid": StateIn((State.PAID, State.OVERPAID)),
    "is:final": Is(Flag.FINAL),
    "is:completed": Is(Flag.COMPLETED),
    "is:gone": Is(Flag.GONE),
    "is:anomaly": Is(Flag.ODD),
    "has:ref": Has(Part.REFERENCE),
    "has:description": Has(Part.DESCRIPTION),
    "has:metadata": Has(Part.METADATA),
    "has:amount": Has(Part.AMOUNT),
    "has:expires": Has(Part.EXPIRY),
    "has:label": Has(Part.LABEL),
    "has:note": Has(Part.NOTE),
    "-has:resolution": Not(Has(Part.RESOLUTION)),
    "label:VIP": Labelled(("vip",)),
    "label=vip,Claim": Labelled(("claim", "vip"), whole=True),
    'note:"called twice"': NoteSays("called twice"),
    "note=paid": NoteSays("paid", whole=True),
    "resolution:refunded": ResolvedAs((Resolution.REFUNDED,)),
    "resolution:written": ResolvedAs((Resolution.WRITTEN_OFF,)),
    'resolution:"Written off"': ResolvedAs((Resolution.WRITTEN_OFF,)),
    "resolution:accepted,none": ResolvedAs((Resolution.NONE, Resolution.ACCEPTED)),
    "has:metadata.orderId": MetadataIs("orderId"),
    "metadata.orderId:77": MetadataIs("orderId", "77"),
    "meta.a.b=77": MetadataIs("a.b", "77", whole=True),
    "since:7d": InstantIs(CREATED, Op.AT_LEAST, utc(2026, 11, 13, 12)),
    "since:1d12h": InstantIs(CREATED, Op.AT_LEAST, utc(2026, 11, 19)),
    "since:today": InstantIs(CREATED, Op.AT_LEAST, utc(2026, 11, 19, 23)),
    "since:yesterday": InstantIs(CREATED, Op.AT_LEAST, utc(2026, 11, 18, 23)),
    "before:2026-11-01": InstantIs(CREATED, Op.LESS, utc(2026, 10, 31, 23)),
    "before:2026-07": InstantIs(CREATED, Op.LESS, utc(2026, 6, 30, 22)),
    "before:2026-07-01T00:00": InstantIs(CREATED, Op.LESS, utc(2026, 6, 30, 22)),
    'before:"2026-07-01 00:00"': InstantIs(CREATED, Op.LESS, utc(2026, 6, 30, 22)),
    "before:2026-07-01T00:00:30Z": InstantIs(CREATED, Op.LESS, utc(2026, 7, 1, 0, 0, 30)),
    "before:2h": InstantIs(CREATED, Op.LESS, utc(2026, 11, 20, 10)),
    "created:today": InstantIn(CREATED, utc(2026, 11, 19, 23), utc(2026, 11, 20, 23)),
    "created:2026-10-25": InstantIn(CREATED, utc(2026, 10, 24, 22), utc(2026, 10, 25, 23)),
    "created:2026-12": InstantIn(CREATED, utc(2026, 11, 30, 23), utc(2026, 12, 31, 23)),
    "created:2026-11-01..2026-11-02": InstantIn(
        CREATED, utc(2026, 10, 31, 23), utc(2026, 11, 2, 23)
    ),
    "created>2026-11-01": InstantIs(CREATED, Op.AT_LEAST, utc(2026, 11, 1, 23)),
    "created>=2026-11-01": InstantIs(CREATED, Op.AT_LEAST, utc(2026, 10, 31, 23)),
    "created<=2026-11-01": InstantIs(CREATED, Op.LESS, utc(2026, 11, 1, 23)),
    "created<7d": InstantIs(CREATED, Op.MORE, utc(2026, 11, 13, 12)),
    "created>7d": InstantIs(CREATED, Op.LESS, utc(2026, 11, 13, 12)),
    "created:7d": InstantIs(CREATED, Op.AT_LEAST, utc(2026, 11, 13, 12)),
    "changed<90m": InstantIs(CHANGED, Op.MORE, utc(2026, 11, 20, 10, 30)),
    "expires<2d": InstantIn(EXPIRES, NOW, utc(2026, 11, 22, 12)),
    "expires>2d": InstantIs(EXPIRES, Op.MORE, utc(2026, 11, 22, 12)),
    "expires:tomorrow": InstantIn(EXPIRES, utc(2026, 11, 20, 23), utc(2026, 11, 21, 23)),
    "expires<2026-11-20T12:30+01:00": InstantIs(EXPIRES, Op.LESS, utc(2026, 11, 20, 11, 30)),
}


@pytest.mark.parametrize("line", TERMS)
def test_what_a_term_means(line: str) -> None:
    assert read_query(line, HERE).tree == All((TERMS[line],))


def test_terms_stand_beside_each_other() -> None:
    query = read_query("  lamp\tref:INV\n-is:gone ", HERE)
    assert query.tree.terms == (
        Word("lamp"),
        Contains(TextField.REFERENCE, "INV"),
        Not(Is(Flag.GONE)),
    )
    assert not query.is_empty


@pytest.mark.parametrize("line", ["", "  ", '""', '"" ""'])
def test_nothing_asks_for_nothing(line: str) -> None:
    assert read_query(line, HERE).is_empty


@pytest.mark.parametrize(
    ("line", "sentence", "advice"),
    [
        ("amount > 10", "“>” stands alone", "without blanks: amount>10"),
        ("lamp state : paid", "“:” stands alone", "without blanks: state:paid"),
        ("stat:paid", "“stat:” is not a term.", "“state”"),
        ("zzz:1", "“zzz:” is not a term.", "state:short"),
        ("state:shrt", "“shrt” in “state:shrt” is no state.", "“short”"),
        ("state:xyzzy", "“xyzzy” in “state:xyzzy” is no state.", "closed-short"),
        ("state:paid,", "“” in “state:paid,” is no state.", "closed-short"),
        ("state=exp", "“exp” in “state=exp” is no state.", ""),
        ("state>paid", "“state>paid” compares what has no order.", "state:paid"),
        ("ref<5", "“ref<5” compares what has no order.", "ref:5"),
        ("state:", "“state:” needs a value.", "state:short"),
        ("-received<", "“received<” needs a value.", "received<5"),
        ("amount>ten", "“ten” in “amount>ten” is no amount.", "12.50"),
        ("amount>1,204.50", "“1,204.50” in “amount>1,204.50” is no amount.", "1204.50"),
        ("amount>1e5", "“1e5” in “amount>1e5” is no amount.", "12.50"),
        ("amount:5..", "“amount:5..” lacks an end.", "amount>=5."),
        ("created:..2026-11", "“created:..2026-11” lacks an end.", "created<=2026-11."),
        ("amount:20..10", "“amount:20..10” holds no amount.", "amount:10..20"),
        ("amount=>5", "“=>” in “amount=>5” compares nothing.", "“amount>=5”"),
        ("ref::5", "“::” in “ref::5” compares nothing.", "“ref:5”"),
        ("since:7days", "“7days” in “since:7days” is no date or time.", "“7d”"),
        ("since:2026-11-01..2026-11-02", "has two ends.", "created:2026-11-01..2026-11-02"),
        ("amount>5..9", "“amount>5..9” compares what has no order.", "amount:5..9"),
        ("amount>-5", "“amount>-5” has a sign, but amounts asked and received have none.", ""),
        ("since:tody", "“tody” in “since:tody” is no date or time.", "“today”"),
        (
            "since:2026-02-30",
            "“2026-02-30” in “since:2026-02-30” is no date or time.",
            "2026-11-01",
        ),
        ("before:9999-12", "“9999-12” in “before:9999-12” is no date or time.", ""),
        ("created<9999999d", "“created<9999999d” lies beyond the calendar.", "shorter"),
        ("since:999999999d", "“since:999999999d” lies beyond the calendar.", "shorter"),
        ("expires<9999w999999h9999999m999999999s99999d", "is no date or time.", "7d"),
        ("is:acton", "“acton” in “is:acton” is not something a payment can be.", "“action”"),
        ("is:receiving", "“receiving” in “is:receiving” is a state.", "“state:receiving”?"),
        ("is:Expired-Unpaid", "is a state.", "“state:expired-unpaid”?"),
        (
            "has:colour",
            "“colour” in “has:colour” is not something a payment can have.",
            "“has:metadata.colour”",
        ),
        ("has:metdata.a.b", "is not something a payment can have.", "“has:metadata.a.b”"),
        ("has:metadata.", "is not something a payment can have.", "“metadata”"),
        ("has:rf", "is not something a payment can have.", "“ref”"),
        ("metadata.:5", "“metadata.:5” names no key.", "metadata.orderId:77"),
        ("resolution:refuned", "“refuned” in “resolution:refuned” is no resolution.", "“refunded”"),
        ("resolution:x", "“x” in “resolution:x” is no resolution.", "accepted, refunded"),
        ("resolution:", "“resolution:” needs a value.", "resolution:refunded"),
        ("resolution>none", "compares what has no order.", "resolution:none"),
        ("label:,", "“label:,” names no label.", "label:vip"),
        ("label<5", "“label<5” compares what has no order.", "label:5"),
        ("labl:vip", "“labl:” is not a term.", "“label”"),
        ("has:lable", "is not something a payment can have.", "“label”"),
        ("x " * 41, "The filter has more than 40 terms.", ""),
        ("x" * (LONGEST + 1), "The filter is longer than 500 characters.", ""),
        ("state:\x1bpaid", "“␛paid” in “state:␛paid” is no state.", "“paid”"),
    ],
)
def test_what_a_wrong_term_says(line: str, sentence: str, advice: str) -> None:
    with pytest.raises(SearchError) as caught:
        read_query(line, HERE)
    assert isinstance(caught.value, InputError)
    assert sentence in caught.value.sentence
    assert advice in caught.value.advice
    assert "\x1b" not in str(caught.value)


@given(TREES)
def test_what_is_written_reads_the_same(tree: All) -> None:
    assert read_query(write_query(tree), HERE).tree == tree


@given(st.text(max_size=60))
def test_any_line_is_read_or_explained(line: str) -> None:
    with suppress(SearchError):
        tree = read_query(line, HERE).tree
        assert read_query(write_query(tree), HERE).tree == tree


def test_a_day_begins_where_the_person_is() -> None:
    tokyo = Moment(datetime(2026, 11, 20, 16, tzinfo=UTC), ZoneInfo("Asia/Tokyo"))
    (term,) = read_query("created:today", tokyo).tree.terms
    start = utc(2026, 11, 20, 15)
    assert term == InstantIn(CREATED, start, start + timedelta(days=1))
    (own,) = read_query("since:2026-11-01", Moment(NOW)).tree.terms
    assert isinstance(own, InstantIs)
    assert own.instant == datetime(2026, 11, 1).astimezone()


class TestSavedSearches:
    """Searches with a name."""

    def test_all_of_opdashs_own_can_be_read(self) -> None:
        names = [one.name for one in BUILT_IN]
        assert names == ["Needs action", "Open", "Today", "Paid", "Expired"]
        assert not any(read_query(one.query, HERE).is_empty for one in BUILT_IN)

    def test_a_profile_has_its_own_beside_those_for_all(self) -> None:
        tips, big = SavedSearch("Tips", "tip", "Shop"), SavedSearch("Big", "amount>100")
        ours, mine = SavedSearch("today", "changed:today"), SavedSearch("Big", "amount>9", "shop")
        found = searches_for((tips, big, ours, mine), "shop")
        assert found == (*BUILT_IN[:2], ours, *BUILT_IN[3:], tips, mine)
        assert searches_for((tips, big, ours, mine), "other")[-1] is big

    def test_one_is_found_by_its_name(self) -> None:
        assert find_search(BUILT_IN, " needs ACTION ") is BUILT_IN[0]
        with pytest.raises(SearchError, match="no saved search “Needs acton”") as caught:
            find_search(BUILT_IN, "Needs acton")
        assert "“Needs action”" in caught.value.advice
        with pytest.raises(SearchError) as caught:
            find_search(BUILT_IN, "zzz")
        assert "Needs action, Open" in caught.value.advice
