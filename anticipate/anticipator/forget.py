"""Forget customers: a bundle without them takes the place of the one with them.

Reads  a bundle and ids.
Gives  a new generation without their rows, ids, and words that only they used; the only one
       left in the folder.
Never  other customers' rows changed by a bit; what training added up over all customers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..bundle import let_go
from ..bundle.pieces import Pieces
from ..bundle.rewrite import rewrite_bundle
from ..exceptions import BundleError
from ..kernels.ids import ids_at, lookup_many
from ..kernels.kept_ids import keep_ids, keep_texts, new_codes
from ..log.ids import check_ids
from ..needs import NextNeedRanker
from ..needs.forget import without_customers
from ..serving.by_customer import CUSTOMERS, TEXTS, Kind, Rows, rows_of, unknown_arrays
from ..serving.checks import content_faults
from ..serving.golden import renamed
from .state import restored, storable

Array = NDArray[Any]
Arrays = dict[str, Array]
Stored = dict[str, Array | Pieces]
ROWS = 1 << 22  # taken at once
_NEEDS = "model_part_needs__"


class Forgotten(NamedTuple):
    """What became of the ids given."""

    n_given: int  # different ones
    n_forgotten: int  # that the bundle knew
    n_events: int  # theirs


def forget_customers(path: str | Path, customer_ids: Iterable[Any]) -> Forgotten:
    """Save a bundle without some of its customers, and remove the one with them.

    Parameters
    ----------
    path : str or Path
        The bundle's folder.
    customer_ids : iterable of ids
        Of the type of the bundle's; unknown ones are counted.

    Returns
    -------
    Forgotten
        Counts. If none of the ids is known the bundle stays as it is; older generations and
        leftovers in the folder are removed all the same.

    Raises
    ------
    IdTypeError
        If the ids are of another type.
    BundleError
        If the bundle is damaged, or holds an array of which this version cannot tell whether
        it has rows of customers; nothing was touched.
    OutputError
        If another process is saving there, the disk is full (as much room as the bundle takes
        is needed), or an older generation cannot be removed.

    Notes
    -----
    Others are answered with the same bits as before, and those forgotten like anyone unknown.
    What was added up over all customers (popularity, what goes together, weights) is not learned
    anew: ``docs/bundle.md`` says what such numbers can still tell. Services that are running
    read the old generation until they load the bundle again. Two passes over the stored bytes;
    memory for a few million rows.
    """
    told: list[Forgotten] = []

    def change(manifest: dict[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Stored] | None:
        _refuse_unknown(path, arrays)
        index, n = _group(arrays, CUSTOMERS), len(arrays["customer__flags"])
        given = np.unique(check_ids(customer_ids, ids_at(index, np.arange(n)[:1]), "customer_id"))
        codes = lookup_many(index, given) if n else np.full(len(given), -1)
        kept = np.ones(n, dtype=bool)
        kept[codes[codes >= 0]] = False
        counts = np.diff(arrays["events__offsets"])
        told.append(Forgotten(len(given), int((~kept).sum()), int(counts[~kept].sum())))
        if kept.all():
            return None
        stored = _without(arrays, kept, given[codes >= 0])
        customers = {n: a for n, a in stored.items() if isinstance(a, np.ndarray)}
        golden = renamed(manifest.get("golden", []), _group(customers, CUSTOMERS))
        n_events = manifest["n_events"] - told[0].n_events
        counted = {"n_customers": int(kept.sum()), "n_events": n_events, "golden": golden}
        return {**manifest, **counted}, stored

    rewrite_bundle(path, change, check=content_faults)
    return told[0]


def _refuse_unknown(path: str | Path, arrays: Mapping[str, Array]) -> None:
    unknown = unknown_arrays(arrays)
    if unknown:
        raise BundleError(
            f"bundle {path}: this version cannot tell whether {len(unknown)} of its arrays have "
            f"rows of customers, {unknown[0]} first. Use the version that saved it."
        )


def _without(arrays: Arrays, kept: Array, gone: Array) -> Stored:
    """All arrays; ``kept`` (n_customers,) is a mask, ``gone`` holds the ids of the others."""
    table = {name: rows for name in arrays if (rows := rows_of(name)) is not None}
    masks = {
        name: np.repeat(kept, np.diff(arrays[name]))
        for name, rows in table.items()
        if rows.kind is Kind.OFFSETS
    }
    masks[""] = kept  # of arrays that have no runs
    used = {
        rows.words: _used(rows.words, arrays, table, masks)
        for rows in table.values()
        if rows.kind is Kind.WORDS
    }
    out: Stored = {**_grouped(CUSTOMERS, keep_ids(_group(arrays, CUSTOMERS), kept))}
    for group, stays in used.items():
        texts = _texts(group, arrays)
        keep = keep_ids if texts.keys() & {"ids", "codes"} else keep_texts
        out |= _grouped(group, keep(texts, stays))
    for name, rows in table.items():
        array = arrays[name]
        if rows.kind is Kind.NONE:
            out[name] = array
        elif rows.kind is Kind.OFFSETS:
            out[name] = np.concatenate(([0], np.cumsum(np.diff(array)[kept], dtype=np.int64)))
        elif rows.kind in (Kind.ONE_EACH, Kind.RUNS):
            code = np.append(new_codes(used[rows.words]), -1) if rows.words else None
            out[name] = _taken(array, masks[rows.runs], code)
    return out | _needs(arrays, gone)


def _used(words: str, arrays: Arrays, table: dict[str, Rows], masks: Arrays) -> Array:
    """Which words the rows that stay name, by code."""
    texts = _texts(words, arrays)
    n = len(texts["ids"]) if "ids" in texts else len(texts["offsets"]) - 1
    used = np.zeros(n + 1, dtype=bool)
    for name, rows in table.items():
        if rows.words == words and rows.kind is not Kind.WORDS:
            for part in _parts(arrays[name], masks[rows.runs]):
                used[part] = True  # -1, no word, is the last place
    return used[:-1]


def _texts(group: str, arrays: Mapping[str, Array]) -> Arrays:
    return {name: array for name, array in _group(arrays, group).items() if name in TEXTS}


def _taken(column: Array, rows: Array, code: Array | None) -> Array | Pieces:
    """The rows that stay; with ``code``, the new code of each old one."""

    def make() -> Iterator[Array]:
        for part in _parts(column, rows):
            yield part if code is None else code[part].astype(column.dtype)

    if len(column) != len(rows):  # it never varies
        return column if code is None else code[column].astype(column.dtype)
    return Pieces(column.dtype, (int(rows.sum()), *column.shape[1:]), make)


def _parts(column: Array, rows: Array) -> Iterator[Array]:
    """Its rows that stay, part by part; a column that never varies is stored as one."""
    if len(column) != len(rows):
        yield column[: int(rows.any())]
        return
    for start in range(0, len(rows), ROWS):
        yield column[start : start + ROWS][rows[start : start + ROWS]]
        let_go(column)


def _needs(arrays: Arrays, gone: Array) -> Arrays:
    """The ranker's arrays, with no reference of those who go."""
    own = {n.removeprefix(_NEEDS): a for n, a in arrays.items() if n.startswith(_NEEDS)}
    if not own:
        return {}
    ranker = without_customers(NextNeedRanker.from_arrays(restored(own)), gone)
    return {f"{_NEEDS}{name}": array for name, array in storable(ranker.to_arrays()).items()}


def _group(arrays: Mapping[str, Array], group: str) -> Arrays:
    start = f"{group}__"
    return {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}


def _grouped(group: str, arrays: Mapping[str, Array]) -> Arrays:
    return {f"{group}__{name}": array for name, array in arrays.items()}
