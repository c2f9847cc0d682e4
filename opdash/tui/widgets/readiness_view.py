"""The checks of a wallet and its key, a line each, as they come to be done."""

from __future__ import annotations

from textual.content import Content

from opdash.safetext import safe_text
from opdash.service.onboarding import Check, CheckLine, Mark, Readiness
from opdash.tui.widgets.sheet import Row, SheetView, row

_STYLES = {Mark.DONE: "$good", Mark.TO_DO: "$attention", Mark.WAITING: "$muted", Mark.LATER: ""}
_TITLE = max(len(check.heading) for check in Check) + 2
_LOOKING = "…"
_REGISTER = "Register it as told below; opdash sees by itself when that is done."


class ReadinessView(SheetView):
    """Shows how the checks stand."""

    def show_readiness(self, now: Readiness) -> None:
        """Show how things stand."""
        waiting = [line for line in now.lines if line.mark is not Mark.DONE]
        first = waiting[0].check if now.is_looking and waiting else None
        self.show([entry for line in now.lines for entry in _rows(line, line.check is first)])


def _rows(line: CheckLine, is_looked_at: bool) -> list[Row]:
    style = _STYLES[line.mark]
    sign = _LOOKING if is_looked_at else line.mark.value
    lead = Content.assemble((f"{sign} ", style), (line.check.heading.ljust(_TITLE), ""))
    found = Content.styled(safe_text(line.sentence), "$muted" if line.mark is Mark.WAITING else "")
    rows = [row(lead, found)]
    advice = _REGISTER if line.asks_to_register else line.advice
    if advice:
        rows.append(row(" " * (_TITLE + 2) + "→ ", safe_text(advice)))
    return rows
