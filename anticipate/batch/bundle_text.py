"""What ``anticipate bundle`` prints for people to read.

Reads  a description of a bundle, or of what differs between two.
Gives  text of a few lines.
Never  an id or a name of a customer or an item.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..anticipator.choices import choices

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def summary_text(path: str, found: Mapping[str, Any]) -> str:
    """A bundle in a dozen lines: ``found`` is its manifest with ``sha256, n_files, bytes``."""
    libraries = found["libraries"]
    rows = [
        ("format", f"{found['format_version']}, written by {_listed(libraries)}"),
        ("sha256", f"{found['sha256']}  (Scorer.load(..., sha256=) holds to it)"),
        (
            "cutoff",
            f"{found.get('cutoff', 'unknown')}; times in {found.get('timezone', 'unknown')}",
        ),
        ("horizons", f"{_days(found, 'horizon_days')}; churn {_days(found, 'churn_horizon_days')}"),
        ("holds", ", ".join(_count(found, name) for name in ("customers", "items", "events"))),
        ("files", f"{found['n_files']:,}, {size_text(found['bytes'])}"),
    ]
    lines = [str(path), *_aligned(rows)]
    chosen = [(name, _plain(value)) for name, value in choices(found.get("report")).items()]
    if chosen:
        lines += ["  chosen", *_aligned(chosen, indent=4)]
    return "\n".join(lines) + "\n"


def size_text(n_bytes: int) -> str:
    """Bytes as people say them, in steps of 1,000.

    Examples
    --------
    >>> size_text(999), size_text(2_345_678)
    ('999 bytes', '2.3 MB')
    """
    value, unit = float(n_bytes), 0
    while value >= 1_000 and unit < len(_UNITS) - 1:
        value, unit = value / 1_000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{n_bytes:,} bytes"


def _aligned(rows: Iterable[tuple[str, str]], indent: int = 2) -> list[str]:
    told = list(rows)
    width = max((len(name) for name, _ in told), default=0) + 2
    return [f"{'':{indent}}{name:{width}}{text}" for name, text in told]


def _listed(named: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in named.items())


def _days(found: Mapping[str, Any], name: str) -> str:
    return f"{found[name]:g} days" if name in found else "unknown"


def _count(found: Mapping[str, Any], what: str) -> str:
    n = found.get(f"n_{what}")
    return f"{n:,} {what}" if isinstance(n, int) else f"unknown {what}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
