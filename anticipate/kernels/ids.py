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
    if len(ids) and not isinstance(ids[0], str):  # an integer index is never empty
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
    """As int64, or uint64 where one is larger; NumPy alone would make a float of such a list."""
    if isinstance(ids, np.ndarray) and ids.dtype.kind in "iu":
        wide = np.uint64 if ids.dtype == np.uint64 else np.int64
        return ids.astype(wide, copy=False)
    if not all(_is_integer(id_) for id_ in ids):
        raise IdTypeError("ids: neither all integers nor all text. Make them one of the two.")
    try:
        return np.array(ids, dtype=np.uint64 if max(ids) >= 2**63 else np.int64)
    except OverflowError as error:
        raise IdTypeError("ids: some do not fit into 64 bits. Make all of them text.") from error


def _is_integer(id_: Any) -> bool:
    return isinstance(id_, (int, np.integer)) and not isinstance(id_, bool)


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
    key = _hash(raw)
    return _code_of(index, raw, key, int(index["hashes"].searchsorted(np.uint64(key))))


def _code_of(index: Mapping[str, Array], raw: bytes, key: int, position: int) -> int:
    """The code of an id's bytes, from where its hash stands among the sorted ones; -1 unknown."""
    hashes, codes, offsets = index["hashes"], index["codes"], index["offsets"]
    # .item() gives Python numbers, twice as fast as indexing
    while position < len(hashes) and hashes.item(position) == key:
        code = int(codes.item(position))
        if index["bytes"][offsets.item(code) : offsets.item(code + 1)].tobytes() == raw:
            return code
        position += 1  # another id of the same hash: once in 2**64 pairs
    return -1


def _lookup_integer(ids: Array, id_: Any) -> int:
    if not _is_integer(id_):
        raise IdTypeError(f"id: {type(id_).__name__} was given; the known ids are integers.")
    number = int(id_)
    if number < ids.item(0) or number > ids.item(-1):
        return -1
    code = int(ids.searchsorted(ids.dtype.type(number)))  # same dtype: else it copies to float
    return code if ids.item(code) == number else -1


def lookup_texts(index: Mapping[str, Array], ids: Sequence[str] | Array) -> list[int]:
    """Codes of many ids of a text index, -1 for unknown ones; their hashes are sought together."""
    raws = [_encode(id_) for id_ in ids]
    keys = [_hash(raw) for raw in raws]
    places = index["hashes"].searchsorted(np.array(keys, dtype=np.uint64)).tolist()
    found = zip(raws, keys, places, strict=True)
    return [_code_of(index, raw, key, place) for raw, key, place in found]


def lookup_many(index: Mapping[str, Array], ids: Sequence[Any] | Array) -> Array:
    """Codes of many ids, shape (n,), int32; -1 for unknown ones.

    Raises
    ------
    IdTypeError
        If an id's type is not that of the vocabulary.
    """
    if "ids" not in index and all(type(id_) is str for id_ in ids):
        return np.array(lookup_texts(index, ids), dtype=np.int32)
    if "ids" not in index or not isinstance(ids, np.ndarray) or ids.dtype.kind not in "iu":
        return np.fromiter((lookup(index, id_) for id_ in ids), dtype=np.int32, count=len(ids))
    known = index["ids"]
    codes = np.minimum(known.searchsorted(ids.astype(known.dtype)), len(known) - 1)
    # A number that the cast changed (a negative one, say) differs from every known id.
    return np.where(known[codes] == ids, codes, -1).astype(np.int32)


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
        return index["ids"].item(code)
    start, end = index["offsets"].item(code), index["offsets"].item(code + 1)
    return index["bytes"][start:end].tobytes().decode("utf-8", "surrogatepass")


def ids_at(index: Mapping[str, Array], codes: Array) -> Array:
    """The ids of many codes, shape (n,): int64 or uint64, or object holding ``str``.

    Raises
    ------
    IndexError
        If a code is out of range; negative ones too.
    """
    if "ids" in index and not len(codes):
        return index["ids"][:0]
    if "ids" in index:
        id_at(index, int(codes.min()))
        id_at(index, int(codes.max()))
        return np.asarray(index["ids"][codes])
    out = np.empty(len(codes), dtype=object)
    if len(codes):
        id_at(index, int(codes.min()))
        id_at(index, int(codes.max()))
        out[:] = texts_at(index["bytes"], index["offsets"], codes)
    return out


def texts_at(raw: Array, offsets: Array, codes: Array) -> list[str]:
    """Text number i lies in bytes ``offsets[i]:offsets[i + 1]``; a loop: one str each."""
    places = zip(offsets[codes].tolist(), offsets[codes + 1].tolist(), strict=True)
    return [str(raw[start:end].tobytes(), "utf-8", "surrogatepass") for start, end in places]
