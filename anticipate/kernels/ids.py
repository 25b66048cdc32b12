"""From an id to its code and back, without a dict of a million ids.

Reads  ids (all integers or all text), sorted and unique; an id's code is its rank there.
Gives  plain arrays that can be memory-mapped, and a lookup of about 2 microseconds.
Never  Python's ``hash`` (differs from process to process), an answer by hash alone.

Integers are their own index (binary search). Text is found by a 64-bit hash among sorted
hashes, then compared byte by byte, so ids of equal hash cannot be mixed up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..exceptions import IdTypeError, ParameterError

Array = NDArray[Any]

# The hash of a text: its UTF-8 bytes read as one little-endian number, modulo a 64-bit prime
# without structure. Two C calls (.2 microseconds), the same in every process and version. It
# is not cryptographic: ids made to collide only make their own lookups slower.
_PRIME = 0xF3A1C5E2B7D94819


def build_id_index(ids: Sequence[Any] | Array) -> dict[str, Array]:
    """Index arrays of a sorted vocabulary.

    Parameters
    ----------
    ids : sequence or ndarray of shape (n_ids,)
        All int (int64 or uint64 range) or all str, strictly ascending.

    Returns
    -------
    dict of ndarray
        Integers: ``ids (n_ids,)`` int64 or uint64. Text: ``hashes (n_ids,)`` uint64 sorted,
        ``codes (n_ids,)`` int32 of each hash, ``offsets (n_ids + 1,)`` int64 into
        ``bytes`` uint8, both by code. No ids: the text form, empty.

    Raises
    ------
    IdTypeError
        If ids are neither all integers nor all text.
    ParameterError
        If ids are not sorted and unique.

    Examples
    --------
    >>> index = build_id_index(["ann", "bob"])
    >>> lookup(index, "bob"), lookup(index, "eve"), id_at(index, 0)
    (1, -1, 'ann')
    """
    if len(ids) and not isinstance(ids[0], str):
        return {"ids": _ascending(_integers(ids))}
    texts = list(ids)
    if not all(isinstance(text, str) for text in texts):
        raise IdTypeError("ids: text and other types are mixed. Make all of them text.")
    raws = [_encode(text) for text in texts]
    # Code points and their UTF-8 bytes sort alike, so the caller's order is checked on bytes.
    if raws != sorted(set(raws)):
        raise ParameterError("ids: not sorted or not unique. Give sorted(set(ids)).")
    hashes = np.array([_hash(raw) for raw in raws], dtype=np.uint64)
    order = np.argsort(hashes, kind="stable")
    return {
        "bytes": np.frombuffer(b"".join(raws), dtype=np.uint8),
        "codes": order.astype(np.int32),
        "hashes": hashes[order],
        "offsets": np.cumsum([0, *(len(raw) for raw in raws)], dtype=np.int64),
    }


def _integers(ids: Sequence[Any] | Array) -> Array:
    numbers = np.asarray(ids)
    if numbers.dtype.kind not in "iu":
        raise IdTypeError(
            f"ids: {numbers.dtype} is neither all integers nor all text. Make them one of the two."
        )
    return numbers.astype(np.uint64 if numbers.dtype == np.uint64 else np.int64, copy=False)


def _ascending(numbers: Array) -> Array:
    if (numbers[1:] <= numbers[:-1]).any():
        raise ParameterError("ids: not sorted or not unique. Give sorted(set(ids)).")
    return numbers


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _hash(raw: bytes) -> int:
    return int.from_bytes(raw, "little") % _PRIME


def lookup(index: Mapping[str, Array], id_: int | str) -> int:
    """The id's code, or -1 for an unknown one. About 2 microseconds.

    Raises
    ------
    IdTypeError
        If the id's type is not that of the vocabulary (text against integers).
    """
    if "ids" in index:
        return _lookup_integer(index["ids"], id_)
    if not isinstance(id_, str):
        raise IdTypeError(f"id: {type(id_).__name__} was given; the known ids are text.")
    raw = _encode(id_)
    key = np.uint64(_hash(raw))
    hashes, offsets, data = index["hashes"], index["offsets"], index["bytes"]
    position = int(hashes.searchsorted(key))
    while position < len(hashes) and hashes[position] == key:
        code = int(index["codes"][position])
        if data[offsets[code] : offsets[code + 1]].tobytes() == raw:
            return code
        position += 1  # another id of the same hash: once in 2**64 pairs
    return -1


def _lookup_integer(ids: Array, id_: Any) -> int:
    if not isinstance(id_, (int, np.integer)) or isinstance(id_, bool):
        raise IdTypeError(f"id: {type(id_).__name__} was given; the known ids are integers.")
    number = int(id_)
    if not len(ids) or number < ids[0] or number > ids[-1]:
        return -1
    code = int(ids.searchsorted(ids.dtype.type(number)))  # same dtype: else it copies to float
    return code if ids[code] == number else -1


def lookup_many(index: Mapping[str, Array], ids: Sequence[Any] | Array) -> Array:
    """Codes of many ids, shape (n,), int32; -1 for unknown ones.

    Raises
    ------
    IdTypeError
        If an id's type is not that of the vocabulary.
    """
    if not len(ids):
        return np.empty(0, dtype=np.int32)
    if "ids" not in index:
        # A loop: hashing text goes one by one anyway, and this costs 2 s for a million.
        return np.fromiter((lookup(index, id_) for id_ in ids), dtype=np.int32, count=len(ids))
    if isinstance(ids[0], str):
        raise IdTypeError("id: str was given; the known ids are integers.")
    known, asked = index["ids"], _integers(ids)
    if not len(known):
        return np.full(len(asked), -1, dtype=np.int32)
    keys = asked.astype(known.dtype)
    codes = np.minimum(known.searchsorted(keys), len(known) - 1)
    return np.where(known[codes] == asked, codes, -1).astype(np.int32)


def id_at(index: Mapping[str, Array], code: int) -> int | str:
    """The id of a code, in the type it was given in (``int`` or ``str``).

    Raises
    ------
    IndexError
        If there is no such code; negative codes do not count from the end.
    """
    n_ids = len(index["ids"]) if "ids" in index else len(index["codes"])
    if not 0 <= code < n_ids:
        raise IndexError(f"code {code}: the index holds {n_ids} ids.")
    if "ids" in index:
        return int(index["ids"][code])
    start, end = index["offsets"][code], index["offsets"][code + 1]
    return index["bytes"][start:end].tobytes().decode("utf-8", "surrogatepass")


def ids_at(index: Mapping[str, Array], codes: Array) -> Array:
    """The ids of many codes, shape (n,): int64 or uint64, or object holding ``str``."""
    if "ids" in index and (not len(codes) or (min(codes) >= 0 and max(codes) < len(index["ids"]))):
        return np.asarray(index["ids"][np.asarray(codes, dtype=np.intp)])
    out = np.empty(len(codes), dtype=object)
    out[:] = [id_at(index, int(code)) for code in codes]
    return out
