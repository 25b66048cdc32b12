"""What is stored of customers and items says what the events say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anticipate.kernels.events import Events, constant, offsets_of
from anticipate.kernels.holdings import find_holdings, kept_from, own_from
from anticipate.kernels.offers import own_state
from anticipate.kernels.owned import Lines, find_kept, undone_times
from anticipate.kernels.returns import match_returns
from anticipate.serving.lazy_events import LazyEvents

DAY = 86_400_000_000
PURCHASE, RETURN, VIEW = 3, 4, 0
N_ITEMS = 4

rows = st.lists(
    st.tuples(
        st.integers(0, 2),  # customer
        st.integers(0, 6),  # half days
        st.integers(0, N_ITEMS - 1),
        st.sampled_from((PURCHASE, PURCHASE, PURCHASE, RETURN, VIEW)),
        st.booleans(),
    ),
    max_size=30,
)


def events_of(made):
    made = sorted(made, key=lambda row: row[:2])
    customer, half, item, event, gift = (
        np.array([row[i] for row in made], dtype=np.int64) for i in range(5)
    )
    n, time = len(made), half * (DAY // 2)
    columns = {
        "item": item.astype(np.int32), "timestamp": time, "known_at": time,
        "day": (time // DAY).astype(np.int32), "event": event.astype(np.int8),
        "gift": gift.astype(bool),
    }  # fmt: skip
    plain = {
        "quantity": (1.0, float), "price": (2.0, float), "value": (np.nan, float),
        "order": (-1, np.int32), "event_id": (-1, np.int32), "channel": (-1, np.int16),
        "reason": (-1, np.int32),
    }  # fmt: skip
    columns |= {name: constant(*value, n) for name, value in plain.items()}
    return Events(offsets=offsets_of(customer, 3), customer=customer.astype(np.int32), **columns)


def places(held, customer, item):
    """By plain search: each pair's position, and whether it is there."""
    known = {}
    for c in range(3):
        for p in range(held.offsets[c], held.offsets[c + 1]):
            known[c, int(held.item[p])] = p
    found = [known.get(pair, -1) for pair in zip(customer.tolist(), item.tolist(), strict=True)]
    return np.maximum(found, 0), np.array(found) >= 0


@given(rows)
def test_stored_pairs_answer_as_the_events_do(made):
    events = events_of(made)
    undone = undone_times(events, match_returns(events))
    held = find_holdings(events, undone)
    customer, item = (grid.ravel() for grid in np.mgrid[0:3, 0:N_ITEMS])
    place, hit = places(held, customer, item)
    start = events.offsets[customer]
    own = own_from(held, place[hit], start[hit], events.timestamp)
    fresh = own_state(events, customer, item)
    assert (fresh.n_visits > 0).tolist() == hit.tolist()
    for stored, column in zip(own, fresh, strict=True):
        assert stored.tolist() == column[hit].tolist()

    n, later = len(item), np.full(len(item), 99 * DAY)
    lines = Lines(customer, item, later, np.ones(n), np.zeros(n, dtype=bool))
    fresh = find_kept(events, undone, lines, asked=item[None, :], n_items=N_ITEMS)
    if fresh is None:  # no purchase but gifts
        assert not len(held.item) or not kept_from(held, place, hit, start).row.max() >= 0
        return
    for stored, column in zip(kept_from(held, place, hit, start), fresh, strict=True):
        assert stored.tolist() == column.tolist()


def test_holdings_by_hand():
    """Bought on day 0 (twice), on day 1 and sent back, on day 2 as a gift."""
    half = [0, 0, 2, 3, 4]
    kinds = [PURCHASE, PURCHASE, PURCHASE, RETURN, PURCHASE]
    made = [(1, h, 2, kind, h == 4) for h, kind in zip(half, kinds, strict=True)]
    events = events_of(made)
    held = find_holdings(events, undone_times(events, match_returns(events)))
    assert held.offsets.tolist() == [0, 0, 1, 1]
    assert held.item.tolist() == [2]
    assert held.n_visits.tolist() == [3]
    assert (held.first_row[0], held.last_row[0]) == (0, 4)
    assert (held.kept_row[0], held.kept_visit_row[0], held.kept_first_row[0]) == (1, 0, 0)
    assert held.kept_visits.tolist() == [1]
    assert held.in_batches.tolist() == [False]  # nothing earlier than the last visit


def test_columns_of_one_request_are_made_once_and_only_when_read():
    made = []

    def column(name):
        made.append(name)
        return np.arange(2)

    events = LazyEvents(np.array([0, 2]), np.zeros(2, dtype=np.int32), column)
    assert events.known_at is events.timestamp
    assert events.n == 2
    assert events.item is events.item
    assert made == ["timestamp", "item"]
    with pytest.raises(AttributeError):
        _ = events.no_such_column
    whole = events_of([(0, 0, 1, PURCHASE, False), (0, 1, 1, VIEW, False)])
    lazy = LazyEvents(whole.offsets, whole.customer, lambda name: getattr(whole, name))
    assert replace(whole.purchases(), offsets=whole.offsets).n == lazy.purchases().n == 1
