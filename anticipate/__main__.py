"""``python -m anticipate``: the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a server, and each of its workers, loads nothing of what trains."""
    given = sys.argv[1:] if argv is None else list(argv)
    if given[:1] == ["serve"]:
        from .serving.http.command import serve_main

        return serve_main(given[1:])
    from .batch import main as run_any

    return run_any(given)


if __name__ == "__main__":
    sys.exit(main())
