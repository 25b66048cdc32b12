"""The fit guard: better items at no higher price, pieces not meant, and when it is silent."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from anticipate import exceptions as wrong
from anticipate.guards import FitGuard, fit_items, fit_learning
from anticipate.guards.costs import Costs
from anticipate.guards.fit_learning import (
    Judged,
    Line,
    best_threshold,
    fit_line,
    share_that_came_true,
)
from anticipate.guards.fit_rows import Rows, Slice, Swaps, fit_slices, nearly_all_back
from anticipate.log import InteractionLog
from anticipate.suggestions.fit_words import SENTENCES
from anticipate.suggestions.templates import TEMPLATES
from anticipate.testing import answers, check_history_model, random_log
from anticipate.testing.compare import difference

END = "2025-12-31"
ITEMS = pd.DataFrame({
    "item_id": ["boots", "gloves", "scarf", "shoes"],
    "category": ["feet", "hands", None, "feet"],
    "name": ["Boots", None, None, "Shoes"],
})  # fmt: skip
PEOPLE = pd.DataFrame({
    "customer_id": ["c001", "c002"], "objects_to": ["profiling", "marketing"]
})  # fmt: skip
COLUMNS = ["customer_id", "item_id", "timestamp", "event", "quantity", "price"]


def log_of(rows, **options):
    table = pd.DataFrame(rows, columns=COLUMNS)
    named = {name: name for name in COLUMNS[3:]}
    return InteractionLog.from_frame(
        table, timezone="UTC", closed_until=END, **named, **options
    ).as_of(END)


def shop_rows(seed=0, n_lines=3000):
    """Boots come back from 7 of 10 lines, then shoes are bought; shoes and the rest from 1 of 50.
    One line in 30 has ten times the pieces: nine tenths of them go back from 4 of 5 such lines."""
    rng, rows = np.random.default_rng(seed), []
    prices = {"boots": 60.0, "shoes": 45.0, "gloves": 20.0, "scarf": 15.0}
    for k in range(n_lines):
        who = f"c{rng.integers(0, 400):03d}"
        item = str(rng.choice(list(prices)))
        at = pd.Timestamp("2025-01-01", tz="UTC") + pd.Timedelta(minutes=170 * k)
        slip = item in ("gloves", "scarf") and rng.random() < 1 / 15
        pieces = 10.0 if slip else 1.0
        rows.append((who, item, at, "purchase", pieces, prices[item]))
        if rng.random() < (0.8 if slip else 0.7 if item == "boots" else 0.02):
            back = at + pd.Timedelta(days=4)
            rows.append((who, item, back, "return", 0.9 * pieces if slip else 1.0, prices[item]))
            if item == "boots":
                later = back + pd.Timedelta(days=1)
                rows.append((who, "shoes", later, "purchase", 1.0, prices["shoes"]))
    return rows


@pytest.fixture(scope="module")
def history():
    return log_of(shop_rows(), items=ITEMS, customers=PEOPLE)


@pytest.fixture(scope="module")
def guard(history):
    return FitGuard(window_days=20).fit(history)


def cart_of(*lines, **columns):
    return pd.DataFrame(lines, columns=["customer_id", "item_id"]).assign(**columns)


def stranger(item="boots", **columns):
    return cart_of(("new", item), **columns)


# -- by hand -------------------------------------------------------------------------------


def test_nearly_all_pieces_of_a_slip_come_back_within_the_window():
    """Of ten 8 on day 5; of ten 7; of ten all, on day 25 of 20."""
    rows = [("ann", "scarf", "2025-01-01", "purchase", 10.0, 1.0),
            ("ann", "scarf", "2025-01-06", "return", 8.0, 1.0),
            ("bob", "scarf", "2025-01-01", "purchase", 10.0, 1.0),
            ("bob", "scarf", "2025-01-06", "return", 7.0, 1.0),
            ("cid", "scarf", "2025-01-01", "purchase", 10.0, 1.0),
            ("cid", "scarf", "2025-01-26", "cancel", 10.0, 1.0)]  # fmt: skip

    assert nearly_all_back(log_of(rows), 20.0).tolist() == [True, False, False, False, False, False]


def test_the_money_of_a_word():
    """20 P - 1 (1 - P) at P = .1: 2 - .9; even at 1 / 21."""
    guard = FitGuard(cost_misfit=20.0)

    assert guard.saving(0.1, "better_fit") == pytest.approx(1.1)
    assert guard.saving(0.1, "quantity_slip") == pytest.approx(-0.8)
    assert Costs(20.0, 1.0).saving(Costs(20.0, 1.0).break_even) == pytest.approx(0)
    with pytest.raises(wrong.ParameterError, match="kind"):
        guard.saving(0.1, "return_risk")


def test_a_threshold_is_the_lowest_that_brings_as_much_as_the_best():
    """Break-even .5, steps of .05: 20 right ones at .9 bring 10; 20 at .6, half of them right, 0
    more; none of them right, -10. Each helps by .45 less: 20 x .05 and -9."""
    p = np.repeat([0.9, 0.6, 0.4], 20)
    hit = np.concatenate([np.ones(20), np.arange(20) % 2, np.ones(20)]).astype(bool)
    nothing = np.zeros(60)

    assert best_threshold(Judged(p, hit, nothing), 0.5) == 0.5
    assert best_threshold(Judged(p, hit & (p > 0.8), nothing), 0.5) == pytest.approx(0.65)
    assert best_threshold(Judged(p, hit, nothing + 0.45), 0.5) == pytest.approx(0.65)
    assert best_threshold(Judged(p[:5], hit[:5], nothing[:5]), 0.5) is None


def test_a_line_of_two_shares_by_hand():
    """Hits of 1 in 4 at x = 0, 3 in 4 at x = 1: slope near 2 log 3; all alike: the prior."""
    X = np.repeat([0.0, 1.0], 4000)[:, None]
    hit = np.concatenate([np.arange(4000) % 4 == 0, np.arange(4000) % 4 > 0])
    line = fit_line([Rows(X, hit)], 0.02)

    assert line.coefficient[0] == pytest.approx(2 * np.log(3), rel=0.01)
    assert fit_line([Rows(X, hit & False)], 0.02).intercept == pytest.approx(np.log(0.02 / 0.98))


def test_a_difference_is_lowered_by_how_much_of_it_came_true():
    """100 lines at .2 with .1 instead: 10 foreseen; 12 came back, .09 of the other's: 3. Five
    stand for what was foreseen: 8 / 15."""
    odds, other = (np.full(100, np.log(p / (1 - p))) for p in (0.2, 0.1))
    swaps = Swaps(odds, other, np.arange(100) < 12, np.full(100, 0.09))
    rows = Rows(np.zeros((0, 1)), np.zeros(0, dtype=bool))
    line = Line(np.ones(1), 0.0)

    assert share_that_came_true([Slice(rows, swaps, rows)], line) == pytest.approx(8 / 15)


def test_habits_of_a_slice_know_only_returns_before_it():
    """Without the returns of February and later the first slice, from the 31st of January on,
    has the same columns; in hindsight the slips that came back were no habit."""
    rows = shop_rows()
    kept = [r for r in rows if r[3] == "purchase" or r[2] < pd.Timestamp("2025-01-31", tz="UTC")]
    ours, theirs = (fit_slices(log_of(one, items=ITEMS), 20.0)[0] for one in (rows, kept))

    np.testing.assert_array_equal(ours.slips.X, theirs.slips.X)
    assert ours.slips.hit.any()
    assert not theirs.slips.hit.any()


# -- the review's contract --------------------------------------------------------------------


def test_boots_are_answered_with_shoes(guard, history):
    """Shares about .66 and .05: P near .6; shoes cost less and keep their buyers."""
    cart = stranger(quantity=1, price=60.0)
    found = guard.review(cart, history).iloc[0]
    fact = found["evidence"][0]

    assert guard.report_["better_fit"]["speaks"] is True
    assert (found["verdict"], found["kind"]) == ("warn", "better_fit")
    assert 0.5 < found["probability"] < 0.75
    assert fact["item_id"] == "shoes"
    assert fact["price"] == pytest.approx(45.0)
    assert fact["return_share"] < 0.2 < 0.5 < fact["instead_of"]["return_share"]
    assert fact["n_kept"] <= fact["n_bought"]
    assert fact["n_moved"] > 50
    assert "price 45.00 instead of 60.00" in found["reason"]
    assert found["options"][:2] == ["keep it", "look at Shoes (shoes)"]
    json.dumps(found["evidence"])


def test_ten_scarves_are_doubted_one_is_not(guard, history):
    found = guard.review(stranger("scarf", quantity=[10]), history).iloc[0]
    one = guard.review(stranger("scarf", quantity=[1]), history).iloc[0]

    assert guard.report_["quantity_slip"]["speaks"] is True
    assert (found["verdict"], found["kind"]) == ("warn", "quantity_slip")
    assert found["probability"] == pytest.approx(0.8, abs=0.12)
    assert found["reason"] == "scarf: 10 pieces; 1 is usual"
    assert found["options"] == ["keep 10", "change it to 1", "remove this line"]
    assert (one["verdict"], one["kind"], one["probability"]) == ("pass", None, 0.0)
    assert one["options"] == [] == one["evidence"]


def test_who_always_takes_ten_is_not_doubted(guard):
    rows = [("big", "scarf", f"2025-0{m}-01", "purchase", 10.0, 15.0) for m in range(1, 8)]
    found = guard.review(cart_of(("big", "scarf"), quantity=[10]), log_of(rows)).iloc[0]

    assert found["kind"] is None


def test_the_habit_of_the_customer_is_told_with_its_date(guard):
    rows = [("ann", "scarf", f"2025-0{m}-01", "purchase", 2.0, 15.0) for m in range(1, 8)]
    found = guard.review(cart_of(("ann", "scarf"), quantity=[24]), log_of(rows)).iloc[0]

    assert found["reason"] == "scarf: 24 pieces; 2 is usual for this customer"
    assert found["evidence"][0]["date"].startswith("2025-07-01")
    assert found["evidence"][0]["pieces_then"] == 2.0


def test_shoes_are_not_named_to_who_knows_them_or_objects(guard, history):
    """Bought, sent back, refused; in the cart; a gift; objects to marketing. To profiling: the
    past is not looked at, so shoes are named."""
    first = [("ann", "shoes", "2025-02-01", "purchase", 1.0, 45.0),
             ("bob", "shoes", "2025-02-01", "not_interested", 1.0, 45.0),
             ("c001", "shoes", "2025-02-01", "purchase", 1.0, 45.0)]  # fmt: skip
    other = log_of(first, customers=PEOPLE, items=ITEMS)

    def kinds(cart):
        return guard.review(cart, other)["kind"].tolist()

    assert kinds(cart_of(("ann", "boots"), ("bob", "boots"))) == [None, None]
    assert kinds(cart_of(("new", "boots"), ("new", "shoes"))) == [None, None]
    assert kinds(stranger(gift=[True])) == [None]
    assert kinds(cart_of(("c002", "boots"), ("c001", "boots"))) == [None, "better_fit"]


def test_lines_come_back_as_they_were(guard, history):
    cart = pd.concat([
        cart_of(("c010", "boots"), ("new", "brand-new"), ("c011", "scarf")), stranger()
    ]).set_axis([9, 3, 5, 1]).assign(quantity=[1, 30, 10, 2], note="kept")  # fmt: skip
    before = cart.copy(deep=True)
    found = guard.review(cart, history)

    pd.testing.assert_frame_equal(cart, before)
    pd.testing.assert_frame_equal(found[cart.columns], cart)
    assert found.columns[-6:].tolist() == [
        "verdict", "kind", "probability", "reason", "evidence", "options"
    ]  # fmt: skip
    assert found["probability"].between(0, 1).all()
    warned = found["verdict"] == "warn"
    assert (found.loc[warned, "options"].map(len) >= 2).all()
    assert (found.loc[~warned, "options"].map(len) == 0).all()


def test_the_same_item_twice_ten_thousand_lines_and_none(guard, history):
    cart = pd.concat([stranger(quantity=[1]), cart_of(("c005", "boots"), quantity=[40])] * 5000)
    found = guard.review(cart, history)

    assert found["probability"].nunique() == 2
    assert len(guard.review(cart_of(), history)) == 0


def test_bad_carts_get_one_clear_error(guard, history):
    for name, value in [("price", "dear"), ("quantity", 0), ("quantity", -2)]:
        with pytest.raises(wrong.BadRowsError, match=name):
            guard.review(stranger(**{name: value}), history)
    with pytest.raises(wrong.ColumnError, match="item_id"):
        guard.review(stranger().drop(columns="item_id"), history)


def test_unfitted_empty_and_impossible_costs_are_refused(history):
    with pytest.raises(NotFittedError):
        FitGuard().review(stranger(), history)
    with pytest.raises(wrong.EmptyHistoryError, match="no purchase"):
        FitGuard().fit(history.as_of("2024-12-01"))
    with pytest.raises(wrong.ParameterError, match="cost_slip"):
        FitGuard(cost_slip=0).fit(history)


def test_it_is_silent_where_words_would_not_pay_and_says_why(history):
    silent = FitGuard(window_days=20, cost_annoyance=30.0).fit(history)
    found = silent.review(stranger(quantity=[1]), history)

    assert found["verdict"].tolist() == ["pass"]
    assert found["kind"].tolist() == ["better_fit"]  # still ranked by its chance
    for kind in ("better_fit", "quantity_slip"):
        assert silent.report_[kind]["speaks"] is False
        assert "0.97" in silent.report_[kind]["silent_because"]


def test_a_shop_without_returns_has_nothing_to_say():
    rows = [row for row in shop_rows(n_lines=400) if row[3] == "purchase"]
    no_returns = pytest.warns(wrong.MinimumDataWarning, match="better_fit: no line")
    with (
        pytest.warns(wrong.MinimumDataWarning, match="quantity_slip: 0 such lines in 0"),
        no_returns,
    ):
        guard = FitGuard(window_days=20).fit(log_of(rows, items=ITEMS))

    assert guard.review(stranger(), log_of(rows, items=ITEMS))["kind"].tolist() == [None]


def test_every_sentence_stands_in_both_languages():
    assert all(TEMPLATES[code] is text for code, text in SENTENCES.items())
    assert all(set(text) == {"en", "ko"} for text in SENTENCES.values())


# -- law -----------------------------------------------------------------------------------


def test_the_guard_keeps_the_laws_of_history_models(monkeypatch):
    """With so few lines needed, and no proof, that chances are learned and words are said."""
    monkeypatch.setattr(fit_learning, "FEWEST_HITS", 1)
    monkeypatch.setattr(fit_learning, "FEWEST_WARNED", 0)
    monkeypatch.setattr(fit_learning, "lower_bound", lambda hits, n: 1.0)
    monkeypatch.setattr(fit_items, "SURE", 0.0)
    log, model = random_log(0, n_customers=100), FitGuard(window_days=10, cost_annoyance=1e-4)
    history = log.as_of(log.start + (log.end - log.start) * 0.75)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.fit(history).review(answers.cart_of(history), history)

    assert {"better_fit", "quantity_slip"} <= set(found["kind"][found["verdict"] == "warn"])
    check_history_model(model, log)


def test_one_alone_and_restored_is_as_in_the_batch(guard, history):
    cart = cart_of(*[(f"c{k:03d}", item) for k in range(12) for item in ("boots", "scarf", "new")])
    cart = cart.assign(quantity=np.arange(len(cart)) % 11 + 1.0)
    whole, again = guard.review(cart, history), FitGuard.from_arrays(guard.to_arrays())
    for who in cart["customer_id"].unique():
        rows = cart["customer_id"] == who
        alone = again.review(cart[rows], history.select([who]))
        pd.testing.assert_frame_equal(alone, whole[rows], check_exact=True)


def test_an_early_slice_knows_nothing_of_later_events(history):
    """From August on boots and scarves change places: the first slice stays as it was."""
    rows = shop_rows()
    late = pd.Timestamp("2025-08-15", tz="UTC")
    swap = {"boots": "scarf", "scarf": "boots"}
    other = [(r[0], swap.get(r[1], r[1]) if r[2] >= late else r[1], *r[2:]) for r in rows]
    changed = log_of(other, items=ITEMS, customers=PEOPLE)
    ours, theirs = fit_slices(history, 20.0), fit_slices(changed, 20.0)

    assert difference(ours[0], theirs[0]) is None
    assert len(ours[-1].swaps.hit) != len(theirs[-1].swaps.hit)


def test_tables_follow_another_vocabulary(guard):
    """Without gloves, with hats: shoes are item 3 of five again, at another place of four."""
    table = guard.item_table(np.array(["boots", "hats", "shoes"]))

    assert table["alternatives"][:, 0].tolist() == [2, -1, -1, -1]
    assert table["price"][2] == pytest.approx(45.0)
    assert np.isnan(table["price"][[1, 3]]).all()
    assert {len(column) for column in table.values()} == {4}
    gone = guard.item_table(np.array(["boots"]))
    assert gone["alternatives"].tolist() == [[-1] * 4] * 2


def test_chances_are_right_on_the_year_to_come(guard):
    """Another year of the shop: boots come back .65 more often than shoes; P within a tenth."""
    later = shop_rows(seed=1)
    n_boots = sum(r[1] == "boots" and r[3] == "purchase" for r in later)
    n_back = sum(r[1] == "boots" and r[3] == "return" for r in later)
    p = float(guard.review(stranger(), log_of(later))["probability"].iloc[0])

    assert p == pytest.approx(n_back / n_boots - 0.02, abs=0.1)
