"""What is wrong, and what has no answer yet: lines that stay until it is over."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from opdash.ledger.records import Creation, CreationStatus
from opdash.openpayments.amounts import Asset
from opdash.safetext import safe_text
from opdash.tui import format as fmt

_MOST = 2


class Notices(Static):
    """The last problem and the creations that wait for an answer; takes no room without any."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id, markup=False)
        self._said: tuple[str, tuple[str, ...]] | None = None
        self.display = False

    def tell(self, problem: str, pending: Sequence[str]) -> None:
        """Show a problem, or none, and what is pending."""
        said = (problem, tuple(pending))
        if said == self._said:
            return
        self._said = said
        lines: list[Content] = []
        if problem:
            lines.append(Content.styled(f"▲ {safe_text(problem, limit=400)}", "$attention"))
        shown = [safe_text(sentence, limit=200) for sentence in pending[:_MOST]]
        lines += [Content.styled(f"◌ {sentence}", "$primary") for sentence in shown]
        if len(pending) > _MOST:
            more = fmt.count(len(pending) - _MOST, "more creation")
            lines.append(Content.styled(f"◌ and {more} without an answer yet", "$primary"))
        self.display = bool(lines)
        self.update(Content("\n").join(lines))


def creation_name(creation: Creation, asset: Asset | None) -> str:
    """Return what a creation asks for: ``25.00 USD INV-7``."""
    import json

    try:
        draft = json.loads(creation.draft_json)
        metadata = draft.get("metadata") or {}
        amount = draft.get("incomingAmount")
        name = metadata.get("externalRef") or metadata.get("description") or ""
        sum_ = fmt.money(int(amount["value"]), asset) if amount and asset else "any amount"
    except (ValueError, TypeError, AttributeError, KeyError):
        return "a payment"
    return f"{sum_} {safe_text(str(name), limit=40)}".strip()


def creation_sentence(creation: Creation, asset: Asset | None) -> str:
    """Say where a creation that has no end yet stands."""
    name = creation_name(creation, asset)
    if creation.status is CreationStatus.UNKNOWN:
        return f"Creating {name}: no answer yet, checking the list…"
    return f"Creating {name}…"


def creation_result(creation: Creation, asset: Asset | None) -> str:
    """Say how a creation ended."""
    name = creation_name(creation, asset)
    match creation.status:
        case CreationStatus.CREATED:
            return f"Created {name}. {safe_text(creation.error, limit=200)}".strip()
        case CreationStatus.NOT_FOUND:
            return f"The server has no {name}: it was not created. Create it again if you like."
        case _:
            return f"{name} was not created. {safe_text(creation.error, limit=200)}".strip()
