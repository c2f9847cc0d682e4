"""Statements for the bookkeeper and receipts for the customer, made of the ledger alone."""
