"""Whether all arrays are there, of the types and shapes that belong together.

Reads  the table of arrays, the arrays' headers.
Gives  faults, and how many there are of everything that the table names.
Never  a value: this is all that an opening without reading can check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from .schema import GROUPS, Group, Stored

Array = NDArray[Any]
Fault = tuple[str, str]


def layout_faults(arrays: Mapping[str, Array], sizes: dict[str, int]) -> Iterator[Fault]:
    """Faults of the whole; ``sizes`` begins with what the manifest says and is filled in."""
    known: set[str] = set()
    for group in GROUPS:
        names = {name for name in arrays if name.startswith(group.prefix)}
        known |= names
        form = _form_of(group, names)
        missing = sorted({group.prefix + name for name in form} - names)
        if missing and not (group.optional and not names):
            yield "manifest", f"lacks the array {missing[0]}"
        for name in sorted(names):
            yield from _array_faults(name, arrays[name], form.get(name[len(group.prefix) :]), sizes)
    for name in sorted(arrays.keys() - known):
        yield name, "it is no array that this version stores"


def form_of(group: Group, arrays: Mapping[str, Array]) -> dict[str, Stored]:
    """The form in which a group is stored, by full name; empty where it is not."""
    names = {name for name in arrays if name.startswith(group.prefix)}
    form = _form_of(group, names) if names else {}
    return {group.prefix + name: stored for name, stored in form.items()}


def _form_of(group: Group, names: set[str]) -> dict[str, Stored]:
    """The form with most of these names; of equal ones the first."""
    return max(group.forms, key=lambda form: sum(group.prefix + name in names for name in form))


def _array_faults(
    name: str, array: Array, stored: Stored | None, sizes: dict[str, int]
) -> Iterator[Fault]:
    if stored is None:
        yield name, "it is no array that this version stores"
        return
    if array.dtype.str not in stored.dtype.split(" or "):
        yield name, f"it has dtype {array.dtype.str}; {stored.dtype} is needed"
    axes = stored.shape.split(", ")
    fits = array.ndim == len(axes) and all(
        _fits(axis, length, sizes) for axis, length in zip(axes, array.shape, strict=True)
    )
    if not fits:
        seen, numbers = list(array.shape), {key: sizes[key] for key in sizes if key in stored.shape}
        yield name, f"it has shape {seen}; ({stored.shape}) is needed, {numbers}"


def _fits(axis: str, length: int, sizes: dict[str, int]) -> bool:
    """Whether an axis has its length; a word met for the first time takes it."""
    if axis == "?":
        return True
    if axis.isdigit():
        return length == int(axis)
    if axis.endswith(" or 1"):
        return length in (sizes[axis.removesuffix(" or 1")], 1)
    word, _, more = axis.partition(" + ")
    rest = length - int(more or 0)
    return rest >= 0 and sizes.setdefault(word, rest) == rest
