"""What must hold of a bundle before a scorer reads it, whoever wrote it and whatever it hashes to.

Reads  a manifest and arrays, mapped from an untrusted place.
Gives  faults: the array (or ``"manifest"``) and what is wrong with it, the first one first.
Never  a customer's id or content; memory that grows with the arrays; trust in a number unseen.

Each later fault rests on the earlier ones not being there: ask no further than the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from ...bundle import let_go, open_bundle
from .events import event_faults, habit_faults
from .holdings import holding_faults
from .layout import form_of, layout_faults
from .learned import churn_faults, fit_faults, guard_faults, return_faults
from .manifest import manifest_faults, sizes_of
from .models import part_faults
from .schema import GROUPS
from .texts import index_faults, is_text

Array = NDArray[Any]
Fault = tuple[str, str]
Table = dict[str, Array]
_PART = "model_part_"

__all__ = ["content_faults", "open_checked"]


def open_checked(
    path: str | Path, verify: Literal["full", "structure"] = "full", sha256: str | None = None
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Manifest and arrays that a scorer reads; see ``bundle.open_bundle``.

    Raises
    ------
    BundleError
        Also for contents that no save writes, whatever their hashes say.
    """
    return open_bundle(path, verify=verify, sha256=sha256, parts=False, check=content_faults)


def content_faults(
    manifest: Mapping[str, Any], arrays: Mapping[str, Array], full: bool
) -> Iterator[Fault]:
    """Faults of a bundle; without ``full`` of its manifest, types, shapes and model parts only."""
    yield from manifest_faults(manifest)
    sizes, own = sizes_of(manifest), {n: a for n, a in arrays.items() if not n.startswith(_PART)}
    yield from layout_faults(own, sizes)
    if full:
        yield from _value_faults(own, sizes)
        yield from _group_faults(manifest, own)
    yield from part_faults({n: a for n, a in arrays.items() if n.startswith(_PART)})


def _value_faults(arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> Iterator[Fault]:
    """Array by array: each value on its own."""
    for group in GROUPS:
        for name, stored in form_of(group, arrays).items():
            problem = stored.rule.problem(arrays[name], sizes)
            let_go(arrays[name])
            if problem is not None:
                yield name, problem


def _group_faults(manifest: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[Fault]:
    """Group by group: values beside each other."""
    cutoff, n = int(manifest["cutoff_us"]), int(manifest["n_events"])
    rules: dict[str, Callable[[Table], Iterator[Fault]]] = {
        **dict.fromkeys(
            ("customers__", "items__", "orders__", "channels__", "reasons__"), index_faults
        ),
        "item_names__": _name_faults,
        "levels__": _name_faults,
        "events__": lambda events: event_faults(events, n, cutoff),
        "holdings__": lambda pairs: holding_faults(pairs, arrays["events__offsets"]),
        "habits__": lambda habits: habit_faults(habits, cutoff),
        "model_guard__": guard_faults,
        "model_return_guard__": return_faults,
        "model_fit_guard__": fit_faults,
        "model_churn__": lambda churn: churn_faults(churn["parameters"]),
    }
    for prefix, faults in rules.items():
        start = len(prefix)
        own = {name[start:]: array for name, array in arrays.items() if name.startswith(prefix)}
        if own:
            yield from ((prefix + name, problem) for name, problem in faults(own))


def _name_faults(names: Table) -> Iterator[Fault]:
    if not is_text(names["offsets"], names["bytes"]):
        yield "bytes", "its text is not UTF-8"
