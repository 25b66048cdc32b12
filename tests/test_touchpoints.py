"""Touchpoints and leaving: the rows, the odds ratios and their intervals, the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from anticipate.churn.touchpoints.associations import touchpoint_associations
from anticipate.churn.touchpoints.rows import touchpoint_rows
from anticipate.exceptions import (
    CutoffError,
    EmptyHistoryError,
    ParameterError,
)
from anticipate.log import History, InteractionLog

CUTOFF, HORIZON = 60, 30  # days; the one slice's cutoff and its window
NAMES = ["customer_id", "day", "event", "channel", "value"]
Row = tuple[Any, ...]


def day(number: float) -> pd.Timestamp:
    return pd.Timestamp("2025-01-01", tz="UTC") + pd.Timedelta(days=number)


def log_of(rows: list[Row] | pd.DataFrame, **options: Any) -> InteractionLog:
    """A log of (customer, day, event, channel, value) rows, complete up to the window's end."""
    frame = pd.DataFrame(rows, columns=NAMES)
    frame["timestamp"] = day(0) + pd.to_timedelta(frame.pop("day"), unit="D")
    return InteractionLog.from_frame(
        frame.assign(item_id=1, price=9.0), event="event", channel="channel", value="value",
        price="price", closed_until=day(CUTOFF + HORIZON), **options,
    )  # fmt: skip


def history_of(rows: list[Row] | pd.DataFrame, **options: Any) -> History:
    return log_of(rows, **options).as_of(day(CUTOFF + HORIZON))


def did(customer: int, at: float, event: str = "purchase", channel: str = "web") -> Row:
    return customer, at, event, channel, np.nan


def one_slice(history: History, **options: Any) -> pd.DataFrame:
    return touchpoint_associations(
        history, horizon_days=HORIZON, lookback_days=30, max_slices=1, **options
    )


def panel(silent: Any, touched: dict[str, Any], left: Any) -> pd.DataFrame:
    """Customers by their silence in days, touchpoints within it (yes/no) and whether they left.

    Each bought on day 1 (day 0 for customer 0) and last ``silent`` days before the cutoff; who
    stayed buys once more 10 days into the window. A touchpoint lies a day before the cutoff.
    """
    who = np.arange(len(silent))
    last = np.round(CUTOFF - np.asarray(silent)) + 0.25
    parts = [
        pd.DataFrame({"customer_id": who, "day": np.minimum(who, 1), "event": "purchase"}),
        pd.DataFrame({"customer_id": who, "day": last, "event": "purchase"}),
        pd.DataFrame({"customer_id": who[~left], "day": CUTOFF + 10, "event": "purchase"}),
    ]
    parts += [
        pd.DataFrame({"customer_id": who[mask], "day": CUTOFF - 1, "event": kind})
        for kind, mask in touched.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(channel="web", value=np.nan)


def draw(n: int, seed: int) -> tuple[np.random.Generator, Any]:
    rng = np.random.default_rng(seed)
    return rng, np.exp(rng.uniform(np.log(2), np.log(40), n))


def some_panel(seed: int = 0, n: int = 800) -> pd.DataFrame:
    """Touchpoints at random, leaving by silence."""
    rng, silent = draw(n, seed)
    left = rng.random(n) < expit(np.log(silent) - 2.5)
    return panel(silent, {kind: rng.random(n) < 0.3 for kind in ("contact", "return")}, left)


# -- by hand -----------------------------------------------------------------------


def test_each_touchpoint_finds_its_customers():
    """Cutoff day 60, lookback 30 days: what lies before day 30 or from day 60 on is not there."""
    rows = [did(customer, 0) for customer in (1, 2, 3, 4, 5, 7)]
    rows += [did(1, 40, "contact"), did(5, 29.9, "contact"), did(6, 50, "contact")]
    rows += [did(2, 40, "complaint"), did(2, 59, "resolved"), did(2, 60, "cancel")]
    rows += [did(3, 40, "complaint"), did(3, 60, "resolved"), did(3, 35, "contacted", "shop")]
    rows += [did(4, 30, "return", "shop"), did(7, 40, "contact"), did(1, 61)]
    rows += [(1, 50, "rating", "app", 1.0), (2, 50, "rating", "web", 3.0)]
    rows += [(3, 10, "rating", "web", 3.0), (4, 50, "rating", "web", 5.0)]
    said = pd.DataFrame({"customer_id": [1, 7], "objects_to": ["marketing", "profiling"]})
    made = touchpoint_rows(
        history_of(rows, customers=said), horizon_days=HORIZON, lookback_days=30, max_slices=1
    )
    ids = np.array([1, 2, 3, 4, 5])  # 6 never bought, 7 objects
    found = {
        name: ids[column].tolist() for name, column in zip(made.names, made.touched.T, strict=True)
    }

    assert found == {
        "contact": [1], "complaint_resolved": [2], "complaint_open": [3], "return": [4],
        "cancel": [], "rating_low": [1], "rating_high": [4], "channel_app": [1],
        "channel_shop": [4],
    }  # fmt: skip
    assert made.left.tolist() == [False, True, True, True, True]
    assert made.reference == "web"


def test_the_table_counts_and_says_what_it_found():
    """100 with a contact, 60 of them left; 300 without, 100 of them: 3.0 before adjusting."""
    rng, silent = draw(400, 1)
    contact = np.arange(400) < 100
    left = np.where(contact, np.arange(400) < 60, np.arange(400) % 3 == 0)
    order = rng.permutation(400)
    table = one_slice(history_of(panel(silent, {"contact": contact[order]}, left[order])))
    row = table.loc["contact"]

    assert row[["n_with", "n_without", "n_customers"]].tolist() == [100, 300, 100]
    assert row["churn_rate_with"] == 60 / 100
    assert row["churn_rate_without"] == 100 / 300
    assert row["odds_ratio_unadjusted"] == pytest.approx((60 * 200) / (100 * 40))
    assert row["odds_low"] < row["odds_ratio"] < row["odds_high"]
    assert row["reading"].startswith("After a contact, the odds of no purchase in 30 days were ")
    assert f"{row['odds_ratio']:.2f} times those of otherwise similar customers" in row["reading"]
    assert table.attrs["churn"] == "no purchase in 30 days"
    assert table.attrs["n_customer_slices"] == 400


# -- edge --------------------------------------------------------------------------


def test_a_history_without_touchpoints_gives_an_empty_answer():
    table = one_slice(history_of(panel(*draw(50, 0)[1:], {}, np.arange(50) % 2 == 0)))

    assert (table["n_with"] == 0).all()
    assert table[["odds_ratio", "odds_ratio_unadjusted", "churn_rate_with"]].isna().all(axis=None)
    assert table["reading"].str.endswith("no odds ratio, no customer had it.").all()


@pytest.mark.parametrize("left", [True, False])
def test_where_all_or_none_left_there_are_rates_but_no_odds(left: bool):
    _, silent = draw(100, 0)
    contact = np.arange(100) < 50
    table = one_slice(history_of(panel(silent, {"contact": contact}, np.full(100, left))))

    assert table.loc["contact", "churn_rate_with"] == left
    assert table[["odds_ratio", "odds_ratio_unadjusted"]].isna().all(axis=None)
    assert "nearly all or nearly none left" in table.loc["contact", "reading"]


def test_one_customer_is_too_few():
    table = one_slice(history_of([did(1, 0), did(1, 55, "contact")]))

    assert table["odds_ratio"].isna().all()
    assert "too few customers had it: 1; 20 are needed" in table.loc["contact", "reading"]


def test_touchpoints_that_always_come_together_cannot_be_told_apart():
    rng, silent = draw(600, 0)
    both, left = rng.random(600) < 0.3, rng.random(600) < 0.5
    table = one_slice(history_of(panel(silent, {"contact": both, "return": both}, left)))

    assert table.loc[["contact", "return"], "odds_ratio"].isna().all()
    assert "cannot be told apart" in table.loc["return", "reading"]


def test_no_closed_window_is_an_error_that_says_what_to_do():
    for days in (90, 1e12):
        with pytest.raises(CutoffError, match="smaller horizon_days"):
            touchpoint_associations(history_of(some_panel()), horizon_days=days)


def test_a_history_in_which_all_object_is_empty():
    said = pd.DataFrame({"customer_id": [1], "objects_to": ["profiling"]})
    with pytest.raises(EmptyHistoryError, match="object"):
        one_slice(history_of([did(1, 0), did(1, 80)], customers=said))


def test_contacts_without_any_purchase_are_nothing_to_compare():
    with pytest.raises(EmptyHistoryError, match="nobody bought"):
        one_slice(history_of([did(1, 0, "contact"), did(2, 50, "contact")]))


@pytest.mark.parametrize(
    "option",
    [{"confidence": 1}, {"confidence": 0}, {"horizon_days": 0}, {"lookback_days": -1},
     {"max_slices": 0}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(option: dict[str, Any]):
    with pytest.raises(ParameterError, match=next(iter(option))):
        touchpoint_associations(history_of([did(1, 0)]), **option)


# -- laws --------------------------------------------------------------------------


def test_the_interval_covers_a_known_odds_ratio():
    """Contacts at random, leaving by expit(-0.5 + log 3 * contact): 3."""
    rng, silent = draw(2000, 3)
    contact = rng.random(2000) < 0.3
    left = rng.random(2000) < expit(-0.5 + np.log(3) * contact)
    row = one_slice(history_of(panel(silent, {"contact": contact}, left))).loc["contact"]

    assert row["odds_low"] < 3 < row["odds_high"]
    assert row["odds_low"] > 2


def test_more_confidence_is_a_wider_interval():
    """Normal quantiles: z(.975) / z(.75) = 1.95996 / .67449."""
    history = history_of(some_panel())
    wide = [
        np.log(table.loc["contact", "odds_high"] / table.loc["contact", "odds_low"])
        for table in (one_slice(history, confidence=level) for level in (0.95, 0.5))
    ]

    assert wide[0] / wide[1] == pytest.approx(1.95996 / 0.67449, rel=1e-4)


def test_a_confounded_touchpoint_is_put_right_by_adjusting():
    """Recent buyers contact more and leave less; a contact itself goes with nothing."""
    rng, silent = draw(3000, 4)
    level = np.log1p(silent) - np.log1p(silent).mean()
    contact = rng.random(3000) < expit(-0.5 - 1.5 * level)
    left = rng.random(3000) < expit(1.5 * level)
    row = one_slice(history_of(panel(silent, {"contact": contact}, left))).loc["contact"]

    assert row["odds_ratio_unadjusted"] < 0.5
    assert row["odds_low"] < 1 < row["odds_high"]
    assert "no clear difference" in row["reading"]


def test_any_order_of_the_rows_gives_the_same_bits():
    rows = some_panel()
    shuffled = rows.sample(frac=1, random_state=0)

    pd.testing.assert_frame_equal(
        one_slice(history_of(rows)), one_slice(history_of(shuffled)), check_exact=True
    )


def test_what_came_after_a_slices_cutoff_changes_only_its_labels():
    """More touchpoints and purchases from the cutoff on: the same rows."""
    rows = some_panel(n=100)
    who = np.arange(100)
    later = [
        pd.DataFrame({"customer_id": who, "day": CUTOFF + 1.0, "event": kind, "channel": "mail"})
        for kind in ("purchase", "contact", "complaint", "resolved", "return")
    ]
    before, after = (
        touchpoint_rows(history_of(some), horizon_days=HORIZON, lookback_days=30, max_slices=1)
        for some in (rows, pd.concat([rows, *later], ignore_index=True))
    )

    assert not after.left.any()
    assert (after.names, after.reference) == (before.names, before.reference)
    np.testing.assert_array_equal(after.alike, before.alike)
    np.testing.assert_array_equal(after.touched, before.touched)


def test_a_slice_is_what_its_own_cutoff_lets_one_see(bookshop: InteractionLog):
    """Its rows among eight slices' equal those of a history that ends where its window does."""
    history, days = bookshop.as_of("2025-06-30"), {"horizon_days": 60, "lookback_days": 60}
    whole = touchpoint_rows(history, **days, max_slices=8)
    number = whole.alike[:, -7:] @ np.arange(1, 8)  # the slices' own columns come last
    for k in (0, 3, 7):
        past, mine = history.as_of(whole.cutoffs[k] + pd.Timedelta(days=60)), number == k
        alone = touchpoint_rows(past, **days, max_slices=1)
        ids = past.customer_ids[alone.person], history.customer_ids[whole.person[mine]]
        assert alone.names == whole.names
        np.testing.assert_array_equal(*ids)
        np.testing.assert_array_equal(alone.touched, whole.touched[mine])
        np.testing.assert_array_equal(alone.left, whole.left[mine])
        np.testing.assert_array_equal(alone.alike, whole.alike[mine, :-7])


def test_the_bookshops_open_complaints_stand_out(bookshop: InteractionLog):
    """In the simulation nothing but an open complaint makes anybody leave."""
    table = touchpoint_associations(bookshop.as_of("2025-06-30"))

    assert table["odds_ratio"].idxmax() == "complaint_open"
    assert table.loc["complaint_open", "odds_low"] > 3
    assert (table["n_with"] + table["n_without"] == table.attrs["n_customer_slices"]).all()
