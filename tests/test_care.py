"""Open complaints and returns, and what was done with each candidate item."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anticipate import columns as c
from anticipate.kernels import answers, care, events, offers
from anticipate.log import InteractionLog

DAY = 86_400_000_000


def history(rows, cutoff="2025-03-01"):
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "timestamp", "event", "value"])
    log = InteractionLog.from_frame(
        frame, event="event", value="value", timezone="UTC", closed_until="2026-01-01"
    )
    return log.as_of(cutoff)


def matters(rows, cutoff="2025-03-01"):
    found = history(rows, cutoff)
    return care.open_matters(found.events, found.cutoffs)


def test_codes_are_those_of_the_columns():
    codes = c.EVENT_CODES

    assert codes[c.COMPLAINT] == care.COMPLAINT_CODE
    assert codes[c.RESOLVED] == care.RESOLVED_CODE
    assert care.RETURN_CODE == offers.RETURN_CODE == codes[c.RETURN]
    assert codes[c.CANCEL] == offers.CANCEL_CODE
    assert codes[c.RATING] == offers.RATING_CODE
    assert codes[c.WISH] == offers.WISH_CODE
    assert codes[c.NOT_INTERESTED] == offers.NOT_INTERESTED_CODE
    assert codes[c.PURCHASE] == events.PURCHASE_CODE
    assert codes[c.WARNING_ACCEPTED] == answers.ACCEPTED_CODE
    assert codes[c.WARNING_DISMISSED] == answers.DISMISSED_CODE


@pytest.mark.parametrize(
    ("complaint", "is_open"),
    [("2025-02-20", True), ("2025-01-30", True), ("2025-01-29", False)],
)
def test_a_complaint_is_open_for_thirty_days(complaint, is_open):
    """Cutoff 1 March: 30 January is 30 days before, 29 January 31."""
    found = matters([("a", None, complaint, "complaint", None)])

    assert (found.complaint[0] >= 0) == is_open


def test_a_return_is_open_for_fourteen_days():
    rows = [("a", "x", "2025-02-15", "return", None), ("b", "x", "2025-02-14", "return", None)]

    assert (matters(rows).returned >= 0).tolist() == [True, False]


def test_resolved_closes_what_came_before_and_not_what_came_after():
    rows = [
        ("a", None, "2025-02-10", "complaint", None),
        ("a", None, "2025-02-12", "resolved", None),
        ("b", None, "2025-02-10", "resolved", None),
        ("b", None, "2025-02-12", "complaint", None),
    ]

    assert (matters(rows).complaint >= 0).tolist() == [False, True]


def test_resolving_another_item_leaves_it_open():
    rows = [
        ("a", "x", "2025-02-10", "complaint", None),
        ("a", "y", "2025-02-12", "resolved", None),
        ("b", "x", "2025-02-10", "complaint", None),
        ("b", None, "2025-02-12", "resolved", None),
    ]

    assert (matters(rows).complaint >= 0).tolist() == [True, False]


@pytest.mark.parametrize(
    ("resolved", "due"), [("2025-02-23", False), ("2025-02-22", True), ("2025-02-15", False)]
)
def test_one_recheck_falls_due_seven_days_after(resolved, due):
    """1 March − 22 February = 7 days; after two weeks it is over."""
    rows = [("a", None, "2025-02-01", "complaint", None), ("a", None, resolved, "resolved", None)]

    assert (matters(rows).recheck[0] >= 0) == due


def test_own_state_counts_days_not_lines():
    """Two lines on one day are one visit; first and last are first lines of their days."""
    rows = [
        ("a", "x", "2025-01-01T10:00", "purchase", None),
        ("a", "x", "2025-01-01T12:00", "purchase", None),
        ("a", "x", "2025-01-11T09:00", "purchase", None),
        ("a", "y", "2025-01-11T09:00", "purchase", None),
        ("b", "x", "2025-01-12", "purchase", None),
    ]
    found = history(rows)

    own = offers.own_state(found.events, np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]))

    assert own.n_visits.tolist() == [2, 1, 1, 0]
    assert (own.last - own.first)[0] == 10 * DAY - 3_600_000_000
    assert own.last_row[3] == -1


def test_own_state_of_one_customer_is_that_of_the_batch():
    rng = np.random.default_rng(0)
    rows = [
        (f"c{who}", f"i{what}", f"2025-01-{day:02d}", "purchase", None)
        for who, what, day in rng.integers((0, 0, 1), (6, 5, 28), size=(200, 3))
    ]
    found = history(rows)
    customer, item = np.repeat(np.arange(6), 5), np.tile(np.arange(5), 6)
    whole = offers.own_state(found.events, customer, item)
    for code in range(6):
        alone = history(rows).select([f"c{code}"])
        part = offers.own_state(alone.events, np.zeros(5, int), np.arange(5))

        assert (part.n_visits == whole.n_visits[customer == code]).all()
        assert (part.last == whole.last[customer == code]).all()


def test_own_states_tell_what_was_before_new_rows():
    """The second of the pair is the state of the events without those rows."""
    rng = np.random.default_rng(1)
    rows = [
        (f"c{who}", f"i{what}", f"2025-01-{day:02d}", "purchase", None)
        for who, what, day in rng.integers((0, 0, 1), (4, 5, 28), size=(120, 3))
    ]
    found = history(rows).events
    customer, item = np.repeat(np.arange(4), 5), np.tile(np.arange(5), 4)
    for share in (0.0, 0.1, 1.0):
        new = rng.random(found.n) < share
        now, before = offers.own_states(found, customer, item, new=new)
        alone = offers.own_state(found.take(~new), customer, item)

        assert (now is before) == (not new.any())
        assert all((a == b).all() for a, b in zip(before[:3], alone[:3], strict=True))
        whole = offers.own_state(found, customer, item)
        assert all((a == b).all() for a, b in zip(now, whole, strict=True))


def test_the_latest_signal_counts():
    """Wished, then returned: disliked. Rated 4: nothing. Rated 2: disliked."""
    rows = [
        ("a", "w", "2025-01-01", "wish", None),
        ("a", "x", "2025-01-01", "wish", None),
        ("a", "x", "2025-01-02", "return", None),
        ("a", "y", "2025-01-02", "rating", 4.0),
        ("a", "z", "2025-01-02", "rating", 2.0),
    ]
    found = history(rows)
    items = np.arange(4)

    signal = offers.latest_signal(found.events, np.zeros(4, int), items, 0)

    assert signal.tolist() == [1, -1, 0, -1]
    since = int(found.events.timestamp.max()) + 1
    assert not offers.latest_signal(found.events, np.zeros(4, int), items, since).any()


def test_open_complaints_are_those_that_the_features_count():
    """The same rule stands in ``kernels.complaints``: both agree on seeded logs."""
    from anticipate.features import FeatureBuilder
    from anticipate.testing import random_log

    for seed in range(5):
        log = random_log(seed)
        found = log.as_of(log.start + (log.end - log.start) * 0.8)
        builder = FeatureBuilder(features=["n_complaints_open"])
        counted = builder.fit_transform(found)["n_complaints_open"].to_numpy() > 0

        is_open = care.open_matters(found.events, found.cutoffs).complaint >= 0

        assert (counted == is_open).all()
