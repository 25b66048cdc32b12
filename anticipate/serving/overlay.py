"""Ids of one request: those of the bundle, and those it has never seen.

Reads  an id index of the bundle.
Gives  a code for every id: the bundle's, or one past them for an id met in this request.
Never  a change of the bundle: an overlay lives as long as the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from ..kernels.ids import id_at, ids_at, lookup, lookup_texts
from .values import checked_id, plain_id

Array = NDArray[Any]


def index_size(index: Mapping[str, Array]) -> int:
    """How many ids an index holds."""
    return len(index["ids"]) if "ids" in index else len(index["codes"])


class Overlay:
    """An id index and the ids met beside it; codes from ``n`` on are the new ones."""

    __slots__ = ("_index", "_new", "_position", "n")

    def __init__(self, index: Mapping[str, Array]) -> None:
        self._index = index
        self._new: list[Any] = []
        self._position: dict[Any, int] = {}  # of ids met, known and new
        self.n = index_size(index)

    def code(self, id_: Any) -> int:
        """The id's code; a new one where the bundle does not know it; -1 for None."""
        if id_ is None:
            return -1
        if type(id_) not in (int, str):  # not True, which equals 1
            id_ = checked_id(id_)
        if (met := self._position.get(id_)) is not None:
            return met
        if self.n == 0 or (known := lookup(self._index, id_)) < 0:
            return self._add(id_)
        self._position[id_] = known
        return known

    def look_up(self, ids: Iterable[Any]) -> None:
        """Find many known texts at once, so that ``code`` need not seek them one by one."""
        if self.n and "ids" not in self._index:
            texts = [id_ for one in ids if type(id_ := plain_id(one)) is str]
            new = list(dict.fromkeys(id_ for id_ in texts if id_ not in self._position))
            codes = zip(new, lookup_texts(self._index, new), strict=True)
            self._position.update((id_, code) for id_, code in codes if code >= 0)

    def admit(self, ids: Iterable[Any]) -> None:
        """Give new ids their codes in sorted order; what is no id waits for its own row."""
        new = {id_ for one in ids if isinstance(id_ := plain_id(one), (int, str))}
        for id_ in sorted(new, key=lambda id_: (isinstance(id_, str), id_)):
            if self.n == 0 or isinstance(id_, str) == ("ids" not in self._index):
                self.code(id_)

    def id(self, code: int) -> Any:
        """The id of a code, in the type it was given in; None for -1."""
        if code < 0:
            return None
        return id_at(self._index, code) if code < self.n else self._new[code - self.n]

    def ids(self, codes: Array) -> list[Any]:
        """The ids of many codes."""
        if len(codes) and codes.min() >= 0 and codes.max() < self.n:
            return list(ids_at(self._index, codes).tolist())
        return [self.id(code) for code in codes.tolist()]

    def _add(self, id_: Any) -> int:
        self._position[id_] = code = self.n + len(self._new)
        self._new.append(id_)
        return code


class Words(dict[str, Overlay]):
    """Overlays by name, each made when it is first asked for."""

    def __init__(self, indexes: Mapping[str, Mapping[str, Array]]) -> None:
        self._indexes = indexes

    def __missing__(self, name: str) -> Overlay:
        overlay = self[name] = Overlay(self._indexes[name])
        return overlay
