"""Metrics: each beside the sum it must equal, worked by hand."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from anticipate import evaluation as ev
from anticipate.exceptions import ColumnError, ParameterError

NAN = math.nan


def pairs(*rows: tuple[object, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "item_id"])


def lists(**items: str) -> pd.DataFrame:
    """lists(ann="xyz") is ann's list x, y, z."""
    rows = [(who, item, at) for who, row in items.items() for at, item in enumerate(row, start=1)]
    return pd.DataFrame(rows, columns=["customer_id", "item_id", "rank"])


@pytest.fixture
def matched() -> ev.MatchedLists:
    """ann bought b, d, f and was shown a b c d, knowing a and b; bob bought x, shown nothing."""
    truth = pairs(("ann", "b"), ("ann", "d"), ("ann", "f"), ("bob", "x"))
    seen = pairs(("ann", "a"), ("ann", "b"), ("eve", "x"))
    return ev.match_lists(lists(ann="abcd", eve="x"), truth, width=4, history_pairs=seen)


# -- ranked lists ------------------------------------------------------------------


def test_customers_with_a_target_are_judged_and_no_others(matched):
    """eve has a list and bought nothing; bob bought and has no list."""
    assert matched.customers.tolist() == ["ann", "bob"]
    assert matched.hits.tolist() == [[False, True, False, True], [False] * 4]
    assert matched.filled.sum(axis=1).tolist() == [4, 0]
    assert matched.n_new_targets.tolist() == [2, 1]


@pytest.mark.parametrize(("k", "ann"), [(1, 0), (2, 1 / 3), (3, 1 / 3), (4, 2 / 3)])
def test_recall_divides_by_all_targets(matched, k, ann):
    assert ev.recall_at_k(matched, k).tolist() == [ann, 0]


@pytest.mark.parametrize(("k", "ann"), [(1, 0), (2, 1 / 2), (3, 1 / 3), (4, 2 / 3)])
def test_capped_recall_divides_by_what_was_possible(matched, k, ann):
    """Three targets: min(k, 3) hits are possible."""
    assert ev.capped_recall_at_k(matched, k).tolist() == [ann, 0]


def test_ndcg_over_all_targets_is_stricter_than_cut(matched):
    """Hit on place 2 of 2; ideal of three targets 1 + 1/log2(3) + 1/2, cut at two places."""
    second = 1 / math.log2(3)

    assert ev.ndcg_at_k(matched, 2)[0] == pytest.approx(second / (1 + second + 1 / 2))
    assert ev.ndcg_at_k(matched, 2, ideal="cut")[0] == pytest.approx(second / (1 + second))


def test_a_perfect_list_has_ndcg_one():
    perfect = ev.match_lists(lists(ann="ab"), pairs(("ann", "b"), ("ann", "a")), width=5)

    assert ev.ndcg_at_k(perfect, 5).tolist() == pytest.approx([1.0])


def test_hit_is_any_of_the_first_k(matched):
    assert [ev.hit_at_k(matched, k).tolist() for k in (1, 2)] == [[0, 0], [1, 0]]


def test_repeat_and_new_are_counted_apart(matched):
    """ann's repeat target b is hit; of her new ones d and f, d. bob has only a new one."""
    assert ev.repeat_recall_at_k(matched, 4).tolist() == pytest.approx([1, NAN], nan_ok=True)
    assert ev.new_recall_at_k(matched, 4).tolist() == [1 / 2, 0]


def test_repeat_share_is_of_the_places_filled(matched):
    """a and b of a, b, c were bought before; bob's list is empty."""
    assert ev.repeat_share_at_k(matched, 3).tolist() == pytest.approx([2 / 3, NAN], nan_ok=True)


def test_rank_order_counts_and_gaps_in_it_do_not():
    table = pd.DataFrame({"customer_id": [1, 1], "item_id": ["b", "a"], "rank": [70, 3]})

    found = ev.match_lists(table, pairs((1, "a")), width=1)

    assert found.hits.tolist() == [[True]]


def test_no_truth_gives_no_customer():
    empty = ev.match_lists(lists(ann="a"), pairs())

    assert ev.recall_at_k(empty, 3).tolist() == []


def test_no_list_at_all_gives_zero():
    found = ev.match_lists(lists(), pairs(("ann", "a")), width=2)

    assert ev.ndcg_at_k(found, 2).tolist() == [0.0]


def test_an_item_twice_in_a_list_is_refused():
    with pytest.raises(ParameterError, match="1 entries"):
        ev.match_lists(lists(ann="aa"), pairs(("ann", "a")))


def test_k_past_the_matched_width_is_refused(matched):
    with pytest.raises(ParameterError, match=r"outside 1\.\.4"):
        ev.recall_at_k(matched, 5)


def test_a_missing_column_is_named():
    with pytest.raises(ColumnError, match="rank"):
        ev.match_lists(pairs(("ann", "a")), pairs(("ann", "a")))


def test_codes_and_tables_agree():
    """Seeded: 40 customers, 30 items, packed by hand against the table road."""
    rng = np.random.default_rng(1)
    listed = rng.permutation(40 * 30)[:300]
    truth, seen = rng.integers(0, 1200, 150), rng.integers(0, 1200, 200)
    rank = rng.integers(1, 1000, 300)
    table = pd.DataFrame({"customer_id": listed // 30, "item_id": listed % 30, "rank": rank})
    tables = [pairs(*zip(keys // 30, keys % 30, strict=True)) for keys in (truth, seen)]

    by_code = ev.match_codes(listed, rank, truth, n_items=30, width=5, seen=seen)
    shuffled = table.sample(frac=1, random_state=3)
    by_table = ev.match_lists(shuffled, tables[0], width=5, history_pairs=tables[1])

    for name, expected in vars(by_code).items():
        np.testing.assert_array_equal(getattr(by_table, name), expected)


# -- probabilities -----------------------------------------------------------------


def test_log_loss_is_the_mean_surprise():
    """(-ln .8 - ln .6) / 2."""
    assert ev.log_loss([1, 0], [0.8, 0.4]) == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)


def test_a_certain_error_costs_much_and_stays_finite():
    assert 36 < ev.log_loss([1], [0.0]) < 37


def test_brier_is_the_mean_squared_error():
    """(.2² + .4²) / 2."""
    assert ev.brier([1, 0], [0.8, 0.4]) == pytest.approx((0.04 + 0.16) / 2)


def test_brier_skill_compares_with_the_base_rate():
    """Rate 1/4: base 3/16; errors (4/16 + 3 · 1/16) / 4 = 7/64; 1 - 7/12."""
    skill = ev.brier_skill([1, 0, 0, 0], [0.5, 0.25, 0.25, 0.25])

    assert skill == pytest.approx(5 / 12)


def test_auc_counts_pairs_ties_as_half():
    """1s at .5 and .9, 0s at .5 and .1: (1/2 + 1 + 1 + 1) / 4."""
    assert ev.auc([1, 1, 0, 0], [0.5, 0.9, 0.5, 0.1]) == pytest.approx(7 / 8)


def test_lift_is_the_top_share_over_the_average():
    """Top 2 of 10 hold 1 of 2: (1/2) / (2/10)."""
    y = [1, 0, 1, 0, 0, 0, 0, 0, 0, 0]

    assert ev.lift_at_top(y, np.linspace(0.9, 0.1, 10), share=0.2) == pytest.approx(2.5)
    assert ev.lift_at_top([0, 1], [0.5, 0.6], share=0.1) == 2.0  # rounded up to one row


def test_precision_of_ties_is_what_a_random_order_would_give():
    """Places 2 and 3 of three tied rows: mean over all choices of two of them."""
    y, p = [0, 1, 0, 1, 1], [0.9, 0.5, 0.5, 0.5, 0.1]
    tied = [1, 0, 1]
    expected = np.mean([(0 + a + b) / 3 for a, b in combinations(tied, 2)])

    assert ev.precision_at_n(y, p, n=3) == pytest.approx(expected)
    assert ev.precision_at_n(y, p, n=500) == pytest.approx(3 / 5)


def test_calibration_line_of_probabilities_that_keep_their_word():
    """20 % of 10 at .2 and 80 % of 10 at .8: slope 1, intercept 0."""
    p = np.repeat([0.2, 0.8], 10)
    y = np.r_[np.arange(10) < 2, np.arange(10) < 8]

    assert ev.calibration_line(y, p) == pytest.approx((1.0, 0.0), abs=1e-5)


def test_calibration_line_sees_doubled_log_odds():
    """Truth at .2 and .8, said at log-odds twice as far: slope 1/2."""
    odds = 2 * np.log([0.2 / 0.8, 0.8 / 0.2])
    p = np.repeat(1 / (1 + np.exp(-odds)), 10)
    y = np.r_[np.arange(10) < 2, np.arange(10) < 8]

    assert ev.calibration_line(y, p) == pytest.approx((0.5, 0.0), abs=1e-5)


@pytest.mark.parametrize(
    ("y", "p"),
    [([1, 1], [0.2, 0.3]), ([0, 1], [0.5, 0.5]), ([0, 1], [0.2, 0.8]), ([1, 0], [0.2, 0.8])],
    ids=["one class", "constant", "separated", "separated the wrong way"],
)
def test_no_calibration_line_where_it_would_run_to_infinity(y, p):
    assert ev.calibration_line(y, p) == pytest.approx((NAN, NAN), nan_ok=True)


@pytest.mark.parametrize("metric", [ev.log_loss, ev.brier, ev.brier_skill, ev.auc, ev.lift_at_top])
def test_no_rows_is_no_number(metric):
    assert math.isnan(metric([], []))


@pytest.mark.parametrize("p", [[0.5, NAN], [0.5, 1.1], [0.5, -0.1]])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ParameterError, match="1 of 2 probabilities"):
        ev.log_loss([0, 1], p)


def test_what_is_no_outcome_is_refused():
    with pytest.raises(ParameterError, match="0/1"):
        ev.brier([0, 2], [0.1, 0.2])


def test_row_order_does_not_matter():
    """Seeded, with many ties."""
    rng = np.random.default_rng(0)
    y, p = rng.random(200) < 0.3, rng.integers(0, 8, 200) / 8
    order = rng.permutation(200)
    for metric in (ev.auc, ev.lift_at_top, ev.precision_at_n, ev.expected_calibration_error):
        assert metric(y[order], p[order]) == pytest.approx(metric(y, p), abs=1e-14)


# -- reliability and gains ---------------------------------------------------------


def test_reliability_bins_have_equal_mass():
    """Six rows in three bins of two: means .15 .35 .75 against 1/2 0 1."""
    table = ev.reliability_table([0, 1, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.9], bins=3)

    assert table["predicted"].tolist() == pytest.approx([0.15, 0.35, 0.75])
    assert table["observed"].tolist() == [0.5, 0.0, 1.0]
    assert table["n"].tolist() == [2, 2, 2]


def test_equal_probabilities_are_never_split():
    table = ev.reliability_table([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.9], bins=4)

    assert table["n"].tolist() == [3, 1]


def test_a_run_of_equals_goes_where_its_middle_lies():
    """Four rows in two bins: the run's middle is row 2.5 of 4, in the second."""
    table = ev.reliability_table([0, 0, 1, 1], [0.1, 0.3, 0.3, 0.3], bins=2)

    assert table["n"].tolist() == [1, 3]


def test_wilson_interval_of_one_half_of_two():
    """z² = 3.8415: centre (1/2 + z²/4) / (1 + z²/2) = 1/2; half width .4055."""
    table = ev.reliability_table([0, 1], [0.5, 0.5], bins=1)

    assert table[["low", "high"]].iloc[0].tolist() == pytest.approx([0.0945, 0.9055], abs=1e-4)


def test_calibration_error_weighs_bins_by_size():
    """|.15 - .5|, |.35 - 0|, |.75 - 1| by thirds."""
    error = ev.expected_calibration_error(
        [0, 1, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.9], bins=3
    )

    assert error == pytest.approx((0.35 + 0.35 + 0.25) / 3)


def test_reliability_of_nothing_is_an_empty_table():
    assert len(ev.reliability_table([], [])) == 0
    assert math.isnan(ev.expected_calibration_error([], []))


def test_gains_of_a_constant_score_are_a_straight_line():
    table = ev.gains_table([1, 0, 0, 0], [0.3] * 4, points=4)

    assert table["found"].tolist() == pytest.approx(table["contacted"].tolist())


def test_gains_of_a_perfect_score_rise_at_once():
    """One of four left and is called first: all found at 1/4."""
    table = ev.gains_table([1, 0, 0, 0], [0.9, 0.3, 0.2, 0.1], points=4)

    assert table["found"].tolist() == [0, 1, 1, 1, 1]


def test_gains_without_anyone_to_find_are_missing():
    assert ev.gains_table([0, 0], [0.1, 0.2], points=2)["found"].isna().all()


# -- dates -------------------------------------------------------------------------


def test_never_counts_with_the_horizon():
    """Horizon 28: 10 against 7 is 3; never against 20 is 8; 60 against never is 0."""
    errors = ev.clipped_errors_days([10, NAN, 60], [7, 20, NAN], 28)

    assert errors.tolist() == [3, 8, 0]


def test_an_overdue_date_is_due_now():
    assert ev.clipped_errors_days([-50], [4], 28).tolist() == [4]


def test_winkler_charges_ten_times_the_miss():
    """Level .8: 2 / .2 = 10. Inside: width 10. Two early: 10 + 20. Never, high 28: width 18."""
    scores = ev.winkler_scores_days(
        [10, 10, 10], [20, 20, NAN], [15, 8, NAN], horizon_days=28, level=0.8
    )

    assert scores.tolist() == pytest.approx([10, 30, 18])


def test_coverage_counts_the_ends():
    hits = ev.covered([2, 2, 2], [9, 9, NAN], [2, 9.5, NAN], horizon_days=28)

    assert hits.tolist() == [1, 0, 1]


def test_an_interval_that_begins_after_its_end_is_refused():
    with pytest.raises(ParameterError, match="begin after"):
        ev.covered([9], [2], [5], horizon_days=28)


def test_a_horizon_of_nothing_is_refused():
    with pytest.raises(ParameterError, match="horizon_days"):
        ev.clip_days([1], 0)


# -- warnings ----------------------------------------------------------------------


def test_precision_at_prevalence_is_what_staff_would_see():
    """3 of 4 mistakes caught, 2 of 400 good lines warned: q·.75 / (q·.75 + 5) for q = .5, 1, 5."""
    mistake = np.arange(404) < 4
    warned = (np.arange(404) > 0) & (np.arange(404) < 6)

    assert ev.catch_share(mistake, warned) == 3 / 4
    assert ev.warnings_per_1000(mistake, warned) == 5.0
    for q in (0.5, 1.0, 5.0):
        precision = ev.precision_at_prevalence(mistake, warned, per_1000=q)
        assert precision == pytest.approx(q * 0.75 / (q * 0.75 + 5))


def test_catches_at_a_given_number_of_warnings():
    """Good lines .9 .5 .1, mistakes .95 .6 .3: at 0, 1, 2, 3 allowed of 3: 1/3, 2/3, 1, 1."""
    mistake = [False, False, False, True, True, True]
    score = [0.9, 0.5, 0.1, 0.95, 0.6, 0.3]
    caught = [ev.catch_share_at(mistake, score, false_per_1000=f) for f in (0, 334, 667, 1000)]

    assert caught == pytest.approx([1 / 3, 2 / 3, 1, 1])


def test_a_tie_never_overdraws_the_allowance():
    """Two good lines and a mistake at .5, one allowed: none of the three may be warned."""
    mistake, score = [False, False, True], [0.5, 0.5, 0.5]

    assert ev.catch_share_at(mistake, score, false_per_1000=500) == 0


def test_a_missing_probability_is_never_a_warning():
    assert ev.catch_share_at([True, False], [NAN, 0.1], false_per_1000=1000) == 0


@pytest.mark.parametrize("mistake", [[True, True], [False, False]])
def test_one_kind_of_line_alone_gives_no_precision(mistake):
    assert math.isnan(ev.precision_at_prevalence(mistake, [True, False], per_1000=1))


# -- stability and grades ----------------------------------------------------------


def test_overlap_is_the_share_of_the_list_that_stayed():
    """Top 2: {a, b} then {a, c}; ties at .5 break by id, so b goes before d."""
    before = pd.Series({"d": 0.5, "a": 0.9, "b": 0.5, "c": 0.1})
    after = pd.Series({"a": 0.9, "b": 0.1, "c": 0.5, "d": NAN})

    assert ev.top_overlap(before, after, n=2) == 1 / 2
    assert ev.top_overlap(before, before, n=500) == 1
    assert math.isnan(ev.top_overlap(before, after.iloc[:0]))


def test_ties_in_the_list_break_by_id():
    """Five scores among a thousand customers: the list is the ten lowest ids of the best."""
    ids = np.random.default_rng(2).permutation(1000)
    tied = pd.Series(-(ids % 5), index=ids)
    ordered = pd.Series(np.where(np.arange(1000) % 5 == 0, 1000 - np.arange(1000), 0))

    assert ev.top_overlap(tied, ordered, n=10) == 1


@pytest.mark.parametrize(
    ("ours", "base", "higher", "letter"),
    [
        (1.10, 1.0, True, "A"),
        (1.0999, 1.0, True, "B"),
        (1.05, 1.0, True, "B"),
        (1.0499, 1.0, True, "C"),
        (1.0, 1.0, True, "D"),
        (0.9, 1.0, True, "D"),
        (0.9, 1.0, False, "A"),
        (0.95, 1.0, False, "B"),
        (0.99, 1.0, False, "C"),
        (1.01, 1.0, False, "D"),
        (0.1, 0.0, True, "A"),
        (0.0, 0.0, False, "D"),
        (-0.5, -1.0, True, "A"),
        (NAN, 1.0, True, ""),
        (1.0, NAN, True, ""),
    ],
)
def test_grades_stand_for_tenths_of_improvement(ours, base, higher, letter):
    assert ev.grade(ours, base, higher_is_better=higher) == letter


def test_the_best_baseline_is_the_hardest_one():
    values = {"a": 0.2, "b": 0.3, "c": NAN}

    assert ev.best_baseline(values, higher_is_better=True) == ("b", 0.3)
    assert ev.best_baseline(values, higher_is_better=False) == ("a", 0.2)
    assert ev.best_baseline({"c": NAN}, higher_is_better=True)[0] is None
