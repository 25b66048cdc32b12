"""What ``anticipate bundle`` prints for people to read.

Reads  a description of a bundle, or of what differs between two.
Gives  text of a few lines.
Never  an id or a name of a customer or an item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..anticipator.choices import choices

_BOTH = ("old", "new")
_FEW = 12  # names that a line takes
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def summary_text(path: str, found: Mapping[str, Any]) -> str:
    """A bundle in a dozen lines: ``found`` is its manifest with ``sha256, n_files, bytes``."""
    libraries = found.get("libraries")
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
    return _printable(lines)


def difference_text(found: Mapping[str, Any]) -> str:
    """What :func:`anticipate.anticipator.difference.compare_bundles` found."""
    if found["same"]:
        return f"the same bundle, sha256 {found['old']['sha256']}\n"
    heads = [(name, "sha256 {sha256}, cutoff {cutoff}".format(**found[name])) for name in _BOTH]
    settings = [(name, _turn(one)) for name, one in found["settings"].items()]
    chosen = [(name, _turn(one)) for name, one in found["chosen"].items()]
    lines = _aligned(heads, indent=0)
    for title, rows in (("settings", settings), ("chosen", chosen)):
        lines += [title, *_aligned(rows)] if rows else []
    numbers = len(found["numbers"])
    lines += _aligned(
        [
            *_count_rows(found["counts"]),
            ("figures", f"{numbers:,} of the reports moved" if numbers else "none moved"),
            ("arrays", _arrays_text(found["arrays"])),
            *_score_rows(found["scores"]),
        ],
        indent=0,
    )
    return _printable(lines)


def _printable(lines: Iterable[str]) -> str:
    """Lines without what a terminal would obey: a manifest is not to be trusted."""
    told = ("".join(one if one.isprintable() else "?" for one in line) for line in lines)
    return "\n".join(told) + "\n"


def _count_rows(counts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("customers", "items"):
        one = counts[name]
        rest = f"{one['added']:,} added, {one['removed']:,} removed"
        yield name, f"{one['old']:,} -> {one['new']:,}: {rest}"
    events = counts["events"]
    common = f"{events['of_common_old']:,} -> {events['of_common_new']:,} of those in both"
    rest = f"{events['of_added']:,} of customers added, {events['of_removed']:,} of those removed"
    yield "events", f"{events['old']:,} -> {events['new']:,}: {common}, {rest}"


def _arrays_text(arrays: Mapping[str, Any]) -> str:
    kinds = ("changed", "reshaped", "retyped", "added", "removed")
    told = [f"{len(arrays[kind]):,} {kind}" for kind in kinds if arrays[kind]]
    return ", ".join([*told, f"{arrays['n_same']:,} the same"])


def _score_rows(scores: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not scores:
        yield "scores", "nobody is in both"
        return
    found, offset = scores["candidates"], scores["churn_offset"]
    share = f"{found['same_first_three']:.1%} of {found['n_customers']:,} customers"
    yield "candidates", f"the first three are the same for {share}"
    if found["n_pairs"]:
        yield (
            "",
            f"log-odds of {found['n_pairs']:,} pairs in both move {_spread(found['log_odds'])}",
        )
    yield "churn", f"offsets of {offset['n_customers']:,} customers move {_spread(offset)}"


def _spread(moved: Mapping[str, Any]) -> str:
    return f"by {moved['mean']:.3g} in the mean, {moved['p95']:.3g} at the 95 % point"


def _turn(change: Mapping[str, Any]) -> str:
    old, new = (_short(change[name]) for name in _BOTH)
    return f"{old} -> {new}"


def _short(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list) and len(value) > _FEW:
        return f"{len(value)} names"
    return _plain(value)


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


def _listed(named: Any) -> str:
    if not isinstance(named, Mapping):
        return "unknown"
    return ", ".join(f"{name} {value}" for name, value in named.items())


def _days(found: Mapping[str, Any], name: str) -> str:
    days = found.get(name)
    return f"{days:g} days" if isinstance(days, float) else f"{days} days" if days else "unknown"


def _count(found: Mapping[str, Any], what: str) -> str:
    n = found.get(f"n_{what}")
    return f"{n:,} {what}" if isinstance(n, int) else f"unknown {what}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
