"""What is known about payments: SQLite and pure rules; no network, no screen."""
