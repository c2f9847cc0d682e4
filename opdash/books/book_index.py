"""Ways into a book: from payments and rows to what became of them."""

from __future__ import annotations

from opdash.books.book import Book, invoice_names
from opdash.books.records import InvoiceResult, PaymentResult
from opdash.ledger.decisions import Decision


class BookIndex:
    """Finds invoices and payments of one book.

    Attributes:
        book: The book.
        names: A name for each invoice, in the order of the file.
        invoices: What became of each invoice, by its name.
        rows: The names of invoices, by their rows.
        payments: What became of each payment, by its URL.
        suggested: Names of the invoices for which payments are suggested, by their URLs.
        standing: The decisions that stand, oldest first.
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self.names = invoice_names(book.file.invoices)
        self.invoices: dict[str, InvoiceResult] = dict(
            zip(self.names, book.found.invoices, strict=True)
        )
        self.rows = {
            one.row: name for one, name in zip(book.file.invoices, self.names, strict=True)
        }
        self.payments: dict[str, PaymentResult] = {
            one.payment.id: one for one in book.found.payments
        }
        self.suggested = {
            one.suggestion.payment_id: name
            for name, one in self.invoices.items()
            if one.suggestion is not None
        }
        self.standing: tuple[Decision, ...] = tuple(
            one for one in book.ledger.decided if one.stands
        )

    def decisions_about(self, number: str = "", payment_id: str = "") -> list[Decision]:
        """Return what was decided of an invoice's number or a payment, undone or not."""
        return [
            one
            for one in self.book.ledger.decided
            if (number and one.invoice == number) or (payment_id and one.payment_id == payment_id)
        ]

    def is_repeated(self, number: str) -> bool:
        """Return whether the file has a number more than once, so that it tells no row."""
        return f"{number}\n2" in self.invoices
