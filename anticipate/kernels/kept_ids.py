"""An id index without some of its ids.

Reads  an index of ``kernels.ids`` and which codes stay.
Gives  the index that ``build_id_index`` would make of the ids left; a code's rank among them.
Never  a loop over ids, nor a text that did not stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def keep_ids(index: Mapping[str, Array], kept: Array) -> dict[str, Array]:
    """The index of the ids kept.

    Parameters
    ----------
    index : mapping of ndarray
        As ``build_id_index`` makes it.
    kept : bool ndarray of shape (n_ids,)
        By code.

    Examples
    --------
    >>> from anticipate.kernels.ids import build_id_index, id_at, lookup
    >>> fewer = keep_ids(build_id_index(["ann", "bob", "eve"]), np.array([True, False, True]))
    >>> lookup(fewer, "bob"), lookup(fewer, "eve"), id_at(fewer, 1)
    (-1, 1, 'eve')
    """
    if "ids" in index and kept.any():
        return {"ids": index["ids"][kept]}
    if not kept.any():  # of either kind: an integer index is never empty
        none = np.zeros(0, dtype=np.int64)
        hashes, codes = none.astype(np.uint64), none.astype(np.int32)
        no_text: dict[str, Array] = {
            "bytes": none.astype(np.uint8),
            "offsets": np.zeros(1, dtype=np.int64),
        }
        return {**no_text, "codes": codes, "hashes": hashes}
    stays = kept[index["codes"]]
    codes = new_codes(kept)[index["codes"][stays]]
    return {**keep_texts(index, kept), "codes": codes, "hashes": index["hashes"][stays]}


def keep_texts(packed: Mapping[str, Array], kept: Array) -> dict[str, Array]:
    """Of ``offsets (n + 1,)`` and ``bytes`` the texts kept, bool (n,)."""
    lengths = np.diff(packed["offsets"])
    return {
        "bytes": packed["bytes"][np.repeat(kept, lengths)],
        "offsets": np.concatenate(([0], np.cumsum(lengths[kept], dtype=np.int64))),
    }


def new_codes(kept: Array) -> Array:
    """Each code among those kept, int32 (n_ids,); -1 of those that go."""
    return np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
