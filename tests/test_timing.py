"""The timer: dates by hand with known parameters, its laws, and its gain over the plain rule."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from anticipate.evaluation.plain_dates import mean_gap_dates, mean_gap_pair_dates
from anticipate.evaluation.timing_metrics import clipped_errors_days, covered
from anticipate.exceptions import EmptyHistoryError, MinimumDataWarning, ParameterError
from anticipate.kernels.gap_learning import whole_table
from anticipate.log import InteractionLog
from anticipate.outcomes import label_outcomes
from anticipate.testing import check_history_model, random_log
from anticipate.timing import PurchaseTimer

DAY = pd.Timedelta(days=1)
ROWS = [
    ("ann", "tea", "2025-01-01T00:00"),
    ("ann", "mug", "2025-01-31T00:00"),
    ("bob", "tea", "2025-01-31T00:00"),
    ("cid", "tea", "2025-03-01T00:00"),
]


def make_log(rows=ROWS, **options):
    table = pd.DataFrame(rows, columns=["customer_id", "item_id", "timestamp"])
    return InteractionLog.from_frame(table, timezone="UTC", closed_until="2025-06-01", **options)


def known_timer(k=1.0, A=1.0, B=30.0, share=1.0):
    """A timer whose every item and customer has one law."""
    timer = PurchaseTimer()
    shares = np.full(5, share)
    timer.item_ids_ = np.array(["mug", "tea"], dtype=object)
    timer.item_table_ = whole_table(k, A, B, shares, n_items=2)
    timer.customer_table_ = whole_table(k, A, B, shares, n_items=1)
    return timer


@pytest.fixture(scope="module")
def bookshop_timer(bookshop_history):
    return PurchaseTimer().fit(bookshop_history)


# -- by hand -------------------------------------------------------------------------


def test_the_date_of_a_first_time_buyer():
    """S(t) = 30 / (30 + t); bob silent for 30 days: half of 1/2 is left at t + 30 = 90."""
    table = known_timer().predict(make_log().as_of("2025-03-02"))

    assert table.loc["bob", "due"] - pd.Timestamp("2025-03-02", tz="UTC") == 60 * DAY


def test_ends_of_the_interval_are_the_10th_and_90th_percentile():
    """From S = 1/2: 9/20 at t + 30 = 110/3, and 1/20 at 570."""
    bob = known_timer().predict(make_log().as_of("2025-03-02")).loc["bob"]
    at = pd.Timestamp("2025-03-02", tz="UTC")

    assert (bob["due_low"] - at) / DAY == pytest.approx(110 / 3 - 30)
    assert (bob["due_high"] - at) / DAY == pytest.approx(540)


def test_chances_by_hand():
    """Within 30 more days: 1 - S(60) / S(30) = 1 - (1/3) / (1/2)."""
    table = known_timer().predict(make_log().as_of("2025-03-02"), within_days=[30])

    assert table.columns.tolist() == ["due", "due_low", "due_high", "p_within_30d"]
    assert table.loc["bob", "p_within_30d"] == pytest.approx(1 / 3)


def test_each_pair_has_its_own_clock():
    """ann: the mug 30 days ago, the tea 60: medians 60 and 90 ahead; cid: 62 - 30 - 1."""
    pairs = known_timer().predict_pairs(make_log().as_of("2025-03-02"))
    ahead = (pairs["due"] - pd.Timestamp("2025-03-02", tz="UTC")) / DAY

    assert pairs[["customer_id", "item_id"]].to_numpy().tolist() == [
        ["ann", "mug"], ["ann", "tea"], ["bob", "tea"], ["cid", "tea"]
    ]  # fmt: skip
    assert ahead.tolist() == pytest.approx([60, 90, 60, 31])


def test_what_may_never_come_has_no_date():
    """One in five comes again: no median, though the 10th percentile exists."""
    table = known_timer(share=0.2).predict(make_log().as_of("2025-03-02"))

    assert table["due"].isna().all()
    assert table["due_high"].isna().all()
    assert pd.notna(table.loc["cid", "due_low"])


# -- edge ----------------------------------------------------------------------------


def test_who_never_bought_has_no_date_but_a_newcomers_chance(bookshop_history, bookshop_timer):
    table = bookshop_timer.predict(bookshop_history, customers=["nobody"])

    assert table.index.tolist() == ["nobody"]
    assert table[["due", "due_low", "due_high"]].isna().all(axis=None)
    assert 0 < table.loc["nobody", "p_within_7d"] < table.loc["nobody", "p_within_28d"] < 1
    assert bookshop_timer.predict_pairs(bookshop_history, customers=["nobody"]).empty


def test_customers_come_in_the_order_asked_for(bookshop_history, bookshop_timer):
    whole = bookshop_timer.predict(bookshop_history)
    asked = whole.index[whole["due"].notna()][[20, 3, 7]].tolist()
    pairs = bookshop_timer.predict_pairs(bookshop_history, customers=asked)

    pd.testing.assert_frame_equal(
        bookshop_timer.predict(bookshop_history, customers=asked), whole.loc[asked]
    )
    assert pairs["customer_id"].drop_duplicates().tolist() == asked


def test_who_objects_to_profiling_is_answered_like_a_newcomer():
    people = pd.DataFrame({"customer_id": ["ann"], "objects_to": ["marketing, profiling"]})
    history = make_log(customers=people).as_of("2025-03-02")
    timer = known_timer()

    assert pd.isna(timer.predict(history).loc["ann", "due"])
    assert "ann" not in timer.predict_pairs(history)["customer_id"].tolist()


def test_few_repeats_are_told_in_one_sentence():
    with pytest.warns(MinimumDataWarning, match="fewer than 30"):
        timer = PurchaseTimer().fit(make_log().as_of("2025-03-02"))

    assert len(timer.report_["missing"]) == 1
    assert timer.report_["n_order_gaps"] == 1


def test_nothing_bought_cannot_be_learned_from():
    with pytest.raises(EmptyHistoryError, match="no purchase"):
        PurchaseTimer().fit(make_log().as_of("2024-01-01"))


def test_only_one_time_buyers_are_learned_from_all_the_same():
    rows = [(f"c{i}", "tea", f"2025-01-{i + 1:02d}") for i in range(28)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        history = make_log(rows).as_of("2025-05-01")
        table = PurchaseTimer().fit(history).predict(history)

    assert (table["p_within_28d"] < 0.2).all()
    assert table["due"].isna().all()


def test_unfitted_and_impossible_windows_are_refused(bookshop_history, bookshop_timer):
    with pytest.raises(NotFittedError):
        PurchaseTimer().predict(bookshop_history)
    with pytest.raises(ParameterError, match="within_days"):
        bookshop_timer.predict(bookshop_history, within_days=[0])


def test_an_item_table_for_other_items_ends_with_the_default(bookshop_timer):
    table = bookshop_timer.item_table(np.array(["B-1984-ebook", "new"], dtype=object))
    own = np.flatnonzero(bookshop_timer.item_ids_ == "B-1984-ebook")[0]

    scale = bookshop_timer.item_table_.prior_scale_days
    assert table["prior_scale_days"].tolist() == [scale[own], scale[-1], scale[-1]]
    assert table["next_share"].shape == (3, 5)


# -- law -----------------------------------------------------------------------------


@pytest.mark.parametrize("text_ids", [True, False])
def test_the_timer_keeps_the_laws_of_history_models(text_ids):
    check_history_model(PurchaseTimer(), random_log(3, text_ids=text_ids))


def test_the_date_moves_on_while_nothing_is_bought(bookshop, bookshop_timer):
    """Two weeks later, of those who bought nothing in between, no date has come nearer."""
    early, late = bookshop.as_of("2025-03-01"), bookshop.as_of("2025-03-15")
    bought = label_outcomes(bookshop, "2025-03-01", 14).customers["purchased"]
    silent = bought.index[~bought]
    before = bookshop_timer.predict(early, customers=silent)["due"]
    after = bookshop_timer.predict(late, customers=silent)["due"]
    dated = after.notna()

    assert dated.any()
    assert (after[dated] >= before[dated]).all()
    assert (after[dated] > before[dated]).any()


def test_customers_may_have_cutoffs_of_their_own(bookshop_history, bookshop_timer):
    own = bookshop_history.before_last_basket()
    table = bookshop_timer.predict(own)
    dated = table["due"].notna()

    assert (table["due"] >= pd.DatetimeIndex(own.cutoff))[dated].all()


# -- against the plain rule ------------------------------------------------------------


def errors_days(table, actual, cutoff, horizon_days):
    return clipped_errors_days((table["due"] - cutoff) / DAY, actual, horizon_days).mean()


def test_dates_beat_the_mean_gap_on_the_bookshop(bookshop, bookshop_history, bookshop_timer):
    """Clipped at 60 days; customers and pairs. The 80 % interval holds at least 80 %."""
    outcomes, cutoff = label_outcomes(bookshop, "2025-03-01", 60), bookshop_history.cutoff
    ours, plain = bookshop_timer.predict(bookshop_history), mean_gap_dates(bookshop_history)
    came = outcomes.customers["next_purchase_days"]
    ends = ((ours[name] - cutoff) / DAY for name in ("due_low", "due_high"))
    pairs = [
        table.merge(outcomes.pairs, on=["customer_id", "item_id"])
        for table in (
            bookshop_timer.predict_pairs(bookshop_history),
            mean_gap_pair_dates(bookshop_history),
        )
    ]
    our_pairs, plain_pairs = (
        errors_days(both, both["next_purchase_days"], cutoff, 60) for both in pairs
    )

    assert errors_days(ours, came, cutoff, 60) < 0.6 * errors_days(plain, came, cutoff, 60)
    assert covered(*ends, came, horizon_days=60).mean() > 0.8
    assert our_pairs < 0.2 * plain_pairs


def test_chances_are_right_on_average_on_the_bookshop(bookshop, bookshop_history, bookshop_timer):
    """Mean P(within 28 days) of customers and of pairs, beside the share that came."""
    outcomes = label_outcomes(bookshop, "2025-03-01", 28)
    chance = bookshop_timer.predict(bookshop_history)["p_within_28d"]
    came = outcomes.customers["next_purchase_days"] < 28
    pairs = outcomes.pairs[outcomes.pairs["in_history"]]
    of_pairs = bookshop_timer.predict_pairs(bookshop_history)["p_within_28d"]

    assert chance.mean() == pytest.approx(came.mean(), abs=0.06)
    assert of_pairs.mean() == pytest.approx(pairs["bought"].mean(), abs=0.01)
    assert ((chance - came) ** 2).mean() < 0.7 * came.mean() * (1 - came.mean())


@pytest.mark.slow
def test_dates_beat_the_mean_gap_on_online_retail(real_data):
    table = pd.read_parquet(real_data / "online_retail" / "online_retail.parquet")
    table = table[table["CustomerID"].notna() & (table["Quantity"] > 0)]
    log = InteractionLog.from_frame(
        table, customer_id="CustomerID", item_id="StockCode", timestamp="InvoiceDate",
        quantity="Quantity", timezone="UTC",
    )  # fmt: skip
    outcomes = label_outcomes(log, "2011-10-09", 60)
    history, came = outcomes.history, outcomes.customers["next_purchase_days"]
    ours = PurchaseTimer().fit(history).predict(history)
    plain = mean_gap_dates(history)

    cutoff = history.cutoff
    assert errors_days(ours, came, cutoff, 60) < 0.5 * errors_days(plain, came, cutoff, 60)
