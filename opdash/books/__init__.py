"""The merchant's books over the ledger alone: reconciliation, exports, statements."""
