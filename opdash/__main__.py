"""``python -m opdash``."""

import sys

from opdash.cli.main import entry_point

if __name__ == "__main__":
    sys.exit(entry_point())
