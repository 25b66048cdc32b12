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
from anticipate.needs.candidates import NEW_NAMES, NEWCOMER_NAMES, OWN_NAMES, Batch, names_of
from anticipate.needs.carts import baskets_of, cart_increments, partners
from anticipate.needs.categories import HALF_LIFE, NEVER, Categories, CategoryHabits
from anticipate.needs.choice import choose
from anticipate.needs.collaborative import Cosine, similar_items
from anticipate.needs.facts import item_facts, traits_of
from anticipate.needs.popular import Popular
from anticipate.needs.profiles import Scores, csr_of, nothing, product_terms
from anticipate.needs.proposals import propose
from anticipate.needs.repeats import OWN, Repeats
from anticipate.needs.said import LEAST, PRIOR, SAID, fit_said
from anticipate.needs.samples import Sample, Samples, sample_slice
from anticipate.needs.selection import _fit, helpful_sources
from anticipate.needs.shoppers import Codes, Shoppers, shoppers_of
from anticipate.needs.signals import KINDS, Signals, rating_middle
from anticipate.needs.slices import slices_of
from anticipate.needs.source import Clock, View
from anticipate.needs.sources import CODE, EVERY, REASON, SOURCES
from anticipate.needs.tables import Tables
from anticipate.testing import random_log
from anticipate.testing.compare import difference
from anticipate.testing.futures import full_table, remade


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


def view_of(history: History, target: str = "horizon") -> View:
    clock = Clock.of(target, 30.0)
    return View(shoppers_in(history, target), clock, history.customer_ids, traits_of(history))


def batch_of(history: History, target: str = "horizon") -> Batch:
    """Everybody of a history, with tables learned from it."""
    tables, everyone = Tables.learn(history, Clock.of(target, 30.0), seed())
    return Batch.of(history, tables, Codes.of(history.item_ids, history.item_ids), everyone)


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
    """a bought x yesterday, y 90 days (a half-life, one basket) before; the lamp is like both.

    x says .2 and y 2^-.25 * 2^-1 * .9 = .38; nothing speaks for an item unlike both.
    """
    view = view_of(history_of([("a", "x", 99), ("a", "y", 9), ("b", "z", 1), ("b", "pot", 2)]))
    _, x, y, lamp = range(4)  # pot, x, y, z
    table = csr_of(np.array([x, y]), np.array([lamp, lamp]), np.array([0.2, 0.9]), (4, 4))

    because = Cosine(table).because(view, np.zeros(2, int), np.array([lamp, 0]))

    assert because.tolist() == [y, -1]


def test_the_terms_of_a_product_add_up_to_it():
    rng = np.random.default_rng(0)
    dense = [(rng.random((4, 5)) > 0.5) * rng.random((4, 5)), rng.random((5, 6)).round()]
    left, right = (csr_of(*np.nonzero(part), part[np.nonzero(part)], part.shape) for part in dense)
    row, column = np.array([0, 3, 3]), np.array([5, 0, 2])

    _, value, offsets = product_terms(left, right, row, column)

    found = [value[a:b].sum() for a, b in itertools.pairwise(offsets)]
    assert found == pytest.approx((dense[0] @ dense[1])[row, column].tolist())


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
    batch = batch_of(history).take(np.array([0]))

    found = propose(batch, np.array([False, False, True]), 1)
    every = propose(batch)

    assert history.item_ids[found.item].tolist() == ["z"]
    gone = batch.is_gone(every.customer, every.item)
    assert history.item_ids[every.item[~gone]].tolist() == ["z"]
    assert history.item_ids[every.item[gone]].tolist() == ["x"]


def test_a_wish_is_proposed_before_all_else_and_named_so():
    """Everybody buys x; a, who has it, wished for z that one other customer bought."""
    rows = [(who, "x", 90) for who in "abcd"] + [("b", "y", 91), ("b", "z", 92)]
    history = history_of([*rows, ("a", "z", 95, "wish")])

    found = propose(batch_of(history).take(np.array([0])))

    assert history.item_ids[found.item].tolist() == ["y", "z"]
    assert SOURCES[found.source[1]] == "wished"


def test_every_source_has_a_reason_that_answers_can_name():
    assert set(REASON) == set(EVERY)
    assert set(REASON.values()) <= set(CODE)
    assert all(EVERY[name].name == name and EVERY[name].floor > 0 for name in EVERY)


# -- categories and facts -------------------------------------------------------------


def test_without_categories_no_column_tells_one_moment_from_another():
    """A shop that sells ever more: its season is the level's to learn, not a column's."""
    rows = [("a", item, day) for day in (50, 80, 90, 95, 99) for item in ("tea", "mug")]

    found = Categories.learn(np.array([-1, -1]), shoppers_in(history_of(rows)), 30.0)

    assert found.trend.tolist() == [0.0, 0.0, 0.0]


def test_a_category_is_on_the_rise_where_it_sells_more_than_usual():
    """Tea (category 1): three of its four visits in 15 days, ln((3 + 5) / (4 / 4 + 5)).

    The mug (category 2) sold 40 days ago: ln(5 / (1 / 4 + 5)). The whole: ln((3 + 5) /
    (5 / 4 + 5)) less. The last row is an unknown item: no category, no trend.
    """
    rows = [("a", "tea", day) for day in (45, 90, 95, 99)] + [("b", "mug", 60)]

    found = Categories.learn(np.array([1, 0]), shoppers_in(history_of(rows)), 30.0)

    assert found.code.tolist() == [2, 1, 0]
    whole = np.log(8 / 6.25)
    assert found.trend == pytest.approx([np.log(5 / 5.25) - whole, np.log(8 / 6) - whole, 0.0])
    assert found.n == 3


def test_habits_by_category_are_those_of_the_own_purchases_in_it():
    """Period 30: tea 120 days ago counts 1/4, jam 60 days ago 1/2; the mug is of another shelf."""
    rows = [("a", "tea", 80), ("a", "jam", 140), ("a", "mug", 190), ("b", "tea", 190)]
    history = history_of(rows, at=200)
    shoppers, names = shoppers_in(history), history.item_ids.tolist()
    shelf = np.array([0 if name in ("tea", "jam") else 1 for name in names])
    table = Categories.learn(shelf, shoppers, 30.0)
    habits = CategoryHabits(table, shoppers, 30.0)

    jam, mug = names.index("jam"), names.index("mug")
    found = habits.columns(np.array([0, 1, 1]), np.array([jam, mug, 99]), np.array([1.0, 0, 0]))

    assert HALF_LIFE * 30 == 60
    assert np.exp(found["category_bought"]) - 0.01 == pytest.approx([0.75, 0, 0], abs=1e-12)
    assert np.exp(found["category_items"]) - 1 == pytest.approx([2, 0, 0], abs=1e-12)
    assert np.exp(found["category_since"]) - 0.01 == pytest.approx([2, NEVER, NEVER])
    assert found["category_share"] == pytest.approx([1 / 0.76, 0, 0])


def test_items_without_a_category_count_as_one_shelf():
    shoppers = shoppers_in(history_of([("a", "tea", 90), ("a", "mug", 99)]))
    table = Categories.learn(np.array([-1, -1]), shoppers, 30.0)

    found = CategoryHabits(table, shoppers, 30.0).columns(np.zeros(2, int), np.arange(2), 0.0)

    assert np.exp(found["category_items"]) - 1 == pytest.approx([2, 2])


def test_attributes_of_those_who_object_to_profiling_stay_out():
    """Bea objects to profiling: her country is gone; Cyd to marketing: his stays."""
    customers = pd.DataFrame(
        {"customer_id": ["a", "b", "c"], "country": ["de", "fr", "fr"],
         "objects_to": [None, "profiling", "marketing"]}
    )  # fmt: skip
    history = history_of([("a", "x", 1), ("b", "x", 2), ("c", "x", 3)], customers=customers)

    found = traits_of(history)

    assert found.columns.tolist() == ["country"]
    assert found["country"].fillna("").tolist() == ["de", "", "fr"]


def test_the_listed_price_counts_before_the_mean_one_paid():
    """tea is listed at 3; of jam only payments of 2 and 4 are known; the mug has no price."""
    items = pd.DataFrame(
        {"item_id": ["tea", "mug"], "category": ["food", None], "price": [3, None]}
    )
    rows = {
        "customer_id": ["a", "b", "a", "a"], "item_id": ["jam", "jam", "mug", "tea"],
        "timestamp": ["2025-01-01"] * 4, "price": [2.0, 4.0, np.nan, 9.0],
    }  # fmt: skip
    log = InteractionLog.from_frame(
        rows, timezone="UTC", price="price", items=items, closed_until="2025-02-01"
    )

    found = item_facts(log.as_of("2025-02-01"))

    assert found.price.tolist()[:1] + found.price.tolist()[2:] == [3.0, 3.0]  # jam, tea
    assert np.isnan(found.price[1])
    assert found.category.tolist() == [-1, -1, 0]


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


def test_what_was_said_keeps_its_sign_whatever_came_of_it():
    """600 rows where who said no bought and who said yes did not: the sizes shrink to the least."""
    said = np.tile(np.eye(len(SAID)), (600, 1))
    against = np.tile([True, True, True, False, False, False, True, False], 600)

    found = fit_said(said, np.zeros(len(said)), against)

    assert np.abs(found).tolist() == [LEAST] * len(SAID)
    assert np.sign(found).tolist() == np.sign(PRIOR).tolist()
    none = fit_said(said[:0], np.zeros(0), against[:0])
    assert none.tolist() == PRIOR.tolist()


# -- which sources help ----------------------------------------------------------------


def sampled(source: np.ndarray, log_odds: np.ndarray, number: int) -> Samples:
    """Own and new rows, ten candidates a customer: noise, then the columns of the sources."""
    draw, n = np.random.default_rng(number), len(source)
    bought = draw.random(n) < k.to_probability(log_odds)
    own, new = (
        Sample(
            np.column_stack((draw.normal(size=(n, len(names))), source)),
            bought, np.arange(n) // 10, np.arange(n) % 10, np.zeros((n, len(SAID))),
        )
        for names in (OWN_NAMES, NEW_NAMES)
    )  # fmt: skip
    none = own.take(np.arange(0))
    return Samples(none, own, new, none)


def two_sources(n: int, number: int) -> Samples:
    """ "cosine" tells who buys, "tifu" is noise."""
    draw = np.random.default_rng(100 + number)
    source = draw.normal(size=(n, 2))
    return sampled(source, 1.5 * source[:, 0] - 1.0, number)


def test_a_source_that_tells_is_kept_and_noise_is_left_out():
    """Buys with log-odds 1.5 cosine - 1; without it the loss rises by a fifth or more."""
    kept, cost = helpful_sources(("cosine", "tifu"), two_sources(3000, 0), two_sources(3000, 1))

    assert kept == ["cosine"]
    assert cost["cosine"] > 0.1
    assert abs(cost["tifu"]) < 0.01


def test_too_few_purchases_keep_no_source():
    few = two_sources(30, 0)

    assert helpful_sources(("cosine", "tifu"), few, few) == ([], {})


def test_the_loss_without_a_source_is_that_of_a_refit():
    """Weak effects, so that the likelihood is close to its parabola: within 1 in 1,000."""
    draw = np.random.default_rng(5)
    source = draw.normal(size=(4000, 2)) @ np.array([[1.0, 0.5], [0.0, 1.0]])
    train, test = (
        sampled(source, 0.3 * source[:, 0] + 0.2 * source[:, 1], number).own for number in (1, 2)
    )
    names = names_of(("cosine", "tifu"))["own"]
    whole = _fit(names, train, test)

    for out in (["tifu"], ["cosine"], ["cosine", "tifu"]):
        kept = tuple(name for name in names if name not in out)
        refit = _fit(
            kept,
            train._replace(table=train.columns(names, kept)),
            test._replace(table=test.columns(names, kept)),
        )
        lost = refit.loss_without([]) - whole.loss_without([])
        assert whole.loss_without(out) == pytest.approx(refit.loss_without([]), rel=1e-3)
        assert whole.loss_without(out) - whole.loss_without([]) == pytest.approx(lost, rel=0.1)


def test_a_richer_blend_must_earn_its_place():
    """Where the plain rate is all there is, the regression gains nothing clear."""
    draw = np.random.default_rng(0)

    def rows(n: int, number: int) -> Sample:
        table = np.random.default_rng(number).normal(size=(n, 2))
        bought = draw.random(n) < k.to_probability(table[:, 0])
        return Sample(table, bought, np.arange(n) // 10, np.arange(n) % 10, np.zeros((n, 8)))

    older, newest = rows(6000, 1), rows(6000, 2)
    plain = choose((RATE, LINEAR), ("rate", "noise"), older, newest, older, seed())
    hidden = [part._replace(table=part.table[:, ::-1]) for part in (older, newest)]
    rich = choose((RATE, LINEAR), ("noise", "rate"), *hidden, hidden[0], seed())

    assert (plain.report["chosen"], rich.report["chosen"]) == (RATE, LINEAR)
    assert set(plain.report["tried"]) == {RATE, LINEAR}


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


def test_drift_is_how_far_the_newest_slice_lies_above_the_last_one():
    """Plain log-odds 0 everywhere; 1/4 bought before and 3/4 now: about 2 ln 3 = 2.197."""

    def rows(share: float) -> Sample:
        number = np.arange(8000)
        said = np.zeros((8000, len(SAID)))
        return Sample(np.zeros((8000, 1)), number % 4 < 4 * share, number // 10, number % 10, said)

    before, now = rows(0.25), rows(0.75)
    trial = choose((RATE,), ("rate",), before, now, before, seed())

    assert trial.drift == pytest.approx(2 * np.log(3), abs=0.02)
    assert trial.blend.offset == pytest.approx(-np.log(3), abs=0.02)


# -- samples ---------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["horizon", "next_basket"])
def test_samples_are_labelled_pairs_with_the_columns_they_name(target: str):
    """Bought rows are the pairs bought in the window; own ones were bought before, new not."""
    log = random_log(3, n_customers=60)
    history = log.as_of(log.start + (log.end - log.start) * 0.75)
    clock = Clock.of(target, 30.0)
    part = slices_of(history, clock)[-1]

    found = sample_slice(part, clock, 100_000, seed())

    names = names_of(EVERY)
    before = part.past.purchases
    bought = set(zip(part.customer.tolist(), part.item.tolist(), strict=True))
    had = set(zip(before.customer.tolist(), before.item.tolist(), strict=True))
    for kind in ("tail", "own", "new"):
        sample: Sample = getattr(found, kind)
        pairs = list(zip(sample.customer.tolist(), sample.item.tolist(), strict=True))
        assert sample.table.shape == (len(pairs), len(names[kind]))
        assert np.isfinite(sample.table).all()
        assert [pair in bought for pair in pairs] == sample.bought.tolist()
        if kind != "new":
            assert set(pairs) <= had
    assert found.own.n_bought > 0
    assert found.newcomers.table.shape[1] == len(NEWCOMER_NAMES)
    assert set(OWN) < set(names["own"])


def test_tables_survive_arrays_and_learn_the_same_whatever_the_order_of_rows():
    """Every array of the tables, bit for bit; sources left out stay out."""
    log = random_log(3, n_customers=60)
    shuffled = remade(log, full_table(log).sample(frac=1.0, random_state=0))
    at, clock = log.start + (log.end - log.start) * 0.75, Clock.of("horizon", 30.0)
    some = ("cosine", "traits")

    first, again = (
        Tables.learn(part.as_of(at), clock, seed(), only=some)[0] for part in (log, shuffled)
    )
    restored = Tables.from_arrays(first.to_arrays())

    assert list(restored.sources) == list(some)
    assert restored.item_ids.tolist() == first.item_ids.tolist()
    for other in (again, restored):
        assert difference(first.to_arrays(), other.to_arrays()) is None
    assert (restored.alike != first.alike).nnz == 0
