"""Writing a query's tree as a line that reads as the same tree."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import assert_never

from opdash.ledger.search.terms import (
    All,
    AmountIn,
    AmountIs,
    AssetIn,
    Contains,
    Has,
    IdIs,
    InstantIn,
    InstantIs,
    Is,
    Labelled,
    MetadataIs,
    Not,
    NoteSays,
    Number,
    ResolvedAs,
    StateIn,
    Term,
    Word,
)
from opdash.openpayments.amounts import format_minor

_PLAIN = re.compile(r"\w[\w./-]*")


def write_query(tree: All) -> str:
    """Return a line that reads as that tree; instants stand in it as such."""
    return " ".join(write_term(term) for term in tree.terms)


def write_term(term: Term) -> str:  # noqa: C901 - one case for each kind of term
    """Return one term as it is typed."""
    match term:
        case Word(text):
            return quoted(text)
        case Contains(field, text, whole):
            return f"{field.value}{_sign(whole)}{quoted(text)}"
        case IdIs(text):
            return f"id:{quoted(text)}"
        case StateIn(states):
            names = (state.value.lower().replace(" ", "-") for state in states)
            return f"state={','.join(names)}"
        case AssetIn(codes):
            return f"asset:{quoted(','.join(codes))}"
        case AmountIs(field, op, number):
            return f"{field.value}{op.value}{_number(number)}"
        case AmountIn(field, low, high):
            return f"{field.value}:{_number(low)}..{_number(high)}"
        case InstantIn(field, start, end):
            return f"{field.value}:{_instant(start)}..{_instant(end)}"
        case InstantIs(field, op, instant):
            return f"{field.value}{op.value}{_instant(instant)}"
        case Is(flag):
            return f"is:{flag.value}"
        case Has(part):
            return f"has:{part.value}"
        case MetadataIs(path, text, whole):
            if text is None:
                return f"has:{quoted(f'metadata.{path}')}"
            return f"metadata.{path}{_sign(whole)}{quoted(text)}"
        case Labelled(texts, whole):
            return f"label{_sign(whole)}{quoted(','.join(texts))}"
        case NoteSays(text, whole):
            return f"note{_sign(whole)}{quoted(text)}"
        case ResolvedAs(resolutions):
            return f"resolution={','.join(one.value for one in resolutions)}"
        case Not(negated):
            return f"-{write_term(negated)}"
        case _:
            assert_never(term)


def quoted(text: str) -> str:
    """Return a text in quotes, unless it reads as itself without."""
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _sign(whole: bool) -> str:
    return "=" if whole else ":"


def _number(number: Number) -> str:
    return format_minor(number.units, number.places)


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
