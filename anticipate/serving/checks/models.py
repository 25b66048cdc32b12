"""Fitted parts of a bundle, ``model_part_*``: trees, indexes, sparse tables and texts in them.

Reads  arrays of any names; what they are is seen by which stand together.
Gives  faults by the arrays' full names.
Never  the meaning of a part: reading it back checks that its arrays fit together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from ...kernels.trees import tree_faults
from .texts import index_faults, is_text, offsets_faults

Array = NDArray[Any]
Fault = tuple[str, str]
PARTS = ("needs", "timing", "churn", "guard", "returns", "fit")
_OURS = re.compile(rf"model_part_(?:{'|'.join(PARTS)})__.+")
_INDEX = {"codes": "<i4", "hashes": "<u8", "offsets": "<i8", "bytes": "|u1"}


def part_faults(arrays: Mapping[str, Array]) -> Iterator[Fault]:
    """Faults of all parts."""
    for name in arrays:
        if not _OURS.fullmatch(name):
            yield name, "it belongs to no part that this version stores"
        for ending, own_name, faults in _KINDS:
            if name.endswith(ending):
                stem = name.removesuffix(own_name)
                yield from ((stem + short, problem) for short, problem in faults(arrays, stem))


def _trees(arrays: Mapping[str, Array], stem: str) -> Iterator[Fault]:
    own = {name.removeprefix(stem): a for name, a in arrays.items() if name.startswith(stem)}
    counts = own["n_features"].reshape(-1).tolist() if "n_features" in own else []
    return tree_faults(own, counts[0] if counts else 0)


def _text_index(arrays: Mapping[str, Array], stem: str) -> Iterator[Fault]:
    found = {short: arrays[stem + short] for short in _INDEX if stem + short in arrays}
    n = len(found["hashes"].reshape(-1))
    for short, dtype in _INDEX.items():
        if short not in found:
            yield "hashes", f"stands without {short}"
            return
        length = {"offsets": n + 1, "bytes": found[short].size}.get(short, n)
        if found[short].dtype.str != dtype or found[short].shape != (length,):
            yield short, "has another type or length than an index of ids"
            return
    yield from index_faults(found)


def _whole_index(arrays: Mapping[str, Array], stem: str) -> Iterator[Fault]:
    ids = arrays[stem + "ids"]
    if ids.dtype.str not in ("<i8", "<u8") or ids.ndim != 1:
        yield "ids", "has another type than an index of ids"
    else:
        yield from index_faults({"ids": ids})


def _sparse(arrays: Mapping[str, Array], stem: str) -> Iterator[Fault]:
    """Rows of (item, value): where they begin, and that no code is below 0."""
    items, offsets = (arrays.get(stem + short) for short in ("items", "offsets"))
    if items is None or offsets is None:
        return
    values = arrays[stem + "values"]
    if not (items.ndim == offsets.ndim == 1 and items.dtype.kind == offsets.dtype.kind == "i"):
        yield "items", "is no vector of codes"
    elif values.shape != items.shape:
        yield "values", f"has not one value per item ({len(items)})"
    elif len(items) and items.min() < 0:
        yield "items", "holds codes below 0"
    else:
        yield from offsets_faults("offsets", offsets, len(items))


def _texts(arrays: Mapping[str, Array], stem: str) -> Iterator[Fault]:
    offsets, text = arrays.get(stem + "offsets"), arrays[stem + "text"]
    if offsets is None or offsets.dtype.str != "<i8" or text.dtype.str != "|u1":
        yield "text", "stands without its offsets, or is of another type"
    elif offsets.ndim != 1 or text.ndim != 1:
        yield "text", "is no packed text"
    else:
        yield from offsets_faults("offsets", offsets, len(text))
        if not is_text(offsets, text):
            yield "text", "is not UTF-8"


# How names end, how much of that belongs to the array, and what then stands together.
_KINDS = (
    ("tree_offsets", "tree_offsets", _trees),
    (".hashes", "hashes", _text_index),
    (".ids", "ids", _whole_index),
    ("_values", "values", _sparse),
    ("..text", "text", _texts),
)
