"""Outcomes: what happened in a closed window, and nothing of an open one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anticipate.exceptions import CutoffError, FutureCutoffWarning, ParameterError
from anticipate.log import InteractionLog
from anticipate.outcomes import label_outcomes, temporal_split
from anticipate.testing import random_log
from anticipate.testing.compare import difference

EVENTS = [
    # customer, item, day of January, event, quantity, price
    ("al", "tea", 1, "purchase", 1, 2.0),
    ("al", "mug", 2, "purchase", 1, 9.0),
    ("al", "tea", 11, "purchase", 2, 2.5),
    ("al", "pot", 11, "purchase", 1, None),
    ("al", "tea", 14, "purchase", 1, 3.0),
    ("al", "tea", 20, "purchase", 9, 9.0),
    ("bo", "tea", 3, "purchase", 1, 2.0),
    ("bo", "tea", 12, "view", 1, None),
    ("bo", "tea", 13, "return", 1, 2.0),
    ("cy", "mug", 12, "purchase", 1, 8.0),
]


def log_of(events=EVENTS, **options) -> InteractionLog:
    frame = pd.DataFrame(
        events, columns=["customer_id", "item_id", "day", "event", "quantity", "price"]
    )
    frame["timestamp"] = pd.Timestamp("2025-01-01T12:00") + pd.to_timedelta(frame.day - 1, unit="D")
    names = {name: name for name in ("event", "quantity", "price")}
    return InteractionLog.from_frame(frame, timezone="UTC", **names, **options)


def outcomes(**options):
    """Ten days from the 10th of January, midnight: up to and without the 20th."""
    return label_outcomes(log_of(**options), "2025-01-10", 10)


def test_customers_of_the_history_and_what_they_did():
    """al: 11th (2 tea at 2.5, a pot of unknown price) and 14th (3.0): 2 days, 8.0; bo: nothing."""
    table = outcomes().customers

    assert table.index.tolist() == ["al", "bo"]
    assert table["purchased"].tolist() == [True, False]
    assert table["n_purchases"].tolist() == [2, 0]
    assert table["spend"].tolist() == [8.0, 0.0]
    assert table["next_purchase_days"].iloc[0] == 1.5
    assert np.isnan(table["next_purchase_days"].iloc[1])


def test_customers_who_are_only_listed_are_customers():
    table = outcomes(customers=pd.DataFrame({"customer_id": ["zoe"]})).customers

    assert table.index.tolist() == ["al", "bo", "zoe"]
    assert table.loc["zoe"].tolist()[:3] == [False, 0, 0.0]
    assert table["purchased"].dtype == bool
    assert table["n_purchases"].dtype == np.int64


def test_pairs_of_the_history_and_pairs_bought():
    table = outcomes().pairs.set_index(["customer_id", "item_id"])

    assert table["in_history"].to_dict() == {
        ("al", "mug"): True, ("al", "pot"): False, ("al", "tea"): True, ("bo", "tea"): True,
        ("cy", "mug"): False,
    }  # fmt: skip
    assert table["bought"].tolist() == [False, True, True, False, True]
    assert table["quantity"].tolist() == [0.0, 1.0, 3.0, 0.0, 1.0]
    assert table.loc[("al", "tea"), "next_purchase_days"] == 1.5


def test_lines_are_the_events_of_the_window():
    lines = outcomes().lines

    assert lines["timestamp"].dt.day.tolist() == [11, 11, 14, 12, 13, 12]
    assert lines["event"].tolist().count("purchase") == 4


def test_the_window_is_half_open():
    """Noon of the 11th: inside from noon on for a day, outside of the day before noon."""
    log = log_of()

    assert len(label_outcomes(log, "2025-01-11T12:00", 1).lines) == 2
    assert len(label_outcomes(log, "2025-01-10T12:00", 1).lines) == 0


def test_bought_codes_are_those_of_the_history():
    found = outcomes()
    customers, items = found.bought_codes()

    assert found.history.customer_ids[customers].tolist() == ["al"]
    assert found.history.item_ids[items].tolist() == ["tea"]


def test_a_window_past_the_end_is_refused():
    """The log ends on the 20th at noon."""
    with pytest.raises(CutoffError, match=r"window of 10.6 days .* not closed.*closed_until"):
        label_outcomes(log_of(), "2025-01-10", 10.6)
    with pytest.raises(CutoffError):
        label_outcomes(log_of(), "2025-01-10", 10.5 + 1e-6 / 86_400)  # by a microsecond
    assert label_outcomes(log_of(), "2025-01-10", 10.5)


def test_closed_until_closes_the_window():
    assert len(label_outcomes(log_of(closed_until="2025-02-01"), "2025-01-10", 22).lines) == 7


def test_a_history_shows_only_what_is_before_its_own_cutoff():
    history = log_of().as_of("2025-01-15")

    assert label_outcomes(history, "2025-01-05", 10).customers["n_purchases"].tolist() == [2, 0]
    with pytest.raises(CutoffError, match="not closed"):
        label_outcomes(history, "2025-01-05", 10.001)


def test_a_history_of_a_log_that_says_when_it_closed_is_closed_no_later():
    log = log_of(closed_until="2025-01-20T12:00")
    with pytest.warns(FutureCutoffWarning):
        history = log.as_of("2025-02-01")

    with pytest.raises(CutoffError, match="data end at 2025-01-20"):
        label_outcomes(history, "2025-01-10", 15)


def test_customers_with_cutoffs_of_their_own_cannot_be_labelled():
    with pytest.raises(CutoffError, match="cutoffs of their own"):
        label_outcomes(log_of().as_of("2025-01-15").before_last_basket(), "2025-01-02", 1)


@pytest.mark.parametrize("days", [1e6, 1e9, 1e300])
def test_no_horizon_is_too_long_for_a_clear_error(days):
    with pytest.raises(CutoffError, match="not closed"):
        label_outcomes(log_of(), "2025-01-10", days)


@pytest.mark.parametrize("days", [0, -1, np.nan, np.inf, "7", None, True])
def test_a_horizon_is_a_number_of_days_above_0(days):
    with pytest.raises(ParameterError, match="horizon_days"):
        label_outcomes(log_of(), "2025-01-10", days)


def test_an_empty_log_closes_no_window():
    empty = log_of().erase(["al", "bo", "cy"])

    with pytest.raises(CutoffError, match="empty"):
        label_outcomes(empty, "2025-01-10", 1)


def test_a_cutoff_before_the_first_event_gives_nobody():
    found = label_outcomes(log_of(), "2024-06-01", 200)

    assert len(found.customers) == 0
    assert found.pairs["in_history"].sum() == 0


def test_temporal_split_gives_the_history_and_its_outcomes():
    history, found = temporal_split(log_of(), "2025-01-10", 10)

    assert history is found.history
    assert history.n_events == 3
    assert temporal_split(log_of().as_of("2025-01-20"), "2025-01-10", 10)[0].n_events == 3


def test_news_that_came_late_are_in_neither():
    """Bought on the 5th, known on the 12th: not known before the 10th, not in the window."""
    frame = pd.DataFrame(
        {
            "customer_id": ["al", "al", "bo"],
            "item_id": ["tea"] * 3,
            "timestamp": ["2025-01-01", "2025-01-05", "2025-01-30"],
            "known_at": ["2025-01-01", "2025-01-12", "2025-01-30"],
        }
    )
    log = InteractionLog.from_frame(frame, known_at="known_at", timezone="UTC")
    found = label_outcomes(log, "2025-01-10", 10)

    assert found.history.n_events == 1
    assert found.customers["n_purchases"].tolist() == [0]


@pytest.mark.parametrize("seed", [0, 1])
def test_outcomes_against_a_plain_count(seed):
    """Spend, purchase days and pairs of a random log, counted by pandas."""
    log = random_log(seed, timezone="America/New_York")
    found = label_outcomes(log, "2024-10-01", 60)
    table = log.to_pandas()
    start = pd.Timestamp("2024-10-01", tz=log.timezone)
    end = start + pd.Timedelta(days=60)
    window = table[(table["timestamp"] >= start) & (table["timestamp"] < end)]
    bought = window[window["event"] == "purchase"]
    day = bought["timestamp"].dt.tz_convert(log.timezone).dt.date
    n_days = day.groupby(bought["customer_id"]).nunique()
    spend = (bought["price"] * bought["quantity"]).groupby(bought["customer_id"]).sum()
    customers = found.customers

    assert (
        customers["n_purchases"].to_dict()
        == n_days.reindex(customers.index, fill_value=0).to_dict()
    )
    assert np.allclose(customers["spend"], spend.reindex(customers.index).fillna(0.0))
    pairs = found.pairs[found.pairs["bought"]]
    expected = bought.groupby(["customer_id", "item_id"])["quantity"].sum().reset_index()
    assert difference(expected, pairs[["customer_id", "item_id", "quantity"]]) is None
