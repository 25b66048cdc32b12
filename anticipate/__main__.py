"""``python -m anticipate``: the command line."""

from __future__ import annotations

import sys

from .batch import main

if __name__ == "__main__":
    sys.exit(main())
