"""Every action there is; imported with the first screen that is not the table of payments."""

from __future__ import annotations

from typing import Final

from opdash.tui.actions.base import Action
from opdash.tui.actions.billing import billing
from opdash.tui.actions.books import books
from opdash.tui.actions.columns import columns
from opdash.tui.actions.dialogs import dialogs, forms
from opdash.tui.actions.doctor import doctor
from opdash.tui.actions.exports import exports
from opdash.tui.actions.grants import grants
from opdash.tui.actions.inspector import inspector
from opdash.tui.actions.keys import keys
from opdash.tui.actions.moving import everywhere, explanations, movement
from opdash.tui.actions.notes import notes
from opdash.tui.actions.outgoing import all_wallets, outgoing_list
from opdash.tui.actions.payments import payments
from opdash.tui.actions.receipts import receipts
from opdash.tui.actions.statements import statements
from opdash.tui.actions.till import sales, till
from opdash.tui.actions.wallets import lookups, wallets
from opdash.tui.actions.ways import ways

ACTIONS: Final[tuple[Action, ...]] = (
    *payments(),
    *notes(),
    *columns(),
    *receipts(),
    *statements(),
    *exports(),
    *wallets(),
    *lookups(),
    *outgoing_list(),
    *all_wallets(),
    *grants(),
    *doctor(),
    *books(),
    *billing(),
    *forms(),
    *keys(),
    *inspector(),
    *till(),
    *sales(),
    *dialogs(),
    *ways(),
    *movement(),
    *explanations(),
    *everywhere(),
)
"""In the order of key lines and help."""
