"""Pages of a bundle's files, given back to the system when they have been read.

Reads  the store's mapped columns of events.
Gives  nothing; the same bytes are there for whoever asks next.
Never  a copy, a change, an effect but on how much memory the process is seen to hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..bundle import let_go
from .moment import Moment
from .store import Store


def one_by_one(store: Store, moments: Iterable[Moment]) -> Iterator[Moment]:
    """The moments; before the next one, the pages of the one before are let go.

    A moment has copies of its rows. Without this, a run over all customers would end with all
    events resident, though it needs those of one part at a time.
    """
    for moment in moments:
        yield moment
        for column in store.columns.values():
            let_go(column)
