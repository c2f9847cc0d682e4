"""Creates payments for invoices: shown first, created one after the other, none twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.css.query import NoMatches
from textual.widgets import Button

from opdash.books.billed_file import free_name, usual_name
from opdash.books.billing_book import BillingBook, as_agreed
from opdash.books.bills import Cause, Terms, Until
from opdash.books.columns import Field
from opdash.books.records import Invoice
from opdash.books.sources import Source
from opdash.errors import OpdashError
from opdash.safetext import safe_text
from opdash.service.bill_reports import Billed, BillingProgress, Ended, Outcome
from opdash.service.rights import check_may_write
from opdash.settings import Profile
from opdash.tui import format as fmt
from opdash.tui.actions import Place, bindings
from opdash.tui.screens.form_screen import FormScreen
from opdash.tui.stylesheets import sheets
from opdash.tui.widgets.bill_lines import BillRows, rows_of, sum_line
from opdash.tui.widgets.choice_line import ChoiceLine
from opdash.tui.widgets.form_field import FormField, Note
from opdash.tui.widgets.key_line import KeyLine
from opdash.tui.widgets.line import Line, Span, cut
from opdash.tui.widgets.progress_line import EMPTY, FULL, filled
from opdash.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from opdash.service.billing import Biller
    from opdash.service.billing_desk import BillingDesk
    from opdash.service.session import WalletSession

_BAR = 24
_LASTING = (("7 days", timedelta(days=7)), ("14 days", timedelta(days=14)))
_SERVER, _DUE = "server's limit", "due date"


class Step(Enum):
    """How far the dialog has come."""

    LOOKING = "looking"
    """It finds out what is to be created."""
    BLOCKED = "blocked"
    """Nothing can be created; the outcome says why."""
    READY = "ready"
    """The person decides."""
    CREATING = "creating"
    """Payments are being created."""
    DONE = "done"
    """It came to an end; the outcome says to which."""


class BillScreen(FormScreen[Ended | None]):
    """Creates payments for invoices of a file; ends with how that ended, or with None.

    Args:
        profile: The wallet that is to receive.
        source: The file.
        invoices: The invoices to bill, all that have no payment unless given.
        desk: Who bills; made when first needed unless given.
    """

    PLACE = Place.BILL
    CSS_PATH = sheets("modals", "forms", "bill")
    BINDINGS: ClassVar[list[BindingType]] = bindings(Place.BILL)
    AUTO_FOCUS = "RowList"

    def __init__(
        self,
        profile: Profile,
        source: Source,
        invoices: Sequence[Invoice] = (),
        *,
        desk: BillingDesk | None = None,
    ) -> None:
        super().__init__()
        self._profile = profile
        self._source = source
        self._terms = Terms(only=frozenset(one.number for one in invoices))
        self._desk = desk
        self._found: BillingBook | None = None
        self._rows: BillRows | None = None
        self._biller: Biller | None = None
        self._billed: dict[str, Billed] = {}
        self._checking: set[str] = set()
        self._ended: Ended | None = None
        self.step = Step.LOOKING

    # Layout

    def title_content(self) -> Content:
        """Return the title, with the file and the wallet."""
        name = safe_text(self._source.path.name, limit=40)
        wallet = safe_text(self._profile.title, limit=32)
        return Content.assemble(
            ("Create payments for invoices", "bold"),
            (f"  {name} · on {wallet}", "not bold $muted"),
        )

    def compose_body(self) -> ComposeResult:
        """Yield when the payments end, the invoices, and how far it has come."""
        yield FormField("Expires", ChoiceLine(*self._choices), id="expires")
        yield Line(id="sum")
        yield RowList()
        yield Line(id="progress")

    def compose_buttons(self) -> ComposeResult:
        """Yield the way back first."""
        yield Button("Back", id="leave", compact=True)
        yield Button("Create (Ctrl+Y)", id="create", variant="primary", compact=True)

    @property
    def _choices(self) -> list[str]:
        due = [_DUE] if Field.DUE in self._source.places else []
        return [_SERVER, *(label for label, _ in _LASTING), *due]

    @property
    def _session(self) -> WalletSession:
        return self.dashboard.session(self._profile.name)

    @property
    def _list(self) -> RowList:
        return self.query_one(RowList)

    def on_mount(self) -> None:
        """Find out what is to be created."""
        self.query_one("#progress").display = False
        self.action_look_again()

    def on_resize(self) -> None:
        """Fit every line."""
        self.call_after_refresh(self._fit_sum)

    # What is to be created

    def action_look_again(self) -> None:
        """Ask the server, and plan anew."""
        if self.step is Step.CREATING:
            return
        self._ended = None
        self._enter(Step.LOOKING)
        self.outcome.say("Looking which payments there are already …", Note.WAIT)
        self._look()

    @work(group="bill-look", exclusive=True, exit_on_error=False)
    async def _look(self) -> None:
        try:
            check_may_write(self._profile, "create")
            desk = await self._the_desk()
            found = await desk.prepare(self._terms, self.dashboard.reader)
        except Exception as error:
            self._block(error)
            return
        self._take(found)

    async def _the_desk(self) -> BillingDesk:
        if self._desk is None:
            from opdash.service.billing_desk import BillingDesk

            dashboard = self.dashboard
            sessions = [dashboard.session(one.name) for one in dashboard.profiles]
            searches = dashboard.settings.searches
            self._desk = await asyncio.to_thread(
                BillingDesk,
                self._session,
                sessions,
                dashboard.reader,
                searches,
                dashboard.clock,
                self._source,
            )
        return self._desk

    def _block(self, error: Exception) -> None:
        self._show_plan(None)
        self._enter(Step.BLOCKED)
        self.outcome.say_error(error)

    def _take(self, found: BillingBook) -> None:
        self._show_plan(found)
        self._enter(Step.READY)
        plan = found.plan
        if plan.bills or plan.checking:
            self.outcome.say("Nothing is sent yet. Ctrl+Y creates the payments.")
        elif plan.left_out:
            self.outcome.say("There is nothing to create; Ctrl+S writes the file with URLs.")
        else:
            self.outcome.say("There is no invoice to bill.")

    @on(ChoiceLine.Changed)
    def _other_end(self, event: ChoiceLine.Changed) -> None:
        until = {_SERVER: Until.SERVER, _DUE: Until.DUE}.get(event.line.chosen, Until.LASTING)
        lasts = dict(_LASTING).get(event.line.chosen, timedelta(0))
        self._change(
            Terms(only=self._terms.only, again=self._terms.again, until=until, lasts=lasts)
        )

    def action_once_more(self) -> None:
        """Bill the invoice under the cursor again, or let go of that."""
        number = self._again_number()
        if number and self.step is Step.READY:
            again = self._terms.again ^ {number}
            self._change(
                Terms(
                    only=self._terms.only,
                    again=again,
                    until=self._terms.until,
                    lasts=self._terms.lasts,
                )
            )

    def _again_number(self) -> str:
        """Return the number of the invoice under the cursor if it may be billed again."""
        name, rows = self._list.selected, self._rows
        if rows is None:
            return ""
        left, planned = rows.left_out.get(name), rows.planned.get(name)
        if left is not None and left.cause is Cause.OVER_UNPAID:
            return left.number
        if planned is not None and planned.bill.invoice in self._terms.again:
            return planned.bill.invoice
        return ""

    def _change(self, terms: Terms) -> None:
        """Plan anew on other terms; nobody is asked for that."""
        self._terms = terms
        if self.step in (Step.READY, Step.BLOCKED) and self._found is not None:
            self._plan()

    @work(group="bill-look", exclusive=True, exit_on_error=False)
    async def _plan(self) -> None:
        wallet = self._session.wallet
        if wallet is None:
            return
        try:
            desk = await self._the_desk()
            self._take(await desk.plan(self._terms, wallet))
        except Exception as error:
            self._block(error)

    # Creating

    @property
    def _may_create(self) -> bool:
        plan = None if self._found is None else self._found.plan
        return self.step is Step.READY and plan is not None and bool(plan.bills or plan.checking)

    def action_create_all(self) -> None:
        """Create the payments that are shown."""
        if self._may_create:
            self._enter(Step.CREATING)
            self.outcome.say("Looking once more, then creating …", Note.WAIT)
            self._create()

    @work(group="bill", exit_on_error=False)
    async def _create(self) -> None:
        desk, shown = await self._the_desk(), self._found
        if shown is None:
            return
        try:
            found = as_agreed(await desk.prepare(self._terms, self.dashboard.reader), shown)
            self._show_plan(found)
            self.outcome.say("Creating; x or Esc stops after the payment under way.", Note.WAIT)
            self._biller = desk.biller(
                self.dashboard.reader, tell=self._show_progress, told=self._show_billed
            )
            ended = await desk.carry_out(found, self._biller)
        except Exception as error:
            self._block(error)
            return
        finally:
            self._biller = None
        self._ended = ended
        self._enter(Step.DONE)
        if ended.is_whole:
            await self._write(ended)
        else:
            self.outcome.say(_summary(ended), Note.WARN)

    def action_stop(self) -> None:
        """Stop after the payment that is under way."""
        if self.step is Step.CREATING and self._biller is not None:
            self._biller.stop()
            self.outcome.say("Stopping after the payment under way …", Note.WAIT)

    def _show_progress(self, progress: BillingProgress) -> None:
        try:
            line = self.query_one("#progress", Line)
        except NoMatches:  # the dialog is going
            return
        line.display = True
        if self._checking != {*progress.checking}:
            self._checking.clear()
            self._checking.update(progress.checking)
            self._list.refresh()
        cells = _BAR if self.has_class("-wide") else _BAR // 2
        full = filled(progress.done, progress.total, cells)
        tone = "attention" if progress.waiting else "muted"
        bar = [Span(FULL * full, "accent"), Span(EMPTY * (cells - full), "off")]
        line.show(cut([*bar, Span("  "), Span(progress.words, tone)], self._width))

    def _show_billed(self, one: Billed) -> None:
        self._billed[one.bill.invoice] = one
        if self.is_mounted:
            self._list.refresh()
            self._set_keys()

    # The file

    def action_save(self) -> None:
        """Write the file once more, with the payments' URLs."""
        if self.step in (Step.READY, Step.DONE) and self._found is not None:
            self._save(self._ended or Ended(billed=()))

    @work(group="bill", exit_on_error=False)
    async def _save(self, ended: Ended) -> None:
        await self._write(ended)

    async def _write(self, ended: Ended) -> None:
        found = self._found
        if found is None:
            return
        path = free_name(usual_name(self._source.path, self._source.table))
        try:
            desk = await self._the_desk()
            await desk.write_beside(found.plan, ended, path)
        except OpdashError as error:
            self.outcome.say(f"{_summary(ended)} {error}".lstrip(), Note.BAD)
            return
        good = not ended.count(Outcome.FAILED, Outcome.UNKNOWN)
        written = f"Written: {safe_text(str(path))}"
        self.outcome.say(f"{_summary(ended)} {written}".lstrip(), Note.GOOD if good else Note.WARN)

    # Rows, keys and buttons

    def _show_plan(self, found: BillingBook | None) -> None:
        wallet = self._session.wallet
        self._found, self._rows, self._billed, self._checking = found, None, {}, set()
        if found is None or wallet is None:
            self._list.show((), lambda _name, _width: ())
            self._fit_sum()
            return
        self._checking.update(one.bill.invoice for one in found.plan.checking)
        now = self._session.now()
        rows = rows_of(found.plan, self._billed, self._checking, wallet.asset, now)
        self._rows = rows
        self._list.show(rows.names, rows.line)
        self._fit_sum()

    @property
    def _width(self) -> int:
        return self.query_one("#sum").size.width or self.size.width

    def _fit_sum(self) -> None:
        found, wallet = self._found, self._session.wallet
        line = self.query_one("#sum", Line)
        if found is None or wallet is None:
            line.show(())
        else:
            line.show(cut(sum_line(found.plan, wallet.asset), self._width))

    def _enter(self, step: Step) -> None:
        self.step = step
        is_busy = step is Step.CREATING
        self.query_one("#expires").disabled = is_busy or step is Step.DONE
        self.query_one("#progress").display = is_busy or step is Step.DONE
        leave = self.query_one("#leave", Button)
        leave.label = "Stop" if is_busy else "Back"
        self._set_keys()

    def _set_keys(self) -> None:
        may_create = self._may_create
        self.query_one("#create", Button).disabled = not may_create
        self.query_one("#create").display = self.step is not Step.DONE
        off = [] if may_create else ["create_all"]
        off += [] if self.step is Step.CREATING else ["stop"]
        off += ["look_again"] if self.step is Step.CREATING else []
        off += [] if self.step is Step.READY and self._again_number() else ["once_more"]
        is_found = self.step in (Step.READY, Step.DONE) and self._found is not None
        off += [] if is_found else ["save"]
        off += [] if self._url else ["copy_url"]
        self.query_one(KeyLine).set_off(*off)

    @property
    def _url(self) -> str:
        rows = self._rows
        return "" if rows is None else rows.payment_id(self._list.selected)

    @on(RowList.Moved)
    def _moved(self) -> None:
        self._set_keys()

    def action_copy_url(self) -> None:
        """Copy the URL of the payment of the invoice under the cursor."""
        if self._url:
            self.app.copy_to_clipboard(self._url)
            self.tell("Copied the payment's URL.")

    def action_leave(self) -> None:
        """Leave with how it ended; while payments are created, stop first."""
        if self.step is Step.CREATING:
            self.action_stop()
        else:
            self.dismiss(self._ended)

    def action_move_up(self) -> None:
        """Go one row up."""
        self._list.move(-1)

    def action_move_down(self) -> None:
        """Go one row down."""
        self._list.move(1)

    def action_screen_up(self) -> None:
        """Go one screenful up."""
        self._list.move_screen(-1)

    def action_screen_down(self) -> None:
        """Go one screenful down."""
        self._list.move_screen(1)

    def action_first(self) -> None:
        """Go to the first row."""
        self._list.go_first()

    def action_last(self) -> None:
        """Go to the last row."""
        self._list.go_last()

    @on(Button.Pressed, "#create")
    def _create_pressed(self) -> None:
        self.action_create_all()

    @on(Button.Pressed, "#leave")
    def _leave_pressed(self) -> None:
        self.action_leave()


def _summary(ended: Ended) -> str:
    """Say how a run ended; nothing of one that had nothing to do."""
    if not ended.billed and ended.failure is None:
        return ""
    said = f"{ended.count(Outcome.CREATED):,} of {fmt.count(len(ended.billed), 'payment')} created"
    for outcome, word in (
        (Outcome.BILLED_BEFORE, "billed before"),
        (Outcome.FAILED, "failed"),
        (Outcome.UNKNOWN, "unknown"),
        (Outcome.NOT_TRIED, "not tried"),
    ):
        if ended.count(outcome):
            said += f", {ended.count(outcome):,} {word}"
    said += "."
    if ended.failure is not None:
        said += f" {ended.failure.sentence}"
    if not ended.is_whole:
        said += " Ctrl+R goes on with the rest; nothing is created twice."
    return said
