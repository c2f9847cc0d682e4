"""The keys that lead from one wallet to the next, to all of them, and to outgoing payments."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from opdash.ledger.records import PaymentRow
from opdash.tui.actions import Place

if TYPE_CHECKING:
    from opdash.service.dashboard import Dashboard
    from opdash.service.session import WalletSession
    from opdash.tui.screens.base import OpdashScreen


class WalletWays:
    """What those keys run, on screens that show one wallet or choose one."""

    def wallet_in_view(self) -> str:
        """Return the name of the profile that is shown or selected, or an empty string."""
        raise NotImplementedError

    @property
    def _screen(self) -> OpdashScreen[None]:
        return cast("OpdashScreen[None]", self)

    def action_next_wallet(self) -> None:
        """Show the next wallet's payments."""
        self._go_beside(1)

    def action_previous_wallet(self) -> None:
        """Show the payments of the wallet before."""
        self._go_beside(-1)

    def action_all_wallets(self) -> None:
        """Show all wallets' payments."""
        from opdash.tui.screens.all_wallets import AllWalletsScreen

        self._screen.app.push_screen(AllWalletsScreen())

    def action_list_outgoing(self) -> None:
        """List the wallet's outgoing payments."""
        from opdash.tui.screens.outgoing_list import OutgoingListScreen

        name = self.wallet_in_view()
        if name:
            session = self._screen.dashboard.session(name)
            self._screen.app.push_screen(OutgoingListScreen(session))

    def action_books(self) -> None:
        """Hold a file of invoices against the payments: the wallet's where one is shown."""
        from opdash.tui.screens.invoices import open_books

        profiles = [profile.name for profile in self._screen.dashboard.profiles]
        name = self.wallet_in_view() or (profiles[0] if profiles else "")
        if name:
            is_of_one = self._screen.PLACE is Place.PAYMENTS
            open_books(self._screen.opdash, name, alone=is_of_one)
        else:
            self._screen.tell("There is no wallet yet.", "a adds one.")

    def _go_beside(self, by: int) -> None:
        names = [profile.name for profile in self._screen.dashboard.profiles]
        name = self.wallet_in_view()
        if len(names) < 2 or name not in names:
            self._screen.tell("There is no other wallet.", "w, then a, adds one.")
            return
        self._screen.opdash.show_payments(names[(names.index(name) + by) % len(names)])


def session_at(dashboard: Dashboard, wallet_id: str) -> WalletSession | None:
    """Return the session of a wallet address, or None if it is not set up."""
    sessions = (dashboard.session(profile.name) for profile in dashboard.profiles)
    return next((session for session in sessions if session.wallet_id == wallet_id), None)


def known_payment(dashboard: Dashboard, url: str) -> PaymentRow | None:
    """Return an incoming payment of a wallet that is set up, or None."""
    for profile in dashboard.profiles:
        wallet_id = dashboard.session(profile.name).wallet_id
        if wallet_id is not None:
            payment = dashboard.reader.payment(wallet_id, url)
            if payment is not None:
                return payment
    return None


def open_incoming(screen: OpdashScreen[None], url: str) -> None:
    """Show an incoming payment of one's own by its URL, or say why not."""
    from opdash.tui.screens.detail import DetailScreen

    payment = known_payment(screen.dashboard, url)
    session = None if payment is None else session_at(screen.dashboard, payment.wallet)
    if payment is None or session is None:
        screen.tell("Its receiver is none of your incoming payments, as far as opdash knows.")
        return
    screen.app.push_screen(DetailScreen(session, payment.id))


def open_payers(screen: OpdashScreen[None], payment: PaymentRow) -> bool:
    """Show the outgoing payment that pays an incoming one, or the list of several.

    Returns:
        Whether opdash has seen any.
    """
    from opdash.tui.screens.outgoing import OutgoingScreen
    from opdash.tui.screens.outgoing_list import OutgoingListScreen

    payers = screen.dashboard.reader.paid_by(payment.id)
    if not payers:
        return False
    receiver = session_at(screen.dashboard, payment.wallet)
    session = session_at(screen.dashboard, payers[0].wallet) or receiver
    if session is None:
        return False
    if len(payers) > 1:
        screen.app.push_screen(OutgoingListScreen(session, receiver=payment.id))
    else:
        screen.app.push_screen(OutgoingScreen(session, payers[0].payment.id))
    return True
