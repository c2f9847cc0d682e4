"""An Open Payments server for demonstrations, tests and other people's clients."""
