"""Where a session asks for the account holder's consent, and how the waits are told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opdash.clock import Clock
from opdash.openpayments.errors import OpenPaymentsError
from opdash.service.events import ConsentEnded, ConsentNeeded, ConsentNoted, EventHub
from opdash.service.no_consent import AGAIN, NoConsent, NoConsentError, no_consent
from opdash.service.rights import Right, in_words, purpose
from opdash.settings import ConsentWay

if TYPE_CHECKING:
    from opdash.openpayments.client import OpenPaymentsClient
    from opdash.openpayments.grants import Access, Grant
    from opdash.service.consent_wait import Asking, Question

__all__ = ["ConsentDesk", "Right"]

STRAY = (
    "A browser came back with an answer to another request than this one. opdash did not use it, "
    "and still waits."
)

ANOTHER_ASKS = (
    "Another opdash on this machine asks for this consent already; this one waits for the answer."
)

_LASTING = frozenset(
    {NoConsent.REFUSED, NoConsent.EXPIRED, NoConsent.UNANSWERED, NoConsent.GIVEN_UP}
)
"""Ends after which nobody is asked again without having wanted it."""

_numbers = itertools.count(1)


class ConsentDesk:
    """Asks the account holder of one profile, and tells whoever listens.

    There is one wait for each right at a time. Once a wait has ended without consent, polling does
    not ask again: that is for a person to want (`reopen`).
    """

    def __init__(
        self,
        profile: str,
        events: EventHub,
        clock: Clock,
        way: ConsentWay = ConsentWay.AUTO,
    ) -> None:
        """Open a desk.

        Args:
            profile: The name of the profile that asks.
            events: Where the waits are told.
            clock: The one clock.
            way: How to learn of a decision unless a person chooses another way.
        """
        self._profile = profile
        self._events = events
        self._clock = clock
        self._way = way
        self._waits: dict[Right, tuple[int, Asking]] = {}
        self._closed: dict[Right, NoConsentError] = {}
        self._asked: set[Right] = set()
        self._times_given_up = 0

    async def obtain(
        self,
        client: OpenPaymentsClient,
        auth_server: str,
        access: Sequence[Access],
        right: Right,
        *,
        remark: str = "",
        again: str = AGAIN,
    ) -> Grant:
        """Ask for a grant, wait until the account holder has decided, and return its token.

        Args:
            client: Asks the server.
            auth_server: As the wallet address names it.
            access: What to ask for.
            right: What it is for.
            remark: Why they are asked, where they may wonder.
            again: How a person asks again after they have withdrawn the question.

        Raises:
            NoConsentError: They did not consent, or did not before and nobody wants it asked again.
            OpenPaymentsError: The server could not be asked, or erred.
        """
        if right in self._closed:
            last = self._closed[right]
            raise NoConsentError(NoConsent.NOT_ASKED, last.sentence, last.advice)
        number = next(_numbers)
        self._asked.discard(right)
        asking = await self._asking(client, auth_server, access, right, number, remark)
        self._waits[right] = (number, asking)
        granted, sentence, advice = False, "The wait for consent ended.", ""
        try:
            grant = await asking.run()
            granted, sentence = True, f"Consent was given: opdash may {purpose(access)}."
            return grant
        except OpenPaymentsError as error:
            if isinstance(error, NoConsentError) and error.why is NoConsent.GIVEN_UP:
                error.advice = again
            sentence, advice = error.sentence, error.advice
            error.is_told = right in self._asked
            if isinstance(error, NoConsentError) and error.why in _LASTING:
                self._closed[right] = error
            raise
        finally:
            del self._waits[right]
            if right in self._asked:
                self._events.publish(ConsentEnded(self._profile, granted, sentence, number, advice))

    def was_asked(self, right: Right) -> bool:
        """Return whether the last grant of a right was a question to the account holder."""
        return right in self._asked

    def give_up(self, number: int | None = None) -> None:
        """Stop waiting for consent, everywhere or in one wait; the requests for it fail."""
        if number is None:
            self._times_given_up += 1
        for its_number, asking in tuple(self._waits.values()):
            if number in (None, its_number):
                asking.give_up()

    def waiting_for_another(self, right: Right) -> Callable[[], None]:
        """Return what is to be called again and again while another process asks for a right.

        It says so once, and raises `NoConsentError` when nobody waits any more.
        """
        times, is_told = self._times_given_up, False

        def waits() -> None:
            nonlocal is_told
            if self._times_given_up != times:
                raise no_consent(NoConsent.GIVEN_UP, right.value, by_redirect=False)
            if not is_told:
                is_told = True
                self._events.publish(ConsentNoted(self._profile, ANOTHER_ASKS))

        return waits

    def change_way(self, number: int, way: ConsentWay) -> None:
        """Go on with one wait in another way; what is asked from then on follows it."""
        for its_number, asking in tuple(self._waits.values()):
            if number == its_number:
                self._way = way
                asking.change_way(way)

    def note(self, sentence: str) -> None:
        """Tell a person something about the grants of the profile."""
        self._events.publish(ConsentNoted(self._profile, sentence))

    def reopen(self, right: Right) -> None:
        """Note that a person wants consent to be asked for again where it was not given."""
        self._closed.pop(right, None)

    async def _asking(
        self,
        client: OpenPaymentsClient,
        auth_server: str,
        access: Sequence[Access],
        right: Right,
        number: int,
        remark: str,
    ) -> Asking:
        from opdash.service.browsers import usual_way
        from opdash.service.consent_wait import Asking, Teller

        why, words = purpose(access), in_words(access)
        way = await usual_way() if self._way is ConsentWay.AUTO else self._way

        def asked(question: Question) -> None:
            self._asked.add(right)
            self._events.publish(
                ConsentNeeded(
                    self._profile,
                    why,
                    question.url,
                    question.until,
                    number=number,
                    way=question.way,
                    rights=words,
                    remark=" ".join(part for part in (remark, question.remark) if part),
                )
            )

        def stray() -> None:
            self._events.publish(ConsentNoted(self._profile, STRAY, number))

        return Asking(
            client,
            auth_server,
            access,
            why,
            clock=self._clock,
            way=way,
            teller=Teller(asked, stray),
        )
