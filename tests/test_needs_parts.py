"""Next needs, part by part: the clock, the sources, carts, signals, blends, slices."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from anticipate.exceptions import IdTypeError
from anticipate.kernels import needs as k
from anticipate.log import History, InteractionLog
from anticipate.needs.blend import BOTH, LINEAR, RATE, TREES, Blend, both, fit_blend, fit_shifts
from anticipate.needs.candidates import Batch
from anticipate.needs.carts import baskets_of, cart_increments, partners
from anticipate.needs.collaborative import Collaborative, similar_items
from anticipate.needs.neighbours import Neighbours
from anticipate.needs.popular import Popular
from anticipate.needs.profiles import Scores, csr_of, nothing, product_terms, profiles_of
from anticipate.needs.repeats import Repeats
from anticipate.needs.shoppers import Codes, Shoppers, shoppers_of
from anticipate.needs.signals import KINDS, Signals, rating_middle
from anticipate.needs.slices import slices_of
from anticipate.needs.tables import Clock, Tables


def history_of(rows: list[tuple[Any, ...]], *, at: int = 100, **options: Any) -> History:
    """A history before day ``at`` of (customer, item, day, event, quantity, value) rows."""
    names = ["customer_id", "item_id", "day", "event", "quantity", "value"]
    defaults = [None, None, None, "purchase", 1.0, np.nan]
    table = pd.DataFrame([[*row, *defaults[len(row) :]] for row in rows], columns=names)
    table["timestamp"] = pd.Timestamp("2025-01-01 12:00") + pd.to_timedelta(table["day"], "D")
    end = pd.Timestamp("2025-01-01 12:00") + pd.Timedelta(days=at)
    log = InteractionLog.from_frame(
        table, timezone="UTC", event="event", quantity="quantity", value="value",
        closed_until=end, **options,
    )  # fmt: skip
    return log.as_of(end)


def shoppers_in(history: History, target: str = "horizon") -> Shoppers:
    return shoppers_of(history, Codes.of(history.item_ids, history.item_ids), target)


def seed() -> np.random.RandomState:
    return np.random.RandomState(0)


# -- the clock ------------------------------------------------------------------------


def test_ages_are_days_for_a_horizon_and_baskets_for_the_next_basket():
    """tea on days 80 and 95, mug on day 95, before day 100."""
    history = history_of([("a", "tea", 80), ("a", "mug", 95), ("a", "tea", 95)])

    days, baskets = shoppers_in(history), shoppers_in(history, "next_basket")

    assert days.visit_age.tolist() == [5.0, 20.0, 5.0]  # mug; tea, tea
    assert baskets.visit_age.tolist() == [1.0, 2.0, 1.0]
    assert baskets.basket_age.tolist() == [2.0, 1.0]


def test_a_purchase_that_came_back_is_not_kept_but_remembered():
    """The mug came back in full, one of two lamps did not."""
    history = history_of(
        [("a", "mug", 1), ("a", "mug", 3, "return"), ("a", "lamp", 5, "purchase", 2.0),
         ("a", "lamp", 8, "return", 1.0), ("b", "mug", 2)]
    )  # fmt: skip

    found = shoppers_in(history)

    assert history.item_ids[found.item].tolist() == ["lamp", "mug"]
    assert found.customer.tolist() == [0, 1]
    assert (found.gone.tolist(), found.gone_offsets.tolist()) == ([1], [0, 1, 1])


def test_taken_customers_keep_their_rows():
    history = history_of([("a", "x", 1), ("b", "y", 2), ("b", "x", 9), ("c", "y", 3)])
    whole = shoppers_in(history)

    some = whole.take(np.array([1]))

    assert (some.item.tolist(), some.visit_age.tolist()) == ([0, 1], [91.0, 98.0])
    assert (some.n_baskets.tolist(), some.last_basket_age.tolist()) == ([2], [91.0])


def test_items_unknown_to_the_model_get_codes_of_their_own():
    """The model knows b and d; a and c come after them, but rank by id."""
    texts = [np.array(list(word), dtype=object) for word in ("bd", "abc")]
    codes = Codes.of(*texts)

    assert codes.of_history.tolist() == [2, 0, 3, -1]
    assert codes.by_id.tolist() == [1, 3, 0, 2]
    with pytest.raises(IdTypeError, match="text"):
        Codes.of(texts[0], np.array([1, 2]))


# -- sources --------------------------------------------------------------------------


def test_popularity_counts_customers_by_window():
    """Period 10 before day 100: tea lately by a and b, earlier by a; shares of 2 shoppers."""
    history = history_of([("a", "tea", 70), ("a", "tea", 95), ("b", "tea", 99), ("b", "mug", 20)])

    found = Popular.learn(shoppers_in(history), 10.0)

    mug, tea = 0, 1
    counts = [found.buyers.tolist(), found.recent.tolist(), found.before.tolist()]
    assert counts == [[1, 2, 0], [0, 2, 0], [0, 1, 0]]
    assert found.active.tolist() == [2]
    assert found.order.tolist() == [tea, mug]
    assert k.to_probability(found.log_odds[[tea, mug]]) == pytest.approx([2.025 / 3, 0.025 / 3])


def test_first_purchases_count_among_those_who_shopped_before_without_the_item():
    """Settled: a, b. Tea lately: new to b, a had it. One of the two purchases is a first one.

    Tea: (1 + 10 * part * share) / (1 without + 10); part = (1 + 10 * .3) / (2 + 10).
    """
    rows = [("a", "tea", 50), ("a", "tea", 95), ("b", "mug", 50), ("b", "tea", 96)]
    history = history_of([*rows, ("c", "tea", 99)])  # c is new: everything would be

    found = Popular.learn(shoppers_in(history), 10.0)

    share, part = 3.025 / 4, 4 / 12
    expected = (1 + 10 * part * share) / 11
    assert k.to_probability(found.first_log_odds[1]) == pytest.approx(expected)


def test_item_rates_are_repeats_over_the_time_since_the_first_purchase():
    """a bought tea 3 times in 60 days, b once 40 days ago: 2 repeats in 100 days.

    The whole: (2 + .5) / (100 + 120); tea: (1 + 2) / (1 / whole + 100).
    """
    history = history_of([("a", "tea", 40), ("a", "tea", 50), ("a", "tea", 70), ("b", "tea", 60)])

    found = Repeats.learn(shoppers_in(history), 10.0)

    assert found.rate[0] == pytest.approx(3 / (220 / 2.5 + 100))
    assert found.share[0] == pytest.approx((1 + 5 * 1.5 / 7) / 7)  # one buyer of two came back


def test_an_item_bought_more_often_and_lately_has_the_better_rate():
    rows = [("a", "tea", day) for day in (10, 40, 70)] + [("a", "mug", 10), ("b", "mug", 50)]
    shoppers = shoppers_in(history_of(rows))

    found = Repeats.learn(shoppers, 30.0).columns(shoppers, 30.0, 30.0)

    assert found["rate_log_odds"][1] > found["rate_log_odds"][0]  # a: mug, tea
    assert found["visits"][1] == pytest.approx(np.log(3))
    assert all(np.isfinite(column).all() for column in found.values())


def test_cosine_of_items_is_shared_buyers_over_the_roots():
    """tea and mug share 2 of 2 and 3 buyers: 2 / sqrt(6); the lamp has one buyer: no pattern."""
    held = csr_of(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 1, 2]), np.ones(6), (3, 3))

    similar = similar_items(held, 5).toarray()

    assert similar == pytest.approx(np.array([[0, 2, 0], [2, 0, 0], [0, 0, 0]]) / np.sqrt(6))
    assert similar_items(nothing(0, 3), 5).nnz == 0


def test_a_new_item_is_explained_by_the_item_that_speaks_most_for_it():
    """Profile (1, .5); similarity to item 2 is .2 and .9: .2 against .45."""
    profile = csr_of(np.zeros(2, int), np.array([0, 1]), np.array([1.0, 0.5]), (1, 3))
    table = csr_of(np.array([0, 1]), np.array([2, 2]), np.array([0.2, 0.9]), (3, 3))

    because = Collaborative(table).because(profile, np.zeros(2, int), np.array([2, 1]))

    assert because.tolist() == [1, -1]


def test_the_terms_of_a_product_add_up_to_it():
    rng = np.random.default_rng(0)
    dense = [(rng.random((4, 5)) > 0.5) * rng.random((4, 5)), rng.random((5, 6)).round()]
    left, right = (csr_of(*np.nonzero(part), part[np.nonzero(part)], part.shape) for part in dense)
    row, column = np.array([0, 3, 3]), np.array([5, 0, 2])

    _, value, offsets = product_terms(left, right, row, column)

    found = [value[a:b].sum() for a, b in itertools.pairwise(offsets)]
    assert found == pytest.approx((dense[0] @ dense[1])[row, column].tolist())


def test_neighbours_leave_the_customer_out():
    """b has a's items and c's lamp too: for a, all that is alike is b."""
    history = history_of([("a", "tea", 1), ("b", "tea", 2), ("b", "mug", 3), ("c", "lamp", 4)])
    profiles = profiles_of(shoppers_in(history), 30.0)
    model = Neighbours.learn(profiles, history.customer_ids, seed())

    alike = model.alike(profiles, history.customer_ids)

    assert alike.toarray().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    mug = int(np.flatnonzero(history.item_ids == "mug")[0])
    assert model.share(alike, np.array([0, 1]), np.array([mug, mug])).tolist() == [1.0, 0.0]


def test_scores_are_found_by_pair_and_leave_out_what_is_owned():
    """Customer 0 owns item 1; item 9 is unknown to the scores."""
    shoppers = shoppers_in(history_of([("a", "y", 1), ("b", "x", 1)]))
    product = csr_of(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([0.3, 0.9, 0.5]), (2, 2))

    scores = Scores.of(product)

    assert scores.at(np.array([0, 1, 0]), np.array([1, 0, 9])).tolist() == [0.9, 0.0, 0.0]
    assert [part.tolist() for part in scores.best(5, shoppers, None)] == [
        [0, 1],
        [0, 1],
        [0.3, 0.5],
    ]
    only_x = np.array([True, False])
    assert scores.best(5, shoppers, only_x)[1].tolist() == [0]


def test_popular_items_fill_up_past_what_was_bought_or_brought_back():
    """x, y, z by popularity; a brought x back and has y: the one never bought is z."""
    rows = [(who, "x", 90) for who in "bcd"] + [(who, "y", 91) for who in "abc"] + [("b", "z", 92)]
    history = history_of([*rows, ("a", "x", 80), ("a", "x", 85, "return")])
    tables, shoppers = Tables.learn(history, Clock.of("horizon", 30.0), seed())
    codes = Codes.of(history.item_ids, history.item_ids)
    signals = Signals.of(history, codes, np.nan)
    batch = Batch(tables, codes, shoppers, signals, history.customer_ids).take(np.array([0]))

    customer, item, _, _ = batch._popular(None, 1)

    gone = batch.is_gone(customer, item)
    assert history.item_ids[item[~gone]].tolist() == ["z"]
    assert history.item_ids[item[gone]].tolist() == ["x"]


# -- carts -----------------------------------------------------------------------------


def test_a_cart_partner_gains_what_the_shared_baskets_say():
    """4 baskets; tea in 3, mug in 2, both in 2: logit((2 + 10/2) / (3 + 10)) - logit(1/2)."""
    rows = [("a", "tea", 1), ("a", "mug", 1), ("a", "tea", 2), ("a", "mug", 2), ("b", "tea", 3)]
    history = history_of([*rows, ("b", "lamp", 4)])
    baskets = baskets_of(shoppers_in(history))

    cart = cart_increments(baskets, 8)

    lamp, mug, tea = 0, 1, 2
    assert baskets.shape == (4, 3)
    assert cart[tea, mug] == pytest.approx(np.log(7 / 6))
    found = partners(cart, history.item_ids, np.array(["mug", "new", "tea"], dtype=object), 8)
    assert (found["offsets"].tolist(), found["item"].tolist()) == ([0, 1, 1, 2], [2, 0])
    assert cart[lamp].nnz == 0


# -- signals ---------------------------------------------------------------------------


def flags_in(rows: list[tuple[Any, ...]]) -> dict[str, set[str]]:
    """Kinds of signals by item of the one customer."""
    history = history_of(rows)
    codes = Codes.of(history.item_ids, history.item_ids)
    found = Signals.of(history, codes, rating_middle(history))
    return {
        str(history.item_ids[item]): {name for name, flag in zip(KINDS, row, strict=True) if flag}
        for item, row in zip(found.item, found.flags, strict=True)
    }


def test_a_later_purchase_outweighs_what_was_said_before_it():
    """Low rating, then bought again; returned and not bought again."""
    rows = [
        ("a", "tea", 1), ("a", "tea", 2, "rating", 1.0, 1.0), ("a", "tea", 3),
        ("a", "mug", 1), ("a", "mug", 2, "rating", 1.0, 2.0), ("a", "pot", 4),
        ("a", "pot", 5, "return"), ("a", "jam", 6, "rating", 1.0, 5.0),
    ]  # fmt: skip

    assert flags_in(rows) == {"mug": {"rating"}, "pot": {"return"}}


def test_old_views_say_nothing_old_wishes_do():
    """Day 100 less 60: a view of day 30 is too old, a wish is not."""
    rows = [("a", "tea", 30, "view"), ("a", "mug", 30, "wish"), ("a", "pot", 90, "view")]

    assert flags_in(rows) == {"mug": {"wish"}, "pot": {"view"}}


def test_ratings_without_a_scale_are_neither_low_nor_high():
    assert np.isnan(rating_middle(history_of([("a", "x", 1, "rating", 1.0, 3.0)])))
    assert flags_in([("a", "x", 1), ("a", "x", 2, "rating", 1.0, 3.0)]) == {}


# -- blends ----------------------------------------------------------------------------


def test_without_evidence_a_shift_is_its_prior_and_with_it_the_data_speak():
    """400 rows at even odds of which 1/4 were bought: about ln(1/3), pulled to the prior."""
    none = fit_shifts(np.zeros((0, 2)), np.zeros(0), np.zeros(0), np.array([-1.0, 0.5]), 0.5)
    bought = np.arange(400) % 4 == 0
    found = fit_shifts(np.ones((400, 1)), np.zeros(400), bought, np.zeros(1), 10.0)

    assert none.tolist() == [-1.0, 0.5]
    assert found[0] == pytest.approx(np.log(1 / 3), abs=1e-3)


def labelled(n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(n, 2))
    return table, rng.random(n) < k.to_probability(table[:, 0] - 1.0)


@pytest.mark.parametrize("kind", [RATE, LINEAR, TREES, BOTH])
def test_every_kind_of_blend_survives_arrays_and_scores_rows_alone(kind: str):
    table, bought = labelled()
    names = ("one", "two")
    blend = fit_blend(kind, names, table, bought, seed()).with_offset(0.25)

    again = Blend.from_arrays(blend.to_arrays())

    columns = table[:, : len(blend.names)]
    assert again.log_odds(columns).tolist() == blend.log_odds(columns).tolist()
    assert blend.log_odds(columns[7:8])[0] == blend.log_odds(columns)[7]


def test_the_regression_finds_the_weights_and_both_is_the_mean():
    """Bought with log-odds x1 - 1; 3,000 rows."""
    table, bought = labelled()
    linear, trees = (
        fit_blend(kind, ("x1", "x2"), table, bought, seed()) for kind in (LINEAR, TREES)
    )

    assert linear.arrays["weights"] == pytest.approx([1.0, 0.0], abs=0.12)
    assert linear.arrays["intercept"] == pytest.approx([-1.0], abs=0.12)
    mean = (linear.log_odds(table) + trees.log_odds(table)) / 2
    assert both(linear, trees).log_odds(table) == pytest.approx(mean)


# -- slices ----------------------------------------------------------------------------


def test_slices_are_labelled_by_what_was_bought_in_the_window_after_them():
    """Windows of 30 days before day 100: [40, 70) and [70, 100); the first needs a past."""
    history = history_of([("a", "tea", 5), ("a", "tea", 45), ("b", "mug", 60), ("a", "mug", 75)])

    found = slices_of(history, Clock.of("horizon", 30.0))

    assert [part.past.n_events for part in found] == [1, 3]
    last = found[-1]
    pairs = zip(last.past.customer_ids[last.customer], last.past.item_ids[last.item], strict=True)
    assert list(pairs) == [("a", "mug")]


def test_basket_slices_hold_the_last_basket_back():
    """a: {tea}, {tea, mug}, {tea}; b has a single basket, so no past."""
    rows = [("a", "tea", 1), ("a", "tea", 2), ("a", "mug", 2), ("a", "tea", 3), ("b", "mug", 9)]

    found = slices_of(history_of(rows), Clock.of("next_basket", 30.0))

    assert [part.past.n_events for part in found] == [1, 3]
    assert [part.past.item_ids[part.item].tolist() for part in found] == [["tea"], ["tea"]]
