"""Whether packed text and id indexes are what a lookup relies on.

Reads  arrays as ``kernels.ids`` and ``bundle.pack_strings`` build them, from an untrusted place.
Gives  faults: an array's short name and what is wrong with it, the first one first.
Never  a Python loop over ids, nor more memory than one byte an id.

Of hashes a thousand are computed again, evenly spread: a wrong one hides its id, as if the
customer were unknown, and does nothing worse.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...bundle import let_go
from ...kernels.ids import _hash
from . import parts
from .parts import ascends, is_permutation, numbered_parts

Array = NDArray[Any]
Fault = tuple[str, str]

_TRIED = 1024  # hashes computed again
_FAR = 256  # texts alike so far are compared one by one from there on
_PIECE = 1 << 20  # bytes decoded at once
_LONG = 1 << 24  # bytes of texts that are rather compared one by one
# The first k bytes of a word read big-endian.
_KEPT = np.array([(2**64 - 1) ^ (2 ** (64 - 8 * k) - 1) for k in range(9)], dtype=np.uint64)


def index_faults(index: Mapping[str, Array]) -> Iterator[Fault]:
    """Faults of one index, whose arrays are of the dtypes and lengths of ``build_id_index``."""
    if "ids" in index:
        if not ascends(index["ids"], strictly=True):
            yield "ids", "its ids are not sorted or not unique"
        return
    if not ascends(index["hashes"]):
        yield "hashes", "its hashes are not sorted"
    if not is_permutation(index["codes"]):
        yield "codes", f"its codes are not each of 0 to {len(index['codes']) - 1} once"
    offsets, data = index["offsets"], index["bytes"]
    yield from offsets_faults("offsets", offsets, len(data))
    if not is_text(offsets, data):
        yield "bytes", "its text is not UTF-8"
    if not texts_ascend(offsets, data):
        yield "bytes", "its ids are not sorted or not unique"
    if not _hashes_fit(index):
        yield "hashes", "its hashes are not those of its ids"


def offsets_faults(name: str, offsets: Array, size: int) -> Iterator[Fault]:
    """Offsets that do not divide ``size`` entries into runs."""
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != size:
        yield name, f"its offsets do not begin at 0 and end at {size}"
    elif not ascends(offsets):
        yield name, "its offsets do not ascend"


def is_text(offsets: Array, data: Array) -> bool:
    """Whether each run of bytes is UTF-8 on its own; the offsets are known to divide them."""
    return all(_is_text(cuts, data) for _, (cuts,) in numbered_parts(offsets))


def _is_text(cuts: Array, data: Array) -> bool:
    raw = data[cuts[0] : cuts[-1]]
    if raw.max(initial=0) < 128:
        return True
    first = data[cuts[:-1][np.diff(cuts) > 0]]
    if ((first & 0xC0) == 0x80).any():  # a letter cut in two
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(raw), _PIECE):
            decoder.decode(raw[start : start + _PIECE].tobytes())
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def texts_ascend(offsets: Array, data: Array) -> bool:
    """Whether each run of bytes sorts after the one before, none equal."""
    for start, _ in numbered_parts(offsets):
        # Two more: the last text of these is compared with the first of the next ones.
        if not _ascend(offsets[start : start + parts.ROWS + 2], data):
            return False
        let_go(data)
    return True


def _ascend(cuts: Array, data: Array) -> bool:
    """The same of a few: words of eight bytes side by side, as far as texts are alike."""
    raw = data[cuts[0] : cuts[-1]]
    starts, lengths = cuts[:-1] - cuts[0], np.diff(cuts)
    left = np.arange(max(len(lengths) - 1, 0))
    for at in range(0, _FAR if len(raw) < _LONG else 0, 8):
        if not len(left):
            return True
        words = _words(raw, starts, lengths, at)
        a, b = words[left], words[left + 1]
        if (a > b).any():
            return False
        left = left[a == b]
        n, n_next = lengths[left], lengths[left + 1]
        ended = np.minimum(n, n_next) <= at + 8
        if (n[ended] >= n_next[ended]).any():
            return False
        left = left[~ended]
    pairs = (
        (_run(raw, starts, lengths, i), _run(raw, starts, lengths, i + 1)) for i in left.tolist()
    )
    return all(one < other for one, other in pairs)


def _words(raw: Array, starts: Array, lengths: Array, at: int) -> Array:
    """Eight bytes of each text from ``at`` on as one number that sorts like them, 0 past its end.

    Shape (m,). Read from aligned words, two for each: half the time of reading them askew.
    """
    padded = np.zeros((len(raw) + 23) // 8 * 8, dtype=np.uint8)
    padded[: len(raw)] = raw
    aligned = padded.view(">u8").astype(np.uint64)
    place = np.minimum(starts + at, len(raw))
    cell, bits = place >> 3, ((place & 7) << 3).astype(np.uint64)
    after = (aligned[cell + 1] >> np.uint64(1)) >> (np.uint64(63) - bits)  # none where bits is 0
    words = (aligned[cell] << bits) | after
    return np.asarray(words & _KEPT[np.minimum(np.maximum(lengths - at, 0), 8)])


def _run(raw: Array, starts: Array, lengths: Array, i: int) -> bytes:
    return raw[starts[i] : starts[i] + lengths[i]].tobytes()


def _hashes_fit(index: Mapping[str, Array]) -> bool:
    n, offsets, data = len(index["codes"]), index["offsets"], index["bytes"]
    for place in np.unique(np.linspace(0, n - 1, min(n, _TRIED)).astype(np.int64)).tolist():
        code = int(index["codes"][place])
        raw = data[offsets[code] : offsets[code + 1]].tobytes()
        if _hash(raw) != int(index["hashes"][place]):
            return False
    for array in index.values():
        let_go(array)
    return True
