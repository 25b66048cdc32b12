"""What differs between two bundles, or two generations of one.

Reads  their manifests, id indexes, candidates and churn offsets.
Gives  versions, parameters, counts, what training chose, arrays, how far scores moved.
Never  an id; an array to tell whether it changed: the manifests hold hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bundle.generation import Generation, open_generation
from ..exceptions import IdTypeError
from ..kernels.ids import ids_at, lookup_many
from ..serving.checks import content_faults
from ..serving.overlay import index_size
from .choices import choices
from .scores_moved import Common, scores_moved

Array = NDArray[Any]
Changes = dict[str, dict[str, Any]]
_SETTINGS = ("benefits", "churn_horizon_days", "cutoff", "event_names", "features",
             "format_version", "horizon_days", "libraries", "parameters", "popular_window_days",
             "sources", "timezone", "trained_until_us")  # fmt: skip


def compare_bundles(old: str | Path, new: str | Path) -> dict[str, Any]:
    """From the first bundle to the second.

    Parameters
    ----------
    old, new : str or Path
        Folders of bundles, or of generations in them (``bundle/gen-…``).

    Returns
    -------
    dict
        JSON-ready. ``old, new``: hash and cutoff of each; ``same``: whether they are the same
        bytes. ``settings``, ``chosen``, ``numbers``: by name ``old`` and ``new`` (None: not
        there) of what differs in the manifest's settings, in what training chose, in its
        figures. ``counts``: of ``customers``, ``items`` and ``events``. ``arrays``: names of those
        ``added, removed, reshaped, retyped, changed``, and ``n_same``. ``scores``: of customers in
        both, the share whose first three candidates are the same, and how far log-odds of
        candidates and churn offsets moved (mean and 95 % point of absolute differences).

    Raises
    ------
    BundleError
        If one of them is damaged.
    """
    a, b = (open_generation(path, check=content_faults) for path in (old, new))
    customers, items = (_code_of(a, b, index) for index in ("customers", "items"))
    known = np.flatnonzero(customers >= 0)
    return {
        "old": _head(a),
        "new": _head(b),
        "same": a.sha256 == b.sha256,
        "settings": _changes(*(dict(_flat(_settings(one))) for one in (a, b))),
        "chosen": _changes(*(choices(one.manifest.get("report")) for one in (a, b))),
        "numbers": _changes(*(dict(_numbers(one.manifest.get("report"))) for one in (a, b))),
        "counts": {
            "customers": _counts(customers, b, "customers"),
            "items": _counts(items, b, "items"),
            "events": _events(a, b, customers),
        },
        "arrays": _arrays(a.manifest["files"], b.manifest["files"]),
        "scores": scores_moved(a.arrays, b.arrays, Common(known, customers[known], items)),
    }


def _head(one: Generation) -> dict[str, Any]:
    return {"sha256": one.sha256, "cutoff": one.manifest["cutoff"]}


def _settings(one: Generation) -> dict[str, Any]:
    return {name: one.manifest[name] for name in _SETTINGS if name in one.manifest}


def _flat(tree: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves by dotted names; a list is one leaf."""
    if not isinstance(tree, Mapping):
        yield above, tree
        return
    for name, value in tree.items():
        yield from _flat(value, f"{above}.{name}" if above else str(name))


def _numbers(report: Any) -> Iterator[tuple[str, Any]]:
    """Figures of the reports, and lists of them."""
    for name, value in _flat(report):
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, (int, float, list)) and not isinstance(first, bool):
            yield name, value


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    names = sorted(old.keys() | new.keys())
    both = {name: {"old": old.get(name), "new": new.get(name)} for name in names}
    return {name: one for name, one in both.items() if one["old"] != one["new"]}


def _index(one: Generation, name: str) -> dict[str, Array]:
    start = f"{name}__"
    return {n.removeprefix(start): a for n, a in one.arrays.items() if n.startswith(start)}


def _code_of(old: Generation, new: Generation, name: str) -> Array:
    """The new code of each old id, -1 where it is gone (n_old,), int64."""
    index, other = _index(old, name), _index(new, name)
    n = index_size(index)
    if not n or not index_size(other):
        return np.full(n, -1)
    try:
        return lookup_many(other, ids_at(index, np.arange(n))).astype(np.int64)
    except IdTypeError:  # text here, whole numbers there: nobody is in both
        return np.full(n, -1)


def _counts(codes: Array, new: Generation, name: str) -> dict[str, int]:
    common, n_new = int((codes >= 0).sum()), index_size(_index(new, name))
    return {
        "old": len(codes), "new": n_new, "common": common,
        "added": n_new - common, "removed": len(codes) - common,
    }  # fmt: skip


def _events(old: Generation, new: Generation, customers: Array) -> dict[str, int]:
    """Events are not compared one by one, but by whose they are."""
    before, after = (np.diff(one.arrays["events__offsets"]) for one in (old, new))
    stays = customers >= 0
    common_new = int(after[customers[stays]].sum())
    return {
        "old": int(before.sum()), "new": int(after.sum()),
        "of_common_old": int(before[stays].sum()), "of_common_new": common_new,
        "of_added": int(after.sum()) - common_new, "of_removed": int(before[~stays].sum()),
    }  # fmt: skip


def _arrays(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    both = sorted(old.keys() & new.keys())
    shape, dtype, content = (
        {name for name in both if old[name][what] != new[name][what]}
        for what in ("shape", "dtype", "sha256")
    )
    return {
        "added": sorted(new.keys() - old.keys()),
        "removed": sorted(old.keys() - new.keys()),
        "reshaped": sorted(shape - dtype),
        "retyped": sorted(dtype),
        "changed": sorted(content - shape - dtype),
        "n_same": len(set(both) - content - shape - dtype),
    }
