"""Which purchase a return undid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anticipate.kernels.events import Events, offsets_of
from anticipate.kernels.returns import NEVER, match_returns
from anticipate.log import InteractionLog


def matched(events, **options):
    """Matches of (item, hour, event, quantity, order) rows of one customer."""
    frame = pd.DataFrame(events, columns=["item_id", "hour", "event", "quantity", "order_id"])
    frame["customer_id"] = 1
    frame["timestamp"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame["hour"], unit="h")
    log = InteractionLog.from_frame(
        frame, event="event", quantity="quantity", order_id="order_id", timezone="UTC",
        closed_until="2026-01-01", **options,
    )  # fmt: skip
    history = log.as_of("2025-06-01")
    return history, history.returns


def test_a_return_goes_to_the_same_order_first():
    """Bought in a and in b; what comes back of a was bought in a, though b is later."""
    _, match = matched([("x", 1, "purchase", 1, "a"), ("x", 2, "purchase", 1, "b"),
                        ("x", 9, "return", 1, "a")])  # fmt: skip

    assert match.returned.tolist() == [1, 0, 0]
    assert match.purchase_row.tolist() == [-1, -1, 0]
    assert match.n_unmatched == 0


def test_without_an_order_it_goes_to_the_latest_purchase_still_open():
    _, match = matched([("x", 1, "purchase", 1, "a"), ("x", 2, "purchase", 1, "b"),
                        ("x", 8, "return", 1, None), ("x", 9, "return", 1, None)])  # fmt: skip

    assert match.purchase_row.tolist() == [-1, -1, 1, 0]


def test_an_order_that_does_not_hold_the_item_counts_for_nothing():
    _, match = matched([("y", 1, "purchase", 1, "a"), ("x", 2, "purchase", 1, "b"),
                        ("x", 9, "return", 1, "a")])  # fmt: skip

    assert match.purchase_row[2] >= 0
    assert match.n_unmatched == 0


def test_part_of_a_purchase_may_come_back_more_than_once():
    """Five bought; two and two back: four returned, last at hour 9."""
    history, match = matched([("x", 1, "purchase", 5, "a"), ("x", 8, "return", 2, "a"),
                              ("x", 9, "cancel", 2, None)])  # fmt: skip

    assert match.returned[0] == 4
    assert match.returned_at[0] == history.events.timestamp[2]


def test_one_return_may_close_several_purchases_latest_first():
    """Three back: two of the later purchase, one of the earlier; the row named is the last used."""
    _, match = matched([("x", 1, "purchase", 2, "a"), ("x", 2, "purchase", 2, "b"),
                        ("x", 9, "return", 3, None)])  # fmt: skip

    assert match.returned.tolist() == [1, 2, 0]
    assert match.purchase_row[2] == 0


def test_more_than_was_bought_is_left_over_and_counted():
    _, match = matched([("x", 1, "purchase", 1, "a"), ("x", 9, "return", 3, "a")])

    assert match.unmatched.tolist() == [0, 2]
    assert match.n_unmatched == 1


def test_a_return_cannot_undo_a_later_purchase():
    _, match = matched([("x", 5, "return", 1, "a"), ("x", 9, "purchase", 1, "a")])

    assert match.returned.tolist() == [0, 0]
    assert match.returned_at.tolist() == [NEVER, NEVER]
    assert match.n_unmatched == 1


def test_a_return_in_the_same_second_comes_after_the_purchase():
    _, match = matched([("x", 5, "return", 1, "a"), ("x", 5, "purchase", 1, "a")])

    assert match.n_unmatched == 0


def test_events_without_an_item_stand_beside_returns():
    """A contact without an item between purchases and returns takes part in nothing."""
    history, match = matched([("x", 1, "purchase", 1, "a"), (None, 2, "contact", 1, None)])

    assert match.n_unmatched == 0
    assert len(match.returned) == history.n_events


def test_returns_of_one_customer_do_not_touch_another():
    rows = {
        "customer_id": [1, 2, 2], "item_id": ["x"] * 3, "event": ["purchase", "purchase", "return"],
        "timestamp": ["2025-01-01", "2025-01-02", "2025-01-03"],
    }  # fmt: skip
    log = InteractionLog.from_frame(rows, event="event", timezone="UTC", closed_until="2025-02-01")

    assert log.as_of("2025-01-31").returns.returned.tolist() == [0, 1, 0]


def test_a_history_without_events_has_no_returns():
    _, match = matched([("x", 1, "purchase", 1, "a")])
    history, _ = matched([("x", 1, "purchase", 1, "a")])

    assert history.as_of("2024-01-01").returns.n_unmatched == 0
    assert len(match.returned) == 1


def test_two_hundred_thousand_purchases_before_one_return():
    """One customer, one item: the loop enters each row once."""
    n = 200_000
    seconds = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(n + 1), unit="s")
    rows = {
        "customer_id": np.zeros(n + 1, dtype=int), "item_id": np.zeros(n + 1, dtype=int),
        "timestamp": seconds, "event": np.array(["purchase"] * n + ["return"]),
    }  # fmt: skip
    log = InteractionLog.from_frame(rows, event="event", timezone="UTC", closed_until="2026-01-01")

    assert log.as_of("2025-12-31").returns.purchase_row[-1] == n - 1


@pytest.fixture(scope="module")
def online_retail(real_data):
    file = real_data / "online_retail" / "online_retail.parquet"
    if not file.exists():
        pytest.skip(f"no {file.name} in the folder of real data")
    return InteractionLog.read(
        file, customer_id="CustomerID", item_id="StockCode", timestamp="InvoiceDate",
        quantity="Quantity", price="UnitPrice", order_id="InvoiceNo", timezone="Europe/London",
        negative_quantity="cancel", closed_until="2011-12-10", on_bad_rows="quarantine",
    )  # fmt: skip


def test_online_retail_is_read_as_it_is(online_retail):
    """541,909 lines, 135,080 without a customer; 4,372 customers, 8,905 cancelled lines."""
    events = online_retail.events

    assert (len(online_retail), len(online_retail.rejected)) == (406_829, 135_080)
    assert online_retail.report["rejected"] == {"no customer": 135_080}
    assert online_retail.n_customers == 4_372
    assert int((events.event == 5).sum()) == 8_905


def test_online_retail_cancellations_find_their_purchases(online_retail):
    """None by order number. By customer and item 7,957 of 8,905 meet any purchase, 7,599 an
    earlier one; of these 7,571 find one whose pieces have not all been cancelled before.
    """
    history = online_retail.as_of("2011-12-10")
    events, match = history.events, history.returns
    cancelled, bought = events.event == 5, events.event == 3
    pair = events.customer.astype(np.int64) * history.n_items + events.item

    assert not set(events.order[cancelled]) & set(events.order[bought])
    assert int(np.isin(pair[cancelled], pair[bought]).sum()) == 7_957
    assert int((match.purchase_row[cancelled] >= 0).sum()) == 7_571
    first = pd.Series(events.timestamp[bought]).groupby(pair[bought]).min()
    earlier = first.reindex(pair[cancelled]).to_numpy() < events.timestamp[cancelled]
    assert int(earlier.sum()) == 7_599


@pytest.mark.parametrize("seed", range(20))
def test_the_quick_matching_is_that_of_a_stack_for_every_pair(seed):
    """Pairs of one purchase and one return take no loop."""
    rng = np.random.default_rng(seed)
    n = 200
    customer = np.sort(rng.integers(0, 12, n))
    events = make_events(rng, customer)
    whole = match_returns(events)
    returned, unmatched = stacked(events)

    assert whole.returned.tolist() == returned
    assert whole.unmatched.tolist() == unmatched


def make_events(rng, customer):
    """Purchases, returns and views of eight items, some without an order or an item."""
    n = len(customer)
    none = np.full(n, -1)
    return Events(
        offsets=offsets_of(customer, 12), customer=customer.astype(np.int32),
        item=rng.integers(-1, 8, n).astype(np.int32), timestamp=np.arange(n),
        known_at=np.arange(n), day=none, event=rng.choice([0, 3, 3, 4, 5], n).astype(np.int8),
        quantity=rng.choice([1.0, 2.0, 0.1, 0.3], n), price=none * 1.0, value=none * 1.0,
        order=rng.integers(-1, 3, n).astype(np.int32), event_id=none, gift=none > 0,
        channel=none, reason=none,
    )  # fmt: skip


def stacked(events):
    """Each return goes through its pair's purchases, those of its order first, latest first."""
    left = events.quantity.tolist()
    returned, unmatched = [0.0] * events.n, [0.0] * events.n
    for row in range(events.n):
        if events.event[row] not in (4, 5) or events.item[row] < 0:
            continue
        mine = [
            p for p in range(row)
            if events.event[p] == 3 and events.customer[p] == events.customer[row]
            and events.item[p] == events.item[row]
        ]  # fmt: skip
        order = events.order[row]
        first = [p for p in mine if order >= 0 and events.order[p] == order]
        for p in [*first[::-1], *mine[::-1]]:
            used = min(left[row], left[p])
            left[row], left[p], returned[p] = left[row] - used, left[p] - used, returned[p] + used
        unmatched[row] = left[row]
    return returned, unmatched
