"""The screens: they show the ledger and ask the service; they know neither HTTP nor SQL."""
