"""opdash: a terminal wallet dashboard for Open Payments."""

__version__ = "0.1.0"
