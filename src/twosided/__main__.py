"""``python -m twosided`` is the command line, see `twosided.app.cli`."""

import sys

from twosided.app.cli import main

if __name__ == "__main__":
    sys.exit(main())
